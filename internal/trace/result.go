package trace

import "errors"

// ErrUnknownItem: no accepted record names the item.
var ErrUnknownItem = errors.New("trace: nothing names this item")

// ErrDirection: the direction of a query is none of Back, Forward, Both.
var ErrDirection = errors.New("trace: unknown direction")

// Direction of a trace.
type Direction string

const (
	Back    Direction = "back"
	Forward Direction = "forward"
	Both    Direction = "both"
)

// Limits cut a trace breadth first. Zero means the default.
type Limits struct {
	MaxItems int // items of the answer, in each direction
	MaxDepth int // links from the item asked about
}

// Query asks for a trace.
type Query struct {
	Item      string // canonical key
	Direction Direction
	Limits
}

// Default limits of one trace, because a lot of a big mill reaches a whole country.
const (
	DefaultMaxItems = 200_000
	DefaultMaxDepth = 200
)

// Node is an item of the answer.
type Node struct {
	ID    ItemID
	Key   string
	Depth int // links from the item asked about; negative for back
	// Carrier: it is in the answer because it carried another item, not for what it is.
	Carrier bool
	// From and Until bound the event times that concern the trace (microseconds; math.MinInt64, math.MaxInt64: open).
	From, Until int64
}

// LinkKind says why one item leads to another.
type LinkKind string

const (
	Made   LinkKind = "made"
	Inside LinkKind = "inside"
	Member LinkKind = "member"
)

// Link leads from what was there before (input, child, lot) to what came of it (output, parent, instance).
type Link struct {
	Kind     LinkKind
	From, To ItemID
	Events   []EventID // that prove it
}

// Result is the answer to a Query.
type Result struct {
	Query  Query
	Nodes  []Node    // the item asked about first, then by |depth|, then key
	Links  []Link    // between nodes, each once, in the order of the nodes they lead from, then to
	Events []EventID // of all nodes, in order of event time
	// Truncated: a limit cut the answer. NotFollowed counts the known items that were left out.
	Truncated   bool
	NotFollowed int
}

// Holding is how much of an item is where (docs/rules.md, section 4).
type Holding struct {
	Item     string  `json:"item"`
	Site     string  `json:"site"`              // canonical URI of the site, or of the destination while in transit
	Party    string  `json:"party,omitzero"`    // owning or possessing party, where stated
	Member   string  `json:"member,omitzero"`   // MSP ID of the site's owner, where registered
	Quantity string  `json:"quantity,omitzero"` // exact decimal; absent: not stated
	UOM      string  `json:"uom,omitzero"`
	State    string  `json:"state"` // held, in_transit
	Since    int64   `json:"since"` // event time, microseconds
	Event    EventID `json:"-"`
}

// Fate is how a quantity left the chain.
type Fate string

const (
	Sold      Fate = "sold"
	Consumed  Fate = "consumed" // made into something else
	Destroyed Fate = "destroyed"
)

// Outflow is how much of an item left the chain, per unit.
type Outflow struct {
	Item     string `json:"item"`
	Fate     Fate   `json:"fate"`
	Quantity string `json:"quantity,omitzero"` // exact decimal: the sum of what was stated; absent: none was
	UOM      string `json:"uom,omitzero"`
	// Unstated counts the events that took away an amount that they did not state.
	Unstated int `json:"unstated,omitzero"`
}

// ScopeResult is the answer to who holds an item and what came of it (docs/rules.md, section 4).
type ScopeResult struct {
	Item     string
	Items    int       // of the forward trace
	Holdings []Holding // by item, site, state, unit
	Outflows []Outflow // by item, fate, unit
	Events   []EventID // that prove it, in order of event time
	// Truncated: a limit cut the forward trace. NotFollowed counts the known items that were left out.
	Truncated   bool
	NotFollowed int
}
