// Package translate gives the identifiers and words of an event another spelling: EPC URN or GS1 Digital Link URI, web URI or EPC URN of
// the CBV. What an event says, and so its event hash, stays. EPCIS 2.0 lets a client ask for it with the headers GS1-EPC-Format and
// GS1-CBV-XML-Format.
package translate

import (
	"bytes"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// EPCFormat is a value of the header GS1-EPC-Format (EPCIS 2.0, REST binding).
type EPCFormat string

// The spellings of identifiers.
const (
	EPCNoPreference EPCFormat = "No_Preference"           // as they were sent
	EPCDigitalLink  EPCFormat = "Always_GS1_Digital_Link" // of an EPC URN, the canonical link on id.gs1.org; a link on any domain is one already
	EPCURN          EPCFormat = "Always_EPC_URN"          // of a link whose company prefix is known
	EPCNever        EPCFormat = "Never_Translates"        // as they were sent
)

// CBVFormat is a value of the header GS1-CBV-XML-Format (EPCIS 2.0, REST binding), which is about XML only.
type CBVFormat string

// The spellings of the words of the CBV. As they are kept means bare ("shipping"), which XML has as EPC URN.
const (
	CBVNoPreference CBVFormat = "No_Preference"    // as they are kept
	CBVWebURI       CBVFormat = "Always_Web_URI"   // https://ref.gs1.org/cbv/BizStep-shipping
	CBVURN          CBVFormat = "Always_URN"       // urn:epcglobal:cbv:bizstep:shipping
	CBVNever        CBVFormat = "Never_Translates" // as they are kept
)

// ParseEPCFormat reads the header GS1-EPC-Format; absent (""), it is Always_GS1_Digital_Link, as the standard has it. ok is false for a value
// that the standard does not have.
func ParseEPCFormat(header string) (f EPCFormat, ok bool) {
	switch f = EPCFormat(header); f {
	case "":
		return EPCDigitalLink, true
	case EPCNoPreference, EPCDigitalLink, EPCURN, EPCNever:
		return f, true
	}
	return "", false
}

// ParseCBVFormat reads the header GS1-CBV-XML-Format; absent (""), it is No_Preference. ok is false for a value that the standard does not have.
func ParseCBVFormat(header string) (f CBVFormat, ok bool) {
	switch f = CBVFormat(header); f {
	case "":
		return CBVNoPreference, true
	case CBVNoPreference, CBVWebURI, CBVURN, CBVNever:
		return f, true
	}
	return "", false
}

// Event is e itself, or a copy with the identifiers of objects, places, parties, documents, processes and devices and the words of the CBV
// in the formats asked for. Extensions and ILMD stay as they are, and so does what has no such form: URIs of one's own, words of one's
// own, identifiers that are not well formed, and, on the way to EPC URNs, links whose company prefix is not among prefixes (6 to 12 digits
// each; others are passed over), because a link does not tell where it ends. A URN has no place for the lot beside a serial number, so a link
// that has both becomes the URN of the serial number.
func Event(e *event.Event, epc EPCFormat, cbv CBVFormat, prefixes ...string) *event.Event {
	t := translator{id: func(s string) string { return s }, word: func(_ *event.Vocabulary, s string) string { return s }}
	ids := epc == EPCDigitalLink || epc == EPCURN && len(prefixes) > 0
	if bytes.Contains(e.Context, []byte(`"urn":`)) { // where urn is a prefix of names, no value is a URN
		ids = false
	}
	words := cbv == CBVWebURI || cbv == CBVURN
	if !ids && !words {
		return e
	}
	switch {
	case ids && epc == EPCDigitalLink:
		t.id = toLink
	case ids:
		t.id = func(s string) string { return toURN(s, prefixes) }
	}
	switch cbv {
	case CBVWebURI:
		t.word = (*event.Vocabulary).WebURI
	case CBVURN:
		t.word = (*event.Vocabulary).URN
	}
	return t.event(e.Clone())
}

func toLink(s string) string {
	if strings.HasPrefix(s, "urn:epc:") {
		if link, err := gs1.FromURN(s); err == nil {
			return link
		}
	}
	return s
}

// toURN converts a link if exactly one company prefix begins its key and the URN means the same, which it does not where the link has
// a wrong check digit, or the extension 0 of a location.
func toURN(s string, prefixes []string) string {
	if !strings.HasPrefix(s, "http") {
		return s
	}
	id, err := gs1.Parse(s)
	if err != nil {
		return s
	}
	length := 0
	for _, p := range prefixes {
		if p != "" && strings.HasPrefix(id.CompanyDigits(), p) && len(p) != length {
			if length > 0 {
				return s
			}
			length = len(p)
		}
	}
	urn, err := gs1.ToURN(s, length)
	if err != nil {
		return s
	}
	if link, err := gs1.FromURN(urn); err != nil || link != id.Canonical {
		return s
	}
	return urn
}
