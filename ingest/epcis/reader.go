package epcis

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// Header is what a document says beside its events. It is complete once [Reader.Next] has returned io.EOF.
type Header struct {
	Type               string // EPCISDocument, EPCISQueryDocument, or "" for events without a document
	ID                 string
	SchemaVersion      string
	CreationDate       event.Time
	Sender, Receiver   string
	InstanceIdentifier string
	QueryName          string // of a query document
	SubscriptionID     string
	// MasterData registers the sites and products of the header; nil without any.
	MasterData *contract.Registration
}

// Reader reads a document event by event. Only one event is in memory at a time.
type Reader struct {
	Header Header

	limits   Limits
	src      io.Reader
	counted  *countingReader
	dec      *jsontext.Decoder
	base     int64  // offset of the JSON text: after a byte order mark
	stack    []step // the objects on the way to the event list
	inList   bool
	started  bool
	done     bool
	bare     bool // the root is an event, or an array of events
	root     []byte
	events   int
	place    string
	offset   int64
	problems problemList // of the document

	context      ldContext
	sawContext   bool
	sawEvents    bool
	ignore       []string
	ignoreMember []byte
	remarked     map[string]bool // prefixes
	found        map[string]bool // pointers of the document's own members
}

// step is an object of the document that is being read.
type step struct {
	name string // root, body, results, resultsBody
	at   string // JSON pointer
}

// NewReader reads a document. If r is an [io.Seeker], @context and header may come after the events.
func NewReader(r io.Reader, limits Limits) *Reader {
	limits = limits.withDefaults()
	c := &countingReader{r: r, left: limits.DocumentBytes}
	return &Reader{limits: limits, src: r, counted: c, remarked: map[string]bool{}, found: map[string]bool{}}
}

// Next returns the next event, or nil if it has errors, with its problems: pointers and offsets are those of the document.
// io.EOF ends the document. Any other error is a *[Problem] after which nothing more can be read.
func (r *Reader) Next() (*event.Event, []Problem, error) {
	raw, err := r.nextValue()
	if err != nil {
		return nil, nil, err
	}
	if r.events++; r.events > r.limits.Events {
		r.done = true
		return nil, nil, &Problem{Code: CodeLimit, Pointer: r.place, Offset: r.offset,
			Message: "The document has more than " + itoa(r.limits.Events) + " events."}
	}
	if len(raw) > r.limits.EventBytes {
		return nil, []Problem{{Code: CodeLimit, Pointer: r.place, Offset: r.offset,
			Message: "The event is larger than " + itoa(r.limits.EventBytes) + " bytes."}}, nil
	}
	e, problems := r.readEvent(raw)
	for i := range problems {
		problems[i].Pointer = r.place + problems[i].Pointer
		problems[i].Offset += r.offset
	}
	return e, problems, nil
}

// Pointer is the JSON pointer of the event that Next returned last.
func (r *Reader) Pointer() string { return r.place }

// Problems are those of the document outside of its events; complete after io.EOF.
func (r *Reader) Problems() []Problem { return r.problems }

func (r *Reader) refuse(code Code, at, message string) {
	r.report(Problem{Code: code, Pointer: at, Message: message})
}

func (r *Reader) remark(code Code, at, message string) {
	r.report(Problem{Code: code, Severity: Finding, Pointer: at, Message: message})
}

func (r *Reader) report(p Problem) {
	if p.Offset == 0 && r.dec != nil {
		p.Offset = r.base + r.dec.InputOffset()
	}
	r.problems.add(p)
}

func (r *Reader) fail(err error) error {
	r.done = true
	return asProblem(err, r.base)
}

// nextValue reads on to the next event and returns its text, valid until the next call.
func (r *Reader) nextValue() (jsontext.Value, error) {
	if r.done {
		return nil, io.EOF
	}
	if !r.started {
		if err := r.start(); err != nil {
			return nil, r.fail(err)
		}
	}
	for {
		if r.inList {
			raw, more, err := r.listElement()
			if err != nil {
				return nil, r.fail(err)
			}
			if more {
				return raw, nil
			}
			continue
		}
		if len(r.stack) == 0 {
			return r.end()
		}
		if err := r.step(); err != nil {
			return nil, r.fail(err)
		}
	}
}

func (r *Reader) listElement() (raw jsontext.Value, more bool, err error) {
	if r.dec.PeekKind() == ']' {
		_, err = r.dec.ReadToken()
		r.inList = false
		return nil, false, err
	}
	raw, err = r.dec.ReadValue()
	if err != nil {
		return nil, false, err
	}
	r.place = string(r.dec.StackPointer())
	r.offset = r.base + r.dec.InputOffset() - int64(len(raw))
	return raw, true, nil
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// start opens the root: a document, an event, or an array of events.
func (r *Reader) start() error {
	r.started = true
	buffered := bufio.NewReader(r.counted)
	if head, _ := buffered.Peek(len(byteOrderMark)); bytes.Equal(head, byteOrderMark) {
		r.base = int64(len(byteOrderMark))
		if _, err := buffered.Discard(len(byteOrderMark)); err != nil {
			return err
		}
	}
	r.dec = jsontext.NewDecoder(buffered)
	switch r.dec.PeekKind() {
	case '{':
		r.push("root", "")
		_, err := r.dec.ReadToken()
		return err
	case '[':
		r.bare, r.inList = true, true
		_, err := r.dec.ReadToken()
		return err
	}
	if _, err := r.dec.ReadToken(); err != nil {
		if errors.Is(err, io.EOF) {
			return &Problem{Code: CodeDocument, Message: "The document is empty."}
		}
		return err
	}
	return &Problem{Code: CodeDocument, Message: "The document is neither an object nor an array."}
}

func (r *Reader) push(name, at string) {
	r.stack = append(r.stack, step{name, at})
}

// step reads one member of the innermost open object, or its end.
func (r *Reader) step() error {
	tok, err := r.dec.ReadToken()
	if err != nil {
		return err
	}
	s := &r.stack[len(r.stack)-1]
	if tok.Kind() == '}' {
		r.stack = r.stack[:len(r.stack)-1]
		return nil
	}
	name := tok.String()
	at := s.at + "/" + escape(name)
	r.found[at] = true
	switch s.name {
	case "root":
		return r.rootMember(name, at)
	case "body":
		return r.bodyMember(name, at)
	case "results":
		return r.resultsMember(name, at)
	default:
		return r.resultsBodyMember(name, at)
	}
}

// open enters an object, or refuses another value.
func (r *Reader) open(name, at string) error {
	if r.dec.PeekKind() != '{' {
		r.refuse(CodeType, at, "The value must be an object.")
		return r.dec.SkipValue()
	}
	_, err := r.dec.ReadToken()
	r.push(name, at)
	return err
}

// openList enters the event list.
func (r *Reader) openList(at string) error {
	if r.dec.PeekKind() != '[' {
		r.refuse(CodeType, at, "The value must be an array.")
		return r.dec.SkipValue()
	}
	if !r.sawContext {
		if err := r.lookAhead(); err != nil {
			return err
		}
	}
	_, err := r.dec.ReadToken()
	r.inList, r.sawEvents = true, true
	return err
}

func (r *Reader) bodyMember(name, at string) error {
	switch name {
	case "eventList":
		return r.openList(at)
	case "queryResults":
		return r.open("results", at)
	}
	return r.extension(name, at)
}

func (r *Reader) resultsMember(name, at string) error {
	switch name {
	case "queryName":
		return r.text(&r.Header.QueryName, at)
	case "subscriptionID":
		return r.text(&r.Header.SubscriptionID, at)
	case "resultsBody":
		return r.open("resultsBody", at)
	}
	return r.extension(name, at)
}

func (r *Reader) resultsBodyMember(name, at string) error {
	switch name {
	case "eventList":
		return r.openList(at)
	case "vocabularyList":
		return r.vocabularies(at)
	}
	return r.extension(name, at)
}

// extension skips a member that the standard does not have. The JSON schema lets epcisBody have any, other objects only those
// with a prefix.
func (r *Reader) extension(name, at string) error {
	if inBody := len(r.stack) == 2; !isName(name) && !inBody {
		r.remark(CodeUnexpected, at, "The standard has no such member here, and it has no prefix that would make it an extension.")
	}
	value, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	r.ignored(name, value)
	return nil
}

func (r *Reader) ignored(name string, value jsontext.Value) {
	_, local, ok := strings.Cut(name, ":")
	if !ok || local != "ignoreFields" {
		return
	}
	for _, v := range elements(value) {
		if s, ok := text(v); ok {
			r.ignore = append(r.ignore, s)
		}
	}
	r.ignoreMember, _ = jsontext.AppendQuote(nil, name)
	r.ignoreMember = append(append(r.ignoreMember, ':'), value...)
}

func (r *Reader) text(into *string, at string) error {
	value, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	s, ok := text(value)
	if !ok {
		r.refuse(CodeType, at, "The value must be a string.")
	}
	*into = s
	return nil
}

// countingReader ends a document that is too large, and knows how far it has read.
type countingReader struct {
	r    io.Reader
	n    int64
	left int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, &Problem{Code: CodeLimit, Message: "The document is larger than the limit.", Offset: c.n}
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.n += int64(n)
	c.left -= int64(n)
	return n, err
}
