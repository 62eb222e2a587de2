package gs1

import "strings"

// Element is an application identifier and its decoded value.
type Element struct{ AI, Value string }

// Link is a GS1 Digital Link URI taken apart (GS1 Digital Link: URI Syntax), uncompressed.
type Link struct {
	// Stem is scheme, domain and whatever path precedes the key, without a slash at its end.
	Stem       string
	Key        Element   // the primary key
	Qualifiers []Element // the rest of the path, in its order
	Attributes []Element // application identifiers of the query, in its order
	// Other are the remaining parts of the query as given: "linkType=gs1:pip", "token".
	Other    []string
	Fragment string // what follows '#', as given
}

// Elements are key, qualifiers and attributes in the order of the URI.
func (l Link) Elements() []Element {
	all := append(make([]Element, 0, 1+len(l.Qualifiers)+len(l.Attributes)), l.Key)
	return append(append(all, l.Qualifiers...), l.Attributes...)
}

// separator is the FNC1 that ends a value without a predefined length, as a scanner transmits it.
const separator = '\x1d'

// ElementString is the content of a GS1 barcode with the link's elements in the order of the URI, without the leading FNC1.
func (l Link) ElementString() string {
	var out []byte
	all := l.Elements()
	for i, e := range all {
		out = append(append(out, e.AI...), e.Value...)
		if a := aiNamed(e.AI); i < len(all)-1 && (a == nil || a.use&predefined == 0) {
			out = append(out, separator)
		}
	}
	return string(out)
}

// Bracketed is the human readable form: (01)09506000164908(10)ABC.
func (l Link) Bracketed() string {
	var out strings.Builder
	for _, e := range l.Elements() {
		out.WriteString("(" + e.AI + ")" + e.Value)
	}
	return out.String()
}

// URI writes the link with the given stem instead of its own, without Other and Fragment; "" is the canonical stem.
func (l Link) URI(stem string) string {
	if stem == "" {
		stem = canonicalStem
	}
	out := []byte(strings.TrimSuffix(stem, "/"))
	for _, e := range append([]Element{l.Key}, l.Qualifiers...) {
		out = append(append(append(append(out, '/'), e.AI...), '/'), escapePath(e.Value)...)
	}
	mark := byte('?')
	for _, e := range l.Attributes {
		out = append(append(append(append(out, mark), e.AI...), '='), escapeQuery(e.Value)...)
		mark = '&'
	}
	return string(out)
}

// ParseDigitalLink reads an uncompressed GS1 Digital Link URI on any domain. It accepts short names and GTINs of 8, 12
// and 13 digits, which it pads. A wrong check digit comes with the full link; with any other *[Error] the link is empty.
func ParseDigitalLink(uri string) (Link, error) {
	l, err := parseLink(uri)
	return l.unlessBroken(err)
}

func parseLink(uri string) (Link, *Error) {
	if err := checkURI(uri); err != nil {
		return Link{}, err
	}
	var l Link
	rest, fragment, _ := strings.Cut(uri, "#")
	rest, query, _ := strings.Cut(rest, "?")
	l.Fragment = fragment
	_, path, _ := splitHTTP(rest)
	pairs, n, stem, err := pathPairs(path)
	if err != nil {
		return Link{}, err
	}
	l.Stem = rest[:len(rest)-len(path)+len(stem)]
	l.Key = Element{pairs[n-1].key.ai, unescapePath(pairs[n-1].raw)}
	for i := n - 2; i >= 0; i-- {
		l.Qualifiers = append(l.Qualifiers, Element{pairs[i].qual.ai, unescapePath(pairs[i].raw)})
	}
	l.readQuery(query)
	return l, l.check()
}

// checkURI refuses what is not an http URI with a usable host, or has characters that no URI has (RFC 3986 section 2).
func checkURI(uri string) *Error {
	for i := 0; i < len(uri); i++ {
		if c := uri[i]; class[c]&unreserved == 0 && !strings.ContainsRune("%:/?#[]@!$&'()*+,;=", rune(c)) {
			return fault(SyntaxWrong, "", "a character has to be percent-encoded in a URI")
		}
	}
	host, _, ok := splitHTTP(uri)
	if !ok {
		return fault(SyntaxWrong, "", "a Digital Link starts with https:// or http://")
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	if strings.HasPrefix(host, "[") {
		host = strings.Map(func(r rune) rune {
			if r == '[' || r == ']' || r == ':' {
				return -1
			}
			return r
		}, host)
	} else {
		host, _, _ = strings.Cut(host, ":")
	}
	if host == "" || strings.ContainsAny(host, "%[]!$&'()*+,;=_~") {
		return fault(SyntaxWrong, "", "the domain name is not one")
	}
	return nil
}

// readQuery sorts the parts of the query (separated by '&' or ';') into attributes and others.
func (l *Link) readQuery(query string) {
	for _, part := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, has := strings.Cut(part, "=")
		number := unescapeQuery(name)
		if !has || number == "" || !allDigits(number) {
			l.Other = append(l.Other, part)
			continue
		}
		l.Attributes = append(l.Attributes, Element{number, unescapeQuery(value)})
	}
}

// check pads GTINs and checks every element and where it stands. A wrong check digit is reported last.
func (l *Link) check() *Error {
	if err := l.checkAttributes(); err != nil {
		return err
	}
	soft := checkElement(&l.Key)
	for _, list := range [][]Element{l.Qualifiers, l.Attributes} {
		for i := range list {
			if soft != nil && soft.Code != CheckDigitWrong {
				return soft
			}
			if err := checkElement(&list[i]); err != nil {
				soft = err
			}
		}
	}
	return soft
}

func checkElement(e *Element) *Error {
	switch e.AI {
	case "01", "02", "03":
		if padded, err := PadGTIN(e.Value); err == nil {
			e.Value = padded
		}
	}
	return checkValue(e.AI, e.Value)
}

// checkAttributes refuses unknown and repeated identifiers and those whose place is the path.
func (l *Link) checkAttributes() *Error {
	key := keyNamed(l.Key.AI)
	for i, e := range l.Attributes {
		a := aiNamed(e.AI)
		if a == nil {
			return unassigned(e.AI)
		}
		if a.use&attribute == 0 || l.takes(key, e.AI) {
			return fault(AIMisplaced, e.AI, "this application identifier may not stand in the query")
		}
		if e.AI == l.Key.AI || holds(l.Qualifiers, e.AI) || holds(l.Attributes[:i], e.AI) {
			return fault(AIMisplaced, e.AI, "this application identifier is there twice")
		}
	}
	return nil
}

// takes says whether number could stand in the path beside the qualifiers that are there.
func (l *Link) takes(key *key, number string) bool {
	q := qualifierNamed(number)
	if q == nil || !q.fits(key) {
		return false
	}
	for _, e := range l.Qualifiers {
		if other := qualifierNamed(e.AI); other.alone || q.alone || other.rank == q.rank {
			return false
		}
	}
	return true
}

func holds(list []Element, number string) bool {
	for _, e := range list {
		if e.AI == number {
			return true
		}
	}
	return false
}

// NewLink makes a link of elements in any order: the first that can be a primary key is the key, its qualifiers follow in
// their order, and the rest are attributes. An element that occurs twice with one value counts once.
// Errors are those of [ParseDigitalLink].
func NewLink(elements []Element) (Link, error) {
	elements = distinct(elements)
	var l Link
	at := -1
	for i, e := range elements {
		if startsWithDigit(e.AI) && keyNamed(e.AI) != nil {
			at, l.Key = i, e
			break
		}
	}
	if at < 0 {
		return Link{}, fault(KeyUnknown, "", "no element is a GS1 key")
	}
	used := make([]bool, len(elements))
	used[at] = true
	key := keyNamed(l.Key.AI)
	for i := range qualifiers { // the table is in rising rank
		for j, e := range elements {
			if !used[j] && e.AI == qualifiers[i].ai && l.takes(key, e.AI) {
				l.Qualifiers, used[j] = append(l.Qualifiers, e), true
			}
		}
	}
	for i, e := range elements {
		if !used[i] {
			l.Attributes = append(l.Attributes, e)
		}
	}
	return l.unlessBroken(l.check())
}

// unlessBroken is the link with err, or no link when err is more than a wrong check digit.
func (l Link) unlessBroken(err *Error) (Link, error) {
	if err != nil && err.Code != CheckDigitWrong {
		return Link{}, err
	}
	return l, asError(err)
}

func distinct(elements []Element) []Element {
	var out []Element
	for i, e := range elements {
		repeated := false
		for _, earlier := range elements[:i] {
			repeated = repeated || earlier == e
		}
		if !repeated {
			out = append(out, e)
		}
	}
	return out
}
