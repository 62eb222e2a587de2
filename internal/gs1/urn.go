package gs1

import "strings"

// scheme describes an EPC URN scheme: how its fields make up a Digital Link key (TDS 2.0 sections 6 and 7, GS1 key
// correspondence). Fields are separated by dots: company prefix, reference, then the rest.
type scheme struct {
	name string
	ai   string
	// total is the number of digits of company prefix and reference together; 0 where the reference is free text.
	total int
	// lead is how many digits of the reference go in front of the company prefix (indicator or extension digit).
	lead int
	zero bool // a zero goes in front of all (GRAI)
	// check says that a check digit follows the digits.
	check bool
	// rest is what follows the reference.
	rest rest
	// qual is the AI that the rest becomes; "" when it is appended to the key, or when there is none.
	qual string
	max  int     // longest rest
	set  charset // of the rest
	kind uint8   // which of id, class, idpat the scheme occurs in
}

type rest uint8

const (
	noRest rest = iota
	serial      // one field, which may contain dots
	pieces      // piece and total, two digits each, then a serial
)

const (
	inID uint8 = 1 << iota
	inClass
	inPattern
)

var schemes = [...]scheme{
	{"sgtin", "01", 13, 1, false, true, serial, "21", 20, cset82, inID | inPattern},
	{"lgtin", "01", 13, 1, false, true, serial, "10", 20, cset82, inClass},
	{"sgln", "414", 12, 0, false, true, serial, "254", 20, cset82, inID},
	{"sscc", "00", 17, 1, false, true, noRest, "", 0, numeric, inID},
	{"pgln", "417", 12, 0, false, true, noRest, "", 0, numeric, inID},
	{"giai", "8004", 0, 0, false, false, noRest, "", 30, cset82, inID},
	{"gdti", "253", 12, 0, false, true, serial, "", 17, cset82, inID | inPattern},
	{"grai", "8003", 12, 0, true, true, serial, "", 16, cset82, inID | inPattern},
	{"gsrn", "8018", 17, 0, false, true, noRest, "", 0, numeric, inID},
	{"gsrnp", "8017", 17, 0, false, true, noRest, "", 0, numeric, inID},
	{"cpi", "8010", 0, 0, false, false, serial, "8011", 12, numeric, inID | inPattern},
	{"itip", "8006", 13, 1, false, true, pieces, "21", 20, cset82, inID | inPattern},
	{"upui", "01", 13, 1, false, true, serial, "235", 28, cset82, inID | inPattern},
	{"sgcn", "255", 12, 0, false, true, serial, "", 12, numeric, inID | inPattern},
	{"gsin", "402", 16, 0, false, true, noRest, "", 0, numeric, inID},
	{"ginc", "401", 0, 0, false, false, noRest, "", 30, cset82, inID},
}

// foreign are the EPC schemes that do not carry a GS1 key (TDS 2.0 section 6.3): they pass as they are.
var foreign = [...]string{"gid", "usdod", "adi", "bic", "imovn"}

func schemeNamed(name string, in uint8) *scheme {
	for i := range schemes {
		if s := &schemes[i]; s.name == name && s.kind&in != 0 {
			return s
		}
	}
	return nil
}

// Lengths of a GS1 company prefix in an EPC URN (TDS 2.0 section 6.3.1).
const (
	minURNPrefix = 6
	maxURNPrefix = 12
)

// fromURN makes the canonical Digital Link of an EPC URN. The result has a key only if it is readable.
func fromURN(room []byte, urn string) (canonical, *Error) {
	family, body, _ := strings.Cut(urn[len("urn:epc:"):], ":")
	var in uint8
	switch family {
	case "id":
		in = inID
	case "class":
		in = inClass
	case "idpat":
		in = inPattern
	default: // urn:epc:tag:, urn:epc:raw: … are not identifiers of things
		return canonical{}, nil
	}
	name, fields, _ := strings.Cut(body, ":")
	s := schemeNamed(name, in)
	if s == nil {
		return canonical{}, unknownScheme(name)
	}
	var c canonical
	c.start(room, keyNamed(s.ai))
	if err := c.urnFields(s, fields, in == inPattern); err != nil {
		return c.despite(err), err
	}
	return c, nil
}

func unknownScheme(name string) *Error {
	for _, f := range foreign {
		if f == name {
			return nil
		}
	}
	return fault(SyntaxWrong, "scheme", "not an EPC scheme of a GS1 key in this form")
}

func (c *canonical) urnFields(s *scheme, fields string, pattern bool) *Error {
	prefix, fields, ok := strings.Cut(fields, ".")
	if !ok {
		return fault(SyntaxWrong, "", "fields are missing")
	}
	reference, after := fields, ""
	if s.rest != noRest {
		if reference, after, ok = strings.Cut(fields, "."); !ok {
			return fault(SyntaxWrong, "", "fields are missing")
		}
	}
	if pattern && (prefix == "*" || reference == "*") {
		return fault(PatternWide, "", "the pattern names more than one class")
	}
	if err := c.urnKey(s, prefix, reference); err != nil {
		return err
	}
	if s.rest == pieces {
		var err *Error
		if after, err = c.urnPieces(after); err != nil {
			return err
		}
	}
	c.keyEnd = len(c.text)
	err := c.urnRest(s, after, pattern)
	if c.qual == nil {
		c.keyEnd = len(c.text)
	}
	return err
}

// urnKey appends company prefix, reference and check digit in the order of the key.
func (c *canonical) urnKey(s *scheme, prefix, reference string) *Error {
	if len(prefix) < minURNPrefix || len(prefix) > maxURNPrefix || !allDigits(prefix) {
		return fault(PrefixWrong, "company prefix", "a company prefix has 6 to 12 digits")
	}
	if s.total == 0 {
		c.text = append(c.text, prefix...)
		// The pattern and the serial of a CPI may stand beside an empty reference; the other keys need one.
		min := 1
		if s.rest == serial {
			min = 0
		}
		return c.value("reference", reference, min, 30-len(prefix), c.key.set)
	}
	if !allDigits(reference) {
		return fault(CharsetWrong, "reference", "only digits are allowed")
	}
	if len(prefix)+len(reference) != s.total {
		return fault(LengthWrong, "reference", "company prefix and reference together have the wrong length")
	}
	if s.zero {
		c.text = append(c.text, '0')
	}
	c.text = append(c.text, reference[:s.lead]...)
	c.text = append(c.text, prefix...)
	c.text = append(c.text, reference[s.lead:]...)
	c.text = append(c.text, checkDigit(c.text[c.keyAt:]))
	return nil
}

// urnPieces appends the piece and total of an ITIP and returns the fields after them.
func (c *canonical) urnPieces(fields string) (after string, err *Error) {
	if len(fields) < 6 || fields[2] != '.' || fields[5] != '.' || !allDigits(fields[:2]) || !allDigits(fields[3:5]) {
		return "", fault(SyntaxWrong, "piece and total", "two fields of two digits, and a serial, are expected")
	}
	c.text = append(append(c.text, fields[:2]...), fields[3:5]...)
	return fields[6:], nil
}

// urnRest appends the serial, lot or extension, to the key or as a qualifier. Patterns have "*" there and no serial.
func (c *canonical) urnRest(s *scheme, after string, pattern bool) *Error {
	if s.rest == noRest {
		return nil
	}
	if pattern {
		if after != "*" {
			return fault(SyntaxWrong, "serial", "a pattern ends in \"*\"")
		}
		return nil
	}
	if s.name == "sgln" && unescapePath(after) == "0" { // TDS 2.0 section 6.3.3: the GLN without an extension
		return nil
	}
	if s.qual != "" {
		c.startQualifier(qualifierNamed(s.qual))
	}
	return c.value("serial", after, 1, s.max, s.set)
}

// FromURN converts an EPC URN to its canonical Digital Link URI (TDS 2.0 section 7). It fails for everything that is not
// the URN of a GS1 key, with [SyntaxWrong] where it is not of that form at all.
func FromURN(urn string) (string, error) {
	if !strings.HasPrefix(urn, "urn:epc:") {
		return "", fault(SyntaxWrong, "", "an EPC URN starts with urn:epc:")
	}
	var room [maxCanonical]byte
	c, err := fromURN(room[:0], urn)
	if err != nil {
		return "", err
	}
	if c.key == nil {
		return "", fault(SyntaxWrong, "scheme", "the scheme does not carry a GS1 key")
	}
	return string(c.text), nil
}

// ToURN converts a Digital Link URI (any domain, any granularity; URNs are accepted too) to its EPC URN: the finest
// level only, as in [Canonical]. gcpLength is the length of the company prefix, 6 to 12, which the link does not tell.
// Errors are those of [Parse], [KeyUnknown] for another URI, [PrefixWrong] for a length that cannot be, and [NoURN]
// for identifiers without a URN. With [CheckDigitWrong] the URN is still returned.
func ToURN(dl string, gcpLength int) (string, error) {
	if gcpLength < minURNPrefix || gcpLength > maxURNPrefix {
		return "", fault(PrefixWrong, "company prefix", "a company prefix has 6 to 12 digits")
	}
	var room [maxCanonical]byte
	c, err := canonicalise(room[:0], dl)
	switch {
	case c.key != nil && !c.faulty:
		urn, noURN := c.urn(gcpLength)
		if noURN != nil {
			return "", noURN
		}
		return urn, asError(err)
	case err != nil:
		return "", err
	}
	return "", fault(KeyUnknown, "", "not a GS1 Digital Link URI")
}

// scheme is that of the identifier; nil when it has no URN. sgtin comes first in the table, for a GTIN alone.
func (c *canonical) scheme() *scheme {
	for i := range schemes {
		if s := &schemes[i]; s.ai == c.key.ai && (c.qual == nil || s.qual == c.qual.ai) {
			return s
		}
	}
	return nil
}

func (c *canonical) urn(gcpLength int) (string, *Error) {
	s := c.scheme()
	if s == nil {
		return "", fault(NoURN, "", "this identifier has no EPC URN")
	}
	digits, tail := unescapePath(string(c.text[c.keyAt:c.keyEnd])), ""
	if s.zero {
		digits = digits[1:]
	}
	if s.total > 0 {
		digits, tail = digits[:s.total], digits[s.total+1:] // without the check digit
	}
	prefixEnd := s.lead + gcpLength
	needsMore := s.total == 0 && s.rest == noRest
	if len(digits) < prefixEnd || !allDigits(digits[:prefixEnd]) || needsMore && len(digits) == prefixEnd {
		return "", fault(PrefixWrong, "company prefix", "the key does not start with a company prefix of that length")
	}
	last, pattern := c.lastField(s, tail)
	out := append(make([]byte, 0, maxCanonical), "urn:epc:"...)
	out = append(append(append(append(out, s.family(pattern)...), ':'), s.name...), ':')
	out = append(append(append(out, digits[s.lead:prefixEnd]...), '.'), digits[:s.lead]...)
	out = appendURNText(out, digits[prefixEnd:])
	if s.rest == pieces {
		out = append(append(append(append(out, '.'), tail[:2]...), '.'), tail[2:]...)
	}
	if s.rest != noRest {
		out = append(out, '.')
	}
	if pattern {
		return string(append(out, '*')), nil
	}
	return string(appendURNText(out, last)), nil
}

// lastField is the serial, lot or extension, or says that the URN is a pattern for lack of it.
func (c *canonical) lastField(s *scheme, tail string) (last string, pattern bool) {
	switch {
	case s.rest == noRest:
		return "", false
	case c.qual != nil:
		return unescapePath(string(c.text[c.qualAt:])), false
	case s.name == "sgln":
		return "0", false
	case s.qual == "" && tail != "":
		return tail, false
	}
	return "", true
}

func (s *scheme) family(pattern bool) string {
	switch {
	case pattern:
		return "idpat"
	case s.kind == inClass:
		return "class"
	}
	return "id"
}

// appendURNText percent-encodes what a URN may not carry (TDS 2.0 section 5: " % & / < > ? and #).
func appendURNText(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"', '%', '&', '/', '<', '>', '?', '#':
			dst = appendEscaped(dst, s[i])
		default:
			dst = append(dst, s[i])
		}
	}
	return dst
}
