package contract

import (
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
	case event.Association:
		return e.Action == event.Add
	case event.Aggregation:
		if e.Action == event.Add {
			return true
		}
	}
	switch e.Step() {
	case "shipping", "departing", "loading", "transporting", "consigning", "picking", "packing", "repackaging",
		"retail_selling", "dispensing", "assembling":
		return true
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
	var all stops
	inside := nowOrAt(micros(e.Time))
	type ask struct {
		key    string
		output bool
	}
	asked := map[ask]bool{}
	for _, item := range e.Items() {
		a := ask{item.Key, item.Role == event.RoleOutput}
		if item.Kind == gs1.Class || asked[a] {
			continue
		}
		asked[a] = true
		s, err := d.holdsOn(prefixItem+item.Key, inside)
		if err != nil {
			return err
		}
		if a.output {
			s.join(into)
		}
		s.report(item.Key, "/event"+item.Place, o)
		all.join(s)
	}
	o.Violations = all.holds
	return nil
}

// holdsOnProcess finds what stops everything that the process of an event makes: downstream holds on what is known to
// have gone into it.
func (d *decision) holdsOnProcess(e *event.Event) (s stops, err error) {
	if e.Type != event.Transformation || e.TransformationID == "" {
		return s, nil // all that goes into it is in the event
	}
	key := processOf(e)
	n, err := d.node(key)
	if err != nil {
		return s, err
	}
	return s, d.holdsAt(key, n, &s)
}

func (s *stops) join(t stops) {
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
		o.refuse(CodeHoldUndecided, place, item, "whether "+item+" is held takes too much to find out while a hold is spreading: send the event again later")
	}
}
