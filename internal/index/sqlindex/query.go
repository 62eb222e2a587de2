package sqlindex

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
)

// Query implements index.Queries. The cursor holds the last event of the ledger when the first page was asked for, the place in the
// order after which the next page begins, and how many events have been returned.
func (ix *Index) Query(ctx context.Context, q *query.Query, who index.Viewer, page index.Page) ([]index.Event, string, error) {
	after, err := cursor(page.After, 4)
	if err != nil {
		return nil, "", err
	}
	bounded, cancel := context.WithTimeout(ctx, index.MaxQueryTime)
	defer cancel()
	events, next, err := ix.query(bounded, q, who, page, after)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		err = index.ErrTooComplex
	}
	return events, next, err
}

func (ix *Index) query(ctx context.Context, q *query.Query, who index.Viewer, page index.Page, after []int64) ([]index.Event, string, error) {
	s, err := ix.newSearch(ctx, q, who)
	if err != nil {
		return nil, "", err
	}
	returned := int64(0)
	if after != nil {
		s.begin(after[0], moment{time: after[1], event: after[2]})
		returned = after[3]
	}
	size := page.Size()
	if limit := int64(q.EventCountLimit); limit > 0 {
		if limit <= returned {
			return nil, "", nil
		}
		size = int(min(int64(size), limit-returned))
	}
	events, err := s.find(ctx, size)
	if err != nil {
		return nil, "", err
	}
	at := s.at
	returned += int64(len(events))
	more := !s.ended
	if !s.cut && more && returned != int64(q.EventCountLimit) { // is anything left, and how much may there be?
		probe := 1
		if after == nil && q.MaxEventCount > 0 {
			probe = max(1, min(q.MaxEventCount-len(events)+1, ix.maxBodies))
		}
		rest, err := s.count(ctx, probe)
		if err != nil {
			return nil, "", err
		}
		more = rest > 0 || s.cut
		if q.MaxEventCount > 0 && returned+int64(rest) > int64(q.MaxEventCount) {
			return nil, "", index.ErrTooLarge
		}
	}
	switch {
	case q.MaxEventCount > 0 && returned > int64(q.MaxEventCount):
		return nil, "", index.ErrTooLarge
	case !more, returned == int64(q.EventCountLimit):
		return events, "", nil
	case len(events) == 0:
		return nil, "", index.ErrTooComplex
	}
	return events, writeCursor(s.last, at.time, at.event, returned), nil
}

// QuerySince implements index.Queries.
func (ix *Index) QuerySince(ctx context.Context, q *query.Query, who index.Viewer, after index.Cursor, limit int) ([]index.Event, index.Cursor, error) {
	ledgerOrder := *q
	ledgerOrder.OrderBy, ledgerOrder.Ascending = query.ByRecordTime, true
	s, err := ix.newSearch(ctx, &ledgerOrder, who)
	if err != nil {
		return nil, after, err
	}
	first, err := ix.firstEvent(ctx, s.last, func(r recorded) bool { return r.tx > after.Tx || r.tx == after.Tx && r.pos >= after.Record })
	if err != nil {
		return nil, after, err
	}
	s.begin(s.last, moment{event: first - 1})
	s.maxScan, s.maxBodies, s.scanOnly = pieceScan, max(pieceBodies, limit), true
	events, err := s.find(ctx, limit)
	if err != nil || s.at.event < first {
		return nil, after, err
	}
	r, err := ix.recorded(ctx, s.at.event)
	return events, index.Cursor{Tx: r.tx, Record: r.pos + 1}, err
}

// How much of the ledger QuerySince reads at a time.
const (
	pieceScan   = 20_000
	pieceBodies = 2_000
)

// Since implements index.Queries.
func (ix *Index) Since(ctx context.Context, t time.Time) (index.Cursor, error) {
	last, err := ix.lastEvent(ctx)
	if err != nil {
		return index.Cursor{}, err
	}
	first, err := ix.firstEvent(ctx, last, func(r recorded) bool { return !r.time.Before(t) })
	if err != nil || first == 1 {
		return index.Cursor{}, err
	}
	r, err := ix.recorded(ctx, first-1)
	return index.Cursor{Tx: r.tx, Record: r.pos + 1}, err
}

// recorded is where and when an event was recorded. All of it grows with the event's number.
type recorded struct {
	tx   int64
	pos  int
	time time.Time
}

func (ix *Index) recorded(ctx context.Context, no int64) (r recorded, err error) {
	var text string
	found, err := ix.read.one(ctx, "SELECT e.tx, e.pos, t.time FROM events e JOIN txs t ON t.no = e.tx WHERE e.id = ?1", []any{no}, &r.tx, &r.pos, &text)
	if err != nil {
		return r, err
	}
	t, err := event.ParseTime(text)
	if !found || err != nil {
		return r, fmt.Errorf("index: event %d is missing or damaged", no)
	}
	r.time = t.Time
	return r, nil
}

// firstEvent is the number of the first event up to last for which a condition holds that holds for all after it too, last+1 when there is none.
func (ix *Index) firstEvent(ctx context.Context, last int64, holds func(recorded) bool) (int64, error) {
	var failed error
	n := sort.Search(int(last), func(i int) bool { // events are numbered without gaps
		r, err := ix.recorded(ctx, int64(i)+1)
		failed = errors.Join(failed, err)
		return err == nil && holds(r)
	})
	return int64(n) + 1, failed
}

func (ix *Index) lastEvent(ctx context.Context) (last int64, err error) {
	_, err = ix.read.one(ctx, "SELECT coalesce(max(event), 0) FROM timeline", nil, &last)
	return last, err
}

// bounds narrows the search by what the query says of times. They are rounded outwards: Match decides.
func (s *search) bounds(ctx context.Context) error {
	for i := range s.q.Criteria {
		c := &s.q.Criteria[i]
		switch {
		case c.Field == "eventTime" && c.Op == query.GE:
			s.from = max(s.from, c.Values[0].Time.UnixMicro())
		case c.Field == "eventTime" && c.Op == query.LT:
			s.to = min(s.to, c.Values[0].Time.UnixMicro())
		case c.Field == "recordTime":
			first, err := s.ix.firstEvent(ctx, s.last, func(r recorded) bool { return !r.time.Before(c.Values[0].Time.Time) })
			if err != nil {
				return err
			}
			if c.Op == query.GE {
				s.low = max(s.low, first)
			} else {
				s.high = min(s.high, first-1)
			}
		}
	}
	return nil
}

// The widest bounds.
const (
	anyFrom = math.MinInt64
	anyTo   = math.MaxInt64
)
