package query

import (
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// report compares what sensor elements say. A parameter without a unit in its name is true of the metadata of an element or of
// a report in it; one with a unit of reports that state the value in that unit: nothing is converted.
func (m *matcher) report(c *Criterion) bool {
	return slices.ContainsFunc(m.e.SensorElements, func(s event.SensorElement) bool {
		return s.Metadata != nil && metadata(c, s.Metadata) || slices.ContainsFunc(s.Reports, func(r event.SensorReport) bool { return observation(c, &r) })
	})
}

func metadata(c *Criterion, d *event.SensorMetadata) bool {
	switch c.Field {
	case "time":
		return c.time(d.Time)
	case "startTime":
		return c.time(d.StartTime)
	case "endTime":
		return c.time(d.EndTime)
	case "deviceID":
		return c.uri(d.DeviceID)
	case "dataProcessingMethod":
		return c.uri(d.DataProcessingMethod)
	case "bizRules":
		return c.uri(d.BizRules)
	}
	return false
}

func observation(c *Criterion, r *event.SensorReport) bool {
	switch c.Field {
	case "time":
		return c.time(r.Time)
	case "type":
		return c.word(event.MeasurementTypes, r.Type)
	case "deviceID":
		return c.uri(r.DeviceID)
	case "dataProcessingMethod":
		return c.uri(r.DataProcessingMethod)
	case "bizRules":
		return c.uri(r.BizRules)
	case "microorganism":
		return c.uri(r.Microorganism)
	case "chemicalSubstance":
		return c.uri(r.ChemicalSubstance)
	case "stringValue":
		return r.StringValue != nil && slices.ContainsFunc(c.Values, func(v Value) bool { return v.Text == *r.StringValue })
	case "hexBinaryValue":
		return slices.ContainsFunc(c.Values, func(v Value) bool { return r.HexBinaryValue != "" && strings.EqualFold(v.Text, r.HexBinaryValue) })
	case "uriValue":
		return c.uri(r.URIValue)
	case "booleanValue":
		return r.BooleanValue != nil && (c.Values[0].Text == "true") == *r.BooleanValue
	case "percRank":
		return c.number(r.PercRank)
	}
	return c.UOM != "" && c.UOM == r.UOM && c.number(measure(c.Field, r))
}

// measure is a number of a report that has its unit.
func measure(field string, r *event.SensorReport) event.Decimal {
	switch field {
	case "value":
		return r.Value
	case "minValue":
		return r.MinValue
	case "maxValue":
		return r.MaxValue
	case "meanValue":
		return r.MeanValue
	case "sDev":
		return r.SDev
	case "percValue":
		return r.PercValue
	}
	return event.Decimal{}
}
