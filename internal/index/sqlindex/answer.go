package sqlindex

import (
	"cmp"
	"slices"

	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// The methods of rows below answer as those of Index do.

func (m *rows) itemKeys(ids []trace.ItemID) []string {
	keys := make([]string, len(ids))
	for i, id := range ids {
		if id > 0 && int64(id) < int64(len(m.keys)) {
			keys[i] = m.keys[id]
		}
	}
	return keys
}

func (m *rows) usesOf(items []trace.ItemID) []trace.Use {
	out := make([]trace.Use, 0, 4*len(items)) // made, stored, sent, used
	for i := range items {
		start := len(out)
		m.eachUse(items[i:i+1], func(u trace.Use) { out = append(out, u) })
		sortUses(out[start:])
	}
	return out
}

func (m *rows) eachUse(items []trace.ItemID, f func(trace.Use)) {
	for _, item := range items {
		for i := m.byItem.first(int64(item)); i != 0; i = m.uses[i-1].nextOfItem {
			if u := &m.uses[i-1]; !u.void {
				f(u.use())
			}
		}
	}
}

func (m *rows) partners(processes []trace.ProcessID) []trace.Use {
	var out []trace.Use
	for i := range processes {
		start := len(out)
		m.eachPartner(processes[i:i+1], func(u trace.Use) { out = append(out, u) })
		sortUses(out[start:])
	}
	return out
}

func (m *rows) eachPartner(processes []trace.ProcessID, f func(trace.Use)) {
	for _, process := range processes {
		first := m.byEvent.first(int64(process))
		if process < 0 {
			first = m.byProcess.first(-int64(process))
		}
		for i := first; i != 0; i = m.uses[i-1].nextOfOwner {
			if u := &m.uses[i-1]; !u.void {
				f(u.use())
			}
		}
	}
}

func (u *useRow) use() trace.Use {
	return trace.Use{Item: trace.ItemID(u.item), Event: trace.EventID(u.event), Process: trace.ProcessID(u.process), Role: u.role, Time: u.time}
}

func sortUses(list []trace.Use) {
	slices.SortFunc(list, func(a, b trace.Use) int {
		if c := cmp.Compare(a.Time, b.Time); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.Event, b.Event), cmp.Compare(a.Item, b.Item), cmp.Compare(a.Role, b.Role))
	})
}

func (m *rows) contents(parents []trace.ItemID) []trace.Containment {
	var out []trace.Containment
	for _, parent := range parents {
		start := len(out)
		for i := m.byParent.first(int64(parent)); i != 0; i = m.stays[i-1].nextOfParent {
			out = m.stays[i-1].appendTo(out)
		}
		sortContainments(out[start:])
	}
	return out
}

func (m *rows) carriers(children []trace.ItemID) []trace.Containment {
	var out []trace.Containment
	var parents []trace.ItemID
	for _, child := range children {
		start := len(out)
		for i := m.byChild.first(int64(child)); i != 0; i = m.stays[i-1].nextOfChild {
			out = m.stays[i-1].appendTo(out)
		}
		sortContainments(out[start:])
		for _, c := range out[start:] {
			parents = append(parents, c.Parent)
		}
	}
	slices.Sort(parents)
	for _, c := range m.contents(slices.Compact(parents)) {
		if c.Child == 0 {
			out = append(out, c)
		}
	}
	return out
}

func (c *stayRow) appendTo(out []trace.Containment) []trace.Containment {
	if c.void {
		return out
	}
	return append(out, trace.Containment{Parent: trace.ItemID(c.parent), Child: trace.ItemID(c.child), Event: trace.EventID(c.event), Action: c.action, Time: c.time})
}

func sortContainments(list []trace.Containment) {
	slices.SortFunc(list, func(a, b trace.Containment) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Child, b.Child))
	})
}

func (m *rows) instances(lots []trace.ItemID) []trace.Membership {
	return m.membersOf(lots, m.byLot, func(r *memberRow) uint32 { return r.nextOfLot })
}

func (m *rows) lots(instances []trace.ItemID) []trace.Membership {
	return m.membersOf(instances, m.byInstance, func(r *memberRow) uint32 { return r.nextOfInstance })
}

func (m *rows) membersOf(items []trace.ItemID, by heads, next func(*memberRow) uint32) []trace.Membership {
	var out []trace.Membership
	for _, item := range items {
		start := len(out)
		for i := by.first(int64(item)); i != 0; i = next(&m.members[i-1]) {
			if r := &m.members[i-1]; !r.void {
				out = append(out, trace.Membership{Instance: trace.ItemID(r.instance), Lot: trace.ItemID(r.lot), Event: trace.EventID(r.event)})
			}
		}
		slices.SortFunc(out[start:], func(a, b trace.Membership) int {
			return cmp.Or(cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Lot, b.Lot), cmp.Compare(a.Event, b.Event))
		})
	}
	return out
}
