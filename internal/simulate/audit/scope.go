package audit

import (
	"cmp"
	"slices"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// place is a site, or the way to a site or party.
type place struct {
	id      string
	transit bool
}

// balance is how much of one item in one unit is at a place.
type balance struct {
	amount  event.Decimal
	unknown bool // some of it was never counted
	since   int64
}

// exit is a way out of the chain.
type exit struct {
	item string
	fate trace.Fate
	unit string
}

// Books are where everything is, by replaying the events in order of event time.
type Books struct {
	stock   map[string]map[place]map[string]*balance // item → place → unit
	left    map[exit]*leaving
	boxes   map[string]map[string][]share // parent → child → what went in
	reports map[string][]report           // item → what was told of departures and arrivals
}

// leaving is how much went one way out.
type leaving struct {
	amount  event.Decimal
	unknown int // events that did not say how much
}

// share is an amount in a unit.
type share struct {
	amount  event.Decimal
	unit    string
	unknown bool
	thing   bool
}

func (u use) share() share { return share{u.amount, u.unit, u.unknown, u.kind == thing} }

// Books replays all events that count, once until the next Add.
func (a *Auditor) Books() *Books {
	if a.books == nil {
		a.books = a.replayAll()
	}
	return a.books
}

func (a *Auditor) replayAll() *Books {
	b := &Books{
		stock: map[string]map[place]map[string]*balance{}, left: map[exit]*leaving{}, boxes: map[string]map[string][]share{},
		reports: map[string][]report{},
	}
	for _, n := range a.counting(a.events) {
		b.replay(n)
	}
	return b
}

// moved is what an event says of one item in one role, its own amounts and those in the units it names together.
type moved struct {
	item   string
	role   role
	shares []share
}

func (b *Books) replay(n *entry) {
	named := map[string]bool{}
	for _, u := range n.uses {
		named[u.item] = true
	}
	var all []*moved
	for _, u := range n.uses {
		if u.kind != class {
			all = add(all, u.item, u.role, u.share())
			all = b.addContents(all, u.item, u.role, named)
		}
	}
	var gone []string
	for _, m := range all {
		if b.apply(n, m) {
			gone = append(gone, m.item)
		}
	}
	for _, unit := range gone {
		b.empty(unit)
	}
	if n.containment() {
		b.box(n)
	}
}

// add keeps one entry for each item and role, and in it one share for each unit of measure. A thing is one piece, however
// often somebody says so.
func add(all []*moved, item string, r role, s share) []*moved {
	i := slices.IndexFunc(all, func(m *moved) bool { return m.item == item && m.role == r })
	if i < 0 {
		return append(all, &moved{item, r, []share{s}})
	}
	all[i].shares = addShare(all[i].shares, s)
	return all
}

func addShare(list []share, s share) []share {
	i := slices.IndexFunc(list, func(o share) bool { return o.unit == s.unit })
	switch {
	case i < 0:
		return append(list, s)
	case !s.thing:
		list[i].amount, list[i].unknown = sum(list[i].amount, s.amount), list[i].unknown || s.unknown
	}
	return list
}

// addContents: what is inside a unit moves with it, but what the event names itself moves as it says.
func (b *Books) addContents(all []*moved, unit string, r role, named map[string]bool) []*moved {
	for _, c := range sortedKeys(b.boxes[unit]) {
		if named[c] {
			continue
		}
		for _, s := range b.boxes[unit][c] {
			all = add(all, c, r, s)
		}
		all = b.addContents(all, c, r, named)
	}
	return all
}

// empty forgets the contents of a unit that left the chain: they left with it.
func (b *Books) empty(unit string) {
	inside := b.boxes[unit]
	delete(b.boxes, unit)
	for c := range inside {
		b.empty(c)
	}
}

// box keeps the contents of units.
func (b *Books) box(n *entry) {
	for _, p := range n.in(parent) {
		if b.boxes[p] == nil {
			b.boxes[p] = map[string][]share{}
		}
		switch n.event.Action {
		case event.Add:
			for _, u := range n.uses {
				if u.role == child && u.kind != class {
					b.boxes[p][u.item] = addShare(b.boxes[p][u.item], u.share())
				}
			}
		case event.Delete:
			if !n.namesChildren() {
				delete(b.boxes, p)
			}
			for _, c := range n.in(child) {
				delete(b.boxes[p], c)
			}
		}
	}
}

// apply is the list of section 4 for one item of one event: the first line that fits. It says whether the item left the chain.
func (b *Books) apply(n *entry, m *moved) (gone bool) {
	e, r := n.event, m.role
	site, readPoint := keyOf(e.BizLocation), keyOf(e.ReadPoint)
	here := place{id: cmp.Or(site, readPoint)}
	step := word(e.BizStep)
	var move func(share)
	switch {
	case r == output || r == object && e.Type == event.Object && e.Action == event.Add:
		move = func(s share) { b.put(n, m.item, here, s) }
	case r == input:
		move, gone = func(s share) { b.leave(m.item, trace.Consumed, here, s) }, true
	case step == "retail_selling":
		move, gone = func(s share) { b.leave(m.item, trace.Sold, here, s) }, true
	case step == "destroying" || e.Type == event.Object && e.Action == event.Delete:
		move, gone = func(s share) { b.leave(m.item, trace.Destroyed, here, s) }, true
	case slices.Contains([]string{"shipping", "departing", "loading", "transporting"}, step) && len(e.Destinations) > 0:
		from := place{id: cmp.Or(readPoint, site, sourceLocation(e))}
		move = func(s share) { b.carry(n, m.item, s, place{destination(e), true}, from) }
	case slices.Contains(arrivingSteps, step):
		here.id = cmp.Or(here.id, destinationLocation(e))
		move = func(s share) { b.carry(n, m.item, s, here, place{here.id, true}) }
	case len(b.stock[m.item][here]) > 0: // seen where it is
		return false
	default: // seen where it was not
		move = func(s share) {
			if s.unknown {
				b.shiftAll(n, m.item, here, place{here.id, true})
				return
			}
			b.take(m.item, place{here.id, true}, s)
			b.put(n, m.item, here, s)
		}
	}
	for _, rest := range []bool{false, true} { // an amount that is not stated is what the others leave
		for _, s := range m.shares {
			if s.unknown == rest {
				move(s)
			}
		}
	}
	return gone
}

// put adds an amount at a place. An event without a place moves nothing.
func (b *Books) put(n *entry, item string, at place, s share) {
	if at.id == "" {
		return
	}
	if b.stock[item] == nil {
		b.stock[item] = map[place]map[string]*balance{}
	}
	if b.stock[item][at] == nil {
		b.stock[item][at] = map[string]*balance{}
	}
	held := b.stock[item][at][s.unit]
	if held == nil {
		held = &balance{since: n.time}
		b.stock[item][at][s.unit] = held
	}
	held.amount = sum(held.amount, s.amount)
	if s.thing {
		held.amount = event.Int(1) // it exists once, however often it is reported
	}
	held.unknown = held.unknown || s.unknown
}

// take takes an amount from a place, as far as it is there, and returns what was not there. An amount that is not stated
// takes everything.
func (b *Books) take(item string, at place, s share) (rest share) {
	units := b.stock[item][at]
	if s.unknown {
		delete(b.stock[item], at)
		return s
	}
	held := units[s.unit]
	if held == nil {
		return s
	}
	if !held.unknown && held.amount.Cmp(s.amount) <= 0 {
		delete(units, s.unit)
		rest = share{amount: sum(s.amount, held.amount.Neg()), unit: s.unit}
	} else {
		held.amount = sum(held.amount, s.amount.Neg())
		rest = share{amount: event.Int(0), unit: s.unit}
	}
	if len(units) == 0 {
		delete(b.stock[item], at)
	}
	return rest
}

func (b *Books) leave(item string, fate trace.Fate, from place, s share) {
	b.take(item, from, s)
	l := b.left[exit{item, fate, s.unit}]
	if l == nil {
		l = &leaving{}
		b.left[exit{item, fate, s.unit}] = l
	}
	l.amount = sum(l.amount, s.amount)
	if s.unknown {
		l.unknown++
	}
}

// sum adds; the simulated amounts stay far inside the range.
func sum(x, y event.Decimal) event.Decimal {
	if !x.Stated {
		return y
	}
	if !y.Stated {
		return x
	}
	z, _ := x.Add(y)
	return z
}

func keyOf(p *event.Place) string {
	if p == nil {
		return ""
	}
	return canonical(p.ID)
}

func sourceLocation(e *event.Event) string {
	for _, s := range e.Sources {
		if word(s.Type) == "location" {
			return canonical(s.Source)
		}
	}
	return ""
}

func destinationLocation(e *event.Event) string { return destinationOf(e, "location") }

func destination(e *event.Event) string {
	return cmp.Or(destinationLocation(e), destinationOf(e, "possessing_party"), destinationOf(e, "owning_party"))
}

func destinationOf(e *event.Event, typ string) string {
	for _, d := range e.Destinations {
		if word(d.Type) == typ {
			return canonical(d.Destination)
		}
	}
	return ""
}

// Holdings are where an item is, by site, state and unit. Party and Member are left empty.
func (b *Books) Holdings(item string) (list []trace.Holding) {
	for at, units := range b.stock[item] {
		for unit, held := range units {
			h := trace.Holding{Item: item, Site: at.id, UOM: unit, State: "held", Since: held.since}
			if at.transit {
				h.State = "in_transit"
			}
			if !held.unknown {
				h.Quantity = held.amount.String()
			}
			list = append(list, h)
		}
	}
	slices.SortFunc(list, compareHoldings)
	return list
}

func compareHoldings(x, y trace.Holding) int {
	return cmp.Or(cmp.Compare(x.Item, y.Item), cmp.Compare(x.Site, y.Site), cmp.Compare(x.State, y.State), cmp.Compare(x.UOM, y.UOM))
}

// Outflows are what left the chain of an item, by fate and unit.
func (b *Books) Outflows(item string) (list []trace.Outflow) {
	for way, l := range b.left {
		if way.item != item {
			continue
		}
		o := trace.Outflow{Item: item, Fate: way.fate, UOM: way.unit, Unstated: l.unknown}
		if l.amount.Stated {
			o.Quantity = l.amount.String()
		}
		list = append(list, o)
	}
	slices.SortFunc(list, func(x, y trace.Outflow) int { return cmp.Or(cmp.Compare(x.Fate, y.Fate), cmp.Compare(x.UOM, y.UOM)) })
	return list
}
