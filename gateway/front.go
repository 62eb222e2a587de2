package gateway

import (
	"net/http"
	"sync/atomic"

	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
)

// Front answers for a gateway that is not open yet, because something that it stands on is away: 503, and what is waited
// for. It lives, so nobody has to start it again. The zero value waits.
type Front struct {
	handler atomic.Pointer[http.Handler]
	waiting atomic.Pointer[string]
}

// Wait says what is waited for: a noun that the public may read.
func (f *Front) Wait(what string) { f.waiting.Store(&what) }

// Open hands all requests on from now on.
func (f *Front) Open(h http.Handler) { f.handler.Store(&h) }

// ServeHTTP implements http.Handler.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := f.handler.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	if r.URL.Path == "/healthz" {
		healthz(w, r)
		return
	}
	detail := "This gateway is starting."
	if what := f.waiting.Load(); what != nil {
		detail = "This gateway is starting and waits for " + *what + "."
	}
	problem.Write(w, r, problem.Later(detail))
}
