package contract_test

import (
	"fmt"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// BenchmarkDecide is the cost of deciding one event in a batch of 500, its hash being known: a mix of one-item events on 100
// lots. With holds: one is in force on something else, so that contents and carriers are looked at.
func BenchmarkDecide(b *testing.B) {
	for _, held := range []bool{false, true} {
		b.Run(fmt.Sprintf("held=%v", held), func(b *testing.B) {
			bench := network(b)
			if held {
				bench.Accept(regulator, hold(lot("elsewhere"), contract.ScopeDownstream, 0))
			}
			const size = 500
			var batch contract.Batch
			for i := range size {
				kind, act := "shipping", event.Observe
				if i < 100 {
					kind, act = "commissioning", event.Add
				}
				r := ev(event.Object, kind, i/10, action(act), objects(lot(i%100)))
				r.Event.Quantities[0] = amount(lot(i%100), int64(i), "KGM")
				r.Event.Hash()
				batch.Records = append(batch.Records, r)
			}
			tx := bench.Tx(farm, &batch)
			b.ReportAllocs()
			for b.Loop() {
				effects, outcomes, err := contract.Decide(bench.State, tx)
				if err != nil || outcomes[size-1].Status != contract.Accepted || len(effects) == 0 {
					b.Fatal(err, outcomes[size-1])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/size, "ns/event")
		})
	}
}

// BenchmarkCodec is the cost of a batch on its way, for one event.
func BenchmarkCodec(b *testing.B) {
	var batch contract.Batch
	for i := range 500 {
		batch.Records = append(batch.Records, ship(i, lot(i)))
	}
	data, err := batch.Encode()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			if _, err := batch.Encode(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/event")
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			if _, err := contract.DecodeBatch(data); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/event")
	})
}
