package gs1

import "strings"

// ID is an identifier taken apart. Values are decoded (no percent-encoding) and contain their check digit.
type ID struct {
	Kind Kind
	// Key is the value of the primary key: the GTIN of 14 digits, the SSCC of 18, the GLN of 13, the GRAI with its
	// leading zero and serial, … "" for Other.
	Key string
	// GTIN has 14 digits; set for Class, Lot, Instance, UPUI and ITIP.
	GTIN string
	// Lot is the batch or lot number; set for Lot, and for an ITIP with one.
	Lot string
	// Serial is the serial number beside the key (AI 21, 235, 8011); those inside a key (GRAI, GDTI, GCN) stay in Key.
	Serial string
	// GLN has 13 digits; set for Location, Party, TradeParty and PaySlip.
	GLN string
	// Extension is what qualifies a Location, Party, GIAI, GSRN, GSRNP or PaySlip further (AI 254, 7040, 8019, 8020).
	Extension string
	// Canonical is the canonical Digital Link URI, or the URI as given for Other.
	Canonical string
}

// canonicalStem is the domain of canonical Digital Link URIs (GS1 Digital Link: URI Syntax).
const canonicalStem = "https://id.gs1.org/"

// Parse reads an EPC URN (pure identity, class or pattern), a GS1 Digital Link URI on any domain, with any path before
// the key and with short names, or any other URI.
//
// Any other URI is Kind Other without an error. A URI that claims to be GS1's (urn:epc:id:, urn:epc:class:,
// urn:epc:idpat:, or the domain id.gs1.org) and is not well formed is Kind Other, Canonical as given, with an *[Error].
// One whose only fault is the check digit is returned in full with an *[Error] of Code [CheckDigitWrong]. One whose lot,
// serial number or extension is too long or has a character that GS1 does not allow (a space, a Chinese character) is
// returned in full as well, with an *[Error]: whatever way it is spelt, it has one canonical form. So is a GRAI that does not start with 0.
func Parse(uri string) (ID, error) {
	if c, ok := asItIs(uri); ok {
		return c.id(uri), nil
	}
	var room [maxCanonical]byte
	c, err := canonicalise(room[:0], uri)
	if c.key == nil {
		return ID{Canonical: uri}, asError(err)
	}
	return c.id(sameOrNew(c.text, uri)), asError(err)
}

// Canonical is the canonical Digital Link URI of any GS1 identifier, as the CBV 2.0 event hash wants it:
// domain id.gs1.org, GTIN of 14 digits, only the finest level (no lot beside a serial number, no consumer product
// variant), no query, one percent-encoding (all but RFC 3986 unreserved characters). Errors are those of [Parse]; the text
// is usable with each of them, and is uri itself where it is not a readable GS1 identifier.
func Canonical(uri string) (string, error) {
	if _, ok := asItIs(uri); ok {
		return uri, nil
	}
	var room [maxCanonical]byte
	c, err := canonicalise(room[:0], uri)
	if c.key == nil {
		return uri, asError(err)
	}
	return sameOrNew(c.text, uri), asError(err)
}

// maxCanonical is a little more than the longest usual canonical URI; a longer one costs an allocation, no more.
const maxCanonical = 96

// sameOrNew saves the allocation for a URI that was canonical already, which most are.
func sameOrNew(text []byte, uri string) string {
	if string(text) == uri {
		return uri
	}
	return string(text)
}

// canonical is a canonical URI in the making: stem, AI, '/', key and, if qual is set, '/', AI, '/', qualifier.
type canonical struct {
	text    []byte
	key     *key
	qual    *qualifier
	keyAt   int // where the key's value starts
	keyEnd  int
	qualAt  int
	escaped bool // some value is percent-encoded
	faulty  bool // the qualifier has a value that GS1 does not allow, or a GRAI does not start with 0
}

func canonicalise(room []byte, uri string) (canonical, *Error) {
	if strings.HasPrefix(uri, "urn:epc:") {
		return fromURN(room, uri)
	}
	if host, path, ok := splitHTTP(uri); ok {
		c, err := fromPath(room, path)
		if c.key == nil && !isCanonicalHost(host) {
			return canonical{}, nil // some other web page
		}
		return c, err
	}
	return canonical{}, nil
}

// asItIs takes apart a URI that is canonical already and without fault, as most are: nothing has to be written anew. It knows
// the keys of digits alone with at most one qualifier that needs no percent-encoding; ok is false for everything else.
func asItIs(uri string) (c canonical, ok bool) {
	path, ok := strings.CutPrefix(uri, canonicalStem)
	if !ok {
		return canonical{}, false
	}
	ai, _, _ := strings.Cut(path, "/")
	k := keyNamed(ai)
	if k == nil || k.ai != ai || k.check == 0 || k.tail > 0 {
		return canonical{}, false
	}
	c.key, c.keyAt = k, len(canonicalStem)+len(ai)+1
	c.keyEnd = c.keyAt + k.digits
	if len(uri) < c.keyEnd || !allDigits(uri[c.keyAt:c.keyEnd]) || !endsInCheckDigit(uri[c.keyAt:c.keyAt+k.check]) {
		return canonical{}, false
	}
	return c, len(uri) == c.keyEnd || uri[c.keyEnd] == '/' && c.qualifierAsItIs(uri)
}

func (c *canonical) qualifierAsItIs(uri string) bool {
	ai, value, _ := strings.Cut(uri[c.keyEnd+1:], "/")
	q := qualifierNamed(ai)
	c.qual, c.qualAt = q, len(uri)-len(value)
	return q != nil && q.ai == ai && ai != "22" && q.fits(c.key) && value != "" && len(value) <= q.max && q.set.plainPrefix(value) == len(value)
}

func (c *canonical) start(room []byte, k *key) {
	c.key = k
	c.text = append(append(append(room, canonicalStem...), k.ai...), '/')
	c.keyAt = len(c.text)
}

// startQualifier ends the key and begins the qualifier that is to be kept.
func (c *canonical) startQualifier(q *qualifier) {
	c.qual = q
	c.text = append(append(append(c.text, '/'), q.ai...), '/')
	c.qualAt = len(c.text)
}

// value appends a percent-encoded text of min to max characters in one percent-encoding.
func (c *canonical) value(part, raw string, min, max int, set charset) *Error {
	var err *Error
	n := set.plainPrefix(raw) // nearly always all of it
	c.text = append(c.text, raw[:n]...)
	for i := n; i < len(raw); n++ {
		b, width := unescapeAt(raw, i)
		if !set.has(b) {
			err = fault(CharsetWrong, part, "a character is not allowed here")
		}
		before := len(c.text)
		c.text = appendEscaped(c.text, b)
		c.escaped = c.escaped || len(c.text) > before+1
		i += width
	}
	if n < min || n > max {
		err = fault(LengthWrong, part, "too short or too long")
	}
	return err
}

// despite is what can still be read when err is in the qualifier: all, unless the value is empty.
func (c *canonical) despite(err *Error) canonical {
	if c.qual == nil || len(c.text) == c.qualAt || err.Code != CharsetWrong && err.Code != LengthWrong {
		return canonical{}
	}
	c.faulty = true
	return *c
}

// checkDigits is nil or the one fault that leaves the identifier readable.
func (c *canonical) checkDigits() *Error {
	if c.key.check == 0 {
		return nil
	}
	digits := c.text[c.keyAt : c.keyAt+c.key.check]
	if endsInCheckDigit(digits) {
		return nil
	}
	return checkDigitFault(c.key.ai, digits)
}

// id cuts the parts out of text, which is c.text as a string.
func (c *canonical) id(text string) ID {
	id := ID{Kind: c.key.kind, Canonical: text}
	plain := func(s string) string {
		if c.escaped {
			return unescapePath(s)
		}
		return s
	}
	id.Key = plain(text[c.keyAt:c.keyEnd])
	switch c.key.kind {
	case Class, ITIP:
		id.GTIN = id.Key[:14]
	case Location, Party, TradeParty, PaySlip:
		id.GLN = id.Key
	}
	if c.qual == nil {
		return id
	}
	value := plain(text[c.qualAt:])
	switch c.qual.ai {
	case "10":
		id.Lot = value
	case "21", "235", "8011":
		id.Serial = value
	default:
		id.Extension = value
	}
	id.Kind = qualifiedKind(c.key.kind, c.qual.ai)
	return id
}

func qualifiedKind(k Kind, ai string) Kind {
	if k != Class {
		return k
	}
	switch ai {
	case "10":
		return Lot
	case "21":
		return Instance
	}
	return UPUI
}

// CompanyDigits is the part of the key that begins with its company prefix, "" for Other. GTIN-14, SSCC and GRAI have a digit before it (General
// Specifications, section 3). Where the prefix ends, they do not say.
func (id ID) CompanyDigits() string {
	switch id.Kind {
	case Other:
		return ""
	case Class, Lot, Instance, UPUI, ITIP, LogisticUnit:
		return id.Key[1:]
	case GRAI:
		return strings.TrimPrefix(id.Key, "0")
	}
	return id.Key
}

// ProductKey is the class of a lot or an instance, https://id.gs1.org/01/{gtin14}; the Canonical of anything else.
func ProductKey(id ID) string {
	switch id.Kind {
	case Class, Lot, Instance, UPUI:
		return canonicalStem + "01/" + id.GTIN
	}
	return id.Canonical
}

// SameProduct says whether two identifiers are of one trade item class, whatever their lots and serial numbers.
func SameProduct(a, b ID) bool { return ProductKey(a) == ProductKey(b) }

// LotKey is the canonical URI of a lot. gtin has 8, 12, 13 or 14 digits, lot is plain text. A gtin of another form is
// taken as it is, and the caller's later Parse says what is wrong.
func LotKey(gtin, lot string) string {
	if padded, err := PadGTIN(gtin); err == nil {
		gtin = padded
	}
	return string(appendAllEscaped([]byte(canonicalStem+"01/"+gtin+"/10/"), lot))
}
