package epcis

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// XMLWriter writes a document in XML of EPCIS 2.0 event by event.
type XMLWriter struct {
	w   *bufio.Writer
	end string // closes what the head opened
	err error
}

// NewXMLWriter writes the head of a document. Header.Type chooses the kind: EPCISQueryDocument, or for any other EPCISDocument; CreationDate must be
// stated. Errors show in [XMLWriter.Close].
func NewXMLWriter(w io.Writer, h Header) *XMLWriter {
	var x xmlText
	end := x.head(&h)
	out := &XMLWriter{w: bufio.NewWriter(w), end: end, err: x.err}
	out.write(x.b)
	return out
}

func (w *XMLWriter) write(b []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(b)
	}
}

// Write adds an event. An event that XML cannot have (a member whose name is no name of XML, a control character) is an error, and not written.
func (w *XMLWriter) Write(e *event.Event) error {
	x := xmlText{context: readContext(e.Context, "", func(Problem) {})}
	x.event(e)
	if x.err != nil {
		return fmt.Errorf("epcis: the event cannot be written in XML: %w", x.err)
	}
	w.write(append(x.b, '\n'))
	return w.err
}

// Close ends the document and reports the first error of writing. It does not close the underlying writer.
func (w *XMLWriter) Close() error {
	w.write([]byte(w.end))
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return w.err
}

// xmlText is an event on its way to XML.
type xmlText struct {
	b       []byte
	context ldContext
	builtin []event.Namespace // of the standard's JSON context that names have
	err     error
}

func (x *xmlText) fail(format string, args ...any) {
	if x.err == nil {
		x.err = fmt.Errorf(format, args...)
	}
}

func (x *xmlText) open(name string) { x.b = append(append(append(x.b, '<'), name...), '>') }

func (x *xmlText) close(name string) { x.b = append(append(append(x.b, "</"...), name...), '>') }

// chars writes a text. XML has no control characters, not even as references.
func (x *xmlText) chars(s string) {
	for _, r := range s {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			x.fail("it has the character %U", r)
		}
	}
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		x.fail("%w", err)
	}
	x.b = append(x.b, b.String()...)
}

func (x *xmlText) element(name, text string) {
	x.open(name)
	x.chars(text)
	x.close(name)
}

// uri writes an element with an identifier or word, if there is one. A prefix means something in names only, so a value is written in full.
func (x *xmlText) uri(name, value string) {
	if value != "" {
		x.element(name, x.full(value))
	}
}

func (x *xmlText) full(value string) string {
	prefix, local, ok := strings.Cut(value, ":")
	if !ok || strings.HasPrefix(local, "//") {
		return value
	}
	for i := range x.context.prefixes {
		if p := &x.context.prefixes[i]; p.name == prefix {
			return p.uri + local
		}
	}
	return value
}

func (x *xmlText) attr(name, value string) {
	if value != "" {
		x.b = append(append(append(x.b, ' '), name...), `="`...)
		x.chars(value)
		x.b = append(x.b, '"')
	}
}

func (x *xmlText) time(name string, t event.Time) {
	if !t.IsZero() {
		x.element(name, t.String())
	}
}

// event writes an event in the order of the schema.
func (x *xmlText) event(e *event.Event) {
	x.members(e)
	body := x.b
	x.b = append([]byte{'<'}, e.Type...)
	for i := range x.context.prefixes {
		x.attr("xmlns:"+x.context.prefixes[i].name, x.context.prefixes[i].uri)
	}
	for _, ns := range x.builtin {
		x.attr("xmlns:"+ns.Prefix, ns.URI)
	}
	x.b = append(append(x.b, '>'), body...)
	x.close(string(e.Type))
}

// members writes the elements in an event.
func (x *xmlText) members(e *event.Event) {
	x.time("eventTime", e.Time)
	x.time("recordTime", e.RecordTime)
	x.element("eventTimeZoneOffset", e.TimeZoneOffset)
	if e.ID != "" {
		x.element("eventID", e.ID)
	}
	x.declaration(e.ErrorDeclaration)
	for _, c := range e.Certification {
		x.uri("certificationInfo", c)
	}
	x.what(e)
	x.word("bizStep", e.BizStep, event.BizSteps)
	x.word("disposition", e.Disposition, event.Dispositions)
	x.place("readPoint", e.ReadPoint)
	x.place("bizLocation", e.BizLocation)
	if e.Type != event.Transaction {
		x.transactions(e.BizTransactions)
	}
	if e.Type != event.Association {
		x.quantities("childQuantityList", e.ChildQuantities)
	}
	x.quantities("quantityList", e.Quantities)
	x.sources(e)
	x.sensorElements(e.SensorElements)
	x.persistent(e.PersistentDisposition)
	if len(e.ILMD) > 0 {
		x.open("ilmd")
		x.extensions(e.ILMD)
		x.close("ilmd")
	}
	x.extensions(e.Ext)
}

func (x *xmlText) what(e *event.Event) {
	if e.Type == event.Transaction {
		x.transactions(e.BizTransactions)
	}
	x.uri("parentID", e.ParentID)
	x.epcs("childEPCs", e.ChildEPCs)
	if e.Type == event.Association {
		x.quantities("childQuantityList", e.ChildQuantities)
	}
	x.epcs("epcList", e.EPCs)
	x.epcs("inputEPCList", e.InputEPCs)
	x.quantities("inputQuantityList", e.InputQuantities)
	x.epcs("outputEPCList", e.OutputEPCs)
	x.quantities("outputQuantityList", e.OutputQuantities)
	x.uri("transformationID", e.TransformationID)
	if e.Action != "" {
		x.element("action", string(e.Action))
	}
}

func (x *xmlText) declaration(d *event.ErrorDeclaration) {
	if d == nil {
		return
	}
	x.open("errorDeclaration")
	x.time("declarationTime", d.DeclarationTime)
	x.word("reason", d.Reason, event.ErrorReasons)
	if len(d.CorrectiveEventIDs) > 0 {
		x.open("correctiveEventIDs")
		for _, id := range d.CorrectiveEventIDs {
			x.element("correctiveEventID", id)
		}
		x.close("correctiveEventIDs")
	}
	x.extensions(d.Ext)
	x.close("errorDeclaration")
}

// epcs writes a list that is there, even if it is empty.
func (x *xmlText) epcs(name string, list []string) {
	if list == nil {
		return
	}
	x.open(name)
	for _, epc := range list {
		x.uri("epc", epc)
	}
	x.close(name)
}

func (x *xmlText) quantities(name string, list []event.Quantity) {
	if len(list) == 0 {
		return
	}
	x.open(name)
	for i := range list {
		q := &list[i]
		x.open("quantityElement")
		x.uri("epcClass", q.EPCClass)
		switch {
		case q.Quantity.Stated:
			x.element("quantity", q.Quantity.String())
		case q.UOM != "": // the schema wants a quantity before a unit
			x.b = append(x.b, `<quantity xmlns:xsi="`+xsi+`" xsi:nil="true"/>`...)
		}
		if q.UOM != "" {
			x.element("uom", q.UOM)
		}
		x.extensions(q.Ext)
		x.close("quantityElement")
	}
	x.close(name)
}

func (x *xmlText) word(name, value string, v *event.Vocabulary) { x.uri(name, v.Long(value)) }

func (x *xmlText) place(name string, p *event.Place) {
	if p != nil {
		x.open(name)
		x.uri("id", p.ID)
		x.extensions(p.Ext)
		x.close(name)
	}
}

func (x *xmlText) typed(name, typ, value string, v *event.Vocabulary) {
	x.b = append(append(x.b, '<'), name...)
	x.attr("type", x.full(v.Long(typ)))
	x.b = append(x.b, '>')
	x.chars(x.full(value))
	x.close(name)
}

func (x *xmlText) transactions(list []event.BizTransaction) {
	if len(list) == 0 {
		return
	}
	x.open("bizTransactionList")
	for _, t := range list {
		x.typed("bizTransaction", t.Type, t.BizTransaction, event.BizTransactionTypes)
	}
	x.close("bizTransactionList")
}

func (x *xmlText) sources(e *event.Event) {
	if len(e.Sources) > 0 {
		x.open("sourceList")
		for _, s := range e.Sources {
			x.typed("source", s.Type, s.Source, event.SourceDestTypes)
		}
		x.close("sourceList")
	}
	if len(e.Destinations) > 0 {
		x.open("destinationList")
		for _, d := range e.Destinations {
			x.typed("destination", d.Type, d.Destination, event.SourceDestTypes)
		}
		x.close("destinationList")
	}
}

func (x *xmlText) persistent(p *event.PersistentDisposition) {
	if p == nil {
		return
	}
	x.open("persistentDisposition")
	for _, s := range p.Unset {
		x.word("unset", s, event.Dispositions)
	}
	for _, s := range p.Set {
		x.word("set", s, event.Dispositions)
	}
	x.close("persistentDisposition")
}
