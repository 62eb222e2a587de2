package epcis

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/charset"
)

// jsonSource is a document in JSON.
type jsonSource struct {
	*Reader
	counted  *countingReader
	buffered *bufio.Reader
	budget   *budget // what dec reads from
	dec      *jsontext.Decoder
	base     int64  // offset of the JSON text: after a byte order mark
	stack    []step // the objects on the way to the event list
	inList   bool
	listAt   string
	started  bool
	done     bool
	root     []byte
	tooMuch  bool // the root has more than an event may have

	sawContext bool
	sawEvents  bool
	found      map[string]bool // pointers of the document's own members
}

// step is an object of the document that is being read.
type step struct {
	name string // root, body, results, resultsBody
	at   string // JSON pointer
}

func (r *jsonSource) next() (jsontext.Value, []Problem, error) {
	raw, err := r.nextValue()
	if err != nil {
		return nil, nil, err
	}
	if len(raw) > r.limits.EventBytes {
		return nil, []Problem{r.tooLarge()}, nil
	}
	return raw, nil, nil
}

func (r *jsonSource) locate(problems []Problem) {
	for i := range problems {
		problems[i].Pointer = r.place + problems[i].Pointer
		problems[i].Offset += r.offset
	}
}

func (r *jsonSource) position() int64 {
	if r.dec == nil {
		return 0
	}
	return r.base + r.dec.InputOffset()
}

func (r *jsonSource) fail(err error) error {
	r.done = true
	p := asProblem(err, r.base)
	if p.Code == CodeLimit && p.Pointer == "" && r.dec != nil {
		p.Pointer = whole(string(r.dec.StackPointer()))
		if kind, n := r.dec.StackIndex(r.dec.StackDepth()); kind == '[' && r.inList {
			p.Pointer = r.listAt + "/" + itoa(int(n))
		}
		p.Offset = r.position()
	}
	return p
}

// upTo is the decoder with leave to read that many bytes more. It holds what it reads at once in memory: a value, a name, white space.
func (r *jsonSource) upTo(n int) *jsontext.Decoder {
	r.budget.left = n
	return r.dec
}

// overEvent is room for an event that is larger than the limit: up to this size it is refused and the next one read. A larger one ends the document.
func (r *jsonSource) overEvent() int { return 2 * r.limits.EventBytes }

// budget ends a document in which something is larger than what may be held in memory.
type budget struct {
	r    io.Reader
	left int
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, &Problem{Code: CodeLimit, Message: "A value, a name or a blank is too long to be read."}
	}
	// As much as there is room for: the decoder looks at a long number from its beginning after every read.
	n, err := io.ReadFull(b.r, p[:min(len(p), b.left)])
	b.left -= n
	if n > 0 {
		return n, nil // an error is met again
	}
	return n, err
}

// nextValue reads on to the next event and returns its text, valid until the next call.
func (r *jsonSource) nextValue() (jsontext.Value, error) {
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

func (r *jsonSource) listElement() (raw jsontext.Value, more bool, err error) {
	if r.upTo(maxToken).PeekKind() == ']' {
		_, err = r.dec.ReadToken()
		r.inList = false
		return nil, false, err
	}
	raw, err = r.upTo(r.overEvent()).ReadValue()
	if err != nil {
		return nil, false, err
	}
	r.place = string(r.dec.StackPointer())
	r.offset = r.base + r.dec.InputOffset() - int64(len(raw))
	return raw, true, nil
}

var byteOrderMark = []byte(charset.ByteOrderMark)

// start opens the root: a document, an event, or an array of events.
func (r *jsonSource) start() error {
	r.started = true
	if head, _ := r.buffered.Peek(len(byteOrderMark)); bytes.Equal(head, byteOrderMark) {
		r.base = int64(len(byteOrderMark))
		if _, err := r.buffered.Discard(len(byteOrderMark)); err != nil {
			return err
		}
	}
	if head, _ := r.buffered.Peek(2); isWide(head) {
		return &Problem{Code: CodeEncoding, Message: "The text is UTF-16. JSON must be UTF-8."}
	}
	r.budget = &budget{r: r.buffered}
	r.dec = jsontext.NewDecoder(r.budget)
	switch r.upTo(maxToken).PeekKind() {
	case '{':
		r.push("root", "")
		_, err := r.dec.ReadToken()
		return err
	case '[':
		r.bare, r.inList = true, true // listAt is the root
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

func (r *jsonSource) push(name, at string) {
	r.stack = append(r.stack, step{name, at})
}

// step reads one member of the innermost open object, or its end.
func (r *jsonSource) step() error {
	tok, err := r.upTo(maxToken).ReadToken()
	if err != nil {
		return err
	}
	s := &r.stack[len(r.stack)-1]
	if tok.Kind() == '}' {
		r.stack = r.stack[:len(r.stack)-1]
		return nil
	}
	if _, n := r.dec.StackIndex(r.dec.StackDepth()); n > 2*maxMembers {
		return &Problem{Code: CodeLimit, Message: "The object has more than " + itoa(maxMembers) + " members."}
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
func (r *jsonSource) open(name, at string) error {
	if r.upTo(maxToken).PeekKind() != '{' {
		r.refuse(CodeType, at, "The value must be an object.")
		return r.skipValue()
	}
	_, err := r.dec.ReadToken()
	r.push(name, at)
	return err
}

// openList enters the event list.
func (r *jsonSource) openList(at string) error {
	if r.upTo(maxToken).PeekKind() != '[' {
		r.refuse(CodeType, at, "The value must be an array.")
		return r.skipValue()
	}
	r.listAt = at
	if !r.sawContext {
		if err := r.lookAhead(); err != nil {
			return err
		}
	}
	_, err := r.dec.ReadToken()
	r.inList, r.sawEvents = true, true
	return err
}

func (r *jsonSource) skipValue() error {
	_, err := r.value()
	return err
}

// value reads a value outside of the event list.
func (r *jsonSource) value() (jsontext.Value, error) { return r.upTo(r.overEvent()).ReadValue() }

func (r *jsonSource) bodyMember(name, at string) error {
	switch name {
	case "eventList":
		return r.openList(at)
	case "queryResults":
		return r.open("results", at)
	}
	return r.extension(name, at)
}

func (r *jsonSource) resultsMember(name, at string) error {
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

func (r *jsonSource) resultsBodyMember(name, at string) error {
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
func (r *jsonSource) extension(name, at string) error {
	if inBody := len(r.stack) == 2; !isName(name) && !inBody {
		r.remark(CodeUnexpected, at, "The standard has no such member here, and it has no prefix that would make it an extension.")
	}
	value, err := r.value()
	if err != nil {
		return err
	}
	r.ignored(name, value)
	return nil
}

func (r *jsonSource) text(into *string, at string) error {
	value, err := r.value()
	if err != nil {
		return err
	}
	*into = r.headerText(value, at)
	return nil
}
