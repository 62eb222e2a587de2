package fsma204

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// What a sheet names without an identifier gets a URI below these, under the scope within which the name is one thing's:
// a GLN, or the sender. docs/formats.md says which is made of what.
const (
	ownPlace    = "urn:foodtrace:place:"
	ownLot      = "urn:foodtrace:lot:"
	ownHarvest  = "urn:foodtrace:harvest:"
	ownCooling  = "urn:foodtrace:cooling:"
	ownUnit     = "urn:foodtrace:unit:"
	ownDocument = "urn:foodtrace:document:"
)

const (
	gtinStem = "https://id.gs1.org/01/"
	glnStem  = "https://id.gs1.org/414/"
	ssccStem = "https://id.gs1.org/00/"
)

// ownName puts a URI together; a long one becomes its SHA-256. The scope is part of a URI already, the parts are texts.
func ownName(stem, scope string, parts ...string) string {
	var b strings.Builder
	b.WriteString(stem)
	b.WriteString(scope)
	for _, p := range parts {
		b.WriteByte(':')
		b.WriteString(escape(p))
	}
	if b.Len() <= maxName {
		return b.String()
	}
	sum := sha256.Sum256([]byte(b.String()))
	return stem + "sha256:" + hex.EncodeToString(sum[:])
}

// escape is a text as a part of a URN: all but unreserved characters (RFC 3986, section 2.3) percent-encoded.
func escape(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' {
			b.WriteByte(c)
		} else {
			b.WriteString(string([]byte{'%', hexDigits[c>>4], hexDigits[c&15]}))
		}
	}
	return b.String()
}

// uriForm is what is taken for a URI and not for a name: a URN, or one with an authority. "Store:7" is a name.
var uriForm = regexp.MustCompile("^(?i:urn:[a-z0-9][a-z0-9-]{1,31}:|[a-z][a-z0-9+.-]*://)[!-~]+$")

func isURI(s string) bool {
	_, err := url.PathUnescape(s)
	return uriForm.MatchString(s) && !strings.ContainsAny(s, "\"<>\\^`{|}") && err == nil && strings.Count(s, "#") < 2
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// scopeOf is a place as the scope of what is named there: its GLN, or else its URI.
func scopeOf(place string) string {
	if id, _ := gs1.Parse(place); id.Kind == gs1.Location {
		return strings.TrimSuffix("gln:"+id.GLN+":"+escape(id.Extension), ":")
	}
	if own, ok := strings.CutPrefix(place, ownPlace); ok {
		return own
	}
	return escape(place)
}

// code is a code as a person typed it: in its width and blanks alike, in its case as it is.
func code(s string) string { return strings.Join(strings.Fields(norm.NFKC.String(s)), " ") }

// location is what a row of Locations says that events need.
type location struct {
	uri   string
	scope string // as source of lots
}

// sender is the scope of names that are the sender's only.
func (r *Reader) sender() string { return escape(r.options.Sender) }

// placeNamed is a place by its name. described: the file describes it, or no place at all.
func (r *Reader) placeNamed(name string) (at location, described bool) {
	if l, ok := r.locations[fold(name)]; ok {
		return l, true
	}
	uri := ownName(ownPlace, r.sender(), fold(name))
	return location{uri, scopeOf(uri)}, len(r.locations) == 0
}

// glnOf reads a GLN. restored: a spreadsheet had cut its leading zeros off. ok: it is one, wrong says that its check digit is not.
func glnOf(text string) (gln string, restored, wrong, ok bool) {
	text = strings.ReplaceAll(code(text), " ", "")
	switch n := len(text); {
	case !isDigits(text) || n < 10 || n > 13:
		return "", false, false, false
	case n == 13:
		return text, false, gs1.ValidGLN(text) != nil, true
	}
	gln = strings.Repeat("0", 13-len(text)) + text
	return gln, true, false, gs1.ValidGLN(gln) == nil
}

// ssccOf reads an SSCC, with or without its application identifier 00.
func ssccOf(text string) (sscc string, wrong, ok bool) {
	text = strings.ReplaceAll(code(text), " ", "")
	if len(text) == 20 {
		text = strings.TrimPrefix(text, "00")
	}
	if len(text) != 18 || !isDigits(text) {
		return "", false, false
	}
	return text, gs1.ValidSSCC(text) != nil, true
}

// gtinOf reads a GTIN, and fills it up with zeros to 14 digits.
func gtinOf(text string) (gtin string, restored, wrong, ok bool) {
	text = strings.ReplaceAll(code(text), " ", "")
	if padded, err := gs1.PadGTIN(text); err == nil {
		return padded, false, gs1.ValidGTIN(padded) != nil, true
	}
	if n := len(text); !isDigits(text) || n < 9 || n > 11 {
		return "", false, false, false
	}
	gtin = strings.Repeat("0", 14-len(text)) + text
	return gtin, true, false, gs1.ValidGTIN(gtin) == nil
}
