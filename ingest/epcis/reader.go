package epcis

import (
	"bufio"
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
	// At is the place of the header in the document, "" when there is none.
	At string
}

// Reader reads a document event by event, JSON or XML as its first bytes say. Only one event is in memory at a time.
type Reader struct {
	Header Header

	limits   Limits
	src      io.Reader // what the document was opened with
	source   source    // nil before the first byte was read
	bare     bool      // the root is an event, or an array of events
	events   int
	place    string
	offset   int64
	problems problemList // of the document

	context      ldContext // of the events
	ignore       []string
	ignoreMember []byte
	remarked     map[string]bool // prefixes
}

// source is a document of one format.
type source interface {
	// next reads on to the next event and returns it as the text of EPCIS 2.0 JSON, valid until the next call, and what is wrong with it in
	// ways that this text does not show. It sets the reader's place, offset and context. No text: the problems say it all.
	next() (jsontext.Value, []Problem, error)
	// locate turns the pointers and offsets of an event's problems, which are relative to its text, into those of the document.
	locate([]Problem)
	// position is how far the document has been read, in bytes.
	position() int64
}

// NewReader reads a document. If r is an [io.Seeker], @context and header of JSON may come after the events.
func NewReader(r io.Reader, limits Limits) *Reader {
	return &Reader{limits: limits.withDefaults(), src: r, remarked: map[string]bool{}}
}

// begin chooses the format. What looks like none is read as JSON, which says what is wrong.
func (r *Reader) begin() {
	counted := &countingReader{r: r.src, left: r.limits.DocumentBytes}
	buffered := bufio.NewReaderSize(counted, SniffLen)
	head, _ := buffered.Peek(SniffLen) // an error is met again
	if Sniff(head) == XML {
		r.source = newXMLSource(r, buffered)
	} else {
		r.source = &jsonSource{Reader: r, counted: counted, buffered: buffered, found: map[string]bool{}}
	}
}

// Next returns the next event, or nil if it has errors, with its problems: their places and offsets are those of the document.
// io.EOF ends the document. Any other error is a *[Problem] after which nothing more can be read.
func (r *Reader) Next() (*event.Event, []Problem, error) {
	if r.source == nil {
		r.begin()
	}
	raw, problems, err := r.source.next()
	if err != nil {
		return nil, nil, err
	}
	if r.events++; r.events > r.limits.Events {
		r.source = ended{}
		return nil, nil, &Problem{Code: CodeLimit, Pointer: r.place, Offset: r.offset,
			Message: "The document has more than " + itoa(r.limits.Events) + " events."}
	}
	if raw == nil {
		return nil, problems, nil
	}
	e, found := r.readEvent(raw)
	r.source.locate(found)
	if problems = append(problems, found...); HasErrors(problems) {
		e = nil
	}
	return e, problems, nil
}

// ended is a source that has nothing more.
type ended struct{}

func (ended) next() (jsontext.Value, []Problem, error) { return nil, nil, io.EOF }

func (ended) locate([]Problem) {}

func (ended) position() int64 { return 0 }

// Pointer is the place of the event that Next returned last: a JSON pointer, or the path of an XML element.
func (r *Reader) Pointer() string { return r.place }

// Problems are those of the document outside of its events; complete after io.EOF.
func (r *Reader) Problems() []Problem { return r.problems }

func (r *Reader) refuse(code Code, at, message string) {
	r.report(Problem{Code: code, Pointer: at, Message: message})
}

func (r *Reader) remark(code Code, at, message string) {
	r.report(Problem{Code: code, Severity: Finding, Pointer: at, Message: message})
}

func (r *Reader) tooLarge() Problem {
	return Problem{Code: CodeLimit, Pointer: r.place, Offset: r.offset, Message: "The event is larger than " + itoa(r.limits.EventBytes) + " bytes."}
}

func (r *Reader) report(p Problem) {
	if p.Offset == 0 {
		p.Offset = r.source.position()
	}
	r.problems.add(p)
}

// ignored notes the names of members that are bookkeeping of a repository, in a member of the document called …:ignoreFields.
func (r *Reader) ignored(name string, value jsontext.Value) {
	_, local, ok := strings.Cut(name, ":")
	if !ok || local != event.IgnoreFields {
		return
	}
	for _, v := range elements(value) {
		if s, ok := text(v); ok {
			r.ignore = append(r.ignore, s)
		}
		if len(r.ignore) > maxIgnored {
			r.refuse(CodeLimit, "/"+escape(name), "More than "+itoa(maxIgnored)+" names are to be ignored.")
			r.ignore, r.ignoreMember = nil, nil
			return
		}
	}
	r.ignoreMember, _ = jsontext.AppendQuote(nil, name)
	r.ignoreMember = append(append(r.ignoreMember, ':'), value...)
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
