package indextest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// Large ledgers come in pieces, so that they need not fit into memory.
const (
	blockEvents = 1000
	pieceBlocks = 8
)

// Pieces makes a ledger of n accepted events after other entries, a few blocks at a time.
func Pieces(n int, make func(i int) *event.Event, first ...Entry) iter.Seq[[]*ledger.Block] {
	return func(yield func([]*ledger.Block) bool) {
		height, last := uint64(0), [32]byte{}
		for i := 0; i < n; {
			c := NewChain()
			c.txs = int(height)
			if i == 0 && len(first) > 0 {
				c.Add("ProducerMSP", first...)
			}
			for range pieceBlocks {
				var entries []Entry
				for ; i < n && len(entries) < blockEvents; i++ {
					entries = append(entries, Event(make(i)))
				}
				if len(entries) > 0 {
					c.Add("ProducerMSP", entries...)
				}
			}
			for _, b := range c.All() {
				b.Height, b.PrevHash = height, last
				b.Hash = sha256.Sum256(binary.BigEndian.AppendUint64(last[:], height))
				height, last = height+1, b.Hash
			}
			if !yield(c.All()) {
				return
			}
		}
	}
}

// Load applies a ledger to indexes.
func Load(tb testing.TB, pieces iter.Seq[[]*ledger.Block], to ...index.Writer) {
	tb.Helper()
	for blocks := range pieces {
		for _, ix := range to {
			if err := ix.Apply(tb.Context(), blocks); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

// Shipment is an event like those that make up most of a ledger.
func Shipment(i int) *event.Event {
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

// lotsAtOnce is how many lots of Made are made of the same lots.
const lotsAtOnce = 100

// LotKey is the key of lot n of Made.
func LotKey(n int) string { return fmt.Sprintf("https://id.gs1.org/01/09506000134352/10/L%07d", n) }

// Made is event i of a supply chain of many lots, two events for each: a hundred lots are made at a time, each of two lots of
// the hundred before, and every lot is stored once. So all lots come of the first, through a hundredth as many steps.
func Made(i int) *event.Event {
	lot, stored := i/2, i%2 == 1
	e := &event.Event{Time: at(lot * 60), TimeZoneOffset: "+00:00", BizLocation: &event.Place{ID: fmt.Sprintf("urn:site:%d", lot%50)}}
	out := []event.Quantity{{EPCClass: LotKey(lot), Quantity: event.Int(10), UOM: "KGM"}}
	switch {
	case stored:
		e.Type, e.Action, e.BizStep, e.Quantities = event.Object, event.Observe, "storing", out
	case lot == 0:
		e.Type, e.Action, e.Quantities = event.Object, event.Add, out
	default:
		e.Type, e.OutputQuantities = event.Transformation, out
		for _, from := range []int{lot - lotsAtOnce, lot - lotsAtOnce - 1} {
			e.InputQuantities = append(e.InputQuantities, event.Quantity{EPCClass: LotKey(max(from, 0)), Quantity: event.Int(5), UOM: "KGM"})
		}
	}
	return e
}

// VariedMember owns ten of the thousand sites of Varied.
const VariedMember = "SevenMSP"

// Varied is event i of a ledger with the usual steps at a thousand sites; one of ten thousand events destroys something, one
// declares another wrong.
func Varied(i int) *event.Event {
	e := Shipment(i)
	site := fmt.Sprintf("urn:site:%d", i*7919%1000)
	e.BizStep = []string{"shipping", "receiving", "storing", "packing"}[i%4]
	if i%10_000 == 5 {
		e.BizStep = "destroying"
	}
	if i%10_000 == 7 {
		e.ErrorDeclaration = &event.ErrorDeclaration{DeclarationTime: at(i + 60), Reason: "incorrect_data"}
	}
	e.Quantities[0].EPCClass = LotKey(i / 3)
	e.ReadPoint, e.BizLocation, e.Sources, e.Destinations = &event.Place{ID: site}, &event.Place{ID: site}, nil, nil
	return e
}

// VariedSites registers the sites of Varied.
func VariedSites() Entry {
	var sites []contract.Site
	for i := range 1000 {
		s := contract.Site{ID: fmt.Sprintf("urn:site:%d", i), Owner: fmt.Sprintf("Member%d", i%100)}
		if i%100 == 17 {
			s.Owner = VariedMember
		}
		sites = append(sites, s)
	}
	return Entry{Record: contract.Record{Registration: &contract.Registration{Sites: sites}}}
}
