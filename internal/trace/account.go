package trace

import (
	"cmp"
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// States of a holding.
const (
	StateHeld      = "held"
	StateInTransit = "in_transit"
)

// account keeps where how much of one item is (docs/rules.md, section 4).
type account struct {
	item string
	held map[slot]*balance
	out  map[outSlot]outflow
	last map[*stay]moment        // the last event that moved it with what it was inside of
	gone map[*stay]bool          // it left the chain with what it was inside of
	told map[slot]map[unit]*told // by where it goes, of any unit; nil until a step tells of it
}

func newAccount(item string) *account {
	return &account{item: item, held: map[slot]*balance{}, out: map[outSlot]outflow{}, last: map[*stay]moment{}, gone: map[*stay]bool{}}
}

// slot is a place and unit: units are never converted.
type slot struct {
	site, state string
	unit        unit
}

// unit is a unit of measure, or that an amount was not stated.
type unit struct {
	uom      string
	unstated bool
}

// last orders an amount that is not stated after those that are.
func (u unit) last() int {
	if u.unstated {
		return 1
	}
	return 0
}

type balance struct {
	quantity event.Decimal // not stated if the unit says so
	party    string
	since    moment
}

type outSlot struct {
	fate Fate
	uom  string
}

type outflow struct {
	quantity event.Decimal
	unstated int
}

// amount is so much of an item in an event. one: it is one thing, of which there cannot be two.
type amount struct {
	unit     unit
	quantity event.Decimal
	one      bool
}

// departures and arrivals are the business steps that move an item away from and to a site.
var (
	departures = []string{"shipping", "departing", "loading", "transporting"}
	arrivals   = []string{"receiving", "arriving", "accepting", "unloading"}
)

// apply books what happened to the item, in order.
func (a *account) apply(steps []step, bodies map[EventID]*event.Event) {
	for ofEvent := range chunkBy(steps, func(s step) moment { return s.moment }) {
		a.book(bodies[ofEvent[0].event], ofEvent, bodies)
	}
}

// book books one event: what it says of the item itself, else of all that it was inside of together.
func (a *account) book(e *event.Event, steps []step, bodies map[EventID]*event.Event) {
	at, named := steps[0].moment, steps[0].ride == nil
	if named {
		a.own(e, at)
	}
	var used, moved []amount
	for _, s := range steps {
		if s.ride == nil || a.gone[s.ride.stay] || a.last[s.ride.stay] == at {
			continue
		}
		in := s.ride.stay
		a.last[in] = at
		a.gone[in] = s.role == RoleInput || fateOf(e) != ""
		switch {
		case named: // it moves only as the event says of itself
		case s.role == RoleInput:
			used = sum(used, wentIn(a.item, in, at, bodies))
		default: // that a carrier is made says nothing of what is inside
			moved = sum(moved, wentIn(a.item, in, at, bodies))
		}
	}
	a.takeAway(cmp.Or(e.LocationKey(), e.ReadPointKey()), used, Consumed)
	a.move(e, moved, at)
}

// own books an event that names the item.
func (a *account) own(e *event.Event, at moment) {
	site := cmp.Or(e.LocationKey(), e.ReadPointKey())
	a.takeAway(site, amounts(e, a.item, event.RoleInput), Consumed)
	for _, x := range amounts(e, a.item, event.RoleOutput) {
		a.put(slot{site: site, state: StateHeld}, "", x, at)
	}
	rest := amounts(e, a.item, event.RoleObject, event.RoleParent, event.RoleChild)
	if e.Type == event.Object && e.Action == event.Add {
		for _, x := range rest {
			a.put(slot{site: site, state: StateHeld}, "", x, at)
		}
		return
	}
	a.move(e, rest, at)
}

// wentIn is how much of an item went in during a stay before a moment.
func wentIn(item string, in *stay, before moment, bodies map[EventID]*event.Event) (list []amount) {
	for _, id := range in.events {
		e := bodies[id]
		if e.Action == event.Add && (moment{e.Time.UnixMicro(), id}).compare(before) < 0 {
			list = sum(list, amounts(e, item, event.RoleChild))
		}
	}
	return list
}

// move books an event that says where the item is or goes.
func (a *account) move(e *event.Event, list []amount, at moment) {
	party := cmp.Or(e.DestinationOf("owning_party"), e.DestinationOf("possessing_party"))
	destination := cmp.Or(e.DestinationOf("location"), e.DestinationOf("possessing_party"), e.DestinationOf("owning_party"))
	site, source := cmp.Or(e.LocationKey(), e.ReadPointKey()), e.SourceOf("location")
	from, to := a.transits(e, site), slot{site: site, state: StateHeld}
	switch step := e.Step(); {
	case fateOf(e) != "":
		a.takeAway(site, list, fateOf(e))
		return
	case destination != "" && slices.Contains(departures, step):
		from = []slot{{site: cmp.Or(e.ReadPointKey(), site, source), state: StateHeld}, {site: source, state: StateHeld}}
		a.moveNews(step, list, from, slot{site: destination, state: StateInTransit}, party, at)
		return
	case slices.Contains(arrivals, step):
		to.site = cmp.Or(site, e.DestinationOf("location"))
		from = append(a.transits(e, to.site), slot{site: source, state: StateHeld})
		a.moveNews(step, list, from, to, party, at)
		return
	case a.holds(site):
		return
	}
	for _, x := range list {
		a.transfer(x, from, to, party, at)
	}
}

// transits are the places that goods on their way to a site may be booked under: the site, and the party that the event
// itself calls the destination, for shipments that stated no more than that.
func (a *account) transits(e *event.Event, site string) []slot {
	var slots []slot
	for _, to := range []string{site, e.DestinationOf("possessing_party"), e.DestinationOf("owning_party")} {
		s := slot{site: to, state: StateInTransit}
		if to != "" && !slices.Contains(slots, s) {
			slots = append(slots, s)
		}
	}
	return slots
}

// fateOf says how an event ends the way of what it names, "" if it does not.
func fateOf(e *event.Event) Fate {
	switch step := e.Step(); {
	case step == "retail_selling":
		return Sold
	case step == "destroying", e.Type == event.Object && e.Action == event.Delete:
		return Destroyed
	}
	return ""
}

func (a *account) holds(site string) bool {
	for s := range a.held {
		if s.site == site && s.state == StateHeld {
			return true
		}
	}
	return false
}

// takeAway books what leaves the chain.
func (a *account) takeAway(site string, list []amount, fate Fate) {
	for _, x := range list {
		a.take(slot{site: site, state: StateHeld}, x)
		at := outSlot{fate, x.unit.uom}
		o := a.out[at]
		if total, ok := o.quantity.Add(x.quantity); ok && !x.unit.unstated {
			o.quantity = total
		} else {
			o.unstated++
		}
		a.out[at] = o
	}
}

// transfer moves an amount to a place, taken from the places given as far as they hold it. An amount that is not stated is
// all that they hold; where they hold none it appears, unless the place holds some already. It returns what it moved.
func (a *account) transfer(x amount, from []slot, to slot, party string, at moment) (moved []amount) {
	if !x.unit.unstated {
		rest := x
		for _, s := range from {
			var taken []taken
			taken, rest = a.take(s, rest)
			for _, t := range taken {
				party = cmp.Or(party, t.party)
			}
		}
		a.put(to, party, x, at)
		return []amount{x}
	}
	for _, s := range from {
		all, _ := a.take(s, x)
		for _, t := range all {
			a.put(to, cmp.Or(party, t.party), t.amount, at)
			moved = append(moved, t.amount)
		}
		if len(moved) > 0 {
			return moved
		}
	}
	if to.state == StateInTransit || !a.holds(to.site) {
		a.put(to, party, x, at)
		return []amount{x}
	}
	return nil
}

type taken struct {
	amount
	party string
}

// take removes an amount from a place as far as it is there and returns what is still to be found.
func (a *account) take(at slot, x amount) (all []taken, rest amount) {
	if x.unit.unstated {
		for _, s := range a.slots() {
			if s.site == at.site && s.state == at.state {
				b := a.held[s]
				all = append(all, taken{amount{unit: s.unit, quantity: b.quantity}, b.party})
				delete(a.held, s)
			}
		}
		return all, x
	}
	if x.quantity.Sign() <= 0 {
		return nil, x
	}
	rest = x
	at.unit = x.unit
	b := a.held[at]
	if b == nil {
		// Of an amount that nobody stated any part may be taken, and nobody knows that it was the last.
		at.unit = unit{unstated: true}
		if b = a.held[at]; b == nil {
			return nil, x
		}
		rest.quantity = event.Int(0)
		return []taken{{x, b.party}}, rest
	}
	left, ok := b.quantity.Sub(x.quantity)
	if ok && left.Sign() > 0 {
		b.quantity = left
		rest.quantity = event.Int(0)
		return []taken{{x, b.party}}, rest
	}
	delete(a.held, at)
	rest.quantity, _ = x.quantity.Sub(b.quantity)
	return []taken{{amount{unit: x.unit, quantity: b.quantity}, b.party}}, rest
}

// put adds an amount to a place. A holding is as old as the first of it; an event without a place puts nothing anywhere.
func (a *account) put(s slot, party string, x amount, at moment) {
	if s.site == "" || !x.unit.unstated && x.quantity.Sign() <= 0 {
		return
	}
	s.unit = x.unit
	b := a.held[s]
	if b == nil {
		a.held[s] = &balance{quantity: x.quantity, party: party, since: at}
		return
	}
	b.party = cmp.Or(party, b.party)
	if total, ok := b.quantity.Add(x.quantity); ok && !x.one && !x.unit.unstated {
		b.quantity = total
	}
}

func (a *account) slots() []slot {
	slots := make([]slot, 0, len(a.held))
	for s := range a.held {
		slots = append(slots, s)
	}
	slices.SortFunc(slots, func(a, b slot) int {
		return cmp.Or(cmp.Compare(a.site, b.site), cmp.Compare(a.state, b.state), cmp.Compare(a.unit.uom, b.unit.uom), a.unit.last()-b.unit.last())
	})
	return slots
}

func (a *account) holdings() []Holding {
	var list []Holding
	for _, s := range a.slots() {
		b := a.held[s]
		list = append(list, Holding{Item: a.item, Site: s.site, Party: b.party, Quantity: b.quantity.String(), UOM: s.unit.uom,
			State: s.state, Since: b.since.time, Event: b.since.event})
	}
	return list
}

func (a *account) outflows() []Outflow {
	var list []Outflow
	for at, o := range a.out {
		list = append(list, Outflow{Item: a.item, Fate: at.fate, Quantity: o.quantity.String(), UOM: at.uom, Unstated: o.unstated})
	}
	slices.SortFunc(list, func(a, b Outflow) int { return cmp.Or(cmp.Compare(a.Fate, b.Fate), cmp.Compare(a.UOM, b.UOM)) })
	return list
}

// amounts are what an event says of an item in some roles, one for each unit.
func amounts(e *event.Event, key string, roles ...event.Role) (list []amount) {
	items := e.Items()
	for i := range items {
		if it := &items[i]; it.Key == key && slices.Contains(roles, it.Role) {
			list = sum(list, []amount{amountOf(it)})
		}
	}
	return list
}

// amountOf reads a quantity. An identifier of one thing is one piece; a lot or class without a quantity is not stated.
func amountOf(it *event.Item) amount {
	switch {
	case it.Quantity.Stated:
		return amount{unit: unit{uom: it.UOM}, quantity: it.Quantity}
	case it.Kind == gs1.Lot, it.Kind == gs1.Class, strings.Contains(it.Place, "uantityList/"):
		return amount{unit: unit{unstated: true}}
	}
	return amount{quantity: event.Int(1), one: true}
}

// sum adds amounts unit by unit. One that is not stated comes last: it is what the others leave.
func sum(list, more []amount) []amount {
	for _, x := range more {
		i := slices.IndexFunc(list, func(have amount) bool { return have.unit == x.unit })
		if i < 0 {
			list = append(list, x)
			continue
		}
		if total, ok := list[i].quantity.Add(x.quantity); ok && !x.one && !x.unit.unstated {
			list[i].quantity = total
		}
	}
	slices.SortStableFunc(list, func(a, b amount) int { return a.unit.last() - b.unit.last() })
	return list
}
