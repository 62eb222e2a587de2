package trace

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// itemsPerRead is for how many items a scope reads events at once: enough to make round trips cheap, few enough that
// their events fit in memory.
const itemsPerRead = 1000

// Scope says who holds an item and what came of it (docs/rules.md, section 4). Limits are those of its forward trace.
// Errors: ErrUnknownItem, those of the graph and the reader.
func Scope(ctx context.Context, g Graph, events EventReader, item string, limits Limits) (*ScopeResult, error) {
	r, err := Run(ctx, g, Query{Item: item, Direction: Forward, Limits: limits})
	if err != nil {
		return nil, err
	}
	items := slices.DeleteFunc(r.Nodes, func(n Node) bool { return n.Carrier }) // they did not come of it
	s := &ScopeResult{Item: item, Items: len(items), Truncated: r.Truncated, NotFollowed: r.NotFollowed}
	slices.SortFunc(items, func(a, b Node) int { return cmp.Compare(a.Key, b.Key) })
	var proofs []moment
	for chunk := range slices.Chunk(items, itemsPerRead) {
		histories, bodies, err := readHistories(ctx, g, events, chunk)
		if err != nil {
			return nil, err
		}
		for _, n := range chunk {
			a := newAccount(n.Key)
			a.apply(histories[n.ID], bodies)
			for _, step := range histories[n.ID] {
				proofs = append(proofs, step.moment)
			}
			s.Holdings = append(s.Holdings, a.holdings()...)
			s.Outflows = append(s.Outflows, a.outflows()...)
		}
	}
	s.Events = inOrder(proofs)
	return s, nameOwners(ctx, events, s.Holdings)
}

func nameOwners(ctx context.Context, events EventReader, holdings []Holding) error {
	sites := make([]string, len(holdings))
	for i, h := range holdings {
		sites[i] = h.Site
	}
	slices.Sort(sites)
	sites = slices.Compact(sites)
	owners, err := events.SiteOwners(ctx, sites)
	if err != nil {
		return err
	}
	for i, h := range holdings {
		at, _ := slices.BinarySearch(sites, h.Site)
		holdings[i].Member = owners[at]
	}
	return nil
}

// step is an event that concerns an item: one that names it, or one that names what it was inside of.
type step struct {
	moment
	ride *ride // nil: the event names the item
	role Role  // of the carrier in the event
}

// before orders steps by moment; of one event what it says of the item itself comes first, then what it says of carriers,
// by when the item went in.
func (s step) before(o step) int {
	first := func(b bool) int {
		if b {
			return 0
		}
		return 1
	}
	if c := cmp.Or(s.compare(o.moment), first(s.ride == nil)-first(o.ride == nil)); c != 0 || s.ride == nil {
		return c
	}
	a, b := s.ride.stay, o.ride.stay
	return cmp.Or(moment{a.from, a.events[0]}.compare(moment{b.from, b.events[0]}), first(s.role == RoleInput)-first(o.role == RoleInput))
}

// ride says that an item was inside a carrier, directly or within others. Moments are compared exactly here: after the
// one at which it began, up to the one at which it ended.
type ride struct {
	item, carrier ItemID
	from, until   moment
	stay          *stay // of the item itself: what went in
}

// readHistories returns what happened to each item in order, and the events.
func readHistories(ctx context.Context, g Graph, reader EventReader, nodes []Node) (map[ItemID][]step, map[EventID]*event.Event, error) {
	items := make([]ItemID, len(nodes))
	for i, n := range nodes {
		items[i] = n.ID
	}
	slices.Sort(items)
	uses, err := g.Uses(ctx, items)
	if err != nil {
		return nil, nil, err
	}
	histories := map[ItemID][]step{}
	for _, u := range uses {
		histories[u.Item] = append(histories[u.Item], step{moment: moment{u.Time, u.Event}})
	}
	rides, err := readRides(ctx, g, items)
	if err != nil {
		return nil, nil, err
	}
	if err := addRides(ctx, g, histories, rides); err != nil {
		return nil, nil, err
	}
	var ids []EventID
	for _, steps := range histories {
		slices.SortStableFunc(steps, step.before) // stable: the nearest carrier first
		for _, s := range steps {
			ids = append(ids, s.event)
		}
	}
	for _, r := range rides {
		ids = append(ids, r.stay.events...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	list, err := reader.EventBodies(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	bodies := make(map[EventID]*event.Event, len(ids))
	for i, id := range ids {
		bodies[id] = list[i]
	}
	return histories, bodies, nil
}

// readRides finds what the items were inside of, the nearest carriers first.
func readRides(ctx context.Context, g Graph, items []ItemID) ([]*ride, error) {
	var rides []*ride
	type leg struct {
		stay        *stay
		carrier     ItemID
		from, until moment
	}
	seen := map[leg]bool{} // containment may be recorded in circles
	latest := make([]*ride, len(items))
	for i, item := range items {
		latest[i] = &ride{item: item, carrier: item, from: moment{always, 0}, until: moment{never, math.MaxInt64}}
	}
	for len(latest) > 0 {
		inside := map[ItemID][]*ride{}
		for _, r := range latest {
			inside[r.carrier] = append(inside[r.carrier], r)
		}
		statements, err := g.Carriers(ctx, sortedKeys(inside))
		if err != nil {
			return nil, err
		}
		latest = nil
		for _, in := range stays(statements) {
			for _, r := range inside[in.child] {
				next := r.within(in)
				l := leg{next.stay, next.carrier, next.from, next.until}
				if in.observed || next.from.compare(next.until) >= 0 || seen[l] {
					continue
				}
				seen[l] = true
				latest = append(latest, next)
			}
		}
		rides = append(rides, latest...)
	}
	return rides, nil
}

// within is the ride in the carrier of the carrier.
func (r *ride) within(in stay) *ride {
	from, until := moment{in.from, in.events[0]}, moment{in.until, in.end}
	if in.end == 0 {
		until.event = math.MaxInt64
	}
	next := &ride{item: r.item, carrier: in.parent, from: from, until: until, stay: r.stay}
	if r.from.compare(from) > 0 {
		next.from = r.from
	}
	if r.until.compare(until) < 0 {
		next.until = r.until
	}
	if r.stay == nil {
		next.stay = &in
	}
	return next
}

// addRides adds the events of the carriers to the histories of the items that they carried at the time.
func addRides(ctx context.Context, g Graph, histories map[ItemID][]step, rides []*ride) error {
	carriers := map[ItemID][]Use{}
	for _, r := range rides {
		carriers[r.carrier] = nil
	}
	uses, err := g.Uses(ctx, sortedKeys(carriers))
	if err != nil {
		return err
	}
	for group := range chunkBy(uses, func(u Use) ItemID { return u.Item }) {
		carriers[group[0].Item] = group
	}
	for _, r := range rides {
		all := carriers[r.carrier]
		first, _ := slices.BinarySearchFunc(all, r.from, func(u Use, m moment) int { return moment{u.Time, u.Event}.compare(m) })
		for _, u := range all[first:] {
			m := moment{u.Time, u.Event}
			if m.compare(r.until) > 0 {
				break
			}
			if m != r.from {
				histories[r.item] = append(histories[r.item], step{m, r, u.Role})
			}
		}
	}
	return nil
}

func sortedKeys[V any](m map[ItemID]V) []ItemID {
	keys := make([]ItemID, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
