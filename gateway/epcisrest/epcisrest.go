// Package epcisrest is the EPCIS 2.0 REST interface (GS1 EPCIS 2.0, section 12 and its OpenAPI document). docs/conformance.md
// lists what of it there is, and the tests that show it.
package epcisrest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/foodtrace-ledger/foodtrace/gateway/view"
)

// Config is what the interface stands on. All is needed.
type Config struct {
	Base     string // the path at which it is mounted, for example "/epcis"
	Vendor   string // this program and its version: header GS1-Vendor-Version
	Capture  Capturer
	Mappings Mappings
	Views    *view.Source
	Store    *Store
}

// Handler serves the interface below the path at which it is mounted.
type Handler struct {
	base     string
	capture  Capturer
	mappings Mappings
	views    *view.Source
	store    *Store
	now      func() time.Time
}

// New returns the interface as a router. Problems and auth.Middleware go before it.
func New(c Config) http.Handler {
	h := &Handler{base: c.Base, capture: c.Capture, mappings: c.Mappings, views: c.Views, store: c.Store, now: c.Store.now}
	r := chi.NewRouter()
	r.Use(announce(c.Vendor), middleware.GetHead, limitURI)
	r.NotFound(h.notFound)
	r.MethodNotAllowed(h.methodNotAllowed)
	r.With(from(oldest), capturing).Route("/capture", h.captureRoutes)
	r.Group(func(r chi.Router) {
		r.Use(from(spoken))
		h.eventRoutes(r)
		resource(r, "/nextPageToken/{token}", methods{http.MethodDelete: signedIn(h.deleteToken)})
	})
	return r
}

// methods are the handlers of a resource, by method.
type methods map[string]http.HandlerFunc

// eventRoutes are the events.
func (h *Handler) eventRoutes(r chi.Router) {
	resource(r, "/events", methods{http.MethodPost: signedIn(h.createEvent)})
	resource(r, "/events/{id}", methods{http.MethodGet: h.event})
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// writeJSON answers with a value in JSON, or in XML where it has such a form.
func writeJSON(w http.ResponseWriter, r *http.Request, status int, v any) { answer(w, r, status, v) }
