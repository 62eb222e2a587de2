package trace

import (
	"context"
	"slices"
)

// walk is one trace in one direction. It goes level by level: all items that were reached or whose label became looser
// at one level are followed together, so that the graph is asked once per level and rule. Labels only ever become
// looser and their ends come from a finite set of event times, so it ends on cycles too.
type walk struct {
	*finds
	g           Graph
	back        bool
	limits      Limits
	labels      []*label // by our number; nil: not in the answer
	room        []label  // for more of them
	order       []uint32 // our numbers of the items with labels: as they were found
	frontier    []ItemID // to be followed next, ascending
	listed      []uint32 // by our number: the last level that listed it
	found       []arrival
	parts       []part
	truncated   bool
	notFollowed int
}

// finds is what the walks of a query find.
type finds struct {
	numbers numbers
	proofs  pile[proof]
	events  pile[moment] // each once
	noted   eventSet     // of events
}

// proof is an event that shows a link.
type proof struct {
	from, to uint32 // our numbers
	event    EventID
	kind     linkKind
}

// linkKind is a LinkKind in one byte: there are more proofs than anything else.
type linkKind uint8

const (
	inside linkKind = iota
	made
	member
)

// linkKinds are in alphabetical order, as links of one pair are.
var linkKinds = [...]LinkKind{inside: Inside, made: Made, member: Member}

// arrival is one way in which following an item reaches another.
type arrival struct {
	item    uint32 // our number
	carrier bool   // it is reached because it carried
	span    span
}

func (w *walk) run(ctx context.Context, start ItemID) error {
	w.found = []arrival{{w.numbers.of(start), false, span{always, never}}}
	for depth := 0; ; depth++ {
		more, err := w.arrive(ctx, depth)
		if err != nil {
			return err
		}
		if !more {
			return w.uses(ctx, func(Use, uint32, *label) {})
		}
		if len(w.frontier) == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.follow(ctx); err != nil {
			return err
		}
	}
}

// arrive loosens the labels by what was found and makes the next frontier. It returns false when a limit ends the walk.
func (w *walk) arrive(ctx context.Context, depth int) (more bool, err error) {
	fresh := w.fresh(depth)
	w.frontier = w.frontier[:0]
	switch room := w.limits.MaxItems - len(w.order); {
	case depth == 0: // the item asked about
	case depth > w.limits.MaxDepth:
		w.cut(len(fresh))
		for _, a := range w.found {
			if l := w.labels[a.item]; l != nil {
				looser := *l // the sets are never changed in place
				w.truncated = w.truncated || looser.loosen(a)
			}
		}
		return false, nil
	case len(fresh) > room:
		w.cut(len(fresh) - room)
		if fresh, err = w.firstByKey(ctx, fresh, room); err != nil {
			return false, err
		}
	}
	for _, n := range fresh {
		l := w.newLabel()
		l.depth = depth
		w.labels[n] = l
		w.order = append(w.order, n)
		w.frontier = append(w.frontier, w.numbers.items[n])
	}
	for _, a := range w.found {
		if l := w.labels[a.item]; l != nil && l.loosen(a) && w.list(a.item, depth) {
			w.frontier = append(w.frontier, w.numbers.items[a.item])
		}
	}
	slices.Sort(w.frontier)
	return !w.truncated, nil
}

// fresh are the items found at this level that have no label yet, each once. The lists by number are made long enough.
func (w *walk) fresh(depth int) (items []uint32) {
	w.labels = lengthen(w.labels, len(w.numbers.items))
	w.listed = lengthen(w.listed, len(w.numbers.items))
	for _, a := range w.found {
		if w.labels[a.item] == nil && w.list(a.item, depth) {
			items = append(items, a.item)
		}
	}
	return items
}

func lengthen[T any](list []T, n int) []T {
	if n <= len(list) {
		return list
	}
	return append(list, make([]T, n-len(list))...)
}

// list says whether an item is listed for the first time at this level.
func (w *walk) list(item uint32, depth int) bool {
	level := uint32(depth) + 1
	if w.listed[item] == level {
		return false
	}
	w.listed[item] = level
	return true
}

// newLabel makes a label, many at once.
func (w *walk) newLabel() *label {
	if len(w.room) == 0 {
		w.room = make([]label, min(max(minPile, len(w.order)), maxPile))
	}
	l := &w.room[0]
	w.room = w.room[1:]
	return l
}

func (w *walk) cut(items int) {
	w.notFollowed += items
	w.truncated = w.truncated || items > 0
}

// firstByKey picks the items that come first by key: what a limit keeps must not depend on numbers.
func (w *walk) firstByKey(ctx context.Context, fresh []uint32, n int) ([]uint32, error) {
	keys, err := w.g.ItemKeys(ctx, w.numbers.itemsOf(fresh))
	if err != nil {
		return nil, err
	}
	byKey := make(map[string]uint32, len(fresh))
	for i, key := range keys {
		byKey[key] = fresh[i]
	}
	slices.Sort(keys)
	kept := make([]uint32, n)
	for i, key := range keys[:n] {
		kept[i] = byKey[key]
	}
	return kept, nil
}

// prove notes a link from the item followed to the one reached; links lead from earlier to later whatever the direction.
func (w *walk) prove(kind linkKind, followed, reached uint32, event EventID) {
	if w.back {
		followed, reached = reached, followed
	}
	w.proofs.add(proof{followed, reached, event, kind})
}

// chunkBy cuts a list where the key changes.
func chunkBy[T any, K comparable](list []T, key func(T) K) func(func([]T) bool) {
	return func(yield func([]T) bool) {
		for start, i := 0, 1; i <= len(list); i++ {
			if i == len(list) || key(list[i]) != key(list[start]) {
				if !yield(list[start:i:i]) {
					return
				}
				start = i
			}
		}
	}
}
