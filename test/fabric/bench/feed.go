package main

import (
	"fmt"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

const (
	site = "https://id.gs1.org/414/6901234500004"
	gtin = "06901234500011"

	// lotLife is in how many batches of a feed a lot appears before the feed goes on to new lots.
	lotLife = 5
)

// feed is what one sender sends: batches of a number of events that name a number of lots in turn. An event of a batch with
// fewer events than lots names several.
type feed struct {
	name         string // unique
	events, lots int
	at           time.Time // of the next event
	batches      int
}

func (f *feed) next() *contract.Batch {
	generation := f.batches / lotLife
	f.batches++
	batch := &contract.Batch{Records: make([]contract.Record, f.events)}
	each := max(1, f.lots/f.events)
	for i := range batch.Records {
		lots := make([]string, each)
		for j := range lots {
			lots[j] = fmt.Sprintf("https://id.gs1.org/01/%s/10/%s.%d.%d", gtin, f.name, generation, (i*each+j)%f.lots)
		}
		batch.Records[i].Event = f.event(lots)
	}
	return batch
}

// event is an ordinary one at a packhouse, some 750 bytes of JSON when it names one lot.
func (f *feed) event(lots []string) *event.Event {
	f.at = f.at.Add(time.Second)
	number := f.at.Unix()
	e := &event.Event{
		Type: event.Object, Action: event.Observe, Time: event.Time{Time: f.at}, TimeZoneOffset: "+08:00",
		BizStep: "storing", Disposition: "in_progress",
		ReadPoint: &event.Place{ID: site}, BizLocation: &event.Place{ID: site},
		BizTransactions: []event.BizTransaction{
			{Type: "po", BizTransaction: fmt.Sprintf("urn:epcglobal:cbv:bt:6901234500004:PO-%d-%s", number/100, f.name)},
			{Type: "desadv", BizTransaction: fmt.Sprintf("urn:epcglobal:cbv:bt:6901234500004:DA-%d-%s", number, f.name)},
		},
	}
	for _, lot := range lots {
		e.Quantities = append(e.Quantities, event.Quantity{EPCClass: lot, Quantity: event.Int(number%500 + 1), UOM: "KGM"})
	}
	return e
}
