package epcisrest

import (
	"errors"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// standardContext gives meaning to the members of the standard (EPCIS 2.0, JSON-LD binding).
const standardContext = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"

// event is GET /events/{eventID}: an event by its event ID or its hash, as far as the view shows it.
func (h *Handler) event(w http.ResponseWriter, r *http.Request) {
	if !acceptsJSON(r.Header.Values("Accept")) {
		fail(w, r, problem.New(http.StatusNotAcceptable, problem.NotAcceptable, "Events are answered as application/json."))
		return
	}
	e, err := h.views.For(auth.From(r.Context())).Event(r.Context(), pathValue(r, "id"))
	if errors.Is(err, index.ErrNotFound) {
		err = problem.New(http.StatusNotFound, problem.NotFound, "There is no event with this ID.")
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	body, err := withContext(e)
	if err != nil {
		fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Authorization")
	writeJSON(w, r, http.StatusOK, body)
}

// withContext is the event's JSON with the standard's context and its own before everything else, and with its hash as its
// ID where the sender gave none.
func withContext(e index.Event) (jsontext.Value, error) {
	context := []jsontext.Value{jsontext.Value(`"` + standardContext + `"`)}
	own := e.Event.Context
	if own.Kind() == '[' {
		var parts []jsontext.Value
		if err := json.Unmarshal(own, &parts); err != nil {
			return nil, err
		}
		context = append(context, parts...)
	} else if len(own) > 0 {
		context = append(context, own)
	}
	body, err := json.Marshal(e.Event)
	if err != nil {
		return nil, err
	}
	var members struct {
		Context jsontext.Value `json:"@context,omitempty"`
		ID      string         `json:"eventID,omitzero"`
		Rest    jsontext.Value `json:",embed"`
	}
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, err
	}
	if members.Context, err = json.Marshal(context); err != nil {
		return nil, err
	}
	if members.ID == "" {
		members.ID = e.ID
	}
	return json.Marshal(members)
}

func acceptsJSON(accept []string) bool {
	all := strings.ToLower(strings.Join(accept, ","))
	if all == "" {
		return true
	}
	for _, ok := range []string{"application/json", "application/ld+json", "application/*", "*/*"} {
		if strings.Contains(all, ok) {
			return true
		}
	}
	return false
}
