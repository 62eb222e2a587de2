package epcis

import (
	"bytes"
	"encoding/xml"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// node is an element or attribute of a part of a document that is read whole, and the JSON value that becomes of it.
type node struct {
	tag    xml.Name // Space is the prefix
	uri    string   // namespace
	attr   bool
	null   bool // xsi:nil
	text   []byte
	offset int64
	up     *node
	kids   []*node // attributes, then elements
	source *node   // of a value that has no element of its own

	kind    valueKind
	name    string  // as a member
	members []*node // of an object or array
	index   map[string]*node
}

// valueKind is the form a node has in JSON.
type valueKind uint8

const (
	quoted valueKind = iota
	literal
	objectValue
	arrayValue
)

// tree is the memory that the nodes of one event after the other live in.
type tree struct {
	chunks [][]node
	used   int
	bytes  int // of text
}

// Sizes of a tree.
const (
	chunkNodes = 256
	// keepNodes and keepBytes are what is kept for the next event; a larger one is rare.
	keepNodes = 16 * chunkNodes
	keepBytes = 1 << 20
)

func (t *tree) reset() {
	if t.used > keepNodes || t.bytes > keepBytes {
		t.chunks = nil
	}
	t.used, t.bytes = 0, 0
}

func (t *tree) new() *node {
	if t.used == len(t.chunks)*chunkNodes {
		t.chunks = append(t.chunks, make([]node, chunkNodes))
	}
	n := &t.chunks[t.used/chunkNodes][t.used%chunkNodes]
	t.used++
	*n = node{kids: n.kids[:0], text: n.text[:0], members: n.members[:0]}
	return n
}

// blanks are the white space of XML.
const blanks = " \t\r\n"

// subtree reads the element that was just opened, to its end. What is larger than the limit is read over; then the node is nil.
func (x *xmlSource) subtree(start xml.StartElement, limit int) (*node, error) {
	x.tree.reset()
	from, depth := x.at, len(x.open)-1
	root := x.node(start, nil)
	at, fits := root, true
	for len(x.open) > depth {
		tok, err := x.token()
		if err != nil {
			return nil, err
		}
		if fits = fits && x.here()-from <= int64(limit) && x.tree.used <= maxNodes; !fits {
			continue
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			at = x.node(tok, at)
		case xml.EndElement:
			at.text = bytes.Trim(at.text, blanks)
			at = at.up
		case xml.CharData:
			x.tree.bytes += len(tok)
			at.text = append(at.text, tok...)
		}
	}
	if !fits {
		return nil, nil
	}
	return root, nil
}

func (x *xmlSource) node(e xml.StartElement, up *node) *node {
	n := x.tree.new()
	n.tag, n.up, n.offset = e.Name, up, x.at
	n.uri, _ = x.uri(e.Name.Space)
	if up != nil {
		up.kids = append(up.kids, n)
	}
	for _, a := range e.Attr {
		x.nodeAttribute(n, a)
	}
	return n
}

// nodeAttribute keeps an attribute. Those for schema processors say nothing of the content, but that it is not there.
func (x *xmlSource) nodeAttribute(n *node, a xml.Attr) {
	if _, ok := declares(a.Name); ok {
		return
	}
	uri := ""
	if a.Name.Space != "" {
		uri, _ = x.uri(a.Name.Space)
	}
	if uri == xsi {
		n.null = n.null || a.Name.Local == "nil" && (a.Value == "true" || a.Value == "1")
		return
	}
	k := x.tree.new()
	k.tag, k.uri, k.attr, k.up, k.offset = a.Name, uri, true, n, n.offset
	k.text = append(k.text, strings.Trim(a.Value, blanks)...)
	x.tree.bytes += len(a.Value)
	n.kids = append(n.kids, k)
}

// standard says whether a node is of the standard: in one of its namespaces, or in none, as its schemas have it.
func (n *node) standard() bool {
	return n.uri == "" && n.tag.Space == "" || standardNamespaces[n.uri]
}

// is says whether a node is the element of the standard with that name.
func (n *node) is(local string) bool { return !n.attr && n.tag.Local == local && n.standard() }

// fewMembers is where looking at each is faster than a map.
const fewMembers = 16

// member is the member of that name, or nil.
func (n *node) member(name string) *node {
	if n.index != nil {
		return n.index[name]
	}
	for _, m := range n.members {
		if m.name == name {
			return m
		}
	}
	return nil
}

func (n *node) add(m *node) {
	n.members = append(n.members, m)
	if len(n.members) > fewMembers && n.index == nil {
		n.index = make(map[string]*node, 2*fewMembers)
		for _, m := range n.members {
			n.index[m.name] = m
		}
	}
	if n.index != nil {
		n.index[m.name] = m
	}
}

// appendJSON writes the value that a node has become.
func (n *node) appendJSON(b []byte) []byte {
	switch n.kind {
	case literal:
		return append(b, n.text...)
	case objectValue:
		b = append(b, '{')
		for i, m := range n.members {
			if i > 0 {
				b = append(b, ',')
			}
			b, _ = jsontext.AppendQuote(b, m.name) // the decoder has checked that all is UTF-8
			b = m.appendJSON(append(b, ':'))
		}
		return append(b, '}')
	case arrayValue:
		b = append(b, '[')
		for i, m := range n.members {
			if i > 0 {
				b = append(b, ',')
			}
			b = m.appendJSON(b)
		}
		return append(b, ']')
	}
	b, _ = jsontext.AppendQuote(b, n.text)
	return b
}

// path is the place of a node below the root of its tree, as an XPath.
func (n *node) path() string {
	if n.source != nil {
		return n.source.path()
	}
	if n.up == nil {
		return ""
	}
	if n.attr {
		return n.up.path() + "/@" + tagged(n.tag)
	}
	number, same := 0, 0
	for _, k := range n.up.kids {
		if !k.attr && k.tag == n.tag {
			same++
			if k == n {
				number = same
			}
		}
	}
	if same == 1 {
		return n.up.path() + "/" + tagged(n.tag)
	}
	return n.up.path() + "/" + tagged(n.tag) + "[" + itoa(number) + "]"
}

// find is the deepest node on the way of a JSON pointer, and what is left of the pointer.
func (n *node) find(pointer string) (*node, string) {
	for pointer != "" {
		name, rest, more := strings.Cut(pointer[1:], "/")
		if more {
			rest = "/" + rest
		}
		next := n.step(unescape(name))
		if next == nil {
			break
		}
		n, pointer = next, rest
	}
	return n, pointer
}

func (n *node) step(name string) *node {
	switch n.kind {
	case objectValue:
		return n.member(name)
	case arrayValue:
		i := 0
		for _, c := range []byte(name) {
			if c < '0' || c > '9' || i > len(n.members) {
				return nil
			}
			i = 10*i + int(c-'0')
		}
		if i < len(n.members) {
			return n.members[i]
		}
	}
	return nil
}
