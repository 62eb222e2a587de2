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
		w := &walk{g: g, back: d == Back, limits: q.Limits}
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
	r.Nodes, r.Links = a.nodes, a.links(a.nodes)
	r.Events = inOrder(a.events)
	return r, nil
}

// answer gathers what the walks of a query found.
type answer struct {
	nodes  []Node
	proofs []proof
	events []moment
}

func (a *answer) add(w *walk) {
	nodes := make([]Node, 0, len(a.nodes)+len(w.labels))
	for _, n := range a.nodes { // of the other direction
		if l := w.labels[n.ID]; l != nil {
			n = n.union(l.node(n.ID, w.back))
			delete(w.labels, n.ID)
		}
		nodes = append(nodes, n)
	}
	for _, item := range w.order {
		if l := w.labels[item]; l != nil {
			nodes = append(nodes, l.node(item, w.back))
		}
	}
	a.nodes = nodes
	a.proofs, a.events = w.proofs.appendTo(a.proofs), w.events.appendTo(a.events)
}

func (l *label) node(item ItemID, back bool) Node {
	depth := l.depth
	if back {
		depth = -depth
	}
	all, ok := l.self(back)
	if !ok {
		all = l.carried.hull()
	} else if len(l.carried) > 0 {
		all = all.hull(l.carried.hull())
	}
	return Node{ID: item, Depth: depth, Carrier: !ok, From: all.from, Until: all.until}
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

// name gives the nodes their keys and puts them in order.
func (a *answer) name(ctx context.Context, g Graph) error {
	ids := make([]ItemID, len(a.nodes))
	for i, n := range a.nodes {
		ids[i] = n.ID
	}
	keys, err := g.ItemKeys(ctx, ids)
	if err != nil {
		return err
	}
	for i, key := range keys {
		a.nodes[i].Key = key
	}
	slices.SortFunc(a.nodes, func(a, b Node) int {
		if c := cmp.Compare(max(a.Depth, -a.Depth), max(b.Depth, -b.Depth)); c != 0 {
			return c
		}
		return cmp.Compare(a.Key, b.Key)
	})
	return nil
}

// links makes links of the proofs, those to items that a limit left out excepted.
func (a *answer) links(nodes []Node) []Link {
	rank := make(map[ItemID]uint32, len(nodes))
	for i, n := range nodes {
		rank[n.ID] = uint32(i)
	}
	type ranked struct {
		link  uint64 // ranks of from and to
		event EventID
		kind  linkKind
	}
	proofs := make([]ranked, 0, len(a.proofs))
	for _, p := range a.proofs {
		from, ok := rank[p.from]
		to, ok2 := rank[p.to]
		if ok && ok2 {
			proofs = append(proofs, ranked{uint64(from)<<32 | uint64(to), p.event, p.kind})
		}
	}
	slices.SortFunc(proofs, func(a, b ranked) int {
		if c := cmp.Compare(a.link, b.link); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.event, b.event))
	})
	proofs = slices.Compact(proofs)
	events := make([]EventID, len(proofs)) // one array for all links
	links := make([]Link, 0, len(proofs))
	start := 0
	for i, p := range proofs {
		events[i] = p.event
		if i == 0 || p.link != proofs[i-1].link || p.kind != proofs[i-1].kind {
			start = i
			links = append(links, Link{Kind: linkKinds[p.kind], From: nodes[p.link>>32].ID, To: nodes[uint32(p.link)].ID})
		}
		links[len(links)-1].Events = events[start : i+1 : i+1]
	}
	return links
}
