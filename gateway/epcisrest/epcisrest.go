// Package epcisrest is the EPCIS 2.0 REST interface (GS1 EPCIS 2.0, section 12 and its OpenAPI document). docs/conformance.md
// lists what of it there is, and the tests that show it.
package epcisrest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/foodtrace-ledger/foodtrace/gateway/subscribe"
)

// Config is what the interface stands on. All is needed.
type Config struct {
	Base     string // the path at which it is mounted, for example "/epcis"
	Vendor   string // this program and its version: header GS1-Vendor-Version
	Capture  Capturer
	Mappings Mappings
	Queries
	Subscriptions *subscribe.Service
}

// Handler serves the interface below the path at which it is mounted.
type Handler struct {
	Queries
	base          string
	capture       Capturer
	mappings      Mappings
	subscriptions *subscribe.Service
}

// New returns the interface as a router. Problems and auth.Middleware go before it.
func New(c Config) http.Handler {
	h := &Handler{Queries: c.Queries, base: c.Base, capture: c.Capture, mappings: c.Mappings, subscriptions: c.Subscriptions}
	r := chi.NewRouter()
	r.Use(announce(c.Vendor), limitURI)
	r.NotFound(notFound)
	r.With(from(oldest), capturing).Route("/capture", h.captureRoutes)
	r.Group(func(r chi.Router) {
		r.Use(from(spoken))
		resource(r, "/", methods{http.MethodGet: h.top})
		h.eventRoutes(r)
		h.queryRoutes(r)
		resource(r, "/nextPageToken/{token}", methods{http.MethodDelete: signedIn(h.deleteToken)})
	})
	return r
}

// methods are the handlers of a resource, by method.
type methods map[string]http.HandlerFunc

// eventRoutes are the events, and the facets by which they can be browsed.
func (h *Handler) eventRoutes(r chi.Router) {
	resource(r, "/events", methods{http.MethodGet: signedIn(h.events), http.MethodPost: signedIn(h.createEvent)})
	resource(r, "/events/{id}", methods{http.MethodGet: h.event})
	for _, f := range facets() {
		path := "/" + string(f.dimension)
		resource(r, path, methods{http.MethodGet: signedIn(h.facetValues(f))})
		resource(r, path+"/{value}", methods{http.MethodGet: signedIn(h.facetValue(f))})
		resource(r, path+"/{value}/events", methods{http.MethodGet: signedIn(h.facetEvents(f))})
	}
}

// queryRoutes are the named queries and those who have subscribed to them.
func (h *Handler) queryRoutes(r chi.Router) {
	resource(r, "/queries", methods{http.MethodGet: signedIn(h.queries), http.MethodPost: signedIn(h.createQuery)})
	resource(r, "/queries/{name}", methods{http.MethodGet: signedIn(h.query), http.MethodDelete: signedIn(h.deleteQuery)})
	resource(r, "/queries/{name}/events", methods{http.MethodGet: signedIn(h.namedEvents)})
	resource(r, "/queries/{name}/subscriptions", methods{http.MethodGet: h.subscriber(h.subscriptions.List), http.MethodPost: h.subscriber(h.subscribe)})
	resource(r, "/queries/{name}/subscriptions/{id}", methods{http.MethodGet: h.subscriber(h.subscription), http.MethodDelete: h.subscriber(h.unsubscribe)})
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
