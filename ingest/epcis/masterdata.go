package epcis

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// The vocabularies that register something (CBV 2.0, section 9), in lower case because senders do not agree on it. Parties are registered as sites: they name a place of business.
const (
	locationVocabulary  = "urn:epcglobal:epcis:vtype:location"
	bizLocation         = "urn:epcglobal:epcis:vtype:businesslocation"
	readPointVocabulary = "urn:epcglobal:epcis:vtype:readpoint"
	partyVocabulary     = "urn:epcglobal:epcis:vtype:party"
	sourceDest          = "urn:epcglobal:epcis:vtype:sourcedest"
	classVocabulary     = "urn:epcglobal:epcis:vtype:epcclass"
)

// header reads epcisHeader.
func (r *jsonSource) header(at string) error {
	r.Header.At = at
	if r.upTo(maxToken).PeekKind() != '{' {
		r.refuse(CodeType, at, "The value must be an object.")
		return r.skipValue()
	}
	value, err := r.upTo(r.limits.MasterBytes).ReadValue()
	if err != nil {
		return err
	}
	start := r.base + r.dec.InputOffset() - int64(len(value))
	value = value.Clone()
	defer r.locateFrom(value, at, start)
	if r.hasZeros(value, at) {
		return nil
	}
	for name, part := range members(value) {
		switch {
		case strings.EqualFold(name, "epcisMasterData"): // some senders keep the capitals of the XML element
			at := at + "/" + name
			if part.Kind() != '{' {
				r.refuse(CodeType, at, "The value must be an object.")
			}
			for name, list := range members(part) {
				if name == "vocabularyList" {
					r.vocabularyList(list, at+"/vocabularyList")
				}
			}
		case !isName(name):
			r.remark(CodeUnexpected, at+"/"+escape(name), "The header has no such member, and it has no prefix that would make it an extension.")
		}
	}
	return nil
}

// vocabularies reads a vocabularyList in query results.
func (r *jsonSource) vocabularies(at string) error {
	value, err := r.upTo(r.limits.MasterBytes).ReadValue()
	if err != nil {
		return err
	}
	start := r.base + r.dec.InputOffset() - int64(len(value))
	value = value.Clone()
	defer r.locateFrom(value, at, start)
	if !r.hasZeros(value, at) {
		r.vocabularyList(value, at)
	}
	return nil
}

// hasZeros refuses a value with the character U+0000.
func (r *jsonSource) hasZeros(value jsontext.Value, at string) bool {
	zeros := zeroCharacters(value)
	for _, inside := range zeros {
		r.report(zeroProblem(at + inside))
	}
	return len(zeros) > 0
}

// locateFrom gives the problems at and below a pointer their offsets.
func (r *jsonSource) locateFrom(value jsontext.Value, at string, start int64) {
	var inside []*Problem
	var pointers []string
	for i := range r.problems {
		if rest, ok := strings.CutPrefix(r.problems[i].Pointer, at); ok {
			inside, pointers = append(inside, &r.problems[i]), append(pointers, rest)
		}
	}
	for i, offset := range offsetsOf(value, pointers) {
		inside[i].Offset = start + offset
	}
}

func (r *jsonSource) vocabularyList(list jsontext.Value, at string) {
	if list.Kind() != '[' {
		r.refuse(CodeType, at, "The value must be an array.")
	}
	for i, v := range elements(list) {
		r.vocabulary(v, at+"/"+itoa(i))
	}
}

func (r *jsonSource) vocabulary(v jsontext.Value, at string) {
	if v.Kind() != '{' {
		r.refuse(CodeType, at, "A vocabulary must be an object.")
		return
	}
	var typ string
	var list jsontext.Value
	for name, part := range members(v) {
		switch name {
		case "type":
			typ = strings.ToLower(r.masterURI(part, at+"/type"))
		case "vocabularyElementList":
			list = part
		}
	}
	if typ == "" && !covers(r.problems, at+"/type") {
		r.refuse(CodeMissing, at+"/type", "A vocabulary must state its type.")
	}
	if list != nil && list.Kind() != '[' {
		r.refuse(CodeType, at+"/vocabularyElementList", "The value must be an array.")
	}
	for i, v := range elements(list) {
		r.vocabularyElement(typ, v, at+"/vocabularyElementList/"+itoa(i))
	}
	r.vocabularyType(typ, at)
}

// vocabularyType remarks a vocabulary that describes nothing that is registered.
func (r *Reader) vocabularyType(typ, at string) {
	switch typ {
	case locationVocabulary, bizLocation, readPointVocabulary, partyVocabulary, sourceDest, classVocabulary, "":
	default:
		r.report(Problem{Code: CodeUnregistered, Severity: Finding, Pointer: at,
			Message: "The vocabulary describes neither sites nor products and registers nothing."})
	}
}

func (r *Reader) masterURI(v jsontext.Value, at string) string {
	s, ok := text(v)
	if !ok {
		r.refuse(CodeType, at, "The value must be a string.")
	} else if !isURI(s) {
		r.remark(CodeURI, at, "This is not a URI (RFC 3986).")
	}
	return s
}

func (r *Reader) vocabularyElement(typ string, v jsontext.Value, at string) {
	if v.Kind() != '{' {
		r.refuse(CodeType, at, "A vocabulary element must be an object.")
		return
	}
	var id string
	var attributes, children []contract.MasterAttr
	for name, part := range members(v) {
		switch name {
		case "id":
			id = r.masterURI(part, at+"/id")
		case "attributes":
			attributes = r.attributes(part, at+"/attributes")
		case "children":
			if part.Kind() != '[' {
				r.refuse(CodeType, at+"/children", "The value must be an array.")
			}
			for i, child := range elements(part) {
				if uri := r.masterURI(child, at+"/children/"+itoa(i)); uri != "" {
					children = append(children, contract.MasterAttr{ID: contract.AttrChild, Value: uri})
				}
			}
		}
	}
	if id == "" && !covers(r.problems, at+"/id") {
		r.refuse(CodeMissing, at+"/id", "A vocabulary element must have an id.")
	}
	if room := max(0, contract.MaxAttrs-len(attributes)); len(children) > room {
		r.report(Problem{Code: CodeUnregistered, Severity: Finding, Pointer: at + "/children", Message: "A site keeps no more children than it has room for attributes; the last are left out."})
		children = children[:room]
	}
	if id != "" {
		r.register(typ, id, append(attributes, children...))
	}
}

func (r *Reader) attributes(list jsontext.Value, at string) (all []contract.MasterAttr) {
	if list.Kind() != '[' {
		r.refuse(CodeType, at, "The value must be an array.")
	}
	for i, v := range elements(list) {
		at := at + "/" + itoa(i)
		if v.Kind() != '{' {
			r.refuse(CodeType, at, "An attribute must be an object.")
			continue
		}
		var a contract.MasterAttr
		for name, part := range members(v) {
			switch name {
			case "id":
				a.ID = r.masterURI(part, at+"/id")
			case "attribute":
				a.Value = r.attributeValue(part, at+"/attribute")
			}
		}
		if a.ID == "" && !covers(r.problems, at+"/id") {
			r.refuse(CodeMissing, at+"/id", "An attribute must have an id.")
		}
		all = append(all, a)
	}
	return all
}

// attributeValue is a text, or the JSON of a number or nested element.
func (r *Reader) attributeValue(v jsontext.Value, at string) string {
	switch v.Kind() {
	case '"':
		s, _ := text(v)
		return s
	case '0', '{':
		c, err := event.Canonical(v)
		if err == nil {
			return string(c)
		}
	}
	r.refuse(CodeType, at, "The value must be a string, a number or an object.")
	return ""
}

func (r *Reader) register(typ, id string, attributes []contract.MasterAttr) {
	m := r.Header.MasterData
	if m == nil {
		m = new(contract.Registration)
	}
	key, _ := gs1.Canonical(id)
	switch typ {
	case classVocabulary:
		m.Products = append(m.Products, product(key, attributes))
	case locationVocabulary, bizLocation, readPointVocabulary, partyVocabulary, sourceDest:
		m.Sites = append(m.Sites, site(key, attributes))
	default:
		return
	}
	r.Header.MasterData = m
}
