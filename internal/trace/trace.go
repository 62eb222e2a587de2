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
	a := answer{nodes: map[ItemID]Node{}}
	for _, d := range []Direction{Back, Forward} {
		if q.Direction != d && q.Direction != Both {
			continue
		}
		w := &walk{g: g, back: d == Back, limits: q.Limits}
		if err := w.run(ctx, ids[0]); err != nil {
			return nil, err
		}
		a.add(w)
		r.Truncated = r.Truncated || w.truncated
		r.NotFollowed += w.notFollowed
	}
	if r.Nodes, err = a.sortedNodes(ctx, g); err != nil {
		return nil, err
	}
	r.Links = a.links(r.Nodes)
	r.Events = inOrder(a.events)
	return r, nil
}

// answer gathers what the walks of a query found.
type answer struct {
	nodes  map[ItemID]Node
	proofs []proof
	events []moment
}

func (a *answer) add(w *walk) {
	for item, l := range w.labels {
		n := l.node(item, w.back)
		if have, ok := a.nodes[item]; ok {
			n = have.union(n)
		}
		a.nodes[item] = n
	}
	a.proofs = append(a.proofs, w.proofs...)
	a.events = append(a.events, w.events...)
}

func (l *label) node(item ItemID, back bool) Node {
	depth := l.depth
	if back {
		depth = -depth
	}
	all := spans(slices.Collect(l.times(back))).hull()
	return Node{ID: item, Depth: depth, Carrier: len(l.reached) == 0, From: all.from, Until: all.until}
}

// union merges what back and forward say of one item; of two equal depths it keeps n's.
func (n Node) union(o Node) Node {
	if max(o.Depth, -o.Depth) < max(n.Depth, -n.Depth) {
		n.Depth = o.Depth
	}
	n.Carrier = n.Carrier && o.Carrier
	n.From, n.Until = min(n.From, o.From), max(n.Until, o.Until)
	return n
}

func (a *answer) sortedNodes(ctx context.Context, g Graph) ([]Node, error) {
	ids := make([]ItemID, 0, len(a.nodes))
	for id := range a.nodes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	keys, err := g.ItemKeys(ctx, ids)
	if err != nil {
		return nil, err
	}
	nodes := make([]Node, len(ids))
	for i, id := range ids {
		nodes[i] = a.nodes[id]
		nodes[i].Key = keys[i]
	}
	slices.SortFunc(nodes, func(a, b Node) int {
		return cmp.Or(cmp.Compare(max(a.Depth, -a.Depth), max(b.Depth, -b.Depth)), cmp.Compare(a.Key, b.Key))
	})
	return nodes, nil
}

// links makes links of the proofs, those to items that a limit left out excepted.
func (a *answer) links(nodes []Node) []Link {
	rank := make(map[ItemID]int, len(nodes))
	for i, n := range nodes {
		rank[n.ID] = i
	}
	type ranked struct {
		link  struct{ from, to int }
		kind  LinkKind
		event EventID
	}
	proofs := make([]ranked, 0, len(a.proofs))
	for _, p := range a.proofs {
		from, ok := rank[p.from]
		to, ok2 := rank[p.to]
		if ok && ok2 {
			proofs = append(proofs, ranked{struct{ from, to int }{from, to}, p.kind, p.event})
		}
	}
	slices.SortFunc(proofs, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.link.from, b.link.from), cmp.Compare(a.link.to, b.link.to), cmp.Compare(a.kind, b.kind), cmp.Compare(a.event, b.event))
	})
	proofs = slices.Compact(proofs)
	events := make([]EventID, len(proofs)) // one array for all links
	var links []Link
	start := 0
	for i, p := range proofs {
		events[i] = p.event
		if i == 0 || p.link != proofs[i-1].link || p.kind != proofs[i-1].kind {
			start = i
			links = append(links, Link{Kind: p.kind, From: nodes[p.link.from].ID, To: nodes[p.link.to].ID})
		}
		links[len(links)-1].Events = events[start : i+1 : i+1]
	}
	return links
}
