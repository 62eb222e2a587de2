package epcis

import (
	"bufio"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// ContextURI names the JSON-LD context of EPCIS 2.0.
const ContextURI = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"

// Writer writes a document event by event. Each event carries the context of its own extensions.
type Writer struct {
	w      *bufio.Writer
	end    string // closes what the head opened
	events int
	err    error
}

// NewWriter writes the head of a document. Header.Type chooses the kind: EPCISQueryDocument, or for any other EPCISDocument; SchemaVersion is 2.0 unless it is another 2.x;
// CreationDate must be stated. The master data of a query document stand in its results. Errors show in [Writer.Close].
func NewWriter(w io.Writer, h Header) *Writer {
	out := &Writer{w: bufio.NewWriter(w)}
	vocabularies, err := h.vocabularyList()
	out.err = err
	head := h.head(vocabularies)
	if h.Type == queryType {
		head = append(head, `"epcisBody":{"queryResults":{`...)
		head = appendMember(head, "queryName", h.QueryName, true)
		head = appendMember(head, "subscriptionID", h.SubscriptionID, false)
		head = append(head, `"resultsBody":{`...)
		out.end = "]}}}}"
	} else {
		head = append(head, `"epcisBody":{`...)
		out.end = "]}}"
	}
	if vocabularies != nil && h.Type == queryType {
		head = append(append(append(head, `"vocabularyList":`...), vocabularies...), ',')
	}
	head = append(head, `"eventList":[`...)
	out.write(head)
	return out
}

func (w *Writer) write(b []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(b)
	}
}

// Write adds an event.
func (w *Writer) Write(e *event.Event) error {
	b, err := event.Marshal(e)
	if err != nil {
		return err
	}
	if w.events++; w.events > 1 {
		w.write([]byte(",\n"))
	}
	w.write(b)
	return w.err
}

// Close ends the document and reports the first error of writing. It does not close the underlying writer.
func (w *Writer) Close() error {
	w.write([]byte(w.end + "\n"))
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return w.err
}

// Write writes a whole document; see [NewWriter].
func Write(w io.Writer, h Header, events []*event.Event) error {
	out := NewWriter(w, h)
	for _, e := range events {
		if err := out.Write(e); err != nil {
			return err
		}
	}
	return out.Close()
}

// head is a document's text up to the comma before epcisBody.
func (h *Header) head(vocabularies []byte) []byte {
	typ := docType
	if h.Type == queryType {
		typ = queryType
	}
	b := []byte(`{"@context":["` + ContextURI + `"],`)
	b = appendMember(b, "id", h.ID, false)
	b = appendMember(b, "type", typ, true)
	b = appendMember(b, "schemaVersion", h.version(), true)
	b = appendMember(b, "creationDate", h.CreationDate.String(), h.Type != queryType)
	if h.Type == queryType {
		return b
	}
	b = appendMember(b, "sender", h.Sender, false)
	b = appendMember(b, "receiver", h.Receiver, false)
	b = appendMember(b, "instanceIdentifier", h.InstanceIdentifier, false)
	if vocabularies != nil {
		b = append(append(append(b, `"epcisHeader":{"epcisMasterData":{"vocabularyList":`...), vocabularies...), "}},"...)
	}
	return b
}

// version is that of what is written. What was read as EPCIS 1.x is written as 2.0.
func (h *Header) version() string {
	if strings.HasPrefix(h.SchemaVersion, "2") {
		return h.SchemaVersion
	}
	return "2.0"
}

func appendMember(b []byte, name, value string, always bool) []byte {
	if value == "" && !always {
		return b
	}
	b = append(append(append(b, '"'), name...), `":`...)
	b, _ = jsontext.AppendQuote(b, value) // fails on bad UTF-8 only, which it replaces
	return append(b, ',')
}

// The types of the vocabularies that are written.
const (
	siteType    = "urn:epcglobal:epcis:vtype:Location"
	productType = "urn:epcglobal:epcis:vtype:EPCClass"
)

type vocabularyOut struct {
	Type     string       `json:"type"`
	Elements []elementOut `json:"vocabularyElementList"`
}

type elementOut struct {
	ID         string         `json:"id"`
	Attributes []attributeOut `json:"attributes,omitempty"`
}

type attributeOut struct {
	ID    string         `json:"id"`
	Value jsontext.Value `json:"attribute"`
}

// vocabularyList is the JSON of the sites and products, nil without any.
func (h *Header) vocabularyList() ([]byte, error) {
	m := h.MasterData
	if m == nil || len(m.Sites)+len(m.Products) == 0 {
		return nil, nil
	}
	var lists []vocabularyOut
	if len(m.Sites) > 0 {
		v := vocabularyOut{Type: siteType}
		for i := range m.Sites {
			v.Elements = append(v.Elements, elementOut{m.Sites[i].ID, attributesOut(siteAttributes(&m.Sites[i]))})
		}
		lists = append(lists, v)
	}
	if len(m.Products) > 0 {
		v := vocabularyOut{Type: productType}
		for i := range m.Products {
			p := &m.Products[i]
			v.Elements = append(v.Elements, elementOut{p.ID, attributesOut(productAttributes(p))})
		}
		lists = append(lists, v)
	}
	return json.Marshal(lists, jsontext.AllowInvalidUTF8(true))
}

func attributesOut(all []contract.MasterAttr) (out []attributeOut) {
	for _, a := range all {
		out = append(out, attributeOut{a.ID, attributeJSON(a.Value)})
	}
	return out
}

// attributeJSON is the JSON of a nested element as it is, and any other text as a string.
func attributeJSON(value string) jsontext.Value {
	if v := jsontext.Value(value); v.Kind() == '{' && v.IsValid() {
		return v
	}
	v, _ := jsontext.AppendQuote(nil, value)
	return v
}
