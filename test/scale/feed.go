package main

import (
	"bytes"
	"iter"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
)

// delivery is what a member sends at once: the events and acts of one day, or a part of them.
type delivery struct {
	by     string // MSP ID
	events []*event.Event
	acts   []contract.Record
}

func (d *delivery) size() int { return len(d.events) + len(d.acts) }

// day is how long a member gathers before it sends.
const day = 24 * time.Hour

// deliveries are a world's records as its members send them, each once a day of the world's time and at most so many at once.
// Within a day they come in another order than things happened, as they do from real members.
func deliveries(w *simulate.World, most int) iter.Seq[*delivery] {
	return func(yield func(*delivery) bool) {
		var waiting []*delivery // in the order of their first record
		open := map[string]*delivery{}
		var begin time.Time
		for s := range w.Records() {
			if s.Captured.Sub(begin) >= day {
				for _, d := range waiting {
					if !yield(d) {
						return
					}
				}
				waiting, begin = nil, s.Captured
				clear(open)
			}
			d := open[s.By]
			if d == nil || d.size() == most {
				d = &delivery{by: s.By}
				open[s.By] = d
				waiting = append(waiting, d)
			}
			if s.Record.Event != nil {
				d.events = append(d.events, s.Record.Event)
			} else {
				d.acts = append(d.acts, s.Record)
			}
		}
		for _, d := range waiting {
			if !yield(d) {
				return
			}
		}
	}
}

// document is the events of a delivery as EPCIS JSON.
func (d *delivery) document() ([]byte, error) {
	var doc bytes.Buffer
	err := epcis.Write(&doc, epcis.Header{CreationDate: d.events[0].Time}, d.events)
	return doc.Bytes(), err
}
