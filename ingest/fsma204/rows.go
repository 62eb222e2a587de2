package fsma204

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// written is a row as it is written.
type written struct {
	cte    CTE
	time   time.Time
	texts  [fieldCount]string
	others []other
	ours   bool // the event was read from a sheet
}

// byName finds the field that a member keeps.
var byName = makeByName()

func makeByName() map[string]field {
	names := map[string]field{}
	for f := range fieldCount {
		if name := fields[f].name; name != "" && strings.Contains(name, ":") {
			names[name] = f
		} else if name != "" {
			names[prefix+name] = f
		}
	}
	return names
}

// rowsOf are the rows that tell of an event, and which critical tracking event it is, "" for none. What [Reader] made of rows becomes these rows
// again.
func rowsOf(e *event.Event) (rows []written, cte CTE) {
	row, said, inputs := kept(e)
	row.cte = classify(e, said)
	return row.of(e, inputs), row.cte
}

// of completes the rows of an event.
func (row written) of(e *event.Event, inputs []written) []written {
	row.time = e.Time.Time
	switch row.cte {
	case Harvest:
		row.dated(e, harvestDate)
		row.place(harvestLocationID, e.LocationKey())
		row.place(recipientID, e.DestinationOf("location"))
		return row.named(e, lotFields{id: harvestLotID})
	case Cooling:
		row.dated(e, coolingDate)
		row.place(coolingLocationID, e.Site())
		row.place(recipientID, e.DestinationOf("location"))
		id := coolingLotID
		if row.texts[harvestLot] != "" || !names(e, ownCooling) {
			id = harvestLotID
		}
		return row.named(e, lotFields{id: id})
	case Landing:
		row.dated(e, landingDate)
		row.place(landingLocationID, e.Site())
		return row.named(e, itsLot)
	case Shipping:
		row.dated(e, shipDate)
		row.place(shipFromID, first(e.ReadPointKey(), e.SourceOf("location"), e.LocationKey()))
		row.place(shipToID, e.DestinationOf("location"))
		return row.named(e, itsLot)
	case Receiving:
		row.dated(e, receiveDate)
		row.place(previousSourceID, e.SourceOf("location"))
		row.place(receiveLocationID, first(e.LocationKey(), e.ReadPointKey(), e.DestinationOf("location")))
		return row.named(e, itsLot)
	case Packing:
		row.dated(e, packDate)
		row.place(packLocationID, e.Site())
		return across(row.named(e, itsLot), inputs)
	case Transformation:
		row.dated(e, transformDate)
		row.place(transformLocationID, e.Site())
		if len(inputs) == 0 {
			inputs = usedBy(e)
		}
		return across(row.named(e, itsLot), inputs)
	}
	return nil
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// classify says which critical tracking event an event is: what it says itself, or what GS1's recommendations for FSMA 204 make of one.
// "" is none.
func classify(e *event.Event, said CTE) CTE {
	begins := e.Step() == beginsLot || e.Step() == "commissioning"
	switch {
	case e.ErrorDeclaration != nil:
		return ""
	case said != "":
		return said
	case e.Type == event.Transformation:
		return Transformation
	case e.Type == event.Object && e.Action == event.Add && begins:
		if bytes.Contains(e.ILMD, []byte("gs1:catchZone")) || bytes.Contains(e.ILMD, []byte("gs1:fishType")) {
			return Landing
		}
		return Harvest
	case e.Step() == "other" && len(e.SensorElements) > 0:
		return Cooling
	case e.Step() == "shipping":
		return Shipping
	case e.Step() == "receiving", e.Step() == "accepting":
		return Receiving
	}
	return ""
}

// kept reads the members that keep key data elements.
func kept(e *event.Event) (row written, said CTE, inputs []written) {
	if ours := bytes.Contains(e.Context, []byte(`"fsma204":"`+Namespace+`"`)); !ours {
		for name, value := range members(e.ILMD) {
			if strings.HasPrefix(name, "gs1:") {
				row.keep(name, value)
			}
		}
		return row, "", nil
	}
	row.ours = true
	for _, raw := range []jsontext.Value{e.Ext, e.ILMD} {
		for name, value := range members(raw) {
			switch name {
			case prefix + "cte":
				said = CTE(textOf(value))
			case prefix + "input":
				for part := range each(value) {
					var in written
					for name, value := range members(part) {
						in.keep(name, value)
					}
					inputs = append(inputs, in)
				}
			case prefix + "other":
				for part := range each(value) {
					var o other
					for name, value := range members(part) {
						switch name {
						case prefix + "column":
							o.column = textOf(value)
						case prefix + "value":
							o.value = textOf(value)
						}
					}
					row.others = append(row.others, o)
				}
			default:
				row.keep(name, value)
			}
		}
	}
	return row, said, inputs
}

// keep takes the text of a member over.
func (w *written) keep(name string, value jsontext.Value) {
	f, ok := byName[name]
	if !ok {
		return
	}
	var texts []string
	for v := range each(value) {
		texts = append(texts, textOf(v))
	}
	w.texts[f] = strings.Join(texts, "; ")
	if strings.HasSuffix(fields[f].name, "LocationID") || f == receivedFromID {
		w.texts[f] = placeText(w.texts[f])
	}
}

// dated writes when an event was.
func (w *written) dated(e *event.Event, f field) {
	t := e.Time.Time
	w.texts[f] = t.Format("2006-01-02T15:04:05.999999999")
	if day, midnight := strings.CutSuffix(w.texts[f], "T00:00:00"); midnight {
		w.texts[f] = day
	}
	if e.TimeZoneOffset != "+00:00" {
		w.texts[timeZone] = e.TimeZoneOffset
	}
	w.document(e)
}

// document writes the reference documents.
func (w *written) document(e *event.Event) {
	f := refDocNumber
	if (w.cte == Shipping || w.cte == Receiving) && w.texts[refDocType]+w.texts[refDoc] == "" {
		f = refDoc
	}
	if w.texts[f] != "" {
		return
	}
	var numbers []string
	for i := range e.BizTransactions {
		numbers = append(numbers, documentNumber(e.BizTransactions[i].BizTransaction))
	}
	w.texts[f] = strings.Join(numbers, "; ")
	if w.texts[refDocType] == "" && !w.ours && f == refDocNumber && len(e.BizTransactions) > 0 {
		w.texts[refDocType] = typeNames[event.BizTransactionTypes.Word(e.BizTransactions[0].Type)]
	}
}

// typeNames are what the types of business transactions of the CBV 2.0, section 7.3, are called.
var typeNames = map[string]string{"bol": "Bill of Lading", "cert": "Certificate", "desadv": "Despatch Advice", "inv": "Invoice", "po": "Purchase Order",
	"prodorder": "Production Order", "recadv": "Receiving Advice"}

// documentNumber is the number of a document of ours or of the CBV's form (CBV 2.0, section 8.5), else the URI.
func documentNumber(uri string) string {
	for _, stem := range [...]string{ownDocument, "urn:epcglobal:cbv:bt:"} {
		if rest, ok := strings.CutPrefix(uri, stem); ok {
			if _, number, ok := strings.Cut(rest, ":"); ok {
				if plain, err := url.PathUnescape(number); err == nil {
					return plain
				}
			}
		}
	}
	return uri
}

// place writes where: the identifier; the name is among the members that are kept.
func (w *written) place(id field, uri string) {
	if uri != "" {
		w.texts[id] = placeText(uri)
	}
}

// placeText is a GLN as digits, or a URI.
func placeText(uri string) string {
	if id, _ := gs1.Parse(uri); id.Kind == gs1.Location && id.Extension == "" {
		return id.GLN
	}
	return uri
}

// names says whether the first lot of an event has a URI below a stem.
func names(e *event.Event, stem string) bool {
	return len(e.Quantities) > 0 && strings.HasPrefix(e.Quantities[0].EPCClass, stem)
}

// named makes a row for each lot or logistic unit that the event names in its main role.
func (w written) named(e *event.Event, f lotFields) (rows []written) {
	unit := e.ParentID
	for _, q := range slices.Concat(e.Quantities, e.ChildQuantities, e.OutputQuantities) {
		row := w
		row.lot(f, q.EPCClass)
		row.amount(q, quantity, uom)
		row.unit(unit)
		rows = append(rows, row)
	}
	for _, epc := range slices.Concat(e.EPCs, e.ChildEPCs, e.OutputEPCs) {
		row := w
		if id, _ := gs1.Parse(epc); id.Kind == gs1.LogisticUnit || strings.HasPrefix(epc, ownUnit) || f.sscc != none && isUnit(w, e) {
			row.unit(epc)
		} else {
			row.lot(f, epc)
			row.unit(unit)
		}
		rows = append(rows, row)
	}
	return rows
}

// isUnit says whether the reader made an event of a logistic unit alone.
func isUnit(w written, e *event.Event) bool {
	return (w.cte == Shipping || w.cte == Receiving) && bytes.Contains(e.Ext, []byte(prefix+"cte"))
}

func (w *written) unit(uri string) {
	if uri == "" || w.texts[sscc] != "" {
		return
	}
	if id, _ := gs1.Parse(uri); id.Kind == gs1.LogisticUnit {
		w.texts[sscc] = id.Key
		return
	}
	w.texts[sscc] = uri
}

// lot writes which lot: GTIN and batch, or else the URI.
func (w *written) lot(f lotFields, uri string) {
	id, _ := gs1.Parse(uri)
	if id.Kind != gs1.Lot || f.gtin == none || w.texts[f.gtin]+w.texts[f.lot] != "" { // what is kept beside it says something else
		w.texts[f.id] = uri
		return
	}
	w.texts[f.gtin], w.texts[f.lot] = id.GTIN, id.Lot
}

func (w *written) amount(q event.Quantity, number, unit field) {
	if !q.Quantity.Stated {
		return
	}
	code := q.UOM
	if code == "" {
		code = "pcs"
	}
	if number == quantity && (w.cte == Shipping || w.cte == Receiving) && w.texts[quantityUOM] == "" {
		w.texts[quantityUOM] = q.Quantity.String() + " " + code
		return
	}
	w.texts[number], w.texts[unit] = q.Quantity.String(), code
}

// usedBy is what went into a transformation that was not read from rows.
func usedBy(e *event.Event) (inputs []written) {
	for i := range e.InputQuantities {
		var in written
		in.lot(itsUsed, e.InputQuantities[i].EPCClass)
		in.amount(e.InputQuantities[i], usedQuantity, usedUOM)
		inputs = append(inputs, in)
	}
	for _, epc := range e.InputEPCs {
		var in written
		in.lot(itsUsed, epc)
		inputs = append(inputs, in)
	}
	return inputs
}

// across writes each lot that was made beside each input. The columns that are not known are written once.
func across(made, inputs []written) (rows []written) {
	if len(inputs) == 0 {
		return made
	}
	for _, m := range made {
		for i, in := range inputs {
			row := m
			for f := range fieldCount {
				if in.texts[f] != "" {
					row.texts[f] = in.texts[f]
				}
			}
			if i > 0 {
				row.others = nil
			}
			rows = append(rows, row)
		}
	}
	return rows
}
