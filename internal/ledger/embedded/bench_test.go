package embedded_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/embedded"
)

// harvest is an event of a field: each makes a lot of its own.
func harvest(n int) contract.Record {
	lot := fmt.Sprintf("https://id.gs1.org/01/06901234500016/10/L%09d", n)
	return contract.Record{Event: &event.Event{
		Type: event.Object, Action: event.Add, BizStep: "commissioning", Disposition: "active", TimeZoneOffset: "+08:00",
		Time:        event.Time{Time: time.Date(2026, 4, 20, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Millisecond)},
		ReadPoint:   &event.Place{ID: "https://id.gs1.org/414/6901234500009"},
		BizLocation: &event.Place{ID: "https://id.gs1.org/414/6901234500009"},
		Quantities:  []event.Quantity{{EPCClass: lot, Quantity: event.Int(1200), UOM: "KGM"}},
	}}
}

// BenchmarkSubmit is the time to a durable receipt, for events that are in memory already. One operation is one event.
func BenchmarkSubmit(b *testing.B) {
	for _, size := range []int{1, 100, 500} {
		for _, submitters := range []int{1, 16} {
			b.Run(fmt.Sprintf("batch=%d/submitters=%d", size, submitters), func(b *testing.B) { benchSubmit(b, size, submitters) })
		}
	}
}

// begin opens a ledger on which the farm may write.
func begin(b *testing.B, dir string) (*embedded.Ledger, ledger.Signer) {
	l, err := embedded.Open(embedded.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	by := signer(b, dir, "FarmMSP")
	mustSubmit(b, l, by, contract.Record{Registration: &contract.Registration{
		Members: []contract.Member{{MSP: by.MSP, Name: contract.Text{EN: "Farm"}, Roles: []contract.Role{contract.Regulator}}},
		Policy:  &contract.Policy{Lenient: true},
	}})
	return l, by
}

// batchesOf hands out n events in batches.
func batchesOf(n, size int) <-chan []contract.Record {
	batches := make(chan []contract.Record, n/size+1)
	for first := 0; first < n; first += size {
		var records []contract.Record
		for i := first; i < min(first+size, n); i++ {
			records = append(records, harvest(i))
		}
		batches <- records
	}
	close(batches)
	return batches
}

// fill writes a ledger of n events.
func fill(b *testing.B, dir string, n int) {
	l, by := begin(b, dir)
	for records := range batchesOf(n, 500) {
		mustSubmit(b, l, by, records...)
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
}

func benchSubmit(b *testing.B, size, submitters int) {
	l, by := begin(b, b.TempDir())
	defer l.Close()
	batches := batchesOf(b.N, size)
	b.ResetTimer()
	var wg sync.WaitGroup
	for range submitters {
		wg.Go(func() {
			for records := range batches {
				mustSubmit(b, l, by, records...)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(l.Metrics.Txs.Load())/float64(l.Metrics.Blocks.Load()), "tx/block")
	b.ReportMetric(float64(l.Metrics.SyncNanos.Load())/float64(l.Metrics.Blocks.Load())/1e6, "ms/sync")
	b.ReportMetric(float64(l.Metrics.Bytes.Load())/float64(b.N), "B/event")
}

func mustSubmit(b *testing.B, l *embedded.Ledger, by ledger.Signer, records ...contract.Record) {
	r, err := l.Submit(context.Background(), by, &contract.Batch{Records: records})
	if err != nil {
		b.Error(err)
		return
	}
	for _, o := range r.Outcomes {
		if o.Status != contract.Accepted {
			b.Errorf("%s: %+v", o.Status, o.Findings)
			return
		}
	}
}

// BenchmarkDecode is the least that anybody must do with an event: decode its batch, for comparison.
func BenchmarkDecode(b *testing.B) {
	batch := &contract.Batch{}
	for i := range 500 {
		batch.Records = append(batch.Records, harvest(i))
	}
	data, err := batch.Encode()
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; n < b.N; n += len(batch.Records) {
		decoded, err := contract.DecodeBatch(data)
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range decoded.Records {
			r.Event.Hash()
		}
	}
}

// BenchmarkVerify reads, checks and executes a ledger of one block with 500 events after the other. One operation is one event.
func BenchmarkVerify(b *testing.B) {
	dir := b.TempDir()
	fill(b, dir, b.N)
	b.ResetTimer()
	verifyClean(b, dir)
}

// BenchmarkRebuild opens a ledger whose state is lost. One operation is one event.
func BenchmarkRebuild(b *testing.B) {
	dir := b.TempDir()
	fill(b, dir, b.N)
	if err := os.RemoveAll(filepath.Join(dir, "state")); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	l, err := embedded.Open(embedded.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	l.Close()
}
