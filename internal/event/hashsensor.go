package event

import (
	"math/big"
	"strconv"
	"strings"
)

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

const sensorReportPath = "sensorElementListsensorElementsensorReport"

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

// sensorReport leaves bizRules, which the standard's order does not have here, for the leftovers.
func (h *hasher) sensorReport(r *SensorReport) {
	h.word("type", r.Type, MeasurementTypes)
	h.word("exception", r.Exception, SensorAlerts)
	h.id("deviceID", r.DeviceID)
	h.id("deviceMetadata", r.DeviceMetadata)
	h.id("rawData", r.RawData)
	h.id("dataProcessingMethod", r.DataProcessingMethod)
	h.time("time", r.Time)
	h.id("microorganism", r.Microorganism)
	h.id("chemicalSubstance", r.ChemicalSubstance)
	h.decimal("value", r.Value)
	h.word("component", r.Component, Components)
	if r.StringValue != nil {
		h.key("stringValue")
		h.put(likeNumber(*r.StringValue))
	}
	if r.BooleanValue != nil {
		h.key("booleanValue")
		h.put(strconv.FormatBool(*r.BooleanValue))
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
	h.members(r.Ext, sensorReportPath)
	if r.BizRules != "" {
		h.ext.left = append(h.ext.left, sensorReportPath+"bizRules="+canonicalID(r.BizRules))
	}
}

// likeNumber gives a text of digits the form that the published vectors give it, a number of 53 bits without leading zeros.
// Only stringValue of a sensor report is treated so: a lot number 007 is not the lot number 7.
func likeNumber(s string) string {
	if s == "" || len(s) > maxDecimalText || strings.Trim(s, "0123456789") != "" {
		return s
	}
	n, _, err := big.ParseFloat(s, 10, 53, big.ToNearestEven)
	if err != nil {
		return s
	}
	whole, _ := n.Int(nil)
	return whole.String()
}
