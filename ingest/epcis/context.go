package epcis

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// prefix is one prefix that a JSON-LD context declares.
type prefix struct {
	name, uri string
	quoted    []byte // "name: — how a name or value that uses it begins in JSON
}

// ldContext is what a JSON-LD context says of extensions.
type ldContext struct {
	prefixes  []prefix // sorted by name
	redefined []string // terms of the standard that it gives a meaning
}

// readContext reads the value of an @context: a URI, an object, or an array of these. Contexts named by URI are not fetched;
// the standard's is known, and any other is taken to add nothing.
func readContext(raw jsontext.Value, at string, report func(Problem)) (c ldContext) {
	switch raw.Kind() {
	case '"', '{':
		c.part(raw, at, report)
	case '[':
		seen := map[string]bool{}
		for i, v := range elements(raw) {
			at := at + "/" + itoa(i)
			same := v.Clone()
			_ = same.Canonicalize() // it was read before
			if seen[string(same)] {
				report(Problem{Code: CodeRepeated, Message: "The same context is in the list before.", Pointer: at})
			}
			seen[string(same)] = true
			c.part(v, at, report)
		}
	default:
		report(Problem{Code: CodeType, Message: "A context is a URI, an object, or a list of these.", Pointer: at})
	}
	return c
}

func (c *ldContext) part(raw jsontext.Value, at string, report func(Problem)) {
	switch raw.Kind() {
	case '"':
		if s, _ := text(raw); !isURI(s) {
			report(Problem{Code: CodeURI, Severity: Finding, Message: "The context is not a URI.", Pointer: at})
		}
	case '{':
		for name, v := range members(raw) {
			if c.term(name, v); len(c.prefixes) > maxNamespaces {
				report(Problem{Code: CodeLimit, Message: "The context declares more than " + itoa(maxNamespaces) + " prefixes.", Pointer: at})
				c.prefixes = nil
				return
			}
		}
	default:
		report(Problem{Code: CodeType, Message: "A context is a URI or an object.", Pointer: at})
	}
}

func (c *ldContext) term(name string, v jsontext.Value) {
	if strings.HasPrefix(name, "@") {
		return
	}
	if _, standard := eventShape[name]; standard {
		c.redefined = append(c.redefined, name)
	}
	if uri, ok := text(v); ok {
		c.declare(name, uri)
	}
}

func (c *ldContext) declare(name, uri string) {
	i, found := slices.BinarySearchFunc(c.prefixes, name, func(p prefix, name string) int { return strings.Compare(p.name, name) })
	if found {
		c.prefixes[i].uri = uri
		return
	}
	quoted, err := jsontext.AppendQuote(nil, name+":")
	if err != nil {
		return // not UTF-8, which the reader has refused
	}
	c.prefixes = slices.Insert(c.prefixes, i, prefix{name, uri, quoted[:len(quoted)-1]})
}

// with is this context overridden by another.
func (c ldContext) with(inner ldContext) ldContext {
	out := ldContext{prefixes: slices.Clone(c.prefixes)}
	for _, p := range inner.prefixes {
		out.declare(p.name, p.uri)
	}
	return out
}

// used is the part of the context whose prefixes an event's text uses, as a JSON object, or nil.
func (c *ldContext) used(eventText []byte) jsontext.Value {
	var b []byte
	for i := range c.prefixes {
		p := &c.prefixes[i]
		if !bytes.Contains(eventText, p.quoted) {
			continue
		}
		b = append(b, ',')
		b = append(append(b, p.quoted[:len(p.quoted)-1]...), `":`...)
		b, _ = jsontext.AppendQuote(b, p.uri)
	}
	if b == nil {
		return nil
	}
	b[0] = '{'
	return append(b, '}')
}

// knows says whether a prefix is declared here or by the standard's context.
func (c *ldContext) knows(name string) bool {
	for i := range c.prefixes {
		if c.prefixes[i].name == name {
			return true
		}
	}
	for _, ns := range event.BuiltinNamespaces {
		if ns.Prefix == name {
			return true
		}
	}
	return false
}
