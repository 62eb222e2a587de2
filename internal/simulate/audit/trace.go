package audit

import (
	"maps"
	"slices"

	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// Found is an item of a trace.
type Found struct {
	Carrier bool
	Depth   int // links from the item asked about
}

// Trace is what an answer has to contain.
type Trace struct {
	Items  map[string]Found // by key
	Events map[string]bool  // by event ID
}

// visit is one reason to look at an item: for itself until or from a time, or as a carrier within a window.
type visit struct {
	item    string
	carrier bool
	window
}

// walk is one direction of a trace.
type walk struct {
	a     *Auditor
	asked string
	seen  map[visit]int // depth
	todo  []visit
}

// Trace answers for one item (section 3).
func (a *Auditor) Trace(item string, d trace.Direction) Trace {
	t := Trace{Items: map[string]Found{}, Events: map[string]bool{}}
	if d != trace.Forward {
		a.run(item, (*walk).back).into(&t, -1)
	}
	if d != trace.Back {
		a.run(item, (*walk).forward).into(&t, 1)
	}
	return t
}

func (a *Auditor) run(item string, step func(*walk, visit, func(visit))) *walk {
	w := &walk{a: a, asked: item, seen: map[visit]int{}}
	start := visit{item: item, window: window{past, ever}}
	w.seen[start] = 0
	w.todo = []visit{start}
	for len(w.todo) > 0 {
		v := w.todo[0]
		w.todo = w.todo[1:]
		step(w, v, func(next visit) {
			if _, ok := w.seen[next]; !ok {
				w.seen[next] = w.seen[v] + 1
				w.todo = append(w.todo, next)
			}
		})
	}
	return w
}

// before and after allow for the slack.
func before(t, bound int64) bool { return bound == ever || t == past || t-slack <= bound }
func after(t, bound int64) bool  { return bound == past || t == ever || t+slack >= bound }

func (w window) meets(o window) bool { return before(w.from, o.until) && after(w.until, o.from) }

// cut is the part of both; a window that only the slack lets meet the other shrinks to a moment.
func (w window) cut(o window) window {
	c := window{max(w.from, o.from), min(w.until, o.until)}
	if c.from > c.until {
		c.from, c.until = c.until, c.from
	}
	return c
}

// back is the four rules backwards; v.until is the time bound t.
func (w *walk) back(v visit, next func(visit)) {
	for _, p := range w.a.processesOf(v.item, output, func(t int64) bool { return before(t, v.until) }) {
		inputs, _, latest := w.a.side(p, input)
		for _, y := range inputs {
			next(visit{item: y, window: window{past, latest}})
		}
	}
	if !v.carrier {
		for _, lot := range w.a.lotsOf(v.item) {
			next(visit{item: lot, window: v.window})
		}
	}
	w.rideAlong(v, next)
	if v.carrier {
		return
	}
	for _, c := range w.a.contents(v.item) {
		for _, in := range w.a.windows(v.item, c) {
			if v.until == ever || before(in.from, v.until) && after(in.until, v.until) {
				next(visit{item: c, window: v.window})
			}
		}
	}
}

// forward is the four rules forwards; v.from is the time bound t.
func (w *walk) forward(v visit, next func(visit)) {
	used := func(t int64) bool { return after(t, v.from) && (!v.carrier || before(t, v.until)) }
	for _, p := range w.a.processesOf(v.item, input, used) {
		outputs, earliest, _ := w.a.side(p, output)
		for _, y := range outputs {
			next(visit{item: y, window: window{earliest, ever}})
		}
	}
	if !v.carrier {
		for _, m := range w.a.membersOf(v.item) {
			next(visit{item: m, window: v.window})
		}
	}
	w.rideAlong(v, next)
	if v.carrier {
		return
	}
	for _, c := range w.a.contents(v.item) {
		for _, in := range w.a.windows(v.item, c) {
			if after(in.until, v.from) {
				next(visit{item: c, window: v.window})
			}
		}
	}
}

// rideAlong is rule 3: what carried it, while it did.
func (w *walk) rideAlong(v visit, next func(visit)) {
	for _, p := range w.a.carriers(v.item) {
		for _, in := range w.a.windows(p, v.item) {
			if in.meets(v.window) {
				next(visit{p, true, in.cut(v.window)})
			}
		}
	}
}

// into adds what was found to an answer.
func (w *walk) into(t *Trace, sign int) {
	for v, depth := range w.seen {
		found, ok := t.Items[v.item]
		if !ok {
			found = Found{v.carrier, sign * depth}
		}
		found.Carrier = found.Carrier && v.carrier
		if abs(depth) < abs(found.Depth) {
			found.Depth = sign * depth
		}
		t.Items[v.item] = found
		for _, n := range w.a.of(v.item) {
			if v.item == w.asked || before(n.time, v.until) && after(n.time, v.from) {
				t.Events[n.id] = true
			}
		}
	}
}

func abs(n int) int { return max(n, -n) }

// Keys are the items found, sorted: those that are there for what they are, and the carriers.
func (t Trace) Keys(item string) (items, carriers []string) {
	for _, key := range slices.Sorted(maps.Keys(t.Items)) {
		switch {
		case key == item:
		case t.Items[key].Carrier:
			carriers = append(carriers, key)
		default:
			items = append(items, key)
		}
	}
	return items, carriers
}
