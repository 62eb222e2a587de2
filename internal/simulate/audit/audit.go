// Package audit is a second reading of docs/rules.md: a plain model in memory that is told what the ledger accepted and
// says what every trace, scope and hold has to be. It is slow and simple on purpose and shares no code with the contract,
// the index or the trace.
package audit

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// slack, in microseconds (section 3).
const slack = int64(24 * time.Hour / time.Microsecond)

// Open ends of time.
const (
	ever = int64(math.MaxInt64)
	past = int64(math.MinInt64)
)

// Auditor knows the accepted records, in ledger order. It is for one goroutine.
type Auditor struct {
	events  []*entry
	known   map[string]bool      // IDs of events
	void    map[string]bool      // IDs of events that a declaration voids
	naming  map[string][]*entry  // item → the events that name it
	process map[string][]*entry  // process → its events
	lots    map[string][]string  // instance → lots
	members map[string][]*member // lot → instances
	holds   map[string]*hold
	books   *Books // as of the last event, nil: not made yet
}

type member struct {
	instance string
	by       *entry
}

type hold struct {
	contract.Hold
	item     string
	released bool
}

// entry is an accepted event as section 1 reads it.
type entry struct {
	id      string
	seq     int
	event   *event.Event
	time    int64 // microseconds
	uses    []use
	process string // Transformation only
}

type role int

const (
	object role = iota
	parent
	child
	input
	output
)

// use is what an event says of one item.
type use struct {
	item    string
	kind    kind
	role    role
	amount  event.Decimal
	unit    string
	unknown bool // a quantity element that states no quantity
}

// kind of an item.
type kind int

const (
	class kind = iota // without a lot: connects nothing
	aLot
	thing // a serialised instance or a logistic unit
)

// New is an auditor who knows nothing.
func New() *Auditor {
	return &Auditor{
		known: map[string]bool{}, void: map[string]bool{}, naming: map[string][]*entry{}, process: map[string][]*entry{},
		lots: map[string][]string{}, members: map[string][]*member{}, holds: map[string]*hold{},
	}
}

// Add tells the auditor a record that is on the ledger, with its outcome; records that were not accepted change nothing.
func (a *Auditor) Add(r contract.Record, out contract.Outcome) {
	if out.Status != contract.Accepted {
		return
	}
	switch {
	case r.Event != nil:
		a.addEvent(r.Event, out.ID)
	case r.Hold != nil:
		a.holds[out.ID] = &hold{Hold: *r.Hold, item: canonical(r.Hold.Item)}
	case r.Release != nil:
		if h := a.holds[r.Release.Hold]; h != nil {
			h.released = true
		}
	}
}

func (a *Auditor) addEvent(e *event.Event, id string) {
	a.books = nil
	if e.ErrorDeclaration != nil {
		a.void[id] = true
	}
	if a.known[id] {
		return // a declaration has the content of the event it voids
	}
	a.known[id] = true
	n := &entry{id: id, seq: len(a.events), event: e, time: e.Time.UnixMicro(), uses: read(e)}
	a.events = append(a.events, n)
	named := map[string]bool{}
	for _, u := range n.uses {
		if !named[u.item] {
			named[u.item] = true
			a.naming[u.item] = append(a.naming[u.item], n)
		}
	}
	if e.Type == event.Transformation {
		n.process = canonical(e.TransformationID)
		if n.process == "" {
			n.process = "the process of event " + id
		}
		a.process[n.process] = append(a.process[n.process], n)
	}
	a.addMembers(n)
}

// addMembers: an instance whose commissioning event states a lotNumber is a member of that lot.
func (a *Auditor) addMembers(n *entry) {
	number := lotNumber(n.event)
	if n.event.Type != event.Object || n.event.Action != event.Add || number == "" {
		return
	}
	for _, u := range n.uses {
		id, _ := gs1.Parse(u.item)
		if id.Kind != gs1.Instance {
			continue
		}
		lot := canonical(gs1.LotKey(id.GTIN, number))
		a.lots[u.item] = append(a.lots[u.item], lot)
		a.members[lot] = append(a.members[lot], &member{u.item, n})
	}
}

// read takes the what-dimensions apart.
func read(e *event.Event) (uses []use) {
	number := lotNumber(e)
	things := func(r role, list ...string) {
		for _, uri := range list {
			uses = append(uses, use{item: canonical(uri), kind: kindOf(uri, thing), role: r, amount: event.Int(1)})
		}
	}
	amounts := func(r role, list []event.Quantity, described bool) {
		for _, q := range list {
			u := use{item: canonical(q.EPCClass), kind: kindOf(q.EPCClass, aLot), role: r, amount: q.Quantity, unit: q.UOM, unknown: !q.Quantity.Stated}
			if u.kind == class && described && number != "" { // a class becomes a lot when the ILMD says which
				id, _ := gs1.Parse(q.EPCClass)
				u.item, u.kind = canonical(gs1.LotKey(id.GTIN, number)), aLot
			}
			uses = append(uses, u)
		}
	}
	if e.ParentID != "" {
		things(parent, e.ParentID)
	}
	things(object, e.EPCs...)
	amounts(object, e.Quantities, true)
	things(child, e.ChildEPCs...)
	amounts(child, e.ChildQuantities, false)
	things(input, e.InputEPCs...)
	amounts(input, e.InputQuantities, false)
	things(output, e.OutputEPCs...)
	amounts(output, e.OutputQuantities, true)
	return uses
}

// canonical is the key of an item.
func canonical(uri string) string {
	key, _ := gs1.Canonical(uri)
	return key
}

// kindOf tells classes and lots by their GS1 key; any other URI is what its list says.
func kindOf(uri string, listed kind) kind {
	switch id, _ := gs1.Parse(uri); id.Kind {
	case gs1.Class:
		return class
	case gs1.Lot:
		return aLot
	case gs1.Instance, gs1.LogisticUnit:
		return thing
	}
	return listed
}

// lotNumber is what the ILMD states, under whatever prefix.
func lotNumber(e *event.Event) string {
	if len(e.ILMD) == 0 {
		return ""
	}
	var all map[string]any
	if json.Unmarshal(e.ILMD, &all) != nil {
		return ""
	}
	for name, value := range all {
		if text, ok := value.(string); ok && name[strings.LastIndexAny(name, ":#/")+1:] == "lotNumber" {
			return text
		}
	}
	return ""
}

// of are the events that name an item and count, in order of event time.
func (a *Auditor) of(item string) []*entry { return a.counting(a.naming[item]) }

// counting leaves out void events and sorts by event time, record order for equal times.
func (a *Auditor) counting(list []*entry) []*entry {
	kept := slices.DeleteFunc(slices.Clone(list), func(n *entry) bool { return a.void[n.id] })
	slices.SortFunc(kept, func(x, y *entry) int { return cmp.Or(cmp.Compare(x.time, y.time), cmp.Compare(x.seq, y.seq)) })
	return kept
}

// has says whether an event names an item in a role as something that connects.
func (n *entry) has(item string, r role) bool {
	return slices.ContainsFunc(n.uses, func(u use) bool { return u.item == item && u.role == r && u.kind != class })
}

// in are the items of an event in a role that connect.
func (n *entry) in(r role) (items []string) {
	for _, u := range n.uses {
		if u.role == r && u.kind != class {
			items = append(items, u.item)
		}
	}
	return items
}

// Items are the keys of everything that the events name, sorted.
func (a *Auditor) Items() []string {
	var items []string
	for item := range a.naming {
		items = append(items, item)
	}
	slices.Sort(items)
	return items
}
