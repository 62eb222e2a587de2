package contract_test

import (
	"maps"
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// oracle is docs/rules.md section 5 read literally: it keeps what was accepted and works every answer out from scratch.
type oracle struct {
	events []*op // accepted, in the order of the record
	holds  map[string]*heldBy
}

type heldBy struct {
	item     string
	scope    contract.Scope
	released bool
}

// op is an event in the oracle's words.
type op struct {
	seq      int
	kind     string // make, pack, unpack, observe, join, ship, receive
	hour     int
	process  string
	from, to []string // make: inputs, outputs; join: instances, lot
	parent   string
	children []string // pack, unpack, observe; ship, receive: what is moved
	void     bool
}

func isLot(item string) bool { return strings.Contains(item, "/10/") }

func (o *oracle) counting(kinds ...string) (all []*op) {
	for _, e := range o.events {
		if !e.void && slices.Contains(kinds, e.kind) {
			all = append(all, e)
		}
	}
	return all
}

// insideBy says whether child is directly inside parent: now (hour < 0), or at an hour.
func (o *oracle) insideBy(parent, child string, hour int) bool {
	all := o.counting("pack", "unpack", "observe")
	slices.SortStableFunc(all, func(a, b *op) int { return a.hour - b.hour })
	const never = 1 << 30
	type window struct{ from, until int }
	var windows []window
	open := false
	for _, e := range all {
		if e.parent != parent {
			continue
		}
		names := slices.Contains(e.children, child)
		switch {
		case e.kind == "pack" && names && !open:
			windows, open = append(windows, window{e.hour, never}), true
		case e.kind == "unpack" && (names || len(e.children) == 0) && open:
			windows[len(windows)-1].until, open = e.hour, false
		case e.kind == "observe" && names && !open:
			windows = append(windows, window{e.hour, e.hour})
		}
	}
	for _, w := range windows {
		if hour < 0 && w.until == never || hour >= 0 && w.from <= hour && (hour < w.until || hour == w.from) {
			return true
		}
	}
	return false
}

func (o *oracle) items() []string {
	set := map[string]bool{}
	for _, e := range o.events {
		for _, list := range [][]string{e.from, e.to, e.children, {e.parent}} {
			for _, item := range list {
				set[item] = true
			}
		}
	}
	delete(set, "")
	return slices.Sorted(maps.Keys(set))
}

// contents is everything inside an item at an hour, at any depth.
func (o *oracle) contents(item string, hour int) map[string]bool {
	all := map[string]bool{}
	for grew := true; grew; {
		grew = false
		for _, c := range o.items() {
			for p := range maps.Keys(with(all, item)) {
				if !all[c] && c != item && o.insideBy(p, c, hour) {
					all[c], grew = true, true
				}
			}
		}
	}
	return all
}

func with(set map[string]bool, item string) map[string]bool {
	c := maps.Clone(set)
	c[item] = true
	return c
}

func (o *oracle) lots(instance string) (lots []string) {
	for _, e := range o.counting("join") {
		if slices.Contains(e.from, instance) {
			lots = append(lots, e.to...)
		}
	}
	return lots
}

// wentInto is what went into a process: its inputs and what was inside them when they were used.
func (o *oracle) wentInto(process string) map[string]bool {
	all := map[string]bool{}
	for _, e := range o.counting("make") {
		if e.process == process {
			for _, in := range e.from {
				all[in] = true
				maps.Copy(all, o.contents(in, e.hour))
			}
		}
	}
	return all
}

// ancestors of items, without the items themselves unless there is a cycle.
func (o *oracle) ancestors(of map[string]bool) map[string]bool {
	all := map[string]bool{}
	for grew := true; grew; {
		grew = false
		older := map[string]bool{}
		for item := range maps.Keys(union(of, all)) {
			for _, e := range o.counting("make") {
				if slices.Contains(e.to, item) {
					maps.Copy(older, o.wentInto(e.process))
				}
			}
			for _, lot := range o.lots(item) {
				older[lot] = true
			}
		}
		for item := range older {
			if !all[item] {
				all[item], grew = true, true
			}
		}
	}
	return all
}

func union(a, b map[string]bool) map[string]bool {
	c := maps.Clone(a)
	maps.Copy(c, b)
	return c
}

// movesWith is the item and everything whose hold stops it: now (hour < 0), or at an hour or now.
func (o *oracle) movesWith(item string, hour int) map[string]bool {
	in := func(p, c string) bool { return o.insideBy(p, c, hour) || o.insideBy(p, c, -1) }
	all := map[string]bool{item: true}
	for grew := true; grew; {
		grew = false
		for x := range maps.Keys(maps.Clone(all)) {
			for _, y := range append(o.items(), o.lots(x)...) {
				if !all[y] && (slices.Contains(o.lots(x), y) || in(x, y) || !isLot(x) && !isLot(y) && in(y, x)) {
					all[y], grew = true, true
				}
			}
		}
	}
	return all
}

// heldBy lists the holds in force that stop an item.
func (o *oracle) heldBy(item string, hour int) (ids []string) {
	group := o.movesWith(item, hour)
	older := o.ancestors(group)
	for _, id := range slices.Sorted(maps.Keys(o.holds)) {
		h := o.holds[id]
		if !h.released && (group[h.item] || h.scope == contract.ScopeDownstream && older[h.item]) {
			ids = append(ids, id)
		}
	}
	return ids
}

// violates lists the holds that an event would break.
func (o *oracle) violates(e *op) []string {
	var moved []string
	set := map[string]bool{}
	switch e.kind {
	case "make":
		moved = append(slices.Clone(e.from), e.to...)
		if len(e.to) > 0 { // made of what is known to have gone into the process
			into := o.wentInto(e.process)
			older := union(into, o.ancestors(into))
			for id, h := range o.holds {
				if !h.released && h.scope == contract.ScopeDownstream && older[h.item] {
					set[id] = true
				}
			}
		}
	case "pack":
		moved = append(slices.Clone(e.children), e.parent)
	case "ship":
		moved = e.children
	}
	for _, item := range moved {
		for _, id := range o.heldBy(item, e.hour) {
			set[id] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}
