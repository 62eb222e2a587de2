package gs1

import "errors"

// Code names a fault for machines.
type Code string

// The faults of an identifier.
const (
	CheckDigitWrong Code = "CHECK_DIGIT" // well formed, but the check digit does not match
	LengthWrong     Code = "LENGTH"      // a part is too short, too long, or absent
	CharsetWrong    Code = "CHARSET"     // a character that the part does not allow
	SyntaxWrong     Code = "SYNTAX"      // not the shape of an EPC URN or of a Digital Link URI
	KeyUnknown      Code = "KEY"         // no GS1 key where one is expected
	QualifierWrong  Code = "QUALIFIER"   // a qualifier the key does not take, or out of order
	PrefixWrong     Code = "GCP"         // company prefix: not digits, or not 6 to 12 of them
	PatternWide     Code = "PATTERN"     // a pattern that names more than one class
	NoURN           Code = "NO_URN"      // the identifier has no EPC URN form
	AIUnknown       Code = "AI_UNKNOWN"  // an application identifier that GS1 has not assigned
	AIMisplaced     Code = "AI_MISUSED"  // an application identifier that may not stand there, or is repeated
	ValueWrong      Code = "VALUE"       // right length and characters, but not a possible value (date, country, …)
)

// Error says what is wrong with an identifier.
type Error struct {
	Code Code
	// Part is where: an application identifier ("01"), the name of an EPC URN field ("company prefix"), or "" for the whole.
	Part string
	// Msg is a sentence for people, without the identifier itself.
	Msg string
}

// Error is "CODE: part: sentence".
func (e *Error) Error() string {
	if e.Part == "" {
		return string(e.Code) + ": " + e.Msg
	}
	return string(e.Code) + ": " + e.Part + ": " + e.Msg
}

// IsCheckDigit says whether err is only a wrong check digit: the result that came with it is complete.
func IsCheckDigit(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == CheckDigitWrong
}

func fault(code Code, part, msg string) *Error { return &Error{Code: code, Part: part, Msg: msg} }

// asError keeps a nil *Error from becoming a non-nil error.
func asError(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}
