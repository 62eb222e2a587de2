package fsma204

import (
	"strings"

	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// harvest: a lot begins on the farm. The rule gives it no traceability lot code yet (21 CFR 1.1320), so it is named by what both the
// harvester and the initial packer have to write down.
func (b *builder) harvest() {
	b.begin(event.Object, event.Add, beginsLot, "active", harvestDate, "The harvest date (21 CFR 1.1325(a)(1)(vii))")
	farm := b.site(b.line, harvestLocation, harvestLocationID)
	item := b.harvestOf(b.line, farm)
	if item == "" && b.dated() {
		b.refuse(CodeKDE, b.columnOf([]field{harvestLocation, commodity, harvestLot}),
			"Without the farm and the commodity, or a harvest lot, nobody can tell which food this is.")
	}
	b.event.Quantities = []event.Quantity{b.measure(b.line, item, quantity, uom, quantityUOM)}
	b.at(farm, true)
	b.to(b.site(b.line, recipient, recipientID))
	b.document()
	b.done[harvestLocationID], b.done[recipientID], b.done[harvestLotID] = true, true, true
}

// harvestOf is what was harvested: by its own code, or of which commodity and variety in which field of which farm on which day; "" when the row
// does not say.
func (b *builder) harvestOf(l *line, farm location) string {
	if l.has(harvestLotID) && isURI(l.texts[harvestLotID]) {
		return l.texts[harvestLotID]
	}
	if own := l.identifier(harvestLot); own != "" {
		if isURI(own) {
			return own
		}
		if farm.uri == "" {
			return ownName(ownHarvest, b.r.sender(), code(own))
		}
		return ownName(ownHarvest, farm.scope, code(own))
	}
	day := b.day(l, harvestDate)
	if farm.uri == "" || day == "" || !l.has(commodity) {
		return ""
	}
	where := l.texts[fieldName]
	if where == "" {
		where = l.texts[container]
	}
	return ownName(ownHarvest, farm.scope, fold(l.texts[commodity]), fold(l.texts[variety]), fold(where), day)
}

// cooling: what was harvested is seen in a cooler. Its row says neither field nor day of the harvest: without a harvest lot it names
// what was cooled of which commodity and variety of which farm in which cooler on which day, as initial packing does.
func (b *builder) cooling() {
	b.begin(event.Object, event.Observe, "other", "in_progress", coolingDate, "The cooling date (21 CFR 1.1325(b)(1)(v))")
	cooler := b.site(b.line, coolingLocation, coolingLocationID)
	farm := b.site(b.line, harvestLocation, harvestLocationID)
	item := b.coolingOf(b.line, farm, cooler)
	if b.has(harvestLot, harvestLotID) {
		item = b.harvestOf(b.line, farm)
	}
	if item == "" && b.dated() {
		b.refuse(CodeKDE, b.columnOf([]field{harvestLocation, commodity, coolingLocation}),
			"Without the farm, the commodity and the cooling location, or a harvest lot, nobody can tell which food this is.")
	}
	b.event.Quantities = []event.Quantity{b.measure(b.line, item, quantity, uom, quantityUOM)}
	b.at(cooler, true)
	b.to(b.site(b.line, recipient, recipientID))
	b.document()
	b.keepPlace(b.line, harvestLocationID, farm)
	b.done[coolingLocationID], b.done[recipientID], b.done[harvestLotID], b.done[coolingLotID] = true, true, true, true
}

func (b *builder) coolingOf(l *line, farm, cooler location) string {
	if l.has(coolingLotID) && isURI(l.texts[coolingLotID]) {
		return l.texts[coolingLotID]
	}
	day := b.day(l, coolingDate)
	if farm.uri == "" || cooler.uri == "" || day == "" || !l.has(commodity) {
		return ""
	}
	return ownName(ownCooling, farm.scope+":"+cooler.scope, fold(l.texts[commodity]), fold(l.texts[variety]), day)
}

// keepPlace keeps the identifier of a place that has no place in the event itself.
func (b *builder) keepPlace(l *line, id field, place location) {
	if place.uri != "" {
		l.texts[id] = place.uri
	}
}

// packing: what was received goes into a lot. Each row says of one harvest that it was received, and of the lot that it was packed.
func (b *builder) packing() (receipts []*event.Event) {
	b.begin(event.Transformation, "", beginsLot, "active", packDate, "The date of packing (21 CFR 1.1330(a)(15))")
	house := b.site(b.line, packLocation, packLocationID)
	made := b.lotOf(b.line, itsLot, b.source(house.scope), "The food packed")
	b.event.OutputQuantities = []event.Quantity{b.measure(b.line, made, quantity, uom, quantityUOM)}
	b.at(house, true)
	b.document()
	b.done[packLocationID], b.done[tlcID] = true, true
	for _, l := range b.lines {
		farm := b.site(l, harvestLocation, harvestLocationID)
		cooler := b.site(l, coolingLocation, coolingLocationID)
		giver := b.site(l, receivedFrom, receivedFromID)
		harvested, cooled := b.harvestOf(l, farm), ""
		if l.has(coolingLotID) || !l.has(harvestLot, harvestLotID) {
			cooled = b.coolingOf(l, farm, cooler)
		}
		b.keepPlace(l, harvestLocationID, farm)
		b.keepPlace(l, coolingLocationID, cooler)
		b.keepPlace(l, receivedFromID, giver)
		l.texts[harvestLotID], l.texts[coolingLotID] = harvested, cooled
		for _, in := range [...]struct {
			item  string
			place location
		}{{harvested, farm}, {cooled, cooler}} {
			if in.item == "" {
				continue
			}
			q := b.measure(l, in.item, receivedQuantity, receivedUOM, none)
			b.take(q)
			if receipt := b.receipt(l, q, in.place, house); receipt != nil {
				receipts = append(receipts, receipt)
			}
		}
		l.keepInput()
	}
	if len(b.event.InputQuantities) == 0 { // nobody knows what went in: the lot begins here
		e := b.event
		e.Type, e.Action = event.Object, event.Add
		e.Quantities, e.OutputQuantities = e.OutputQuantities, nil
	}
	return receipts
}

// keepInput has the row's part of the input keep all that it says: which row names which input stands nowhere else.
func (l *line) keepInput() {
	for f := range fieldCount {
		l.done[f] = l.done[f] && fields[f].about != theInput
	}
}

// take adds an input. The same one in two rows is one input with the sum of both.
func (b *builder) take(q event.Quantity) {
	for i := range b.event.InputQuantities {
		in := &b.event.InputQuantities[i]
		if in.EPCClass != q.EPCClass || in.UOM != q.UOM {
			continue
		}
		if sum, ok := in.Quantity.Add(q.Quantity); ok && in.Quantity.Stated && q.Quantity.Stated {
			in.Quantity = sum
			return
		}
	}
	b.event.InputQuantities = append(b.event.InputQuantities, q)
}

// receipt is the event of a packer's receiving what it packs, nil where the row does not date it.
func (b *builder) receipt(l *line, q event.Quantity, from, at location) *event.Event {
	m, ok := l.date(receivedDate, false)
	if !ok || at.uri == "" {
		return nil
	}
	e := &event.Event{Context: context, Type: event.Object, Action: event.Observe, BizStep: "receiving", Disposition: "in_progress",
		Quantities: []event.Quantity{q}, ReadPoint: &event.Place{ID: at.uri}, BizLocation: &event.Place{ID: at.uri},
		Destinations: []event.Destination{{Type: "location", Destination: at.uri}}}
	e.Time, e.TimeZoneOffset = b.onDay(l, m, receivedDate)
	if from.uri != "" {
		e.Sources = []event.Source{{Type: "location", Source: from.uri}}
	}
	var ext object
	ext.text("cte", string(packingReceipt))
	e.Ext = ext.value()
	return e
}

// landing: a lot begins where it comes to land.
func (b *builder) landing() {
	b.begin(event.Object, event.Add, beginsLot, "active", landingDate, "The landing date (21 CFR 1.1335(f))")
	b.event.Context = withGS1
	place := b.site(b.line, landingLocation, landingLocationID)
	item := b.lotOf(b.line, itsLot, b.source(place.scope), "The food landed")
	b.event.Quantities = []event.Quantity{b.measure(b.line, item, quantity, uom, quantityUOM)}
	b.at(place, true)
	b.document()
	b.date(catchStart, false)
	b.date(catchEnd, false)
	b.done[landingLocationID], b.done[tlcID] = true, true
}

// shipping and receiving move a lot. On a logistic unit it is seen inside of it.
func (b *builder) shipping() {
	b.begin(event.Object, event.Observe, "shipping", "in_transit", shipDate, "The ship date (21 CFR 1.1340(a)(6))")
	from := b.site(b.line, shipFrom, shipFromID)
	b.moved("The food shipped")
	b.at(from, false)
	b.from(from)
	b.to(b.site(b.line, shipTo, shipToID))
	b.document()
	b.done[shipFromID], b.done[shipToID], b.done[tlcID] = true, true, true
}

func (b *builder) receiving() {
	b.begin(event.Object, event.Observe, "receiving", "in_progress", receiveDate, "The date of receipt (21 CFR 1.1345(a)(6))")
	at := b.site(b.line, receiveLocation, receiveLocationID)
	b.moved("The food received")
	b.at(at, true)
	b.from(b.site(b.line, previousSource, previousSourceID))
	b.to(at)
	b.document()
	b.done[receiveLocationID], b.done[previousSourceID], b.done[tlcID] = true, true, true
}

func (b *builder) moved(what string) {
	unit := b.unit()
	e := b.event
	if unit != "" && !b.has(lot, tlc, tlcID) { // what is on it is not said
		b.remark(CodeKDE, lot, what+" has no traceability lot code: only the logistic unit can be traced.")
		e.EPCs = []string{unit}
		return
	}
	item := b.lotOf(b.line, itsLot, b.source(""), what)
	q := b.measure(b.line, item, quantity, uom, quantityUOM)
	if unit == "" {
		e.Quantities = []event.Quantity{q}
		return
	}
	e.Type, e.ParentID, e.ChildQuantities = event.Aggregation, unit, []event.Quantity{q}
}

// transformation: lots go into a new one. Each row says of one lot that it was used.
func (b *builder) transformation() {
	b.begin(event.Transformation, "", beginsLot, "active", transformDate, "The date of transformation (21 CFR 1.1350(a)(2)(iii))")
	plant := b.site(b.line, transformLocation, transformLocationID)
	made := b.lotOf(b.line, itsLot, b.source(plant.scope), "The food produced")
	b.event.OutputQuantities = []event.Quantity{b.measure(b.line, made, quantity, uom, quantityUOM)}
	b.at(plant, true)
	b.document()
	b.done[transformLocationID], b.done[tlcID] = true, true
	for _, l := range b.lines {
		l.check(requiredOfUsed)
		source := b.r.sender()
		if l.has(usedTLCSource) {
			source = b.site(l, usedTLCSource, none).scope
		}
		used := b.lotOf(l, itsUsed, source, "The food used")
		q := b.measure(l, used, usedQuantity, usedUOM, none)
		if id, _ := gs1.Parse(used); id.Kind != gs1.Lot || !l.has(usedGTIN) || !l.has(usedLot) { // the other columns do not say it
			l.texts[usedTLCID] = used
		}
		l.keepInput()
		b.take(q)
	}
}

// document refers to the reference document.
func (b *builder) document() {
	f, number := refDocNumber, b.texts[refDocNumber]
	if number == "" {
		f, number = refDoc, b.texts[refDoc]
	}
	if number == "" {
		return
	}
	uri := number
	if !isURI(number) {
		uri = ownName(ownDocument, b.r.sender(), number)
	}
	b.done[f] = uri == number || !strings.Contains(uri, ":sha256:")
	t := b.texts[refDocType]
	if t == "" {
		t = number
	}
	b.event.BizTransactions = []event.BizTransaction{{Type: documentType(t), BizTransaction: uri}}
}

// documentTypes are words of reference document types with the business transaction type of the CBV 2.0, section 7.3, that each means. The
// first one that a type begins with or contains counts.
var documentTypes = []struct{ word, btt string }{
	{"purchase order", "po"}, {"采购订单", "po"}, {"bill of lading", "bol"}, {"bol", "bol"}, {"提单", "bol"}, {"despatch", "desadv"}, {"dispatch", "desadv"},
	{"asn", "desadv"}, {"ship notice", "desadv"}, {"shipping notice", "desadv"}, {"发货单", "desadv"}, {"发货通知", "desadv"}, {"invoice", "inv"}, {"inv", "inv"},
	{"发票", "inv"}, {"certificate", "cert"}, {"证", "cert"}, {"work order", "prodorder"}, {"receiving", "recadv"}, {"收货单", "recadv"},
	{"production", "prodorder"}, {"batch log", "prodorder"}, {"pack order", "prodorder"}, {"生产", "prodorder"}, {"工单", "prodorder"},
	{"wo", "prodorder"}, {"po", "po"},
}

// documentType is "" for a type that the CBV has no word for. A short word counts only where it stands alone or before digits.
func documentType(text string) string {
	text = fold(text)
	for _, t := range documentTypes {
		rest, begins := strings.CutPrefix(text, t.word)
		switch {
		case len(t.word) <= 3 && t.word[0] < 0x80:
			if begins && (rest == "" || strings.ContainsAny(rest[:1], " -#:/0123456789")) {
				return t.btt
			}
		case strings.Contains(text, t.word):
			return t.btt
		}
	}
	return ""
}

// keep puts what the standard has no place for into ILMD and extension members.
func (b *builder) keep() {
	var lot, ext object
	ext.text("cte", string(b.cte()))
	inputs := b.cte() == Packing || b.cte() == Transformation
	hasILMD := b.event.Type == event.Transformation || b.event.Action == event.Add
	for f := range fieldCount {
		if b.done[f] || b.texts[f] == "" {
			continue
		}
		switch fields[f].about {
		case theSheet:
		case theEvent:
			ext.text(fields[f].name, b.kept(b.line, f))
		case theInput, theLot:
			switch {
			case fields[f].about == theInput && inputs:
			case hasILMD:
				lot.text(fields[f].name, b.kept(b.line, f))
			default:
				ext.text(fields[f].name, b.kept(b.line, f))
			}
		}
	}
	if inputs {
		lot.array("input", b.inputs())
	}
	ext.array("other", b.others())
	b.event.ILMD, b.event.Ext = lot.value(), ext.value()
}

// kept is the text of a field: a date in ISO 8601 where it is one.
func (b *builder) kept(l *line, f field) string {
	switch fields[f].kind {
	case date:
		l.date(f, false)
	case loose:
		if m, bad := l.cells[f].Date(sheet.YearFirst); bad == nil && !m.Serial {
			return isoText(m)
		}
	}
	return l.texts[f]
}

// inputs are what each row says of what went in.
func (b *builder) inputs() (all [][]byte) {
	for _, l := range b.lines {
		var o object
		for f := range fieldCount {
			if fields[f].about == theInput && !l.done[f] {
				o.text(fields[f].name, b.kept(l, f))
			}
		}
		if v := o.value(); v != nil {
			all = append(all, v)
		}
	}
	return all
}

// others are the cells of columns that are not known.
func (b *builder) others() (all [][]byte) {
	for _, l := range b.lines {
		for _, cell := range l.others {
			var o object
			o.text("column", cell.column)
			o.text("value", cell.value)
			all = append(all, o.value())
		}
	}
	return all
}
