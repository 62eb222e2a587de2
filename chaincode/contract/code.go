package contract

// Code names a finding for machines. A code is never reused for another meaning.
type Code string

const (
	CodeLotHeld Code = "LOT_HELD" // a movement of a held item: refused, kept as a violation
)
