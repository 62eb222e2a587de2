package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/indextest"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

func open(tb testing.TB, opts sqlite.Options) *sqlite.Index {
	tb.Helper()
	ix, err := sqlite.Open(filepath.Join(tb.TempDir(), "index.db"), opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := ix.Close(); err != nil {
			tb.Error(err)
		}
	})
	return ix
}

// shipment is an event like those that make up most of a ledger.
func shipment(i int) *event.Event {
	return &event.Event{
		Type: event.Object, Time: at(i), TimeZoneOffset: "+08:00", Action: event.Observe, BizStep: "shipping", Disposition: "in_transit",
		ID:              fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", i),
		Quantities:      []event.Quantity{{EPCClass: fmt.Sprintf("https://id.gs1.org/01/09506000134352/10/LOT-%07d", i/3), Quantity: event.Int(120), UOM: "KGM"}},
		ReadPoint:       &event.Place{ID: "https://id.gs1.org/414/9506000134369"},
		BizTransactions: []event.BizTransaction{{Type: "bol", BizTransaction: fmt.Sprintf("urn:epcglobal:cbv:bt:9506000134369:BOL-%d", i)}},
		Sources:         []event.Source{{Type: "owning_party", Source: "https://id.gs1.org/417/9506000134369"}, {Type: "location", Source: "https://id.gs1.org/414/9506000134369"}},
		Destinations:    []event.Destination{{Type: "owning_party", Destination: "https://id.gs1.org/417/9506000134376"}, {Type: "location", Destination: "https://id.gs1.org/414/9506000134376"}},
	}
}

func at(i int) event.Time {
	return event.Time{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second)}
}

// blocksOf makes blocks of 1000 events, decoded afresh so that nothing computed before is kept with them.
func blocksOf(n int, make func(int) *event.Event) []*ledger.Block {
	c := indextest.NewChain()
	var entries []indextest.Entry
	for i := range n {
		entries = append(entries, indextest.Event(make(i)))
		if len(entries) == 1000 || i == n-1 {
			c.Add("ProducerMSP", entries...)
			entries = nil
		}
	}
	return c.All()
}

// BenchmarkApply projects one-item events in batches of 4000; the time is per event.
func BenchmarkApply(b *testing.B) {
	ix := open(b, sqlite.Options{})
	blocks := blocksOf(b.N, shipment)
	b.ReportAllocs()
	b.ResetTimer()
	for len(blocks) > 0 {
		n := min(4, len(blocks))
		if err := ix.Apply(b.Context(), blocks[:n]); err != nil {
			b.Fatal(err)
		}
		blocks = blocks[n:]
	}
}

// chainEvent makes event i of a supply chain of many lots: a hundred lots are made at a time, each of two lots of the
// hundred before, and every lot is stored once. So all lots come of the first, through a hundredth as many steps.
func chainEvent(i int) *event.Event {
	const width = 100
	lot, kind := i/2, i%2
	key := func(n int) string {
		return fmt.Sprintf("https://id.gs1.org/01/09506000134352/10/L%07d", n)
	}
	e := &event.Event{Time: at(lot * 60), TimeZoneOffset: "+00:00", BizLocation: &event.Place{ID: fmt.Sprintf("urn:site:%d", lot%50)}}
	out := []event.Quantity{{EPCClass: key(lot), Quantity: event.Int(10), UOM: "KGM"}}
	switch {
	case kind == 1:
		e.Type, e.Action, e.BizStep, e.Quantities = event.Object, event.Observe, "storing", out
	case lot == 0:
		e.Type, e.Action, e.Quantities = event.Object, event.Add, out
	default:
		e.Type, e.OutputQuantities = event.Transformation, out
		for _, from := range []int{lot - width, lot - width - 1} {
			e.InputQuantities = append(e.InputQuantities, event.Quantity{EPCClass: key(max(from, 0)), Quantity: event.Int(5), UOM: "KGM"})
		}
	}
	return e
}

// BenchmarkTrace traces the first lot of all forward; a million lots only with FOODTRACE_BENCH_MILLION set.
func BenchmarkTrace(b *testing.B) {
	for _, lots := range []int{1e4, 1e5, 1e6} {
		if lots == 1e6 && os.Getenv("FOODTRACE_BENCH_MILLION") == "" {
			continue
		}
		b.Run(strconv.Itoa(lots), func(b *testing.B) {
			ix := open(b, sqlite.Options{})
			load(b, ix, lots)
			b.ReportAllocs()
			for b.Loop() {
				r, err := trace.Run(context.Background(), ix, trace.Query{Item: "https://id.gs1.org/01/09506000134352/10/L0000000", Direction: trace.Forward,
					Limits: trace.Limits{MaxItems: 2e6, MaxDepth: 1e6}})
				if err != nil {
					b.Fatal(err)
				}
				if len(r.Nodes) != lots || r.Truncated {
					b.Fatalf("%d nodes, truncated %v", len(r.Nodes), r.Truncated)
				}
			}
		})
	}
}

func load(b *testing.B, ix *sqlite.Index, lots int) {
	c := indextest.NewChain()
	for i := 0; i < 2*lots; {
		var entries []indextest.Entry
		for ; i < 2*lots && len(entries) < 1000; i++ {
			entries = append(entries, indextest.Event(chainEvent(i)))
		}
		c.Add("ProducerMSP", entries...)
	}
	blocks := c.All()
	for len(blocks) > 0 {
		n := min(8, len(blocks))
		if err := ix.Apply(b.Context(), blocks[:n]); err != nil {
			b.Fatal(err)
		}
		blocks = blocks[n:]
	}
}

// BenchmarkRead reads what the page of one lot shows: the item, its events, its holds.
func BenchmarkRead(b *testing.B) {
	ix := open(b, sqlite.Options{})
	load(b, ix, 1e4)
	i := 0
	for b.Loop() {
		i = (i + 7919) % 1e4
		key := fmt.Sprintf("https://id.gs1.org/01/09506000134352/10/L%07d", i)
		if _, err := ix.Item(b.Context(), key); err != nil {
			b.Fatal(err)
		}
		if events, _, err := ix.EventsOf(b.Context(), key, index.Page{}); err != nil || len(events) < 2 {
			b.Fatal(len(events), err)
		}
		if _, _, err := ix.Holds(b.Context(), index.ActFilter{Item: key}, index.Page{}); err != nil {
			b.Fatal(err)
		}
	}
}
