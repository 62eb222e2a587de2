package epcis

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

func (x *xmlText) sensorElements(list []event.SensorElement) {
	if len(list) == 0 {
		return
	}
	x.open("sensorElementList")
	for i := range list {
		s := &list[i]
		x.open("sensorElement")
		x.metadata(s.Metadata)
		for j := range s.Reports {
			x.report(&s.Reports[j])
		}
		x.extensions(s.Ext)
		x.close("sensorElement")
	}
	x.close("sensorElementList")
}

func (x *xmlText) metadata(m *event.SensorMetadata) {
	if m == nil {
		return
	}
	x.b = append(x.b, "<sensorMetadata"...)
	x.attr("time", m.Time.String())
	x.attr("startTime", m.StartTime.String())
	x.attr("endTime", m.EndTime.String())
	x.attr("deviceID", x.full(m.DeviceID))
	x.attr("deviceMetadata", x.full(m.DeviceMetadata))
	x.attr("rawData", x.full(m.RawData))
	x.attr("dataProcessingMethod", x.full(m.DataProcessingMethod))
	x.attr("bizRules", x.full(m.BizRules))
	x.attributes(m.Ext)
	x.b = append(x.b, "/>"...)
}

func (x *xmlText) report(s *event.SensorReport) {
	x.b = append(x.b, "<sensorReport"...)
	x.attr("type", x.full(event.MeasurementTypes.Long(s.Type)))
	x.number("value", s.Value)
	x.attr("component", x.full(event.Components.Long(s.Component)))
	if s.StringValue != nil {
		x.b = append(x.b, ` stringValue="`...)
		x.chars(*s.StringValue)
		x.b = append(x.b, '"')
	}
	if s.BooleanValue != nil {
		x.attr("booleanValue", strconv.FormatBool(*s.BooleanValue))
	}
	x.attr("hexBinaryValue", s.HexBinaryValue)
	x.attr("uriValue", x.full(s.URIValue))
	x.attr("uom", s.UOM)
	x.number("minValue", s.MinValue)
	x.number("maxValue", s.MaxValue)
	x.number("sDev", s.SDev)
	x.attr("chemicalSubstance", x.full(s.ChemicalSubstance))
	x.attr("microorganism", x.full(s.Microorganism))
	x.attr("deviceID", x.full(s.DeviceID))
	x.attr("deviceMetadata", x.full(s.DeviceMetadata))
	x.attr("rawData", x.full(s.RawData))
	x.attr("time", s.Time.String())
	x.number("meanValue", s.MeanValue)
	x.number("percRank", s.PercRank)
	x.number("percValue", s.PercValue)
	x.attr("dataProcessingMethod", x.full(s.DataProcessingMethod))
	x.attr("coordinateReferenceSystem", x.full(s.CoordinateReferenceSystem))
	x.attr("exception", event.SensorAlerts.Long(s.Exception))
	x.attr("bizRules", x.full(s.BizRules))
	x.attributes(s.Ext)
	x.b = append(x.b, "/>"...)
}

func (x *xmlText) number(name string, d event.Decimal) {
	if d.Stated {
		x.attr(name, d.String())
	}
}

// attributes writes the extension members of an element that has attributes only.
func (x *xmlText) attributes(ext jsontext.Value) {
	for name, value := range members(ext) {
		switch value.Kind() {
		case '{', '[':
			x.fail("%s of a sensor report is no text", name)
		default:
			x.name(name)
			x.b = append(append(append(x.b, ' '), name...), `="`...)
			x.chars(x.scalar(value))
			x.b = append(x.b, '"')
		}
	}
}

// extensions writes the members of an element of the standard that the standard does not have. Those without a prefix go into a wrapper, which
// comes first, as the schema has it.
func (x *xmlText) extensions(ext jsontext.Value) {
	wrapped := false
	for name, value := range members(ext) {
		if strings.Contains(name, ":") {
			continue
		}
		if isWrapper(name) {
			x.fail("the name %s means something else in XML", name)
		}
		if !wrapped {
			x.open("extension")
			wrapped = true
		}
		x.member(name, value)
	}
	if wrapped {
		x.close("extension")
	}
	for name, value := range members(ext) {
		if strings.Contains(name, ":") {
			x.member(name, value)
		}
	}
}

func (x *xmlText) object(object jsontext.Value) {
	for name, value := range members(object) {
		x.member(name, value)
	}
}

// member writes an element, or one for each element of an array.
func (x *xmlText) member(name string, value jsontext.Value) {
	if name == event.TextMember {
		x.chars(x.scalar(value))
		return
	}
	if value.Kind() == '[' {
		for _, v := range elements(value) {
			x.member(name, v)
		}
		return
	}
	x.name(name)
	x.open(name)
	switch s, isText := text(value); {
	case value.Kind() == '{':
		x.object(value)
	case isText && strings.HasSuffix(name, ":"+event.IgnoreFields): // names, which keep their prefixes
		x.chars(s)
	default:
		x.chars(x.scalar(value))
	}
	x.close(name)
}

// scalar is a text; a number as it is hashed, true, false or null as such.
func (x *xmlText) scalar(value jsontext.Value) string {
	if s, ok := text(value); ok {
		return x.full(s)
	}
	if d, err := event.ParseDecimal(string(value)); err == nil && value.Kind() == '0' {
		return d.String()
	}
	return string(value)
}

// name checks that a member's name can be one in XML: a local name, alone or behind a prefix that is declared.
func (x *xmlText) name(name string) {
	prefix, local, ok := strings.Cut(name, ":")
	if !ok {
		prefix, local = "", name
	}
	if ok && !(isLocal(prefix) && (x.context.declares(prefix) || x.declareBuiltin(prefix) || prefix == "xml")) {
		x.fail("%s has a prefix that is not declared", name)
	}
	if !isLocal(local) {
		x.fail("%s is no name of XML", name)
	}
}

// mdaXML is the namespace of master data attributes in XML. In JSON it ends in a colon.
const mdaXML = "urn:epcglobal:cbv:mda"

// declareBuiltin declares a prefix that JSON has of the standard's context.
func (x *xmlText) declareBuiltin(prefix string) bool {
	same := func(ns event.Namespace) bool { return ns.Prefix == prefix }
	if slices.ContainsFunc(x.builtin, same) {
		return true
	}
	i := slices.IndexFunc(event.BuiltinNamespaces, same)
	if i < 0 {
		return false
	}
	ns := event.BuiltinNamespaces[i]
	if strings.TrimSuffix(ns.URI, ":") == mdaXML {
		ns.URI = mdaXML
	}
	x.builtin = append(x.builtin, ns)
	return true
}

// isLocal says whether a name is one of XML without a colon (Namespaces in XML 1.0, NCName), of letters and digits of any script.
func isLocal(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || r != '-' && r != '.' && !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != ""
}
