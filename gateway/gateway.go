// Package gateway answers people and machines over HTTP: EPCIS 2.0 REST, our own interface, GS1 Digital Link and the pages
// for consumers. It reads the index, writes through the ledger, and hands uploads to ingest.
package gateway

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/foodtrace-ledger/foodtrace/gateway/api"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/gateway/pages"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/gateway/resolver"
	"github.com/foodtrace-ledger/foodtrace/gateway/subscribe"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/content"
)

// Ledger is what the gateway needs of one: to submit acts, and to ask what is on hold.
type Ledger interface {
	view.Ledger
	api.Ledger
}

// Config is what a gateway stands on. Highlights and what follows may be left out.
type Config struct {
	Index    view.Index
	Ledger   Ledger
	Evidence evidence.Store
	Signers  api.Signers
	Capture  epcisrest.Capturer
	Mappings api.Mappings
	Queries  *epcisrest.Store
	Standing *subscribe.Service // those who have subscribed to queries
	Tokens   *auth.Tokens
	Logger   *slog.Logger

	PublicURL  string   // where people reach the gateway, e.g. https://trace.example.org: what QR codes name
	Highlights []string // keys of lots that the start page names
	// Counters adds figures of the parts below to /metrics, by name; it is asked at each scrape.
	Counters func() map[string]float64
	// Checks are asked by /readyz, besides the ledger and the index.
	Checks []Check
	// RatePerMinute bounds the requests of one client address. 0: DefaultRate; negative: none.
	RatePerMinute int
	// ClientHeader is where a reverse proxy in front puts the client's address, e.g. X-Real-IP; "": there is none. A header
	// that the proxy does not overwrite lets clients choose their address.
	ClientHeader string
}

// DefaultRate allows 100 requests a second of one address: many telephones share the address of their network.
const DefaultRate = 6000 // a minute

// New assembles a gateway.
func New(c Config) (http.Handler, error) {
	if c.Index == nil || c.Ledger == nil || c.Evidence == nil || c.Signers == nil || c.Capture == nil || c.Mappings == nil || c.Queries == nil || c.Standing == nil || c.Tokens == nil || c.Logger == nil || c.PublicURL == "" {
		return nil, errors.New("gateway: a part is missing")
	}
	views := view.NewSource(c.Index, c.Ledger)
	people, err := pages.New(pages.Config{Views: views, Highlights: c.Highlights, Files: c.Evidence})
	if err != nil {
		return nil, err
	}
	m := newMetrics(views, c.Counters)
	r := chi.NewRouter()
	r.Use(m.observe(c.Logger), recoverPanics, headers(c.PublicURL), routeByEscapedPath, middleware.GetHead)
	r.NotFound(notFound(people))
	r.MethodNotAllowed(methodNotAllowed)
	r.Get("/healthz", healthz)
	r.Get("/readyz", readyz(views, c.Checks))
	r.Method(http.MethodGet, "/metrics", m.handler())
	r.Group(func(r chi.Router) {
		r.Use(rate(c.RatePerMinute, c.ClientHeader))
		public(r, people, resolver.New(views, people, c.PublicURL))
	})
	r.Group(func(r chi.Router) {
		r.Use(epcisrest.Problems, recoverPanics, rate(c.RatePerMinute, c.ClientHeader), limit(epcisrest.MaxBody, captureTime), auth.Middleware(c.Tokens))
		r.Mount("/epcis", epcisrest.New(epcisrest.Config{Base: "/epcis", Vendor: vendor(), Capture: c.Capture, Mappings: c.Mappings,
			Queries: epcisrest.Queries{Views: views, Store: c.Queries}, Subscriptions: c.Standing}))
	})
	var failed error
	r.Group(func(r chi.Router) {
		r.Use(rate(c.RatePerMinute, c.ClientHeader), limit(content.MaxFile+multipartSlack, apiTime), auth.Middleware(c.Tokens), noStore)
		failed = api.Register(r, api.Config{Views: views, Ledger: c.Ledger, Signers: c.Signers, Evidence: c.Evidence, Mappings: c.Mappings})
	})
	return r, failed
}

// vendor is this program and its version, as the program was built.
func vendor() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return "foodtrace/" + info.Main.Version
	}
	return "foodtrace"
}

// public adds what everybody reads.
func public(r chi.Router, people *pages.Pages, links *resolver.Resolver) {
	r.Group(func(r chi.Router) {
		r.Use(limit(0, pageTime))
		r.Get("/", people.Start)
		r.Head("/", people.Start)
		r.Get("/search", people.Search)
		r.Get("/icon.svg", icon)
		links.Register(r)
	})
}

// Timeouts of the server. Routes that take longer set their own (limit).
const (
	headerTime  = 10 * time.Second
	readTime    = 30 * time.Second
	writeTime   = 60 * time.Second
	idleTime    = 2 * time.Minute
	headerBytes = 32 << 10 // a token and an address of the longest identifier, several times over
)

// Server returns a server for the gateway's handler, with limits of its own. Its Addr is to be set, or a listener given to Serve.
func Server(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{Handler: handler, ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn)}
}

func notFound(people *pages.Pages) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p := problem.New(http.StatusNotFound, problem.NotFound, "There is nothing at this address.")
		if wantsPage(r) {
			people.Error(w, r, p)
			return
		}
		problem.Write(w, r, p)
	}
}

func methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	problem.SetAllow(w, r)
	problem.Write(w, r, problem.New(http.StatusMethodNotAllowed, problem.Method, "This address does not know this method."))
}
