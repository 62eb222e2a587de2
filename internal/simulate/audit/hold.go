package audit

import (
	"maps"
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// moving and arriving business steps (section 5).
var (
	movingSteps = []string{"shipping", "departing", "loading", "transporting", "consigning", "picking", "packing", "repackaging",
		"retail_selling", "dispensing", "assembling"}
	arrivingSteps = []string{"receiving", "arriving", "accepting", "unloading"}
)

// word is the bare CBV word of a business step or a source or destination type, in any of its forms (shipping,
// urn:epcglobal:cbv:bizstep:shipping, https://ref.gs1.org/cbv/BizStep-shipping).
func word(s string) string { return s[strings.LastIndexAny(s, ":/#-")+1:] }

// moves are the items of an event of which it is a movement.
func (a *Auditor) moves(n *entry) (items []string) {
	e := n.event
	if e.ErrorDeclaration != nil {
		return nil // it says that nothing moved
	}
	for _, u := range n.uses {
		if u.kind == class {
			continue
		}
		var moved bool
		switch e.Type {
		case event.Transformation:
			moved = u.role == input || u.role == output
		case event.Aggregation, event.Association:
			moved = e.Action == event.Add || departs(e)
		default:
			moved = departs(e)
		}
		if moved {
			items = append(items, u.item)
		}
	}
	return items
}

func departs(e *event.Event) bool {
	step := word(e.BizStep)
	return slices.Contains(movingSteps, strings.ToLower(step)) || len(e.Destinations) > 0 && !slices.Contains(arrivingSteps, step)
}

// Violated are the IDs of the holds that an event would break if it were decided now, ascending.
func (a *Auditor) Violated(e *event.Event) []string {
	n := &entry{event: e, time: e.Time.UnixMicro(), uses: read(e)}
	all := map[string]bool{}
	for _, item := range a.moves(n) {
		for _, id := range a.HeldBy(item, n.time) {
			all[id] = true
		}
	}
	if e.Type == event.Transformation && e.TransformationID != "" && len(n.in(output)) > 0 && e.ErrorDeclaration == nil {
		a.spoiled(canonical(e.TransformationID), all)
	}
	return slices.Sorted(maps.Keys(all))
}

// spoiled adds the downstream holds of what earlier events of a process took in: its outputs become held with the event that
// states them.
func (a *Auditor) spoiled(process string, found map[string]bool) {
	for _, x := range a.usedIn(process) {
		ancestors := a.ancestors(x)
		for id, h := range a.holds {
			if !h.released && h.Scope == contract.ScopeDownstream && (h.item == x || ancestors[h.item]) {
				found[id] = true
			}
		}
	}
}

// HeldBy are the IDs of the holds in force because of which an item is held, for a movement at a time (microseconds),
// ascending.
func (a *Auditor) HeldBy(item string, at int64) []string {
	if !slices.ContainsFunc(slices.Collect(maps.Values(a.holds)), func(h *hold) bool { return !h.released }) {
		return nil
	}
	found := map[string]bool{}
	a.look(item, at, map[string]bool{}, found)
	return slices.Sorted(maps.Keys(found))
}

// look visits everything whose being held makes an item held: itself and the lots it is a member of; what is inside, at any
// depth; what it is inside of, as long as it is no lot; and all of that again for these.
func (a *Auditor) look(x string, at int64, seen, found map[string]bool) {
	if seen[x] {
		return
	}
	seen[x] = true
	a.named(x, found)
	for _, lot := range a.lotsOf(x) {
		a.look(lot, at, seen, found)
	}
	for _, c := range a.insideOrNow(x, at) {
		a.look(c, at, seen, found)
	}
	if a.isThing(x) {
		for _, p := range a.carriers(x) {
			if slices.Contains(a.insideOrNow(p, at), x) {
				a.look(p, at, seen, found)
			}
		}
	}
}

// named adds the holds in force that name an item, and the downstream holds that name an ancestor.
func (a *Auditor) named(item string, found map[string]bool) {
	ancestors := a.ancestors(item)
	for id, h := range a.holds {
		if !h.released && (h.item == item || h.Scope == contract.ScopeDownstream && ancestors[h.item]) {
			found[id] = true
		}
	}
}

// ancestors of an item: inputs, lots of instances, what was inside an input when it was used, and theirs.
func (a *Auditor) ancestors(item string) map[string]bool {
	all := map[string]bool{}
	var climb func(string)
	climb = func(x string) {
		var older []string
		for _, p := range a.processesOf(x, output, func(int64) bool { return true }) {
			older = append(older, a.usedIn(p)...)
		}
		for _, o := range append(older, a.lotsOf(x)...) {
			if !all[o] {
				all[o] = true
				climb(o)
			}
		}
	}
	climb(item)
	return all
}

// usedIn are the inputs of a process with what was inside them, at any depth, at the time of the event that used them.
func (a *Auditor) usedIn(process string) (all []string) {
	for _, n := range a.counting(a.process[process]) {
		used := n.in(input)
		for i := 0; i < len(used); i++ {
			for _, c := range a.inside(used[i], n.time) {
				if !slices.Contains(used, c) {
					used = append(used, c)
				}
			}
		}
		all = append(all, used...)
	}
	return all
}

// inside is what is directly in a unit at a time, by its windows, without slack.
func (a *Auditor) inside(unit string, at int64) (items []string) {
	for _, c := range a.contents(unit) {
		if slices.ContainsFunc(a.windows(unit, c), func(w window) bool { return w.from <= at && (at < w.until || at == w.from) }) {
			items = append(items, c)
		}
	}
	return items
}

// insideOrNow is what was directly in a unit at a time, and what is in it now: in a window that nothing has ended.
func (a *Auditor) insideOrNow(unit string, at int64) []string {
	return append(a.inside(unit, at), a.inside(unit, ever-1)...)
}

// isThing says that an item is an instance or a logistic unit.
func (a *Auditor) isThing(item string) bool {
	for _, n := range a.naming[item] {
		for _, u := range n.uses {
			if u.item == item {
				return u.kind == thing
			}
		}
	}
	return false
}
