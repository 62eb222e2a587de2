// Package query is the EPCIS 2.0 event query (GS1 EPCIS 2.0, section 8.2.7.1, SimpleEventQuery) as a value: its parameters read from a query string
// or from the body of a named query, and what it means for one event ([Query.Match]). It does no I/O: an index finds events faster, and
// agrees with Match.
package query

import (
	"slices"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// Limits of a query. Each parameter is looked at for every event that comes into question.
const (
	// MaxParameters is more than the standard names without its extension fields.
	MaxParameters = 100
	// MaxValues of one parameter: the lots of a large recall, asked for at once.
	MaxValues = 1000
	// MaxValue is the longest value, in bytes: longer than any identifier the contract keeps.
	MaxValue = 2048
	// MaxBody is the longest query in JSON, in bytes.
	MaxBody = 1 << 20
	// MaxPerPage is the largest page: what an answer holds without paging a reader's patience.
	MaxPerPage = 1000
	// DefaultPerPage is that of the OpenAPI of the standard.
	DefaultPerPage = 30
)

// Query is a query: all of its criteria hold of an event that it finds. The zero Query finds every event. A Query is not changed once it
// was parsed; as JSON it is the standard's form (query-schema.json), which [ParseJSON] reads.
type Query struct {
	Criteria []Criterion
	// OrderBy is ByEventTime, ByRecordTime, or "" for no order: the order is that of ByRecordTime then.
	OrderBy   Order
	Ascending bool // else descending, which is the default of the standard
	// EventCountLimit cuts the answer after so many events, 0: does not. MaxEventCount makes more events than that an error
	// (QueryTooLargeException). One of them is 0.
	EventCountLimit, MaxEventCount int
	PerPage                        int // 0: not stated
	// Namespaces are the prefixes that the query declares.
	Namespaces []event.Namespace
}

// Order names what events are ordered by. Events with the same time are in the order of the ledger, reversed when the order is descending.
type Order string

// The orders. Event times count to the microsecond.
const (
	ByEventTime  Order = "eventTime"
	ByRecordTime Order = "recordTime" // which is the order of the ledger
)

// Op is how a criterion compares.
type Op string

// The comparisons, as the names of parameters begin.
const (
	EQ      Op = "EQ"      // equal to one of the values
	GT      Op = "GT"      // greater than the value
	GE      Op = "GE"      // greater or equal
	LT      Op = "LT"      // less
	LE      Op = "LE"      // less or equal
	WD      Op = "WD"      // one of the values, or within it ("with descendants")
	MATCH   Op = "MATCH"   // one of the values, or of the pattern that a value is
	EXISTS  Op = "EXISTS"  // there is such a field
	HASATTR Op = "HASATTR" // the master data of the field's value has one of the named attributes
	EQATTR  Op = "EQATTR"  // the attribute Attr there has one of the values
)

// Criterion is one parameter.
type Criterion struct {
	Name  string // as it was given
	Op    Op
	Field string // what follows the operator: "eventTime", "bizTransaction", "value"; "" for an extension field
	Type  string // T of EQ_bizTransaction_T, EQ_source_T and EQ_destination_T, as a bare word
	UOM   string // of EQ_value_UOM and the like: UN/CEFACT Rec. 20
	Attr  string // of EQATTR
	Ext   *Extension
	// Values are combined with OR. There is none for EXISTS.
	Values []Value
}

// Extension names a member outside of the standard.
type Extension struct {
	Part      Part
	Inner     bool   // nested in another such member, at any depth
	Name      string // as given: prefix:local, or namespace#local as EPCIS 1 had it
	Namespace string // "" when the prefix is not declared: then the name is compared as it is written
	Local     string
}

// Part is where an extension field stands.
type Part string

// The parts, as they stand in the names of parameters.
const (
	InEvent            Part = ""
	InILMD             Part = "ILMD"
	InErrorDeclaration Part = "ERROR_DECLARATION"
	InSensorElement    Part = "SENSORELEMENT"
	InSensorMetadata   Part = "SENSORMETADATA"
	InSensorReport     Part = "SENSORREPORT"
	InReadPoint        Part = "readPoint"
	InBizLocation      Part = "bizLocation"
)

// Value is one value of a criterion, in the forms in which it is compared.
type Value struct {
	Text   string        // as given
	Key    string        // identifiers and words in their canonical form, else Text
	Number event.Decimal // stated if it is a number
	Time   event.Time    // stated if it is a time
	plain  bool          // a number or boolean in JSON
	pattern
}

// Code names a kind of problem for machines.
type Code string

// The problems of parameters.
const (
	UnknownParameter Code = "UNKNOWN_PARAMETER"
	WrongValue       Code = "VALUE"
	TooMany          Code = "TOO_MANY" // parameters or values, or too long
	Conflict         Code = "CONFLICT" // parameters that exclude or need each other
)

// Problem says what is wrong with a parameter. All are QueryParameterException of the standard.
type Problem struct {
	Parameter string `json:"parameter"` // "" for the query as a whole
	Code      Code   `json:"code"`
	Message   string `json:"message"` // a sentence
}

// With adds a parameter, given as in a query string but value by value: what the path of a sub-resource fixes. The query itself is not changed.
func (q Query) With(name string, values ...string) (Query, []Problem) {
	p := parser{q: q}
	p.q.Criteria = slices.Clone(q.Criteria)
	p.parameter(name, given{texts: values})
	return p.q, p.problems
}

// PageSize is how many events a page holds.
func (q *Query) PageSize() int {
	if q.PerPage == 0 {
		return DefaultPerPage
	}
	return min(q.PerPage, MaxPerPage)
}

// Find returns the criteria of an operator and field.
func (q *Query) Find(op Op, field string) (found []*Criterion) {
	for i := range q.Criteria {
		if c := &q.Criteria[i]; c.Op == op && c.Field == field && c.Ext == nil {
			found = append(found, c)
		}
	}
	return found
}
