package sheet

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/foodtrace-ledger/foodtrace/ingest"
)

// Order is how dates that are written with numbers alone are read when the year does not come first and both others are 12 or less.
type Order uint8

// The orders of day and month.
const (
	YearFirst  Order = iota // 4/5/2026 is not a date, since nobody can know which one
	MonthFirst              // 4/5/2026 is the fifth of April
	DayFirst                // 4/5/2026 is the fourth of May
)

// The problems of dates.
const (
	CodeDate      ingest.Code = "DATE"           // not a date
	CodeAmbiguous ingest.Code = "DATE_AMBIGUOUS" // a date that may be read as two
	CodeSerial    ingest.Code = "DATE_SERIAL"    // finding: the number of a day, as spreadsheets count them, where a date is expected
)

// Moment is a date as a sheet has it.
type Moment struct {
	Civil  time.Time      // what the sheet shows, written in UTC
	Clock  bool           // it says a time of day, if only midnight
	Zone   *time.Location // where the text states one; else nil
	Serial bool           // it was the number of a day
}

// In is the instant: in the zone that the text states, else in another one; nil is UTC.
func (m Moment) In(zone *time.Location) time.Time {
	if m.Zone != nil {
		zone = m.Zone
	}
	if zone == nil {
		zone = time.UTC
	}
	c := m.Civil
	return time.Date(c.Year(), c.Month(), c.Day(), c.Hour(), c.Minute(), c.Second(), c.Nanosecond(), zone)
}

// DateError is why a text is no date. Why goes on from the text: "is not a date."
type DateError struct {
	Code ingest.Code
	Why  string
}

// Error is the text's part of the sentence.
func (e *DateError) Error() string { return e.Why }

// Of is the whole sentence about a text.
func (e *DateError) Of(text string) string { return "“" + ingest.Clip(text) + "” " + e.Why }

// What a date may look like. (\S.*) at the end: a time of day.
var (
	yearFirst  = regexp.MustCompile(`^(\d{4})\s*[-/.年 ]\s*(\d{1,2})\s*[-/.月 ]\s*(\d{1,2})\s*[日号]?(?:[T\s]*(\S.*))?$`)
	yearLast   = regexp.MustCompile(`^(\d{1,2})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{4})(?:[T\s,]+(\S.*))?$`)
	shortYear  = regexp.MustCompile(`^\d{1,2}\s*[-/.年 ]\s*\d{1,2}\s*[-/.月 ]\s*\d{1,2}\s*[日号]?(?:[T\s]+\S.*)?$|^\d{6}$`)
	noYear     = regexp.MustCompile(`^\d{1,2}\s*月\s*\d{1,2}\s*[日号]?(?:\s*\S.*)?$`)
	digitsOnly = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})(?:[T\s]+(\S.*))?$`)
	dayMonth   = regexp.MustCompile(`(?i)^(\d{1,2})(?:st|nd|rd|th)?[-\s]+(?:of\s+)?([a-z]{3,9})\.?[-,\s]+(\d{4}|\d{2})(?:[T\s,]+(\S.*))?$`)
	monthDay   = regexp.MustCompile(`(?i)^([a-z]{3,9})\.?[-\s]+(\d{1,2})(?:st|nd|rd|th)?[-,\s]+(\d{4})(?:[T\s,]+(\S.*))?$`)
	dayNumber  = regexp.MustCompile(`^(\d{5})(?:\.(\d+))?$`)
	sixDigits  = regexp.MustCompile(`^(\d{2})(\d{2})(\d{2})$`)
	clock      = regexp.MustCompile(`(?i)^(上午|下午)?\s*(\d{1,2})\s*(?:([:时時点])\s*(?:(\d{1,2})\s*分?(?:[:]?\s*(\d{1,2})(?:\.(\d{1,9}))?\s*秒?)?)?)?\s*(am|pm|a\.m\.|p\.m\.)?\s*(z|utc|[+-]\d{2}:?\d{2})?$`)
	offset     = regexp.MustCompile(`(?i)^(?:utc|gmt)?\s*([+-])(\d{1,2})(?::?(\d{2}))?$`)
)

// A date lies in these years; another one is a slip. maxDate is the length of the longest text that is one, with room for blanks.
const (
	firstYear = 1900
	lastYear  = 2199
	maxDate   = 100
)

const writeIt = " Write it as 2026-04-20."

// Date reads a cell as a date, as people and programs write it into sheets: the date of a [Date] cell, and texts like 2026-04-20, 2026/4/20,
// 20260420, 2026年4月20日, 20-Apr-2026, April 20, 2026, 4/20/2026, each with or without a time of day (08:30, 8:30:15 PM, 下午3:05) and an
// offset (+08:00), or the number of a day. docs/formats.md has them all. The error is nil or says why it is none.
func (c Cell) Date(order Order) (Moment, *DateError) {
	switch c.Kind {
	case Date:
		m := Moment{Civil: c.Civil, Clock: c.Clock}
		return m, inYears(m.Civil)
	case Time:
		return Moment{}, &DateError{CodeDate, "is a time of day and not a date."}
	case Bool, Failed:
		return Moment{}, notADate()
	}
	text := strings.TrimSpace(norm.NFKC.String(c.Text))
	switch {
	case text == "" || len(text) > maxDate:
		return Moment{}, notADate()
	case dayNumber.MatchString(text):
		return dayOf(text)
	}
	return parseDate(text, order)
}

func notADate() *DateError { return &DateError{CodeDate, "is not a date." + writeIt} }

func inYears(t time.Time) *DateError {
	if t.Year() < firstYear || t.Year() > lastYear {
		return &DateError{CodeDate, "is in the year " + strconv.Itoa(t.Year()) + ", which cannot be meant."}
	}
	return nil
}

// dayOf reads the number of a day (1 is 1900-01-01) as Excel counts them.
func dayOf(text string) (Moment, *DateError) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f < 20_000 || f >= 80_000 { // the years 1954 to 2119
		return Moment{}, notADate()
	}
	ms := int64(f*msPerDay + 0.5)
	t := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Add(time.Duration(ms) * time.Millisecond).Round(time.Second)
	return Moment{Civil: t, Clock: t.Truncate(24*time.Hour) != t, Serial: true}, nil
}

func parseDate(text string, order Order) (m Moment, bad *DateError) {
	var year, month, day, rest string
	if p := digitsOnly.FindStringSubmatch(text); p != nil {
		year, month, day, rest = p[1], p[2], p[3], p[4]
	} else if p := yearFirst.FindStringSubmatch(text); p != nil {
		year, month, day, rest = p[1], p[2], p[3], p[4]
	} else if p := dayMonth.FindStringSubmatch(text); p != nil {
		year, month, day, rest = century(p[3]), monthNumber(p[2]), p[1], p[4]
	} else if p := monthDay.FindStringSubmatch(text); p != nil {
		year, month, day, rest = p[3], monthNumber(p[1]), p[2], p[4]
	} else if p := yearLast.FindStringSubmatch(text); p != nil {
		if month, day, bad = inOrder(p[1], p[2], order); bad != nil {
			return m, bad
		}
		year, rest = p[3], p[4]
	} else if shortYear.MatchString(text) {
		return m, &DateError{CodeAmbiguous, "has a year of two digits, and may be read in several ways." + writeIt}
	} else if noYear.MatchString(text) {
		return m, &DateError{CodeDate, "does not say the year." + writeIt}
	} else {
		return m, notADate()
	}
	y, mo, d := number(year), number(month), number(day)
	m.Civil = time.Date(y, time.Month(mo), d, 0, 0, 0, 0, time.UTC)
	if mo < 1 || mo > 12 || m.Civil.Day() != d {
		return m, &DateError{CodeDate, "is a date that does not exist."}
	}
	if bad := inYears(m.Civil); bad != nil || rest == "" {
		return m, bad
	}
	return m.At(rest)
}

// century completes a year of two digits beside the name of a month.
func century(year string) string {
	if len(year) == 2 {
		return "20" + year
	}
	return year
}

// inOrder tells month and day of two numbers before a year apart.
func inOrder(first, second string, order Order) (month, day string, bad *DateError) {
	a, b := number(first), number(second)
	switch {
	case a > 12 || b <= 12 && a != b && order == DayFirst:
		return second, first, nil
	case b > 12 || a == b || order == MonthFirst:
		return first, second, nil
	}
	return "", "", &DateError{CodeAmbiguous, "may be " + monthName(a) + " " + second + " or " + monthName(b) + " " + first +
		": month and day are both 12 or less." + writeIt + " Or say which comes first, where the sheet is sent or in its mapping."}
}

func monthName(n int) string {
	if n < 1 || n > 12 {
		return strconv.Itoa(n)
	}
	return time.Month(n).String()
}

func number(s string) int {
	n, _ := strconv.Atoi(s) // at most nine digits, or "" for an unknown month
	return n
}

func monthNumber(name string) string {
	name = strings.ToLower(name)
	for m := time.January; m <= time.December; m++ {
		full := strings.ToLower(m.String())
		if len(name) >= 3 && strings.HasPrefix(full, name) || name == "sept" && m == time.September {
			return strconv.Itoa(int(m))
		}
	}
	return ""
}

// At is the date with a time of day that is written behind it, or in a cell of its own.
func (m Moment) At(text string) (Moment, *DateError) {
	text = strings.TrimSpace(norm.NFKC.String(text))
	p := clock.FindStringSubmatch(sixDigits.ReplaceAllString(text, "$1:$2:$3"))
	half := ""
	if p != nil {
		half = strings.ToLower(p[1] + strings.ReplaceAll(p[7], ".", ""))
	}
	if p == nil || p[4] == "" && half == "" && (p[3] == "" || p[3] == ":") {
		return m, &DateError{CodeDate, "does not end with a time of day that is known here. Write it as 14:30."}
	}
	hour, minute, second := number(p[2]), number(p[4]), number(p[5])
	if half != "" && (hour > 12 && half != "下午" || hour == 0 && half != "上午") || hour > 23 || minute > 59 || second > 59 {
		return m, &DateError{CodeDate, "has a time of day that does not exist."}
	}
	switch {
	case (half == "pm" || half == "下午") && hour < 12:
		hour += 12
	case (half == "am" || half == "上午") && hour == 12:
		hour = 0
	}
	nanos := number((p[6] + "000000000")[:9])
	day := m.Civil.Truncate(24 * time.Hour)
	m.Civil = day.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(nanos))
	m.Clock = true
	if p[8] != "" {
		m.Zone, _ = Zone(p[8])
	}
	return m, nil
}

// Zone reads an offset: +08:00, UTC+8, GMT, Z.
func Zone(text string) (*time.Location, bool) {
	text = strings.TrimSpace(norm.NFKC.String(text))
	switch strings.ToLower(text) {
	case "z", "utc", "gmt":
		return time.UTC, true
	}
	p := offset.FindStringSubmatch(text)
	if p == nil {
		return nil, false
	}
	hours, minutes := number(p[2]), number(p[3])
	if hours > 14 || minutes > 59 || hours == 14 && minutes > 0 {
		return nil, false
	}
	seconds := hours*3600 + minutes*60
	if p[1] == "-" {
		seconds = -seconds
	}
	return time.FixedZone("", seconds), true
}
