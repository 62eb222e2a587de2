package contract

import (
	"iter"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// State is what the contract may read: the world state as of the start of the transaction. Fabric's stub and the
// embedded ledger serve it alike. A read does not see the transaction's own writes.
type State interface {
	// Get returns the value of a key, or nil when there is none. The bytes must not be changed.
	Get(key string) ([]byte, error)
	// Range iterates over the keys that begin with prefix, in byte order. Breaking off early is allowed.
	Range(prefix string) iter.Seq2[KV, error]
}

// KV is a key and its value.
type KV struct {
	Key   string
	Value []byte
}

// Tx is one submitted transaction as the ledger hands it over, after it checked the submitter's signature.
type Tx struct {
	ID    string     // unique on the ledger, lower-case hex
	Actor Actor      // who signed
	Time  event.Time // the ledger's time of the transaction, the same on every peer
	Batch *Batch
}

// Actor is the submitting member as its certificate shows it.
type Actor struct {
	MSP     string // MSP ID of the organisation
	Subject string // common name in the certificate: the person or machine
}

// Effects are the writes of a transaction in ascending key order; a nil value deletes the key.
type Effects []KV

// Status of a record after the decision.
type Status string

const (
	Accepted  Status = "accepted"
	Duplicate Status = "duplicate" // the same content is on the ledger already; nothing was written
	Refused   Status = "refused"   // not part of the record; a violation of a hold is kept nevertheless
)

// Outcome is what the contract said of one record.
type Outcome struct {
	// ID of the record: an event's hash (ni:///sha-256;…?ver=CBV2.0), an act's "kind-" and 32 hex digits.
	ID       string    `json:"id"`
	Status   Status    `json:"status"`
	Findings []Finding `json:"findings,omitempty"`
	// Violations lists the holds that a refused movement would have broken: hold IDs, ascending.
	Violations []string `json:"violations,omitempty"`
	// Voids is the ID of the event that this record's error declaration declared wrong (itself, by its hash).
	Voids bool `json:"voids,omitzero"`
}

// Finding is a coded remark on a record.
type Finding struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`          // one English sentence
	Place   string `json:"place,omitzero"`   // JSON pointer into the record
	Subject string `json:"subject,omitzero"` // the item, site, member or hold it is about
}

// Decide applies a transaction to the state. It fails only when the state cannot be read or is damaged; everything
// wrong with a record is in its outcome. len(outcomes) == len(tx.Batch.Records). Same state and tx, same result,
// byte for byte.
