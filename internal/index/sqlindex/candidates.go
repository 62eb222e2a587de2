package sqlindex

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/query"
)

// Limits of what is found without order and sorted. More of it is common enough to be met soon on the timeline.
const (
	maxSorted = 20_000 // events
	maxItems  = 10_000 // items
)

// start chooses the source of candidates.
func (s *search) start(ctx context.Context) error {
	s.scan(s.at)
	if s.scanOnly {
		s.narrowed = true
		return nil
	}
	ids, ok, err := s.byID(ctx)
	if err == nil && !ok {
		ids, ok, err = s.byItem(ctx)
	}
	if err != nil || !ok {
		return err
	}
	s.narrowed = true
	found, err := s.moments(ctx, "SELECT t.event, t.time, t.setting FROM {ids} {each} timeline t ON t.event = j.value", ids)
	s.list(found)
	return err
}

// byID finds the events of EQ_eventID.
func (s *search) byID(ctx context.Context) (ids []int64, ok bool, err error) {
	criteria := s.q.Find(query.EQ, "eventID")
	if len(criteria) == 0 {
		return nil, false, nil
	}
	var names, hashes []int64
	for _, v := range criteria[0].Values {
		names = append(names, digest8(v.Text))
		if _, hash8, err := packHash(v.Text); err == nil {
			hashes = append(hashes, hash8)
		}
	}
	ids, err = s.numbers(ctx, "SELECT e.id FROM {ids} {each} events e ON e.name8 = j.value", names)
	if err == nil && len(hashes) > 0 {
		var more []int64
		more, err = s.numbers(ctx, "SELECT e.id FROM {ids} {each} events e ON e.hash8 = j.value", hashes)
		ids = append(ids, more...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), true, err
}

func (s *search) numbers(ctx context.Context, sqlText string, args ...any) (list []int64, err error) {
	err = s.ix.read.each(ctx, sqlText, args, func(rows *sql.Rows) error {
		var n int64
		err := rows.Scan(&n)
		list = append(list, n)
		return err
	})
	return list, err
}

// byItem finds the events that name an item of the MATCH parameter with the fewest of them; not ok when there is none, or too many.
func (s *search) byItem(ctx context.Context) (ids []int64, ok bool, err error) {
	var best []int64
	for i := range s.q.Criteria {
		c := &s.q.Criteria[i]
		if c.Op != query.MATCH {
			continue
		}
		items, few, err := s.items(ctx, c)
		if err != nil {
			return nil, false, err
		}
		if few && (!ok || len(items) < len(best)) {
			best, ok = items, true
		}
	}
	if !ok {
		return nil, false, nil
	}
	ids, err = s.numbers(ctx, "SELECT DISTINCT u.event FROM {ids} {each} uses u ON u.item = j.value WHERE u.time >= ?2 AND u.time <= ?3 LIMIT ?4", best, s.from, s.to, maxSorted+1)
	if err != nil || len(ids) > maxSorted {
		return nil, false, err
	}
	declared, err := s.numbers(ctx, "SELECT e.id FROM {ids} {each} events e ON e.declares = j.value WHERE e.declares <> 0", ids)
	return append(ids, declared...), true, err
}

// items are the numbers of the items that a MATCH parameter names; not few when there are too many.
func (s *search) items(ctx context.Context, c *query.Criterion) (ids []int64, few bool, err error) {
	var keys []int64
	for i := range c.Values {
		keys = append(keys, digest8(c.Values[i].Key))
	}
	// Of two keys with one digest the wrong one does no harm: Match decides.
	ids, err = s.numbers(ctx, "SELECT i.id FROM {ids} {each} items i ON i.key8 = j.value", keys)
	for i := range c.Values {
		v := &c.Values[i]
		if err != nil || len(ids) > maxItems {
			return nil, false, err
		}
		if v.Pattern() {
			var more []int64
			more, err = s.pattern(ctx, v)
			ids = append(ids, more...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), len(ids) <= maxItems, err
}

// pattern finds the items of a pattern, a few more than maxItems at most. They are not indexed by their keys: all keys are looked at, in
// memory where they are there.
func (s *search) pattern(ctx context.Context, v *query.Value) (ids []int64, err error) {
	memory := &s.ix.memory
	if at, inUse := memory.now(); inUse && at.event >= s.last && memory.ask(func() {
		for i := 1; i < len(memory.keys) && len(ids) <= maxItems; i++ {
			if v.Names(memory.keys[i]) {
				ids = append(ids, int64(i))
			}
		}
	}) {
		return ids, nil
	}
	like := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`, `?`, `_`).Replace(v.Head()) + "%"
	return s.numbers(ctx, fmt.Sprintf(`SELECT id FROM items WHERE key LIKE ?1 ESCAPE '\' LIMIT %d`, maxItems+1), like)
}

// narrow makes a list of what the settings lead to the source, where that is little.
func (s *search) narrow(ctx context.Context) error {
	settings, ok, err := s.settings(ctx)
	if err != nil || !ok {
		return err
	}
	from, to, low, high := s.from, s.to, s.low, s.high
	switch {
	case s.byTime && s.desc:
		to = min(to, s.at.time)
	case s.byTime:
		from = max(from, s.at.time)
	case s.desc:
		high = min(high, s.at.event)
	default:
		low = max(low, s.at.event)
	}
	found, err := s.moments(ctx, "SELECT t.event, t.time, t.setting FROM {ids} {each} timeline t ON t.setting = j.value WHERE t.time >= ?2 AND t.time <= ?3 AND +t.event >= ?4 AND +t.event <= ?5 LIMIT ?6",
		settings, from, to, low, high, maxSorted+1)
	if err == nil && len(found) <= maxSorted {
		s.list(found)
	}
	return err
}
