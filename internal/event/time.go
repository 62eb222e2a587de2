package event

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Time is an instant with the offset the sender wrote (xsd:dateTimeStamp, RFC 3339). The zero Time was not stated.
type Time struct{ time.Time }

// maxOffset is the largest offset from UTC that XML Schema 1.1, section 3.3.7.2 allows, in minutes.
const maxOffset = 14 * 60

// zones holds a location for each whole quarter of an hour, so that reading a time allocates nothing.
var zones = makeZones()

func makeZones() (z [2*maxOffset/15 + 1]*time.Location) {
	for i := range z {
		z[i] = time.FixedZone("", (i*15-maxOffset)*60)
	}
	z[maxOffset/15] = time.UTC
	return z
}

func zone(minutes int) *time.Location {
	if minutes%15 == 0 {
		return zones[(minutes+maxOffset)/15]
	}
	return time.FixedZone("", minutes*60)
}

// ParseTime reads an xsd:dateTimeStamp: a date and time with a mandatory offset (Z or ±hh:mm up to 14 hours), up to nine
// significant digits of a second, years 1 to 9999 in UTC and at the offset. The hour 24:00:00 is the next day's midnight. Errors are *[Error] with
// Code [TimeWrong].
func ParseTime(s string) (Time, error) {
	c := cursor{s: s}
	year := c.digits(4)
	c.byte('-')
	month := c.digits(2)
	c.byte('-')
	day := c.digits(2)
	if c.i < len(s) && s[c.i] == 't' { // RFC 3339, section 5.6 allows it
		c.i++
	} else {
		c.byte('T')
	}
	hour := c.digits(2)
	c.byte(':')
	minute := c.digits(2)
	c.byte(':')
	second := c.digits(2)
	nanos := c.fraction()
	offset := c.offset()
	if c.bad || c.i != len(s) {
		return Time{}, timeFault("is not a date, time and offset like 2026-04-20T08:30:00.000+02:00")
	}
	if c.fine {
		return Time{}, timeFault("has a fraction finer than a nanosecond")
	}
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return Time{}, timeFault("has a date that does not exist")
	}
	if hour > 24 || minute > 59 || second > 59 || hour == 24 && (minute|second|nanos) != 0 {
		return Time{}, timeFault("has a time of day that does not exist")
	}
	return checkRange(time.Date(year, time.Month(month), day, hour, minute, second, nanos, zone(offset)))
}

func checkRange(t time.Time) (Time, error) {
	utc := t.UTC().Year()
	if t.Year() < 1 || t.Year() > 9999 || utc < 1 || utc > 9999 {
		return Time{}, timeFault("is outside of the years 1 to 9999")
	}
	if t.IsZero() {
		return Time{}, timeFault("is the first moment of year 1, which stands for a time that is not known")
	}
	return Time{t}, nil
}

func timeFault(msg string) error { return &Error{Code: TimeWrong, Msg: msg} }

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// cursor reads the parts of a time; bad says that one was missing.
type cursor struct {
	s    string
	i    int
	bad  bool
	fine bool // digits beyond nanoseconds that are not zero
}

func (c *cursor) digits(n int) (v int) {
	if c.i+n > len(c.s) {
		c.bad = true
		return 0
	}
	for range n {
		d := c.s[c.i] - '0'
		c.bad = c.bad || d > 9
		v = v*10 + int(d)
		c.i++
	}
	return v
}

func (c *cursor) byte(b byte) {
	if c.i >= len(c.s) || c.s[c.i] != b {
		c.bad = true
		return
	}
	c.i++
}

// fraction reads an optional fraction of a second as nanoseconds.
func (c *cursor) fraction() (nanos int) {
	if c.i >= len(c.s) || c.s[c.i] != '.' {
		return 0
	}
	c.i++
	n := 0
	for ; c.i < len(c.s) && c.s[c.i]-'0' <= 9; c.i++ {
		if n < 9 {
			nanos = nanos*10 + int(c.s[c.i]-'0')
		} else if c.s[c.i] != '0' {
			c.fine = true
		}
		n++
	}
	c.bad = c.bad || n == 0
	for ; n < 9; n++ {
		nanos *= 10
	}
	return nanos
}

// offset reads Z or ±hh:mm as minutes.
func (c *cursor) offset() int {
	if c.i >= len(c.s) {
		c.bad = true
		return 0
	}
	sign := c.s[c.i]
	c.i++
	switch sign {
	case 'Z', 'z':
		return 0
	case '+', '-':
	default:
		c.bad = true
		return 0
	}
	hours := c.digits(2)
	c.byte(':')
	minutes := c.digits(2)
	total := hours*60 + minutes
	if minutes > 59 || total > maxOffset {
		c.bad = true
		return 0
	}
	if sign == '-' {
		return -total
	}
	return total
}

// String is the time as RFC 3339 with its own offset and the digits of the fraction it needs; "" when not stated.
func (t Time) String() string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// Equal reports whether both are the same instant at the same offset.
func (t Time) Equal(u Time) bool {
	_, a := t.Zone()
	_, b := u.Zone()
	return t.Time.Equal(u.Time) && a == b
}

// MarshalText is [Time.String].
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText is [ParseTime]; the empty text is a time that was not stated.
func (t *Time) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*t = Time{}
		return nil
	}
	*t, err = ParseTime(string(text))
	return err
}

// MarshalJSONTo writes the time as a string.
func (t Time) MarshalJSONTo(enc *jsontext.Encoder) error {
	return enc.WriteToken(jsontext.String(t.String()))
}

// UnmarshalJSONFrom reads a string as [Time.UnmarshalText] does, or null.
func (t *Time) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	tok, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch tok.Kind() {
	case 'n':
		*t = Time{}
		return nil
	case '"':
		return t.UnmarshalText([]byte(tok.String()))
	}
	return timeFault("is not a string")
}
