package trace

import (
	"cmp"
	"context"
	"iter"
	"slices"
)

// walk is one trace in one direction. It goes level by level: all items that were reached or whose label became looser
// at one level are followed together, so that the graph is asked once per level and rule. Labels only ever become
// looser and their ends come from a finite set of event times, so it ends on cycles too.
type walk struct {
	g           Graph
	back        bool
	limits      Limits
	labels      map[ItemID]*label
	room        []label  // for more of them
	order       []ItemID // of the labels: as they were found
	frontier    []ItemID // to be followed next, ascending
	proofs      pile[proof]
	events      pile[moment]
	truncated   bool
	notFollowed int
}

// label is why and for which times an item is in the trace.
type label struct {
	depth   int
	reached spans   // of the item itself: for which times it was reached; at those its contents concern the trace
	carried spans   // times at which it carried an item of the trace
	first   [1]span // where the first of them is kept: most items have no other
}

// self is the time that concerns the trace for what the item itself is: everything before its bound (back) or after it
// (forward). ok is false for an item that is there only as a carrier.
func (l *label) self(back bool) (s span, ok bool) {
	if len(l.reached) == 0 {
		return span{}, false
	}
	all := l.reached.hull()
	if back {
		return span{always, all.until}, true
	}
	return span{all.from, never}, true
}

// times yields all spans that concern the trace.
func (l *label) times(back bool) iter.Seq[span] {
	return func(yield func(span) bool) {
		if s, ok := l.self(back); ok && !yield(s) {
			return
		}
		for _, s := range l.carried {
			if !yield(s) {
				return
			}
		}
	}
}

// arrival is one way in which following an item reaches another.
type arrival struct {
	item    ItemID
	carrier bool // it is reached because it carried
	span    span
}

// proof is an event that shows a link.
type proof struct {
	from, to ItemID
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

// moment is an event in the order of events: by event time, then in record order.
type moment struct {
	time  int64
	event EventID
}

func (m moment) compare(o moment) int {
	if c := cmp.Compare(m.time, o.time); c != 0 {
		return c
	}
	return cmp.Compare(m.event, o.event)
}

func inOrder(moments []moment) []EventID {
	slices.SortFunc(moments, moment.compare)
	moments = slices.Compact(moments)
	ids := make([]EventID, len(moments))
	for i, m := range moments {
		ids[i] = m.event
	}
	return ids
}

func (w *walk) run(ctx context.Context, start ItemID) error {
	all := span{always, never}
	w.labels = map[ItemID]*label{start: {reached: spans{all}}}
	w.order, w.frontier = []ItemID{start}, []ItemID{start}
	for depth := 1; len(w.frontier) > 0; depth++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		found, err := w.follow(ctx)
		if err != nil {
			return err
		}
		more, err := w.arrive(ctx, found, depth)
		if err != nil {
			return err
		}
		if !more {
			return w.uses(ctx, func(Use, *label) {})
		}
	}
	return nil
}

// follow applies the rules to the frontier.
func (w *walk) follow(ctx context.Context) (found []arrival, err error) {
	for _, rule := range []func(context.Context) ([]arrival, error){w.made, w.members, w.carriers, w.contents} {
		some, err := rule(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

// uses hands the uses of the frontier to f and keeps the events that concern the trace.
func (w *walk) uses(ctx context.Context, f func(Use, *label)) error {
	uses, err := w.g.Uses(ctx, w.frontier)
	if err != nil {
		return err
	}
	var l *label
	for i, u := range uses {
		if i == 0 || u.Item != uses[i-1].Item { // they come by item
			l = w.labels[u.Item]
		}
		if l.has(u.Time, w.back) {
			w.events.add(moment{u.Time, u.Event})
		}
		f(u, l)
	}
	return nil
}

func (l *label) has(time int64, back bool) bool {
	for s := range l.times(back) {
		if s.has(time) {
			return true
		}
	}
	return false
}

// made is rule 1: from outputs to inputs (back), from inputs to outputs (forward).
func (w *walk) made(ctx context.Context) ([]arrival, error) {
	role, other := RoleInput, RoleOutput
	if w.back {
		role, other = other, role
	}
	var parts []Use // of the frontier
	err := w.uses(ctx, func(u Use, l *label) {
		if u.Process != 0 && u.Role == role && l.joins(u.Time, w.back) {
			parts = append(parts, u)
		}
	})
	if err != nil || len(parts) == 0 {
		return nil, err
	}
	slices.SortStableFunc(parts, func(a, b Use) int { return cmp.Compare(a.Process, b.Process) })
	by := chunkBy(parts, func(u Use) ProcessID { return u.Process })
	processes := make([]ProcessID, len(by))
	for i, uses := range by {
		processes[i] = uses[0].Process
	}
	partners, err := w.g.Partners(ctx, processes)
	if err != nil {
		return nil, err
	}
	found := make([]arrival, 0, len(partners))
	for _, process := range chunkBy(partners, func(u Use) ProcessID { return u.Process }) {
		for by[0][0].Process != process[0].Process { // both are in order
			by = by[1:]
		}
		bound := w.bound(process)
		for _, p := range process {
			if p.Role != other {
				continue
			}
			found = append(found, arrival{p.Item, false, bound})
			for _, u := range by[0] {
				w.prove(made, u.Item, p.Item, u.Event, p.Event)
			}
		}
	}
	return found, nil
}

// joins reports whether the part that an item plays in a process at a time concerns the trace. Of a carrier it matters
// back what it was made of, whenever that was, and forward what it was used for while it carried.
func (l *label) joins(time int64, back bool) bool {
	for s := range l.times(back) {
		if s.has(time) || back && time <= later(s.until) {
			return true
		}
	}
	return false
}

// bound is the moment at which the other side of a process is looked at: its latest event time (back), its earliest
// (forward). The uses of a process are in order of time.
func (w *walk) bound(process []Use) span {
	if w.back {
		last := process[len(process)-1].Time
		return span{last, last}
	}
	return span{process[0].Time, never}
}

// members is rule 2: from instances to their lots (back), from lots to their instances (forward).
func (w *walk) members(ctx context.Context) (found []arrival, err error) {
	from := w.reached()
	ask := w.g.Instances
	if w.back {
		ask = w.g.Lots
	}
	memberships, err := ask(ctx, from)
	if err != nil {
		return nil, err
	}
	for _, m := range memberships {
		x, y := m.Lot, m.Instance
		if w.back {
			x, y = y, x
		}
		for _, s := range w.labels[x].reached {
			found = append(found, arrival{y, false, s})
		}
		w.prove(member, x, y, m.Event, m.Event)
	}
	return found, nil
}

// carriers is rule 3: what the items were inside of.
func (w *walk) carriers(ctx context.Context) (found []arrival, err error) {
	statements, err := w.g.Carriers(ctx, w.frontier)
	if err != nil {
		return nil, err
	}
	for _, in := range stays(statements) {
		for s := range w.labels[in.child].times(w.back) {
			if s.meets(in.span) {
				found = append(found, arrival{in.parent, true, s.meet(in.span)})
				w.proveStay(in)
			}
		}
	}
	return found, nil
}

// contents is rule 4: what was inside the items.
func (w *walk) contents(ctx context.Context) (found []arrival, err error) {
	statements, err := w.g.Contents(ctx, w.reached())
	if err != nil {
		return nil, err
	}
	for _, in := range stays(statements) {
		for _, s := range w.labels[in.parent].reached {
			if s.meets(in.span) {
				found = append(found, arrival{in.child, false, s})
				w.proveStay(in)
			}
		}
	}
	return found, nil
}

// reached are the items of the frontier that are there for what they are, not only as carriers.
func (w *walk) reached() []ItemID {
	var items []ItemID
	for _, item := range w.frontier {
		if len(w.labels[item].reached) > 0 {
			items = append(items, item)
		}
	}
	return items
}

// prove notes a link from the item followed to the one reached; links lead from earlier to later whatever the direction.
func (w *walk) prove(kind linkKind, followed, reached ItemID, events ...EventID) {
	from, to := followed, reached
	if w.back {
		from, to = to, from
	}
	w.note(kind, from, to, events)
}

func (w *walk) proveStay(in stay) { w.note(inside, in.child, in.parent, in.events) }

func (w *walk) note(kind linkKind, from, to ItemID, events []EventID) {
	for i, e := range events {
		if i == 0 || e != events[i-1] {
			w.proofs.add(proof{from, to, e, kind})
		}
	}
}

// arrive loosens the labels by what was found and makes the next frontier. It returns false when a limit ends the walk.
func (w *walk) arrive(ctx context.Context, found []arrival, depth int) (more bool, err error) {
	slices.SortFunc(found, func(a, b arrival) int { return cmp.Compare(a.item, b.item) })
	groups := chunkBy(found, func(a arrival) ItemID { return a.item })
	isNew := func(group []arrival) bool { return w.labels[group[0].item] == nil }
	fresh := 0
	for _, group := range groups {
		if isNew(group) {
			fresh++
		}
	}
	w.frontier = nil
	switch room := w.limits.MaxItems - len(w.labels); {
	case depth > w.limits.MaxDepth:
		w.cut(fresh)
		for _, group := range groups {
			if l := w.labels[group[0].item]; l != nil {
				looser := *l // the sets are never changed in place
				w.truncated = w.truncated || looser.loosen(group)
			}
		}
		return false, nil
	case fresh > room:
		w.cut(fresh - room)
		kept, err := w.firstByKey(ctx, groups, isNew, room)
		if err != nil {
			return false, err
		}
		groups = slices.DeleteFunc(groups, func(g []arrival) bool { return isNew(g) && !kept[g[0].item] })
	}
	for _, group := range groups {
		l := w.labels[group[0].item]
		if l == nil {
			l = w.newLabel()
			l.depth = depth
			w.labels[group[0].item] = l
			w.order = append(w.order, group[0].item)
		}
		if l.loosen(group) {
			w.frontier = append(w.frontier, group[0].item)
		}
	}
	return !w.truncated, nil
}

// newLabel makes a label, many at once.
func (w *walk) newLabel() *label {
	if len(w.room) == 0 {
		w.room = make([]label, min(max(minPile, len(w.labels)), maxPile))
	}
	l := &w.room[0]
	w.room = w.room[1:]
	return l
}

func (w *walk) cut(items int) {
	w.notFollowed += items
	w.truncated = w.truncated || items > 0
}

// firstByKey picks the new items that come first by key: what a limit keeps must not depend on numbers.
func (w *walk) firstByKey(ctx context.Context, groups [][]arrival, isNew func([]arrival) bool, n int) (map[ItemID]bool, error) {
	var items []ItemID
	for _, group := range groups {
		if isNew(group) {
			items = append(items, group[0].item)
		}
	}
	keys, err := w.g.ItemKeys(ctx, items)
	if err != nil {
		return nil, err
	}
	byKey := make(map[string]ItemID, len(items))
	for i, key := range keys {
		byKey[key] = items[i]
	}
	slices.Sort(keys)
	kept := make(map[ItemID]bool, n)
	for _, key := range keys[:n] {
		kept[byKey[key]] = true
	}
	return kept, nil
}

// loosen adds arrivals to a label and reports whether it changed.
func (l *label) loosen(found []arrival) bool {
	changed := false
	for _, a := range found {
		set := &l.reached
		if a.carrier {
			set = &l.carried
		}
		if len(l.reached)+len(l.carried) == 0 {
			l.first[0] = a.span
			*set, changed = l.first[:], true
			continue
		}
		next, grew := set.with(a.span)
		*set, changed = next, changed || grew
	}
	return changed
}

// chunkBy cuts a list where the key changes.
func chunkBy[T any, K comparable](list []T, key func(T) K) [][]T {
	var chunks [][]T
	for start, i := 0, 1; i <= len(list); i++ {
		if i == len(list) || key(list[i]) != key(list[start]) {
			chunks = append(chunks, list[start:i])
			start = i
		}
	}
	return chunks
}
