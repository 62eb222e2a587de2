package sheet

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// digits that Excel keeps of a number. It writes 3.4 as 3.3999999999999999 and shows 3.4.
const digits = 15

// numberCell reads a number as a workbook has it. With a date's format it is a date: days since 1899-12-30, or since 1904.
func numberCell(v string, s style, since1904 bool) Cell {
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return Cell{Text: v, Kind: Failed}
	}
	if s.date || s.clock {
		return serial(f, s, since1904)
	}
	c := Cell{Text: v, Kind: Number}
	if !isShort(v) {
		rounded, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', digits, 64), 64)
		c.Text = strconv.FormatFloat(rounded, 'f', -1, 64)
		c.Lossy = math.Abs(f) >= 1e15
	}
	if n := s.zeros - len(c.Text); n > 0 && strings.Trim(c.Text, "0123456789") == "" {
		c.Text = strings.Repeat("0", n) + c.Text
	}
	return c
}

// grouped is a number whose digits stand in threes.
var grouped = regexp.MustCompile(`^[+-]?\d{1,3}(?:[, '’]\d{3})+(?:\.\d+)?$`)

// Ungroup takes the separators out of a number with groups of digits: 1,200.5, 1 200.5, 1'200.5. Other texts stay as they are.
func Ungroup(text string) string {
	if grouped.MatchString(text) {
		return strings.NewReplacer(",", "", " ", "", "'", "", "’", "").Replace(text)
	}
	return text
}

// isShort says whether v is written as the decimal that it is: with at most 15 digits, or whole and without exponent, which only programs
// write that keep all digits.
func isShort(v string) bool {
	v = strings.TrimPrefix(v, "-")
	whole, fraction, point := strings.Cut(v, ".")
	if whole == "" || strings.Trim(whole+fraction, "0123456789") != "" || point && fraction == "" {
		return false
	}
	return len(whole)+len(fraction) <= digits || !point && len(whole) <= 18
}

const (
	msPerDay = 24 * 60 * 60 * 1000
	// lastDay is 9999-12-31, the last date of spreadsheets.
	lastDay = 2_958_465
	// leapDay is 1900-02-29, which spreadsheets count and which was not.
	leapDay = 60
	// days1904 are those between the two ways to count.
	days1904 = 1462
)

// serial reads the number of a date or time.
func serial(f float64, s style, since1904 bool) Cell {
	if since1904 && s.date {
		f += days1904
	}
	if f < 0 || f >= lastDay+1 || s.date && math.Floor(f) == leapDay {
		return Cell{Text: strconv.FormatFloat(f, 'f', -1, 64), Kind: Failed}
	}
	ms := int64(math.Round(f * msPerDay))
	day := ms / msPerDay
	if day < leapDay {
		day++
	}
	civil := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(day)).Add(time.Duration(ms%msPerDay) * time.Millisecond)
	if !s.date {
		return timeCell(civil)
	}
	return dateCell(civil, s.clock || ms%msPerDay != 0)
}

func dateCell(civil time.Time, clock bool) Cell {
	layout := "2006-01-02"
	if clock {
		layout = "2006-01-02T15:04:05.999"
	}
	return Cell{Text: civil.Format(layout), Kind: Date, Civil: civil, Clock: clock}
}

func timeCell(civil time.Time) Cell {
	t := time.Date(1, 1, 1, civil.Hour(), civil.Minute(), civil.Second(), civil.Nanosecond(), time.UTC)
	return Cell{Text: t.Format("15:04:05.999"), Kind: Time, Civil: t, Clock: true}
}

// isoCell reads a date that is written as one (ECMA-376 part 1, 18.18.11, "d").
func isoCell(v string) Cell {
	if t, err := time.Parse("2006-01-02", v); err == nil {
		return dateCell(t, false)
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05Z"} {
		if t, err := time.Parse(layout, v); err == nil {
			return dateCell(t, true)
		}
	}
	if t, err := time.Parse("15:04:05", v); err == nil {
		return timeCell(t)
	}
	return Cell{Text: v, Kind: Failed}
}
