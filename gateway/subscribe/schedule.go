package subscribe

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Schedule says when a scheduled query runs (EPCIS 2.0, QuerySchedule). Each field is a comma-separated list of numbers and
// ranges: "5", "0,30", "[9-17]", "1,[5-7]". A moment, in UTC, must match all fields that are given. A field that is left
// out matches anything, but if it is finer than every field that is given, its lowest value only: {hour: "1", minute: "5"}
// is once a day at 01:05:00, not sixty times.
type Schedule struct {
	Second     string `json:"second,omitzero"`     // 0 to 59
	Minute     string `json:"minute,omitzero"`     // 0 to 59
	Hour       string `json:"hour,omitzero"`       // 0 to 23
	DayOfMonth string `json:"dayOfMonth,omitzero"` // 1 to 31
	Month      string `json:"month,omitzero"`      // 1 to 12
	DayOfWeek  string `json:"dayOfWeek,omitzero"`  // 1 (Monday) to 7 (Sunday)
}

// field is one field of a schedule.
type field struct {
	name     string
	low, top int
	rank     int // finer fields have lower ranks; the two kinds of days the same
	text     func(*Schedule) *string
}

// The fields in the order of calendar.
const (
	second = iota
	minute
	hour
	dayOfMonth
	month
	dayOfWeek
)

var fields = [...]field{
	second:     {"second", 0, 59, 0, func(s *Schedule) *string { return &s.Second }},
	minute:     {"minute", 0, 59, 1, func(s *Schedule) *string { return &s.Minute }},
	hour:       {"hour", 0, 23, 2, func(s *Schedule) *string { return &s.Hour }},
	dayOfMonth: {"dayOfMonth", 1, 31, 3, func(s *Schedule) *string { return &s.DayOfMonth }},
	month:      {"month", 1, 12, 4, func(s *Schedule) *string { return &s.Month }},
	dayOfWeek:  {"dayOfWeek", 1, 7, 3, func(s *Schedule) *string { return &s.DayOfWeek }},
}

// calendar is a schedule that has been read: per field, the set of values that match.
type calendar [len(fields)]uint64

// fieldError is a field that cannot be read.
type fieldError struct {
	field string
	err   error
}

// read returns the calendar of a schedule, or all that is wrong with it.
func (s Schedule) read() (c calendar, wrong []fieldError) {
	finest := len(fields)
	for i, f := range fields {
		text := *f.text(&s)
		if text == "" {
			continue
		}
		finest = min(finest, f.rank)
		set, err := f.parse(text)
		if err != nil {
			wrong = append(wrong, fieldError{f.name, err})
		}
		c[i] = set
	}
	if finest == len(fields) {
		return c, []fieldError{{"", errors.New("it has no field: give at least one of second, minute, hour, dayOfMonth, month and dayOfWeek")}}
	}
	for i, f := range fields {
		switch {
		case *f.text(&s) != "":
		case f.rank < finest && i != dayOfWeek: // the first of a month may be any day of a week
			c[i] = 1 << f.low
		default:
			c[i] = span(f.low, f.top)
		}
	}
	if len(wrong) > 0 {
		return c, wrong
	}
	if _, ok := c.next(time.Now()); !ok {
		return c, []fieldError{{"", errors.New("no day is like that, so the query would never run")}}
	}
	return c, nil
}

// parse reads a list of numbers and ranges.
func (f field) parse(text string) (set uint64, err error) {
	for element := range strings.SplitSeq(text, ",") {
		low, high := element, element
		if inner, ok := strings.CutPrefix(element, "["); ok {
			if low, high, ok = strings.Cut(strings.TrimSuffix(inner, "]"), "-"); !ok || !strings.HasSuffix(inner, "]") {
				return 0, f.unreadable(element)
			}
		}
		from, ok := f.number(low)
		to, also := f.number(high)
		if !ok || !also || from > to {
			return 0, f.unreadable(element)
		}
		set |= span(from, to)
	}
	return set, nil
}

func (f field) unreadable(element string) error {
	return fmt.Errorf("%q is neither a number from %d to %d nor a range of them like [%d-%d]", element, f.low, f.top, f.low, f.top)
}

func (f field) number(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 8)
	return int(n), err == nil && int(n) >= f.low && int(n) <= f.top
}

// span is the set of the numbers from low to high.
func span(low, high int) uint64 { return (2<<high - 1) &^ (1<<low - 1) }

func (c *calendar) has(field, value int) bool { return c[field]>>value&1 == 1 }

// horizon bounds the search for a day: a 29 February on a given day of the week comes once in 40 years at the latest.
const horizon = 41 // years

// next returns the first moment after t that matches. It reports false if there is none.
func (c *calendar) next(t time.Time) (time.Time, bool) {
	t = t.UTC().Truncate(time.Second).Add(time.Second)
	for end := t.AddDate(horizon, 0, 0); t.Before(end); t = midnight(t).AddDate(0, 0, 1) {
		if !c.has(month, int(t.Month())) || !c.has(dayOfMonth, t.Day()) || !c.has(dayOfWeek, (int(t.Weekday())+6)%7+1) {
			continue
		}
		if at, ok := c.within(t); ok {
			return at, true
		}
	}
	return time.Time{}, false
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// within returns the first moment of t's day, from t on, that matches.
func (c *calendar) within(t time.Time) (time.Time, bool) {
	at := func(h, m, s int) time.Time {
		return midnight(t).Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second)
	}
	for h := range upTo(c[hour]) {
		for m := range upTo(c[minute]) {
			if last := at(h, m, 59); last.Before(t) {
				continue
			}
			for s := range upTo(c[second]) {
				if moment := at(h, m, s); !moment.Before(t) {
					return moment, true
				}
			}
		}
	}
	return time.Time{}, false
}

// upTo yields the members of a set, lowest first.
func upTo(set uint64) func(func(int) bool) {
	return func(yield func(int) bool) {
		for ; set != 0; set &= set - 1 {
			if !yield(bits.TrailingZeros64(set)) {
				return
			}
		}
	}
}
