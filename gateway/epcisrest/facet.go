package epcisrest

import (
	"net/http"
	"slices"

	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
	"github.com/foodtrace-ledger/foodtrace/internal/translate"
)

// facet is a property of events whose values are resources: /bizSteps, /bizSteps/{bizStep}, /bizSteps/{bizStep}/events. Its path is that
// of its dimension.
type facet struct {
	dimension index.Dimension
	parameter string            // of the query that the values are of
	words     *event.Vocabulary // nil: values are no words of the standard
}

// facets are the six of the standard.
func facets() []facet {
	return []facet{
		{index.EventTypes, "eventType", nil},
		{index.EPCs, "MATCH_anyEPC", nil},
		{index.BizSteps, "EQ_bizStep", event.BizSteps},
		{index.BizLocations, "EQ_bizLocation", nil},
		{index.ReadPoints, "EQ_readPoint", nil},
		{index.Dispositions, "EQ_disposition", event.Dispositions},
	}
}

// eventTypes are always there, whether there are such events or not.
var eventTypes = []string{string(event.Aggregation), string(event.Association), string(event.Object), string(event.Transaction), string(event.Transformation)}

// top is GET /.
func (h *Handler) top(w http.ResponseWriter, r *http.Request) {
	if err := unknown(r.URL.Query()); err != nil {
		fail(w, r, err)
		return
	}
	list := []string{"capture", "events", "queries"}
	for _, f := range facets() {
		list = append(list, string(f.dimension))
	}
	slices.Sort(list)
	answer(w, r, http.StatusOK, collection(list...))
}

// facetValues is GET of the values of a facet in the events that the asker sees.
func (h *Handler) facetValues(f facet) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		as, err := formOf(r)
		if err != nil {
			fail(w, r, err)
			return
		}
		page, err := h.listPage(r)
		if err != nil {
			fail(w, r, err)
			return
		}
		if f.dimension == index.EventTypes {
			answer(w, r, http.StatusOK, collection(eventTypes...))
			return
		}
		views := h.Views.For(auth.From(r.Context()))
		values, next, err := views.Values(r.Context(), f.dimension, page)
		if err == nil {
			values, err = h.spell(r, views, as, f, values)
		}
		if err != nil {
			fail(w, r, unanswered(err))
			return
		}
		h.next(w, r, page, next)
		answer(w, r, http.StatusOK, collection(values...))
	}
}

// spell writes values in the form that is asked for.
func (h *Handler) spell(r *http.Request, views *view.View, as form, f facet, values []string) ([]string, error) {
	if f.words != nil {
		return as.spell(f.words, values), nil
	}
	prefixes, err := as.prefixes(r.Context(), views)
	return translate.Event(&event.Event{EPCs: values}, as.epc, translate.CBVNever, prefixes...).EPCs, err
}

// spell writes words in the form that is asked for; only XML has others than the bare one.
func (f form) spell(v *event.Vocabulary, words []string) []string {
	spelled := slices.Clone(words)
	for i, word := range words {
		switch f.cbv {
		case translate.CBVWebURI:
			spelled[i] = v.WebURI(word)
		case translate.CBVURN:
			spelled[i] = v.URN(word)
		}
	}
	return spelled
}

// facetValue is GET of one value: what there is of it.
func (h *Handler) facetValue(f facet) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := onlyPaging(r) // the standard's OpenAPI has perPage here, although there is one page
		if err == nil {
			err = h.exists(r, f)
		}
		if err != nil {
			fail(w, r, err)
			return
		}
		answer(w, r, http.StatusOK, collection("events"))
	}
}

// facetEvents is GET of the events with one value.
func (h *Handler) facetEvents(f facet) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q, err := parameters(r, f.parameter)
		if err == nil {
			err = h.exists(r, f)
		}
		if err != nil {
			fail(w, r, err)
			return
		}
		q, _ = q.With(f.parameter, pathValue(r, "value")) // exists has asked with it
		h.find(w, r, simpleQuery, q)
	}
}

// exists returns nil if the asker sees an event with the value, or 404.
func (h *Handler) exists(r *http.Request, f facet) error {
	value := pathValue(r, "value")
	missing := problem.New(http.StatusNotFound, problem.NotFound, "There is no event with this value.")
	if f.dimension == index.EventTypes {
		if slices.Contains(eventTypes, value) {
			return nil
		}
		return missing
	}
	q, problems := query.Query{}.With(f.parameter, value)
	if len(problems) > 0 {
		return missing
	}
	found, _, err := h.Views.For(auth.From(r.Context())).Query(r.Context(), &q, index.Page{Limit: 1})
	if err == nil && len(found) == 0 {
		err = missing
	}
	return unanswered(err)
}
