package epcis

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// scanner reads the tokens of an XML document with their names as they were written, and keeps what is open and declared. It checks what
// encoding/xml leaves to its caller: that tags match, attributes are there once, and nothing grows without bound.
type scanner struct {
	in    *guard
	dec   *xml.Decoder
	base  int64 // of the XML text in the document
	at    int64 // offset of the last token
	open  []element
	scope []binding // namespaces declared, innermost last
	ended bool      // the root was closed
}

// element is an element that is open.
type element struct {
	name   xml.Name // Space is the prefix
	scope  int      // bindings outside of it
	number int      // among its siblings of the same name; 0: not counted
	kids   map[string]int
}

type binding struct{ prefix, uri string }

// Namespaces that every document may use.
const (
	xsi          = "http://www.w3.org/2001/XMLSchema-instance"
	xmlNamespace = "http://www.w3.org/XML/1998/namespace" // of the prefix xml, which nobody declares
)

func newScanner(in *guard, base int64) *scanner {
	s := &scanner{in: in, dec: xml.NewDecoder(in), base: base}
	s.dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // it is UTF-8 by now
	return s
}

func (s *scanner) here() int64 { return s.base + s.dec.InputOffset() }

// token is the next start, end or text. Its bytes are valid until the next call. Errors are io.EOF or *Problem.
func (s *scanner) token() (xml.Token, error) {
	for {
		s.in.left = maxToken
		s.at = s.here()
		tok, err := s.dec.RawToken()
		if err != nil {
			return nil, s.failure(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			return tok, s.start(tok)
		case xml.EndElement:
			return tok, s.end(tok)
		case xml.CharData:
			if len(s.open) > 0 {
				return tok, nil
			}
			if len(bytes.TrimSpace(tok)) > 0 {
				return nil, s.syntax("There is text outside of the document's element")
			}
		case xml.Directive:
			if err := s.directive(tok); err != nil {
				return nil, err
			}
		}
	}
}

func (s *scanner) failure(err error) error {
	var p *Problem
	if errors.As(err, &p) {
		p.Offset, p.Pointer = s.at, s.path()
		return p
	}
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, io.EOF) && s.ended:
		return io.EOF
	case errors.Is(err, io.EOF) && len(s.open) == 0:
		return &Problem{Code: CodeDocument, Message: "The document has no element.", Offset: s.at}
	case errors.Is(err, io.EOF):
		return s.syntax("The document ends inside of an element")
	case errors.As(err, &syntax) && syntax.Msg == "invalid UTF-8":
		return &Problem{Code: CodeXMLEncoding, Message: "The text is not UTF-8.", Pointer: s.path(), Offset: s.at}
	case errors.As(err, &syntax):
		return s.syntax("This is not XML: " + syntax.Msg + ", line " + itoa(syntax.Line))
	}
	return &Problem{Code: CodeRead, Message: "The document could not be read: " + err.Error() + ".", Pointer: s.path(), Offset: s.at}
}

func (s *scanner) syntax(what string) *Problem {
	return &Problem{Code: CodeXMLSyntax, Message: what + ".", Pointer: s.path(), Offset: s.at}
}

func (s *scanner) limit(what string) *Problem {
	return &Problem{Code: CodeLimit, Message: what + ".", Pointer: s.path(), Offset: s.at}
}

// directive lets a document type declaration pass that declares nothing, as GS1's own examples have one. What it could declare (entities,
// defaults, other files) is never read, so a document that does would be read otherwise than it was meant.
func (s *scanner) directive(d xml.Directive) error {
	text := string(d)
	if strings.Contains(text, "[") || strings.Contains(text, "SYSTEM") || strings.Contains(text, "PUBLIC") {
		return &Problem{Code: CodeDTD, Message: "The document has a document type definition. Entities and other files are not read.", Offset: s.at}
	}
	return nil
}

func (s *scanner) start(e xml.StartElement) error {
	switch {
	case s.ended:
		return s.syntax("There is something after the end of the document")
	case len(s.open) >= maxDepth:
		return s.limit("Elements are nested deeper than " + itoa(maxDepth))
	case len(e.Attr) > maxAttributes:
		return s.limit("An element has more than " + itoa(maxAttributes) + " attributes")
	case len(tagged(e.Name)) > maxName:
		return s.limit("A name is longer than " + itoa(maxName) + " bytes")
	}
	open := element{name: e.Name, scope: len(s.scope), number: s.count(e.Name)}
	s.open = append(s.open, open)
	for i, a := range e.Attr {
		if len(tagged(a.Name)) > maxName {
			return s.limit("A name is longer than " + itoa(maxName) + " bytes")
		}
		for _, b := range e.Attr[:i] {
			if a.Name == b.Name {
				return s.syntax("The attribute " + tagged(a.Name) + " is there twice")
			}
		}
		if prefix, ok := declares(a.Name); ok {
			s.scope = append(s.scope, binding{prefix, a.Value})
		}
	}
	if len(s.scope) > maxNamespaces {
		return s.limit("More than " + itoa(maxNamespaces) + " namespaces are declared at once")
	}
	return nil
}

// declares is the prefix that an attribute declares, "" for the default namespace.
func declares(attribute xml.Name) (prefix string, ok bool) {
	if attribute.Space == "xmlns" {
		return attribute.Local, true
	}
	return "", attribute.Space == "" && attribute.Local == "xmlns"
}

// count numbers an element among its siblings of the same name. A document has few names; one with many is not counted further.
func (s *scanner) count(name xml.Name) int {
	if len(s.open) == 0 {
		return 0
	}
	parent := &s.open[len(s.open)-1]
	if !parent.counts() {
		return 0
	}
	key := tagged(name)
	if parent.kids == nil {
		parent.kids = map[string]int{}
	}
	if len(parent.kids) >= maxCounted && parent.kids[key] == 0 {
		return 0
	}
	parent.kids[key]++
	return parent.kids[key]
}

// counts says whether the elements in this one are numbered: those of lists that are read one by one.
func (e *element) counts() bool {
	switch e.name.Local {
	case "EventList", "extension", "VocabularyList", "VocabularyElementList":
		return true
	}
	return false
}

func (s *scanner) end(e xml.EndElement) error {
	last := len(s.open) - 1
	if last < 0 || s.open[last].name != e.Name {
		return s.syntax("The end tag " + tagged(e.Name) + " does not match")
	}
	s.scope = s.scope[:s.open[last].scope]
	s.open = s.open[:last]
	s.ended = last == 0
	return nil
}

// uri is the namespace of a prefix; ok is false when it is not declared.
func (s *scanner) uri(prefix string) (uri string, ok bool) {
	for i := len(s.scope) - 1; i >= 0; i-- {
		if s.scope[i].prefix == prefix {
			return s.scope[i].uri, true
		}
	}
	if prefix == "xml" {
		return xmlNamespace, true
	}
	return "", prefix == ""
}

// path is where the scanner is, as an XPath.
func (s *scanner) path() string {
	var b strings.Builder
	for i := range s.open {
		b.WriteByte('/')
		b.WriteString(tagged(s.open[i].name))
		if n := s.open[i].number; n > 0 {
			b.WriteString("[" + itoa(n) + "]")
		}
	}
	return b.String()
}

// tagged is a name as it stands in the document.
func tagged(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// skip reads on to the end of the innermost element.
func (s *scanner) skip() error {
	for depth := len(s.open); len(s.open) >= depth; {
		if _, err := s.token(); err != nil {
			return err
		}
	}
	return nil
}
