package gs1

import (
	"errors"
	"testing"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		uri  string
		want ID
		code Code
	}{
		{"urn:epc:class:lgtin:0614141.012345.L%2F1", ID{Kind: Lot, Key: "00614141123452", GTIN: "00614141123452", Lot: "L/1", Canonical: "https://id.gs1.org/01/00614141123452/10/L%2F1"}, ""},
		{"https://shop.example/p/gtin/614141123452/lot/A-1?x=1#y", ID{Kind: Lot, Key: "00614141123452", GTIN: "00614141123452", Lot: "A-1", Canonical: "https://id.gs1.org/01/00614141123452/10/A-1"}, ""},
		{"https://id.gs1.org/01/10860009998038/10/SALAD-20260420-A", ID{Kind: Lot, Key: "10860009998038", GTIN: "10860009998038", Lot: "SALAD-20260420-A", Canonical: "https://id.gs1.org/01/10860009998038/10/SALAD-20260420-A"}, CheckDigitWrong},
		{"urn:gdst:example.org:product:lot:class:processor.2u.v1-0122-2022", ID{Canonical: "urn:gdst:example.org:product:lot:class:processor.2u.v1-0122-2022"}, ""},
		{"urn:epc:id:sscc:08600031303.0004", ID{Canonical: "urn:epc:id:sscc:08600031303.0004"}, LengthWrong},
		{"https://id.gs1.org/414/0614141123452", ID{Kind: Location, Key: "0614141123452", GLN: "0614141123452", Canonical: "https://id.gs1.org/414/0614141123452"}, ""},
		{"https://example.org/01/12", ID{Canonical: "https://example.org/01/12"}, ""},
		{"https://id.gs1.org/01/12", ID{Canonical: "https://id.gs1.org/01/12"}, LengthWrong},
	} {
		got, err := Parse(test.uri)
		if got != test.want {
			t.Errorf("Parse(%q)\n got %+v\nwant %+v", test.uri, got, test.want)
		}
		var e *Error
		if errors.As(err, &e); (e == nil) != (test.code == "") || e != nil && e.Code != test.code {
			t.Errorf("Parse(%q): error %v, want %q", test.uri, err, test.code)
		}
	}
}

func BenchmarkCanonical(b *testing.B) {
	for _, uri := range []string{
		"https://id.gs1.org/01/09506000164908/10/LOT-2026-04-20-A",
		"https://example.com/gtin/9506000164908/lot/ABC%2F123?17=250101",
		"urn:epc:class:lgtin:0614141.012345.LOT-2026-04-20-A",
		"urn:epc:id:sgln:0614141.00777.0",
		"urn:gdst:example.org:product:lot:class:processor.2u.v1-0122-2022",
	} {
		b.Run(uri, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Canonical(uri); err != nil && !IsCheckDigit(err) {
					b.Fatal(err)
				}
			}
		})
	}
}
