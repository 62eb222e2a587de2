package epcisrest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
)

// event is GET /events/{eventID}: an event by its event ID or its hash, as far as the view shows it, and what declares it wrong.
func (h *Handler) event(w http.ResponseWriter, r *http.Request) {
	f, err := formOf(r)
	if err == nil {
		err = unknown(r.URL.Query())
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	views := h.Views.For(auth.From(r.Context()))
	events, err := eventsOf(r.Context(), views, pathValue(r, "id"))
	if errors.Is(err, index.ErrNotFound) {
		err = problem.New(http.StatusNotFound, problem.NotFound, "There is no event with this ID.")
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	body, err := h.document(r.Context(), views, f, head{query: simpleQuery}, events)
	if err != nil {
		fail(w, r, err)
		return
	}
	f.announce(w)
	write(w, http.StatusOK, f.media, body)
}

// eventsOf returns an event, and those with the same ID: an error declaration has that of the event that it declares wrong.
func eventsOf(ctx context.Context, views *view.View, id string) ([]index.Event, error) {
	e, err := views.Event(ctx, id)
	if err != nil || e.Event.ID == "" {
		return []index.Event{e}, err
	}
	q, problems := query.Query{}.With("EQ_eventID", e.Event.ID)
	if len(problems) > 0 { // it is longer than a query may ask for
		return []index.Event{e}, nil
	}
	list, _, err := views.Query(ctx, &q, index.Page{Limit: maxPerPage})
	if errors.Is(err, view.ErrForbidden) || err == nil && len(list) == 0 { // not the asker's own: what everybody sees of it
		return []index.Event{e}, nil
	}
	return list, err
}

// maxEvent bounds the body of one event, in bytes.
const maxEvent = epcis.DefaultEventBytes

// awaitEvent is how long POST /events waits until the ledger has decided: some blocks on a busy network.
const awaitEvent = 30 * time.Second

// awaitPoll is how often it looks: a small part of what a block takes.
const awaitPoll = 5 * time.Millisecond

// createEvent is POST /events: one event, and the ledger's answer to it.
func (h *Handler) createEvent(w http.ResponseWriter, r *http.Request) {
	f, err := formOf(r)
	if err != nil {
		fail(w, r, err)
		return
	}
	body, e, err := readEvent(w, r)
	if err != nil {
		fail(w, r, err)
		return
	}
	outcome, err := h.decide(w, r, body)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	id := e.ID
	if id == "" {
		id = outcome.ID
	}
	w.Header().Set("Location", h.base+"/events/"+url.PathEscape(id))
	stored, err := h.Views.For(auth.From(r.Context())).Event(r.Context(), outcome.ID)
	if err != nil || f.xml() { // it is on the ledger all the same; of XML, the standard has no form for a single event
		w.WriteHeader(http.StatusCreated)
		return
	}
	text, err := event.Marshal(recorded(&stored))
	if err != nil {
		fail(w, r, err)
		return
	}
	write(w, http.StatusCreated, f.media, text)
}

// readEvent reads a single event, and says all that is wrong with it.
func readEvent(w http.ResponseWriter, r *http.Request) (body []byte, e *event.Event, err error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != jsonMedia && kind != ldMedia {
		return nil, nil, problem.New(http.StatusUnsupportedMediaType, problem.MediaTypeBad, "A single event is sent as application/json. Documents, also in XML, are sent to /capture.",
			problem.Item{Code: problem.MediaTypeBad, Detail: "The media type cannot be read.", Field: "Content-Type"})
	}
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		setLimits(w.Header())
		return nil, nil, problem.New(http.StatusRequestEntityTooLarge, problem.TooLarge, "An event has at most "+strconv.Itoa(maxEvent)+" bytes.")
	}
	if err != nil {
		return nil, nil, err
	}
	doc, problems := epcis.Parse(body, epcis.Limits{})
	var items []problem.Item
	for _, p := range problems {
		if p.Severity == epcis.Error {
			items = append(items, problem.Item{Code: string(p.Code), Detail: p.Message, Field: p.Pointer})
		}
	}
	if len(items) == 0 && (doc.Type != "" || len(doc.Events) != 1) {
		items = append(items, problem.Item{Code: problem.InvalidField, Detail: "Send one event, not a document or a list. Documents are sent to /capture."})
	}
	if len(items) > 0 {
		return nil, nil, problem.New(http.StatusBadRequest, problem.BadRequest, "This is no event that could be captured.", items...)
	}
	return body, doc.Events[0], nil
}

// decide captures an event as a job of its own, waits for the ledger's outcome and the index, and returns the outcome if it
// is accepted, else why it is not: 409 for an event or event ID that is there already, 400 for what the ledger refuses.
func (h *Handler) decide(w http.ResponseWriter, r *http.Request, body []byte) (contract.Outcome, error) {
	who := auth.From(r.Context())
	job, err := h.capture.Receive(r.Context(), capture.Request{Member: who.Member, ContentType: jsonMedia, Body: bytes.NewReader(body)})
	if err != nil {
		return contract.Outcome{}, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), awaitEvent)
	defer cancel()
	for tick := time.NewTicker(awaitPoll); job.Running; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			p := problem.Later("The event is kept, and will be written. The ledger has not decided yet: ask " + h.base + "/capture/" + job.ID + ".")
			w.Header().Set("Location", h.base+"/capture/"+job.ID)
			return contract.Outcome{}, p
		}
		if job, err = h.capture.Job(r.Context(), who.Member, job.ID); err != nil {
			return contract.Outcome{}, err
		}
	}
	if job.Block > 0 {
		h.Views.Await(ctx, job.Block-1)
	}
	return h.outcome(r, who, job)
}

// outcome is what became of the one record of a job.
func (h *Handler) outcome(r *http.Request, who auth.Principal, job capture.Job) (contract.Outcome, error) {
	list, err := h.capture.Outcomes(r.Context(), who.Member, job.ID, 0, 1)
	if err != nil {
		return contract.Outcome{}, err
	}
	if len(list) == 0 { // it did not come to a record: the job says why
		p := problem.New(http.StatusBadRequest, problem.Refused, "The event was not captured.")
		for _, found := range job.Problems {
			p.Errors = append(p.Errors, problem.Item{Code: found.Code, Detail: found.Message, Field: found.Pointer})
		}
		return contract.Outcome{}, p
	}
	o := list[0].Outcome
	if o.Status == contract.Accepted {
		return o, nil
	}
	status, detail := http.StatusBadRequest, "The ledger refuses the event."
	if o.Status == contract.Duplicate {
		status, detail = http.StatusConflict, "The event is on the ledger already: "+o.ID+"."
	}
	p := problem.New(status, problem.Refused, detail)
	for _, found := range o.Findings {
		if found.Code == contract.CodeEventIDConflict {
			p.Status, p.Title = http.StatusConflict, http.StatusText(http.StatusConflict)
		}
		p.Errors = append(p.Errors, problem.Item{Code: string(found.Code), Detail: found.Message, Field: strings.TrimPrefix(found.Place, "/event")})
	}
	return contract.Outcome{}, p
}
