package simulate

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Slack is the uncertainty of times that a trace allows for (docs/rules.md, section 3).
const Slack = 24 * time.Hour

// Truth is what really happened in a world, told by the generator as it made things happen: not read from events.
// It is kept in memory: for small worlds.
type Truth struct {
	Lots []string // canonical keys in the order in which they were made

	ancestors map[string]map[string]span // what is in an item
	members   map[string]string          // instance → lot
	carried   map[string][]ride
	inside    map[string]map[string]int64 // unit → item → thousandths
	units     map[string]string           // item → unit of measure
	stock     map[Position]int64
	gone      map[[2]string]int64 // item, how → thousandths
}

// span is when something went from one item towards another: it left the first until left, and was in the second
// from arrived.
type span struct{ left, arrived time.Time }

// ride is a time that an item spent in a unit.
type ride struct {
	unit        string
	from, until time.Time
}

// Position is where some of an item is.
type Position struct {
	Item    string
	Site    string // canonical URI of the site, or of the destination
	Transit bool
}

// Amount is how much of an item is at a position, in thousandths of its unit.
type Amount struct {
	Position
	Milli int64
	Unit  string
}

func newTruth() *Truth {
	return &Truth{
		ancestors: map[string]map[string]span{}, members: map[string]string{}, carried: map[string][]ride{},
		inside: map[string]map[string]int64{}, units: map[string]string{}, stock: map[Position]int64{}, gone: map[[2]string]int64{},
	}
}

// End is later than everything that happens in a world. It stands for "still" too.
var End = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// pieces is what an event without a quantity moves.
const pieces = 1000

func (t *Truth) made(g goods, p *place) {
	if t == nil {
		return
	}
	t.units[g.id] = g.unit
	t.stock[Position{g.id, p.id, false}] += g.milli
}

func (t *Truth) member(item, lotID string, p *place) {
	if t == nil {
		return
	}
	t.members[item] = lotID
	t.made(goods{id: item, milli: pieces}, p)
}

// contents is what is in a unit at this moment, at any depth, with the unit itself.
func (t *Truth) contents(unit string) map[string]int64 {
	all := map[string]int64{unit: pieces}
	for item, milli := range t.inside[unit] {
		if _, isUnit := t.inside[item]; isUnit {
			add(all, t.contents(item))
		} else {
			all[item] += milli
		}
	}
	return all
}

func add(sums, more map[string]int64) {
	for item, milli := range more {
		sums[item] += milli
	}
}

// process mixes everything that goes in, and all that had gone into it, into everything that comes out.
func (t *Truth) process(p *place, pr process, earliest, latest time.Time) {
	if t == nil {
		return
	}
	used := map[string]int64{}
	for _, g := range pr.inputs {
		used[g.id] += g.milli
	}
	for _, u := range pr.units {
		add(used, t.contents(u))
	}
	mix := map[string]span{}
	for item, milli := range used {
		t.leave(Position{item, p.id, false}, milli)
		t.gone[[2]string{item, "consumed"}] += milli
		t.flowInto(mix, item, earliest, latest)
	}
	for _, out := range pr.outputs {
		t.made(out, p)
		if t.ancestors[out.id] == nil {
			t.ancestors[out.id] = map[string]span{}
		}
		for item, s := range mix {
			merge(t.ancestors[out.id], item, s)
		}
		delete(t.ancestors[out.id], out.id)
	}
}

// flowInto adds an input, its lot if it is an instance, and what they were made of, to a mix.
func (t *Truth) flowInto(mix map[string]span, item string, earliest, latest time.Time) {
	merge(mix, item, span{latest, earliest})
	for older, s := range t.ancestors[item] {
		merge(mix, older, span{s.left, earliest})
	}
	if lotID, ok := t.members[item]; ok {
		t.flowInto(mix, lotID, earliest, latest)
	}
}

func merge(into map[string]span, item string, s span) {
	old, ok := into[item]
	if !ok {
		into[item] = s
		return
	}
	if s.left.Before(old.left) {
		s.left = old.left
	}
	if s.arrived.After(old.arrived) {
		s.arrived = old.arrived
	}
	into[item] = s
}

func (t *Truth) packed(p *place, unit string, content []goods, units []string, at time.Time) {
	if t == nil {
		return
	}
	if t.inside[unit] == nil {
		t.inside[unit] = map[string]int64{}
	}
	t.appear(unit, p)
	for _, g := range content {
		t.inside[unit][g.id] += g.milli
		t.carried[g.id] = append(t.carried[g.id], ride{unit, at, End})
	}
	for _, u := range units {
		t.inside[unit][u] = pieces
		t.carried[u] = append(t.carried[u], ride{unit, at, End})
	}
}

// appear is the first use of a unit at a place.
func (t *Truth) appear(unit string, p *place) {
	if at := (Position{unit, p.id, false}); t.stock[at] == 0 {
		t.stock[at] = pieces
	}
}

func (t *Truth) unpacked(p *place, unit string, at time.Time) {
	if t == nil {
		return
	}
	t.appear(unit, p)
	for item := range t.inside[unit] {
		for i, r := range t.carried[item] {
			if r.unit == unit && r.until.Equal(End) {
				t.carried[item][i].until = at
			}
		}
	}
	clear(t.inside[unit])
}

// load is everything a delivery moves.
func (t *Truth) load(o order) map[string]int64 {
	all := map[string]int64{}
	for _, g := range o.goods {
		all[g.id] += g.milli
	}
	for _, u := range o.units {
		add(all, t.contents(u))
	}
	return all
}

func (t *Truth) sent(o order) {
	if t == nil {
		return
	}
	for item, milli := range t.load(o) {
		t.leave(Position{item, o.from.id, false}, milli)
		t.stock[Position{item, o.to.id, true}] += milli
	}
}

func (t *Truth) arrived(o order) {
	if t == nil {
		return
	}
	for item, milli := range t.load(o) {
		t.leave(Position{item, o.to.id, true}, milli)
		t.stock[Position{item, o.to.id, false}] += milli
	}
}

func (t *Truth) leave(at Position, milli int64) {
	if t.stock[at] -= milli; t.stock[at] <= 0 {
		delete(t.stock, at)
	}
}

func (t *Truth) left(p *place, list []goods, items []string, how string) {
	if t == nil {
		return
	}
	for _, g := range list {
		t.leave(Position{g.id, p.id, false}, g.milli)
		t.gone[[2]string{g.id, how}] += g.milli
	}
	for _, item := range items {
		t.leave(Position{item, p.id, false}, pieces)
		t.gone[[2]string{item, how}] += pieces
	}
}

// composition is everything an item was made of: what went in, and for an instance its lot and what that was made of.
func (t *Truth) composition(item string) map[string]span {
	all := maps.Clone(t.ancestors[item])
	if all == nil {
		all = map[string]span{}
	}
	if lotID, ok := t.members[item]; ok {
		merge(all, lotID, span{End, time.Time{}})
		for older, s := range t.ancestors[lotID] {
			merge(all, older, s)
		}
	}
	return all
}

// Back is everything that an item was made of, and the units in which any of it travelled before it was used.
func (t *Truth) Back(item string) (items, carriers []string) {
	parts := t.composition(item)
	parts[item] = span{End, time.Time{}}
	found := map[string]bool{}
	for part, s := range parts {
		t.carriersOf(found, part, time.Time{}, s.left.Add(Slack))
	}
	return split(parts, item, found)
}

// Forward is everything that was made of an item, and the units in which any of that travelled after it was made.
func (t *Truth) Forward(item string) (items, carriers []string) {
	parts := map[string]span{item: {}}
	for other := range t.everything() {
		if s, ok := t.composition(other)[item]; ok {
			parts[other] = s
		}
	}
	found := map[string]bool{}
	for part, s := range parts {
		t.carriersOf(found, part, s.arrived.Add(-Slack), End)
	}
	return split(parts, item, found)
}

func (t *Truth) everything() map[string]bool {
	all := map[string]bool{}
	for item := range t.ancestors {
		all[item] = true
	}
	for item := range t.members {
		all[item] = true
	}
	return all
}

// carriersOf finds the units an item was in at some time between from and until, and what these were in meanwhile.
func (t *Truth) carriersOf(found map[string]bool, item string, from, until time.Time) {
	for _, r := range t.carried[item] {
		if r.from.After(until) || r.until.Before(from) {
			continue
		}
		found[r.unit] = true
		t.carriersOf(found, r.unit, latest(from, r.from), earliest(until, r.until))
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func split(parts map[string]span, item string, found map[string]bool) (items, carriers []string) {
	for part := range parts {
		if part != item {
			items = append(items, part)
		}
		delete(found, part)
	}
	slices.Sort(items)
	return items, slices.Sorted(maps.Keys(found))
}

// Holdings is where an item is at the end, in the order of sites.
func (t *Truth) Holdings(item string) []Amount {
	var list []Amount
	for at, milli := range t.stock {
		if at.Item == item {
			list = append(list, Amount{at, milli, t.units[item]})
		}
	}
	slices.SortFunc(list, func(a, b Amount) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(boolInt(a.Transit), boolInt(b.Transit)))
	})
	return list
}

// Gone is how much of an item left the chain, in thousandths of a unit: sold, consumed, destroyed.
func (t *Truth) Gone(item, how string) (milli int64, unit string) {
	return t.gone[[2]string{item, how}], t.units[item]
}

// Things are all lots and instances, sorted.
func (t *Truth) Things() []string {
	return slices.Sorted(maps.Keys(t.units))
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
