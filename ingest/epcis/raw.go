package epcis

import (
	"bytes"
	"iter"

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

// offsetOf is the byte offset of the value at a JSON pointer within checked JSON, or of the deepest part of the way to it.
func offsetOf(raw jsontext.Value, pointer string) int64 {
	dec := decoder(raw)
	var best int64
	bestLen := -1
	for {
		before := dec.InputOffset()
		if _, err := dec.ReadToken(); err != nil {
			return best
		}
		at := string(dec.StackPointer())
		if len(at) > bestLen && (pointer == at || len(pointer) > len(at) && pointer[:len(at)] == at && pointer[len(at)] == '/') {
			best, bestLen = before+gap(raw[before:]), len(at)
		}
		if at == pointer && bestLen == len(pointer) {
			kind, index := dec.StackIndex(dec.StackDepth())
			if kind == '{' && index%2 == 1 { // that was the member's name
				best = dec.InputOffset() + gap(raw[dec.InputOffset():])
			}
			return best
		}
	}
}

// gap is the length of white space, commas and colons before a value.
func gap(b []byte) (n int64) {
	for int(n) < len(b) && bytes.IndexByte([]byte(" \t\r\n,:"), b[n]) >= 0 {
		n++
	}
	return n
}
