package gateway

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/httprate"

	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
)

// How long a request may take, body and answer included.
const (
	pageTime    = 15 * time.Second
	apiTime     = 5 * time.Minute  // a trace of a large mill, or a file over a telephone
	captureTime = 30 * time.Minute // the largest document over a slow line
	answerTime  = time.Minute      // of these, at least, are for the answer: who was too slow hears it
)

// multipartSlack is what a form adds to the file in it.
const multipartSlack = 64 << 10 // bytes

// limit bounds the body and the time of a request.
func limit(body int64, d time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), d)
			defer cancel()
			if d > readTime { // not for pages: the server's own deadlines do
				control, end := http.NewResponseController(w), time.Now().Add(d)
				_ = control.SetReadDeadline(end)  // where it is not supported, the context's deadline holds
				_ = control.SetWriteDeadline(end) // likewise
				if r.ContentLength != 0 {
					r.Body = steady(w, r.Body, senderPace(d-answerTime))
				}
			}
			if r.ContentLength != 0 {
				r.Body = http.MaxBytesReader(w, r.Body, body)
			}
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// rate bounds how often one client asks.
func rate(perMinute int, clientHeader string) func(http.Handler) http.Handler {
	if perMinute < 0 {
		return func(next http.Handler) http.Handler { return next }
	}
	if perMinute == 0 {
		perMinute = DefaultRate
	}
	return httprate.LimitBy(perMinute, time.Minute, func(r *http.Request) (string, error) { return clientOf(r, clientHeader), nil },
		httprate.WithLimitHandler(func(w http.ResponseWriter, r *http.Request) {
			problem.Write(w, r, problem.New(http.StatusTooManyRequests, problem.TooMany, "Too many requests. Wait a moment."))
		}))
}

// clientOf is the address of the client: that of the connection, or what the proxy in front says.
func clientOf(r *http.Request, header string) string {
	address := r.RemoteAddr
	if header != "" && r.Header.Get(header) != "" {
		address = r.Header.Get(header)
	}
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	return httprate.CanonicalizeIP(address) // of IPv6, the network: a client has 2^64 addresses
}

// routeByEscapedPath makes the router match the path as it was sent, so that an identifier with a slash in it is one
// segment, and is decoded once.
func routeByEscapedPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawPath == "" && strings.Contains(r.RequestURI, "%") {
			r.URL.RawPath = r.URL.EscapedPath()
		}
		next.ServeHTTP(w, r)
	})
}

func noStore(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Vary", "Authorization")
		next.ServeHTTP(w, r)
	})
}

// fixed header values, made once because every answer has them.
var (
	nosniff    = []string{"nosniff"}
	noReferrer = []string{"no-referrer"}
	deny       = []string{"DENY"}
	nothing    = []string{"default-src 'none'; frame-ancestors 'none'"}
	sameOrigin = []string{"same-origin"}
	strict     = []string{"max-age=31536000"} // seconds: a year
)

// headers sets what browsers are told for every answer. Pages replace the policy by their own.
func headers(publicURL string) func(http.Handler) http.Handler {
	secure := strings.HasPrefix(publicURL, "https://")
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h["X-Content-Type-Options"] = nosniff
			h["Referrer-Policy"] = noReferrer
			h["X-Frame-Options"] = deny
			h["Content-Security-Policy"] = nothing
			h["Cross-Origin-Opener-Policy"] = sameOrigin
			if secure {
				h["Strict-Transport-Security"] = strict
			}
			next.ServeHTTP(w, r)
		})
	}
}
