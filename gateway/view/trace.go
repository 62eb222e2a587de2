package view

import (
	"context"
	"iter"
	"slices"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// eventChunk is how many events are read at once.
const eventChunk = 500

// Trace is a trace as far as the view shows it.
type Trace struct {
	*trace.Result
	// Hidden is how many items the trace has beyond what this view shows.
	Hidden int
}

// maxPublicItems bounds a trace that nobody signed in for: what a person can read, several times over.
const maxPublicItems = 5000

// Trace follows an item. The public sees where it came from. A member also sees, of what came of it, the items that it
// handled itself and those one link away; a regulator sees all. Errors: ErrForbidden, those of trace.Run.
func (v *View) Trace(ctx context.Context, q trace.Query) (Trace, error) {
	if v.who.Public() && q.Direction != trace.Back {
		return Trace{}, ErrForbidden
	}
	if v.who.Public() && (q.MaxItems == 0 || q.MaxItems > maxPublicItems) {
		q.MaxItems = maxPublicItems
	}
	result, err := trace.Run(ctx, v.src.index, q)
	if err != nil || v.all() || q.Direction == trace.Back {
		return Trace{Result: result}, err
	}
	return v.oneStep(ctx, result)
}

// oneStep leaves those items downstream that the member handled, and their neighbours.
func (v *View) oneStep(ctx context.Context, r *trace.Result) (Trace, error) {
	uses, err := v.src.index.Uses(ctx, nodeIDs(r.Nodes))
	if err != nil {
		return Trace{}, err
	}
	mine, err := v.ownEvents(ctx, r.Events)
	if err != nil {
		return Trace{}, err
	}
	own, keep := map[trace.ItemID]bool{}, map[trace.ItemID]bool{r.Nodes[0].ID: true}
	for _, u := range uses {
		if mine[u.Event] {
			own[u.Item], keep[u.Item] = true, true
		}
	}
	for _, l := range r.Links {
		if own[l.From] || own[l.To] {
			keep[l.From], keep[l.To] = true, true
		}
	}
	for _, n := range r.Nodes {
		if n.Depth < 0 { // where it came from is public
			keep[n.ID] = true
		}
	}
	return cut(r, uses, keep), nil
}

func cut(r *trace.Result, uses []trace.Use, keep map[trace.ItemID]bool) Trace {
	shown := *r
	shown.Nodes = slices.DeleteFunc(slices.Clone(r.Nodes), func(n trace.Node) bool { return !keep[n.ID] })
	shown.Links = slices.DeleteFunc(slices.Clone(r.Links), func(l trace.Link) bool { return !keep[l.From] || !keep[l.To] })
	named := map[trace.EventID]bool{}
	for _, u := range uses {
		named[u.Event] = named[u.Event] || keep[u.Item]
	}
	shown.Events = slices.DeleteFunc(slices.Clone(r.Events), func(e trace.EventID) bool { return !named[e] })
	return Trace{Result: &shown, Hidden: len(r.Nodes) - len(shown.Nodes)}
}

func (v *View) ownEvents(ctx context.Context, ids []trace.EventID) (map[trace.EventID]bool, error) {
	mine := map[trace.EventID]bool{}
	for chunk := range slices.Chunk(ids, eventChunk) {
		list, err := v.src.index.Events(ctx, chunk)
		if err != nil {
			return nil, err
		}
		own, err := v.own(ctx, list)
		if err != nil {
			return nil, err
		}
		for i, id := range chunk {
			mine[id] = own[i]
		}
	}
	return mine, nil
}

// Scope is a scope as far as the view shows it.
type Scope struct {
	*trace.ScopeResult
	// Hidden is how many holdings there are beyond what this view shows.
	Hidden int
}

// Scope says who holds an item and what came of it. A member sees what is at its own sites, and what an event of its own
// put elsewhere: one step. Errors: ErrForbidden for the public, those of trace.Scope.
func (v *View) Scope(ctx context.Context, item string, limits trace.Limits) (Scope, error) {
	if v.who.Public() {
		return Scope{}, ErrForbidden
	}
	r, err := trace.Scope(ctx, v.src.index, v.src.index, item, limits)
	if err != nil || v.all() {
		return Scope{ScopeResult: r}, err
	}
	ids := make([]trace.EventID, len(r.Holdings))
	for i, h := range r.Holdings {
		ids[i] = h.Event
	}
	mine, err := v.ownEvents(ctx, distinctEvents(ids))
	if err != nil {
		return Scope{}, err
	}
	shown := &trace.ScopeResult{Item: r.Item, Items: r.Items, Truncated: r.Truncated, NotFollowed: r.NotFollowed}
	var proofs []trace.EventID
	for _, h := range r.Holdings {
		if h.Member == v.who.Member || mine[h.Event] {
			shown.Holdings, proofs = append(shown.Holdings, h), append(proofs, h.Event)
		}
	}
	shown.Events = distinctEvents(proofs)
	return Scope{ScopeResult: shown, Hidden: len(r.Holdings) - len(shown.Holdings)}, nil
}

func distinctEvents(ids []trace.EventID) []trace.EventID {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// EventsOfTrace yields the events of a trace in order of event time, reading a part at a time.
func (v *View) EventsOfTrace(ctx context.Context, ids []trace.EventID) iter.Seq2[index.Event, error] {
	return func(yield func(index.Event, error) bool) {
		for chunk := range slices.Chunk(ids, eventChunk) {
			list, err := v.Events(ctx, chunk)
			if err != nil {
				yield(index.Event{}, err)
				return
			}
			for _, e := range list {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

func nodeIDs(nodes []trace.Node) []trace.ItemID {
	ids := make([]trace.ItemID, len(nodes))
	for i, n := range nodes {
		ids[i] = n.ID
	}
	return ids
}
