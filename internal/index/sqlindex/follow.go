package sqlindex

import (
	"context"
	"database/sql"

	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// load reads the whole graph aside.
func (m *memory) load(ctx context.Context, d db) error {
	at, err := readMark(ctx, d)
	if err != nil {
		return err
	}
	all := &loaded{rows{keys: []string{""}}, at} // numbers begin at 1
	if err := readGraph(ctx, d, mark{}, 0, all); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.aside = all
	return nil
}

// follow brings the graph to the state that d reads, and returns the height of that. at is what it had before d began, if it was
// in use.
func (m *memory) follow(ctx context.Context, d db, at mark, inUse bool) (height uint64, err error) {
	now, err := readMark(ctx, d)
	if err != nil {
		return 0, err
	}
	if err := m.adopt(ctx, d, now); err != nil {
		return 0, err
	}
	switch {
	case !inUse || now == at:
		return now.height, nil // just loaded, or the database answers, or nothing is new
	case now.height <= at.height:
		m.drop() // another database has taken its place
		return now.height, nil
	}
	next := delta{from: at.height, upTo: now}
	if err := readGraph(ctx, d, at, m.lastItem(), &next); err != nil {
		return 0, err
	}
	m.add(&next)
	return now.height, nil
}

// adopt puts a graph to use that was read aside, after what has come since: what was read of the database before must not
// disappear again.
func (m *memory) adopt(ctx context.Context, d db, now mark) error {
	m.mu.Lock()
	all := m.aside
	m.aside = nil
	m.mu.Unlock()
	if all == nil {
		return nil
	}
	if all.at.height < now.height {
		if err := readGraph(ctx, d, all.at, int64(len(all.keys))-1, all); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows, m.at, m.state = all.rows, now, current
	m.watch()
	return nil
}

func readMark(ctx context.Context, d db) (at mark, err error) {
	if at.height, at.hash, err = position(ctx, d, ""); err != nil {
		return at, err
	}
	_, err = d.one(ctx, "SELECT coalesce((SELECT max(id) FROM events), 0), coalesce((SELECT max(no) FROM txs), 0)", nil, &at.event, &at.tx)
	return at, err
}

// graph is where rows of the graph go.
type graph interface {
	addKey(string)
	addUse(trace.Use)
	addContainment(trace.Containment)
	addMembership(trace.Membership)
	void(trace.EventID, trace.ItemID)
}

// readGraph hands over what has been added since, and of what was there before, what has become void.
func readGraph(ctx context.Context, d db, since mark, lastItem int64, to graph) error {
	for _, table := range []struct {
		query string
		since int64
		row   func(*sql.Rows) error
	}{
		{"SELECT key FROM items WHERE id > ?1 ORDER BY id", lastItem, func(r *sql.Rows) error {
			var key string
			err := r.Scan(&key)
			to.addKey(key)
			return err
		}},
		{"SELECT item, event, process, role, time FROM uses WHERE event > ?1 AND void = 0", since.event, func(r *sql.Rows) error {
			var u trace.Use
			err := scanUse(r, &u)
			to.addUse(u)
			return err
		}},
		{"SELECT parent, child, event, action, time FROM containments WHERE event > ?1 AND void = 0", since.event, func(r *sql.Rows) error {
			var c trace.Containment
			err := scanContainment(r, &c)
			to.addContainment(c)
			return err
		}},
		{"SELECT instance, lot, event FROM memberships WHERE event > ?1 AND void = 0", since.event, func(r *sql.Rows) error {
			var s trace.Membership
			err := scanMembership(r, &s)
			to.addMembership(s)
			return err
		}},
	} {
		if err := d.each(ctx, table.query, []any{table.since}, table.row); err != nil {
			return err
		}
	}
	if since.height == 0 {
		return nil // what is void was left out
	}
	return d.each(ctx, "SELECT u.event, u.item FROM events e {each} uses u ON u.event = e.id WHERE e.void > ?1 AND e.void <> 0 AND e.id <= ?2", []any{since.tx, since.event},
		func(r *sql.Rows) error {
			var v voidMark
			err := r.Scan(&v.event, &v.item)
			to.void(v.event, v.item)
			return err
		})
}
