package event

import "strings"

// Namespaces of the vocabularies that EPCIS 2.0 JSON abbreviates (EPCIS 2.0, section 10.2; its JSON-LD context).
const (
	cbvNamespace = "https://ref.gs1.org/cbv/"
	gs1Namespace = "https://gs1.org/voc/"
)

// vocabulary is one list of words of the CBV 2.0, section 7: how its words are written as web URI and as EPC URN.
type vocabulary struct {
	prefix string // of the local name in the web vocabulary
	urn    string // lower case
}

var (
	bizSteps     = vocabulary{"BizStep-", "urn:epcglobal:cbv:bizstep:"}
	dispositions = vocabulary{"Disp-", "urn:epcglobal:cbv:disp:"}
	btTypes      = vocabulary{"BTT-", "urn:epcglobal:cbv:btt:"}
	sdTypes      = vocabulary{"SDT-", "urn:epcglobal:cbv:sdt:"}
	components   = vocabulary{"Comp-", "urn:epcglobal:cbv:comp:"}
)

// word is the bare word of a value in any of its forms; ok is false for a value from outside of the vocabulary.
func (v *vocabulary) word(s string) (string, bool) {
	if !strings.Contains(s, ":") {
		return s, true
	}
	if w, ok := cutPrefixFold(s, v.urn); ok {
		return w, true
	}
	for _, ns := range [...]string{cbvNamespace, "http://ref.gs1.org/cbv/", "cbv:"} {
		if local, ok := strings.CutPrefix(s, ns); ok {
			return strings.CutPrefix(local, v.prefix)
		}
	}
	return s, false
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// normal is the bare word, or the value as it is when it is not of the vocabulary.
func (v *vocabulary) normal(s string) string {
	w, _ := v.word(s)
	return w
}

// Step is the business step: the bare CBV word ("shipping") for every way to write one, another URI as it is, "" when there is none.
func (e *Event) Step() string { return bizSteps.normal(e.BizStep) }

// DispositionWord is the disposition, as a bare CBV word where it is one.
func (e *Event) DispositionWord() string { return dispositions.normal(e.Disposition) }

// StepWord is the bare CBV word of a business step in any form, or the value as it is.
func StepWord(bizStep string) string { return bizSteps.normal(bizStep) }

// BizTransactionWord is the bare CBV word of a business transaction type in any form ("po"), or the value as it is.
func BizTransactionWord(typ string) string { return btTypes.normal(typ) }

// SourceDestWord is the bare CBV word of a source or destination type in any form ("owning_party"), or the value as it is.
func SourceDestWord(typ string) string { return sdTypes.normal(typ) }
