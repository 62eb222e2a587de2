package contract

import (
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// checkRevocation refuses an error declaration that would let something held go: only a regulator may take back a link by which a
// hold reaches what came of the held item.
func (d *decision) checkRevocation(e *event.Event, o *Outcome) error {
	free, err := d.mayUnlink()
	if err != nil || free {
		return err
	}
	for _, m := range e.Memberships() {
		if err := d.keepLink(prefixItem+m.Lot, o); err != nil {
			return err
		}
	}
	switch e.Type {
	case event.Transformation: // held where any of its inputs is, or what was inside
		return d.keepLink(processOf(e), o)
	case event.Aggregation, event.Association:
		return d.keepUses(e, true, o)
	}
	return nil
}

// checkUnpacking refuses a DELETE by which something held would turn out not to have gone into a process.
func (d *decision) checkUnpacking(e *event.Event, o *Outcome) error {
	if e.Type != event.Aggregation && e.Type != event.Association || e.Action != event.Delete {
		return nil
	}
	free, err := d.mayUnlink()
	if err != nil || free {
		return err
	}
	return d.keepUses(e, false, o)
}

// mayUnlink says that links may go: nothing is held, or a regulator says so.
func (d *decision) mayUnlink() (bool, error) {
	if d.actsAs(Regulator) {
		return true, nil
	}
	epoch, err := d.epoch()
	return err == nil && epoch.InForce == 0, err
}

// keepLink refuses to take a link away from a node that is held.
func (d *decision) keepLink(from string, o *Outcome) error {
	n, err := d.node(from)
	if err != nil {
		return err
	}
	var s stops
	if err := d.holdsAt(from, n, &s); err != nil || s.free() {
		return err
	}
	if len(s.holds) == 0 {
		s.report(from, "/event", o)
		return nil
	}
	_, name, _ := strings.Cut(from, "/")
	what := "what came of " + name
	if strings.HasPrefix(from, prefixProcess) {
		what = "what went into a process"
	}
	o.refuse(CodeLotHeld, "/event", name, "only a regulator may take back "+what+" while it is held by "+strings.Join(s.holds, ", "))
	return nil
}

// keepUses refuses a statement, or taking one back, that changes what was inside when a process used it, where that is held.
func (d *decision) keepUses(e *event.Event, back bool, o *Outcome) error {
	parents := once(e, event.RoleParent)
	if len(parents) == 0 || back && e.Action == event.Delete { // then there is more inside, not less
		return nil
	}
	parent := parents[0]
	uses, err := d.usesAround(parent, micros(e.Time))
	if err != nil || len(uses) == 0 {
		return err
	}
	if err := d.suppose(parent, e, back); err != nil {
		return err
	}
	defer delete(d.inside, parent)
	for _, u := range uses {
		actual, err := d.contentsAt(u.item, u.time)
		if err != nil {
			return err
		}
		after := set(actual)
		for _, item := range u.inside {
			if after[item] {
				continue
			}
			if err := d.keepLink(item, o); err != nil || o.Status == Refused {
				return err
			}
		}
	}
	return nil
}

// suppose lets what is inside a parent be what it were with the event, or without it (back).
func (d *decision) suppose(parent string, e *event.Event, back bool) error {
	p, err := d.node(parent)
	if err != nil {
		return err
	}
	statements, err := d.statementsAfter(parent, p, &whole)
	if err != nil {
		return err
	}
	for _, l := range d.statementsOf(e) {
		if !back {
			statements = append(statements, l)
			continue
		}
		for i := len(statements) - 1; i >= 0; i-- {
			if have := statements[i]; have.node == l.node && have.action == l.action && have.time == l.time {
				statements = append(statements[:i], statements[i+1:]...)
				break
			}
		}
	}
	d.inside[parent] = newStayed(statements, whole.last.time)
	return nil
}
