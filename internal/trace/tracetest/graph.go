// Package tracetest has a graph in memory and a short notation for events, for tests of traces and of read models.
package tracetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// Graph is a trace.Graph and trace.EventReader over events in memory. It scans all of them for every answer.
type Graph struct {
	Owners map[string]string // site → MSP ID

	events       []*event.Event // by EventID-1
	ids          map[string]trace.ItemID
	keys         []string // by ItemID-1
	processes    map[string]trace.ProcessID
	uses         []trace.Use
	containments []trace.Containment
	memberships  []trace.Membership
}

// New makes a graph of events in record order.
func New(events ...*event.Event) *Graph {
	g := &Graph{ids: map[string]trace.ItemID{}, processes: map[string]trace.ProcessID{}, Owners: map[string]string{}}
	for _, e := range events {
		g.add(e)
	}
	return g
}

func (g *Graph) id(key string) trace.ItemID {
	if g.ids[key] == 0 {
		g.keys = append(g.keys, key)
		g.ids[key] = trace.ItemID(len(g.keys))
	}
	return g.ids[key]
}

func (g *Graph) process(e *event.Event, no trace.EventID) trace.ProcessID {
	if e.Type != event.Transformation {
		return 0
	}
	name, _ := gs1.Canonical(e.TransformationID)
	if name == "" {
		name = fmt.Sprintf("event %d", no)
	}
	if g.processes[name] == 0 {
		g.processes[name] = trace.ProcessID(len(g.processes) + 1)
	}
	return g.processes[name]
}

// add notes an event; an error declaration is void from the start and voids the event it repeats.
func (g *Graph) add(e *event.Event) {
	if e.ErrorDeclaration != nil {
		for i, have := range g.events {
			if have.Hash() == e.Hash() {
				g.void(trace.EventID(i + 1))
			}
		}
		return
	}
	g.events = append(g.events, e)
	no, time := trace.EventID(len(g.events)), e.Time.UnixMicro()
	var parent trace.ItemID
	var children []trace.ItemID
	for _, it := range e.Items() {
		use := trace.Use{Item: g.id(it.Key), Event: no, Role: trace.Role(it.Role) + trace.RoleObject, Time: time}
		if it.Kind != gs1.Class {
			switch it.Role {
			case event.RoleInput, event.RoleOutput:
				use.Process = g.process(e, no)
			case event.RoleParent:
				parent = use.Item
			case event.RoleChild:
				children = append(children, use.Item)
			}
		}
		if !slices.Contains(g.uses, use) {
			g.uses = append(g.uses, use)
		}
	}
	if parent != 0 && (e.Type == event.Aggregation || e.Type == event.Association) {
		if e.Action == event.Delete && len(e.ChildEPCs)+len(e.ChildQuantities) == 0 {
			children = []trace.ItemID{0}
		}
		for _, child := range children {
			c := trace.Containment{Parent: parent, Child: child, Event: no, Action: e.Action[0], Time: time}
			if !slices.Contains(g.containments, c) {
				g.containments = append(g.containments, c)
			}
		}
	}
	for _, m := range e.Memberships() {
		g.memberships = append(g.memberships, trace.Membership{Instance: g.id(m.Instance), Lot: g.id(m.Lot), Event: no})
	}
}

func (g *Graph) void(no trace.EventID) {
	g.uses = slices.DeleteFunc(g.uses, func(u trace.Use) bool { return u.Event == no })
	g.containments = slices.DeleteFunc(g.containments, func(c trace.Containment) bool { return c.Event == no })
	g.memberships = slices.DeleteFunc(g.memberships, func(m trace.Membership) bool { return m.Event == no })
}

// ItemIDs implements trace.Graph.
func (g *Graph) ItemIDs(_ context.Context, keys []string) ([]trace.ItemID, error) {
	ids := make([]trace.ItemID, len(keys))
	for i, key := range keys {
		ids[i] = g.ids[key]
	}
	return ids, nil
}

// ItemKeys implements trace.Graph.
func (g *Graph) ItemKeys(_ context.Context, ids []trace.ItemID) ([]string, error) {
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = g.keys[id-1]
	}
	return keys, nil
}

// pick returns the rows of which the key is among the wanted ones, in order of key, time, event, then item.
func pick[T any, K cmp.Ordered](rows []T, wanted []K, key func(T) K, order func(T) (time int64, event trace.EventID, item trace.ItemID)) ([]T, error) {
	var out []T
	for _, row := range rows {
		if slices.Contains(wanted, key(row)) {
			out = append(out, row)
		}
	}
	slices.SortStableFunc(out, func(a, b T) int {
		at, ae, ai := order(a)
		bt, be, bi := order(b)
		return cmp.Or(cmp.Compare(key(a), key(b)), cmp.Compare(at, bt), cmp.Compare(ae, be), cmp.Compare(ai, bi))
	})
	return out, nil
}

func useOrder(u trace.Use) (int64, trace.EventID, trace.ItemID) { return u.Time, u.Event, u.Item }

func containmentOrder(c trace.Containment) (int64, trace.EventID, trace.ItemID) {
	return c.Time, c.Event, c.Child
}

// Uses implements trace.Graph.
func (g *Graph) Uses(_ context.Context, items []trace.ItemID) ([]trace.Use, error) {
	return pick(g.uses, items, func(u trace.Use) trace.ItemID { return u.Item }, useOrder)
}

// Partners implements trace.Graph.
func (g *Graph) Partners(_ context.Context, processes []trace.ProcessID) ([]trace.Use, error) {
	return pick(g.uses, processes, func(u trace.Use) trace.ProcessID { return u.Process }, useOrder)
}

// Contents implements trace.Graph.
func (g *Graph) Contents(_ context.Context, parents []trace.ItemID) ([]trace.Containment, error) {
	return pick(g.containments, parents, func(c trace.Containment) trace.ItemID { return c.Parent }, containmentOrder)
}

// Carriers implements trace.Graph.
func (g *Graph) Carriers(_ context.Context, children []trace.ItemID) ([]trace.Containment, error) {
	out, _ := pick(g.containments, children, func(c trace.Containment) trace.ItemID { return c.Child }, containmentOrder)
	for _, c := range g.containments {
		if c.Child == 0 && slices.ContainsFunc(out, func(o trace.Containment) bool { return o.Parent == c.Parent }) {
			out = append(out, c)
		}
	}
	return out, nil
}

func memberOrder(m trace.Membership) (int64, trace.EventID, trace.ItemID) {
	return 0, m.Event, m.Instance
}

// Instances implements trace.Graph.
func (g *Graph) Instances(_ context.Context, lots []trace.ItemID) ([]trace.Membership, error) {
	return pick(g.memberships, lots, func(m trace.Membership) trace.ItemID { return m.Lot }, memberOrder)
}

// Lots implements trace.Graph.
func (g *Graph) Lots(_ context.Context, instances []trace.ItemID) ([]trace.Membership, error) {
	return pick(g.memberships, instances, func(m trace.Membership) trace.ItemID { return m.Instance }, memberOrder)
}

// EventBodies implements trace.EventReader.
func (g *Graph) EventBodies(_ context.Context, ids []trace.EventID) ([]*event.Event, error) {
	events := make([]*event.Event, len(ids))
	for i, id := range ids {
		events[i] = g.events[id-1]
	}
	return events, nil
}

// SiteOwners implements trace.EventReader.
func (g *Graph) SiteOwners(_ context.Context, sites []string) ([]string, error) {
	owners := make([]string, len(sites))
	for i, site := range sites {
		owners[i] = g.Owners[site]
	}
	return owners, nil
}
