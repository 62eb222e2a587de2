package epcis

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

func itoa(i int) string { return strconv.Itoa(i) }

// kind is the JSON form of a member of the standard.
type kind uint8

const (
	anyText      kind = iota // a string
	uriText                  // a string that is not empty
	timeText                 // xsd:dateTimeStamp
	number                   // a number that fits event.Decimal
	boolean                  // true or false
	uriList                  // an array of strings
	someURIs                 // an array of at least one
	uriOrList                // one or the other
	object                   // an object of the given shape, and extensions
	closedObject             // an object of the given shape
	objectList               // an array of them
	anyObject                // an object of any members
	context                  // checked where contexts are read
)

// shape is the members an object of the standard can have.
type shape map[string]member

type member struct {
	kind kind
	of   shape
}

var (
	quantityShape       = shape{"epcClass": {uriText, nil}, "quantity": {number, nil}, "uom": {uriText, nil}}
	placeShape          = shape{"id": {uriText, nil}}
	bizTransactionShape = shape{"type": {uriText, nil}, "bizTransaction": {uriText, nil}}
	sourceShape         = shape{"type": {uriText, nil}, "source": {uriText, nil}}
	destinationShape    = shape{"type": {uriText, nil}, "destination": {uriText, nil}}
	persistentShape     = shape{"set": {someURIs, nil}, "unset": {someURIs, nil}}
	declarationShape    = shape{"declarationTime": {timeText, nil}, "reason": {uriText, nil}, "correctiveEventIDs": {uriList, nil}}
	metadataShape       = shape{"time": {timeText, nil}, "startTime": {timeText, nil}, "endTime": {timeText, nil},
		"deviceID": {uriText, nil}, "deviceMetadata": {uriText, nil}, "rawData": {uriText, nil},
		"dataProcessingMethod": {uriText, nil}, "bizRules": {uriText, nil}}
	reportShape = shape{"type": {uriText, nil}, "exception": {uriText, nil}, "deviceID": {uriText, nil},
		"deviceMetadata": {uriText, nil}, "rawData": {uriText, nil}, "dataProcessingMethod": {uriText, nil},
		"bizRules": {uriText, nil}, "time": {timeText, nil}, "microorganism": {uriText, nil}, "chemicalSubstance": {uriText, nil},
		"value": {number, nil}, "component": {uriText, nil}, "stringValue": {anyText, nil}, "booleanValue": {boolean, nil},
		"hexBinaryValue": {uriText, nil}, "uriValue": {uriText, nil}, "minValue": {number, nil}, "maxValue": {number, nil},
		"meanValue": {number, nil}, "sDev": {number, nil}, "percRank": {number, nil}, "percValue": {number, nil},
		"uom": {anyText, nil}, "coordinateReferenceSystem": {uriText, nil}}
	elementShape = shape{"sensorMetadata": {object, metadataShape}, "sensorReport": {objectList, reportShape}}
	eventShape   = shape{"@context": {context, nil}, "type": {uriText, nil}, "eventID": {uriText, nil}, "eventTime": {timeText, nil},
		"eventTimeZoneOffset": {uriText, nil}, "recordTime": {timeText, nil}, "errorDeclaration": {object, declarationShape},
		"certificationInfo": {uriOrList, nil}, "action": {uriText, nil}, "parentID": {uriText, nil}, "epcList": {uriList, nil},
		"quantityList": {objectList, quantityShape}, "childEPCs": {uriList, nil}, "childQuantityList": {objectList, quantityShape},
		"inputEPCList": {uriList, nil}, "inputQuantityList": {objectList, quantityShape}, "outputEPCList": {uriList, nil},
		"outputQuantityList": {objectList, quantityShape}, "transformationID": {uriText, nil}, "bizStep": {uriText, nil},
		"disposition": {uriText, nil}, "persistentDisposition": {closedObject, persistentShape}, "readPoint": {object, placeShape},
		"bizLocation": {object, placeShape}, "bizTransactionList": {objectList, bizTransactionShape},
		"sourceList": {objectList, sourceShape}, "destinationList": {objectList, destinationShape},
		"sensorElementList": {objectList, elementShape}, "ilmd": {anyObject, nil}}
)

// diagnosis finds every value of an event that has the wrong JSON form, and writes the event again with a harmless value
// in place of each, so that the rest can be checked too.
type diagnosis struct {
	problems problemList
	clean    []byte
}

func (d *diagnosis) refuse(code Code, at, message string) {
	d.problems.add(Problem{Code: code, Message: message, Pointer: at})
}

func (d *diagnosis) object(raw jsontext.Value, s shape, closed bool, at string) {
	d.clean = append(d.clean, '{')
	first := true
	for name, value := range members(raw) {
		if !first {
			d.clean = append(d.clean, ',')
		}
		first = false
		d.clean, _ = jsontext.AppendQuote(d.clean, name)
		d.clean = append(d.clean, ':')
		if m, known := s[name]; known {
			d.value(value, m, at+"/"+escape(name))
		} else {
			if closed {
				d.refuse(CodeUnexpected, at+"/"+escape(name), "This element has no other members than those of the standard.")
			}
			d.clean = append(d.clean, value...)
		}
	}
	d.clean = append(d.clean, '}')
}

func (d *diagnosis) value(raw jsontext.Value, m member, at string) {
	switch m.kind {
	case object, closedObject:
		if m.kind == closedObject && isEmpty(raw) {
			d.refuse(CodeValue, at, "The object is empty; leave it out if there is nothing to say.")
		}
		if d.is(raw, '{', at, "an object", "{}") {
			d.object(raw, m.of, m.kind == closedObject, at)
		}
	case objectList, uriList, someURIs:
		if m.kind == someURIs && isEmpty(raw) {
			d.refuse(CodeValue, at, "The list is empty; leave it out if there is nothing to say.")
		}
		if d.is(raw, '[', at, "an array", "[]") {
			d.list(raw, m, at)
		}
	case uriOrList:
		if raw.Kind() == '[' {
			d.list(raw, m, at)
		} else {
			d.text(raw, uriText, at)
		}
	case anyObject:
		if d.is(raw, '{', at, "an object", "{}") {
			d.clean = append(d.clean, raw...)
		}
	case number:
		d.number(raw, at)
	case boolean:
		if raw.Kind() != 't' && raw.Kind() != 'f' {
			d.refuse(CodeType, at, "The value must be true or false.")
			raw = jsontext.Value("false")
		}
		d.clean = append(d.clean, raw...)
	case context:
		d.clean = append(d.clean, raw...)
	default:
		d.text(raw, m.kind, at)
	}
}

// isEmpty says whether a checked array or object has nothing in it.
func isEmpty(raw jsontext.Value) bool {
	return (raw.Kind() == '[' || raw.Kind() == '{') && len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0
}

// is copies nothing if the value has the kind; else it refuses it and writes a replacement.
func (d *diagnosis) is(raw jsontext.Value, want jsontext.Kind, at, what, replacement string) bool {
	if raw.Kind() == want {
		return true
	}
	d.refuse(CodeType, at, "The value must be "+what+".")
	d.clean = append(d.clean, replacement...)
	return false
}

func (d *diagnosis) list(raw jsontext.Value, m member, at string) {
	d.clean = append(d.clean, '[')
	for i, v := range elements(raw) {
		if i > 0 {
			d.clean = append(d.clean, ',')
		}
		at := at + "/" + itoa(i)
		if m.kind == objectList {
			d.value(v, member{object, m.of}, at)
		} else {
			d.text(v, uriText, at)
		}
	}
	d.clean = append(d.clean, ']')
}

func (d *diagnosis) number(raw jsontext.Value, at string) {
	if !d.is(raw, '0', at, "a number", "0") {
		return
	}
	if _, err := event.ParseDecimal(string(raw)); err != nil {
		d.valueError(err, at)
		raw = jsontext.Value("0")
	}
	d.clean = append(d.clean, raw...)
}

func (d *diagnosis) text(raw jsontext.Value, k kind, at string) {
	placeholder := `"urn:x:x"`
	if k == timeText {
		placeholder = `"2000-01-01T00:00:00Z"`
	}
	if !d.is(raw, '"', at, "a string", placeholder) {
		return
	}
	s, _ := text(raw)
	switch {
	case k == timeText:
		if _, err := event.ParseTime(s); err != nil {
			d.valueError(err, at)
			raw = jsontext.Value(placeholder)
		}
	case s == "" && k == uriText:
		d.refuse(CodeValue, at, "The text is empty; leave the member out if there is nothing to say.")
		raw = jsontext.Value(placeholder)
	case len(s) > maxText:
		d.refuse(CodeLimit, at, "The text is longer than "+itoa(maxText)+" bytes.")
		raw = jsontext.Value(placeholder)
	}
	d.clean = append(d.clean, raw...)
}

func (d *diagnosis) valueError(err error, at string) {
	if e, ok := err.(*event.Error); ok {
		d.refuse(Code(e.Code), at, "The value "+e.Msg+".")
	}
}

// suspicious says whether decoding could hide something that only diagnose sees: null and "" decode like absent
// members, and persistentDisposition has no room for members it does not know.
func suspicious(raw jsontext.Value) bool {
	return bytes.Contains(raw, []byte(`""`)) || bytes.Contains(raw, []byte("null")) ||
		bytes.Contains(raw, []byte(`"persistentDisposition"`))
}
