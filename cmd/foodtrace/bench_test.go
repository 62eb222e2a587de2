package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/ingest/formats"
	"github.com/foodtrace-ledger/foodtrace/ingest/formats/formatstest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
)

// streams is how many documents are worked on at once, on both sides of the comparison: one for each of two cores.
const streams = 2

// BenchmarkCapture compares, in one run, the events a second that the whole system takes (until they are durable and the index
// answers with them) with those that the same machine can only decode and hash: a simulated chain as JSON and XML, and landings
// (FSMA 204) as CSV and XLSX.
func BenchmarkCapture(b *testing.B) {
	b.Run("JSON", func(b *testing.B) {
		benchmarkChain(b, func(out io.Writer, head epcis.Header) documentWriter { return epcis.NewWriter(out, head) })
	})
	b.Run("XML", func(b *testing.B) {
		benchmarkChain(b, func(out io.Writer, head epcis.Header) documentWriter { return epcis.NewXMLWriter(out, head) })
	})
	sheets := func(format sheet.Format) func(*testing.B) {
		return func(b *testing.B) {
			const rows = 20_000
			docs := [][]byte{formatstest.Landings(b, format, "A", rows), formatstest.Landings(b, format, "B", rows)}
			benchmarkCapture(b, founders, docs, len(docs)*rows)
		}
	}
	b.Run("CSV", sheets(sheet.CSV))
	b.Run("XLSX", sheets(sheet.XLSX))
}

type documentWriter interface {
	Write(*event.Event) error
	Close() error
}

func benchmarkChain(b *testing.B, write func(io.Writer, epcis.Header) documentWriter) {
	world := simulate.New(1, simulate.Options{Lots: 16_000, EventIDs: simulate.HashIDs})
	docs, events := halves(b, world, write)
	network := founders
	for _, site := range world.Registration().Sites {
		site.Owner = "" // so that one member may send the events of all
		network.Sites = append(network.Sites, site)
	}
	benchmarkCapture(b, network, docs, events)
}

func benchmarkCapture(b *testing.B, network contract.Registration, docs [][]byte, events int) {
	var only, whole time.Duration
	for b.Loop() {
		only += inParallel(b, docs, decodeAndHash)
		n, err := openEmbedded(dataDir(b.TempDir()), slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		if err := n.begin(b.Context(), network); err != nil {
			b.Fatal(err)
		}
		whole += inParallel(b, docs, func(doc []byte) error { return captureWhole(b.Context(), n, doc) })
		if err := n.close(); err != nil {
			b.Fatal(err)
		}
	}
	done := float64(events * b.N)
	b.ReportMetric(done/only.Seconds(), "decode+hash-events/s")
	b.ReportMetric(done/whole.Seconds(), "capture-events/s")
	b.ReportMetric(100*only.Seconds()/whole.Seconds(), "%")
	b.ReportMetric(0, "ns/op")
}

// halves is a simulated chain as two documents, the earlier events and the later ones, which name different lots.
func halves(b *testing.B, world *simulate.World, write func(io.Writer, epcis.Header) documentWriter) (docs [][]byte, events int) {
	b.Helper()
	var all []*event.Event
	for r := range world.Records() {
		if r.Record.Event != nil {
			all = append(all, r.Record.Event)
		}
	}
	for part := range slices.Chunk(all, (len(all)+streams-1)/streams) {
		var doc bytes.Buffer
		w := write(&doc, epcis.Header{CreationDate: part[0].Time})
		for _, e := range part {
			if err := w.Write(e); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		docs = append(docs, doc.Bytes())
	}
	return docs, len(all)
}

// inParallel times f over all documents at once.
func inParallel(b *testing.B, docs [][]byte, f func([]byte) error) time.Duration {
	b.Helper()
	begin := time.Now()
	var all sync.WaitGroup
	for _, doc := range docs {
		all.Go(func() {
			if err := f(doc); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	return time.Since(begin)
}

func decodeAndHash(doc []byte) error {
	d, err := formats.Open(bytes.NewReader(doc), formats.Options{Sender: "producer"})
	if err != nil {
		return err
	}
	defer d.Close()
	for {
		r, _, err := d.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if r == nil || r.Event.Hash() == "" {
			return errors.New("no hash")
		}
	}
}

// captureWhole returns once the document is on disk and the index answers with it.
func captureWhole(ctx context.Context, n *embeddedNode, doc []byte) error {
	job, err := n.capture.Receive(ctx, capture.Request{Member: "producer", Body: bytes.NewReader(doc), Proceed: true})
	if err != nil {
		return err
	}
	for job.Running {
		time.Sleep(time.Millisecond)
		if job, err = n.capture.Job(ctx, "producer", job.ID); err != nil {
			return err
		}
	}
	if !job.Success || job.Refused+job.Duplicates > 0 {
		return fmt.Errorf("the job failed: %+v", job)
	}
	return n.projector.WaitFor(ctx, job.Block-1)
}

// BenchmarkConsumerPage compares, in one run, the requests a second of the consumer page with those of a bare handler that
// writes the same bytes.
func BenchmarkConsumerPage(b *testing.B) {
	n, err := openEmbedded(dataDir(b.TempDir()), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = n.close() }()
	story := simulate.Demo(time.Now(), nil)
	if err := n.tell(b.Context(), story); err != nil {
		b.Fatal(err)
	}
	handler, err := n.handler(gateway.Config{PublicURL: "http://localhost", RatePerMinute: -1})
	if err != nil {
		b.Fatal(err)
	}
	page := httptest.NewServer(handler)
	defer page.Close()
	path := view.Path(story.Safe)
	body := fetch(b, page.URL+path)
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(body) // a client that left is not an error
	}))
	defer bare.Close()
	var ofBare, ofPage float64
	for b.Loop() {
		ofBare += requestsPerSecond(b, bare.URL, path)
		ofPage += requestsPerSecond(b, page.URL, path)
	}
	b.ReportMetric(ofBare/float64(b.N), "bare-requests/s")
	b.ReportMetric(ofPage/float64(b.N), "page-requests/s")
	b.ReportMetric(100*ofPage/ofBare, "%")
	b.ReportMetric(float64(len(body)), "bytes")
	b.ReportMetric(0, "ns/op")
}

func fetch(b *testing.B, address string) []byte {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		b.Fatal(res.Status, err)
	}
	return body
}

// requestsPerSecond loads a server over a few kept-open connections for a second.
func requestsPerSecond(b *testing.B, address, path string) float64 {
	b.Helper()
	const connections, length = 8, time.Second
	target, err := url.Parse(address)
	if err != nil {
		b.Fatal(err)
	}
	request := "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nAccept-Language: zh-CN\r\n\r\n"
	var done atomic.Int64
	var all sync.WaitGroup
	begin := time.Now()
	for range connections {
		all.Go(func() {
			conn, err := net.Dial("tcp", target.Host)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			in := bufio.NewReader(conn)
			for time.Since(begin) < length {
				if _, err := io.Copy(conn, strings.NewReader(request)); err != nil {
					b.Error(err)
					return
				}
				res, err := http.ReadResponse(in, nil)
				if err != nil {
					b.Error(err)
					return
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
					b.Error(res.Status, err)
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	return float64(done.Load()) / time.Since(begin).Seconds()
}
