package event

import (
	"time"
)

// Strings is a list of strings that the JSON binding also allows as a single string.
type Strings []string

// Time is an instant with the offset the sender wrote (xsd:dateTimeStamp, RFC 3339). The zero Time was not stated.
type Time struct{ time.Time }

// Decimal is an exact decimal number, mantissa × 10^-scale; its text form is kept normal (no exponent, no
// trailing zeros after the point), so that equal numbers are equal values. Stated tells 0 from absent.
type Decimal struct {
	Mantissa int64
	Scale    uint8 // digits after the point
	Stated   bool
}

// IsZero reports whether the number was not stated; 0 itself is stated.
func (d Decimal) IsZero() bool { return !d.Stated }

// memo keeps what has been computed of an event once.
type memo struct{}
