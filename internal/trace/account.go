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

// apply books an event.
func (a *account) apply(s step, bodies map[EventID]*event.Event) {
	e := bodies[s.event]
	if s.ride != nil {
		a.ride(s, e, bodies)
		return
	}
	in := amounts(e, a.item, event.RoleInput)
	out := amounts(e, a.item, event.RoleOutput)
	rest := amounts(e, a.item, event.RoleObject, event.RoleParent, event.RoleChild)
	a.takeAway(e, in, Consumed)
	for _, x := range out {
		a.put(firstOf(e.LocationKey(), e.ReadPointKey()), StateHeld, "", x, s.moment)
	}
	if len(rest) == 0 {
		return
	}
	switch object := e.Type == event.Object; {
	case object && e.Action == event.Add:
		for _, x := range rest {
			a.put(firstOf(e.LocationKey(), e.ReadPointKey()), StateHeld, "", x, s.moment)
		}
	case object && e.Action == event.Delete && fateOf(e) == "":
		a.takeAway(e, rest, Destroyed)
	default:
		a.move(e, rest, s.moment)
	}
}

// ride books an event of what the item was inside of: it moves with it, in the quantity that went in. That the carrier is
// made or ends says nothing about what is inside.
func (a *account) ride(s step, e *event.Event, bodies map[EventID]*event.Event) {
	var inside []amount
	for _, id := range s.ride.stay.events {
		put := bodies[id]
		if put.Action == event.Add && (moment{put.Time.UnixMicro(), id}).compare(s.moment) < 0 {
			inside = sum(inside, amounts(put, a.item, event.RoleChild))
		}
	}
	if s.role == RoleInput {
		a.takeAway(e, inside, Consumed)
		return
	}
	a.move(e, inside, s.moment)
}

// move books an event that says where the item is or goes.
func (a *account) move(e *event.Event, list []amount, at moment) {
	party := firstOf(e.DestinationOf("owning_party"), e.DestinationOf("possessing_party"))
	destination := firstOf(e.DestinationOf("location"), e.DestinationOf("possessing_party"), e.DestinationOf("owning_party"))
	site := firstOf(e.LocationKey(), e.ReadPointKey())
	step := e.Step()
	switch {
	case fateOf(e) != "":
		a.takeAway(e, list, fateOf(e))
	case destination != "" && slices.Contains(departures, step):
		from := a.holder(e.ReadPointKey(), e.LocationKey(), e.SourceOf("location"))
		for _, x := range list {
			a.transfer(x, []slot{{site: from, state: StateHeld}}, slot{site: destination, state: StateInTransit}, party, at)
		}
	case slices.Contains(arrivals, step):
		if site = firstOf(site, e.DestinationOf("location")); site == "" {
			return
		}
		from := a.transits(e, site)
		if source := e.SourceOf("location"); source != "" {
			from = append(from, slot{site: source, state: StateHeld})
		}
		for _, x := range list {
			a.transfer(x, from, slot{site: site, state: StateHeld}, party, at)
		}
	case site != "" && !a.holds(e.LocationKey()) && !a.holds(e.ReadPointKey()):
		for _, x := range list {
			a.transfer(x, a.transits(e, site), slot{site: site, state: StateHeld}, party, at)
		}
	}
}

// transits are the places that goods on their way to a site may be booked under: the site, and what the event itself calls
// the destination.
func (a *account) transits(e *event.Event, site string) []slot {
	var slots []slot
	for _, to := range []string{site, e.DestinationOf("location"), e.DestinationOf("possessing_party"), e.DestinationOf("owning_party")} {
		s := slot{site: to, state: StateInTransit}
		if to != "" && !slices.Contains(slots, s) {
			slots = append(slots, s)
		}
	}
	return slots
}

// fateOf says how a business step ends an item's way, whatever the action.
func fateOf(e *event.Event) Fate {
	switch e.Step() {
	case "retail_selling":
		return Sold
	case "destroying":
		return Destroyed
	}
	return ""
}

// holder is the first of the sites that holds the item, else the first that is stated.
func (a *account) holder(sites ...string) string {
	if i := slices.IndexFunc(sites, a.holds); i >= 0 {
		return sites[i]
	}
	return firstOf(sites...)
}

func (a *account) holds(site string) bool {
	if site == "" {
		return false
	}
	for s := range a.held {
		if s.site == site && s.state == StateHeld {
			return true
		}
	}
	return false
}

// takeAway books what leaves the chain.
func (a *account) takeAway(e *event.Event, list []amount, fate Fate) {
	site := a.holder(e.LocationKey(), e.ReadPointKey())
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
// all that they hold; where they hold none it appears, unless the place holds some already.
func (a *account) transfer(x amount, from []slot, to slot, party string, at moment) {
	if !x.unit.unstated {
		rest := x
		for _, s := range from {
			var taken []taken
			taken, rest = a.take(s, rest)
			for _, t := range taken {
				party = firstOf(party, t.party)
			}
		}
		a.put(to.site, to.state, party, x, at)
		return
	}
	moved := false
	for _, s := range from {
		all, _ := a.take(s, x)
		for _, t := range all {
			a.put(to.site, to.state, firstOf(party, t.party), t.amount, at)
			moved = true
		}
		if moved {
			return
		}
	}
	if to.state == StateInTransit || !a.holds(to.site) {
		a.put(to.site, to.state, party, x, at)
	}
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

// put adds an amount to a place. A holding is as old as the first of it.
func (a *account) put(site, state, party string, x amount, at moment) {
	if !x.unit.unstated && x.quantity.Sign() <= 0 {
		return
	}
	s := slot{site, state, x.unit}
	b := a.held[s]
	if b == nil {
		a.held[s] = &balance{quantity: x.quantity, party: party, since: at}
		return
	}
	b.party = firstOf(party, b.party)
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
		known := func(s slot) int {
			if s.unit.unstated {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(a.site, b.site), cmp.Compare(a.state, b.state), cmp.Compare(a.unit.uom, b.unit.uom), known(a)-known(b))
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
	return list
}

func firstOf(texts ...string) string { return cmp.Or(texts...) }
