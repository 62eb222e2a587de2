package sqlindex

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// moment is an event on the timeline.
type moment struct{ event, time, setting int64 }

// search looks for the events of a query in its order. Which events come into question is found in one of two ways: by identifiers, a list
// that is sorted; or along the timeline, until it turns out that settings lead there faster. Of what comes into question,
// the settings leave out what the viewer may not see and what is of another kind, and Match decides.
type search struct {
	ix  *Index
	q   *query.Query
	who index.Viewer

	byTime, desc bool
	from, to     int64 // event times, inclusive
	low, high    int64 // event numbers, inclusive
	last         int64 // of the ledger when the query began
	masters      *masters
	admitted     map[int64]bool // settings, as far as they were asked for

	scanOnly           bool
	maxScan, maxBodies int
	source             func(context.Context) ([]moment, error) // the next candidates; none at the end
	narrowed           bool                                    // whether settings lead faster has been tried
	queue              []moment                                // admitted, not read yet
	behind             moment                                  // the last candidate, admitted or not
	read               []index.Event                           // of the queue's first

	at              moment // the last event that was looked at
	scanned, bodies int
	left            int // of those scanned, by their settings
	batch, chunk    int
	ended, cut      bool // there is nothing more; a limit ended the search
}

func (ix *Index) newSearch(ctx context.Context, q *query.Query, who index.Viewer) (*search, error) {
	s := &search{ix: ix, q: q, who: who, byTime: q.OrderBy == query.ByEventTime, desc: !q.Ascending, from: anyFrom, to: anyTo,
		admitted: map[int64]bool{}, maxScan: ix.maxScan, maxBodies: ix.maxBodies, batch: firstBatch, chunk: firstChunk}
	last, err := ix.lastEvent(ctx)
	if err != nil {
		return nil, err
	}
	s.low, s.high, s.last = 1, last, last
	if s.masters, err = ix.mastersOf(ctx, q); err != nil {
		return nil, err
	}
	if err := s.bounds(ctx); err != nil {
		return nil, err
	}
	s.at = moment{time: s.from, event: 0}
	if s.desc {
		s.at = moment{time: s.to, event: anyTo}
	}
	return s, nil
}

// begin goes on where an earlier page ended, or after an event.
func (s *search) begin(last int64, at moment) {
	s.last, s.high, s.at = last, min(s.high, last), at
}

// find returns the next n events, fewer at the end or when a limit is reached.
func (s *search) find(ctx context.Context, n int) (events []index.Event, err error) {
	err = s.each(ctx, n, func(e *index.Event) { events = append(events, *e) })
	return events, err
}

// count counts the next events, up to n.
func (s *search) count(ctx context.Context, n int) (found int, err error) {
	err = s.each(ctx, n, func(*index.Event) { found++ })
	return found, err
}

func (s *search) each(ctx context.Context, n int, f func(*index.Event)) error {
	if !s.who.All && s.who.Member == "" {
		s.ended = true
		return nil
	}
	for found := 0; found < n; {
		e, err := s.next(ctx, n-found)
		if err != nil || e == nil {
			return err
		}
		if s.q.Match(e.Event, e.Where.Time, s.masters) {
			found++
			f(e)
		}
	}
	return nil
}

// Batches of events that are read at once: at first about what a page needs, more when few match.
const (
	firstBatch = 32
	lastBatch  = 256
)

// next reads the next event that comes into question, nil at the end and at a limit.
func (s *search) next(ctx context.Context, wanted int) (*index.Event, error) {
	for len(s.read) == 0 {
		if len(s.queue) == 0 {
			s.at = cmp.Or(s.behind, s.at)
			if more, err := s.fill(ctx); err != nil || !more {
				return nil, err
			}
			continue
		}
		if s.bodies >= s.maxBodies {
			s.cut = true
			return nil, nil
		}
		n := min(len(s.queue), max(s.batch, min(wanted, lastBatch)), s.maxBodies-s.bodies)
		s.batch = min(2*s.batch, lastBatch)
		ids := make([]trace.EventID, n)
		for i := range ids {
			ids[i] = trace.EventID(s.queue[i].event)
		}
		var err error
		if s.read, err = s.ix.Events(ctx, ids); err != nil {
			return nil, err
		}
		if err := s.masters.learn(ctx, s.ix, s.q, s.read); err != nil {
			return nil, err
		}
	}
	e := &s.read[0]
	s.read, s.at, s.queue = s.read[1:], s.queue[0], s.queue[1:]
	s.bodies++
	return e, nil
}

// fill takes the next candidates that settings leave; false when there are none, or a limit is reached.
func (s *search) fill(ctx context.Context) (more bool, err error) {
	if s.source == nil {
		if err := s.start(ctx); err != nil {
			return false, err
		}
	}
	if s.scanned >= s.maxScan {
		s.cut = true
		return false, nil
	}
	if !s.narrowed && s.left*sparse < s.scanned {
		s.narrowed = true
		if err := s.narrow(ctx); err != nil {
			return false, err
		}
	}
	list, err := s.source(ctx)
	if err != nil {
		return false, err
	}
	if len(list) == 0 {
		s.ended = true
		return false, nil
	}
	s.scanned += len(list)
	s.behind = list[len(list)-1]
	s.queue, err = s.admit(ctx, list)
	s.left += len(s.queue)
	return true, err
}

// compare is the order of the query.
func (s *search) compare(a, b moment) int {
	c := cmp.Compare(a.event, b.event)
	if s.byTime {
		c = cmp.Or(cmp.Compare(a.time, b.time), c)
	}
	if s.desc {
		return -c
	}
	return c
}

// list makes candidates that were found without order the source.
func (s *search) list(found []moment) {
	found = slices.DeleteFunc(found, func(m moment) bool {
		return m.time < s.from || m.time > s.to || m.event < s.low || m.event > s.high || s.compare(m, s.at) <= 0
	})
	slices.SortFunc(found, s.compare)
	s.source = func(context.Context) ([]moment, error) {
		n := min(len(found), lastChunk)
		chunk := found[:n:n]
		found = found[n:]
		return chunk, nil
	}
}

// Moments are read from the timeline in chunks: at first about what a page needs. When fewer than one of sparse is left by its setting, the settings are
// asked whether that is all.
const (
	firstChunk = 64
	lastChunk  = 1024
	sparse     = 100
)

// scan reads the timeline in the order of the query, from s.at.
func (s *search) scan(at moment) {
	s.source = func(ctx context.Context) ([]moment, error) {
		list, err := s.piece(ctx, at)
		if len(list) > 0 {
			at = list[len(list)-1]
		}
		return list, err
	}
}

// piece reads the timeline after a moment. Bounds that leave nothing out are not said, and the limit is a number: else PostgreSQL
// expects few rows, reads the whole timeline and sorts it. (A plus keeps SQLite from choosing the index of that column, and PostgreSQL from taking two
// bounds for a narrow range.)
func (s *search) piece(ctx context.Context, at moment) ([]moment, error) {
	limit := s.chunk
	s.chunk = min(2*s.chunk, lastChunk)
	order, than := "", " > "
	if s.desc {
		order, than = " DESC", " < "
	}
	var w condition
	bound := func(column string, from, noFrom, to, noTo int64) {
		if from != noFrom {
			w.text += " AND " + column + " >= " + w.arg(from)
		}
		if to != noTo {
			w.text += " AND " + column + " <= " + w.arg(to)
		}
	}
	by := "event"
	switch {
	case s.byTime:
		by = "time" + order + ", event"
		w.text = "(time, event)" + than + "(" + w.arg(at.time) + ", " + w.arg(at.event) + ")"
		if s.desc { // at is within the other bound
			bound("time", s.from, anyFrom, 0, 0)
		} else {
			bound("time", 0, 0, s.to, anyTo)
		}
		bound("+event", s.low, 1, s.high, anyTo)
	case s.desc:
		w.text = "event" + than + w.arg(min(at.event, s.high+1))
		bound("event", s.low, 1, 0, 0)
		bound("+time", s.from, anyFrom, s.to, anyTo)
	default:
		w.text = "event" + than + w.arg(max(at.event, s.low-1))
		column := "event"
		if s.high == s.last {
			column = "+event"
		}
		bound(column, 0, 0, s.high, anyTo)
		bound("+time", s.from, anyFrom, s.to, anyTo)
	}
	return s.moments(ctx, fmt.Sprintf("SELECT event, time, setting FROM timeline WHERE %s ORDER BY %s%s LIMIT %d", w.text, by, order, limit), w.args...)
}

func (s *search) moments(ctx context.Context, sqlText string, args ...any) (list []moment, err error) {
	err = s.ix.read.each(ctx, sqlText, args, func(rows *sql.Rows) error {
		var m moment
		err := rows.Scan(&m.event, &m.time, &m.setting)
		list = append(list, m)
		return err
	})
	return list, err
}
