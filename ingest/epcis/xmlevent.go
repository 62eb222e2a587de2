package epcis

import (
	"bytes"
	"maps"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// shaper gives the elements of XML the form that they have in JSON.
type shaper struct {
	tree     *tree
	place    string // of the tree's root
	problems problemList
	context  ldContext // the namespaces of names
	shared   bool      // the context is the document's: not to be changed
	taken    []string  // prefixes that values begin with
}

// items are the elements in a list that has an element of its own. Other lists of JSON are elements that repeat.
var items = map[string]string{
	"epcList": "epc", "childEPCs": "epc", "inputEPCList": "epc", "outputEPCList": "epc", "correctiveEventIDs": "correctiveEventID",
	"quantityList": "quantityElement", "childQuantityList": "quantityElement", "inputQuantityList": "quantityElement",
	"outputQuantityList": "quantityElement", "bizTransactionList": "bizTransaction", "sourceList": "source",
	"destinationList": "destination", "sensorElementList": "sensorElement",
}

// words are the members whose values are of a vocabulary; types those of the type attribute of an element.
var (
	words = map[string]*event.Vocabulary{"bizStep": event.BizSteps, "disposition": event.Dispositions, "set": event.Dispositions,
		"unset": event.Dispositions, "reason": event.ErrorReasons, "component": event.Components, "exception": event.SensorAlerts}
	types = map[string]*event.Vocabulary{"bizTransaction": event.BizTransactionTypes, "source": event.SourceDestTypes,
		"destination": event.SourceDestTypes, "sensorReport": event.MeasurementTypes}
)

// quantityEvent is the event type that EPCIS 1.1 deprecated and 2.0 no longer has.
const quantityEvent = "QuantityEvent"

// The shapes of events in XML. Their type is the element's name.
var (
	xmlEventShape    = without(eventShape, "type", "@context")
	typeShape        = shape{"type": {uriText, nil}}
	xmlQuantityShape = with(xmlEventShape, shape{"epcClass": {uriText, nil}, "quantity": {number, nil}})
)

func without(s shape, names ...string) shape {
	s = maps.Clone(s)
	for _, name := range names {
		delete(s, name)
	}
	return s
}

func with(s, more shape) shape {
	s = maps.Clone(s)
	maps.Copy(s, more)
	return s
}

// shaper begins the next tree, at the place where the scanner is.
func (x *xmlSource) shaper() *shaper {
	if !sameScope(x.outer, x.scope) {
		x.outer, x.declared = append(x.outer[:0], x.scope...), ldContext{}
		for _, b := range x.outer { // an inner one replaces an outer one
			if isPrefix(b.prefix) && b.uri != "" {
				x.declared.declare(b.prefix, b.uri)
			}
		}
	}
	return &shaper{tree: &x.tree, place: x.path(), context: x.declared, shared: true}
}

func (s *shaper) refuse(n *node, code Code, message string) {
	s.problems.add(Problem{Code: code, Message: message, Pointer: s.place + n.path(), Offset: n.offset})
}

func (s *shaper) remark(n *node, code Code, message string) {
	s.problems.add(Problem{Code: code, Severity: Finding, Message: message, Pointer: s.place + n.path(), Offset: n.offset})
}

// event gives an event its form.
func (s *shaper) event(n *node) {
	s.values(n)
	typ := s.synthetic("type", n)
	n.kind = objectValue
	n.add(typ)
	if n.is(quantityEvent) {
		s.object(n, xmlQuantityShape)
		s.quantityEvent(n, typ)
		return
	}
	name := n.tag.Local
	if !n.standard() {
		name = s.nameOf(n)
	}
	typ.text = append(typ.text, name...)
	s.object(n, xmlEventShape)
}

// quantityEvent makes the ObjectEvent that says the same: EPCIS 1.1, section 7.4.4 names it as the replacement.
func (s *shaper) quantityEvent(n, typ *node) {
	typ.text = append(typ.text, event.Object...)
	s.remark(n, CodeQuantity, "A QuantityEvent is read as an ObjectEvent with action OBSERVE and a quantity.")
	action, epcs, list, quantity := s.synthetic("action", n), s.list(n, "epcList"), s.list(n, "quantityList"), s.synthetic("", n)
	action.text = append(action.text, event.Observe...)
	quantity.kind = objectValue
	list.members = append(list.members, quantity)
	rest := n.members
	n.members, n.index = nil, nil
	for _, m := range rest {
		if m.name == "epcClass" || m.name == "quantity" {
			quantity.add(m)
		} else {
			n.add(m)
		}
	}
	n.add(action)
	n.add(epcs)
	n.add(list)
}

// synthetic is a value that stands for something of n without being an element.
func (s *shaper) synthetic(name string, n *node) *node {
	out := s.tree.new()
	out.name, out.source, out.offset = name, n, n.offset
	return out
}

func (s *shaper) list(n *node, name string) *node {
	out := s.synthetic(name, n)
	out.kind = arrayValue
	return out
}

// object gives an element the members of a shape, and extensions.
func (s *shaper) object(n *node, of shape) {
	n.kind = objectValue
	if len(n.text) > 0 {
		s.refuse(n, CodeUnexpected, "Text has no place in this element.")
	}
	for _, k := range n.kids {
		s.member(n, k, of, false)
	}
}

// member puts an attribute or element into an object. What stands in a wrapper of EPCIS 1.x is a member of what that is in.
func (s *shaper) member(into, k *node, of shape, wrapped bool) {
	if k.uri == xmlNamespace { // xml:lang of an element that has no language
		return
	}
	if isWrapper(k.tag.Local) && k.is(k.tag.Local) {
		if len(k.text) > 0 {
			s.refuse(k, CodeUnexpected, "Text has no place in this element.")
		}
		for _, inner := range k.kids {
			s.member(into, inner, of, true)
		}
		return
	}
	m, known := of[k.tag.Local]
	switch {
	case known && k.standard() && k.attr == attributesOf(into.tag.Local)[k.tag.Local]:
		s.known(into, k, m)
	case k.standard() && !k.attr && !wrapped:
		s.refuse(k, CodeUnexpected, "The standard has no such element here.")
	default:
		s.free(into, k)
	}
}

// isWrapper says whether a name is that of an element in which EPCIS 1.x puts what came after its first version.
func isWrapper(local string) bool { return local == "extension" || local == "baseExtension" }

// attributesOf are the members of an element that are attributes in XML.
func attributesOf(element string) map[string]bool {
	switch element {
	case "sensorMetadata":
		return metadataAttributes
	case "sensorReport":
		return reportAttributes
	case "bizTransaction", "source", "destination":
		return typeAttribute
	case "VocabularyElement", "attribute":
		return idAttribute
	}
	return nil
}

var (
	metadataAttributes = names(metadataShape)
	reportAttributes   = names(reportShape)
	typeAttribute      = map[string]bool{"type": true}
	idAttribute        = map[string]bool{"id": true}
)

func names(s shape) map[string]bool {
	out := map[string]bool{}
	for name := range s {
		out[name] = true
	}
	return out
}

// known puts a member of the standard into an object.
func (s *shaper) known(into, k *node, m member) {
	k.name = k.tag.Local
	before := into.member(k.name)
	item, listed := items[k.name]
	switch {
	case listed:
		s.listed(k, item, m)
	case m.kind == objectList || m.kind == someURIs || m.kind == uriOrList: // elements that repeat
		if before == nil {
			before = s.list(k, k.name)
			into.add(before)
		}
		s.item(k, m)
		before.members = append(before.members, k)
		return
	case m.kind == object || m.kind == closedObject:
		s.object(k, m.of)
	case m.kind == anyObject:
		for _, inner := range k.kids {
			s.unwrapped(k, inner)
		}
		if len(k.text) > 0 {
			s.refuse(k, CodeUnexpected, "Text has no place in this element.")
		}
		k.kind = objectValue
	case !s.scalar(k, m.kind, into):
		return
	}
	if before != nil {
		s.refuse(k, CodeRepeated, "The element is there before.")
		return
	}
	into.add(k)
}

// listed gives a list its items.
func (s *shaper) listed(k *node, item string, m member) {
	k.kind = arrayValue
	if len(k.text) > 0 {
		s.refuse(k, CodeUnexpected, "Text has no place in this element.")
	}
	for _, e := range k.kids {
		if !e.is(item) {
			s.refuse(e, CodeUnexpected, "The standard has no such element here.")
			continue
		}
		s.item(e, m)
		k.members = append(k.members, e)
	}
}

// item gives an element of a list its form: a text, an object, or an object of its text and its type.
func (s *shaper) item(e *node, m member) {
	local := e.tag.Local
	_, typed := m.of[local]
	switch {
	case m.of == nil:
		s.plain(e)
		s.word(e, words[local])
	case typed:
		value := s.synthetic(local, e)
		value.text = append(value.text, e.text...)
		e.text = e.text[:0]
		s.object(e, typeShape)
		e.add(value)
	default:
		s.object(e, m.of)
	}
}

// plain refuses what cannot be in an element or attribute that is a text.
func (s *shaper) plain(k *node) {
	for _, inner := range k.kids {
		if inner.uri != xmlNamespace {
			s.refuse(inner, CodeUnexpected, "The standard has nothing like this here.")
		}
	}
}

// scalar gives a text, number or boolean its form. It reports false for one that says nothing.
func (s *shaper) scalar(k *node, kind kind, in *node) bool {
	s.plain(k)
	if len(k.text) == 0 && kind != anyText {
		if !k.null {
			s.remark(k, CodeEmpty, "The element is empty and taken as not there.")
		}
		return false
	}
	switch kind {
	case number:
		if text, ok := jsonNumber(k.text); ok {
			k.kind, k.text = literal, text
		}
	case boolean:
		switch string(k.text) {
		case "true", "1":
			k.kind, k.text = literal, append(k.text[:0], "true"...)
		case "false", "0":
			k.kind, k.text = literal, append(k.text[:0], "false"...)
		}
	case uriText:
		if k.name == "type" {
			s.word(k, types[in.tag.Local])
		} else {
			s.word(k, words[k.name])
		}
	}
	return true
}

// word writes a word of a vocabulary as JSON has it. Another term of GS1's web vocabulary keeps a prefix, which JSON wants it to have.
func (s *shaper) word(k *node, v *event.Vocabulary) {
	if v == nil {
		return
	}
	short := v.Short(string(k.text))
	if term, ok := strings.CutPrefix(short, event.WebVocabulary.URI); ok {
		short = s.prefix(event.WebVocabulary.Prefix, event.WebVocabulary.URI) + ":" + term
	}
	k.text = append(k.text[:0], short...)
}

// jsonNumber writes an xsd:decimal or xsd:double as JSON does: without a plus sign, leading zeros or a bare point.
func jsonNumber(text []byte) ([]byte, bool) {
	rest := text
	var out []byte
	if len(rest) > 0 && (rest[0] == '+' || rest[0] == '-') {
		if rest[0] == '-' {
			out = append(out, '-')
		}
		rest = rest[1:]
	}
	mantissa, exponent, scientific := bytes.Cut(bytes.ToLower(rest), []byte("e"))
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	exponent = bytes.TrimPrefix(exponent, []byte("+"))
	if len(whole)+len(fraction) == 0 || !digits(whole) || !digits(fraction) || scientific && !digits(bytes.TrimPrefix(exponent, []byte("-"))) {
		return nil, false
	}
	if whole = bytes.TrimLeft(whole, "0"); len(whole) == 0 {
		whole = []byte("0")
	}
	out = append(out, whole...)
	if len(fraction) > 0 {
		out = append(append(out, '.'), fraction...)
	}
	if scientific {
		if len(bytes.TrimPrefix(exponent, []byte("-"))) == 0 {
			return nil, false
		}
		out = append(append(out, 'e'), exponent...)
	}
	return out, true
}

func digits(b []byte) bool { return len(bytes.Trim(b, "0123456789")) == 0 }
