package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// failing is what the parts below answer at the moment; nil: they work.
type failing struct{ err atomic.Pointer[error] }

func (f *failing) with(err error) { f.err.Store(&err) }

func (f *failing) now() error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}

type failingEvidence struct {
	evidence.Store
	*failing
}

func (s failingEvidence) Put(ctx context.Context, r io.Reader, limit int64) (string, int64, error) {
	if err := s.now(); err != nil {
		return "", 0, err
	}
	return s.Store.Put(ctx, r, limit)
}

type failingIndex struct {
	view.Index
	*failing
}

func (x failingIndex) Item(ctx context.Context, key string) (index.Item, error) {
	if err := x.now(); err != nil {
		return index.Item{}, err
	}
	return x.Index.Item(ctx, key)
}

// What is away for a while is answered with 503, a full disk with 507, both with when to send again, and without the
// program's insides.
func TestPartsThatAreAway(t *testing.T) {
	parts := &failing{}
	w := newWorld(t, func(c *gateway.Config) {
		c.Evidence, c.Index = failingEvidence{c.Evidence, parts}, failingIndex{c.Index, parts}
		c.Checks = []gateway.Check{{Fails: "The cellar does not answer.", Run: func(context.Context) error { return parts.now() }}}
	})
	lot := "/api/v1/lots/" + strings.ReplaceAll(w.story.Safe, "/", "%2F")
	ask := func() map[string]*httptest.ResponseRecorder {
		return map[string]*httptest.ResponseRecorder{
			"a file":     w.ask(http.MethodPost, "/api/v1/evidence", "x", w.as(w.story.Inspector)...),
			"a lot":      w.ask(http.MethodGet, lot, ""),
			"its page":   w.ask(http.MethodGet, view.Path(w.story.Safe), "", "Accept", "text/html"),
			"its JSON":   w.ask(http.MethodGet, view.Path(w.story.Safe), "", "Accept", "application/json"),
			"readiness":  w.ask(http.MethodGet, "/readyz", ""),
			"its events": w.ask(http.MethodGet, "/epcis/events/none", ""),
		}
	}
	for name, c := range map[string]struct {
		err    error
		status int
		code   string
	}{
		"database": {fmt.Errorf("%w: secret.example refused", index.ErrUnavailable), 503, "UNAVAILABLE"},
		"store":    {fmt.Errorf("%w: secret.example refused", evidence.ErrUnavailable), 503, "UNAVAILABLE"},
		"disk":     {fmt.Errorf("write secret.example: %w", syscall.ENOSPC), 507, "STORAGE_FULL"},
	} {
		parts.with(c.err)
		for what, rec := range ask() {
			want, code := c.status, c.code
			if what == "its events" { // nothing of it fails
				continue
			}
			if what == "readiness" {
				want, code = 503, "UNAVAILABLE"
				if !strings.Contains(rec.Body.String(), "The cellar does not answer.") {
					t.Errorf("%s: %s", name, rec.Body)
				}
			}
			if rec.Code != want || rec.Header().Get("Retry-After") == "" || strings.Contains(rec.Body.String(), "secret") {
				t.Errorf("%s, %s: %d %v\n%s", name, what, rec.Code, rec.Header(), rec.Body)
			}
			if what != "its page" && !strings.Contains(rec.Body.String(), `"code":"`+code+`"`) {
				t.Errorf("%s, %s: %s", name, what, rec.Body)
			}
		}
	}
	parts.with(nil)
	for what, rec := range ask() {
		if rec.Code >= 500 {
			t.Errorf("%s, when all is back: %d %s", what, rec.Code, rec.Body)
		}
	}
	if log := w.log.String(); !strings.Contains(log, "secret.example refused") {
		t.Error("the log does not say what was away")
	}
}

func TestFront(t *testing.T) {
	var front gateway.Front
	ask := func(path string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		front.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		return rec
	}
	if rec := ask("/readyz"); rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	front.Wait("the database")
	if rec := ask("/01/9/10/a"); rec.Code != 503 || !strings.Contains(rec.Body.String(), "waits for the database") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec := ask("/healthz"); rec.Code != 200 {
		t.Errorf("it lives, but says %d", rec.Code)
	}
	front.Open(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	if rec := ask("/healthz"); rec.Code != 204 {
		t.Errorf("open: %d", rec.Code)
	}
}
