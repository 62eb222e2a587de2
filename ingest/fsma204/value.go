package fsma204

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// moment is a date as a sheet has it.
type moment struct {
	civil time.Time      // as if in UTC
	clock bool           // it has a time of day
	zone  *time.Location // where the text states one
}

// text is the date, with its time of day where it has one, in ISO 8601.
func (m moment) text() string {
	s := m.civil.Format(time.DateOnly)
	if m.clock {
		s = m.civil.Format("2006-01-02T15:04:05.999999999")
	}
	if m.zone != nil {
		s += m.civil.In(m.zone).Format("-07:00")
	}
	return s
}

// fault is why a cell is not what its column wants, in a sentence.
type fault struct {
	code    ingest.Code
	message string
}

// What a date may look like. (?:…) at the end of each: a time of day.
var (
	yearFirst  = regexp.MustCompile(`^(\d{4})\s*[-/.年 ]\s*(\d{1,2})\s*[-/.月 ]\s*(\d{1,2})\s*日?(?:[T\s]*(\S.*))?$`)
	yearLast   = regexp.MustCompile(`^(\d{1,2})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{4})(?:[T\s,]+(\S.*))?$`)
	shortYear  = regexp.MustCompile(`^\d{1,2}\s*[-/. ]\s*\d{1,2}\s*[-/. ]\s*\d{2}(?:[T\s]+\S.*)?$|^\d{6}$`)
	digitsOnly = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})$`)
	dayMonth   = regexp.MustCompile(`(?i)^(\d{1,2})(?:st|nd|rd|th)?[-\s]+(?:of\s+)?([a-z]{3,9})\.?[-,\s]+(\d{4})(?:[T\s,]+(\S.*))?$`)
	monthDay   = regexp.MustCompile(`(?i)^([a-z]{3,9})\.?[-\s]+(\d{1,2})(?:st|nd|rd|th)?[-,\s]+(\d{4})(?:[T\s,]+(\S.*))?$`)
	dayNumber  = regexp.MustCompile(`^(\d{5})(?:\.(\d+))?$`)
	clock      = regexp.MustCompile(`(?i)^(上午|下午)?\s*(\d{1,2})\s*(?:[:：时点]\s*(\d{1,2})\s*分?(?:[:：]?\s*(\d{1,2})(?:\.(\d{1,9}))?\s*秒?)?)?\s*(am|pm|a\.m\.|p\.m\.)?\s*(z|utc|[+-]\d{2}:?\d{2})?$`)
	offset     = regexp.MustCompile(`(?i)^(?:utc|gmt)?\s*([+-])(\d{1,2})(?::?(\d{2}))?$`)
)

// A date lies in these years; another one is a slip.
const (
	firstYear = 1900
	lastYear  = 2199
)

// readDate reads a cell as a date. serial: it was the number of a day.
func readDate(c sheet.Cell, order DateOrder) (m moment, serial bool, bad *fault) {
	switch c.Kind {
	case sheet.Date:
		m = moment{civil: c.Civil, clock: c.Clock && c.Civil.Truncate(24*time.Hour) != c.Civil}
		return m, false, inYears(m.civil)
	case sheet.Time:
		return m, false, &fault{CodeDate, "This is a time of day and not a date."}
	case sheet.Bool, sheet.Failed:
		return m, false, notADate(c.Text)
	}
	text := strings.TrimSpace(norm.NFKC.String(c.Text))
	if dayNumber.MatchString(text) {
		m, bad = dayOf(text)
		return m, true, bad
	}
	m, bad = parseDate(text, order)
	return m, false, bad
}

func notADate(text string) *fault {
	return &fault{CodeDate, "\"" + ingest.Clip(text) + "\" is not a date. Write it as 2026-04-20."}
}

func inYears(t time.Time) *fault {
	if t.Year() < firstYear || t.Year() > lastYear {
		return &fault{CodeDate, "The year " + strconv.Itoa(t.Year()) + " cannot be meant."}
	}
	return nil
}

// dayOf reads the number of a day (1 is 1900-01-01) as Excel counts them.
func dayOf(text string) (moment, *fault) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f < 20_000 || f >= 80_000 { // the years 1954 to 2119
		return moment{}, notADate(text)
	}
	ms := int64(f*24*60*60*1000 + 0.5)
	t := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Add(time.Duration(ms) * time.Millisecond).Round(time.Second)
	return moment{civil: t, clock: t.Truncate(24*time.Hour) != t}, nil
}

func parseDate(text string, order DateOrder) (m moment, bad *fault) {
	var year, month, day, rest string
	switch {
	case text == "":
		return m, notADate(text)
	case digitsOnly.MatchString(text):
		p := digitsOnly.FindStringSubmatch(text)
		year, month, day = p[1], p[2], p[3]
	case shortYear.MatchString(text):
		return m, &fault{CodeAmbiguous, "\"" + ingest.Clip(text) + "\" has a year of two digits, and may be read in several ways. Write it as 2026-04-20."}
	case yearFirst.MatchString(text):
		p := yearFirst.FindStringSubmatch(text)
		year, month, day, rest = p[1], p[2], p[3], p[4]
	case dayMonth.MatchString(text):
		p := dayMonth.FindStringSubmatch(text)
		year, month, day, rest = p[3], monthNumber(p[2]), p[1], p[4]
	case monthDay.MatchString(text):
		p := monthDay.FindStringSubmatch(text)
		year, month, day, rest = p[3], monthNumber(p[1]), p[2], p[4]
	case yearLast.MatchString(text):
		p := yearLast.FindStringSubmatch(text)
		if month, day, bad = inOrder(text, p[1], p[2], order); bad != nil {
			return m, bad
		}
		year, rest = p[3], p[4]
	default:
		return m, notADate(text)
	}
	y, mo, d := number(year), number(month), number(day)
	m.civil = time.Date(y, time.Month(mo), d, 0, 0, 0, 0, time.UTC)
	if mo < 1 || mo > 12 || m.civil.Day() != d {
		return m, &fault{CodeDate, "The date \"" + ingest.Clip(text) + "\" does not exist."}
	}
	if bad := inYears(m.civil); bad != nil || rest == "" {
		return m, bad
	}
	return m.at(rest)
}

// inOrder tells month and day of two numbers before a year apart.
func inOrder(text, first, second string, order DateOrder) (month, day string, bad *fault) {
	a, b := number(first), number(second)
	switch {
	case a > 12 || b <= 12 && a != b && order == DayFirst:
		return second, first, nil
	case b > 12 || a == b || order == MonthFirst:
		return first, second, nil
	}
	return "", "", &fault{CodeAmbiguous, "\"" + ingest.Clip(text) + "\" may be " + monthName(a) + " " + second + " or " + monthName(b) + " " + first +
		": month and day are both 12 or less. Write it as 2026-04-20."}
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

// at is the date with a time of day that is written behind it, or in a cell of its own.
func (m moment) at(text string) (moment, *fault) {
	p := clock.FindStringSubmatch(strings.TrimSpace(norm.NFKC.String(text)))
	half := ""
	if p != nil {
		half = strings.ToLower(p[1] + strings.ReplaceAll(p[6], ".", ""))
	}
	if p == nil || p[3] == "" && half == "" {
		return m, &fault{CodeDate, "\"" + ingest.Clip(text) + "\" is not a time of day. Write it as 14:30."}
	}
	hour, minute, second := number(p[2]), number(p[3]), number(p[4])
	afternoon := half == "pm" || half == "下午"
	if half != "" && (hour > 12 && half != "下午" || hour == 0 && half != "上午") || hour > 23 || minute > 59 || second > 59 {
		return m, &fault{CodeDate, "The time of day \"" + ingest.Clip(text) + "\" does not exist."}
	}
	switch {
	case afternoon && hour < 12:
		hour += 12
	case half == "am" && hour == 12, half == "上午" && hour == 12:
		hour = 0
	}
	nanos := number((p[5] + "000000000")[:9])
	day := m.civil.Truncate(24 * time.Hour)
	m.civil = day.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(nanos))
	m.clock = m.civil != day
	if p[7] != "" {
		m.zone, _ = readZone(p[7])
	}
	return m, nil
}

// readZone reads +08:00, UTC+8, GMT, Z.
func readZone(text string) (*time.Location, bool) {
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

// eventTime is the moment at its own zone, or else another one. A day without time of day begins at midnight.
func (m moment) eventTime(zone *time.Location) (event.Time, string, error) {
	if m.zone != nil {
		zone = m.zone
	}
	if zone == nil {
		zone = time.UTC
	}
	c := m.civil
	t := time.Date(c.Year(), c.Month(), c.Day(), c.Hour(), c.Minute(), c.Second(), c.Nanosecond(), zone)
	at := t.Format("-07:00")
	parsed, err := event.ParseTime(t.Format("2006-01-02T15:04:05.999999999") + at)
	return parsed, at, err
}

var (
	thousands = regexp.MustCompile(`^[+-]?\d{1,3}(?:[, '’]\d{3})+(?:\.\d+)?$`)
	european  = regexp.MustCompile(`^[+-]?\d{1,3}(?:\.\d{3})+,\d+$`)
	comma     = regexp.MustCompile(`^[+-]?\d+,\d+$`)
	leading   = regexp.MustCompile(`^([+-]?[\d.,'’]+(?: \d{3}(?:[.,]\d+)?)*)\s*(\D.*)?$`)
)

// readNumber reads a number as people write it: 1,200.5 or 1 200.5 or 1.200,5 or 12,5.
func readNumber(text string) (event.Decimal, bool) {
	text = strings.TrimSpace(norm.NFKC.String(text))
	switch {
	case thousands.MatchString(text):
		text = strings.NewReplacer(",", "", " ", "", "'", "", "’", "").Replace(text)
	case european.MatchString(text):
		text = strings.NewReplacer(".", "", ",", ".").Replace(text)
	case comma.MatchString(text):
		text = strings.Replace(text, ",", ".", 1)
	}
	d, err := event.ParseDecimal(text)
	return d, err == nil && d.Sign() >= 0
}

// splitQuantity takes "10 CS" apart.
func splitQuantity(text string) (amount, unit string) {
	p := leading.FindStringSubmatch(strings.TrimSpace(norm.NFKC.String(text)))
	if p == nil {
		return "", text
	}
	return p[1], p[2]
}

// isBlank says whether a cell says that there is nothing.
func isBlank(text string) bool {
	switch strings.ToLower(norm.NFKC.String(text)) {
	case "", "-", "--", "–", "—", "/", "n/a", "na", "none", "null", "无", "不适用":
		return true
	}
	return false
}

// fold is a name as far as it tells one thing from another: without case, width and repeated blanks.
func fold(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(norm.NFKC.String(name)), unicode.IsSpace), " ")
}
