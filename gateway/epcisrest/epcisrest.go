// Package epcisrest is the EPCIS 2.0 REST interface (GS1 EPCIS 2.0, section 12 and its OpenAPI document), as far as it
// is built: capture with its jobs, and single events.
package epcisrest

import (
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
)

// Handler serves the interface below the path at which it is mounted.
type Handler struct {
	capture Capturer
	views   *view.Source
	base    string // the path at which it is mounted
}

// New returns the interface as a router to be mounted at base, for example "/epcis".
func New(base string, capturer Capturer, views *view.Source) http.Handler {
	h := &Handler{capture: capturer, views: views, base: base}
	r := chi.NewRouter()
	r.Use(versionHeaders, middleware.GetHead)
	r.NotFound(h.notFound)
	r.MethodNotAllowed(h.methodNotAllowed)
	r.Route("/capture", h.captureRoutes)
	r.Options("/events/{id}", options("GET, OPTIONS"))
	r.Get("/events/{id}", h.event)
	return r
}

// The versions that are spoken (EPCIS 2.0 REST, headers GS1-EPCIS-…, GS1-CBV-…).
const (
	epcisVersion = "2.0.0"
	cbvVersion   = "2.0.0"
)

// versionHeaders announces what is spoken and refuses a request for another version with 406.
func versionHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("GS1-EPCIS-Version", epcisVersion)
		h.Set("GS1-EPCIS-Min", epcisVersion)
		h.Set("GS1-EPCIS-Max", epcisVersion)
		h.Set("GS1-CBV-Version", cbvVersion)
		h.Set("GS1-CBV-Min", cbvVersion)
		h.Set("GS1-CBV-Max", cbvVersion)
		h.Set("GS1-Extensions", "")
		for _, name := range []string{"GS1-EPCIS-Version", "GS1-CBV-Version"} {
			if !speaks(r.Header.Get(name)) {
				problem.Write(w, r, exception(http.StatusNotAcceptable, "NotAcceptableException", problem.NotAcceptable, "Only version 2.0 is spoken here.",
					problem.Item{Code: problem.NotAcceptable, Detail: "Leave it out, or send 2.0.0.", Field: name}))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func speaks(version string) bool {
	return version == "" || version == "2.0" || version == "2.0.0"
}

// options answers what may be sent, and how much of it.
func options(allow string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Allow", allow)
		h.Set("GS1-Capture-Error-Behaviour", "all") // both rollback and proceed
		setLimits(h)
		w.WriteHeader(http.StatusNoContent)
	}
}

func setLimits(h http.Header) {
	h.Set("GS1-EPCIS-Capture-Limit", strconv.Itoa(capture.MaxAtomic)) // events in a document with rollback
	h.Set("GS1-EPCIS-Capture-File-Size-Limit", strconv.FormatInt(capture.MaxDocument, 10))
}

// exception is a problem of a type of the standard.
func exception(status int, name, code, detail string, errs ...problem.Item) *problem.Problem {
	p := problem.New(status, code, detail, errs...)
	p.Type, p.Title = "epcisException:"+name, name
	return p
}

// typed gives a problem from elsewhere the standard's type.
func typed(p *problem.Problem) *problem.Problem {
	names := map[int]string{
		http.StatusBadRequest: "ValidationException", http.StatusUnauthorized: "SecurityException", http.StatusForbidden: "SecurityException",
		http.StatusNotFound: "NoSuchResourceException", http.StatusNotAcceptable: "NotAcceptableException",
		http.StatusRequestEntityTooLarge: "CaptureLimitExceededException", http.StatusUnsupportedMediaType: "UnsupportedMediaTypeException",
		http.StatusInternalServerError: "ImplementationException",
	}
	name, ok := names[p.Status]
	if !ok || p.Type != "about:blank" {
		return p
	}
	copied := *p
	copied.Type, copied.Title = "epcisException:"+name, name
	return &copied
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.Of(r.Context(), err)
	if p.Status == http.StatusUnauthorized {
		auth.Challenge(w)
	}
	problem.Write(w, r, typed(p))
}

func (h *Handler) notFound(w http.ResponseWriter, r *http.Request) {
	fail(w, r, problem.New(http.StatusNotFound, problem.NotFound, "There is no such resource here."))
}

func (h *Handler) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	problem.SetAllow(w, r)
	fail(w, r, exception(http.StatusMethodNotAllowed, "ImplementationException", problem.Method, "This resource does not know this method."))
}

func writeJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that left is not an error
}
