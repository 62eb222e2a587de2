package trace

import (
	"cmp"
	"math"
	"slices"
)

// slack is what two event times may differ by and still count as the same, in microseconds: many records know only the
// day (docs/rules.md, section 3).
const slack = int64(24 * 60 * 60 * 1_000_000)

// Open ends of a span.
const (
	always = math.MinInt64
	never  = math.MaxInt64
)

// span is a stretch of event time, both ends included. It may be inverted by up to the slack: two spans that touch only
// thanks to the slack meet in such a one.
type span struct{ from, until int64 }

func (s span) inverted() bool { return s.from > s.until }

func (s span) covers(o span) bool { return s.from <= o.from && s.until >= o.until }

func (s span) hull(o span) span { return span{min(s.from, o.from), max(s.until, o.until)} }

func (s span) meet(o span) span { return span{max(s.from, o.from), min(s.until, o.until)} }

// meets reports whether the spans have a moment in common, within the slack.
func (s span) meets(o span) bool {
	m := s.meet(o)
	return m.from <= later(m.until)
}

// has reports whether a time lies in the span, within the slack.
func (s span) has(time int64) bool { return time <= later(s.until) && later(time) >= s.from }

// later adds the slack to a time.
func later(time int64) int64 {
	if time > never-slack {
		return never
	}
	return time + slack
}

// spans is a set of spans of which none covers another and only inverted ones overlap; ascending.
type spans []span

// with returns the set with one more span, and whether that changed it. The set itself is left as it is.
func (set spans) with(s span) (spans, bool) {
	for _, have := range set {
		if have.covers(s) {
			return set, false
		}
	}
	out := make(spans, 0, len(set)+1)
	for _, have := range set {
		switch {
		case s.covers(have):
		case !s.inverted() && !have.inverted() && s.from <= have.until && have.from <= s.until:
			s = s.hull(have)
		default:
			out = append(out, have)
		}
	}
	out = slices.DeleteFunc(out, s.covers)
	out = append(out, s)
	slices.SortFunc(out, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.until, b.until)) })
	return out, true
}

// hull is the stretch from the first to the last moment of a set that is not empty.
func (set spans) hull() span {
	all := set[0]
	for _, s := range set[1:] {
		all = all.hull(s)
	}
	return all
}

// stay is a time for which a child was inside a parent, with the events that say so.
type stay struct {
	parent, child ItemID
	span
	events   []EventID // the first begins it
	end      EventID   // that ends it, 0 while it lasts
	observed bool      // seen at one moment, not put in
}

// stays derives from statements when what was inside what (docs/rules.md, section 2): from an ADD until the next DELETE
// of the pair or of all children of the parent; an OBSERVE outside of that states one moment. Statements at the same time
// count in record order. The statements are sorted in place.
func stays(statements []Containment) []stay {
	slices.SortFunc(statements, func(a, b Containment) int {
		return cmp.Or(cmp.Compare(a.Parent, b.Parent), cmp.Compare(a.Time, b.Time), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Child, b.Child))
	})
	var all []stay
	open := map[ItemID]int{} // child → index in all, of one parent
	end := func(child ItemID, c Containment) {
		if i, ok := open[child]; ok {
			all[i].until, all[i].end, all[i].events = c.Time, c.Event, append(all[i].events, c.Event)
			delete(open, child)
		}
	}
	for i, c := range statements {
		if i > 0 && c.Parent != statements[i-1].Parent {
			clear(open)
		}
		at, isOpen := open[c.Child]
		switch {
		case c.Action == 'D' && c.Child == 0:
			for child := range open {
				end(child, c)
			}
		case c.Action == 'D':
			end(c.Child, c)
		case isOpen:
			all[at].events = append(all[at].events, c.Event)
		case c.Action == 'A':
			open[c.Child] = len(all)
			all = append(all, stay{parent: c.Parent, child: c.Child, span: span{c.Time, never}, events: []EventID{c.Event}})
		default:
			all = append(all, stay{parent: c.Parent, child: c.Child, span: span{c.Time, c.Time}, events: []EventID{c.Event}, observed: true})
		}
	}
	return all
}
