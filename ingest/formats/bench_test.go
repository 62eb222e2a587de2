package formats_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/ingest/formats"
	"github.com/foodtrace-ledger/foodtrace/ingest/formats/formatstest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// benchRows is how many events the benchmarks read at a time.
const benchRows = 5_000

// twins are the same events as documents of every format.
func twins(b testing.TB, n int) map[string][]byte {
	b.Helper()
	docs := map[string][]byte{"CSV": formatstest.Landings(b, sheet.CSV, "T-", n), "XLSX": formatstest.Landings(b, sheet.XLSX, "T-", n)}
	events := readAll(b, docs["CSV"])
	var asJSON, asXML bytes.Buffer
	head := epcis.Header{CreationDate: events[0].Time}
	err := epcis.Write(&asJSON, head, events)
	w := epcis.NewXMLWriter(&asXML, head)
	for _, e := range events {
		err = errors.Join(err, w.Write(e))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		b.Fatal(err)
	}
	docs["JSON"], docs["XML"] = asJSON.Bytes(), asXML.Bytes()
	return docs
}

func readAll(b testing.TB, doc []byte) (events []*event.Event) {
	b.Helper()
	if err := read(doc, func(e *event.Event) { events = append(events, e) }); err != nil {
		b.Fatal(err)
	}
	return events
}

func read(doc []byte, each func(*event.Event)) error {
	d, err := formats.Open(bytes.NewReader(doc), formats.Options{Sender: "producer"})
	if err != nil {
		return err
	}
	defer d.Close()
	for {
		r, problems, err := d.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if r == nil || r.Event == nil {
			return fmt.Errorf("no event: %v", problems)
		}
		each(r.Event)
	}
}

// The same events are the same events in every format.
func TestTwins(t *testing.T) {
	docs := twins(t, 50)
	want := readAll(t, docs["CSV"])
	if len(want) != 50 {
		t.Fatal(len(want))
	}
	for name, doc := range docs {
		got := readAll(t, doc)
		for i, e := range got {
			if len(got) != len(want) || e.Hash() != want[i].Hash() {
				t.Fatalf("%s, event %d of %d: another hash", name, i, len(got))
			}
		}
	}
}

// processorTime is that of this process so far; on a machine with other work it says more than the clock.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		b.Fatal(err)
	}
	return time.Duration(own.Utime.Nano() + own.Stime.Nano())
}

// BenchmarkRead is what a machine can do with each format before anything is decided or stored: the same events in each.
func BenchmarkRead(b *testing.B) {
	docs := twins(b, benchRows)
	for _, name := range []string{"JSON", "XML", "CSV", "XLSX"} {
		for _, step := range []struct {
			name string
			do   func(*event.Event)
		}{{"decode", func(*event.Event) {}}, {"decode+hash", func(e *event.Event) { e.Hash() }}} {
			b.Run(name+"/"+step.name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(docs[name])))
				began := processorTime(b)
				for b.Loop() {
					if err := read(docs[name], step.do); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds(), "events/s")
				b.ReportMetric(float64((processorTime(b)-began).Microseconds())/float64(b.N)/benchRows, "cpu-µs/event")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
