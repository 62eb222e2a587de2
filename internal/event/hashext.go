package event

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// extension is what the hash needs to know of an event's extension members.
type extension struct {
	ns     []Namespace
	ignore []string // names of members that are bookkeeping of a repository
	left   []string // rendered members without a namespace
}

// Namespace is a prefix of extension names and what it stands for.
type Namespace struct{ Prefix, URI string }

// BuiltinNamespaces are the prefixes that the JSON-LD context of EPCIS 2.0 defines for every document.
var BuiltinNamespaces = []Namespace{
	{"cbv", cbvNamespace},
	{"cbvmda", "urn:epcglobal:cbv:mda:"},
	{"dcterms", "http://purl.org/dc/terms/"},
	{"epcis", "https://ref.gs1.org/epcis/"},
	{"gs1", gs1Namespace},
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

// resolve splits a member's name into namespace and local name; ok is false for a name without a known prefix.
func (x *extension) resolve(name string) (ns, local string, ok bool) {
	prefix, local, ok := strings.Cut(name, ":")
	if !ok {
		return "", name, false
	}
	for _, list := range [...][]Namespace{x.ns, BuiltinNamespaces} {
		for i := len(list) - 1; i >= 0; i-- {
			if list[i].Prefix == prefix {
				return list[i].URI, local, true
			}
		}
	}
	return "", name, false
}

// ignoreFields is the local name of the member with which a repository names its own bookkeeping in a document.
const ignoreFields = "ignoreFields"

// ignoredFields are the names listed by an ignoreFields member of the event, and that member.
func (e *Event) ignoredFields() (names []string) {
	eachMember(e.Ext, func(name string, value jsontext.Value) {
		if _, local, _ := strings.Cut(name, ":"); local != ignoreFields {
			return
		}
		names = append(names, name)
		eachElement(value, func(v jsontext.Value) {
			if v.Kind() == '"' {
				names = append(names, unquote(v))
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

// members writes the members of a raw object, sorted by what is written of them. Those without a namespace are not
// written here but set aside with their path.
func (h *hasher) members(raw jsontext.Value, path string) {
	if len(raw) == 0 {
		return
	}
	start, cut := h.list("")
	eachMember(raw, func(name string, value jsontext.Value) {
		ns, local, ok := h.ext.resolve(name)
		if slices.Contains(h.ext.ignore, name) || ns == rdfsNamespace && local == "comment" || strings.HasPrefix(name, "@") {
			return
		}
		if !ok {
			h.setAside(path, name, value)
			return
		}
		eachElement(value, func(v jsontext.Value) {
			h.b = append(h.b, '{')
			h.put(ns)
			h.b = append(h.b, '}')
			h.put(local)
			h.value(v, path)
			h.cut()
		})
	})
	h.sort(start, cut)
}

// setAside renders a member without a namespace for leftovers.
func (h *hasher) setAside(path, name string, value jsontext.Value) {
	from := len(h.b)
	eachElement(value, func(v jsontext.Value) {
		h.put(path)
		h.put(name)
		h.value(v, path+name)
		h.ext.left = append(h.ext.left, string(h.b[from:]))
		h.b = h.b[:from]
	})
}

func (h *hasher) leftovers() {
	slices.Sort(h.ext.left)
	for _, s := range h.ext.left {
		h.put(s)
	}
}

// value writes what follows a member's name: =text, or the members of an object.
func (h *hasher) value(v jsontext.Value, path string) {
	switch v.Kind() {
	case '{':
		h.members(v, path)
	case '"':
		h.b = append(h.b, '=')
		h.put(canonicalID(unquote(v)))
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
