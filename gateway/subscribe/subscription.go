package subscribe

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/translate"
)

// Terms are what a subscriber has asked for: when the query runs, and since when events count.
type Terms struct {
	Schedule      *Schedule `json:"schedule,omitzero"` // nil: a stream, every event as soon as it is there
	ReportIfEmpty bool      `json:"reportIfEmpty,omitzero"`
	// InitialRecordTime: events recorded before it are not sent. Zero: those recorded before the subscription was made.
	InitialRecordTime time.Time `json:"initialRecordTime,omitzero"`
}

// Stream reports whether events are sent as soon as they are there.
func (t *Terms) Stream() bool { return t.Schedule == nil }

// next is when a scheduled query runs after a moment. A schedule that was accepted has a next time.
func (t *Terms) next(after time.Time) time.Time {
	c, _ := t.Schedule.read()
	at, _ := c.next(after)
	return at
}

// Subscription is a standing query, its receiver, and how far it has been told. It is kept as JSON.
type Subscription struct {
	ID      string              `json:"id"`
	Query   string              `json:"query"` // name
	Owner   auth.Principal      `json:"owner"` // whose eyes it has
	Dest    string              `json:"dest"`
	Token   string              `json:"token,omitzero"` // signatureToken; "": deliveries are not signed
	EPC     translate.EPCFormat `json:"epc,omitzero"`
	Created time.Time           `json:"created"`
	Terms

	Cursor   index.Cursor `json:"cursor"`            // what is before it was acknowledged, or does not match
	Sequence uint64       `json:"sequence,omitzero"` // number of the last delivery that was begun
	Pending  *delivery    `json:"pending,omitzero"`  // the delivery that was begun and is not acknowledged
	Piece    int          `json:"piece"`             // events in the next delivery at most
	Due      time.Time    `json:"due,omitzero"`      // when it runs next, or is tried again; a stream: not before
	Searched time.Time    `json:"searched,omitzero"` // when the query last ran

	Notified time.Time `json:"notified,omitzero"` // last success
	Failures int       `json:"failures,omitzero"` // since the last success
	Error    string    `json:"error,omitzero"`    // of the last failure
	ErrorAt  time.Time `json:"errorAt,omitzero"`
	Ended    time.Time `json:"ended,omitzero"` // the receiver has answered 410 Gone
}

// delivery pins the content of a delivery before it is made for the first time: made again, the number means the same.
type delivery struct {
	Count  int    `json:"count"`  // events
	Digest string `json:"digest"` // of their IDs
}

// Limits of a request.
const (
	maxBody  = 64 << 10 // bytes; a subscription is some lines
	maxDest  = 2048     // bytes; what servers take as an address
	maxToken = 1024     // bytes; longer keys make an HMAC no stronger
)

// wants is a subscription as it is asked for.
type wants struct {
	dest, token string
	terms       Terms
}

// reader collects what is wrong with a request.
type reader struct{ wrong []problem.Item }

func (r *reader) refuse(field, format string, args ...any) {
	r.wrong = append(r.wrong, problem.Item{Code: problem.InvalidField, Detail: fmt.Sprintf(format, args...), Field: field})
}

func (r *reader) err() error {
	if len(r.wrong) == 0 {
		return nil
	}
	slices.SortFunc(r.wrong, func(a, b problem.Item) int { return strings.Compare(a.Field, b.Field) })
	return exception(http.StatusBadRequest, problem.InvalidField, "SubscriptionControlsException", "The subscription cannot be made like this.", r.wrong...)
}

// answerOnly are members of the answer, which some clients send back.
var answerOnly = []string{"subscriptionID", "queryName", "createdAt", "lastNotifiedAt", "minRecordTime", "epcFormat"}

// readBody reads the body of POST …/subscriptions, and says all that is wrong with it.
func readBody(body []byte, g guard) (wants, error) {
	var r reader
	var members map[string]jsontext.Value
	if err := json.Unmarshal(body, &members); err != nil {
		r.refuse("", "The body is not a JSON object: %v.", err)
		return wants{}, r.err()
	}
	w := wants{dest: r.text(members, "dest"), token: r.text(members, "signatureToken")}
	if members["signatureToken"] == nil {
		w.token = r.text(members, "secret") // the standard's schema requires this name, its text and examples use the other
	}
	stream, given := r.flag(members, "stream")
	w.terms.ReportIfEmpty, _ = r.flag(members, "reportIfEmpty")
	w.terms.Schedule = r.schedule(members)
	w.terms.InitialRecordTime = r.time("/initialRecordTime", r.text(members, "initialRecordTime"))
	r.destination(w.dest, g)
	if len(w.token) > maxToken {
		r.refuse("/signatureToken", "It has more than %d bytes.", maxToken)
	}
	r.terms(&w.terms, stream, given, "/")
	known := append([]string{"dest", "signatureToken", "secret", "stream", "reportIfEmpty", "schedule", "initialRecordTime", "@context"}, answerOnly...)
	for name := range members {
		if !slices.Contains(known, name) {
			r.refuse("/"+name, "A subscription has no such member.")
		}
	}
	return w, r.err()
}

func (r *reader) text(members map[string]jsontext.Value, name string) (text string) {
	if v := members[name]; v != nil && json.Unmarshal(v, &text) != nil {
		r.refuse("/"+name, "It is not a string.")
	}
	return text
}

func (r *reader) flag(members map[string]jsontext.Value, name string) (flag, given bool) {
	v := members[name]
	if v != nil && json.Unmarshal(v, &flag) != nil {
		r.refuse("/"+name, "It is neither true nor false.")
	}
	return flag, v != nil
}

// schedule reads the fields of a schedule: strings; numbers are taken too, as the standard's examples have them.
func (r *reader) schedule(members map[string]jsontext.Value) *Schedule {
	v := members["schedule"]
	if v == nil {
		return nil
	}
	var given map[string]jsontext.Value
	if err := json.Unmarshal(v, &given); err != nil {
		r.refuse("/schedule", "It is not an object.")
		return &Schedule{}
	}
	var s Schedule
	for name, v := range given {
		i := slices.IndexFunc(fields[:], func(f field) bool { return f.name == name })
		switch {
		case i < 0:
			r.refuse("/schedule/"+name, "A schedule has no such member.")
		case v.Kind() == '0':
			*fields[i].text(&s) = string(v)
		case json.Unmarshal(v, fields[i].text(&s)) != nil || *fields[i].text(&s) == "":
			r.refuse("/schedule/"+name, "It is not a list of numbers and ranges in a string.")
		}
	}
	if len(given) == 0 || s != (Schedule{}) {
		_, wrong := s.read()
		for _, w := range wrong {
			r.refuse(path("/schedule", w.field), "%s.", capital(w.err.Error()))
		}
	}
	return &s
}

func (r *reader) time(field, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		r.refuse(field, "%q is not a time with a zone like 2026-04-04T20:33:31.116-06:00.", text)
	}
	return t.UTC()
}

// terms checks that there is a stream or a schedule, and not both. Members are named below a prefix: "/" or "".
func (r *reader) terms(t *Terms, stream, given bool, prefix string) {
	switch {
	case stream && t.Schedule != nil:
		r.refuse(prefix+"stream", "A subscription is either a stream or has a schedule, not both.")
	case !stream && t.Schedule == nil && given:
		r.refuse(prefix+"stream", "It must be true, unless there is a schedule.")
	case !stream && t.Schedule == nil:
		r.refuse(prefix+"stream", "Say when to send: either stream is true, or there is a schedule.")
	case stream && t.ReportIfEmpty:
		r.refuse(prefix+"reportIfEmpty", "A stream sends events as they come: there is no moment at which to report that there are none.")
	}
}

// destination checks the address of a receiver as far as its text tells. The rest is decided when it is called.
func (r *reader) destination(dest string, g guard) {
	const at = "/dest"
	if dest == "" {
		r.refuse(at, "It is missing: the address to which events are sent.")
		return
	}
	u, err := url.Parse(dest)
	switch {
	case len(dest) > maxDest:
		r.refuse(at, "It has more than %d bytes.", maxDest)
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		r.refuse(at, "It is not an address of the form https://host/path.")
	case u.User != nil:
		r.refuse(at, "It has a user name: an address is shown to all of its member. Deliveries are signed instead (signatureToken).")
	case u.Fragment != "":
		r.refuse(at, "It has a fragment, which would not be sent.")
	case u.Scheme == "http" && len(g.allow) == 0:
		r.refuse(at, "It must begin with https://.")
	default:
		ip, err := netip.ParseAddr(u.Hostname())
		if err != nil { // a name
			return
		}
		if err := g.check(ip, u.Scheme == "https"); err != nil {
			r.refuse(at, "%s.", capital(err.Error()))
		}
	}
}

// readParameters reads the terms of a WebSocket from the query string, and says all that is wrong with them.
func readParameters(values url.Values) (Terms, error) {
	var r reader
	var t Terms
	one := func(name string) string {
		if len(values[name]) > 1 {
			r.refuse(name, "It is given more than once.")
		}
		return values.Get(name)
	}
	flag := func(name string) (flag, given bool) {
		text := one(name)
		flag, err := strconv.ParseBool(text)
		if text != "" && err != nil {
			r.refuse(name, "It is neither true nor false.")
		}
		return flag, text != ""
	}
	stream, given := flag("stream")
	t.ReportIfEmpty, _ = flag("reportIfEmpty")
	t.InitialRecordTime = r.time("initialRecordTime", one("initialRecordTime"))
	var s Schedule
	for _, f := range fields {
		*f.text(&s) = one(f.name)
	}
	if s != (Schedule{}) {
		t.Schedule = &s
		_, wrong := s.read()
		for _, w := range wrong {
			r.refuse(w.field, "%s.", capital(w.err.Error()))
		}
	}
	r.terms(&t, stream, given, "")
	for name := range values {
		if name != "stream" && name != "reportIfEmpty" && name != "initialRecordTime" && !slices.ContainsFunc(fields[:], func(f field) bool { return f.name == name }) {
			r.refuse(name, "A WebSocket has no such parameter: the query is what its name says.")
		}
	}
	return t, r.err()
}

// newID is a random UUID (RFC 9562, version 4), the form of the standard's examples.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
