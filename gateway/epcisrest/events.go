package epcisrest

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
)

// events is GET /events.
func (h *Handler) events(w http.ResponseWriter, r *http.Request) {
	q, err := parameters(r)
	if err != nil {
		fail(w, r, err)
		return
	}
	h.find(w, r, simpleQuery, q)
}

// parameters reads the query in the address of a request. fixed are parameters that the resource fixes, which a client cannot state.
func parameters(r *http.Request, fixed ...string) (query.Query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return query.Query{}, exception(http.StatusBadRequest, "QueryParameterException", problem.BadRequest, "The query string cannot be read: "+err.Error()+".")
	}
	values.Del(perPageParam)
	values.Del(pageTokenParam)
	var items []problem.Item
	for _, name := range fixed {
		if values.Has(name) {
			items = append(items, problem.Item{Code: string(query.UnknownParameter), Detail: "The address of the resource says it already.", Field: name})
			values.Del(name)
		}
	}
	q, problems := query.Parse(values, extensions(r))
	for _, p := range problems {
		items = append(items, problem.Item{Code: string(p.Code), Detail: p.Message, Field: p.Parameter})
	}
	if len(items) > 0 {
		return q, exception(http.StatusBadRequest, "QueryParameterException", problem.BadRequest, "The query has parameters that cannot be used.", items...)
	}
	return q, nil
}

// find answers with a page of the events that a query selects.
func (h *Handler) find(w http.ResponseWriter, r *http.Request, name string, q query.Query) {
	form, err := formOf(r)
	if err != nil {
		fail(w, r, err)
		return
	}
	page, err := h.page(r)
	if err != nil {
		fail(w, r, err)
		return
	}
	if !r.URL.Query().Has(perPageParam) {
		page.Limit = q.PageSize()
	}
	views := h.Views.For(auth.From(r.Context()))
	events, next, err := views.Query(r.Context(), &q, page)
	if err != nil {
		fail(w, r, unanswered(err))
		return
	}
	body, err := h.document(r.Context(), views, form, head{query: name}, events)
	if err != nil {
		fail(w, r, err)
		return
	}
	h.next(w, r, page, next)
	form.announce(w)
	write(w, http.StatusOK, form.media, body)
}

// unanswered is why a query has no answer, as a problem of the standard.
func unanswered(err error) error {
	switch {
	case errors.Is(err, index.ErrTooLarge):
		return exception(http.StatusRequestEntityTooLarge, "QueryTooLargeException", problem.TooLarge, "There are more events than that. Ask for fewer, or leave the limit out and read page by page.",
			problem.Item{Code: problem.TooLarge, Detail: "The limit that was stated is exceeded.", Field: "maxEventCount"})
	case errors.Is(err, index.ErrTooComplex):
		return exception(http.StatusRequestEntityTooLarge, "QueryTooComplexException", problem.TooLarge,
			"The query looks at too many events. A range of event times, an identifier or a business step narrows it.")
	case errors.Is(err, index.ErrCursor):
		return badToken
	}
	return err
}
