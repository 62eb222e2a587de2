package epcis

import (
	"bytes"
	"slices"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// unwrapped puts the content of ilmd into it, also what is in a wrapper.
func (s *shaper) unwrapped(into, k *node) {
	if !k.is("extension") {
		s.free(into, k)
		return
	}
	for _, inner := range k.kids {
		s.unwrapped(into, inner)
	}
}

// free puts a member that the standard says nothing about into an object: a text, or an object of its attributes and elements. Elements of
// one name are an array.
func (s *shaper) free(into, k *node) {
	k.name = s.nameOf(k)
	for _, inner := range k.kids {
		s.free(k, inner)
	}
	s.close(k)
	before := into.member(k.name)
	switch {
	case before == nil:
		into.add(k)
	case before.kind == arrayValue:
		before.members = append(before.members, k)
	default:
		s.repeat(into, before, k)
	}
}

// close chooses the form of a value whose members are there.
func (s *shaper) close(n *node) {
	if len(n.members) == 0 {
		return
	}
	n.kind = objectValue
	if len(n.text) > 0 {
		text := s.synthetic(event.TextMember, n)
		text.text = append(text.text, n.text...)
		n.add(text)
	}
}

// repeat makes an array of a member and the next one of its name.
func (s *shaper) repeat(into, first, second *node) {
	list := s.list(first, first.name)
	list.members = append(list.members, first, second)
	for i, m := range into.members {
		if m == first {
			into.members[i] = list
		}
	}
	if into.index != nil {
		into.index[list.name] = list
	}
}

// nameOf is the name of a member in JSON: with the prefix that the event's context gives its namespace.
func (s *shaper) nameOf(n *node) string {
	if n.uri == "" { // no namespace, or a prefix that is not declared
		return tagged(n.tag)
	}
	return s.prefix(n.tag.Space, n.uri) + ":" + n.tag.Local
}

// prefix is the prefix that a namespace has in the context: the one that is written, if it means that there.
func (s *shaper) prefix(prefix, uri string) string {
	free := ""
	for i := range s.context.prefixes {
		p := &s.context.prefixes[i]
		if p.name == prefix && p.uri == uri {
			return prefix
		}
		if p.uri == uri {
			free = p.name
		}
	}
	if free != "" {
		return free
	}
	for i := 1; !isPrefix(prefix) || s.context.declares(prefix) || slices.Contains(s.taken, prefix); i++ {
		prefix = "ns" + itoa(i)
	}
	s.own()
	s.context.declare(prefix, uri)
	return prefix
}

func (c *ldContext) declares(name string) bool {
	for i := range c.prefixes {
		if c.prefixes[i].name == name {
			return true
		}
	}
	return false
}

// values takes the prefixes that values begin with out of the context. In XML a prefix means something in names only (a value like ex:a is
// text, and the published hashes have it so); in JSON it would in values too.
func (s *shaper) values(n *node) {
	if n.tag.Local == event.IgnoreFields { // names
		return
	}
	if i := bytes.IndexByte(n.text, ':'); i > 0 {
		for j := range s.context.prefixes {
			if p := s.context.prefixes[j]; len(p.name) == i && string(n.text[:i]) == p.name && p.uri != event.WebVocabulary.URI {
				s.taken = append(s.taken, p.name)
				s.own()
				s.context.prefixes = slices.Delete(s.context.prefixes, j, j+1)
				break
			}
		}
	}
	for _, k := range n.kids {
		s.values(k)
	}
}

// own makes the context one that may be changed.
func (s *shaper) own() {
	if s.shared {
		s.context, s.shared = s.context.with(ldContext{}), false
	}
}

func sameScope(a, b []binding) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// isPrefix says whether a prefix can be one in JSON too.
func isPrefix(s string) bool { return isURI(s + ":") }
