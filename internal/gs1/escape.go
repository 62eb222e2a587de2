package gs1

import "strings"

// The character sets of the General Specifications (section 7.11) and URI percent-encoding.

type charset uint8

const (
	numeric   charset = iota + 1 // N: 0-9
	cset82                       // X: figure 7.11-1
	cset39                       // Y: figure 7.11-2
	base64url                    // Z: figure 7.11-3
)

// class has one bit per charset, and unreserved for what a URI may always carry as it is (RFC 3986 section 2.3).
var class = classTable()

const unreserved = 1 << 7

func classTable() (t [256]uint8) {
	mark := func(chars string, bits uint8) {
		for i := 0; i < len(chars); i++ {
			t[chars[i]] |= bits
		}
	}
	const (
		digits = "0123456789"
		upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		lower  = "abcdefghijklmnopqrstuvwxyz"
	)
	mark(digits, 1<<numeric)
	mark(digits+upper+lower+"!\"%&'()*+,-./:;<=>?_", 1<<cset82)
	mark(digits+upper+"#-/", 1<<cset39)
	mark(digits+upper+lower+"-_=", 1<<base64url)
	mark(digits+upper+lower+"-._~", unreserved)
	return t
}

func (c charset) has(b byte) bool { return class[b]&(1<<c) != 0 }

func (c charset) hasAll(s string) bool {
	for i := 0; i < len(s); i++ {
		if !c.has(s[i]) {
			return false
		}
	}
	return true
}

// plainPrefix is how many bytes at the start of s are of the set and need no percent-encoding.
func (c charset) plainPrefix(s string) int {
	want := uint8(1<<c | unreserved)
	for i := 0; i < len(s); i++ {
		if class[s[i]]&want != want {
			return i
		}
	}
	return len(s)
}

// unescapeAt reads one character of a percent-encoded text and how many bytes it took. A '%' that two hexadecimal
// digits do not follow stands for itself: such lots exist, and there is only one way to read them.
func unescapeAt(s string, i int) (c byte, width int) {
	if s[i] == '%' && i+2 < len(s) {
		hi, lo := unhex(s[i+1]), unhex(s[i+2])
		if hi < 16 && lo < 16 {
			return hi<<4 | lo, 3
		}
	}
	return s[i], 1
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 16
}

// appendEscaped adds c to dst as a URI path or query carries it: as it is when unreserved, else percent-encoded.
func appendEscaped(dst []byte, c byte) []byte {
	if class[c]&unreserved != 0 {
		return append(dst, c)
	}
	const hex = "0123456789ABCDEF"
	return append(dst, '%', hex[c>>4], hex[c&15])
}

// unescapePath decodes a path segment; '+' is a plus.
func unescapePath(s string) string { return unescape(s, false) }

// unescapeQuery decodes a query name or value; '+' is a space.
func unescapeQuery(s string) string { return unescape(s, true) }

func unescape(s string, plusIsSpace bool) string {
	i := 0
	for i < len(s) && s[i] != '%' && s[i] != '+' {
		i++
	}
	if i == len(s) {
		return s
	}
	out := append(make([]byte, 0, len(s)), s[:i]...)
	for i < len(s) {
		c, n := unescapeAt(s, i)
		if c == '+' && n == 1 && plusIsSpace {
			c = ' '
		}
		out = append(out, c)
		i += n
	}
	return string(out)
}

func escapePath(s string) string { return string(appendAllEscaped(nil, s)) }

func appendAllEscaped(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		dst = appendEscaped(dst, s[i])
	}
	return dst
}

// escapeQuery is escapePath with '+' for a space.
func escapeQuery(s string) string { return strings.ReplaceAll(escapePath(s), "%20", "+") }
