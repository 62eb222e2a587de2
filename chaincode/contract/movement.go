package contract

import (
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// IsMovement says whether an event moves its items, so that a hold on one of them refuses it (docs/rules.md, section 5).
// A transformation moves its inputs, and adds to its outputs. An error declaration moves nothing.
func IsMovement(e *event.Event) bool {
	if e.ErrorDeclaration != nil {
		return false
	}
	switch e.Type {
	case event.Transformation:
		return true
	case event.Aggregation, event.Association:
		if e.Action == event.Add {
			return true
		}
	}
	switch step := e.Step(); strings.ToLower(step[strings.LastIndexAny(step, ":/#-")+1:]) { // in whatever case and namespace
	case "shipping", "departing", "loading", "transporting", "consigning", "picking", "packing", "repackaging",
		"retail_selling", "dispensing", "assembling":
		return true
	}
	switch e.Step() {
	case "receiving", "arriving", "accepting", "unloading":
		return false
	}
	return len(e.Destinations) > 0
}

// checkHolds refuses a movement of anything that is held.
func (d *decision) checkHolds(e *event.Event, o *Outcome) error {
	if !IsMovement(e) {
		return nil
	}
	epoch, err := d.epoch()
	if err != nil || epoch.InForce == 0 {
		return err
	}
	into, err := d.holdsOnProcess(e)
	if err != nil {
		return err
	}
	d.work += into.looked
	inside := atOrNow(micros(e.Time))
	all, err := d.holdsOn(moved(e), inside)
	if err != nil {
		return err
	}
	together := all
	all.join(into)
	if all.free() {
		return nil
	}
	o.Violations = all.holds
	return d.reportHolds(e, inside, together, into, o)
}

// moved lists the nodes of an event's items, each once, without classes: those are never held.
func moved(e *event.Event) []string {
	items := e.Items()
	nodes := make([]string, 0, len(items))
	for i := range items {
		if items[i].Kind != gs1.Class {
			nodes = append(nodes, stopping(&items[i])...)
		}
	}
	if len(nodes) > 1 {
		slices.Sort(nodes)
		nodes = slices.Compact(nodes)
	}
	return nodes
}

// stopping lists the nodes of which a hold stops an item: its own, and the lot that its Digital Link names.
func stopping(item *event.Item) []string {
	if item.Lot == "" {
		return []string{prefixItem + item.Key}
	}
	return []string{prefixItem + item.Key, prefixItem + item.Lot}
}

// reportHolds refuses a movement item by item. Where telling the items apart takes too long, each is reported with
// what stops them together.
func (d *decision) reportHolds(e *event.Event, inside when, together, into stops, o *Outcome) error {
	looked := 0
	told := map[string]bool{}
	for _, item := range e.Items() {
		output := item.Role == event.RoleOutput
		if item.Kind == gs1.Class || told[item.Key] && !output {
			continue
		}
		told[item.Key] = true
		s := together
		if looked < maxLook && !together.free() {
			var err error
			if s, err = d.holdsOn(stopping(&item), inside); err != nil {
				return err
			}
			looked += s.looked
		}
		if output {
			s.join(into)
		}
		s.report(item.Key, "/event"+item.Place, o)
	}
	return nil
}

// holdsOnProcess finds what stops everything that the process of an event makes: downstream holds on what is known to
// have gone into it.
func (d *decision) holdsOnProcess(e *event.Event) (s stops, err error) {
	if e.Type != event.Transformation || e.TransformationID == "" || len(once(e, event.RoleOutput)) == 0 {
		return s, nil // all that goes into it is in the event
	}
	key := processOf(e)
	n, err := d.node(key)
	if err != nil {
		return s, err
	}
	return s, d.holdsAt(key, n, &s)
}

// free says that nothing stops.
func (s *stops) free() bool { return len(s.holds) == 0 && !s.undecided }

func (s *stops) join(t stops) {
	s.holds = slices.Clone(s.holds)
	for _, hold := range t.holds {
		s.add(hold)
	}
	s.undecided = s.undecided || t.undecided
}

// report refuses a record because of what stops an item.
func (s *stops) report(item, place string, o *Outcome) {
	switch {
	case len(s.holds) > 0:
		o.refuse(CodeLotHeld, place, item, item+" may not be moved: held by "+strings.Join(s.holds, ", "))
	case s.undecided:
		o.refuse(CodeHoldUndecided, place, item, "too much is inside "+item+", or went into it, to find out whether it is held: send the event again once the holds have spread")
	}
}
