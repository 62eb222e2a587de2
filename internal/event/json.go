package event

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// rawAsWritten keeps numbers in extension members as their sender wrote them and sorts members: canonical but for numbers,
// which RFC 8785 would round to float64.
var rawAsWritten = json.JoinOptions(
	jsontext.ReorderRawObjects(true),
	jsontext.CanonicalizeRawInts(false),
	jsontext.CanonicalizeRawFloats(false),
	jsontext.PreserveRawStrings(false),
	jsontext.SpaceAfterComma(false), jsontext.SpaceAfterColon(false), jsontext.Multiline(false),
)

// MaxDepth of nesting in members outside of the standard: the deepest published example has 6, and hashing costs time by depth.
const MaxDepth = 32

// plain is an Event with the library's own way to read and write it.
type plain Event

// Marshal is the event as EPCIS 2.0 JSON in one form only: members of the standard in the order of [Event]'s fields, then
// extension members sorted recursively, no white space, numbers in extensions as they were written. It fails only when a raw
// part (Context, ILMD, Ext) that was built in process is not valid JSON of its kind, or a text is not UTF-8.
func Marshal(e *Event) ([]byte, error) {
	o := object{b: make([]byte, 0, 1024)}
	o.event(e)
	return o.b, o.err
}

// Text is what [Marshal] returns, made once. The bytes are shared: do not change them.
func (e *Event) Text() ([]byte, error) {
	if p := e.memo.text.Load(); p != nil {
		return *p, nil
	}
	b, err := Marshal(e)
	if err == nil {
		e.memo.text.Store(&b)
	}
	return b, err
}

// MarshalJSONTo writes what [Marshal] returns.
func (e *Event) MarshalJSONTo(enc *jsontext.Encoder) error {
	b, err := e.Text()
	if err != nil {
		return err
	}
	return enc.WriteValue(b)
}

// Unmarshal reads one event in EPCIS 2.0 JSON. It checks types and values, not the rules of the standard: ingest does that
// before anything becomes a record. Errors of values wrap *[Error].
func Unmarshal(b []byte) (*Event, error) {
	e := new(Event)
	if err := json.Unmarshal(b, e); err != nil {
		return nil, err
	}
	return e, nil
}

// UnmarshalJSONFrom replaces the event by one that is read as [Unmarshal] does.
func (e *Event) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*e = Event{}
	if err := json.UnmarshalDecode(dec, (*plain)(e)); err != nil {
		return err
	}
	return e.Normalise()
}

// Normalise puts the raw parts of an event in their canonical form and makes empty lists nil (all but
// epcList, which the standard lets stand empty), so that an event equals what [Marshal] and [Unmarshal] make of it.
func (e *Event) Normalise() error {
	for raw := range e.raws {
		c, err := Canonical(*raw)
		if err != nil {
			return err
		}
		*raw = c
	}
	dropEmpty(&e.ChildEPCs, &e.InputEPCs, &e.OutputEPCs, (*[]string)(&e.Certification))
	dropEmpty(&e.Quantities, &e.ChildQuantities, &e.InputQuantities, &e.OutputQuantities)
	dropEmpty(&e.BizTransactions)
	dropEmpty(&e.Sources)
	dropEmpty(&e.Destinations)
	dropEmpty(&e.SensorElements)
	for i := range e.SensorElements {
		dropEmpty(&e.SensorElements[i].Reports)
	}
	if p := e.PersistentDisposition; p != nil {
		dropEmpty(&p.Set, &p.Unset)
		if p.Set == nil && p.Unset == nil {
			e.PersistentDisposition = nil
		}
	}
	if d := e.ErrorDeclaration; d != nil {
		dropEmpty(&d.CorrectiveEventIDs)
	}
	return nil
}

func dropEmpty[T any](lists ...*[]T) {
	for _, l := range lists {
		if len(*l) == 0 {
			*l = nil
		}
	}
}

// Canonical is a raw JSON value with sorted members and without white space, numbers as written. An empty value, an empty
// object and null are nil: nothing was said. A value nested deeper than [MaxDepth] is an *[Error] with Code [TooDeep].
func Canonical(raw jsontext.Value) (jsontext.Value, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	if Depth(raw) > MaxDepth {
		return nil, &Error{Code: TooDeep, Msg: "is nested too deep"}
	}
	c := raw.Clone()
	if err := c.Format(rawAsWritten); err != nil {
		return nil, err
	}
	if s := string(c); s == "{}" || s == "null" {
		return nil, nil
	}
	return c, nil
}

// raws yields every raw part of the event in a fixed order.
func (e *Event) raws(yield func(*jsontext.Value) bool) {
	ok := yield(&e.Context) && yield(&e.ILMD) && yield(&e.Ext)
	for _, list := range [...][]Quantity{e.Quantities, e.ChildQuantities, e.InputQuantities, e.OutputQuantities} {
		for i := range list {
			ok = ok && yield(&list[i].Ext)
		}
	}
	for _, p := range [...]*Place{e.ReadPoint, e.BizLocation} {
		ok = ok && (p == nil || yield(&p.Ext))
	}
	for i := range e.BizTransactions {
		ok = ok && yield(&e.BizTransactions[i].Ext)
	}
	for i := range e.Sources {
		ok = ok && yield(&e.Sources[i].Ext)
	}
	for i := range e.Destinations {
		ok = ok && yield(&e.Destinations[i].Ext)
	}
	if d := e.ErrorDeclaration; d != nil {
		ok = ok && yield(&d.Ext)
	}
	for i := range e.SensorElements {
		s := &e.SensorElements[i]
		ok = ok && yield(&s.Ext) && (s.Metadata == nil || yield(&s.Metadata.Ext))
		for j := range s.Reports {
			ok = ok && yield(&s.Reports[j].Ext)
		}
	}
}

// Depth is how deep arrays and objects are nested in a JSON value.
func Depth(raw jsontext.Value) (deepest int) {
	level, inString := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}
