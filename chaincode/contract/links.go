package contract

import (
	"slices"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// eachLink calls f for the links that a transformation makes: first those into the process, then those out of it.
func (d *decision) eachLink(e *event.Event, time int64, f func(from, to string, time int64, direct bool) error) error {
	process := processOf(e)
	for _, item := range once(e, event.RoleInput) {
		inside, err := d.contentsAt(item, time)
		if err != nil {
			return err
		}
		if err := f(item, process, time, true); err != nil {
			return err
		}
		for _, content := range inside {
			if err := f(content, process, 0, false); err != nil {
				return err
			}
		}
	}
	for _, item := range once(e, event.RoleOutput) {
		if err := f(process, item, 0, false); err != nil {
			return err
		}
	}
	return nil
}

// once lists the nodes of the items in a role, each once, without classes: those connect nothing.
func once(e *event.Event, role event.Role) (nodes []string) {
	seen := map[string]bool{}
	for _, item := range e.Items() {
		if item.Role == role && item.Kind != gs1.Class && !seen[item.Key] {
			seen[item.Key] = true
			nodes = append(nodes, prefixItem+item.Key)
		}
	}
	return nodes
}

// contain applies, or takes back, what an aggregation or association says of what is inside what.
func (d *decision) contain(e *event.Event, apply func(parent string, p *node, l link) error, sum func(parent string, p *node) error) error {
	parents := once(e, event.RoleParent)
	if len(parents) == 0 {
		return nil
	}
	parent := parents[0]
	before, err := d.usesAround(parent, micros(e.Time))
	if err != nil {
		return err
	}
	p, err := d.node(parent)
	if err != nil {
		return err
	}
	for _, l := range d.statementsOf(e) {
		if err := apply(parent, p, l); err != nil {
			return err
		}
	}
	d.set(parent, p)
	delete(d.inside, parent)
	if err := sum(parent, p); err != nil {
		return err
	}
	return d.relink(before)
}

// statementsOf are what an aggregation or association says, one for each child.
func (d *decision) statementsOf(e *event.Event) (all []link) {
	children := once(e, event.RoleChild)
	if e.Action == event.Delete && len(e.ChildEPCs)+len(e.ChildQuantities) == 0 {
		children = []string{""} // everything
	}
	for _, child := range children {
		all = append(all, link{node: child, action: e.Action[0], time: micros(e.Time), tx: d.now, pos: d.pos})
	}
	return all
}

// addStatement keeps a statement about what is inside a parent.
func (d *decision) addStatement(parent string, p *node, l link) error {
	if l.node == "" {
		d.push(&p.cleared, owner(parent, listCleared), l)
		return nil
	}
	d.push(&p.contents, owner(parent, listContents), l)
	if l.action == 'D' {
		return nil
	}
	c, err := d.node(l.node)
	if err != nil {
		return err
	}
	d.push(&c.carriers, owner(l.node, listCarriers), link{node: parent})
	d.set(l.node, c)
	return nil
}

// removeStatement takes a statement back.
func (d *decision) removeStatement(parent string, p *node, l link) error {
	same := func(have link) bool { return have.node == l.node && have.action == l.action && have.time == l.time }
	if l.node == "" {
		return d.remove(&p.cleared, owner(parent, listCleared), same)
	}
	if err := d.remove(&p.contents, owner(parent, listContents), same); err != nil || l.action == 'D' {
		return err
	}
	c, err := d.node(l.node)
	if err != nil {
		return err
	}
	d.set(l.node, c)
	return d.remove(&c.carriers, owner(l.node, listCarriers), func(have link) bool { return have.node == parent })
}

// revoke takes back what an event did to the state, because it was declared wrong: it made no link and moved nothing.
func (d *decision) revoke(e *event.Event) error {
	time := micros(e.Time)
	for _, c := range changes(e) {
		if err := d.account(c, balance.minus); err != nil {
			return err
		}
	}
	if err := d.untouch(e, time); err != nil {
		return err
	}
	for _, m := range e.Memberships() {
		if err := d.leave(m); err != nil {
			return err
		}
	}
	switch e.Type {
	case event.Transformation:
		return d.eachLink(e, time, d.removeLink)
	case event.Aggregation, event.Association:
		return d.contain(e, d.removeStatement, d.forgetSummary)
	}
	return nil
}

// untouch forgets the times that only the event stated; a later one of another event is not known any more, so that there
// is no finding rather than a false one.
func (d *decision) untouch(e *event.Event, time int64) error {
	nodes := make([]string, 0, len(e.Items())+1)
	for _, item := range e.Items() {
		if item.Kind != gs1.Class {
			nodes = append(nodes, prefixItem+item.Key)
		}
	}
	if e.Type == event.Transformation {
		nodes = append(nodes, processOf(e))
	}
	for _, key := range nodes {
		n, err := d.node(key)
		if err != nil {
			return err
		}
		if n.made == time {
			n.made = 0
		}
		if n.used == time {
			n.used = 0
		}
		d.set(key, n)
	}
	return nil
}

// leave takes a membership back.
func (d *decision) leave(m event.Membership) error {
	instance, lot := prefixItem+m.Instance, prefixItem+m.Lot
	n, err := d.node(instance)
	if err != nil {
		return err
	}
	if i := slices.Index(n.lots, lot); i >= 0 {
		n.lots = slices.Delete(n.lots, i, i+1)
	}
	return d.removeLink(lot, instance, 0, false)
}
