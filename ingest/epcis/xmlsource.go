package epcis

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// masterType is a document of master data (EPCIS 1.2, section 9.6).
const masterType = "EPCISMasterDataDocument"

// standardNamespaces are those of the standard's elements. Its schemas want most of them in no namespace; senders that qualify all
// of them mean the same.
var standardNamespaces = map[string]bool{
	"urn:epcglobal:epcis:xsd:1": true, "urn:epcglobal:epcis:xsd:2": true,
	"urn:epcglobal:epcis-query:xsd:1": true, "urn:epcglobal:epcis-query:xsd:2": true,
	"urn:epcglobal:epcis-masterdata:xsd:1": true, "urn:epcglobal:epcis-masterdata:xsd:2": true,
	"http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader": true,
}

// envelopes are the namespaces of SOAP 1.1 and 1.2, in which EPCIS 1.x services answer.
var envelopes = map[string]bool{"http://schemas.xmlsoap.org/soap/envelope/": true, "http://www.w3.org/2003/05/soap-envelope": true}

// region is an element of a document that is read element by element.
type region struct {
	kids map[string]*region
	text func(*Header) *string // where its text is kept
	lax  bool                  // other elements of the standard have no meaning for us
}

// The regions of a document, from the leaves up.
var (
	textOf         = func(of func(*Header) *string) *region { return &region{text: of, lax: true} }
	soapBody       = &region{}
	envelopeRegion = &region{}
	eventRegion    = &region{}
	elementRegion  = &region{}
	vocabularies   = &region{kids: map[string]*region{"Vocabulary": {kids: map[string]*region{"VocabularyElementList": elementRegion}}}}
	party          = func(of func(*Header) *string) *region {
		return &region{lax: true, kids: map[string]*region{"Identifier": textOf(of)}}
	}
	headerRegion = &region{kids: map[string]*region{
		"EPCISMasterData": {kids: map[string]*region{"VocabularyList": vocabularies}},
		"StandardBusinessDocumentHeader": {lax: true, kids: map[string]*region{
			"Sender":   party(func(h *Header) *string { return &h.Sender }),
			"Receiver": party(func(h *Header) *string { return &h.Receiver }),
			"DocumentIdentification": {lax: true, kids: map[string]*region{
				"InstanceIdentifier": textOf(func(h *Header) *string { return &h.InstanceIdentifier })}}}}}}
	resultsRegion = &region{kids: map[string]*region{
		"queryName":      textOf(func(h *Header) *string { return &h.QueryName }),
		"subscriptionID": textOf(func(h *Header) *string { return &h.SubscriptionID }),
		"resultsBody":    {kids: map[string]*region{"EventList": eventRegion, "VocabularyList": vocabularies}}}}
	// bodies are what the documents have in EPCISBody.
	bodies = map[string]*region{
		docType:    {kids: map[string]*region{"EventList": eventRegion}},
		queryType:  {kids: map[string]*region{"QueryResults": resultsRegion}},
		masterType: {kids: map[string]*region{"VocabularyList": vocabularies}},
	}
)

// xmlSource is a document in XML.
type xmlSource struct {
	*Reader
	*scanner
	src     *bufio.Reader
	started bool
	regions []*region // of the elements that are open
	found   map[*region]bool

	rootPath    string
	resultsPath string // of query results

	tree        tree
	root        *node  // of the event that was read last
	text        []byte // of that event
	chars       []byte // of a text of the header
	masterBytes int    // that were read
	vocType     string
	vocAt       string
	declared    ldContext // of scope
	outer       []binding // the scope that declared was made of
}

func newXMLSource(r *Reader, src *bufio.Reader) *xmlSource {
	return &xmlSource{Reader: r, src: src, found: map[*region]bool{}}
}

func (x *xmlSource) position() int64 { return x.at }

func (x *xmlSource) next() (jsontext.Value, []Problem, error) {
	raw, problems, err := x.nextEvent()
	if err != nil {
		x.Reader.source = ended{}
	}
	return raw, problems, err
}

func (x *xmlSource) prepare() error {
	x.started = true
	in, foreign, base, err := decode(x.src)
	if err != nil {
		return err
	}
	x.scanner = newScanner(&guard{Reader: in, foreign: foreign}, base)
	return nil
}

// nextEvent reads on to the next event.
func (x *xmlSource) nextEvent() (jsontext.Value, []Problem, error) {
	if !x.started {
		if err := x.prepare(); err != nil {
			return nil, nil, err
		}
	}
	for {
		tok, err := x.token()
		if errors.Is(err, io.EOF) {
			x.checkDocument()
		}
		if err != nil {
			return nil, nil, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if len(x.regions) > 0 && x.regions[len(x.regions)-1] == eventRegion && !x.wraps(tok.Name) {
				return x.event(tok)
			}
			err = x.element(tok)
		case xml.EndElement:
			x.leave()
		case xml.CharData:
			err = x.characters(tok)
		}
		if err != nil {
			return nil, nil, err
		}
	}
}

// wraps says whether an element is one of those in which EPCIS 1.x puts what came after its first version.
func (x *xmlSource) wraps(name xml.Name) bool { return name.Local == "extension" && x.isStandard(name) }

func (x *xmlSource) isStandard(name xml.Name) bool {
	uri, ok := x.uri(name.Space)
	return ok && (uri == "" || standardNamespaces[uri])
}

// element enters an element outside of events, or skips it.
func (x *xmlSource) element(e xml.StartElement) error {
	if len(x.regions) == 0 {
		return x.outermost(e)
	}
	here := x.regions[len(x.regions)-1]
	inside := here.kids[e.Name.Local]
	switch {
	case here == soapBody:
		return x.document(e)
	case here == envelopeRegion && e.Name.Local == "Body":
		x.regions = append(x.regions, soapBody)
		return nil
	case !x.isStandard(e.Name):
		return x.extension(e)
	case here == elementRegion && e.Name.Local == "VocabularyElement":
		return x.vocabularyElement(e)
	case inside != nil:
		x.found[inside] = true
		x.regions = append(x.regions, inside)
		switch e.Name.Local {
		case "QueryResults":
			x.resultsPath = x.path()
		case "EPCISHeader":
			x.Header.At = x.path()
		case "Vocabulary":
			x.vocabulary(e)
		}
		return nil
	case x.wraps(e.Name):
		x.regions = append(x.regions, here)
		return nil
	case here == bodies[queryType]:
		x.refuse(CodeDocument, x.path(), "The document is a question or an answer other than query results, so there is nothing to read.")
	case !here.lax:
		x.refuse(CodeUnexpected, x.path(), "The standard has no such element here.")
	}
	return x.skip()
}

// outermost reads the root's tag: that of a document, or of an envelope with one in its body.
func (x *xmlSource) outermost(e xml.StartElement) error {
	if uri, _ := x.uri(e.Name.Space); e.Name.Local == "Envelope" && envelopes[uri] {
		x.regions = append(x.regions, envelopeRegion)
		return nil
	}
	return x.document(e)
}

// document reads a document's tag, or that of query results without a document around them.
func (x *xmlSource) document(e xml.StartElement) error {
	body, results := bodies[e.Name.Local], e.Name.Local == "QueryResults"
	if body == nil && !results || x.Header.Type != "" || !x.isStandard(e.Name) {
		return &Problem{Code: CodeDocument, Pointer: x.path(), Offset: x.at, Message: "The element is no document of EPCIS, or a second one."}
	}
	if results {
		x.Header.Type, x.resultsPath = queryType, x.path()
		x.found[bodies[queryType]], x.found[resultsRegion] = true, true
		x.regions = append(x.regions, resultsRegion)
		return nil
	}
	x.regions = append(x.regions, &region{kids: map[string]*region{"EPCISHeader": headerRegion, "EPCISBody": body}})
	x.Header.Type, x.rootPath = e.Name.Local, x.path()
	for _, a := range e.Attr {
		switch tagged(a.Name) {
		case "id":
			x.Header.ID = a.Value
		case "schemaVersion":
			x.Header.SchemaVersion = strings.TrimSpace(a.Value)
		case "creationDate":
			x.creationDate(strings.TrimSpace(a.Value))
		}
	}
	if v := x.Header.SchemaVersion; v != "" && !isVersion(v) {
		x.refuse(CodeValue, x.path()+"/@schemaVersion", "The version is not of the form 2.0.")
	}
	x.requireAttribute(e, "schemaVersion")
	x.requireAttribute(e, "creationDate")
	return nil
}

func (x *xmlSource) requireAttribute(e xml.StartElement, name string) {
	if !slices.ContainsFunc(e.Attr, func(a xml.Attr) bool { return tagged(a.Name) == name }) {
		x.refuse(CodeMissing, x.path()+"/@"+name, "The document must have this attribute.")
	}
}

// creationDate is xsd:dateTime: it may lack an offset, and nothing depends on it.
func (x *xmlSource) creationDate(s string) {
	t, err := event.ParseTime(s)
	var e *event.Error
	if errors.As(err, &e) {
		x.remark(Code(e.Code), x.path()+"/@creationDate", "The value "+e.Msg+".")
	}
	x.Header.CreationDate = t
}

// characters collects the text of an element that is one.
func (x *xmlSource) characters(text []byte) error {
	if x.regions[len(x.regions)-1].text == nil {
		return nil
	}
	if len(x.chars)+len(text) > maxText {
		return x.limit("A text of the header is longer than " + itoa(maxText) + " bytes")
	}
	x.chars = append(x.chars, text...)
	return nil
}

// leave ends an element that was entered. Of several where one is kept, it is the first.
func (x *xmlSource) leave() {
	last := len(x.regions) - 1
	if of := x.regions[last].text; of != nil {
		if into := of(&x.Header); *into == "" {
			*into = string(bytes.TrimSpace(x.chars))
		}
		x.chars = x.chars[:0]
	}
	x.regions = x.regions[:last]
}

// extension skips an element of another namespace, or takes the names of fields to ignore from it.
func (x *xmlSource) extension(e xml.StartElement) error {
	if e.Name.Local != event.IgnoreFields || len(x.regions) != 1 {
		return x.skip()
	}
	s := x.shaper()
	at := x.path()
	n, err := x.subtree(e, maxToken)
	if err != nil {
		return err
	}
	if n == nil {
		x.refuse(CodeLimit, at, "The element is larger than "+itoa(maxToken)+" bytes.")
		return nil
	}
	var names []byte
	for _, k := range n.kids {
		names = append(names, ',')
		names, _ = jsontext.AppendQuote(names, s.nameOf(k))
	}
	if len(names) > 0 {
		names[0] = '['
		x.ignored(s.nameOf(n), append(names, ']'))
	}
	return nil
}

// event reads an event as the text that it has in JSON.
func (x *xmlSource) event(e xml.StartElement) (jsontext.Value, []Problem, error) {
	x.place, x.offset = x.path(), x.at
	s := x.shaper()
	root, err := x.subtree(e, x.limits.EventBytes)
	if err != nil {
		return nil, nil, err
	}
	if root == nil {
		return nil, []Problem{x.tooLarge()}, nil
	}
	x.root = root
	s.event(root)
	x.context = s.context
	x.text = root.appendJSON(x.text[:0])
	return x.text, s.problems, nil
}

func (x *xmlSource) locate(problems []Problem) {
	for i := range problems {
		problems[i].Pointer, problems[i].Offset = x.locatePointer(problems[i].Pointer)
	}
}

// locatePointer is the place of what has that JSON pointer in the value that the last tree has become.
func (x *xmlSource) locatePointer(pointer string) (path string, offset int64) {
	if pointer == "/type" { // that is the element's own name
		pointer = ""
	}
	n, rest := x.root.find(pointer)
	if rest != "" && attributesOf(n.tag.Local)[rest[1:]] {
		rest = "/@" + rest[1:]
	}
	return x.place + n.path() + rest, n.offset
}

// checkDocument checks what a document must have.
func (x *xmlSource) checkDocument() {
	root, body := x.rootPath, bodies[x.Header.Type]
	switch {
	case x.Header.Type == "":
		x.refuse(CodeDocument, "", "The envelope has no document.")
	case !x.found[body]:
		x.refuse(CodeMissing, root+"/EPCISBody", "The document must have this element.")
	case x.Header.Type == queryType && !x.found[resultsRegion] && !covers(x.problems, root+"/EPCISBody"):
		x.refuse(CodeMissing, root+"/EPCISBody/QueryResults", "The document must have this element.")
	case x.Header.Type == queryType && x.found[resultsRegion] && !x.found[resultsRegion.kids["queryName"]]:
		x.refuse(CodeMissing, x.resultsPath+"/queryName", "The document must have this element.")
	}
}
