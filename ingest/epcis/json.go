package epcis

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonSource is a document in JSON.
type jsonSource struct {
	*Reader
	counted  *countingReader
	buffered *bufio.Reader
	dec      *jsontext.Decoder
	base     int64  // offset of the JSON text: after a byte order mark
	stack    []step // the objects on the way to the event list
	inList   bool
	started  bool
	done     bool
	root     []byte

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
	return asProblem(err, r.base)
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
func (r *jsonSource) start() error {
	r.started = true
	if head, _ := r.buffered.Peek(len(byteOrderMark)); bytes.Equal(head, byteOrderMark) {
		r.base = int64(len(byteOrderMark))
		if _, err := r.buffered.Discard(len(byteOrderMark)); err != nil {
			return err
		}
	}
	r.dec = jsontext.NewDecoder(r.buffered)
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

func (r *jsonSource) push(name, at string) {
	r.stack = append(r.stack, step{name, at})
}

// step reads one member of the innermost open object, or its end.
func (r *jsonSource) step() error {
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
func (r *jsonSource) open(name, at string) error {
	if r.dec.PeekKind() != '{' {
		r.refuse(CodeType, at, "The value must be an object.")
		return r.dec.SkipValue()
	}
	_, err := r.dec.ReadToken()
	r.push(name, at)
	return err
}

// openList enters the event list.
func (r *jsonSource) openList(at string) error {
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
	value, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	r.ignored(name, value)
	return nil
}

func (r *jsonSource) text(into *string, at string) error {
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
