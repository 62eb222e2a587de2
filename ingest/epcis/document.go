package epcis

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// The two document types (EPCIS 2.0, section 9.5).
const (
	docType   = "EPCISDocument"
	queryType = "EPCISQueryDocument"
)

// Document is a whole document.
type Document struct {
	Header
	Events []*event.Event // those without errors, in the order of the document
}

// Parse reads a whole document. The document is nil only if nothing could be read of it; a caller that accepts all or
// nothing asks [HasErrors]. For large documents use a [Reader].
func Parse(b []byte, limits Limits) (*Document, []Problem) {
	r := NewReader(bytes.NewReader(b), limits)
	doc := new(Document)
	var problems []Problem
	for {
		e, found, err := r.Next()
		if errors.Is(err, io.EOF) {
			doc.Header = r.Header
			return doc, append(r.Problems(), problems...)
		}
		problems = append(problems, found...)
		if err != nil {
			doc.Header = r.Header
			return doc, append(append(r.Problems(), problems...), *asProblem(err, 0))
		}
		if e != nil {
			doc.Events = append(doc.Events, e)
		}
	}
}

// rootMember reads a member of the root, which is a document or, as it turns out at its end, a single event.
func (r *jsonSource) rootMember(name, at string) error {
	switch name {
	case "epcisBody":
		return r.open("body", at)
	case "epcisHeader":
		return r.header(at)
	}
	value, err := r.value()
	if err != nil {
		return err
	}
	if !r.sawEvents {
		r.keep(name, value)
	}
	switch name {
	case "@context":
		r.documentContext(value, at)
	case "type":
		r.Header.Type, _ = text(value)
	case "id":
		r.Header.ID = r.headerText(value, at)
	case "schemaVersion":
		r.Header.SchemaVersion = r.headerText(value, at)
	case "creationDate":
		r.creationDate(value, at)
	case "sender":
		r.Header.Sender = r.headerText(value, at)
	case "receiver":
		r.Header.Receiver = r.headerText(value, at)
	case "instanceIdentifier":
		r.Header.InstanceIdentifier = r.headerText(value, at)
	default:
		r.ignored(name, value)
	}
	return nil
}

// keep collects the root's members in case it is a single event.
func (r *jsonSource) keep(name string, value jsontext.Value) {
	if r.tooMuch = r.tooMuch || len(r.root)+len(value) > r.limits.EventBytes; r.tooMuch {
		r.root = nil
		return
	}
	separator := byte(',')
	if r.root == nil {
		separator = '{'
	}
	r.root = append(r.root, separator)
	r.root, _ = jsontext.AppendQuote(r.root, name)
	r.root = append(append(r.root, ':'), value...)
}

func (r *jsonSource) headerText(value jsontext.Value, at string) string {
	s, ok := text(value)
	if !ok {
		r.refuse(CodeType, at, "The value must be a string.")
	}
	if len(s) > maxText {
		r.refuse(CodeLimit, at, "The text is longer than "+itoa(maxText)+" bytes.")
		return ""
	}
	return s
}

func (r *jsonSource) creationDate(value jsontext.Value, at string) {
	s := r.headerText(value, at)
	t, err := event.ParseTime(s)
	var e *event.Error
	if value.Kind() == '"' && errors.As(err, &e) {
		r.refuse(Code(e.Code), at, "The value "+e.Msg+".")
	}
	r.Header.CreationDate = t
}

func (r *jsonSource) documentContext(value jsontext.Value, at string) {
	if r.sawContext {
		return // lookAhead has read it
	}
	if r.sawEvents {
		r.refuse(CodeContextLate, at, "The context comes after the events. Put it first, or send a file that can be read twice.")
	}
	r.sawContext = true
	r.context = readContext(value, at, r.report)
	for _, p := range redefinitions(r.context, at) {
		r.report(p)
	}
}

// lookAhead reads the context of a document that has it after its events, and comes back.
func (r *jsonSource) lookAhead() error {
	seeker, ok := r.src.(io.Seeker)
	if !ok {
		return nil
	}
	here := r.counted.n
	if _, err := seeker.Seek(r.base, io.SeekStart); err != nil {
		return err
	}
	value, err := findContext(io.LimitReader(r.src, r.limits.DocumentBytes), r.limits.EventBytes)
	if err == nil && value != nil {
		r.documentContext(value, "/@context")
	}
	_, err = seeker.Seek(here, io.SeekStart) // a syntax error is met again on the way
	return err
}

// findContext reads on to the root's @context of at most that many bytes; nil without one.
func findContext(src io.Reader, limit int) (jsontext.Value, error) {
	in := &budget{r: src, left: maxToken}
	dec := jsontext.NewDecoder(in, again...) // the names that it would keep have no bound here
	for {
		in.left = maxToken
		tok, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		if dec.StackDepth() == 0 {
			return nil, nil
		}
		if _, n := dec.StackIndex(1); dec.StackDepth() == 1 && n%2 == 1 && tok.String() == "@context" { // n counts names and values
			in.left = limit
			v, err := dec.ReadValue()
			return v.Clone(), err
		}
	}
}

// end is reached after the root was closed. If the root was an event, it is returned now.
func (r *jsonSource) end() (jsontext.Value, error) {
	r.done = true
	if _, err := r.dec.ReadToken(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = &Problem{Code: CodeSyntax, Message: "There is something after the end of the document.",
				Offset: r.base + r.dec.InputOffset()}
		}
		return nil, asProblem(err, r.base)
	}
	if r.bare {
		return nil, io.EOF
	}
	if strings.HasSuffix(r.Header.Type, "Event") && !r.found["/epcisBody"] {
		if r.tooMuch {
			return nil, &Problem{Code: CodeLimit, Message: r.tooLarge().Message, Offset: r.base}
		}
		return r.singleEvent(), nil
	}
	r.checkRoot()
	return nil, io.EOF
}

// singleEvent is the root that turned out to be an event. What was read of it as a document is forgotten.
func (r *jsonSource) singleEvent() jsontext.Value {
	r.Header, r.problems, r.context, r.bare = Header{}, nil, ldContext{}, true
	r.place, r.offset = "", r.base
	return append(r.root, '}')
}

// checkRoot checks a document's own members.
func (r *jsonSource) checkRoot() {
	switch r.Header.Type {
	case docType:
		r.require("/@context", "/schemaVersion", "/creationDate", "/epcisBody", "/epcisBody/eventList")
		r.onlyMembers("id sender receiver instanceIdentifier epcisHeader schemaVersion creationDate epcisBody")
	case queryType:
		results := "/epcisBody/queryResults"
		r.require("/@context", "/epcisBody", results, results+"/queryName", results+"/resultsBody", results+"/resultsBody/eventList")
		r.onlyMembers("id schemaVersion creationDate epcisBody")
	case "":
		r.refuse(CodeDocument, "/type", "The document does not say of which type it is.")
	default:
		r.refuse(CodeDocument, "/type", "The type is neither EPCISDocument nor EPCISQueryDocument.")
	}
	if id := r.Header.ID; r.found["/id"] && !isURI(id) {
		r.remark(CodeURI, "/id", "This is not a URI (RFC 3986).")
	}
	if v := r.Header.SchemaVersion; r.found["/schemaVersion"] && !isVersion(v) {
		r.refuse(CodeValue, "/schemaVersion", "The version is not of the form 2.0.")
	}
}

func (r *jsonSource) require(pointers ...string) {
	for _, at := range pointers {
		parent := at[:strings.LastIndexByte(at, '/')]
		if !r.found[at] && (parent == "" || r.found[parent] && !covers(r.problems, parent)) {
			r.refuse(CodeMissing, at, "The document must have this member.")
		}
	}
}

func (r *jsonSource) onlyMembers(names string) {
	allowed := strings.Fields(names + " @context type")
	for _, at := range slices.Sorted(maps.Keys(r.found)) {
		name := at[1:]
		if strings.Contains(name, "/") || slices.Contains(allowed, name) || isName(unescape(name)) {
			continue
		}
		r.remark(CodeUnexpected, at, "A document of type "+r.Header.Type+" has no such member, and it has no prefix that would make it an extension.")
	}
}

func unescape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
}

// isVersion checks numbers with points between.
func isVersion(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}
