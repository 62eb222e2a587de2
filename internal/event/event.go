// Package event holds the EPCIS 2.0 event (GS1 EPCIS 2.0, section 7) as Go values, the one form in which
// every format is read, the ledger keeps it and every answer is written.
//
// Its JSON is the EPCIS 2.0 JSON binding, so a stored event is readable by anyone; identifiers and vocabulary
// stay as the sender wrote them. Canonical forms are computed where they are compared (package gs1, Hash).
package event

import "github.com/go-json-experiment/json/jsontext"

// Type is one of the five event types of EPCIS 2.0, section 7.4.
type Type string

const (
	Object         Type = "ObjectEvent"
	Aggregation    Type = "AggregationEvent"
	Transaction    Type = "TransactionEvent"
	Transformation Type = "TransformationEvent"
	Association    Type = "AssociationEvent"
)

// Action says how an event relates to the life of its objects (EPCIS 2.0, section 7.3.2).
type Action string

const (
	Add     Action = "ADD"
	Observe Action = "OBSERVE"
	Delete  Action = "DELETE"
)

// Event is one EPCIS 2.0 event. Members of the standard have fields; everything else (extensions) is kept in Ext as
// it came. A zero field was not stated. An Event is not changed after it was decoded or built: its hash, keys and text are
// kept with it once they have been computed.
type Event struct {
	// Context is the part of the document's JSON-LD @context that gives meaning to this event's extension
	// prefixes: an array or object, absent when the event has no extensions.
	Context jsontext.Value `json:"@context,omitempty"`

	Type             Type              `json:"type"`
	ID               string            `json:"eventID,omitzero"`
	Time             Time              `json:"eventTime"`
	TimeZoneOffset   string            `json:"eventTimeZoneOffset"`
	RecordTime       Time              `json:"recordTime,omitzero"`
	ErrorDeclaration *ErrorDeclaration `json:"errorDeclaration,omitempty"`
	Certification    Strings           `json:"certificationInfo,omitempty"`

	Action Action `json:"action,omitzero"`

	ParentID         string     `json:"parentID,omitzero"`
	EPCs             []string   `json:"epcList,omitzero"` // empty, but stated: an event that is about no object
	Quantities       []Quantity `json:"quantityList,omitempty"`
	ChildEPCs        []string   `json:"childEPCs,omitempty"`
	ChildQuantities  []Quantity `json:"childQuantityList,omitempty"`
	InputEPCs        []string   `json:"inputEPCList,omitempty"`
	InputQuantities  []Quantity `json:"inputQuantityList,omitempty"`
	OutputEPCs       []string   `json:"outputEPCList,omitempty"`
	OutputQuantities []Quantity `json:"outputQuantityList,omitempty"`
	TransformationID string     `json:"transformationID,omitzero"`

	BizStep               string                 `json:"bizStep,omitzero"`
	Disposition           string                 `json:"disposition,omitzero"`
	PersistentDisposition *PersistentDisposition `json:"persistentDisposition,omitempty"`
	ReadPoint             *Place                 `json:"readPoint,omitempty"`
	BizLocation           *Place                 `json:"bizLocation,omitempty"`
	BizTransactions       []BizTransaction       `json:"bizTransactionList,omitempty"`
	Sources               []Source               `json:"sourceList,omitempty"`
	Destinations          []Destination          `json:"destinationList,omitempty"`
	SensorElements        []SensorElement        `json:"sensorElementList,omitempty"`
	ILMD                  jsontext.Value         `json:"ilmd,omitempty"`

	// Ext holds the members that are not of the standard, as one JSON object, or nil.
	Ext jsontext.Value `json:",embed"`

	memo memo
}

// Quantity is a QuantityElement (section 7.3.3.3): a class or lot, and how much of it.
type Quantity struct {
	EPCClass string         `json:"epcClass"`
	Quantity Decimal        `json:"quantity,omitzero"` // not stated: unknown amount
	UOM      string         `json:"uom,omitzero"`      // UN/CEFACT Rec. 20 code; absent: pieces
	Ext      jsontext.Value `json:",embed"`
}

// Place is a read point or business location (sections 7.3.5.3, 7.3.5.4).
type Place struct {
	ID  string         `json:"id"`
	Ext jsontext.Value `json:",embed"`
}

// PersistentDisposition sets and unsets dispositions that outlive the event (section 7.3.5.6).
type PersistentDisposition struct {
	Set   []string `json:"set,omitempty"`
	Unset []string `json:"unset,omitempty"`
}

// BizTransaction refers to a business document (section 7.3.5.5).
type BizTransaction struct {
	Type           string         `json:"type,omitzero"`
	BizTransaction string         `json:"bizTransaction"`
	Ext            jsontext.Value `json:",embed"`
}

// Source is where a transfer starts (section 7.3.5.7): owning_party, possessing_party or location.
type Source struct {
	Type   string         `json:"type"`
	Source string         `json:"source"`
	Ext    jsontext.Value `json:",embed"`
}

// Destination is where a transfer ends (section 7.3.5.7).
type Destination struct {
	Type        string         `json:"type"`
	Destination string         `json:"destination"`
	Ext         jsontext.Value `json:",embed"`
}

// ErrorDeclaration says that an earlier event with the same content is wrong (section 7.4.1.4).
type ErrorDeclaration struct {
	DeclarationTime    Time           `json:"declarationTime"`
	Reason             string         `json:"reason,omitzero"`
	CorrectiveEventIDs []string       `json:"correctiveEventIDs,omitempty"`
	Ext                jsontext.Value `json:",embed"`
}

// SensorElement groups observations of one or more sensors (section 7.3.7).
type SensorElement struct {
	Metadata *SensorMetadata `json:"sensorMetadata,omitempty"`
	Reports  []SensorReport  `json:"sensorReport"`
	Ext      jsontext.Value  `json:",embed"`
}

// SensorMetadata applies to all reports of its element (section 7.3.7.2).
type SensorMetadata struct {
	Time                 Time           `json:"time,omitzero"`
	StartTime            Time           `json:"startTime,omitzero"`
	EndTime              Time           `json:"endTime,omitzero"`
	DeviceID             string         `json:"deviceID,omitzero"`
	DeviceMetadata       string         `json:"deviceMetadata,omitzero"`
	RawData              string         `json:"rawData,omitzero"`
	DataProcessingMethod string         `json:"dataProcessingMethod,omitzero"`
	BizRules             string         `json:"bizRules,omitzero"`
	Ext                  jsontext.Value `json:",embed"`
}

// SensorReport is one observation (section 7.3.7.3). Numbers are exact decimals.
type SensorReport struct {
	Type                      string         `json:"type,omitzero"`
	Exception                 string         `json:"exception,omitzero"`
	DeviceID                  string         `json:"deviceID,omitzero"`
	DeviceMetadata            string         `json:"deviceMetadata,omitzero"`
	RawData                   string         `json:"rawData,omitzero"`
	DataProcessingMethod      string         `json:"dataProcessingMethod,omitzero"`
	BizRules                  string         `json:"bizRules,omitzero"`
	Time                      Time           `json:"time,omitzero"`
	Microorganism             string         `json:"microorganism,omitzero"`
	ChemicalSubstance         string         `json:"chemicalSubstance,omitzero"`
	Value                     Decimal        `json:"value,omitzero"`
	Component                 string         `json:"component,omitzero"`
	StringValue               *string        `json:"stringValue,omitzero"`
	BooleanValue              *bool          `json:"booleanValue,omitzero"`
	HexBinaryValue            string         `json:"hexBinaryValue,omitzero"`
	URIValue                  string         `json:"uriValue,omitzero"`
	MinValue                  Decimal        `json:"minValue,omitzero"`
	MaxValue                  Decimal        `json:"maxValue,omitzero"`
	MeanValue                 Decimal        `json:"meanValue,omitzero"`
	SDev                      Decimal        `json:"sDev,omitzero"`
	PercRank                  Decimal        `json:"percRank,omitzero"`
	PercValue                 Decimal        `json:"percValue,omitzero"`
	UOM                       string         `json:"uom,omitzero"`
	CoordinateReferenceSystem string         `json:"coordinateReferenceSystem,omitzero"`
	Ext                       jsontext.Value `json:",embed"`
}
