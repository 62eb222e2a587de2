package sqlindex

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// collect runs a query for a list of numbers, {ids}, and scans each row.
func collect[T any, N ~int64](ctx context.Context, ix *Index, query string, list []N, scan func(*sql.Rows, *T) error) ([]T, error) {
	if len(list) == 0 {
		return nil, nil
	}
	numbers := make([]int64, len(list))
	for i, n := range list {
		numbers[i] = int64(n)
	}
	var all []T
	err := ix.read.each(ctx, query, []any{numbers}, func(rows *sql.Rows) error {
		var v T
		if err := scan(rows, &v); err != nil {
			return err
		}
		all = append(all, v)
		return nil
	})
	return all, err
}

// ItemIDs implements trace.Graph.
func (ix *Index) ItemIDs(ctx context.Context, keys []string) ([]trace.ItemID, error) {
	ids := make([]trace.ItemID, len(keys))
	for i, key := range keys {
		id, err := ix.itemID(ctx, key)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}

// itemID is 0 for an item that nothing names, and for one that the graph in memory does not have yet, so that a trace does
// not begin where it cannot go on.
func (ix *Index) itemID(ctx context.Context, key string) (trace.ItemID, error) {
	var id trace.ItemID
	if _, err := ix.read.one(ctx, "SELECT id FROM items WHERE key8 = ?1 AND key = ?2", []any{digest8(key), key}, &id); err != nil {
		return 0, err
	}
	return ix.memory.known(id), nil
}

// ItemKeys implements trace.Graph.
func (ix *Index) ItemKeys(ctx context.Context, ids []trace.ItemID) (keys []string, err error) {
	if !ix.memory.ask(func() { keys = ix.memory.itemKeys(ids) }) {
		keys, err = ix.storedKeys(ctx, ids)
	}
	if i := slices.Index(keys, ""); err == nil && i >= 0 {
		err = fmt.Errorf("index: no item has the number %d", ids[i])
	}
	return keys, err
}

func (ix *Index) storedKeys(ctx context.Context, ids []trace.ItemID) ([]string, error) {
	return collect(ctx, ix, "SELECT coalesce(i.key, '') FROM {ids} LEFT JOIN items i ON i.id = j.value ORDER BY j.key", ids,
		func(r *sql.Rows, key *string) error { return r.Scan(key) })
}

func scanUse(r *sql.Rows, u *trace.Use) error {
	return r.Scan(&u.Item, &u.Event, &u.Process, &u.Role, &u.Time)
}

// Uses implements trace.Graph. The order comes from the primary key: the join visits the items one after another.
func (ix *Index) Uses(ctx context.Context, items []trace.ItemID) (out []trace.Use, err error) {
	if ix.memory.ask(func() { out = ix.memory.usesOf(items) }) {
		return out, nil
	}
	return collect(ctx, ix, `SELECT u.item, u.event, u.process, u.role, u.time FROM {ids} {each} uses u ON u.item = j.value
		WHERE u.void = 0 ORDER BY j.key, u.time, u.event`, items, scanUse)
}

// Partners implements trace.Graph.
func (ix *Index) Partners(ctx context.Context, processes []trace.ProcessID) (out []trace.Use, err error) {
	if ix.memory.ask(func() { out = ix.memory.partners(processes) }) {
		return out, nil
	}
	return collect(ctx, ix, `SELECT u.item, u.event, u.process, u.role, u.time FROM {ids} {each} uses u ON u.process = j.value AND u.process <> 0
		WHERE u.void = 0 ORDER BY j.key, u.time, u.event, u.item`, processes, scanUse)
}

// StreamUses implements trace.Streamer.
func (ix *Index) StreamUses(items []trace.ItemID, f func(trace.Use)) bool {
	return ix.memory.ask(func() { ix.memory.eachUse(items, f) })
}

// StreamPartners implements trace.Streamer.
func (ix *Index) StreamPartners(processes []trace.ProcessID, f func(trace.Use)) bool {
	return ix.memory.ask(func() { ix.memory.eachPartner(processes, f) })
}

func scanContainment(r *sql.Rows, c *trace.Containment) error {
	return r.Scan(&c.Parent, &c.Child, &c.Event, &c.Action, &c.Time)
}

// Contents implements trace.Graph.
func (ix *Index) Contents(ctx context.Context, parents []trace.ItemID) (out []trace.Containment, err error) {
	if ix.memory.ask(func() { out = ix.memory.contents(parents) }) {
		return out, nil
	}
	return collect(ctx, ix, `SELECT c.parent, c.child, c.event, c.action, c.time FROM {ids} {each} containments c ON c.parent = j.value
		WHERE c.void = 0 ORDER BY j.key, c.time, c.event`, parents, scanContainment)
}

// Carriers implements trace.Graph.
func (ix *Index) Carriers(ctx context.Context, children []trace.ItemID) (all []trace.Containment, err error) {
	if ix.memory.ask(func() { all = ix.memory.carriers(children) }) {
		return all, nil
	}
	all, err = collect(ctx, ix, `SELECT c.parent, c.child, c.event, c.action, c.time FROM {ids} {each} containments c ON c.child = j.value AND c.child <> 0
		WHERE c.void = 0 ORDER BY j.key, c.time, c.event`, children, scanContainment)
	if err != nil {
		return nil, err
	}
	var parents []trace.ItemID
	for _, c := range all {
		parents = append(parents, c.Parent)
	}
	slices.Sort(parents)
	emptied, err := collect(ctx, ix, `SELECT c.parent, 0, c.event, c.action, c.time FROM {ids} {each} containments c ON c.parent = j.value AND c.child = 0
		WHERE c.void = 0 ORDER BY j.key, c.time, c.event`, slices.Compact(parents), scanContainment)
	return append(all, emptied...), err
}

func scanMembership(r *sql.Rows, m *trace.Membership) error {
	return r.Scan(&m.Instance, &m.Lot, &m.Event)
}

// Instances implements trace.Graph.
func (ix *Index) Instances(ctx context.Context, lots []trace.ItemID) (out []trace.Membership, err error) {
	if ix.memory.ask(func() { out = ix.memory.instances(lots) }) {
		return out, nil
	}
	return collect(ctx, ix, `SELECT m.instance, m.lot, m.event FROM {ids} {each} memberships m ON m.lot = j.value
		WHERE m.void = 0 ORDER BY j.key, m.instance, m.event`, lots, scanMembership)
}

// Lots implements trace.Graph.
func (ix *Index) Lots(ctx context.Context, instances []trace.ItemID) (out []trace.Membership, err error) {
	if ix.memory.ask(func() { out = ix.memory.lots(instances) }) {
		return out, nil
	}
	return collect(ctx, ix, `SELECT m.instance, m.lot, m.event FROM {ids} {each} memberships m ON m.instance = j.value
		WHERE m.void = 0 ORDER BY j.key, m.lot, m.event`, instances, scanMembership)
}

// EventBodies implements trace.EventReader.
func (ix *Index) EventBodies(ctx context.Context, ids []trace.EventID) ([]*event.Event, error) {
	bodies, err := collect(ctx, ix, "SELECT coalesce(e.body, '') FROM {ids} LEFT JOIN events e ON e.id = j.value ORDER BY j.key", ids,
		func(r *sql.Rows, e **event.Event) error {
			var body sql.RawBytes
			if err := r.Scan(&body); err != nil {
				return err
			}
			*e = new(event.Event)
			return decode(body, *e)
		})
	return bodies, err
}

// SiteOwners implements trace.EventReader.
func (ix *Index) SiteOwners(ctx context.Context, sites []string) ([]string, error) {
	known, err := ix.Sites(ctx, sites)
	if err != nil {
		return nil, err
	}
	owners := make([]string, len(sites))
	for i, id := range sites {
		owners[i] = known[id].Owner
	}
	return owners, nil
}
