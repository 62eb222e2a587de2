package epcis

import (
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// rules checks a decoded event against the standard (EPCIS 2.0, sections 7.3 and 7.4, as its JSON schema has it). Pointers
// are relative to the event. The usual event has no problem and costs no allocation here.
type rules struct {
	e        *event.Event
	problems problemList
}

func (r *rules) report(code Code, severity Severity, pointer, message string) {
	r.problems.add(Problem{Code: code, Severity: severity, Message: message, Pointer: pointer})
}

func (r *rules) refuse(code Code, pointer, message string) { r.report(code, Error, pointer, message) }

func (r *rules) remark(code Code, pointer, message string) { r.report(code, Finding, pointer, message) }

func (r *rules) event() {
	e := r.e
	if !r.eventType() {
		return
	}
	r.common()
	r.members()
	r.what()
	r.word("", "/bizStep", e.BizStep, event.BizSteps)
	r.word("", "/disposition", e.Disposition, event.Dispositions)
	r.persistent()
	r.place("/readPoint", e.ReadPoint)
	r.place("/bizLocation", e.BizLocation)
	r.business()
	for i := range e.SensorElements {
		r.sensorElement("/sensorElementList/"+strconv.Itoa(i), &e.SensorElements[i])
	}
	r.names("", e.Ext)
	r.names("/ilmd", e.ILMD)
	r.identifiers()
}

func (r *rules) eventType() bool {
	switch r.e.Type {
	case event.Object, event.Aggregation, event.Transaction, event.Transformation, event.Association:
		return true
	case "":
		r.refuse(CodeMissing, "/type", "An event must state its type.")
	default:
		r.refuse(CodeEventType, "/type", "The event type is not one of the five of EPCIS 2.0, so its objects cannot be traced.")
	}
	return false
}

func (r *rules) common() {
	e := r.e
	if e.Time.IsZero() {
		r.refuse(CodeMissing, "/eventTime", "An event must state its eventTime.")
	}
	if e.TimeZoneOffset == "" {
		r.refuse(CodeMissing, "/eventTimeZoneOffset", "An event must state its eventTimeZoneOffset.")
	} else if !isOffset(e.TimeZoneOffset) {
		r.refuse(CodeValue, "/eventTimeZoneOffset", "The offset is not of the form +hh:mm or -hh:mm, up to 14:00.")
	}
	r.uri("", "/eventID", e.ID)
	r.uriList("/certificationInfo/", e.Certification)
	if d := e.ErrorDeclaration; d != nil {
		if d.DeclarationTime.IsZero() {
			r.refuse(CodeMissing, "/errorDeclaration/declarationTime", "An error declaration must state its declarationTime.")
		}
		r.word("", "/errorDeclaration/reason", d.Reason, event.ErrorReasons)
		r.uriList("/errorDeclaration/correctiveEventIDs/", d.CorrectiveEventIDs)
		r.names("/errorDeclaration", d.Ext)
	}
}

// isOffset checks ±hh:mm up to 14:00 (EPCIS 2.0, section 7.4.1.1).
func isOffset(s string) bool {
	if len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return false
	}
	h, err := strconv.ParseUint(s[1:3], 10, 8)
	m, err2 := strconv.ParseUint(s[4:6], 10, 8)
	return err == nil && err2 == nil && m < 60 && (h < 14 || h == 14 && m == 0)
}

// members says which members an event of this type does not have.
func (r *rules) members() {
	e := r.e
	t := e.Type
	object, aggregation, transaction, transformation := t == event.Object, t == event.Aggregation || t == event.Association,
		t == event.Transaction, t == event.Transformation
	r.only(e.EPCs != nil, object || transaction, "epcList")
	r.only(e.Quantities != nil, object || transaction, "quantityList")
	r.only(e.ParentID != "", aggregation || transaction, "parentID")
	r.only(e.ChildEPCs != nil, aggregation, "childEPCs")
	r.only(e.ChildQuantities != nil, aggregation, "childQuantityList")
	r.only(e.InputEPCs != nil, transformation, "inputEPCList")
	r.only(e.InputQuantities != nil, transformation, "inputQuantityList")
	r.only(e.OutputEPCs != nil, transformation, "outputEPCList")
	r.only(e.OutputQuantities != nil, transformation, "outputQuantityList")
	r.only(e.TransformationID != "", transformation, "transformationID")
	if e.Action != "" && transformation {
		r.remark(CodeUnexpected, "/action", "A TransformationEvent has no action.")
	}
	if e.PersistentDisposition != nil && !object && !transformation {
		r.remark(CodeUnexpected, "/persistentDisposition", "An event of type "+string(e.Type)+" has no persistentDisposition.")
	}
	r.only(len(e.ILMD) > 0, object || transformation, "ilmd")
	if len(e.ILMD) > 0 && object && e.Action != event.Add {
		r.refuse(CodeUnexpected, "/ilmd", "An ObjectEvent has ilmd only with action ADD.")
	}
}

func (r *rules) only(present, allowed bool, name string) {
	if present && !allowed {
		r.refuse(CodeUnexpected, "/"+name, "An event of type "+string(r.e.Type)+" has no "+name+".")
	}
}

func (r *rules) what() {
	e := r.e
	if e.Type != event.Transformation {
		r.action()
	}
	someChild := len(e.ChildEPCs) > 0 || len(e.ChildQuantities) > 0 || e.Action == event.Delete
	switch e.Type {
	case event.Object:
		sensing := len(e.SensorElements) > 0 && e.ReadPoint != nil
		if e.EPCs == nil && len(e.Quantities) == 0 && !sensing {
			r.refuse(CodeWhat, "", "An ObjectEvent must have an epcList, a quantityList, or sensor data with a read point.")
		}
	case event.Transaction:
		if len(e.BizTransactions) == 0 {
			r.refuse(CodeMissing, "/bizTransactionList", "A TransactionEvent must name a business transaction.")
		}
		if e.EPCs == nil && len(e.Quantities) == 0 && e.Action != event.Delete {
			r.refuse(CodeWhat, "", "A TransactionEvent must have an epcList or a quantityList unless its action is DELETE.")
		}
	case event.Aggregation:
		if !someChild {
			r.refuse(CodeWhat, "", "An AggregationEvent must have children unless its action is DELETE.")
		}
	case event.Association:
		if e.ParentID == "" {
			r.refuse(CodeMissing, "/parentID", "An AssociationEvent must name its parent.")
		}
		if !someChild {
			r.refuse(CodeWhat, "", "An AssociationEvent must have children unless its action is DELETE.")
		}
	case event.Transformation:
		in := len(e.InputEPCs) > 0 || len(e.InputQuantities) > 0
		out := len(e.OutputEPCs) > 0 || len(e.OutputQuantities) > 0
		if !(in && out) && !(e.TransformationID != "" && (in || out)) {
			r.refuse(CodeWhat, "", "A TransformationEvent must have inputs and outputs, or one of them and a transformationID.")
		}
	}
}

func (r *rules) action() {
	switch r.e.Action {
	case event.Add, event.Observe, event.Delete:
	case "":
		r.refuse(CodeMissing, "/action", "An event of this type must state its action.")
	default:
		r.refuse(CodeValue, "/action", "The action is not ADD, OBSERVE or DELETE.")
	}
}

func (r *rules) persistent() {
	p := r.e.PersistentDisposition
	if p == nil {
		return
	}
	for i, s := range p.Set {
		r.word("/persistentDisposition/set/", strconv.Itoa(i), s, event.Dispositions)
	}
	for i, s := range p.Unset {
		r.word("/persistentDisposition/unset/", strconv.Itoa(i), s, event.Dispositions)
	}
	r.distinct("/persistentDisposition/set", p.Set)
	r.distinct("/persistentDisposition/unset", p.Unset)
}

func (r *rules) place(pointer string, p *event.Place) {
	if p == nil {
		return
	}
	r.required(pointer, "/id", p.ID)
	r.identifier(pointer, "/id", p.ID)
}

func (r *rules) business() {
	e := r.e
	for i := range e.BizTransactions {
		t, at := &e.BizTransactions[i], "/bizTransactionList/"+strconv.Itoa(i)
		r.word(at, "/type", t.Type, event.BizTransactionTypes)
		r.required(at, "/bizTransaction", t.BizTransaction)
		r.noExtension(at, t.Ext)
	}
	for i := range e.Sources {
		s, at := &e.Sources[i], "/sourceList/"+strconv.Itoa(i)
		r.sourceDest(at, s.Type, "/source", s.Source, s.Ext)
	}
	for i := range e.Destinations {
		d, at := &e.Destinations[i], "/destinationList/"+strconv.Itoa(i)
		r.sourceDest(at, d.Type, "/destination", d.Destination, d.Ext)
	}
}

func (r *rules) sourceDest(at, typ, name, value string, ext jsontext.Value) {
	if typ == "" {
		r.refuse(CodeMissing, at+"/type", "A source or destination must state its type.")
	}
	r.word(at, "/type", typ, event.SourceDestTypes)
	r.required(at, name, value)
	r.identifier(at, name, value)
	r.noExtension(at, ext)
}

func (r *rules) sensorElement(at string, s *event.SensorElement) {
	if m := s.Metadata; m != nil {
		r.uri(at, "/sensorMetadata/deviceID", m.DeviceID)
		r.uri(at, "/sensorMetadata/deviceMetadata", m.DeviceMetadata)
		r.uri(at, "/sensorMetadata/rawData", m.RawData)
		r.uri(at, "/sensorMetadata/dataProcessingMethod", m.DataProcessingMethod)
		r.uri(at, "/sensorMetadata/bizRules", m.BizRules)
		r.names(at+"/sensorMetadata", m.Ext)
	}
	if len(s.Reports) == 0 {
		r.refuse(CodeMissing, at+"/sensorReport", "A sensor element must have a sensor report.")
	}
	for i := range s.Reports {
		r.sensorReport(at+"/sensorReport/"+strconv.Itoa(i), &s.Reports[i])
	}
	r.names(at, s.Ext)
}

func (r *rules) sensorReport(at string, s *event.SensorReport) {
	if s.Type == "" {
		r.refuse(CodeMissing, at+"/type", "A sensor report must state the type of measurement.")
	}
	r.word(at, "/type", s.Type, event.MeasurementTypes)
	r.word(at, "/exception", s.Exception, event.SensorAlerts)
	r.uri(at, "/deviceID", s.DeviceID)
	r.uri(at, "/deviceMetadata", s.DeviceMetadata)
	r.uri(at, "/rawData", s.RawData)
	r.uri(at, "/dataProcessingMethod", s.DataProcessingMethod)
	r.uri(at, "/bizRules", s.BizRules)
	r.uri(at, "/microorganism", s.Microorganism)
	r.uri(at, "/chemicalSubstance", s.ChemicalSubstance)
	r.uri(at, "/coordinateReferenceSystem", s.CoordinateReferenceSystem)
	r.uri(at, "/uriValue", s.URIValue)
	r.word(at, "/component", s.Component, event.Components)
	if s.HexBinaryValue != "" && strings.Trim(s.HexBinaryValue, "0123456789ABCDEFabcdef") != "" {
		r.refuse(CodeValue, at+"/hexBinaryValue", "The value has other characters than hexadecimal digits.")
	}
	if s.StringValue != nil && len(*s.StringValue) > maxText {
		r.refuse(CodeLimit, at+"/stringValue", "The text is longer than "+strconv.Itoa(maxText)+" bytes.")
	}
	r.names(at, s.Ext)
}

// identifiers checks every identifier of the what-dimension.
func (r *rules) identifiers() {
	e := r.e
	total := len(e.EPCs) + len(e.Quantities) + len(e.ChildEPCs) + len(e.ChildQuantities) + len(e.InputEPCs) + len(e.InputQuantities) +
		len(e.OutputEPCs) + len(e.OutputQuantities)
	if total > maxIdentifiers {
		r.refuse(CodeLimit, "", "The event names more than "+strconv.Itoa(maxIdentifiers)+" objects.")
		return
	}
	r.identifier("", "/parentID", e.ParentID)
	r.uri("", "/transformationID", e.TransformationID)
	r.epcs("/epcList/", e.EPCs, e.Type == event.Object)
	r.epcs("/childEPCs/", e.ChildEPCs, false)
	r.epcs("/inputEPCList/", e.InputEPCs, true)
	r.epcs("/outputEPCList/", e.OutputEPCs, true)
	r.quantities("/quantityList", e.Quantities)
	r.quantities("/childQuantityList", e.ChildQuantities)
	r.quantities("/inputQuantityList", e.InputQuantities)
	r.quantities("/outputQuantityList", e.OutputQuantities)
}

func (r *rules) epcs(at string, list []string, distinct bool) {
	for i, s := range list {
		r.identifier(at, strconv.Itoa(i), s)
	}
	if distinct {
		r.distinct(strings.TrimSuffix(at, "/"), list)
	}
}

func (r *rules) quantities(at string, list []event.Quantity) {
	for i := range list {
		q, at := &list[i], at+"/"+strconv.Itoa(i)
		r.required(at, "/epcClass", q.EPCClass)
		r.identifier(at, "/epcClass", q.EPCClass)
		if q.UOM != "" && !isUnit(q.UOM) {
			r.refuse(CodeValue, at+"/uom", "The unit is not a code of UN/CEFACT Recommendation 20: two or three capital letters or digits.")
		}
		r.quantityExtension(at, q.Ext)
	}
}

// quantityExtension lets members with a prefix pass, which some software writes there, although no schema has a place for them.
func (r *rules) quantityExtension(at string, ext jsontext.Value) {
	for name := range memberNames(ext) {
		if isName(name) {
			r.remark(CodeUnexpected, at+"/"+escape(name), "A quantity has no such member in the standard; it is kept as an extension.")
		} else {
			r.refuse(CodeUnexpected, at+"/"+escape(name), "This element has no other members than those of the standard.")
		}
	}
}

func isUnit(s string) bool {
	if len(s) < 2 || len(s) > 3 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// fewElements is where comparing each with each is faster than a set.
const fewElements = 16

func (r *rules) distinct(at string, list []string) {
	if len(list) <= fewElements {
		for i := range list {
			for j := range i {
				if list[i] == list[j] {
					r.repeated(at, i)
					break
				}
			}
		}
		return
	}
	seen := make(map[string]struct{}, len(list))
	for i, s := range list {
		if _, again := seen[s]; again {
			r.repeated(at, i)
		}
		seen[s] = struct{}{}
	}
}

func (r *rules) repeated(at string, i int) {
	r.refuse(CodeRepeated, at+"/"+strconv.Itoa(i), "The same element is in the list before.")
}

// word, and the checks after it, take the pointer in two parts, so that it is only put together for a problem.
func (r *rules) word(at, name, s string, v *event.Vocabulary) {
	switch {
	case s == "" || v.Has(s):
	case mustBeBare(v, s):
		r.refuse(CodeWord, at+name, "In JSON a "+v.Name+" of GS1 is written as its bare word.")
	case len(s) > maxURI:
		r.tooLong(at + name)
	case !isURI(s):
		r.remark(CodeWord, at+name, "The "+v.Name+" is neither a word of the CBV 2.0 nor a URI of your own.")
	}
}

func (r *rules) required(at, name, s string) {
	if s == "" {
		r.refuse(CodeMissing, at+name, "The element must have this member.")
	}
}

func (r *rules) tooLong(pointer string) {
	r.refuse(CodeLimit, pointer, "The URI is longer than "+strconv.Itoa(maxURI)+" bytes.")
}

func (r *rules) uri(at, name, s string) {
	switch {
	case s == "":
	case len(s) > maxURI:
		r.tooLong(at + name)
	case !isURI(s):
		r.remark(CodeURI, at+name, "This is not a URI (RFC 3986).")
	}
}

func (r *rules) uriList(at string, list []string) {
	for i, s := range list {
		r.uri(at, strconv.Itoa(i), s)
	}
}

// identifier checks what names an object, a place or a party. It must be a URI: two firms may both have a lot "12". A GS1 identifier
// that is wrong in itself is accepted with a finding: it still names the same thing wherever it is written alike.
func (r *rules) identifier(at, name, s string) {
	switch {
	case s == "":
		return
	case len(s) > maxURI:
		r.tooLong(at + name)
		return
	case !isURI(s):
		r.refuse(CodeURI, at+name, "This is not a URI (RFC 3986), so it does not name one thing for everybody.")
		return
	}
	_, err := gs1.Canonical(s)
	if err == nil {
		return
	}
	var fault *gs1.Error
	switch {
	case gs1.IsCheckDigit(err):
		r.remark(CodeCheckDigit, at+name, "The check digit of the GS1 identifier is wrong.")
	case errors.As(err, &fault):
		r.remark(CodeIdentifier, at+name, "The GS1 identifier is not well formed and is taken as it is ("+strings.TrimPrefix(fault.Part+": ", ": ")+fault.Msg+").")
	}
}

func (r *rules) noExtension(at string, ext jsontext.Value) {
	for name := range memberNames(ext) {
		r.refuse(CodeUnexpected, at+"/"+escape(name), "This element has no other members than those of the standard.")
	}
}

// names checks that members which are not of the standard have a prefix or are URIs.
func (r *rules) names(at string, ext jsontext.Value) {
	if len(ext) == 0 {
		return
	}
	for name := range memberNames(ext) {
		if !isName(name) {
			r.remark(CodeUnexpected, at+"/"+escape(name), "The standard has no such member here, and it has no prefix that would make it an extension.")
		}
	}
}

// escape puts a member name into a JSON pointer (RFC 6901, section 3).
func escape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
