package subscribe

// Cursor is a place in the ledger's order of events.
type Cursor struct {
	Block    uint64
	Position int
}
