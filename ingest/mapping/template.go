package mapping

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// shape is what JSON a record's member is: which members it has, and how a text in it is read.
type shape struct {
	members map[string]*shape // of an object
	open    bool              // members with a prefix are allowed
	element *shape            // of a list
	any     bool              // whatever is written
	filter  string            // number, time or bool: what a text becomes without being told
	repeats bool              // of a list: equal elements are all meant
}

// shapes of what a row can become.
var shapes = map[string]*shape{
	"event":      shapeOf(reflect.TypeFor[event.Event]()),
	"inspection": shapeOf(reflect.TypeFor[contract.Inspection]()),
	"site":       shapeOf(reflect.TypeFor[contract.Site]()),
	"product":    shapeOf(reflect.TypeFor[contract.Product]()),
}

func shapeOf(t reflect.Type) *shape {
	switch t {
	case reflect.TypeFor[event.Time]():
		return &shape{filter: "time"}
	case reflect.TypeFor[event.Decimal]():
		return &shape{filter: "number"}
	case reflect.TypeFor[jsontext.Value]():
		return &shape{any: true}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return shapeOf(t.Elem())
	case reflect.Bool:
		return &shape{filter: "bool"}
	case reflect.Slice:
		return &shape{element: shapeOf(t.Elem()), repeats: t.Elem() == reflect.TypeFor[event.Quantity]()}
	case reflect.Struct:
		s := &shape{members: map[string]*shape{}}
		for i := range t.NumField() {
			name, options, tagged := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			switch {
			case options == "embed":
				s.open = true
			case tagged || name != "":
				s.members[name] = shapeOf(t.Field(i).Type)
			}
		}
		return s
	}
	return &shape{}
}

// node is a part of a record's template.
type node struct {
	name    string  // of a member
	object  []*node // its members
	list    []*node // its elements
	when    condition
	repeats bool
	parts   []part         // of a text
	filter  string         // what the text becomes
	literal jsontext.Value // a number or boolean as it is
	uri     bool           // the text is a URI that columns are put into
	dynamic bool           // columns are put into it
	line    int            // of the file
}

// part of a text: what stands there, or columns and what is done with them.
type part struct {
	literal string
	columns []int
	filters []filter
}

// templates reads the templates of one record.
type templates struct {
	*loader
	event bool
}

func (t *templates) node(n *yaml.Node, s *shape) *node {
	switch {
	case s.any && n.Kind == yaml.MappingNode, s.members != nil:
		return t.object(n, s)
	case s.any && n.Kind == yaml.SequenceNode, s.element != nil:
		return t.list(n, s)
	}
	return t.leaf(n, s)
}

func (t *templates) object(n *yaml.Node, s *shape) *node {
	o := &node{object: []*node{}, line: n.Line}
	t.members(n, func(name string, key, value *yaml.Node) {
		if name == "when" {
			o.when = t.condition(value)
			return
		}
		inner := s.members[name]
		switch {
		case inner != nil:
		case s.any, s.open && strings.Contains(name, ":"):
			inner = &shape{any: true}
		case name == "@context":
			t.fail(key, "Prefixes are declared under “namespaces”.")
			return
		default:
			t.fail(key, "There is no %q here.", name)
			return
		}
		m := t.node(value, inner)
		m.name = name
		o.object = append(o.object, m)
		o.dynamic = o.dynamic || m.dynamic
	})
	return o
}

func (t *templates) list(n *yaml.Node, s *shape) *node {
	element := s.element
	if element == nil {
		element = s
	}
	l := &node{list: []*node{}, repeats: s.repeats, line: n.Line}
	t.elements(n, func(n *yaml.Node) {
		e := t.node(n, element)
		l.list = append(l.list, e)
		l.dynamic = l.dynamic || e.dynamic
	})
	return l
}

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`)

func (t *templates) leaf(n *yaml.Node, s *shape) *node {
	leaf := &node{filter: s.filter, line: n.Line}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		t.fail(n, "A text is expected here.")
		return leaf
	}
	if n.Tag == "!!bool" || n.Tag == "!!int" || n.Tag == "!!float" {
		if s.filter == "number" || s.filter == "bool" || s.any {
			if leaf.literal = jsontext.Value(strings.ToLower(n.Value)); !leaf.literal.IsValid() {
				t.fail(n, "%s is not a number as JSON has it.", n.Value)
			}
			return leaf
		}
	}
	leaf.parts = t.parts(n)
	for _, p := range leaf.parts {
		leaf.dynamic = leaf.dynamic || p.columns != nil
	}
	leaf.uri = leaf.dynamic && scheme.MatchString(leaf.parts[0].literal)
	if leaf.filter != "" && len(leaf.parts) == 1 && leaf.dynamic {
		p := &leaf.parts[0]
		if i := slices.IndexFunc(p.filters, func(f filter) bool { return f.name == leaf.filter }); i < 0 {
			p.filters = append(p.filters, filter{name: leaf.filter})
		}
	}
	return leaf
}

// parts splits a text at its braces. {{ and }} are braces themselves.
func (t *templates) parts(n *yaml.Node) (all []part) {
	s, literal := n.Value, ""
	flush := func() {
		if literal != "" {
			all = append(all, part{literal: literal})
		}
		literal = ""
	}
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			i = len(s)
		}
		literal, s = literal+s[:i], s[i:]
		switch {
		case s == "":
		case strings.HasPrefix(s, "{{"), strings.HasPrefix(s, "}}"):
			literal, s = literal+s[:1], s[2:]
		case s[0] == '}':
			t.fail(n, "A brace is closed that was not opened; }} is a brace.")
			return all
		default:
			end := closing(s)
			if end < 0 {
				t.fail(n, "A brace is opened and not closed; {{ is a brace.")
				return all
			}
			flush()
			all = append(all, t.placeholder(s[1:end], n))
			s = s[end+1:]
		}
	}
	flush()
	if all == nil {
		all = []part{{}}
	}
	return all
}

// closing is where the brace that begins s is closed: braces of a regular expression within are counted.
func closing(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// placeholder reads "a+b|filter:argument|filter".
func (t *templates) placeholder(s string, n *yaml.Node) (p part) {
	pieces := strings.Split(s, "|")
	for name := range strings.SplitSeq(pieces[0], "+") {
		p.columns = append(p.columns, t.column(strings.TrimSpace(name), n))
	}
	for _, piece := range pieces[1:] {
		p.filters = append(p.filters, t.filter(piece, n))
	}
	return p
}
