package gateway

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// A sender that stalls, or is too slow on the whole, is cut off in time and hears why; one that is slow but steady is not.
func TestSlowSenders(t *testing.T) {
	patience := pace{stall: 300 * time.Millisecond, whole: 3 * time.Second, grace: 600 * time.Millisecond, rate: 10}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, steady(w, r.Body, patience))
		switch {
		case errors.Is(err, errSlow):
			http.Error(w, "slow", http.StatusRequestTimeout)
		case errors.Is(err, os.ErrDeadlineExceeded):
			http.Error(w, "stalled", http.StatusRequestTimeout)
		case err == nil && r.Context().Err() == nil && n == r.ContentLength:
			time.Sleep(2 * patience.stall) // answers take their time, and the connection is still watched
			if r.Context().Err() != nil {
				http.Error(w, "the request ended meanwhile", http.StatusInternalServerError)
			}
		}
	}))
	t.Cleanup(server.Close) // after the parallel parts
	for _, test := range []struct {
		name  string
		bytes int           // sent of 100, one by one
		every time.Duration // between them
		want  string
	}{
		{"steady", 100, 5 * time.Millisecond, "200 OK"},
		{"stalling", 20, 5 * time.Millisecond, "408 Request Timeout stalled"},
		{"dribbling", 100, 200 * time.Millisecond, "408 Request Timeout slow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			began := time.Now()
			if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			for range test.bytes {
				if _, err := io.WriteString(conn, "x"); err != nil {
					break // the server has had enough
				}
				time.Sleep(test.every)
			}
			answer, _ := io.ReadAll(conn) // a reset connection has said what it had to
			text := strings.Join(strings.Fields(string(answer)), " ")
			for _, part := range strings.Split(strings.Replace(test.want, "Timeout ", "Timeout|", 1), "|") {
				if !strings.Contains(text, part) {
					t.Errorf("%q has no %q", text, part)
				}
			}
			if took := time.Since(began); took > 5*patience.whole {
				t.Errorf("took %v", took)
			}
		})
	}
}
