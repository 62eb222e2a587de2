package fsma204

import (
	"regexp"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/ingest/unit"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// context declares our prefix in each event; and GS1's where it is used, so that the event has one hash as JSON and as XML.
var (
	context = jsontext.Value(`{"fsma204":"` + Namespace + `"}`)
	withGS1 = jsontext.Value(`{"fsma204":"` + Namespace + `","gs1":"` + event.WebVocabulary.URI + `"}`)
)

// GS1's recommendations for FSMA 204 let a lot begin with this step.
const beginsLot = "creating_class_instance"

// builder makes events of the rows of one lot: one row, or several that tell of what went into it.
type builder struct {
	r     *Reader
	*line // the first row
	lines []*line
	event *event.Event
}

// build makes the events of some rows. The first one carries their problems; with errors among them there is no other and it is nil.
func (r *Reader) build(lines []*line) []*event.Event {
	b := &builder{r: r, line: lines[0], lines: lines}
	var before []*event.Event
	switch b.tab.header.layout.cte {
	case Harvest:
		b.harvest()
	case Cooling:
		b.cooling()
	case Packing:
		before = b.packing()
	case Landing:
		b.landing()
	case Shipping:
		b.shipping()
	case Receiving:
		b.receiving()
	case Transformation:
		b.transformation()
	}
	for _, l := range lines[1:] {
		b.problems = append(b.problems, l.problems...)
	}
	if ingest.HasErrors(b.problems) {
		return []*event.Event{nil}
	}
	b.keep()
	return append(before, b.event)
}

// begin starts the event of the rows, at the date of one of its fields.
func (b *builder) begin(t event.Type, action event.Action, step, disposition string, at field, what string) {
	b.event = &event.Event{Context: context, Type: t, Action: action, BizStep: step, Disposition: disposition}
	b.check(b.required())
	if !b.has(at) {
		b.refuse(CodeKDE, at, what+" is missing. Without a date the row is no event.")
		return
	}
	m, ok := b.date(at, true)
	b.done[at] = true
	if !ok {
		return
	}
	b.event.Time, b.event.TimeZoneOffset = b.when(b.line, m, at)
}

// dated says whether the event has its time.
func (b *builder) dated() bool { return b.event.TimeZoneOffset != "" }

func (b *builder) cte() CTE { return b.tab.header.layout.cte }

// when is the time of a date: with the time of day and the time zone of its row.
func (b *builder) when(l *line, m sheet.Moment, at field) (event.Time, string) {
	if l.has(timeOfDay) && hasClock(m) {
		l.remark(sheet.CodeDate, timeOfDay, "The date has a time of day of its own, which counts.")
	} else if l.has(timeOfDay) {
		var bad *sheet.DateError
		if m, bad = m.At(l.texts[timeOfDay]); bad != nil {
			l.refuse(bad.Code, timeOfDay, bad.Of(l.texts[timeOfDay]))
		}
	}
	return b.onDay(l, m, at)
}

// onDay is the time of a date that the row's time of day does not belong to.
func (b *builder) onDay(l *line, m sheet.Moment, at field) (event.Time, string) {
	zone := b.r.options.Zone
	if l.has(timeZone) {
		stated, ok := sheet.Zone(l.texts[timeZone])
		if !ok {
			l.refuse(CodeZone, timeZone, "\""+ingest.Clip(l.texts[timeZone])+"\" is not a time zone. Write it as -07:00.")
		}
		zone = stated
	}
	t, offset, err := eventTime(m, zone)
	if err != nil {
		l.refuse(sheet.CodeDate, at, "The date "+isoText(m)+" cannot be kept.")
	}
	return t, offset
}

// site is the place that two fields of a row name, by name and by identifier; the zero location: none.
func (b *builder) site(l *line, name, id field) location {
	if l.has(id) {
		return b.placeOf(l, id)
	}
	return b.placeOf(l, name)
}

// placeOf reads a place: a GLN, a URI, or a name or code of the sender's.
func (b *builder) placeOf(l *line, f field) location {
	text := l.identifier(f)
	if text == "" {
		return location{}
	}
	gln, restored, wrong, ok := glnOf(text)
	switch {
	case ok && !(restored && isName[f]):
		if restored {
			l.remark(CodeZeros, f, "The GLN lost its leading zeros in a spreadsheet and is taken as "+gln+".")
		}
		if wrong {
			l.remark(CodeCheckDigit, f, "The check digit of the GLN "+gln+" is wrong.")
		}
		return location{glnStem + gln, "gln:" + gln}
	case isURI(text):
		key, _ := gs1.Canonical(text)
		return location{key, scopeOf(key)}
	}
	at, described := b.r.placeNamed(text)
	if name := fold(text); !described && !b.r.remarked[name] && len(b.r.remarked) < maxLocations {
		b.r.remarked[name] = true
		l.remark(CodePlace, f, "The location \""+ingest.Clip(text)+"\" is not described in Locations (21 CFR 1.1310, location description). If it is mistyped, this is another place.")
	}
	return at
}

// isName are the fields that name places; the others identify them.
var isName = map[field]bool{harvestLocation: true, coolingLocation: true, recipient: true, receivedFrom: true, packLocation: true, landingLocation: true,
	shipFrom: true, shipTo: true, previousSource: true, receiveLocation: true, transformLocation: true, tlcSource: true, usedTLCSource: true}

// at puts the event at a place.
func (b *builder) at(place location, business bool) {
	if place.uri == "" {
		return
	}
	b.event.ReadPoint = &event.Place{ID: place.uri}
	if business {
		b.event.BizLocation = &event.Place{ID: place.uri}
	}
}

// from and to name places as source and destination.
func (b *builder) from(place location) {
	if place.uri != "" {
		b.event.Sources = []event.Source{{Type: "location", Source: place.uri}}
	}
}

func (b *builder) to(place location) {
	if place.uri != "" {
		b.event.Destinations = []event.Destination{{Type: "location", Destination: place.uri}}
	}
}

// measure reads how much of an item a row states. What cannot be counted is a text of the row, and the amount not stated.
func (b *builder) measure(l *line, item string, amount, units, both field) event.Quantity {
	q := event.Quantity{EPCClass: item}
	number, measure, at := l.texts[amount], l.texts[units], amount
	if number == "" && both != none {
		number, at = l.texts[both], both
	}
	if number == "" {
		return q
	}
	if measure == "" {
		number, measure = splitQuantity(number)
	}
	d, ok := readNumber(number)
	if !ok {
		l.remark(CodeQuantity, at, "\""+ingest.Clip(l.texts[at])+"\" is not a quantity. It is kept as it is and not counted.")
		return q
	}
	if measure == "" {
		return q // check has said so
	}
	uom, ok := unit.Code(measure)
	if !ok {
		l.remark(CodeUnit, at, "The unit \""+ingest.Clip(measure)+"\" has no code that is known here, or does not mean the same everywhere. The quantity is kept as it is and not counted.")
		return q
	}
	q.Quantity, q.UOM = d, uom
	l.done[amount], l.done[units] = true, true
	if both != none {
		l.done[both] = l.done[both] || at == both
	}
	return q
}

// lotFields are those that name a lot.
type lotFields struct{ gtin, lot, tlc, id, sscc field }

var (
	itsLot  = lotFields{gtin, lot, tlc, tlcID, sscc}
	itsUsed = lotFields{usedGTIN, usedLot, usedTLC, usedTLCID, usedSSCC}
)

// elementString is a lot as it stands in plain text beside a GS1 barcode.
var elementString = regexp.MustCompile(`^\(01\) ?(\d{14}) ?\(10\) ?([^()]+)$`)

// lotOf is the URI of a lot, "" with a problem where the row names none. source is the scope of its code.
func (b *builder) lotOf(l *line, f lotFields, source, what string) string {
	number, batch, whole := l.identifier(f.gtin), l.identifier(f.lot), l.identifier(f.tlc)
	switch {
	case l.has(f.id):
		if !isURI(l.texts[f.id]) {
			l.refuse(CodeIdentifier, f.id, "\""+ingest.Clip(l.texts[f.id])+"\" is not a URI.")
		}
		return l.texts[f.id]
	case number != "" && batch != "":
		if key := l.gs1Lot(f, number, batch); key != "" {
			return key
		}
		return ownName(ownLot, source, code(number), code(batch))
	case whole != "":
		if isURI(whole) {
			return whole
		}
		if p := elementString.FindStringSubmatch(code(whole)); p != nil {
			return gs1.LotKey(p[1], p[2])
		}
		return ownName(ownLot, source, code(whole))
	case batch != "":
		return ownName(ownLot, source, code(batch))
	}
	if !l.has(f.lot, f.tlc) {
		message := what + " has no traceability lot code"
		if number != "" {
			message += ": a GTIN without a batch names a product, not a lot"
		}
		l.refuse(CodeKDE, f.lot, message+". Without it nothing can be traced.")
	}
	return ""
}

// gs1Lot is the lot of a GTIN and a batch, "" where the GTIN is none.
func (l *line) gs1Lot(f lotFields, number, batch string) string {
	gtin, restored, wrong, ok := gtinOf(number)
	switch {
	case !ok:
		l.remark(CodeIdentifier, f.gtin, "\""+ingest.Clip(number)+"\" is not a GTIN (8, 12, 13 or 14 digits). It is taken as a product code of your own.")
		return ""
	case restored:
		l.remark(CodeZeros, f.gtin, "The GTIN lost its leading zeros in a spreadsheet and is taken as "+gtin+".")
	case wrong:
		l.remark(CodeCheckDigit, f.gtin, "The check digit of the GTIN "+gtin+" is wrong.")
	}
	l.done[f.gtin], l.done[f.lot] = true, true
	return gs1.LotKey(gtin, code(batch))
}

// unit is the URI of the logistic unit of a row, "" where it names none.
func (b *builder) unit() string {
	text := b.identifier(sscc)
	if text == "" {
		return ""
	}
	digits, wrong, ok := ssccOf(text)
	if !ok {
		if isURI(text) {
			b.done[sscc] = true
			return text
		}
		return ownName(ownUnit, b.r.sender(), code(text))
	}
	if wrong {
		b.remark(CodeCheckDigit, sscc, "The check digit of the SSCC "+digits+" is wrong.")
	}
	b.done[sscc] = digits == text
	return ssccStem + digits
}

// source is the scope of the lot codes that a source assigns which the row states; else the fallback.
func (b *builder) source(fallback string) string {
	switch {
	case b.has(tlcSourceGLN):
		return b.placeOf(b.line, tlcSourceGLN).scope
	case b.has(tlcSourceFFRN):
		return ownName("", "ffrn", code(b.texts[tlcSourceFFRN]))
	case b.has(tlcSource, tlcSourceID):
		return b.site(b.line, tlcSource, tlcSourceID).scope
	case b.has(tlcSourceURL):
		return ownName("", "url", code(b.texts[tlcSourceURL]))
	case b.has(tlcSourceGGN):
		return ownName("", "ggn", code(b.texts[tlcSourceGGN]))
	case fallback != "":
		return fallback
	}
	return b.r.sender()
}

// day is the date of a field as a part of a name, "" where it has none that can be read.
func (b *builder) day(l *line, f field) string {
	if m, ok := l.date(f, false); ok {
		return m.Civil.Format(time.DateOnly)
	}
	return ""
}
