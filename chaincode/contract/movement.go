package contract

import (
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// IsMovement says whether an event moves its items, so that a hold on one of them refuses it (docs/rules.md, section 5).
// A transformation moves its inputs, and adds to its outputs.
func IsMovement(e *event.Event) bool {
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
	var all stops
	asked := map[string]bool{}
	for _, item := range e.Items() {
		if item.Kind == gs1.Class || asked[item.Key] {
			continue
		}
		asked[item.Key] = true
		s, err := d.holdsOn(prefixItem + item.Key)
		if err != nil {
			return err
		}
		s.report(item.Key, "/event"+item.Place, o)
		all.join(s)
	}
	if e.Type == event.Transformation && len(all.holds) == 0 {
		s, err := d.holdsOnOutputs(e)
		if err != nil {
			return err
		}
		for _, item := range e.Items() {
			if item.Role == event.RoleOutput && item.Kind != gs1.Class {
				s.report(item.Key, "/event"+item.Place, o)
				all.join(s)
			}
		}
	}
	o.Violations = all.holds
	return nil
}

// holdsOnOutputs finds what stops everything that a process makes: downstream holds on what is known to have gone into it.
func (d *decision) holdsOnOutputs(e *event.Event) (s stops, err error) {
	if e.TransformationID == "" {
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
