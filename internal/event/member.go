package event

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Namespaces are the prefixes that a member's name may have: those that EPCIS 2.0 defines for every document, then those of a JSON-LD
// context in its order; of two with one prefix the later counts.
func Namespaces(context jsontext.Value) []Namespace {
	return append(slices.Clone(BuiltinNamespaces), namespacesOf(context)...)
}

// Resolve splits a member's name into namespace and local name; ok is false for a name whose prefix is none of the namespaces'.
func Resolve(namespaces []Namespace, name string) (ns, local string, ok bool) {
	x := extension{ns: namespaces}
	return x.resolve(name)
}

// EachMember calls f for the members of a raw object of the event, in their order; anything else has none.
func EachMember(object jsontext.Value, f func(name string, value jsontext.Value)) {
	eachMember(object, f)
}

// EachElement calls f for the elements of a raw array of the event, of any depth, or for the value itself.
func EachElement(v jsontext.Value, f func(jsontext.Value)) { eachElement(v, f) }

// Scalar is the text of a raw string, number or boolean of the event; ok is false for anything else.
func Scalar(v jsontext.Value) (text string, ok bool) {
	switch v.Kind() {
	case '"':
		return unquote(v), true
	case '0', 't', 'f':
		return strings.TrimSpace(string(v)), true
	}
	return "", false
}
