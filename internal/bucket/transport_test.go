package bucket

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestBodyIsLeftAlone: a server answers before it has read the body, which is being sent still; once the call has returned,
// the body belongs to the caller (and the race detector sees it).
func TestBodyIsLeftAlone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		if err := control.EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		if err := control.Flush(); err != nil {
			t.Error(err)
		}
		_, _ = io.Copy(io.Discard, r.Body) // until the client stops sending
	}))
	defer server.Close()
	body := &counted{}
	client := http.Client{Transport: guarded{http.DefaultTransport}}
	res, err := client.Post(server.URL, "text/plain", io.LimitReader(body, 1<<40)) // a body without an end
	if err != nil {
		t.Fatal(err)
	}
	body.rewound.Store(true)
	time.Sleep(100 * time.Millisecond) // in which it would be sent on
	if err := res.Body.Close(); err != nil {
		t.Error(err)
	}
	if res.StatusCode != http.StatusServiceUnavailable || body.late.Load() {
		t.Errorf("%s; read after the call: %t", res.Status, body.late.Load())
	}
}

// counted yields bytes, and notes when it is asked after it was rewound.
type counted struct{ rewound, late atomic.Bool }

func (c *counted) Read(b []byte) (int, error) {
	if c.rewound.Load() {
		c.late.Store(true)
	}
	return strings.NewReader(strings.Repeat("x", len(b))).Read(b)
}
