package query

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// Parse reads a query string. Lists are delimited by "|"; a parameter that is there twice adds to its list. The namespaces are what the
// request declares (header GS1-Extensions); those that EPCIS defines need not be among them. All problems are returned, in the order of the
// parameters' names. What is no parameter of a query (nextPageToken, controls of a subscription) the caller takes out before.
func Parse(values url.Values, namespaces []event.Namespace) (Query, []Problem) {
	p := parser{q: Query{Namespaces: namespaces}}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) > MaxParameters {
		p.refuse("", TooMany, "A query has at most %d parameters.", MaxParameters)
		names = names[:MaxParameters]
	}
	for _, name := range names {
		var g given
		for _, list := range values[name] {
			g.texts = append(g.texts, strings.Split(list, "|")...)
		}
		p.parameter(name, g)
	}
	return p.done()
}

// ParseJSON reads a query as the body of a named query has it (query-schema.json): an object of parameters, whose @context declares prefixes.
func ParseJSON(body []byte) (Query, []Problem) {
	var p parser
	if len(body) > MaxBody {
		p.refuse("", TooMany, "A query has at most %d bytes.", MaxBody)
		return p.done()
	}
	dec := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(false))
	members, err := readObject(dec)
	if err != nil {
		p.refuse("", WrongValue, "The query is not a JSON object: %v.", err)
		return p.done()
	}
	if len(members) > MaxParameters+1 {
		p.refuse("", TooMany, "A query has at most %d parameters.", MaxParameters)
		members = members[:MaxParameters]
	}
	for _, m := range members {
		if m.name == "@context" {
			p.context(m.value)
		}
	}
	for _, m := range members {
		if m.name == "@context" {
			continue
		}
		if g, ok := p.json(m.name, m.value); ok {
			p.parameter(m.name, g)
		}
	}
	return p.done()
}

type member struct {
	name  string
	value jsontext.Value
}

// readObject reads the one object that a text is.
func readObject(dec *jsontext.Decoder) (list []member, err error) {
	tok, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	if tok.Kind() != '{' {
		return nil, errors.New("it is something else")
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		m := member{name: name.String()}
		v, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		m.value = v.Clone()
		list = append(list, m)
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return nil, errors.New("something follows it")
	}
	slices.SortFunc(list, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

// given is a parameter's value as it came.
type given struct {
	texts []string
	plain []bool // of each text: a number or boolean in JSON; nil: none is
	null  bool
}

type parser struct {
	q        Query
	problems []Problem
}

func (p *parser) refuse(name string, code Code, format string, args ...any) {
	p.problems = append(p.problems, Problem{name, code, fmt.Sprintf(format, args...)})
}

func (p *parser) done() (Query, []Problem) {
	if p.q.EventCountLimit > 0 && p.q.MaxEventCount > 0 {
		p.refuse("maxEventCount", Conflict, "eventCountLimit and maxEventCount exclude each other.")
	}
	if p.q.EventCountLimit > 0 && p.q.OrderBy == "" {
		p.refuse("eventCountLimit", Conflict, "eventCountLimit needs orderBy.")
	}
	if len(p.problems) > 0 {
		return Query{}, p.problems
	}
	return p.q, nil
}

// context reads the prefixes of an @context.
func (p *parser) context(v jsontext.Value) {
	if event.Depth(v) > event.MaxDepth {
		p.refuse("@context", WrongValue, "The context is nested too deep.")
		return
	}
	p.q.Namespaces = event.Namespaces(v)[len(event.BuiltinNamespaces):]
}

func (p *parser) namespace(prefix string) string {
	for _, list := range [...][]event.Namespace{p.q.Namespaces, event.BuiltinNamespaces} {
		for _, n := range slices.Backward(list) {
			if n.Prefix == prefix {
				return n.URI
			}
		}
	}
	return ""
}

// json reads a JSON value: a text, number, boolean or null, or an array of these.
func (p *parser) json(name string, v jsontext.Value) (g given, ok bool) {
	if ok = event.Depth(v) <= 1 && v.Kind() != '{'; !ok {
		v = nil // deep arrays are not even looked at
	}
	event.EachElement(v, func(v jsontext.Value) {
		text, scalar := event.Scalar(v)
		switch {
		case len(v) == 0:
		case v.Kind() == 'n':
			g.null = true
		case scalar:
			g.texts, g.plain = append(g.texts, text), append(g.plain, v.Kind() != '"')
		default:
			ok = false
		}
	})
	if !ok {
		p.refuse(name, WrongValue, "The value must be a text, a number or a list of these.")
	}
	return g, ok
}

// parameter adds what a parameter says.
func (p *parser) parameter(name string, g given) {
	if len(g.texts) > MaxValues {
		p.refuse(name, TooMany, "A parameter has at most %d values.", MaxValues)
		return
	}
	for _, s := range append(slices.Clone(g.texts), name) {
		switch {
		case len(s) > MaxValue:
			p.refuse(short(name), TooMany, "A name or value has at most %d bytes.", MaxValue)
			return
		case !utf8.ValidString(s):
			p.refuse(strings.ToValidUTF8(short(name), "?"), WrongValue, "A name or value is not UTF-8.")
			return
		}
	}
	switch name {
	case "orderBy":
		p.orderBy(name, g)
	case "orderDirection":
		p.direction(name, g)
	case "eventCountLimit":
		p.q.EventCountLimit = p.count(name, g)
	case "maxEventCount":
		p.q.MaxEventCount = p.count(name, g)
	case "perPage":
		p.q.PerPage = p.count(name, g)
	default:
		p.criterion(name, g)
	}
}

func (p *parser) one(name string, g given) (string, bool) {
	if len(g.texts) != 1 || g.null {
		p.refuse(name, WrongValue, "One value is expected.")
		return "", false
	}
	return g.texts[0], true
}

func (p *parser) count(name string, g given) int {
	s, ok := p.one(name, g)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 1 {
		p.refuse(name, WrongValue, "The value must be a whole number from 1.")
		return 0
	}
	return int(n)
}

func (p *parser) orderBy(name string, g given) {
	switch s, ok := p.one(name, g); {
	case !ok:
	case s == string(ByEventTime), s == string(ByRecordTime):
		p.q.OrderBy = Order(s)
	default:
		p.refuse(name, WrongValue, "Events are ordered by eventTime or recordTime only.")
	}
}

func (p *parser) direction(name string, g given) {
	switch s, ok := p.one(name, g); {
	case !ok:
	case s == "ASC", s == "DESC":
		p.q.Ascending = s == "ASC"
	default:
		p.refuse(name, WrongValue, "The value must be ASC or DESC.")
	}
}

func (p *parser) criterion(name string, g given) {
	c, k := p.named(name)
	if k == 0 {
		p.refuse(name, UnknownParameter, "There is no such query parameter.")
		return
	}
	if k == presence {
		p.exists(c, g)
		return
	}
	one := c.Op == GT || c.Op == GE || c.Op == LT || c.Op == LE || k == aBool
	switch {
	case g.null, len(g.texts) == 0:
		p.refuse(name, WrongValue, "A value is expected.")
		return
	case one && len(g.texts) > 1:
		p.refuse(name, WrongValue, "One value is expected.")
		return
	}
	for i, text := range g.texts {
		v := Value{Text: text, Key: text, plain: g.plain != nil && g.plain[i]}
		if text == "" && k != texts && k != extValues {
			p.refuse(name, WrongValue, "A value is empty.")
			return
		}
		if message := p.value(&v, &c, k); message != "" {
			p.refuse(name, WrongValue, "%q %s.", short(text), message)
			return
		}
		c.Values = append(c.Values, v)
	}
	p.q.Criteria = append(p.q.Criteria, c)
}

// exists: a value is not needed (it is null in JSON, and the OpenAPI writes true); false asks for nothing.
func (p *parser) exists(c Criterion, g given) {
	switch {
	case len(g.texts) > 1:
		p.refuse(c.Name, WrongValue, "One value is expected.")
	case len(g.texts) == 1 && (g.texts[0] == "false" || g.texts[0] == "0"):
	case len(g.texts) == 1 && g.texts[0] != "true" && g.texts[0] != "1" && g.texts[0] != "":
		p.refuse(c.Name, WrongValue, "The value must be true or false.")
	default:
		p.q.Criteria = append(p.q.Criteria, c)
	}
}

// short is a value as a message shows it.
func short(s string) string {
	const longest = 100
	if len(s) > longest {
		return strings.ToValidUTF8(s[:longest], "") + "…"
	}
	return s
}

// value completes a value for its comparisons, or says what is wrong: the end of a sentence that begins with the value.
func (p *parser) value(v *Value, c *Criterion, k kind) (message string) {
	switch k {
	case aTime:
		return v.time()
	case aNumber:
		return v.number()
	case aBool:
		if v.Text != "true" && v.Text != "false" {
			return "is neither true nor false"
		}
	case types:
		v.Key = strings.TrimPrefix(v.Text, "epcis:")
	case actions:
		if v.Text != string(event.Add) && v.Text != string(event.Observe) && v.Text != string(event.Delete) {
			return "is none of ADD, OBSERVE, DELETE"
		}
	case steps:
		v.Key = p.word(event.BizSteps, v.Text)
	case disposition:
		v.Key = p.word(event.Dispositions, v.Text)
	case reasons:
		v.Key = p.word(event.ErrorReasons, v.Text)
	case measured:
		v.Key = p.word(event.MeasurementTypes, v.Text)
	case uris:
		v.Key, _ = gs1.Canonical(v.Text)
	case patterns:
		v.Key, _ = gs1.Canonical(v.Text)
		v.pattern = patternOf(v.Text, v.Key)
	case extValues:
		return v.extension(c.Op)
	}
	return ""
}

// word is the key of a word: the bare word for every form of one of the vocabulary, the URI that a CURIE stands for, else as it is.
func (p *parser) word(vocabulary *event.Vocabulary, text string) string {
	w := vocabulary.Word(text)
	if prefix, local, ok := strings.Cut(w, ":"); ok && !vocabulary.Has(w) && !strings.HasPrefix(local, "//") {
		for _, n := range p.q.Namespaces {
			if n.Prefix == prefix {
				w = n.URI + local
			}
		}
	}
	return w
}

func (v *Value) time() (message string) {
	var err error
	if v.Time, err = event.ParseTime(v.Text); err != nil {
		return saidOf(err)
	}
	return ""
}

func (v *Value) number() (message string) {
	var err error
	if v.Number, err = event.ParseDecimal(v.Text); err != nil {
		return saidOf(err)
	}
	return ""
}

func saidOf(err error) string {
	var e *event.Error
	if errors.As(err, &e) {
		return e.Msg
	}
	return err.Error()
}

// extension reads a value that may be anything: what it is compared with decides.
func (v *Value) extension(op Op) (message string) {
	v.Number, v.Time = scalarForms(v.Text)
	if op != EQ && !v.Number.Stated && v.Time.IsZero() {
		return "is neither a number nor a date and time with offset"
	}
	return ""
}

// scalarForms are a text as number, where it is one as JSON writes it (007 is none), and as time.
func scalarForms(s string) (n event.Decimal, t event.Time) {
	if s == "" {
		return n, t
	}
	if raw := jsontext.Value(s); raw.Kind() == '0' && raw.IsValid() {
		if d, err := event.ParseDecimal(s); err == nil {
			n = d
		}
	}
	if len(s) >= len("2006-01-02T15:04:05Z") {
		if parsed, err := event.ParseTime(s); err == nil {
			t = parsed
		}
	}
	return n, t
}
