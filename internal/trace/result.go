package trace

// Direction of a trace.
type Direction string

const (
	Back    Direction = "back"
	Forward Direction = "forward"
	Both    Direction = "both"
)

// Query asks for a trace. Zero limits mean the defaults.
type Query struct {
	Item      string // canonical key
	Direction Direction
	MaxItems  int
	MaxDepth  int
}

// Limits of one trace, because a lot of a big mill reaches a whole country.
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
	Links  []Link    // between nodes, each once
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
