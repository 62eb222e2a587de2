package epcisrest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
)

// Entries of a page (EPCIS 2.0 REST: perPage, default 30; a server may have an upper limit that clients cannot override).
const (
	defaultPerPage = query.DefaultPerPage
	maxPerPage     = query.MaxPerPage
)

// tokenLife is how long a token of a page is valid: a client that stops for the night goes on in the morning. Nothing is kept for it.
const tokenLife = 24 * time.Hour

// The parameters of a page.
const (
	perPageParam   = "perPage"
	pageTokenParam = "nextPageToken"
)

// A token of a page is sealed (AES-GCM), so nobody can read or make one. Who may use it is authenticated with it; in it
// stand, in this order, when it expires (8 bytes), the digest of the question that it continues (16 bytes), and the cursor.
const (
	expiryBytes   = 8
	questionBytes = 16
)

var errToken = errors.New("epcisrest: not a valid token")

// page reads which part of a list is asked for.
func (h *Handler) page(r *http.Request) (index.Page, error) {
	limit, err := number(r, perPageParam, defaultPerPage, 1)
	if err != nil {
		return index.Page{}, err
	}
	page := index.Page{Limit: min(limit, maxPerPage)}
	token := r.URL.Query().Get(pageTokenParam)
	if token == "" {
		return page, nil
	}
	page.After, err = h.Store.cursor(r.Context(), auth.From(r.Context()), question(r), token)
	if errors.Is(err, errToken) {
		err = badToken
	}
	return page, err
}

var badToken = exception(http.StatusBadRequest, "QueryParameterException", problem.BadRequest, "The page cannot be continued from this token.",
	problem.Item{Code: problem.InvalidField, Detail: "It expired, was deleted, or belongs to another question or to somebody else. Ask again without it.", Field: pageTokenParam})

// listPage is page for a list that has no other parameters.
func (h *Handler) listPage(r *http.Request) (index.Page, error) {
	if err := onlyPaging(r); err != nil {
		return index.Page{}, err
	}
	return h.page(r)
}

// next links the next page (RFC 8288), if there is one.
func (h *Handler) next(w http.ResponseWriter, r *http.Request, page index.Page, cursor string) {
	if cursor == "" {
		return
	}
	token, expires := h.Store.token(auth.From(r.Context()), question(r), cursor)
	values := r.URL.Query()
	values.Set(perPageParam, strconv.Itoa(page.Limit))
	values.Set(pageTokenParam, token)
	w.Header().Set("Link", "<"+r.URL.EscapedPath()+"?"+values.Encode()+`>; rel="next"`)
	w.Header().Set("GS1-Next-Page-Token-Expires", stamp(expires))
}

// question is what a page continues: the resource and its parameters, but for those of the page.
func question(r *http.Request) string {
	values := r.URL.Query()
	values.Del(perPageParam)
	values.Del(pageTokenParam)
	return r.URL.EscapedPath() + "?" + values.Encode()
}

// token seals a cursor for who asked the question.
func (s *Store) token(who auth.Principal, question, cursor string) (token string, expires time.Time) {
	expires = s.now().Add(tokenLife).Truncate(time.Second)
	digest := sha256.Sum256([]byte(question))
	plain := binary.BigEndian.AppendUint64(nil, uint64(expires.Unix()))
	plain = append(append(plain, digest[:questionBytes]...), cursor...)
	return base64.RawURLEncoding.EncodeToString(s.seal.Seal(nil, nil, plain, asker(who))), expires
}

func asker(who auth.Principal) []byte { return []byte(who.Member + "\x00" + string(who.Role)) }

// open returns what stands in a token that was made for who, or errToken.
func (s *Store) open(who auth.Principal, token string) (expires time.Time, question, cursor string, err error) {
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return time.Time{}, "", "", errToken
	}
	plain, err := s.seal.Open(nil, nil, sealed, asker(who))
	if err != nil || len(plain) < expiryBytes+questionBytes {
		return time.Time{}, "", "", errToken
	}
	expires = time.Unix(int64(binary.BigEndian.Uint64(plain)), 0)
	plain = plain[expiryBytes:]
	return expires, string(plain[:questionBytes]), string(plain[questionBytes:]), nil
}

// cursor returns the cursor of a token that continues a question, or errToken.
func (s *Store) cursor(ctx context.Context, who auth.Principal, question, token string) (string, error) {
	expires, of, cursor, err := s.open(who, token)
	if err != nil {
		return "", err
	}
	digest, hash := sha256.Sum256([]byte(question)), sha256.Sum256([]byte(token))
	if of != string(digest[:questionBytes]) || s.now().After(expires) {
		return "", errToken
	}
	revoked, err := s.isRevoked(ctx, hash[:])
	if revoked {
		err = errToken
	}
	return cursor, err
}

// deleteToken is DELETE /nextPageToken/{token}: the token is not valid any more.
func (h *Handler) deleteToken(w http.ResponseWriter, r *http.Request) {
	token := pathValue(r, "token")
	expires, _, _, err := h.Store.open(auth.From(r.Context()), token)
	if err == nil {
		hash := sha256.Sum256([]byte(token))
		err = h.Store.revoke(r.Context(), hash[:], expires)
	}
	if errors.Is(err, errToken) {
		err = problem.New(http.StatusNotFound, problem.NotFound, "This is no token of a page that was given to you.")
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// onlyPaging refuses parameters of a list that has none but those of pages.
func onlyPaging(r *http.Request) error {
	return unknown(r.URL.Query(), perPageParam, pageTokenParam)
}

// unknown refuses parameters that are not among those known, all at once.
func unknown(values url.Values, known ...string) error {
	for _, name := range known {
		values.Del(name)
	}
	if len(values) == 0 {
		return nil
	}
	var items []problem.Item
	for _, name := range sortedKeys(values) {
		items = append(items, problem.Item{Code: problem.InvalidField, Detail: "This resource does not know this parameter.", Field: name})
	}
	return exception(http.StatusBadRequest, "QueryParameterException", problem.BadRequest, "There are parameters that are not known here.", items...)
}
