package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A client whose document was accepted waits while the server is started again, and says how to ask when it waits no longer.
func TestCaptureOutlivesAnOutage(t *testing.T) {
	s := serve(t, t.TempDir())
	defer s.stop()
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	var down atomic.Int32 // requests for a job that get no answer
	through := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/epcis/capture/") && down.Add(-1) >= 0 {
			panic(http.ErrAbortHandler)
		}
		through.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	file := writeFile(t, "chain.json", must(t, "simulate", "--lots", "3", "--seed", "1"))

	down.Store(2)
	if out := must(t, "capture", "-q", "--server", proxy.URL, "--token", s.producer, file); !strings.Contains(out, "captured") || down.Load() >= 0 {
		t.Errorf("after an outage: %s", out)
	}
	down.Store(1 << 20)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	var out, errOut buffer
	a := &app{ctx: ctx, in: strings.NewReader(""), out: &out, err: &errOut, getenv: func(string) string { return "" }}
	code := a.run([]string{"capture", "-q", "--server", proxy.URL, "--token", s.producer, file})
	if code != exitError || !strings.Contains(errOut.String(), "accepted as job ") || !strings.Contains(errOut.String(), proxy.URL+"/epcis/capture/") {
		t.Errorf("in an outage: exit code %d, %s", code, errOut.String())
	}
}
