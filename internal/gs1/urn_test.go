package gs1

import (
	"errors"
	"strings"
	"testing"
)

func codeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestToURN(t *testing.T) {
	for _, test := range []struct {
		dl     string
		prefix int
		want   string
		code   Code
	}{
		{"https://id.gs1.org/01/00614141123452/10/L%2F1", 7, "urn:epc:class:lgtin:0614141.012345.L%2F1", ""},
		{"https://shop.example/gtin/614141123452/cpv/2A/lot/L/ser/S.1", 6, "urn:epc:id:sgtin:061414.0112345.S.1", ""},
		{"https://id.gs1.org/01/00614141123452/21/*", 7, "urn:epc:id:sgtin:0614141.012345.*", ""},
		{"https://id.gs1.org/01/00614141123452", 12, "urn:epc:idpat:sgtin:061414112345.0.*", ""},
		{"https://id.gs1.org/01/00614141123453", 7, "urn:epc:idpat:sgtin:0614141.012345.*", CheckDigitWrong},
		{"https://id.gs1.org/414/0614141123452", 7, "urn:epc:id:sgln:0614141.12345.0", ""},
		{"urn:epc:id:sgln:0614141.12345.9", 6, "urn:epc:id:sgln:061414.112345.9", ""},
		{"https://id.gs1.org/417/0614141123452", 12, "urn:epc:id:pgln:061414112345.", ""},
		{"https://id.gs1.org/414/0614141123452/7040/1ABC", 7, "", NoURN},
		{"https://id.gs1.org/8006/006141411234520102/10/L", 7, "", NoURN},
		{"https://id.gs1.org/8013/1987654Ad4X4bL5ttr2310c2K", 7, "", NoURN},
		{"https://id.gs1.org/415/0614141123452", 7, "", NoURN},
		{"https://id.gs1.org/8004/061414", 6, "", PrefixWrong},
		{"https://id.gs1.org/01/00614141123452", 5, "", PrefixWrong},
		{"https://id.gs1.org/01/0061414112345X", 7, "", CharsetWrong},
		{"https://example.com/", 7, "", KeyUnknown},
		{"urn:gdst:example.org:product:class:x.y", 7, "", KeyUnknown},
	} {
		got, err := ToURN(test.dl, test.prefix)
		if got != test.want || codeOf(err) != test.code {
			t.Errorf("ToURN(%q, %d) = %q, %v; want %q, %q", test.dl, test.prefix, got, err, test.want, test.code)
		}
	}
}

func TestFaults(t *testing.T) {
	for uri, want := range map[string]Code{
		"urn:epc:id:sgtin:0614141.012345":                       SyntaxWrong,
		"urn:epc:id:sgtin:0614141.012345.":                      LengthWrong,
		"urn:epc:id:sgtin:0614141.012345.123456789012345678901": LengthWrong,
		"urn:epc:id:sgtin:0614141.012345.a b":                   CharsetWrong,
		"urn:epc:id:sgtin:0614141.01234.1":                      LengthWrong,
		"urn:epc:id:sgtin:06141.01234567.1":                     PrefixWrong,
		"urn:epc:id:lgtin:0614141.012345.L":                     SyntaxWrong, // a class, not an id
		"urn:epc:idpat:sgtin:0614141.*.*":                       PatternWide,
		"urn:epc:idpat:sgtin:*.*.*":                             PatternWide,
		"urn:epc:idpat:sgtin:0614141.012345.1":                  SyntaxWrong,
		"urn:epc:id:unheard:1.2.3":                              SyntaxWrong,
		"urn:epc:id:gid:95100000.12345.400":                     "",
		"urn:epc:tag:sgtin-96:3.0614141.812345.6789":            "",
		"https://id.gs1.org/":                                   KeyUnknown,
		"https://id.gs1.org/voc/Product":                        KeyUnknown,
		"https://example.org/voc/01/Product":                    "",
		"https://id.gs1.org/01/00614141123452/21/A/10/B":        QualifierWrong,
		"https://id.gs1.org/01/00614141123452/254/A":            QualifierWrong,
		"https://id.gs1.org/01/00614141123452/22/V/235/A":       QualifierWrong,
		"https://id.gs1.org/01/00614141123452/10/":              LengthWrong,
		"https://id.gs1.org/01/00614141123452/10/%E8%8F%9C":     CharsetWrong,
		"https://id.gs1.org/8003/10614141123459":                ValueWrong,
		"https://id.gs1.org/8004/ABC":                           PrefixWrong,
		"https://id.gs1.org/00/10614141234567890":               LengthWrong,
		"https://id.gs1.org/00/106141412345678900":              CheckDigitWrong,
	} {
		id, err := Parse(uri)
		if codeOf(err) != want {
			t.Errorf("Parse(%q): %v, want %q", uri, err, want)
		}
		soft := want == CheckDigitWrong || want == ValueWrong || strings.Contains(uri, "123456789012345678901") || strings.Contains(uri, "a b") || strings.Contains(uri, "%E8")
		if (id.Kind != Other) != soft {
			t.Errorf("Parse(%q) = %+v, want readable parts: %v", uri, id, soft)
		}
		if !soft && id.Canonical != uri {
			t.Errorf("Parse(%q) = %+v, want the URI as given", uri, id)
		}
	}
}

// A GRAI without its leading zero, which is often left out, is one identifier on all domains, and has no URN.
func TestFaultyGRAI(t *testing.T) {
	const canonical = "https://id.gs1.org/8003/95201220000000S%2F1"
	for _, uri := range []string{canonical, "https://shop.example/x/8003/95201220000000S%2f1?a=b", "https://shop.example/grai/95201220000000S%2F1"} {
		id, err := Parse(uri)
		if id.Kind != GRAI || id.Canonical != canonical || codeOf(err) != ValueWrong || id.CompanyDigits() != "95201220000000S/1" {
			t.Errorf("%s: %+v, %v", uri, id, err)
		}
		if urn, err := ToURN(uri, 7); codeOf(err) != ValueWrong {
			t.Errorf("%s became %s, %v", uri, urn, err)
		}
	}
	if id, err := Parse("https://shop.example/8003/9520122000000é"); id.Kind != Other {
		t.Errorf("%+v, %v", id, err)
	}
}

// A lot that GS1 would not allow still belongs to its product, and is one lot in all its spellings.
func TestFaultyLot(t *testing.T) {
	for _, uri := range []string{
		"https://shop.example/01/614141123452/10/%E8%8F%9C%2042",
		"https://id.gs1.org/01/00614141123452/10/%e8%8f%9c%2042",
		"urn:epc:class:lgtin:0614141.012345.%E8%8F%9C%2042",
		LotKey("614141123452", "菜 42"),
	} {
		id, err := Parse(uri)
		want := ID{Kind: Lot, Key: "00614141123452", GTIN: "00614141123452", Lot: "菜 42", Canonical: LotKey("614141123452", "菜 42")}
		if id != want || codeOf(err) != CharsetWrong {
			t.Errorf("Parse(%q) = %+v, %v", uri, id, err)
		}
	}
}

func TestParseParts(t *testing.T) {
	for _, test := range []struct {
		uri  string
		want ID
	}{
		{"urn:epc:id:grai:0614141.12345.S%2F1", ID{Kind: GRAI, Key: "00614141123452S/1"}},
		{"urn:epc:id:itip:0614141.012345.01.02.S", ID{Kind: ITIP, Key: "006141411234520102", GTIN: "00614141123452", Serial: "S"}},
		{"https://id.gs1.org/8006/006141411234520102/10/L", ID{Kind: ITIP, Key: "006141411234520102", GTIN: "00614141123452", Lot: "L"}},
		{"urn:epc:id:cpi:0614141.A%23-%2F.7", ID{Kind: CPI, Key: "0614141A#-/", Serial: "7"}},
		{"urn:epc:id:upui:0614141.012345.U", ID{Kind: UPUI, Key: "00614141123452", GTIN: "00614141123452", Serial: "U"}},
		{"urn:epc:id:sgln:0614141.12345.dock.2", ID{Kind: Location, Key: "0614141123452", GLN: "0614141123452", Extension: "dock.2"}},
		{"https://a.example/party/0614141123452", ID{Kind: Party, Key: "0614141123452", GLN: "0614141123452"}},
		{"https://a.example/415/0614141123452/8020/R", ID{Kind: PaySlip, Key: "0614141123452", GLN: "0614141123452", Extension: "R"}},
		{"urn:epc:id:sscc:0614141.1234567890", ID{Kind: LogisticUnit, Key: "106141412345678908"}},
	} {
		got, err := Parse(test.uri)
		if err != nil {
			t.Errorf("Parse(%q): %v", test.uri, err)
		}
		got.Canonical = ""
		if got != test.want {
			t.Errorf("Parse(%q)\n got %+v\nwant %+v", test.uri, got, test.want)
		}
	}
}

func TestProductKey(t *testing.T) {
	lot, _ := Parse("urn:epc:class:lgtin:0614141.012345.L")
	pack, _ := Parse("https://a.example/01/614141123452/21/7")
	pallet, _ := Parse("urn:epc:id:sscc:0614141.1234567890")
	if got, want := ProductKey(lot), "https://id.gs1.org/01/00614141123452"; got != want {
		t.Errorf("ProductKey = %q, want %q", got, want)
	}
	if !SameProduct(lot, pack) || SameProduct(lot, pallet) {
		t.Error("a lot and a pack of one GTIN are one product, a pallet is not")
	}
	if got, want := LotKey("614141123452", "L/1 a"), "https://id.gs1.org/01/00614141123452/10/L%2F1%20a"; got != want {
		t.Errorf("LotKey = %q, want %q", got, want)
	}
}

func TestCheckDigits(t *testing.T) {
	for _, test := range []struct {
		err  error
		want Code
	}{
		{ValidGTIN("00614141123452"), ""},
		{ValidGTIN("614141123452"), ""},
		{ValidGTIN("614141123453"), CheckDigitWrong},
		{ValidGTIN("61414112345"), LengthWrong},
		{ValidGTIN("6141411234X2"), CharsetWrong},
		{ValidGLN("0614141123452"), ""},
		{ValidGLN("614141123452"), LengthWrong},
		{ValidSSCC("106141412345678908"), ""},
		{ValidSSCC("106141412345678909"), CheckDigitWrong},
		{CheckValue("17", "261131"), ValueWrong},
		{CheckValue("17", "260200"), ""},
		{CheckValue("3105", "00012"), LengthWrong},
		{CheckValue("3106", "000123"), AIUnknown},
		{CheckValue("7007", "260420260422"), ""},
	} {
		if codeOf(test.err) != test.want {
			t.Errorf("got %v, want %q", test.err, test.want)
		}
	}
	if d, err := CheckDigit("0614141" + "12345"); d != '2' || err != nil {
		t.Errorf("CheckDigit = %c, %v", d, err)
	}
	if _, err := CheckDigit(""); codeOf(err) != LengthWrong {
		t.Errorf("CheckDigit of nothing: %v", err)
	}
	if s, err := PadGTIN("96385074"); s != "00000096385074" || err != nil {
		t.Errorf("PadGTIN = %q, %v", s, err)
	}
}

func TestLinkParts(t *testing.T) {
	l, err := ParseDigitalLink("https://shop.example/p/gtin/614141123452/lot/A%2F1?17=261231&linkType=gs1:pip&token&3103=000500#x")
	if err != nil {
		t.Fatal(err)
	}
	if l.Stem != "https://shop.example/p" || l.Fragment != "x" || len(l.Other) != 2 || l.Other[1] != "token" {
		t.Errorf("got %+v", l)
	}
	if got, want := l.ElementString(), "010061414112345210A/1\x1d172612313103000500"; got != want {
		t.Errorf("element string %q, want %q", got, want)
	}
	if got, want := l.Bracketed(), "(01)00614141123452(10)A/1(17)261231(3103)000500"; got != want {
		t.Errorf("bracketed %q, want %q", got, want)
	}
	if got, want := l.URI(""), "https://id.gs1.org/01/00614141123452/10/A%2F1?17=261231&3103=000500"; got != want {
		t.Errorf("URI %q, want %q", got, want)
	}
}
