// Package contract decides what becomes part of the record. It is one pure, deterministic function of the world
// state and a transaction: no I/O, no clock, no goroutines, no floats, no unordered iteration. The Fabric chaincode
// and the embedded ledger run the same code; docs/rules.md says the rules in words.
package contract

import "github.com/foodtrace-ledger/foodtrace/internal/event"

// Batch is what one transaction carries. It travels as Encode's bytes.
type Batch struct {
	// Atomic: if one record is refused, all are (EPCIS capture error behaviour "rollback").
	// Otherwise each record stands alone ("proceed").
	Atomic bool `json:"atomic,omitzero"`
	// Source is the document that the records were read from.
	Source  *Evidence `json:"source,omitempty"`
	Records []Record  `json:"records"`
}

// Record is one thing written on the ledger: an EPCIS event or a regulatory act. Exactly one of the pointers is set.
type Record struct {
	Event        *event.Event  `json:"event,omitempty"`
	Inspection   *Inspection   `json:"inspection,omitempty"`
	Hold         *Hold         `json:"hold,omitempty"`
	Release      *Release      `json:"release,omitempty"`
	Spread       *Spread       `json:"spread,omitempty"`
	Registration *Registration `json:"registration,omitempty"`

	// Evidence lists the files that belong to the record; the ledger keeps their digests, the evidence store their bytes.
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Evidence names a file by the SHA-256 of its bytes (lower-case hex).
type Evidence struct {
	SHA256    string `json:"sha256"`
	MediaType string `json:"mediaType,omitzero"`
	Name      string `json:"name,omitzero"`
	Size      int64  `json:"size"` // bytes
}

// Inspection is the result of an official inspection or a laboratory test of an item.
type Inspection struct {
	Item      string     `json:"item"`               // lot, instance or logistic unit, any URI form
	Site      string     `json:"site,omitzero"`      // where the sample was taken
	Kind      string     `json:"kind"`               // e.g. quarantine, pesticide-residue, pathogen, temperature, label
	Result    Result     `json:"result"`             // pass, fail, inconclusive
	Time      event.Time `json:"time"`               // when the result was established
	Inspector string     `json:"inspector"`          // person or laboratory
	Reference string     `json:"reference,omitzero"` // number of the certificate or report
	Note      Text       `json:"note,omitzero"`
}

// Result of an inspection.
type Result string

const (
	Pass         Result = "pass"
	Fail         Result = "fail"
	Inconclusive Result = "inconclusive"
)

// Text is something a person reads, in the languages its writer gave.
type Text struct {
	ZH string `json:"zh,omitzero"`
	EN string `json:"en,omitzero"`
}

// Scope of a hold (docs/rules.md, section 5).
type Scope string

const (
	ScopeLot        Scope = "lot"        // the item named
	ScopeDownstream Scope = "downstream" // the item and everything made from it
)

// Hold stops an item. Its ID is the record's ID in the outcome.
type Hold struct {
	Item   string     `json:"item"`
	Scope  Scope      `json:"scope"`
	Recall bool       `json:"recall,omitzero"` // consumers are told to bring it back
	Reason Text       `json:"reason"`
	Time   event.Time `json:"time"`
	// Reference of the order this hold carries out.
	Reference string `json:"reference,omitzero"`
}

// Release ends a hold.
type Release struct {
	Hold   string     `json:"hold"` // ID of the hold
	Reason Text       `json:"reason"`
	Time   event.Time `json:"time"`
}

// Spread carries the marks of a downstream hold (or of its release) at most Limit items further. Any member may send
// it; it changes no answer, only how fast it is found.
type Spread struct {
	Hold  string `json:"hold"`
	Limit int    `json:"limit"`
}

// Registration adds or replaces members, sites and products, or sets the policy. One registration may carry many.
type Registration struct {
	Members  []Member  `json:"members,omitempty"`
	Sites    []Site    `json:"sites,omitempty"`
	Products []Product `json:"products,omitempty"`
	Policy   *Policy   `json:"policy,omitempty"`
}

// Role of a member.
type Role string

const (
	Regulator  Role = "regulator"
	Producer   Role = "producer"
	Processor  Role = "processor"
	Carrier    Role = "carrier"
	Wholesaler Role = "wholesaler"
	Retailer   Role = "retailer"
	Laboratory Role = "laboratory"
)

// Member is an organisation on the ledger.
type Member struct {
	MSP      string   `json:"msp"` // MSP ID, unique
	Name     Text     `json:"name"`
	Roles    []Role   `json:"roles"`
	Prefixes []string `json:"prefixes,omitempty"` // GS1 company prefixes, digits, or URI prefixes of its own identifiers
	Parties  []string `json:"parties,omitempty"`  // URIs that name it as owning or possessing party
}

// Site is a place with an owner.
type Site struct {
	ID      string        `json:"id"`             // canonical URI (414 Digital Link, or the owner's own)
	Owner   string        `json:"owner,omitzero"` // MSP ID, empty: nobody's
	Name    Text          `json:"name,omitzero"`
	Address Text          `json:"address,omitzero"`
	Country string        `json:"country,omitzero"` // ISO 3166-1 alpha-2
	Lat     event.Decimal `json:"lat,omitzero"`     // WGS 84 degrees
	Lon     event.Decimal `json:"lon,omitzero"`
	Kind    string        `json:"kind,omitzero"` // farm, packhouse, plant, cold-store, distribution-centre, shop, vessel, port, laboratory
	Phone   string        `json:"phone,omitzero"`
	Ext     []MasterAttr  `json:"ext,omitempty"` // other master data attributes
}

// Product is a trade item class.
type Product struct {
	ID    string       `json:"id"` // canonical URI (01 Digital Link) or the owner's own
	Owner string       `json:"owner,omitzero"`
	Name  Text         `json:"name,omitzero"`
	Kind  string       `json:"kind,omitzero"` // commodity or food-traceability-list category
	Unit  Text         `json:"unit,omitzero"` // packaging size and style
	Ext   []MasterAttr `json:"ext,omitempty"`
}

// AttrChild is the attribute of a site that names a place within it: a child of the vocabulary element (EPCIS 2.0, section 6.5).
const AttrChild = "urn:foodtrace:mda#child"

// MasterAttr is a master data attribute that has no field of its own (EPCIS 2.0, section 9.6: id, value).
type MasterAttr struct {
	ID    string `json:"id"`
	Value string `json:"value"` // text, or JSON of a nested element
}

// Policy is how strict the network is.
type Policy struct {
	// Lenient: events at sites that nobody registered are accepted with the finding SITE_UNKNOWN. Else they are refused.
	Lenient bool `json:"lenient"`
	// RefuseOverBalance: more out than in is refused, not only a finding.
	RefuseOverBalance bool `json:"refuseOverBalance,omitzero"`
	// Summaries: what was inside a container is summed up now and then, so that one that is used thousands of times costs no more than a new
	// one. It decides the same, but the state has other keys, so a ledger begun without it goes on without until a regulator says so.
	Summaries bool `json:"summaries,omitzero"`
}
