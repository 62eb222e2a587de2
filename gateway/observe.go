package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
)

// metrics are the figures of one gateway.
type metrics struct {
	registry *prometheus.Registry
	seconds  *prometheus.HistogramVec
}

func newMetrics(views *view.Source, counters func() map[string]float64) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "foodtrace_http_request_seconds", Help: "Time of requests, by method, route and status.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60},
		}, []string{"method", "route", "status"}),
	}
	m.registry.MustRegister(m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&heights{views}, extra(counters))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// heights collects how far the ledger and the index are.
type heights struct{ views *view.Source }

var (
	ledgerHeight = prometheus.NewDesc("foodtrace_ledger_blocks", "Blocks on the ledger.", nil, nil)
	indexHeight  = prometheus.NewDesc("foodtrace_index_blocks", "Blocks in the index.", nil, nil)
)

// Describe implements prometheus.Collector.
func (*heights) Describe(ch chan<- *prometheus.Desc) { ch <- ledgerHeight; ch <- indexHeight }

// Collect implements prometheus.Collector.
func (h *heights) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readyTime)
	defer cancel()
	v, err := h.views.Version(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(ledgerHeight, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(ledgerHeight, prometheus.CounterValue, float64(v.Ledger))
	ch <- prometheus.MustNewConstMetric(indexHeight, prometheus.CounterValue, float64(v.Index))
}

// extra collects the figures of the parts below, whose names are not known beforehand.
type extra func() map[string]float64

// Describe implements prometheus.Collector: nothing, for an unchecked collector.
func (extra) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (e extra) Collect(ch chan<- prometheus.Metric) {
	if e == nil {
		return
	}
	for name, value := range e() {
		ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, "A figure of the parts below the gateway.", nil, nil), prometheus.UntypedValue, value)
	}
}

// observe gives each request an ID, measures it and writes its line in the log: no query, no header, so no token.
func (m *metrics) observe(logger *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			trail := &problem.Trail{ID: requestID()}
			seen := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
			r = r.WithContext(problem.WithTrail(r.Context(), trail))
			defer func() {
				took := time.Since(start)
				route := routeOf(r)
				status := max(seen.Status(), http.StatusOK) // 0: nothing was written, which is a 200
				m.seconds.WithLabelValues(methodOf(r), route, strconv.Itoa(status)).Observe(took.Seconds())
				write(logger, r, trail, route, status, seen.BytesWritten(), took)
			}()
			next.ServeHTTP(seen, r)
		})
	}
}

func requestID() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	return hex.EncodeToString(id[:])
}

// routeOf is the pattern that matched, not the path: a label must not have a value per lot.
func routeOf(r *http.Request) string {
	if c := chi.RouteContext(r.Context()); c != nil && c.RoutePattern() != "" {
		return c.RoutePattern()
	}
	return "none"
}

// methodOf keeps clients from making up labels.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

func write(logger *slog.Logger, r *http.Request, trail *problem.Trail, route string, status, bytes int, took time.Duration) {
	level := slog.LevelInfo
	if trail.Err != nil || status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	attrs := []slog.Attr{slog.String("id", trail.ID), slog.String("method", r.Method), slog.String("path", r.URL.EscapedPath()), slog.String("route", route),
		slog.Int("status", status), slog.Int("bytes", bytes), slog.Duration("took", took), slog.String("client", r.RemoteAddr)}
	if trail.Err != nil {
		attrs = append(attrs, slog.String("error", trail.Err.Error()))
	}
	logger.LogAttrs(r.Context(), level, "request", attrs...)
}

// recoverPanics turns a panic into a problem that only names the occurrence; the rest goes to the log.
func recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler { // meant: the connection is cut off
				panic(cause)
			}
			p := problem.Internal(r.Context(), fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
			if seen, ok := w.(middleware.WrapResponseWriter); ok && seen.Status() != 0 {
				panic(http.ErrAbortHandler) // part of an answer is out: nobody takes it for the whole
			}
			problem.Write(w, r, p)
		}()
		next.ServeHTTP(w, r)
	})
}

// readyTime is how long the parts below may take to say where they are.
const readyTime = 5 * time.Second

const (
	// maxLag is how many blocks the index may be behind before clients are sent elsewhere: some seconds of full load.
	maxLag = 1000
	// maxStill is for how long something that is behind may stay where it is: the longest block takes some seconds.
	maxStill = time.Minute
)

// Progress watches something that has to come up to something else. The zero value is ready.
type Progress struct {
	mu     sync.Mutex
	height uint64
	since  time.Time // when it was first seen behind at this height; zero: it is not behind
}

// Stuck notes where it is now, and by how much it is behind, and says whether it has been behind at this height for a minute.
func (p *Progress) Stuck(height, behind uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case behind == 0:
		p.since = time.Time{}
		return false
	case p.since.IsZero() || height != p.height:
		p.height, p.since = height, time.Now()
	}
	return time.Since(p.since) > maxStill
}

func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"status":"ok"}`)) // a client that left is not an error
}

// Check is a part that /readyz asks.
type Check struct {
	Fails string // the answer's sentence when it fails: anybody may read it
	// Run returns what is wrong. A *problem.Problem is for the answer instead; any other error goes to the log.
	Run func(context.Context) error
}

// readyz is 200 while the ledger answers, the index is close behind it and moves, and no check fails.
func readyz(views *view.Source, checks []Check) http.HandlerFunc {
	var progress Progress
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTime)
		defer cancel()
		v, err := views.Version(ctx)
		if err != nil {
			_ = problem.Internal(r.Context(), err) // for the log
			problem.Write(w, r, problem.Later("The ledger or the index does not answer."))
			return
		}
		if progress.Stuck(v.Index, v.Lag()) || v.Lag() > maxLag {
			problem.Write(w, r, problem.Later("The index is "+strconv.FormatUint(v.Lag(), 10)+" blocks behind the ledger."))
			return
		}
		if p := failed(ctx, checks); p != nil {
			problem.Write(w, r, p)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = fmt.Fprintf(w, `{"status":"ready","ledger":%d,"index":%d}`, v.Ledger, v.Index) // a client that left is not an error
	}
}

// failed is every check that fails, as one problem.
func failed(ctx context.Context, checks []Check) *problem.Problem {
	all := problem.Later("Not every part works.")
	for _, c := range checks {
		err := c.Run(ctx)
		if err == nil {
			continue
		}
		detail := c.Fails
		var p *problem.Problem
		if errors.As(err, &p) {
			detail = p.Detail
		} else {
			_ = problem.Internal(ctx, err) // for the log
		}
		all.Errors = append(all.Errors, problem.Item{Code: problem.Unavailable, Detail: detail})
	}
	if len(all.Errors) == 0 {
		return nil
	}
	return all
}

func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// icon is the leaf of the pages' header.
func icon(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "public, max-age=86400") // seconds
	_, _ = w.Write([]byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#12633c" stroke-width="2" stroke-linecap="round">` +
		`<path d="M12 22V11m0 4c-5 0-8-3-8-8 5 0 8 3 8 8zm0-4c0-5 3-8 8-8 0 5-3 8-8 8z"/></svg>`))
}
