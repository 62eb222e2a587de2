package trace

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Run answers a query (docs/rules.md, section 3). The answer depends on what the events say, not on the order in which
// they were recorded, events at the very same time excepted. Errors: ErrUnknownItem, ErrDirection, the graph's own.
func Run(ctx context.Context, g Graph, q Query) (*Result, error) {
	if !slices.Contains([]Direction{Back, Forward, Both}, q.Direction) {
		return nil, fmt.Errorf("%w: %q", ErrDirection, q.Direction)
	}
	q.MaxItems = cmp.Or(q.MaxItems, DefaultMaxItems)
	q.MaxDepth = cmp.Or(q.MaxDepth, DefaultMaxDepth)
	ids, err := g.ItemIDs(ctx, []string{q.Item})
	if err != nil {
		return nil, err
	}
	if ids[0] == 0 {
		return nil, fmt.Errorf("%w: %s", ErrUnknownItem, q.Item)
	}
	r := &Result{Query: q}
	var a answer
	for _, d := range []Direction{Back, Forward} {
		if q.Direction != d && q.Direction != Both {
			continue
		}
		w := &walk{finds: &a.finds, g: g, back: d == Back, limits: q.Limits}
		if err := w.run(ctx, ids[0]); err != nil {
			return nil, err
		}
		a.add(w)
		r.Truncated = r.Truncated || w.truncated
		r.NotFollowed += w.notFollowed
	}
	if err := a.name(ctx, g); err != nil {
		return nil, err
	}
	r.Nodes, r.Links = a.nodes, a.links()
	r.Events = inOrder(slices.Concat(a.events.parts()...))
	return r, nil
}
