package trace

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// answer gathers what the walks of a query found.
type answer struct {
	finds
	nodes []Node
	rank  []uint32 // by our number: its place in nodes + 1
}

func (a *answer) add(w *walk) {
	a.rank = lengthen(a.rank, len(a.numbers.items))
	a.nodes = slices.Grow(a.nodes, len(w.order))
	for _, item := range w.order {
		n := w.labels[item].node(a.numbers.items[item], w.back)
		if at := a.rank[item]; at != 0 { // of the other direction
			a.nodes[at-1] = a.nodes[at-1].union(n)
			continue
		}
		a.nodes = append(a.nodes, n)
		a.rank[item] = uint32(len(a.nodes))
	}
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
	if o.distance() < n.distance() {
		n.Depth = o.Depth
	}
	n.Carrier = n.Carrier && o.Carrier
	n.From, n.Until = min(n.From, o.From), max(n.Until, o.Until)
	return n
}

func (n Node) distance() int { return max(n.Depth, -n.Depth) }

// name gives the nodes their keys and puts them in order.
func (a *answer) name(ctx context.Context, g Graph) error {
	ids := make([]ItemID, len(a.nodes))
	for i := range a.nodes {
		ids[i] = a.nodes[i].ID
	}
	keys, err := g.ItemKeys(ctx, ids)
	if err != nil {
		return err
	}
	for i, key := range keys {
		a.nodes[i].Key = key
	}
	// Each walk has found its nodes in order of distance.
	if byDistance := func(x, y Node) int { return cmp.Compare(x.distance(), y.distance()) }; !slices.IsSortedFunc(a.nodes, byDistance) {
		slices.SortStableFunc(a.nodes, byDistance)
	}
	for level := range chunkBy(a.nodes, func(n Node) int { return n.distance() }) {
		slices.SortFunc(level, func(x, y Node) int { return strings.Compare(x.Key, y.Key) })
	}
	for i := range a.nodes {
		a.rank[a.numbers.of(a.nodes[i].ID)] = uint32(i) + 1
	}
	return nil
}

// links makes links of the proofs, those to items that a limit left out excepted.
func (a *answer) links() []Link {
	type to struct {
		link  uint64 // rank, then kind
		event EventID
	}
	counts := make([]uint32, len(a.nodes)+1)
	kept := func(p proof) bool { return a.rank[p.from] != 0 && a.rank[p.to] != 0 }
	for _, part := range a.proofs.parts() {
		for _, p := range part {
			if kept(p) {
				counts[a.rank[p.from]]++
			}
		}
	}
	from := newBuckets[to](counts)
	for _, part := range a.proofs.parts() {
		for _, p := range part {
			if kept(p) {
				from.put(int(a.rank[p.from]), to{uint64(a.rank[p.to])<<8 | uint64(p.kind), p.event})
			}
		}
	}
	events := make([]EventID, 0, len(from.list)) // one array for all links
	links := make([]Link, 0, len(from.list))
	place := 0
	for proofs := range from.each {
		slices.SortFunc(proofs, func(x, y to) int { return cmp.Or(cmp.Compare(x.link, y.link), cmp.Compare(x.event, y.event)) })
		for same := range chunkBy(slices.Compact(proofs), func(t to) uint64 { return t.link }) {
			start := len(events)
			for _, t := range same {
				events = append(events, t.event)
			}
			links = append(links, Link{Kind: linkKinds[uint8(same[0].link)], From: a.nodes[place-1].ID, To: a.nodes[same[0].link>>8-1].ID,
				Events: events[start:len(events):len(events)]})
		}
		place++
	}
	return links
}

// buckets is a list in order of small numbers that its entries have.
type buckets[T any] struct {
	ends []uint32 // where the entries of each number end so far
	list []T
}

// newBuckets makes buckets for so many entries of each number.
func newBuckets[T any](counts []uint32) *buckets[T] {
	n := uint32(0)
	for i, count := range counts {
		counts[i] = n
		n += count
	}
	return &buckets[T]{counts, make([]T, n)}
}

func (b *buckets[T]) put(number int, v T) {
	b.list[b.ends[number]] = v
	b.ends[number]++
}

// each yields the entries of each number, once all are in.
func (b *buckets[T]) each(yield func([]T) bool) {
	start := uint32(0)
	for _, end := range b.ends {
		if !yield(b.list[start:end:end]) {
			return
		}
		start = end
	}
}
