package sheet

import (
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// Order is how dates that are written with numbers alone are read when the year does not come first.
type Order uint8

// The orders of day and month.
const (
	YearFirst  Order = iota // 4/5/2026 is not a date, since nobody can know which one
	MonthFirst              // 4/5/2026 is the fifth of April
	DayFirst                // 4/5/2026 is the fourth of May
)

// Layouts of dates in package time's words, after [tidyDate]. Those of every order come first.
var (
	anyOrder   = []string{"2006-1-2", "20060102", "2-Jan-2006", "2-January-2006", "Jan-2-2006", "January-2-2006", "2-Jan-06"}
	monthFirst = []string{"1-2-2006", "1-2-06"}
	dayFirst   = []string{"2-1-2006", "2-1-06"}
	clocks     = []string{"15:4:5", "15:4", "3:4:5PM", "3:4PM", "150405"}
)

var dateWords = strings.NewReplacer("年", "-", "月", "-", "日", " ", "号", " ", "時", ":", "时", ":", "点", ":", "分", ":", "秒", "", "/", "-", ".", "-", ",", " ",
	"上午", "AM ", "下午", "PM ", "a.m.", "AM", "p.m.", "PM")

// Date reads a date as people and programs write it into sheets: the date of a [Date] cell, and texts like 2026-04-20, 2026/4/20, 20260420, 2026年4月20日,
// 20-Apr-2026, April 20, 2026, 4/20/2026 (with an order), each with or without a time of day (08:30, 8:30:15 PM, 下午3:05). The
// result is in UTC and stands for what the sheet shows; clock says that it has a time of day. ok is false for anything else.
func (c Cell) Date(order Order) (civil time.Time, clock, ok bool) {
	switch c.Kind {
	case Date:
		return c.Civil, c.Clock, true
	case Text, Number: // 20260420 is often a number
		return parseDate(c.Text, order)
	}
	return time.Time{}, false, false
}

// Time reads a time of day: that of a [Time] cell or of a date with one, or a text like 08:30. The result is on the first day of year 1.
func (c Cell) TimeOfDay() (civil time.Time, ok bool) {
	switch {
	case c.Kind == Time, c.Kind == Date && c.Clock:
		return timeCell(c.Civil).Civil, true
	case c.Kind == Text:
		return parseClock(strings.TrimSuffix(dateWords.Replace(norm.NFKC.String(c.Text)), ":"))
	}
	return time.Time{}, false
}

// maxDate is the length of the longest date in bytes, with room for blanks.
const maxDate = 64

func parseDate(s string, order Order) (civil time.Time, clock, ok bool) {
	if len(s) > maxDate {
		return time.Time{}, false, false
	}
	s = norm.NFKC.String(s)
	if civil, ok := isoTime(s); ok {
		return civil, true, true
	}
	day, rest := splitDate(s)
	layouts := anyOrder
	switch order {
	case MonthFirst:
		layouts = append(layouts[:len(layouts):len(layouts)], monthFirst...)
	case DayFirst:
		layouts = append(layouts[:len(layouts):len(layouts)], dayFirst...)
	}
	for _, layout := range layouts {
		civil, err := time.Parse(layout, day)
		if err != nil {
			continue
		}
		if rest == "" {
			return civil, false, true
		}
		t, ok := parseClock(rest)
		return civil.Add(t.Sub(time.Time{})), true, ok
	}
	return time.Time{}, false, false
}

// isoTime reads 2026-04-20T08:30:00 without offset: one with an offset is an instant and not what a sheet shows.
func isoTime(s string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// splitDate brings a text to a date whose parts stand between hyphens, and what follows it.
func splitDate(s string) (day, rest string) {
	words := strings.Fields(dateWords.Replace(s))
	parts := 0
	for i, w := range words {
		w = strings.Trim(w, "-")
		words[i] = w
		if parts += 1 + strings.Count(w, "-"); parts >= 3 || len(w) == len("20060102") && i == 0 {
			return strings.Join(words[:i+1], "-"), strings.TrimSuffix(strings.Join(words[i+1:], " "), ":")
		}
	}
	return strings.Join(words, "-"), ""
}

func parseClock(s string) (time.Time, bool) {
	s = strings.ToUpper(strings.Join(strings.Fields(s), ""))
	for _, half := range []string{"AM", "PM"} { // Chinese says it first
		if rest, ok := strings.CutPrefix(s, half); ok {
			s = rest + half
		}
	}
	whole, fraction, _ := strings.Cut(s, "-") // a point has become a hyphen
	if fraction != "" && strings.Trim(fraction, "0123456789") == "" {
		s = whole + "." + fraction
	}
	for _, layout := range clocks {
		if t, err := time.Parse(layout, s); err == nil {
			return time.Date(1, 1, 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC), true
		}
	}
	return time.Time{}, false
}
