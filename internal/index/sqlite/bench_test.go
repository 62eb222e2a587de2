package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/indextest"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
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

// BenchmarkApply projects one-item events; the time is per event.
func BenchmarkApply(b *testing.B) {
	ix := open(b, sqlite.Options{})
	pieces := slices.Collect(indextest.Pieces(b.N, indextest.Shipment))
	b.ReportAllocs()
	b.ResetTimer()
	indextest.Load(b, slices.Values(pieces), ix)
}

// BenchmarkTrace traces the first lot of all forward; a million lots only with FOODTRACE_BENCH_MILLION set.
func BenchmarkTrace(b *testing.B) {
	for _, lots := range []int{1e4, 1e5, 1e6} {
		if lots == 1e6 && os.Getenv("FOODTRACE_BENCH_MILLION") == "" {
			continue
		}
		b.Run(strconv.Itoa(lots), func(b *testing.B) {
			ix := open(b, sqlite.Options{})
			indextest.Load(b, indextest.Pieces(2*lots, indextest.Made), ix)
			b.ReportAllocs()
			before := processor(b)
			for b.Loop() {
				r, err := trace.Run(context.Background(), ix, trace.Query{Item: indextest.LotKey(0), Direction: trace.Forward,
					Limits: trace.Limits{MaxItems: 2e6, MaxDepth: 1e6}})
				if err != nil {
					b.Fatal(err)
				}
				if len(r.Nodes) != lots || r.Truncated {
					b.Fatalf("%d nodes, truncated %v", len(r.Nodes), r.Truncated)
				}
			}
			b.ReportMetric(float64((processor(b)-before).Nanoseconds())/float64(b.N)/float64(lots), "cpu-ns/lot")
		})
	}
}

// processor is the processor time of this process so far: what does not depend on what else the machine does.
func processor(tb testing.TB) time.Duration {
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(own.Utime.Nano() + own.Stime.Nano())
}

// BenchmarkRead reads what the page of one lot shows: the item, its events, its holds.
func BenchmarkRead(b *testing.B) {
	ix := open(b, sqlite.Options{})
	indextest.Load(b, indextest.Pieces(2e4, indextest.Made), ix)
	i := 0
	for b.Loop() {
		i = (i + 7919) % 1e4
		key := indextest.LotKey(i)
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

// BenchmarkQuery asks for pages of 30 events; a million events only with FOODTRACE_BENCH_MILLION set.
func BenchmarkQuery(b *testing.B) {
	events := int(1e5)
	if os.Getenv("FOODTRACE_BENCH_MILLION") != "" {
		events = 1e6
	}
	ix := open(b, sqlite.Options{})
	indextest.Load(b, indextest.Pieces(events, indextest.Varied, indextest.VariedSites()), ix)
	indextest.BenchQueries(b, ix, events, func() time.Duration { return processor(b) })
}
