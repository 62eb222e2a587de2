package audit

import (
	"slices"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// window is a time that a child spends in a parent, ends included (section 2).
type window struct{ from, until int64 }

func (n *entry) containment() bool {
	return n.event.Type == event.Aggregation || n.event.Type == event.Association
}

// windows are the times that a child was in a parent.
func (a *Auditor) windows(par, chi string) (list []window) {
	open := false
	for _, n := range a.of(par) {
		if !n.containment() || !n.has(par, parent) {
			continue
		}
		switch n.event.Action {
		case event.Add:
			if n.has(chi, child) && !open {
				list, open = append(list, window{n.time, ever}), true
			}
		case event.Observe:
			if n.has(chi, child) {
				list = append(list, window{n.time, n.time})
				if open { // keep the open one last
					k := len(list) - 1
					list[k], list[k-1] = list[k-1], list[k]
				}
			}
		case event.Delete:
			if open && (n.has(chi, child) || !n.namesChildren()) {
				list[len(list)-1].until, open = n.time, false
			}
		}
	}
	return list
}

func (n *entry) namesChildren() bool {
	return slices.ContainsFunc(n.uses, func(u use) bool { return u.role == child })
}

// partners are all items that a parent ever had inside, or that a child was ever inside of.
func (a *Auditor) partners(item string, its, other role) (all []string) {
	for _, n := range a.of(item) {
		if n.containment() && n.has(item, its) {
			all = append(all, n.in(other)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (a *Auditor) contents(par string) []string { return a.partners(par, parent, child) }
func (a *Auditor) carriers(chi string) []string { return a.partners(chi, child, parent) }

// processesOf are the processes of which an item was input or output in an event that fits.
func (a *Auditor) processesOf(item string, r role, fits func(time int64) bool) (all []string) {
	for _, n := range a.of(item) {
		if n.process != "" && n.has(item, r) && fits(n.time) && !slices.Contains(all, n.process) {
			all = append(all, n.process)
		}
	}
	return all
}

// side are the inputs or the outputs of a process, and its earliest and latest event times.
func (a *Auditor) side(process string, r role) (items []string, earliest, latest int64) {
	events := a.counting(a.process[process])
	for _, n := range events {
		items = append(items, n.in(r)...)
	}
	return items, events[0].time, events[len(events)-1].time
}

// lotsOf and membersOf are membership by events that count.
func (a *Auditor) lotsOf(instance string) (lots []string) {
	for _, lot := range a.lots[instance] {
		if slices.Contains(a.membersOf(lot), instance) {
			lots = append(lots, lot)
		}
	}
	return lots
}

func (a *Auditor) membersOf(lot string) (instances []string) {
	for _, m := range a.members[lot] {
		if !a.void[m.by.id] {
			instances = append(instances, m.instance)
		}
	}
	return instances
}
