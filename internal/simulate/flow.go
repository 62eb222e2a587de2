package simulate

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// goods is an amount of one lot, in thousandths of its unit.
type goods struct {
	id    string
	milli int64
	unit  string
}

// part is milli thousandths of the same lot.
func (g goods) part(milli int64) goods { return goods{g.id, milli, g.unit} }

// element writes an amount as an EPCIS quantity element.
func (g goods) element(f *flow, p *place) event.Quantity {
	return event.Quantity{EPCClass: f.write(g.id, p), Quantity: number(g.milli, 3), UOM: g.unit}
}

// flow is one campaign: a handful of harvests and all that is made of them. It has its own source of chance, so that a
// campaign is the same whatever happens in others. Its methods are what happens physically; each writes the event
// that reports it and tells the truth of it.
type flow struct {
	net   *network
	opt   Options
	seq   int
	rng   *rand.Rand
	clock time.Time // minutes; events of one campaign differ in milliseconds
	out   []Submission
	lots  []string // in the order in which they were made
	born  []time.Time
	truth *Truth // nil: nobody asks
	count int    // events, for numbers that must differ
	units int    // logistic units
}

func (f *flow) between(lo, hi int64) int64 { return lo + f.rng.Int64N(hi-lo+1) }

func (f *flow) chance(p float64) bool { return f.rng.Float64() < p }

// wait lets lo to hi hours pass.
func (f *flow) wait(lo, hi int64) {
	f.clock = f.clock.Add(time.Duration(f.between(lo*60, hi*60)) * time.Minute)
}

// branch does something that happens beside the rest: afterwards the clock is where it was.
func (f *flow) branch(do func()) {
	before := f.clock
	do()
	f.clock = before
}

// write is how a firm writes an identifier.
func (f *flow) write(key string, p *place) string {
	if p.firm.urns && f.opt.URNs {
		return asURN(key, p.firm.prefix)
	}
	return key
}

func (f *flow) writeAll(keys []string, p *place) []string {
	written := make([]string, len(keys))
	for i, k := range keys {
		written[i] = f.write(k, p)
	}
	return written
}

func (f *flow) elements(list []goods, p *place) []event.Quantity {
	written := make([]event.Quantity, len(list))
	for i, g := range list {
		written[i] = g.element(f, p)
	}
	return written
}

// newLot names a lot of a product made now.
func (f *flow) newLot(p *product) string {
	id := lot(p.id, fmt.Sprintf("%s%02d%d", f.clock.Format("0601"), f.clock.Day(), f.seq*100+len(f.lots)))
	f.lots, f.born = append(f.lots, id), append(f.born, f.clock)
	return id
}

// unit names a new pallet of a place's firm.
func (f *flow) unit(p *place) string {
	f.units++
	return sscc(p.firm.prefix, f.seq*unitsPerFlow+f.units)
}

// unitsPerFlow leaves room in the nine digits of an SSCC serial for 10^6 campaigns of under a thousand pallets.
const unitsPerFlow = 1000

// event begins an event at a place, a few minutes after the last one.
func (f *flow) event(p *place, typ event.Type, action event.Action, step, disposition string) *event.Event {
	f.clock = f.clock.Add(time.Duration(f.between(1, 9)) * time.Minute)
	f.count++
	when := f.clock.Add(time.Duration(f.count) * time.Millisecond).In(time.FixedZone("", p.hours*3600))
	e := &event.Event{Type: typ, Action: action, Time: event.Time{Time: when}, TimeZoneOffset: p.offset, BizStep: step, Disposition: disposition}
	e.ReadPoint = &event.Place{ID: f.write(p.id, p)}
	return e
}

// stays says that the things of an event are at the place afterwards.
func (f *flow) stays(e *event.Event, p *place) *event.Event {
	e.BizLocation = &event.Place{ID: f.write(p.id, p)}
	return e
}

// send puts a finished event on its way to the ledger.
func (f *flow) send(p *place, e *event.Event) { f.sendAt(p, e, e.Time.Add(captureDelay)) }

// captureDelay is how long a well-kept system takes to report an event.
const captureDelay = 15 * time.Minute

func (f *flow) sendAt(p *place, e *event.Event, captured time.Time) {
	f.name(e)
	f.submit(p.firm, contract.Record{Event: e}, captured)
}

func (f *flow) submit(by *firm, r contract.Record, captured time.Time) {
	f.out = append(f.out, Submission{By: by.msp, Captured: captured, Record: r, flow: f.seq, index: len(f.out)})
}

// name gives an event its eventID.
func (f *flow) name(e *event.Event) {
	switch f.opt.EventIDs {
	case HashIDs:
		e.ID = e.Hash()
	case UUIDs:
		e.ID = uuid(f.rng)
	}
}
