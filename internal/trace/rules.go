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
	var last ItemID
	var n uint32
	var l *label
	return eachUse(ctx, w.g, w.frontier, func(u Use) {
		if u.Item != last { // they come by item
			last, n = u.Item, w.numbers.of(u.Item)
			l = w.labels[n]
		}
		if l.has(u.Time, w.back) && w.noted.add(u.Event) {
			w.events.add(moment{u.Time, u.Event})
		}
		f(u, n, l)
	})
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
	across := &side{}
	err = eachPartner(ctx, w.g, processes, func(u Use) {
		if u.Process != across.process {
			parts = w.cross(parts, across)
			*across = side{u.Process, u.Time, u.Time, across.uses[:0]}
		}
		across.earliest, across.latest = min(across.earliest, u.Time), max(across.latest, u.Time)
		if u.Role == other {
			across.uses = append(across.uses, u)
		}
	})
	w.cross(parts, across)
	return err
}

// side is the other side of a process, and the times of both sides.
type side struct {
	process          ProcessID
	earliest, latest int64
	uses             []Use
}

// cross reaches the items on the other side of a process and proves their links with the parts on this side. The parts are
// in the order of the processes; it returns those from this process on.
func (w *walk) cross(parts []part, across *side) []part {
	if len(across.uses) == 0 {
		return parts
	}
	for parts[0].process != across.process {
		parts = parts[1:]
	}
	// The other side is looked at from the latest time of the process (back), from its earliest (forward).
	bound := span{across.earliest, never}
	if w.back {
		bound = span{across.latest, across.latest}
	}
	for _, u := range across.uses {
		reached := w.reach(u.Item, false, bound)
		for _, p := range parts {
			if p.process != across.process {
				break
			}
			w.prove(made, p.item, reached, p.event)
			if p.event != u.Event {
				w.prove(made, p.item, reached, u.Event)
			}
		}
	}
	return parts
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
