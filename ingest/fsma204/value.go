package fsma204

import (
	"regexp"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// hasClock says whether a date has a time of day of its own. Midnight is how programs write a date without one.
func hasClock(m sheet.Moment) bool { return m.Civil.Truncate(24*time.Hour) != m.Civil }

// isoText is a date, with its time of day where it has one, in ISO 8601.
func isoText(m sheet.Moment) string {
	s := m.Civil.Format(time.DateOnly)
	if hasClock(m) {
		s = m.Civil.Format("2006-01-02T15:04:05.999999999")
	}
	if m.Zone != nil {
		s += m.Civil.In(m.Zone).Format("-07:00")
	}
	return s
}

// eventTime is the moment at its own zone, or else another one. A day without time of day begins at midnight.
func eventTime(m sheet.Moment, zone *time.Location) (event.Time, string, error) {
	t := m.In(zone)
	at := t.Format("-07:00")
	parsed, err := event.ParseTime(t.Format("2006-01-02T15:04:05.999999999") + at)
	return parsed, at, err
}

var (
	european = regexp.MustCompile(`^[+-]?\d{1,3}(?:\.\d{3})+,\d+$`)
	comma    = regexp.MustCompile(`^[+-]?\d+,\d+$`)
	leading  = regexp.MustCompile(`^([+-]?[\d.,'’]+(?: \d{3}(?:[.,]\d+)?)*)\s*(\D.*)?$`)
)

// readNumber reads a number as people write it: 1,200.5 or 1 200.5 or 1.200,5 or 12,5.
func readNumber(text string) (event.Decimal, bool) {
	text = strings.TrimSpace(norm.NFKC.String(text))
	switch {
	case sheet.Ungroup(text) != text: // 1,200 is twelve hundred
	case european.MatchString(text):
		text = strings.NewReplacer(".", "", ",", ".").Replace(text)
	case comma.MatchString(text):
		text = strings.Replace(text, ",", ".", 1)
	}
	d, err := event.ParseDecimal(sheet.Ungroup(text))
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
