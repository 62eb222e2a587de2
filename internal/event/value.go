package event

import (
	"sync/atomic"

	"github.com/go-json-experiment/json/jsontext"
)

// Code names a fault of a value for machines.
type Code string

// The faults of a value.
const (
	TimeWrong    Code = "TIME"          // not a date and time with offset, or outside of the years 1 to 9999
	DecimalWrong Code = "NUMBER"        // not a number
	DecimalRange Code = "NUMBER_RANGE"  // a number that cannot be kept exactly
	TooDeep      Code = "DEPTH"         // members outside of the standard nested deeper than MaxDepth
	StringsWrong Code = "TYPE_MISMATCH" // neither a string nor an array of strings
)

// Error says what is wrong with a value. Msg goes on from the value's name: "is not a number".
type Error struct {
	Code Code
	Msg  string
}

// Error is "CODE: message".
func (e *Error) Error() string { return string(e.Code) + ": " + e.Msg }

// Strings is a list of strings that the JSON binding also allows as a single string.
type Strings []string

// MarshalJSONTo writes an array.
func (s Strings) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for _, v := range s {
		if err := enc.WriteToken(jsontext.String(v)); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndArray)
}

// UnmarshalJSONFrom reads a string, an array of strings, or null.
func (s *Strings) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*s = nil
	tok, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch tok.Kind() {
	case 'n':
		return nil
	case '"':
		*s = Strings{tok.String()}
		return nil
	case '[':
		return s.readArray(dec)
	}
	return &Error{Code: StringsWrong, Msg: "is neither a string nor an array of strings"}
}

func (s *Strings) readArray(dec *jsontext.Decoder) error {
	for {
		tok, err := dec.ReadToken()
		if err != nil {
			return err
		}
		switch tok.Kind() {
		case ']':
			return nil
		case '"':
			*s = append(*s, tok.String())
		default:
			return &Error{Code: StringsWrong, Msg: "is neither a string nor an array of strings"}
		}
	}
}

// memo keeps what has been computed of an event once. It is atomic because many goroutines may read one event; they would
// only compute the same thing twice.
type memo struct {
	hash atomic.Pointer[string]
	keys atomic.Pointer[keys]
	text atomic.Pointer[[]byte]
}
