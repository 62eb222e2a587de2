package epcisrest

import (
	"cmp"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/gateway/subscribe"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
)

// Limits of a named query.
const (
	maxName       = 200                  // bytes of a name: it is part of addresses
	maxDefinition = query.MaxBody + 4096 // bytes of a request: the query, and what is around it
)

// queries is GET /queries: the member's own, and the one that everybody has, by name.
func (h *Handler) queries(w http.ResponseWriter, r *http.Request) {
	page, err := h.listPage(r)
	if err != nil {
		fail(w, r, err)
		return
	}
	list, err := h.Store.List(r.Context(), auth.From(r.Context()).Member, page.After, page.Limit+1)
	if err != nil {
		fail(w, r, err)
		return
	}
	if page.After < simpleQuery {
		list = append(list, everything)
		slices.SortFunc(list, func(a, b Named) int { return cmp.Compare(a.Name, b.Name) })
	}
	if len(list) > page.Limit {
		list = list[:page.Limit]
		h.next(w, r, page, list[len(list)-1].Name)
	}
	answer(w, r, http.StatusOK, slices.Concat([]Named{}, list))
}

// query is GET /queries/{name}.
func (h *Handler) query(w http.ResponseWriter, r *http.Request) {
	q, err := h.named(r.Context(), auth.From(r.Context()), pathValue(r, "name"))
	if err == nil {
		err = unknown(r.URL.Query())
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	answer(w, r, http.StatusOK, q)
}

// createQuery is POST /queries.
func (h *Handler) createQuery(w http.ResponseWriter, r *http.Request) {
	q, err := readNamed(w, r)
	if err != nil {
		fail(w, r, err)
		return
	}
	if err = ErrNameTaken; q.Name != simpleQuery {
		err = h.Store.Create(r.Context(), auth.From(r.Context()).Member, q)
	}
	switch {
	case errors.Is(err, ErrNameTaken):
		err = exception(http.StatusConflict, "ResourceAlreadyExistsException", problem.Conflict, "There is a query of this name already. Delete it first, or choose another name.",
			problem.Item{Code: problem.Conflict, Detail: "The name is taken.", Field: "/name"})
	case errors.Is(err, ErrTooMany):
		err = exception(http.StatusForbidden, "SecurityException", problem.Forbidden, "A member has at most "+strconv.Itoa(maxNamed)+" named queries. Delete one first.")
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	w.Header().Set("Location", h.base+"/queries/"+url.PathEscape(q.Name))
	w.WriteHeader(http.StatusCreated)
}

// readNamed reads a query and its name, and says all that is wrong with them.
func readNamed(w http.ResponseWriter, r *http.Request) (q Named, err error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != jsonMedia && kind != ldMedia {
		return q, problem.New(http.StatusUnsupportedMediaType, problem.MediaTypeBad, "A query is sent as application/json.",
			problem.Item{Code: problem.MediaTypeBad, Detail: "The media type cannot be read.", Field: "Content-Type"})
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDefinition))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return q, exception(http.StatusRequestEntityTooLarge, "QueryTooComplexException", problem.TooLarge, "A query has at most "+strconv.Itoa(maxDefinition)+" bytes.")
	}
	if err != nil {
		return q, err
	}
	var items []problem.Item
	var sent struct {
		Named
		Rest jsontext.Value `json:",embed"`
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		items = append(items, problem.Item{Code: problem.InvalidField, Detail: "Send a JSON object with a name and a query: " + err.Error() + "."})
	} else {
		items = wrong(sent.Named, sent.Rest)
	}
	if len(items) > 0 {
		return q, exception(http.StatusBadRequest, "QueryValidationException", problem.BadRequest, "This is no query that could be kept.", items...)
	}
	return sent.Named, nil
}

// wrong lists what is wrong with a query that is to be kept. rest are members beside its name and its parameters.
func wrong(q Named, rest jsontext.Value) (items []problem.Item) {
	bad := func(field, detail string) {
		items = append(items, problem.Item{Code: problem.InvalidField, Detail: detail, Field: field})
	}
	switch {
	case q.Name == "":
		bad("/name", "A name is needed.")
	case len(q.Name) > maxName:
		bad("/name", "A name has at most "+strconv.Itoa(maxName)+" bytes.")
	case strings.ContainsFunc(q.Name, unicode.IsControl), q.Name == ".", q.Name == "..":
		bad("/name", "The name cannot be part of an address.")
	}
	var others map[string]jsontext.Value
	if len(rest) > 0 {
		_ = json.Unmarshal(rest, &others) // an object, made by the decoder
	}
	for _, name := range sortedKeys(others) {
		bad("/"+pointer(name), "Only name and query are known here; @context stands in the query.")
	}
	if q.Query == nil {
		bad("/query", "A query is needed.")
		return items
	}
	_, problems := query.ParseJSON(q.Query)
	for _, p := range problems {
		field := "/query"
		if p.Parameter != "" {
			field += "/" + pointer(p.Parameter)
		}
		items = append(items, problem.Item{Code: string(p.Code), Detail: p.Message, Field: field})
	}
	return items
}

// pointer is a name as a part of a JSON pointer (RFC 6901).
func pointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// deleteQuery is DELETE /queries/{name}. Its subscriptions end.
func (h *Handler) deleteQuery(w http.ResponseWriter, r *http.Request) {
	who, name := auth.From(r.Context()), pathValue(r, "name")
	_, err := h.named(r.Context(), who, name)
	if err == nil && name == simpleQuery {
		err = problem.New(http.StatusForbidden, problem.Forbidden, "This query is always there.")
	}
	if err == nil {
		err = h.subscriptions.Drop(r.Context(), who.Member, name)
	}
	if err == nil {
		err = h.Store.Delete(r.Context(), who.Member, name)
	}
	if err != nil && !errors.Is(err, ErrNoSuchQuery) { // somebody else was faster
		fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// namedEvents is GET /queries/{name}/events: the events, or, where the client asks for it, a WebSocket that sends them.
func (h *Handler) namedEvents(w http.ResponseWriter, r *http.Request) {
	if subscribe.Wanted(r) {
		h.subscriber(h.socket)(w, r)
		return
	}
	name := pathValue(r, "name")
	q, err := h.definition(r.Context(), auth.From(r.Context()), name)
	if err == nil && name == simpleQuery {
		q, err = parameters(r) // of EPCIS 1 on, this query takes parameters
	} else if err == nil {
		err = onlyPaging(r)
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	h.find(w, r, name, q)
}
