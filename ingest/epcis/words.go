package epcis

import (
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// Namespaces whose terms the JSON schema of EPCIS 2.0 wants written as bare words.
var (
	cbvClosed = []string{"urn:epcglobal:cbv", "http://ns.gs1.org/cbv/", "https://ns.gs1.org/cbv/"}
	gs1Closed = []string{"http://gs1.org/voc/", "https://gs1.org/voc/", "http://www.gs1.org/voc/", "https://www.gs1.org/voc/"}
)

// mustBeBare says whether a value is a term of the vocabulary that is not written as its bare word.
func mustBeBare(v *event.Vocabulary, s string) bool {
	closed := cbvClosed
	if v == event.MeasurementTypes || v == event.SensorAlerts {
		closed = gs1Closed
	}
	for _, ns := range closed {
		if strings.HasPrefix(s, ns) {
			return true
		}
	}
	return false
}

// isURI says whether s is a URI with a scheme (RFC 3986, appendix A, without its rules for authorities).
func isURI(s string) bool {
	colon := strings.IndexByte(s, ':')
	if colon < 1 || !isLetter(s[0]) {
		return false
	}
	for i := 1; i < colon; i++ {
		if c := s[i]; !isLetter(c) && (c < '0' || c > '9') && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	fragments := 0
	for i := colon + 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
		case c == '#':
			if fragments++; fragments > 1 {
				return false
			}
		case !uriByte[c]:
			return false
		}
	}
	return true
}

// isName is [isURI] for names of extension members, which may also have letters beyond ASCII after the prefix.
func isName(s string) bool {
	prefix, local, ok := strings.Cut(s, ":")
	return ok && isURI(prefix+":") && !strings.ContainsAny(local, " \t\r\n\"<>\\^`{|}")
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

var uriByte = func() (set [256]bool) {
	for c := range 256 {
		set[c] = isLetter(byte(c)) || c >= '0' && c <= '9' || strings.IndexByte("-._~:/?[]@!$&'()*+,;=", byte(c)) >= 0
	}
	return set
}()
