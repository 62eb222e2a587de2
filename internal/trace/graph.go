// Package trace answers where an item came from, what it went into, and who holds what came of it. It walks a graph
// of items and processes breadth first, as docs/rules.md sections 2 to 4 say.
package trace

import (
	"context"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// ItemID, EventID and ProcessID are numbers that one Graph gives to items, events and processes. Those of items and events
// are positive and without large gaps: a trace keeps what it knows of them in arrays.
type (
	ItemID    int64
	EventID   int64
	ProcessID int64
)

// Role of an item in an event (docs/rules.md, section 1).
type Role uint8

const (
	RoleObject Role = iota + 1
	RoleParent
	RoleChild
	RoleInput
	RoleOutput
)

// Use is one item's part in one event that is not void.
type Use struct {
	Item    ItemID
	Event   EventID
	Process ProcessID // of inputs and outputs, else 0
	Role    Role
	Time    int64 // event time, microseconds since 1970 UTC
}

// Containment is a statement that a child was put into, seen in, or taken out of a parent, in an event that is not void.
type Containment struct {
	Parent, Child ItemID // Child 0: all children (a DELETE that lists none)
	Event         EventID
	Action        byte // 'A' ADD, 'O' OBSERVE, 'D' DELETE
	Time          int64
}

// Membership is an instance of a lot, from an event that is not void.
type Membership struct {
	Instance, Lot ItemID
	Event         EventID
}

// Graph is what a trace reads. Every method takes many distinct items at once, in any number; the order of the answer is
// by item (child for Carriers), then time, then event, unless said otherwise. EventIDs ascend in record order.
type Graph interface {
	// ItemIDs returns the number of each key, 0 where nothing names it.
	ItemIDs(ctx context.Context, keys []string) ([]ItemID, error)
	// ItemKeys returns the key of each number.
	ItemKeys(ctx context.Context, ids []ItemID) ([]string, error)
	// Uses returns what the items did, void events left out.
	Uses(ctx context.Context, items []ItemID) ([]Use, error)
	// Partners returns the inputs and outputs of the processes, by process, then time, then event, then item. Classes
	// without a lot are left out: they connect nothing.
	Partners(ctx context.Context, processes []ProcessID) ([]Use, error)
	// Contents returns the statements about what was in the parents; Carriers about what the children were in, including
	// the parents' DELETEs of all children.
	Contents(ctx context.Context, parents []ItemID) ([]Containment, error)
	Carriers(ctx context.Context, children []ItemID) ([]Containment, error)
	// Instances returns the instances of the lots; Lots the lots of the instances.
	Instances(ctx context.Context, lots []ItemID) ([]Membership, error)
	Lots(ctx context.Context, instances []ItemID) ([]Membership, error)
}

// Streamer is a Graph that may hand over rows one by one, so that a large trace makes no lists of them: those of each item
// or process together, in the order asked for, but in any order among themselves. Its methods report false, and hand over
// nothing, while it can only answer with lists. f must not ask the graph.
type Streamer interface {
	StreamUses(items []ItemID, f func(Use)) bool
	StreamPartners(processes []ProcessID, f func(Use)) bool
}

func eachUse(ctx context.Context, g Graph, items []ItemID, f func(Use)) error {
	if s, ok := g.(Streamer); ok && s.StreamUses(items, f) {
		return nil
	}
	uses, err := g.Uses(ctx, items)
	for _, u := range uses {
		f(u)
	}
	return err
}

func eachPartner(ctx context.Context, g Graph, processes []ProcessID, f func(Use)) error {
	if s, ok := g.(Streamer); ok && s.StreamPartners(processes, f) {
		return nil
	}
	partners, err := g.Partners(ctx, processes)
	for _, u := range partners {
		f(u)
	}
	return err
}

// EventReader is what a scope reads besides the graph.
type EventReader interface {
	// EventBodies returns the events with these numbers, in the order given.
	EventBodies(ctx context.Context, ids []EventID) ([]*event.Event, error)
	// SiteOwners returns the MSP ID of each site's owner, "" where nobody registered it. Sites are canonical URIs.
	SiteOwners(ctx context.Context, sites []string) ([]string, error)
}
