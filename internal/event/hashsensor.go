package event

import "strings"

func (h *hasher) sensorElements(list []SensorElement) {
	if len(list) == 0 {
		return
	}
	start, cut := h.list("sensorElementList")
	for i := range list {
		s := &list[i]
		h.put("sensorElement")
		h.sensorMetadata(s.Metadata)
		h.sensorReports(s.Reports)
		h.members(s.Ext, "sensorElementListsensorElement")
		h.cut()
	}
	h.sort(start, cut)
}

func (h *hasher) sensorMetadata(m *SensorMetadata) {
	if m == nil {
		return
	}
	h.put("sensorMetadata")
	h.time("time", m.Time)
	h.time("startTime", m.StartTime)
	h.time("endTime", m.EndTime)
	h.id("deviceID", m.DeviceID)
	h.id("deviceMetadata", m.DeviceMetadata)
	h.id("rawData", m.RawData)
	h.id("dataProcessingMethod", m.DataProcessingMethod)
	h.id("bizRules", m.BizRules)
	h.members(m.Ext, "sensorElementListsensorElementsensorMetadata")
}

func (h *hasher) sensorReports(list []SensorReport) {
	start, cut := h.list("")
	for i := range list {
		h.put("sensorReport")
		h.sensorReport(&list[i])
		h.cut()
	}
	h.sort(start, cut)
}

func (h *hasher) sensorReport(r *SensorReport) {
	h.gs1Word("type", r.Type)
	h.gs1Word("exception", r.Exception)
	h.id("deviceID", r.DeviceID)
	h.id("deviceMetadata", r.DeviceMetadata)
	h.id("rawData", r.RawData)
	h.id("dataProcessingMethod", r.DataProcessingMethod)
	h.time("time", r.Time)
	h.id("microorganism", r.Microorganism)
	h.id("chemicalSubstance", r.ChemicalSubstance)
	h.decimal("value", r.Value)
	h.word("component", r.Component, &components)
	if r.StringValue != nil {
		h.key("stringValue")
		h.put(*r.StringValue)
	}
	if r.BooleanValue != nil {
		h.key("booleanValue")
		h.bool(*r.BooleanValue)
	}
	h.text("hexBinaryValue", r.HexBinaryValue)
	h.id("uriValue", r.URIValue)
	h.decimal("minValue", r.MinValue)
	h.decimal("maxValue", r.MaxValue)
	h.decimal("meanValue", r.MeanValue)
	h.decimal("sDev", r.SDev)
	h.decimal("percRank", r.PercRank)
	h.decimal("percValue", r.PercValue)
	h.text("uom", r.UOM)
	h.text("coordinateReferenceSystem", r.CoordinateReferenceSystem)
	h.members(r.Ext, "sensorElementListsensorElementsensorReport")
}

// gs1Word writes a word of the GS1 web vocabulary; a value with a colon is not a bare word and stays as it is.
func (h *hasher) gs1Word(name, value string) {
	if value == "" {
		return
	}
	h.key(name)
	if !strings.Contains(value, ":") {
		h.put(gs1Namespace)
	}
	h.put(value)
}

func (h *hasher) bool(v bool) {
	if v {
		h.put("true")
	} else {
		h.put("false")
	}
}
