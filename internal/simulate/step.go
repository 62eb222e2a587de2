package simulate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// fact is a master data attribute of a lot (CBV 2.0, section 9.3), e.g. harvestStartDate.
type fact struct{ name, value string }

// ilmd writes facts as an event's ILMD.
func ilmd(facts []fact) jsontext.Value {
	if len(facts) == 0 {
		return nil
	}
	var b strings.Builder
	for i, f := range facts {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(strconv.Quote("cbvmda:"+f.name) + ":" + strconv.Quote(f.value)) // our values are plain ASCII
	}
	return jsontext.Value(b.String() + "}")
}

// day is the date after a number of days from now, at the place.
func (f *flow) day(p *place, after int) string {
	return f.clock.In(time.FixedZone("", p.hours*3600)).AddDate(0, 0, after).Format(time.DateOnly)
}

// begin makes a lot out of nothing: a harvest, a birth, a delivery from outside of the network.
func (f *flow) begin(p *place, made *product, milli int64, facts ...fact) goods {
	g := goods{f.newLot(made), milli, made.unit}
	f.beginLot(p, g, facts...)
	return g
}

func (f *flow) beginLot(p *place, g goods, facts ...fact) *event.Event {
	e := f.stays(f.event(p, event.Object, event.Add, "commissioning", "active"), p)
	e.Quantities = []event.Quantity{g.element(f, p)}
	e.ILMD = ilmd(facts)
	if p.contact.Kind == "farm" {
		e.Certification = event.Strings{"https://certificates.example/gap/" + p.id[len(p.id)-13:]}
	}
	f.send(p, e)
	f.truth.made(g, p)
	return e
}

// serialise gives numbers to single items of a lot.
func (f *flow) serialise(p *place, lotID string, n int) []string {
	e := f.stays(f.event(p, event.Object, event.Add, "commissioning", "active"), p)
	items := make([]string, n)
	class, number, _ := strings.Cut(lotID, "/10/")
	for i := range items {
		items[i] = instance(class, fmt.Sprintf("%s%03d%02d", number, f.count, i+1))
		f.truth.member(items[i], lotID, p)
	}
	e.EPCs = f.writeAll(items, p)
	e.ILMD = ilmd([]fact{{"lotNumber", number}})
	f.send(p, e)
	return items
}

// process turns inputs into outputs, whole containers (units) among them, in one or more events that share a
// transformationID; the first event takes the inputs, the last one gives the outputs.
type process struct {
	step    string
	inputs  []goods
	units   []string
	outputs []goods
	facts   []fact
	parts   int
}

func (f *flow) run(p *place, pr process) {
	step := pr.step
	if step == "" {
		step = "commissioning"
	}
	first := f.stays(f.event(p, event.Transformation, "", step, "active"), p)
	first.InputQuantities, first.InputEPCs = f.elements(pr.inputs, p), f.writeAll(pr.units, p)
	from, last := first.Time, first
	if pr.parts > 1 {
		id := fmt.Sprintf("urn:epc:id:gdti:%s.00001.%d%03d", p.firm.prefix, f.seq+1, f.count)
		first.TransformationID = id
		f.send(p, first)
		f.clock = f.clock.Add(2 * time.Hour)
		last = f.stays(f.event(p, event.Transformation, "", step, "active"), p)
		last.TransformationID = id
	}
	last.OutputQuantities = f.elements(pr.outputs, p)
	last.ILMD = ilmd(pr.facts)
	f.send(p, last)
	f.truth.process(p, pr, from.Time, last.Time.Time)
}

// pack puts goods and other units into a unit.
func (f *flow) pack(p *place, parent string, content []goods, units ...string) {
	e := f.stays(f.event(p, event.Aggregation, event.Add, "packing", "in_progress"), p)
	e.ParentID = f.write(parent, p)
	e.ChildQuantities, e.ChildEPCs = f.elements(content, p), f.writeAll(units, p)
	f.send(p, e)
	f.truth.packed(p, parent, content, units, e.Time.Time)
}

// unpack empties a unit; half of the systems do not list what came out.
func (f *flow) unpack(p *place, parent string, content []goods, units ...string) {
	e := f.stays(f.event(p, event.Aggregation, event.Delete, "unpacking", "in_progress"), p)
	e.ParentID = f.write(parent, p)
	if f.chance(0.5) {
		e.ChildQuantities, e.ChildEPCs = f.elements(content, p), f.writeAll(units, p)
	}
	f.send(p, e)
	f.truth.unpacked(p, parent, e.Time.Time)
}

// order is a delivery between two places.
type order struct {
	from, to *place
	goods    []goods
	units    []string
	number   int // of the documents
	step     string
}

func (o order) what(f *flow, p *place, e *event.Event) {
	e.Quantities, e.EPCs = f.elements(o.goods, p), f.writeAll(o.units, p)
	e.Sources = []event.Source{{Type: "owning_party", Source: f.write(o.from.party, p)}, {Type: "location", Source: f.write(o.from.id, p)}}
	e.Destinations = []event.Destination{{Type: "owning_party", Destination: f.write(o.to.party, p)}, {Type: "location", Destination: f.write(o.to.id, p)}}
}

// document is a business transaction in CBV form (CBV 2.0, section 8.5).
func document(typ string, by *place, kind string, number int) event.BizTransaction {
	return event.BizTransaction{Type: typ, BizTransaction: fmt.Sprintf("urn:epcglobal:cbv:bt:%s:%s-%d", by.id[len(by.id)-13:], kind, number)}
}

// ship sends a delivery off.
func (f *flow) ship(o order) order {
	if o.step == "" {
		o.step = "shipping"
	}
	e := f.event(o.from, event.Object, event.Observe, o.step, "in_transit")
	o.number = f.seq*unitsPerFlow + f.count
	o.what(f, o.from, e)
	e.BizTransactions = []event.BizTransaction{document("po", o.to, "PO", o.number), document("desadv", o.from, "DA", o.number)}
	f.send(o.from, e)
	f.truth.sent(o)
	if f.retold() {
		f.tellOf(o, o.from, "in_transit", map[string]string{"shipping": "departing", "departing": "transporting"}[o.step])
	}
	return o
}

// retold says whether a second step tells of a movement. Worlds without such are what they were before there were any.
func (f *flow) retold() bool { return f.opt.Retell > 0 && f.chance(f.opt.Retell) }

// tellOf reports a delivery by one more business step at one of its ends: the same things go the same way.
func (f *flow) tellOf(o order, p *place, disposition, step string) {
	e := f.event(p, event.Object, event.Observe, step, disposition)
	o.what(f, p, e)
	f.send(p, e)
}

// receive takes a delivery in.
func (f *flow) receive(o order, step string) {
	if f.retold() {
		f.tellOf(o, o.to, "in_progress", map[string]string{"receiving": "arriving", "arriving": "unloading"}[step])
	}
	e := f.stays(f.event(o.to, event.Object, event.Observe, step, "in_progress"), o.to)
	o.what(f, o.to, e)
	e.BizTransactions = []event.BizTransaction{document("desadv", o.from, "DA", o.number), document("recadv", o.to, "RA", o.number)}
	f.send(o.to, e)
	f.truth.arrived(o)
}

// deliver ships, lets lo to hi hours pass on the road, and receives.
func (f *flow) deliver(o order, lo, hi int64) {
	o = f.ship(o)
	f.wait(lo, hi)
	f.receive(o, "receiving")
}

// sell records a sale to consumers.
func (f *flow) sell(p *place, sold []goods, items ...string) {
	e := f.stays(f.event(p, event.Object, event.Observe, "retail_selling", "retail_sold"), p)
	e.Quantities, e.EPCs = f.elements(sold, p), f.writeAll(items, p)
	f.send(p, e)
	f.truth.left(p, sold, items, "sold")
}

// destroy records that goods were thrown away.
func (f *flow) destroy(p *place, lost []goods) {
	e := f.stays(f.event(p, event.Object, event.Delete, "destroying", "destroyed"), p)
	e.Quantities = f.elements(lost, p)
	f.send(p, e)
	f.truth.left(p, lost, nil, "destroyed")
}

// keep records that goods or units are in store, with a temperature in tenths of a degree Celsius. Without a place it is
// a logger on the way.
func (f *flow) keep(by, where *place, stored []goods, units []string, tenths int64) {
	e := f.event(by, event.Object, event.Observe, "storing", "in_progress")
	if e.ReadPoint = nil; where != nil {
		e.ReadPoint = &event.Place{ID: f.write(where.id, by)}
		f.stays(e, where)
	} else {
		e.BizStep, e.Disposition = "sensor_reporting", "in_transit"
		e.Sources = []event.Source{{Type: "possessing_party", Source: f.write(by.party, by)}}
	}
	e.Quantities, e.EPCs = f.elements(stored, by), f.writeAll(units, by)
	device := stem + "8004/" + by.firm.prefix + fmt.Sprintf("T%02d", f.seq%100)
	e.SensorElements = []event.SensorElement{{
		Metadata: &event.SensorMetadata{Time: e.Time, DeviceID: device},
		Reports: []event.SensorReport{
			{Type: "Temperature", Value: number(tenths, 1), MinValue: number(tenths-4, 1), MaxValue: number(tenths+7, 1), UOM: "CEL"},
			{Type: "RelativeHumidity", Value: number(f.between(850, 960), 1), UOM: "P1"},
		},
	}}
	f.send(by, e)
}
