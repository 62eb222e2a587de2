package trace

import (
	"cmp"
	"context"
	"slices"
)

// follow applies the rules of docs/rules.md, section 3, to the frontier.
func (w *walk) follow(ctx context.Context) error {
	w.found = w.found[:0]
	if err := w.made(ctx); err != nil {
		return err
	}
	reached := w.reached()
	if err := w.members(ctx, reached); err != nil {
		return err
	}
	if err := w.carriers(ctx); err != nil {
		return err
	}
	return w.contents(ctx, reached)
}

// reached are the items of the frontier that are there for what they are, not only as carriers.
func (w *walk) reached() []ItemID {
	carriesOnly := func(item ItemID) bool { return len(w.labels[w.numbers.of(item)].reached) == 0 }
	if !slices.ContainsFunc(w.frontier, carriesOnly) {
		return w.frontier
	}
	return slices.DeleteFunc(slices.Clone(w.frontier), carriesOnly)
}

func (w *walk) reach(item ItemID, carrier bool, s span) (number uint32) {
	number = w.numbers.of(item)
	w.found = append(w.found, arrival{number, carrier, s})
	return number
}

// uses hands the uses of the frontier to f, with our number of the item, and keeps the events that concern the trace.
func (w *walk) uses(ctx context.Context, f func(Use, uint32, *label)) error {
	uses, err := w.g.Uses(ctx, w.frontier)
	if err != nil {
		return err
	}
	var n uint32
	var l *label
	for i := range uses {
		u := &uses[i]
		if i == 0 || u.Item != uses[i-1].Item { // they come by item
			n = w.numbers.of(u.Item)
			l = w.labels[n]
		}
		if l.has(u.Time, w.back) && w.noted.add(u.Event) {
			w.events.add(moment{u.Time, u.Event})
		}
		f(*u, n, l)
	}
	return nil
}

// part is the part of an item of the frontier in a process.
type part struct {
	process ProcessID
	event   EventID
	item    uint32 // our number
}

// made is rule 1: from outputs to inputs (back), from inputs to outputs (forward).
func (w *walk) made(ctx context.Context) error {
	role, other := RoleInput, RoleOutput
	if w.back {
		role, other = other, role
	}
	parts := w.parts[:0]
	err := w.uses(ctx, func(u Use, n uint32, l *label) {
		if u.Process != 0 && u.Role == role && l.joins(u.Time, w.back) {
			parts = append(parts, part{u.Process, u.Event, n})
		}
	})
	w.parts = parts
	if err != nil || len(parts) == 0 {
		return err
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.process, b.process) })
	processes := make([]ProcessID, 0, len(parts))
	for i, p := range parts {
		if i == 0 || p.process != parts[i-1].process {
			processes = append(processes, p.process)
		}
	}
	partners, err := w.g.Partners(ctx, processes)
	if err != nil {
		return err
	}
	for process := range chunkBy(partners, func(u Use) ProcessID { return u.Process }) {
		for parts[0].process != process[0].Process { // both are in order
			parts = parts[1:]
		}
		bound := w.bound(process)
		for _, p := range process {
			if p.Role == other {
				w.madeOf(parts, w.reach(p.Item, false, bound), p.Event)
			}
		}
	}
	return nil
}

// madeOf proves the links between an item on the other side of the process that is next in order and the parts on this side.
func (w *walk) madeOf(parts []part, reached uint32, event EventID) {
	for _, u := range parts {
		if u.process != parts[0].process {
			return
		}
		w.prove(made, u.item, reached, u.event)
		if u.event != event {
			w.prove(made, u.item, reached, event)
		}
	}
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
func (w *walk) members(ctx context.Context, reached []ItemID) error {
	ask := w.g.Instances
	if w.back {
		ask = w.g.Lots
	}
	memberships, err := ask(ctx, reached)
	if err != nil {
		return err
	}
	for _, m := range memberships {
		x, y := m.Lot, m.Instance
		if w.back {
			x, y = y, x
		}
		from := w.numbers.of(x)
		for _, s := range w.labels[from].reached {
			w.prove(member, from, w.reach(y, false, s), m.Event)
		}
	}
	return nil
}

// carriers is rule 3: what the items were inside of.
func (w *walk) carriers(ctx context.Context) error {
	statements, err := w.g.Carriers(ctx, w.frontier)
	if err != nil {
		return err
	}
	for _, in := range stays(statements) {
		child := w.numbers.of(in.child)
		for s := range w.labels[child].times(w.back) {
			if s.meets(in.span) {
				w.proveStay(in, child, w.reach(in.parent, true, s.meet(in.span)))
			}
		}
	}
	return nil
}

// contents is rule 4: what was inside the items.
func (w *walk) contents(ctx context.Context, reached []ItemID) error {
	statements, err := w.g.Contents(ctx, reached)
	if err != nil {
		return err
	}
	for _, in := range stays(statements) {
		parent := w.numbers.of(in.parent)
		for _, s := range w.labels[parent].reached {
			if s.meets(in.span) {
				w.proveStay(in, w.reach(in.child, false, s), parent)
			}
		}
	}
	return nil
}

// proveStay notes that a child was inside a parent, which leads from the one to the other in both directions.
func (w *walk) proveStay(in stay, child, parent uint32) {
	for _, e := range in.events {
		w.proofs.add(proof{child, parent, e, inside})
	}
}
