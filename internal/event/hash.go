package event

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// Hash is the CBV 2.0 event hash ID of the event (CBV 2.0, section 8.9.2), ni:///sha-256;{hex}?ver=CBV2.0. It is computed
// from the content, never taken from eventID. docs/divergences.md says how it reads the standard where that leaves room.
func (e *Event) Hash() string {
	if h := e.memo.hash.Load(); h != nil {
		return *h
	}
	h := newHasher(e)
	sum := sha256.Sum256(h.event())
	b := append(make([]byte, 0, len("ni:///sha-256;?ver=CBV2.0")+2*len(sum)), "ni:///sha-256;"...)
	b = append(hex.AppendEncode(b, sum[:]), "?ver=CBV2.0"...)
	id := string(b)
	e.memo.hash.Store(&id)
	return id
}

// PreHash is the text whose SHA-256 is in [Event.Hash].
func (e *Event) PreHash() string { return string(newHasher(e).event()) }

// typicalPreHash is room for the text of most events without growing.
const typicalPreHash = 2048

// hasher builds the pre-hash text. List elements are rendered one after another and then sorted in place.
type hasher struct {
	e    *Event
	b    []byte
	cuts []int // ends of the elements of the lists that are being written
	ext  extension
}

func newHasher(e *Event) *hasher {
	h := &hasher{e: e, b: make([]byte, 0, typicalPreHash)}
	if h.needsContext() {
		h.ext.ns = namespacesOf(e.Context)
		h.ext.ignore = e.ignoredFields()
	}
	return h
}

func (h *hasher) needsContext() bool {
	for raw := range h.e.raws {
		if *raw != nil {
			return true
		}
	}
	return false
}

// event writes the members in the order of the standard. Transactions, destinations, ILMD, sources and members that the
// standard does not know come after it, in the order of their bytes, as the published vectors have them.
func (h *hasher) event() []byte {
	e := h.e
	h.text("eventType", string(e.Type))
	h.time("eventTime", e.Time)
	h.text("eventTimeZoneOffset", normalOffset(e.TimeZoneOffset))
	h.ids("", "certificationInfo", e.Certification)
	h.ids("epcList", "epc", e.EPCs)
	h.id("parentID", e.ParentID)
	h.ids("inputEPCList", "epc", e.InputEPCs)
	h.ids("childEPCs", "epc", e.ChildEPCs)
	h.quantities("quantityList", e.Quantities)
	h.quantities("childQuantityList", e.ChildQuantities)
	h.quantities("inputQuantityList", e.InputQuantities)
	h.ids("outputEPCList", "epc", e.OutputEPCs)
	h.quantities("outputQuantityList", e.OutputQuantities)
	h.text("action", string(e.Action))
	h.id("transformationID", e.TransformationID)
	h.word("bizStep", e.BizStep, BizSteps)
	h.word("disposition", e.Disposition, Dispositions)
	h.persistent(e.PersistentDisposition)
	h.place("readPoint", e.ReadPoint)
	h.place("bizLocation", e.BizLocation)
	h.sensorElements(e.SensorElements)
	start, cut := h.list("")
	h.transactions(e.BizTransactions)
	h.destinations(e.Destinations)
	h.ilmd(e.ILMD)
	h.sources(e.Sources)
	h.eachMember(e.Ext, func(name string, value jsontext.Value) { h.member(name, value) })
	h.leftovers()
	h.sort(start, cut)
	return h.b
}

func (h *hasher) put(s string) { h.b = append(h.b, s...) }

func (h *hasher) key(name string) {
	h.put(name)
	h.b = append(h.b, '=')
}

func (h *hasher) text(name, value string) {
	if value != "" {
		h.key(name)
		h.put(value)
	}
}

// id writes an identifier in its canonical form.
func (h *hasher) id(name, value string) {
	if value != "" {
		h.key(name)
		h.identifier(value)
	}
}

// identifier writes the Digital Link URI of a GS1 identifier; a name with a prefix that the event's context declares in full;
// any other text as it is.
func (h *hasher) identifier(s string) {
	if ns, local, ok := h.ext.resolve(s); ok {
		h.put(ns)
		h.put(local)
		return
	}
	h.put(canonicalID(s))
}

// canonicalID is the Digital Link URI of a GS1 identifier and any other text as it is.
func canonicalID(s string) string {
	if !strings.Contains(s, ":") {
		return s
	}
	c, _ := gs1.Canonical(s) // one that is not well formed stays as it is
	return c
}

// word writes a word of a vocabulary as its web URI.
func (h *hasher) word(name, value string, v *Vocabulary) {
	if value == "" {
		return
	}
	h.key(name)
	word, urn := v.cutURN(value)
	if urn || v.Has(value) {
		h.put(v.web)
		h.put(word)
		return
	}
	h.identifier(value)
}

// normalOffset is ±hh:mm; the forms Z and hh:mm stand for +00:00 and +hh:mm.
func normalOffset(s string) string {
	switch {
	case s == "Z" || s == "z" || s == "-00:00":
		return "+00:00"
	case len(s) == 5 && s[2] == ':':
		return "+" + s
	}
	return s
}

// time writes UTC with milliseconds, rounded half up.
func (h *hasher) time(name string, t Time) {
	if t.IsZero() {
		return
	}
	h.key(name)
	h.b = t.UTC().Add(time.Millisecond/2).Truncate(time.Millisecond).AppendFormat(h.b, "2006-01-02T15:04:05.000Z")
}

func (h *hasher) decimal(name string, d Decimal) {
	if d.Stated {
		h.key(name)
		h.b = d.append(h.b)
	}
}

// list begins a list; each element is followed by cut, the last by sort. Lists nest.
func (h *hasher) list(name string) (start, cut int) {
	h.put(name)
	return len(h.b), len(h.cuts)
}

func (h *hasher) cut() { h.cuts = append(h.cuts, len(h.b)) }

// sort puts the elements since list in the order of their bytes.
func (h *hasher) sort(start, firstCut int) {
	cuts := h.cuts[firstCut:]
	h.cuts = h.cuts[:firstCut]
	if len(cuts) < 2 || h.inOrder(start, cuts) {
		return
	}
	text := bytes.Clone(h.b[start:])
	parts := make([][]byte, len(cuts))
	for i, from := 0, start; i < len(cuts); i++ {
		parts[i] = text[from-start : cuts[i]-start]
		from = cuts[i]
	}
	slices.SortFunc(parts, bytes.Compare)
	h.b = h.b[:start]
	for _, p := range parts {
		h.b = append(h.b, p...)
	}
}

func (h *hasher) inOrder(start int, cuts []int) bool {
	for i, from := 1, start; i < len(cuts); i++ {
		if bytes.Compare(h.b[from:cuts[i-1]], h.b[cuts[i-1]:cuts[i]]) > 0 {
			return false
		}
		from = cuts[i-1]
	}
	return true
}

func (h *hasher) ids(list, name string, values []string) {
	if len(values) == 0 {
		return
	}
	start, cut := h.list(list)
	for _, v := range values {
		h.id(name, v)
		h.cut()
	}
	h.sort(start, cut)
}

func (h *hasher) quantities(list string, elements []Quantity) {
	if len(elements) == 0 {
		return
	}
	start, cut := h.list(list)
	for i := range elements {
		q := &elements[i]
		h.put("quantityElement")
		h.id("epcClass", q.EPCClass)
		h.decimal("quantity", q.Quantity)
		h.text("uom", q.UOM)
		h.members(q.Ext, list+"quantityElement")
		h.cut()
	}
	h.sort(start, cut)
}

func (h *hasher) persistent(p *PersistentDisposition) {
	if p == nil {
		return
	}
	h.put("persistentDisposition")
	h.words("set", p.Set)
	h.words("unset", p.Unset)
}

func (h *hasher) words(name string, values []string) {
	start, cut := h.list("")
	for _, v := range values {
		h.word(name, v, Dispositions)
		h.cut()
	}
	h.sort(start, cut)
}

func (h *hasher) place(name string, p *Place) {
	if p == nil {
		return
	}
	h.put(name)
	h.id("id", p.ID)
	h.members(p.Ext, name)
}

func (h *hasher) transactions(list []BizTransaction) {
	if len(list) == 0 {
		return
	}
	start, cut := h.list("bizTransactionList")
	for i := range list {
		h.word("type", list[i].Type, BizTransactionTypes)
		h.id("bizTransaction", list[i].BizTransaction)
		h.members(list[i].Ext, "bizTransactionList")
		h.cut()
	}
	h.sort(start, cut)
	h.cut()
}

func (h *hasher) sources(list []Source) {
	if len(list) == 0 {
		return
	}
	start, cut := h.list("sourceList")
	for i := range list {
		h.word("type", list[i].Type, SourceDestTypes)
		h.id("source", list[i].Source)
		h.members(list[i].Ext, "sourceList")
		h.cut()
	}
	h.sort(start, cut)
	h.cut()
}

func (h *hasher) destinations(list []Destination) {
	if len(list) == 0 {
		return
	}
	start, cut := h.list("destinationList")
	for i := range list {
		h.word("type", list[i].Type, SourceDestTypes)
		h.id("destination", list[i].Destination)
		h.members(list[i].Ext, "destinationList")
		h.cut()
	}
	h.sort(start, cut)
	h.cut()
}

func (h *hasher) ilmd(raw []byte) {
	if len(raw) > 0 {
		h.put("ilmd")
		h.object(raw)
		h.cut()
	}
}
