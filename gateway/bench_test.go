package gateway_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
)

// BenchmarkConsumerPage asks for a lot's page over a socket, and for the same bytes from a bare net/http handler, by turns
// in one run. It reports both as requests a second, and ratio: the first by the second. The bar is 0.5.
func BenchmarkConsumerPage(b *testing.B) {
	w := newWorld(b, func(c *gateway.Config) { c.Logger = slog.New(slog.NewJSONHandler(io.Discard, nil)) })
	path := view.Path(w.story.Safe) + "?lang=zh"
	body := w.ask(http.MethodGet, path, "").Body.Bytes()
	bare := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		rw.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = rw.Write(body) // a client that left is not an error
	})
	page, plain := listen(b, gateway.Server(w.handler, slog.Default())), listen(b, &http.Server{Handler: bare})
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	const turns = 10 // so that what else the machine does falls on both
	var pageTime, plainTime time.Duration
	b.ResetTimer()
	for range turns {
		n := max(1, b.N/turns)
		pageTime += ask(b, client, page+path, n, len(body))
		plainTime += ask(b, client, plain+path, n, len(body))
	}
	requests := float64(turns * max(1, b.N/turns))
	b.ReportMetric(requests/pageTime.Seconds(), "page/s")
	b.ReportMetric(requests/plainTime.Seconds(), "bare/s")
	b.ReportMetric(plainTime.Seconds()/pageTime.Seconds(), "ratio")
	b.ReportMetric(float64(len(body)), "bytes")
}

func listen(b *testing.B, server *http.Server) (address string) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) }) // ends with Close
	b.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
	return "http://" + l.Addr().String()
}

// ask sends n requests from several clients and returns how long they took.
func ask(b *testing.B, client *http.Client, address string, n, bytes int) time.Duration {
	const clients = 16
	start := time.Now()
	var done sync.WaitGroup
	for c := range clients {
		done.Go(func() {
			for i := c; i < n; i += clients {
				res, err := client.Get(address)
				if err != nil {
					b.Error(err)
					return
				}
				got, err := io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				if err != nil || res.StatusCode != http.StatusOK || got != int64(bytes) {
					b.Errorf("status %d, %d bytes: %v", res.StatusCode, got, err)
					return
				}
			}
		})
	}
	done.Wait()
	return time.Since(start)
}
