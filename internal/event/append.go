package event

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// object writes a JSON object member by member. It is written by hand because every event is written once for the
// ledger and the index while it is captured; a test holds it to what package json writes of the same types.
type object struct {
	b     []byte
	empty bool // no member yet
	err   error
}

func (o *object) begin() { o.b, o.empty = append(o.b, '{'), true }

func (o *object) end() { o.b, o.empty = append(o.b, '}'), false }

// name begins a member. Names are constants of the standard, which need no escape.
func (o *object) name(name string) {
	if !o.empty {
		o.b = append(o.b, ',')
	}
	o.empty = false
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

func (o *object) quote(s string) {
	if isPlain(s) {
		o.b = append(append(append(o.b, '"'), s...), '"')
		return
	}
	var err error
	o.b, err = jsontext.AppendQuote(o.b, s)
	o.err = errors.Join(o.err, err)
}

// isPlain says that a text stands in JSON as it is: ASCII without what JSON escapes.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func (o *object) must(name, s string) {
	o.name(name)
	o.quote(s)
}

func (o *object) text(name, s string) {
	if s != "" {
		o.must(name, s)
	}
}

func (o *object) time(name string, t Time) {
	if !t.IsZero() {
		o.must(name, t.String())
	}
}

func (o *object) number(name string, d Decimal) {
	if d.Stated {
		o.name(name)
		o.b = d.append(o.b)
	}
}

func (o *object) raw(name string, v jsontext.Value) {
	if v = o.canonical(v); len(v) > 0 && string(v) != "[]" && string(v) != `""` {
		o.name(name)
		o.b = append(o.b, v...)
	}
}

// embed writes the members of an object as members of this one.
func (o *object) embed(v jsontext.Value) {
	v = o.canonical(v)
	if len(v) == 0 {
		return
	}
	if v.Kind() != '{' {
		o.err = errors.Join(o.err, errors.New("event: extensions that are not a JSON object"))
		return
	}
	if !o.empty {
		o.b = append(o.b, ',')
	}
	o.empty = false
	o.b = append(o.b, v[1:len(v)-1]...)
}

func (o *object) canonical(v jsontext.Value) jsontext.Value {
	if len(v) == 0 {
		return nil
	}
	c, err := Canonical(v)
	o.err = errors.Join(o.err, err)
	return c
}

// rare writes a member as package json does.
func (o *object) rare(name string, v any) {
	o.name(name)
	b, err := json.Marshal(v, rawAsWritten)
	o.err = errors.Join(o.err, err)
	o.b = append(o.b, b...)
}

// list writes an array; element writes one value.
func list[T any](o *object, name string, values []T, element func(*T)) {
	if len(values) == 0 {
		return
	}
	o.name(name)
	o.array(len(values), func(i int) { element(&values[i]) })
}

func (o *object) array(n int, element func(int)) {
	o.b = append(o.b, '[')
	for i := range n {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		element(i)
	}
	o.b = append(o.b, ']')
	o.empty = false
}

func (o *object) texts(name string, values []string) {
	list(o, name, values, func(s *string) { o.quote(*s) })
}

func (o *object) event(e *Event) {
	o.begin()
	o.raw("@context", e.Context)
	o.must("type", string(e.Type))
	o.text("eventID", e.ID)
	o.must("eventTime", e.Time.String())
	o.must("eventTimeZoneOffset", e.TimeZoneOffset)
	o.time("recordTime", e.RecordTime)
	if e.ErrorDeclaration != nil {
		o.rare("errorDeclaration", e.ErrorDeclaration)
	}
	o.texts("certificationInfo", e.Certification)
	o.text("action", string(e.Action))
	o.what(e)
	o.text("bizStep", e.BizStep)
	o.text("disposition", e.Disposition)
	if p := e.PersistentDisposition; p != nil && len(p.Set)+len(p.Unset) > 0 {
		o.name("persistentDisposition")
		o.begin()
		o.texts("set", p.Set)
		o.texts("unset", p.Unset)
		o.end()
	}
	o.place("readPoint", e.ReadPoint)
	o.place("bizLocation", e.BizLocation)
	o.why(e)
	if len(e.SensorElements) > 0 {
		o.rare("sensorElementList", e.SensorElements)
	}
	o.raw("ilmd", e.ILMD)
	o.embed(e.Ext)
	o.end()
}

func (o *object) what(e *Event) {
	o.text("parentID", e.ParentID)
	if e.EPCs != nil { // an empty one was stated
		o.name("epcList")
		o.array(len(e.EPCs), func(i int) { o.quote(e.EPCs[i]) })
	}
	list(o, "quantityList", e.Quantities, o.quantity)
	o.texts("childEPCs", e.ChildEPCs)
	list(o, "childQuantityList", e.ChildQuantities, o.quantity)
	o.texts("inputEPCList", e.InputEPCs)
	list(o, "inputQuantityList", e.InputQuantities, o.quantity)
	o.texts("outputEPCList", e.OutputEPCs)
	list(o, "outputQuantityList", e.OutputQuantities, o.quantity)
	o.text("transformationID", e.TransformationID)
}

func (o *object) why(e *Event) {
	list(o, "bizTransactionList", e.BizTransactions, func(t *BizTransaction) {
		o.begin()
		o.text("type", t.Type)
		o.must("bizTransaction", t.BizTransaction)
		o.embed(t.Ext)
		o.end()
	})
	list(o, "sourceList", e.Sources, func(s *Source) {
		o.begin()
		o.must("type", s.Type)
		o.must("source", s.Source)
		o.embed(s.Ext)
		o.end()
	})
	list(o, "destinationList", e.Destinations, func(d *Destination) {
		o.begin()
		o.must("type", d.Type)
		o.must("destination", d.Destination)
		o.embed(d.Ext)
		o.end()
	})
}

func (o *object) quantity(q *Quantity) {
	o.begin()
	o.must("epcClass", q.EPCClass)
	o.number("quantity", q.Quantity)
	o.text("uom", q.UOM)
	o.embed(q.Ext)
	o.end()
}

func (o *object) place(name string, p *Place) {
	if p == nil {
		return
	}
	o.name(name)
	o.begin()
	o.must("id", p.ID)
	o.embed(p.Ext)
	o.end()
}
