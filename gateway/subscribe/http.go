package subscribe

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/internal/translate"
)

// status is a subscription as it is answered: the standard's members first, then what has become of it. The secret is not told.
type status struct {
	SubscriptionID    string              `json:"subscriptionID"`
	QueryName         string              `json:"queryName"`
	Dest              string              `json:"dest"`
	Stream            bool                `json:"stream,omitzero"`
	Schedule          *Schedule           `json:"schedule,omitzero"`
	ReportIfEmpty     bool                `json:"reportIfEmpty,omitzero"`
	InitialRecordTime string              `json:"initialRecordTime,omitzero"`
	CreatedAt         string              `json:"createdAt"`
	LastNotifiedAt    string              `json:"lastNotifiedAt,omitzero"` // last success
	MinRecordTime     string              `json:"minRecordTime"`
	EPCFormat         translate.EPCFormat `json:"epcFormat,omitzero"`

	Signed    bool   `json:"signed"`
	State     string `json:"state"`              // active, failing or ended
	Sequence  uint64 `json:"sequence"`           // number of the last delivery that was begun
	Pending   bool   `json:"pending,omitzero"`   // it is not acknowledged
	Failures  int    `json:"failures,omitzero"`  // since the last success
	LastError string `json:"lastError,omitzero"` // of the last failure
	ErrorAt   string `json:"lastErrorAt,omitzero"`
	NextAt    string `json:"nextAt,omitzero"` // when it runs next, or is tried again
	EndedAt   string `json:"endedAt,omitzero"`
}

func (sub *Subscription) status() status {
	since := stamp(sub.Searched)
	if since == "" {
		since = sub.since(sub.Created)
	}
	st := status{SubscriptionID: sub.ID, QueryName: sub.Query, Dest: sub.Dest, Stream: sub.Stream(), Schedule: sub.Schedule, ReportIfEmpty: sub.ReportIfEmpty,
		InitialRecordTime: stamp(sub.InitialRecordTime), CreatedAt: stamp(sub.Created), LastNotifiedAt: stamp(sub.Notified), MinRecordTime: since,
		EPCFormat: sub.EPC, Signed: sub.Token != "", State: "active", Sequence: sub.Sequence, Pending: sub.Pending != nil, Failures: sub.Failures,
		LastError: sub.Error, ErrorAt: stamp(sub.ErrorAt), NextAt: stamp(sub.Due), EndedAt: stamp(sub.Ended)}
	switch {
	case !sub.Ended.IsZero():
		st.State = "ended"
	case sub.Failures > 0:
		st.State = "failing"
	}
	return st
}

// minRecordTime is the header that says what status.MinRecordTime does.
const minRecordTime = "GS1-Query-Min-Record-Time"

// since is the least record time of the events that somebody who subscribes now gets first.
func (t *Terms) since(now time.Time) string {
	if t.InitialRecordTime.IsZero() {
		return stamp(now)
	}
	return stamp(t.InitialRecordTime)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// asker returns who asks and for which query, if he may.
func (s *Service) asker(r *http.Request, query string) (auth.Principal, error) {
	if err := auth.Require(r.Context()); err != nil {
		return auth.Principal{}, err
	}
	who := auth.From(r.Context())
	err := s.Source.Known(r.Context(), who, query)
	if errors.Is(err, ErrNoSuchQuery) {
		err = exception(http.StatusNotFound, problem.NotFound, "NoSuchNameException", "There is no query of this name.")
	}
	return who, err
}

func exception(status int, code, name, detail string, items ...problem.Item) *problem.Problem {
	return typed(problem.New(status, code, detail, items...), name)
}

// typed gives a problem a type of the standard.
func typed(p *problem.Problem, name string) *problem.Problem {
	copied := *p
	copied.Type, copied.Title = "epcisException:"+name, name
	return &copied
}

var errNoSubscription = exception(http.StatusNotFound, problem.NotFound, "NoSuchResourceException", "There is no such subscription of yours to this query.")

// List is GET /queries/{name}/subscriptions: the active ones of the member.
func (s *Service) List(w http.ResponseWriter, r *http.Request, query string) error {
	who, err := s.asker(r, query)
	if err != nil {
		return err
	}
	list, err := s.store.list(r.Context(), who.Member, query)
	if err != nil {
		return err
	}
	all := make([]status, len(list)) // at most MaxPerMember: one page
	for i, sub := range list {
		all[i] = sub.status()
	}
	return write(w, http.StatusOK, all)
}

// Create is POST /queries/{name}/subscriptions. Events are sent with their identifiers in the format asked for.
func (s *Service) Create(w http.ResponseWriter, r *http.Request, query string, epc translate.EPCFormat) error {
	who, err := s.asker(r, query)
	if err != nil {
		return err
	}
	body, err := readAll(w, r)
	if err != nil {
		return err
	}
	asked, err := readBody(body, s.guard)
	if err != nil {
		return err
	}
	now := s.Now().UTC()
	sub := &Subscription{ID: newID(), Query: query, Owner: who, Dest: asked.dest, Token: asked.token, EPC: epc, Created: now, Terms: asked.terms, Piece: maxPiece}
	if sub.Cursor, err = s.Source.Start(r.Context(), sub.InitialRecordTime); err != nil {
		return err
	}
	if !sub.Stream() {
		sub.Due = sub.next(now)
	}
	err = s.add(r.Context(), sub)
	if errors.Is(err, errMany) {
		return exception(http.StatusBadRequest, problem.TooMany, "SubscriptionControlsException", fmt.Sprintf("A member has at most %d subscriptions. Remove one first.", MaxPerMember))
	}
	if err != nil {
		return err
	}
	w.Header().Set("Location", strings.TrimSuffix(r.URL.EscapedPath(), "/")+"/"+sub.ID)
	return write(w, http.StatusCreated, sub.status())
}

// Get is GET /queries/{name}/subscriptions/{id}.
func (s *Service) Get(w http.ResponseWriter, r *http.Request, query, id string) error {
	who, err := s.asker(r, query)
	if err != nil {
		return err
	}
	sub, err := s.store.get(r.Context(), id)
	if errors.Is(err, errGone) || err == nil && (sub.Owner.Member != who.Member || sub.Query != query) {
		return errNoSubscription
	}
	if err != nil {
		return err
	}
	st := sub.status()
	w.Header().Set(minRecordTime, st.MinRecordTime)
	return write(w, http.StatusOK, st)
}

// Delete is DELETE /queries/{name}/subscriptions/{id}. A delivery that is under way may still arrive.
func (s *Service) Delete(w http.ResponseWriter, r *http.Request, query, id string) error {
	who, err := s.asker(r, query)
	if err != nil {
		return err
	}
	err = s.store.remove(r.Context(), who.Member, query, id)
	if errors.Is(err, errGone) {
		return errNoSubscription
	}
	if err != nil {
		return err
	}
	s.forget(func(j *job) bool { return j.id == id })
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func readAll(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != mediaTypeJSON && kind != "application/ld+json" {
		return nil, exception(http.StatusUnsupportedMediaType, problem.MediaTypeBad, "UnsupportedMediaTypeException", "A subscription is asked for as application/json.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, exception(http.StatusRequestEntityTooLarge, problem.TooLarge, "ValidationException", fmt.Sprintf("The body has more than %d bytes.", large.Limit))
	}
	return body, err
}

func write(w http.ResponseWriter, code int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", mediaTypeJSON)
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Authorization")
	w.WriteHeader(code)
	_, _ = w.Write(body) // a client that left is not an error
	return nil
}

// path is a JSON pointer.
func path(base, member string) string {
	if member == "" {
		return base
	}
	return base + "/" + url.PathEscape(member)
}

// capital begins a sentence.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}
