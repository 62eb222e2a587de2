package event

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// extension is what the hash needs to know of an event's extension members.
type extension struct {
	ns     []Namespace
	ignore map[string]bool // names of members that are bookkeeping of a repository
	left   []string        // rendered members without a namespace
}

// Namespace is a prefix of extension names and what it stands for.
type Namespace struct{ Prefix, URI string }

// WebVocabulary is GS1's.
var WebVocabulary = Namespace{"gs1", gs1Namespace}

// BuiltinNamespaces are the prefixes that the JSON-LD context of EPCIS 2.0 defines for every document.
var BuiltinNamespaces = []Namespace{
	{"cbv", cbvNamespace},
	{"cbvmda", "urn:epcglobal:cbv:mda:"},
	{"dcterms", "http://purl.org/dc/terms/"},
	{"epcis", "https://ref.gs1.org/epcis/"},
	WebVocabulary,
	{"owl", "http://www.w3.org/2002/07/owl#"},
	{"rdfs", rdfsNamespace},
	{"xsd", "http://www.w3.org/2001/XMLSchema#"},
}

const rdfsNamespace = "http://www.w3.org/2000/01/rdf-schema#"

// namespacesOf collects the prefixes of a JSON-LD context in the order of the document; a later one wins.
func namespacesOf(context jsontext.Value) (all []Namespace) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(context))
	for {
		tok, err := dec.ReadToken()
		if err != nil {
			return all
		}
		if tok.Kind() != '{' {
			continue
		}
		for dec.PeekKind() == '"' {
			name, err := dec.ReadToken()
			if err != nil {
				return all
			}
			prefix := name.String()
			if dec.PeekKind() != '"' {
				if dec.SkipValue() != nil {
					return all
				}
				continue
			}
			uri, err := dec.ReadToken()
			if err != nil {
				return all
			}
			all = append(all, Namespace{prefix, uri.String()})
		}
	}
}

// resolve splits a member's name into namespace and local name; ok is false for a name without a prefix that the event's
// own context declares. Prefixes that only the standard's context declares are left alone, as the vectors have it.
func (x *extension) resolve(name string) (ns, local string, ok bool) {
	prefix, local, ok := strings.Cut(name, ":")
	if !ok || strings.HasPrefix(local, "//") { // https://… is no name with a prefix (JSON-LD 1.1, section 5.2.2)
		return "", name, false
	}
	for i := len(x.ns) - 1; i >= 0; i-- {
		if x.ns[i].Prefix == prefix {
			return x.ns[i].URI, local, true
		}
	}
	return "", name, false
}

// IgnoreFields is the local name of the member with which a repository names its own bookkeeping in a document.
const IgnoreFields = "ignoreFields"

// ignoredFields are the names listed by an ignoreFields member of the event, and that member.
func (e *Event) ignoredFields() map[string]bool {
	if !bytes.Contains(e.Ext, []byte(IgnoreFields)) {
		return nil
	}
	names := map[string]bool{}
	eachMember(e.Ext, func(name string, value jsontext.Value) {
		if _, local, _ := strings.Cut(name, ":"); local != IgnoreFields {
			return
		}
		names[name] = true
		eachElement(value, func(v jsontext.Value) {
			if v.Kind() == '"' {
				names[unquote(v)] = true
			}
		})
	})
	return names
}

func unquote(v jsontext.Value) string {
	b, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return string(v)
	}
	return string(b)
}

// eachMember calls f for the members of a raw object that count.
func (h *hasher) eachMember(raw jsontext.Value, f func(name string, value jsontext.Value)) {
	if len(raw) == 0 {
		return
	}
	eachMember(raw, func(name string, value jsontext.Value) {
		ns, local, _ := h.ext.resolve(name)
		comment := name == "rdfs:comment" || ns == rdfsNamespace && local == "comment"
		if comment || h.ext.ignore[name] || strings.HasPrefix(name, "@") {
			return
		}
		f(name, value)
	})
}

// members writes the extension members of an element of the standard, in the order of what is written of them. Those without a
// known namespace are not written here but set aside with their path.
func (h *hasher) members(raw jsontext.Value, path string) {
	start, cut := h.list("")
	h.eachMember(raw, func(name string, value jsontext.Value) {
		if _, _, ok := h.ext.resolve(name); ok {
			h.member(name, value)
		} else {
			h.setAside(path, name, value)
		}
	})
	h.sort(start, cut)
}

// object writes the members of an object that the standard says nothing about.
func (h *hasher) object(raw jsontext.Value) {
	start, cut := h.list("")
	h.eachMember(raw, func(name string, value jsontext.Value) { h.member(name, value) })
	h.sort(start, cut)
}

// TextMember is the name of the text of an XML element that has attributes or elements too.
const TextMember = "#text"

// member writes one element, or one for each element of an array: {namespace}name or the name as it is, then =text or
// the members of an object. The text beside members has no name.
func (h *hasher) member(name string, value jsontext.Value) {
	ns, local, ok := h.ext.resolve(name)
	if name == TextMember {
		local = ""
	}
	eachElement(value, func(v jsontext.Value) {
		if ok {
			h.b = append(h.b, '{')
			h.put(ns)
			h.b = append(h.b, '}')
		}
		h.put(local)
		h.value(v)
		h.cut()
	})
}

// setAside renders a member for leftovers.
func (h *hasher) setAside(path, name string, value jsontext.Value) {
	from, cuts := len(h.b), len(h.cuts)
	h.put(path)
	h.member(name, value)
	h.ext.left = append(h.ext.left, string(h.b[from:]))
	h.b, h.cuts = h.b[:from], h.cuts[:cuts]
}

func (h *hasher) leftovers() {
	for _, s := range h.ext.left {
		h.put(s)
		h.cut()
	}
}

func (h *hasher) value(v jsontext.Value) {
	switch v.Kind() {
	case '{':
		h.object(v)
	case '"':
		h.id("", unquote(v))
	case '0':
		h.b = append(h.b, '=')
		if d, err := ParseDecimal(string(v)); err == nil {
			h.b = d.append(h.b)
		} else {
			h.b = append(h.b, v...) // beyond our numbers: as it was written
		}
	default:
		h.b = append(h.b, '=')
		h.b = append(h.b, v...)
	}
}

// eachMember calls f for the members of a valid object.
func eachMember(object jsontext.Value, f func(name string, value jsontext.Value)) {
	if object.Kind() != '{' {
		return
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(object))
	if _, err := dec.ReadToken(); err != nil {
		return
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return
		}
		key := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return
		}
		f(key, value)
	}
}

// eachElement calls f for the elements of an array, of any depth, or for the value itself.
func eachElement(v jsontext.Value, f func(jsontext.Value)) {
	if v.Kind() != '[' {
		f(v)
		return
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(v))
	if _, err := dec.ReadToken(); err != nil {
		return
	}
	for k := dec.PeekKind(); k != ']' && k != 0; k = dec.PeekKind() {
		elem, err := dec.ReadValue()
		if err != nil {
			return
		}
		eachElement(elem, f)
	}
}
