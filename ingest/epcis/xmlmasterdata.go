package epcis

import (
	"encoding/xml"
	"strings"
)

// vocabulary begins a list of master data.
func (x *xmlSource) vocabulary(e xml.StartElement) {
	x.vocType, x.vocAt = "", x.path()
	for _, a := range e.Attr {
		if tagged(a.Name) == "type" {
			x.vocType = strings.ToLower(strings.TrimSpace(a.Value))
		}
	}
	if x.vocType == "" {
		x.refuse(CodeMissing, x.vocAt+"/@type", "A vocabulary must state its type.")
	} else if !isURI(x.vocType) {
		x.remark(CodeURI, x.vocAt+"/@type", "This is not a URI (RFC 3986).")
	}
	x.vocabularyType(x.vocType, x.vocAt)
}

// vocabularyElement reads one element of master data as the JSON that it would be.
func (x *xmlSource) vocabularyElement(e xml.StartElement) error {
	place, begin := x.path(), x.at
	if x.masterBytes > x.limits.MasterBytes {
		return x.skip()
	}
	s := x.shaper()
	root, err := x.subtree(e, x.limits.EventBytes)
	if err != nil {
		return err
	}
	if x.masterBytes += int(x.here() - begin); x.masterBytes > x.limits.MasterBytes {
		x.refuse(CodeLimit, place, "The document has more than "+itoa(x.limits.MasterBytes)+" bytes of master data. What comes after this element is not read.")
	}
	if root == nil {
		x.refuse(CodeLimit, place, "The element is larger than "+itoa(x.limits.EventBytes)+" bytes.")
		return nil
	}
	from := len(x.problems)
	s.vocabularyElement(root)
	x.Reader.vocabularyElement(x.vocType, root.appendJSON(nil), "")
	x.root, x.place = root, place
	for i := range x.problems[from:] {
		p := &x.problems[from+i]
		p.Pointer, p.Offset = x.locatePointer(p.Pointer)
	}
	x.place = ""
	return nil
}

// vocabularyElement gives a VocabularyElement its form in JSON: id, attributes and children.
func (s *shaper) vocabularyElement(n *node) {
	n.kind = objectValue
	attributes, children := s.list(n, "attributes"), s.list(n, "children")
	for _, k := range n.kids {
		switch {
		case k.attr && tagged(k.tag) == "id":
			k.name = "id"
			n.add(k)
		case k.is("attribute"):
			attributes.members = append(attributes.members, s.masterAttribute(k))
		case k.is("children"):
			children.members = append(children.members, k.kids...)
		}
	}
	n.add(attributes)
	n.add(children)
}

// masterAttribute is {id, attribute}: a text, or an object of the elements in it.
func (s *shaper) masterAttribute(n *node) *node {
	value := s.tree.new()
	value.name, value.source, value.offset = "attribute", n, n.offset
	for _, k := range n.kids {
		if k.attr && tagged(k.tag) == "id" {
			k.name = "id"
			n.add(k)
		} else {
			s.free(value, k)
		}
	}
	value.text = append(value.text, n.text...)
	s.close(value)
	n.kind = objectValue
	n.add(value)
	return n
}
