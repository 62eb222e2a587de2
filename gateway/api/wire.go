package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// EPCIS is an event in the EPCIS 2.0 JSON binding.
type EPCIS event.Event

// Schema says that the standard defines the object.
func (*EPCIS) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true,
		Description: "EPCIS 2.0 event in the JSON binding (https://ref.gs1.org/standards/epcis/)"}
}

// MarshalJSONTo writes the event as the standard says.
func (e *EPCIS) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, (*event.Event)(e))
}

// Event is an event on the record, with what proves it.
type Event struct {
	ID       string              `json:"id" doc:"Event hash (CBV 2.0)"`
	Event    *EPCIS              `json:"event"`
	Findings []contract.Finding  `json:"findings,omitempty"`
	Evidence []contract.Evidence `json:"evidence,omitempty" doc:"Files that the event names; /evidence/{sha256}?record={id} has each. Without a media type: the writer's gateway did not have it"`
	Voided   string              `json:"voided,omitzero" doc:"Transaction of the error declaration that voids it"`
	Where    index.Where         `json:"where" doc:"Block and transaction that prove it"`
}

func wireEvent(e index.Event) Event {
	return Event{ID: e.ID, Event: (*EPCIS)(e.Event), Findings: e.Findings, Evidence: view.Files(e), Voided: e.Voided, Where: e.Where}
}

// Violation is a movement that was refused because of holds.
type Violation struct {
	ID    string      `json:"id" doc:"Event hash (CBV 2.0)"`
	Event *EPCIS      `json:"event"`
	Holds []string    `json:"holds"`
	Items []string    `json:"items"`
	Where index.Where `json:"where"`
}

func wireViolation(v index.Violation) Violation {
	return Violation{ID: v.ID, Event: (*EPCIS)(v.Event), Holds: v.Holds, Items: v.Items, Where: v.Where}
}

// Lot is an item in a list.
type Lot struct {
	index.Item
	Name contract.Text `json:"name,omitzero" doc:"Of its product"`
	Page string        `json:"page" doc:"Path of its page"`
}

// Dossier is everything known of an item that the view shows.
type Dossier struct {
	Lot
	Status      view.Status              `json:"status"`
	Inspections []index.Inspection       `json:"inspections" doc:"Newest first"`
	Events      []Event                  `json:"events" doc:"Oldest first"`
	NextEvents  string                   `json:"nextEvents,omitzero" doc:"Cursor for the parameter after, if there are more events"`
	Violations  []Violation              `json:"violations" doc:"Movements that were refused"`
	ProductInfo *contract.Product        `json:"productInfo,omitempty"`
	Sites       map[string]contract.Site `json:"sites" doc:"Of all places named, by URI"`
}

func wireDossier(d view.Dossier) Dossier {
	w := Dossier{Lot: Lot{Item: d.Item, Page: view.Path(d.Item.Key)}, Status: d.Status, Inspections: d.Inspections, NextEvents: d.NextEvents,
		ProductInfo: d.Product, Sites: d.Sites, Events: []Event{}, Violations: []Violation{}}
	if d.Product != nil {
		w.Name = d.Product.Name
	}
	for _, e := range d.Events {
		w.Events = append(w.Events, wireEvent(e))
	}
	for _, v := range d.Violations {
		w.Violations = append(w.Violations, wireViolation(v))
	}
	return w
}

func same[T any](v T) T { return v }
