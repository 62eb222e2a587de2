package event

import (
	"errors"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Decimal is an exact decimal number, Mantissa × 10^-Scale, always in normal form (no trailing zeros after the point,
// at most [MaxScale] digits there), so that equal numbers are equal values. Stated tells 0 from absent.
type Decimal struct {
	Mantissa int64
	Scale    uint8 // digits after the point
	Stated   bool
}

// MaxScale is the most digits after the point: with it any two numbers compare in 128 bits, and 10^-18 of
// any unit is finer than any instrument of the trade measures.
const MaxScale = 18

// maxDecimalText bounds the digits and the exponent of a number that is read; longer ones only waste time.
const maxDecimalText = 64

// NewDecimal is mantissa × 10^-scale in normal form; ok is false for a number that cannot be kept.
func NewDecimal(mantissa int64, scale int) (d Decimal, ok bool) {
	for scale > 0 && mantissa%10 == 0 {
		if mantissa == 0 {
			scale = 0
			break
		}
		mantissa /= 10
		scale--
	}
	for ; scale < 0 && mantissa != 0; scale++ {
		m := mantissa * 10
		if m/10 != mantissa {
			return Decimal{}, false
		}
		mantissa = m
	}
	if mantissa == 0 {
		scale = 0
	}
	if scale > MaxScale || mantissa == math.MinInt64 { // which has no negative
		return Decimal{}, false
	}
	return Decimal{Mantissa: mantissa, Scale: uint8(scale), Stated: true}, true
}

// Int is a whole number.
func Int(n int64) Decimal { return Decimal{Mantissa: n, Stated: true} }

// ParseDecimal reads a JSON number (RFC 8259, section 6), also with a leading + or leading zeros as xsd:decimal has them.
// Errors are *[Error] with Code [DecimalWrong] (not a number) or [DecimalRange] (more digits than fit in 63 bits, or
// more than [MaxScale] after the point).
func ParseDecimal(s string) (Decimal, error) {
	if len(s) > maxDecimalText {
		return Decimal{}, &Error{Code: DecimalRange, Msg: "has too many digits"}
	}
	i, negative := 0, false
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		negative = s[i] == '-'
		i++
	}
	var m uint64
	digits, scale, zeros, seenPoint, full := 0, 0, 0, false, false
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' && !seenPoint && digits > 0 {
			seenPoint = true
			continue
		}
		if c-'0' > 9 {
			break
		}
		digits++
		if seenPoint {
			scale++
		}
		if c == '0' { // held back: trailing zeros need no room
			zeros++
			continue
		}
		for ; zeros > 0 && m != 0; zeros-- {
			m, full = timesTen(m, full)
		}
		zeros = 0
		m, full = timesTen(m, full)
		m += uint64(c - '0')
	}
	if digits == 0 || s[i-1] == '.' {
		return Decimal{}, &Error{Code: DecimalWrong, Msg: "is not a number"}
	}
	exponent, ok := parseExponent(s[i:])
	if !ok {
		return Decimal{}, &Error{Code: DecimalWrong, Msg: "is not a number"}
	}
	if m > math.MaxInt64 || full {
		return Decimal{}, &Error{Code: DecimalRange, Msg: "has more digits than can be kept exactly"}
	}
	v := int64(m)
	if negative {
		v = -v
	}
	d, ok := NewDecimal(v, scale-zeros-exponent)
	if !ok {
		return Decimal{}, &Error{Code: DecimalRange, Msg: "is too large, or has too many digits after the point"}
	}
	return d, nil
}

func timesTen(m uint64, full bool) (uint64, bool) {
	if m > (math.MaxUint64-9)/10 {
		return m, true
	}
	return m * 10, full
}

func parseExponent(s string) (int, bool) {
	if s == "" {
		return 0, true
	}
	if s[0] != 'e' && s[0] != 'E' || len(s) < 2 || strings.Trim(s[2:], "0123456789") != "" {
		return 0, false
	}
	e, err := strconv.ParseInt(s[1:], 10, 16)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return int(e), true // of one that is out of range, the last in it, which no number but 0 can have either
}

// IsZero reports whether the number was not stated; 0 itself is stated.
func (d Decimal) IsZero() bool { return !d.Stated }

// Sign is -1, 0 or 1; that of a number not stated is 0.
func (d Decimal) Sign() int {
	switch {
	case d.Mantissa < 0:
		return -1
	case d.Mantissa > 0:
		return 1
	}
	return 0
}

// Neg is -d.
func (d Decimal) Neg() Decimal {
	d.Mantissa = -d.Mantissa
	return d
}

// Cmp is -1, 0 or 1 as d is less than, equal to or greater than e. A number not stated counts as 0.
func (d Decimal) Cmp(e Decimal) int {
	if s, t := d.Sign(), e.Sign(); s != t {
		return compare(s, t)
	}
	hi, lo := scaled(d, e.Scale)
	hj, lp := scaled(e, d.Scale)
	c := compare(hi, hj)
	if c == 0 {
		c = compare(lo, lp)
	}
	if d.Mantissa < 0 {
		return -c
	}
	return c
}

// scaled is |d| × 10^scale of the other number, which gives both the same scale.
func scaled(d Decimal, scale uint8) (hi, lo uint64) {
	m := uint64(d.Mantissa)
	if d.Mantissa < 0 {
		m = -m
	}
	return bits.Mul64(m, pow10[min(scale, MaxScale)])
}

func compare[T int | uint64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

var pow10 = [MaxScale + 1]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// Add is d + e exactly; ok is false when the sum cannot be kept. A number not stated counts as 0.
func (d Decimal) Add(e Decimal) (sum Decimal, ok bool) {
	scale := max(d.Scale, e.Scale)
	a, ok1 := d.mantissaAt(scale)
	b, ok2 := e.mantissaAt(scale)
	m := a + b
	if !ok1 || !ok2 || (a > 0) == (b > 0) && a != 0 && (m > 0) != (a > 0) {
		return Decimal{}, false
	}
	return NewDecimal(m, int(scale))
}

// Sub is d - e exactly; ok is false when the difference cannot be kept.
func (d Decimal) Sub(e Decimal) (difference Decimal, ok bool) { return d.Add(e.Neg()) }

func (d Decimal) mantissaAt(scale uint8) (int64, bool) {
	hi, lo := scaled(d, scale-d.Scale)
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	if d.Mantissa < 0 {
		return -int64(lo), true
	}
	return int64(lo), true
}

// String is the number without exponent and without trailing zeros after the point; "" when not stated.
func (d Decimal) String() string {
	if !d.Stated {
		return ""
	}
	return string(d.append(nil))
}

func (d Decimal) append(b []byte) []byte {
	if d.Scale == 0 {
		return strconv.AppendInt(b, d.Mantissa, 10)
	}
	m := uint64(d.Mantissa)
	if d.Mantissa < 0 {
		b = append(b, '-')
		m = -m
	}
	var room [20]byte
	digits := strconv.AppendUint(room[:0], m, 10)
	scale := int(d.Scale)
	whole := len(digits) - scale
	if whole <= 0 {
		b = append(b, '0', '.')
		for ; whole < 0; whole++ {
			b = append(b, '0')
		}
		return append(b, digits...)
	}
	b = append(b, digits[:whole]...)
	b = append(b, '.')
	return append(b, digits[whole:]...)
}

// MarshalJSONTo writes a JSON number; null when not stated.
func (d Decimal) MarshalJSONTo(enc *jsontext.Encoder) error {
	if !d.Stated {
		return enc.WriteToken(jsontext.Null)
	}
	var room [24]byte
	return enc.WriteValue(d.append(room[:0]))
}

// UnmarshalJSONFrom reads a JSON number or null.
func (d *Decimal) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	switch v.Kind() {
	case 'n':
		*d = Decimal{}
		return nil
	case '0':
		*d, err = ParseDecimal(string(v))
		return err
	}
	return &Error{Code: DecimalWrong, Msg: "is not a number"}
}
