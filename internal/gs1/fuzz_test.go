package gs1

import (
	"strings"
	"testing"
)

func seeds(f *testing.F) {
	for _, uri := range []string{
		"",
		"urn:epc:",
		"urn:epc:id:sgtin:0614141.112345.400",
		"urn:epc:id:sgtin:0614141.112345.4%2F0%",
		"urn:epc:class:lgtin:0614141.112345.*",
		"urn:epc:id:sgln:061414112345..0",
		"urn:epc:id:sgln:0614141.12345.%30",
		"urn:epc:id:sgln:0614141.12345. ",
		"https://id.gs1.org/01/00614141123452/10/ /21/%E8",
		"urn:epc:id:grai:0614141.12345.4.0",
		"urn:epc:id:itip:0614141.112345.01.02.x",
		"urn:epc:id:cpi:061414.1%23-A.7",
		"urn:epc:id:giai:061414.%25%32%35",
		"urn:epc:id:sscc:0614141.1234567890",
		"urn:epc:idpat:sgtin:0614141.112345.*",
		"urn:epc:idpat:sgcn:061414112345..*",
		"https://id.gs1.org/01/10614141123459/10/A%2fB",
		"https://id.gs1.org/01/00614141123452/22/V/10/L/21/S?17=261231&3103=000195",
		"https://a/x/gtin/614141123452/lot/+%2B;a='b'#f",
		"https://a/8006/106141411234590102/10/L",
		"HTTPS://ID.GS1.ORG:443/414/0614141123452/254/0",
		"https://id.gs1.org/01/00614141123452/10/L",
		"https://id.gs1.org/01/00614141123452/10/414",
		"https://id.gs1.org/414/0614141123452/254/8019",
		"https://id.gs1.org/8006/106141411234590102/21/L-1",
		"https://id.gs1.org/8018/061414112345678905/8019/1",
		"https://u@[2001:db8::1]/00/106141412345678908",
	} {
		f.Add(uri)
	}
}

func FuzzCanonical(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, uri string) {
		text, err := Canonical(uri)
		if again, err2 := Canonical(text); again != text || err == nil && err2 != nil { // a fault of a part that is not in the canonical form is gone
			t.Fatalf("%q: %q, %v, then %q, %v", uri, text, err, again, err2)
		}
		if quick, ok := asItIs(uri); ok {
			slow, err := canonicalise(nil, uri)
			if err != nil || slow.faulty || string(slow.text) != uri || slow.id(uri) != quick.id(uri) {
				t.Fatalf("%q as it is: %+v, otherwise %+v, %v", uri, quick.id(uri), slow.id(uri), err)
			}
		}
		id, _ := Parse(uri)
		if id.Canonical != text {
			t.Fatalf("%q: Parse has %q, Canonical %q", uri, id.Canonical, text)
		}
		readable := err == nil || IsCheckDigit(err) || id.Kind != Other
		if !readable && text != uri {
			t.Fatalf("%q: unreadable, but %+v", uri, id)
		}
		if id.Kind == Other {
			return
		}
		if readable && !strings.HasPrefix(text, canonicalStem) || id.Key == "" {
			t.Fatalf("%q: %+v", uri, id)
		}
		if readable && id.Kind == Lot && LotKey(id.GTIN, id.Lot) != text {
			t.Fatalf("%q: LotKey is %q, canonical %q", uri, LotKey(id.GTIN, id.Lot), text)
		}
		if id.Kind < Class || id.Kind > UPUI {
			return
		}
		if product, err := Parse(ProductKey(id)); err != nil && !IsCheckDigit(err) || product.GTIN != id.GTIN {
			t.Fatalf("%q: product %+v, %v", uri, product, err)
		}
	})
}

func FuzzURN(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, urn string) {
		dl, err := FromURN(urn)
		if err != nil {
			return
		}
		if text, err := Canonical(urn); text != dl || err != nil {
			t.Fatalf("%q: FromURN %q, Canonical %q, %v", urn, dl, text, err)
		}
		prefix, _, _ := strings.Cut(urn[strings.LastIndex(urn[:strings.IndexByte(urn, '.')], ":")+1:], ".")
		back, err := ToURN(dl, len(prefix))
		if err != nil {
			t.Fatalf("%q: %q has no way back: %v", urn, dl, err)
		}
		if again, err := FromURN(back); again != dl || err != nil {
			t.Fatalf("%q: %q, back %q, then %q, %v", urn, dl, back, again, err)
		}
	})
}

func FuzzDigitalLink(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, uri string) {
		l, err := ParseDigitalLink(uri)
		if err != nil && !IsCheckDigit(err) {
			if l.Key != (Element{}) {
				t.Fatalf("%q: %v, but %+v", uri, err, l)
			}
			return
		}
		written := l.URI(l.Stem)
		again, err2 := ParseDigitalLink(written)
		if (err == nil) != (err2 == nil) || again.Bracketed() != l.Bracketed() {
			t.Fatalf("%q: %+v, written %q, read %+v, %v", uri, l, written, again, err2)
		}
		made, err3 := NewLink(l.Elements())
		if (err == nil) != (err3 == nil) || made.Bracketed() != l.Bracketed() {
			t.Fatalf("%q: %+v, made anew %+v, %v", uri, l, made, err3)
		}
		if a, b := strip(Canonical(uri)), strip(Canonical(written)); a != b {
			t.Fatalf("%q: canonical %q, of the written link %q", uri, a, b)
		}
	})
}

func strip(text string, _ error) string { return text }
