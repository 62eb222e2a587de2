package epcis

import (
	"bytes"
	"iter"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// again reads text that was checked once: names need not be compared a second time.
var again = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

func decoder(raw []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(raw), again...)
}

// members yields the members of a checked JSON object; nothing for another value.
func members(raw jsontext.Value) iter.Seq2[string, jsontext.Value] {
	return func(yield func(string, jsontext.Value) bool) {
		if raw.Kind() != '{' {
			return
		}
		dec := decoder(raw)
		if _, err := dec.ReadToken(); err != nil {
			return
		}
		for dec.PeekKind() == '"' {
			tok, err := dec.ReadToken()
			if err != nil {
				return
			}
			name := tok.String()
			value, err := dec.ReadValue()
			if err != nil || !yield(name, value) {
				return
			}
		}
	}
}

func memberNames(raw jsontext.Value) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range members(raw) {
			if !yield(name) {
				return
			}
		}
	}
}

// elements yields the elements of a checked JSON array; nothing for another value.
func elements(raw jsontext.Value) iter.Seq2[int, jsontext.Value] {
	return func(yield func(int, jsontext.Value) bool) {
		if raw.Kind() != '[' {
			return
		}
		dec := decoder(raw)
		if _, err := dec.ReadToken(); err != nil {
			return
		}
		for i := 0; ; i++ {
			if k := dec.PeekKind(); k == ']' || k == 0 {
				return
			}
			value, err := dec.ReadValue()
			if err != nil || !yield(i, value) {
				return
			}
		}
	}
}

// text is a JSON string's text; ok is false for another value.
func text(raw jsontext.Value) (s string, ok bool) {
	if raw.Kind() != '"' {
		return "", false
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	return string(b), err == nil
}

// offsetsOf are the byte offsets of the values at JSON pointers within checked JSON, or of the deepest part of the way to each. The text is read once,
// however many there are.
func offsetsOf(raw jsontext.Value, pointers []string) []int64 {
	offsets, known := make([]int64, len(pointers)), make([]int, len(pointers)) // how much of a pointer its offset is of
	wanted := map[string][]int{}                                               // by each part of the way
	for i, p := range pointers {
		known[i] = -1
		for end := len(p); end >= 0; end = strings.LastIndexByte(p[:end], '/') {
			wanted[p[:end]] = append(wanted[p[:end]], i)
		}
	}
	for dec := decoder(raw); len(pointers) > 0; {
		before := dec.InputOffset()
		if _, err := dec.ReadToken(); err != nil {
			break
		}
		at := dec.StackPointer()
		for _, i := range wanted[string(at)] {
			if len(at) <= known[i] {
				continue
			}
			offsets[i], known[i] = before+gap(raw[before:]), len(at)
			if kind, n := dec.StackIndex(dec.StackDepth()); kind == '{' && n%2 == 1 && string(at) == pointers[i] { // that was the member's name
				offsets[i] = dec.InputOffset() + gap(raw[dec.InputOffset():])
			}
		}
	}
	return offsets
}

// zeroCharacters are the pointers of texts and names in checked JSON that have the character U+0000.
func zeroCharacters(raw jsontext.Value) (pointers []string) {
	if !bytes.Contains(raw, []byte(`\u0000`)) {
		return nil
	}
	for dec := decoder(raw); len(pointers) < maxProblems; {
		tok, err := dec.ReadToken()
		if err != nil {
			break
		}
		if tok.Kind() == '"' && strings.IndexByte(tok.String(), 0) >= 0 {
			pointers = append(pointers, string(dec.StackPointer()))
		}
	}
	return pointers
}

// gap is the length of white space, commas and colons before a value.
func gap(b []byte) (n int64) {
	for int(n) < len(b) && bytes.IndexByte([]byte(" \t\r\n,:"), b[n]) >= 0 {
		n++
	}
	return n
}
