// Package capture takes documents in, durably: the bytes are kept as evidence and the job is on disk before the sender
// gets an answer; then the document is parsed, submitted in batches, and what became of each record can be asked.
// A job survives the death of the process: it is taken up again, and what is on the ledger already is not written twice.
package capture

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
)

// Request is one document to capture.
type Request struct {
	// ID is the job's, for a sender that asks again after a crash whether it was taken: the second time is the job of the first, and Body is
	// not read. Empty: a new one.
	ID          string
	Member      string // MSP ID of the sender, whose identity signs
	ContentType string // as the sender states it; the content decides
	Name        string // file name, for people; may be empty
	Body        io.Reader
	// Files are the files that come after Body, which the document's events may name; nil: none. They are read one by one. An error that is an
	// *ingest.Problem is that of one file, and the next may follow; another one ends them.
	Files iter.Seq2[File, error]
	// Mapping is the mapping file by which the rows of a sheet become records; nil for formats that need none. It is kept as evidence.
	Mapping []byte
	Zone    string // see formats.Options
	Dates   string // likewise
	// Proceed: each record stands alone. Otherwise (rollback, the standard's default) one refused record or one
	// problem in the document refuses the whole document.
	Proceed bool
}

// Job is the progress of one document (EPCIS 2.0 REST, capture job). Counts are of records.
type Job struct {
	ID           string
	Member       string
	Name         string
	Evidence     contract.Evidence   // the document's bytes
	Files        []contract.Evidence `json:",omitempty"` // that came with it
	Mapping      string              // digest of the mapping file it is read by, which the evidence store has; "" without
	Zone         string              // see formats.Options
	Dates        string              // likewise
	Read         int64               // bytes of the document that were read when the last batch was through
	Proceed      bool
	Created      time.Time
	Finished     time.Time // zero while running
	Running      bool
	Success      bool // so far, no record and no part of the document was refused (with Proceed: something was captured)
	Accepted     int
	Duplicates   int
	Refused      int
	Problems     []Problem // at most MaxProblems
	MoreProblems int       // how many are not listed
	// Block is the number of blocks on the ledger once the job's last batch was final: what an index must have
	// reached to answer with it.
	Block uint64
}

// Problem is why a part of a document was not captured, or a remark on it.
type Problem struct {
	Code    string // of the parser or the contract
	Message string // one English sentence
	Pointer string // JSON pointer from the document's root, or line and column
	Event   string // ID of the record, where known
	Refused bool   // false: a finding on a record that was accepted
	// Document: it is of the document, or of a description in it, and not of a record that has an outcome.
	Document bool `json:",omitzero"`
}

// Through is how many records it is known of what became of them.
func (j *Job) Through() int { return j.Accepted + j.Duplicates + j.Refused }

// Outcome is what became of one record of the document, in document order.
type Outcome struct {
	Index int    // of the record in the document
	Tx    string // transaction on the ledger, "" when it never got there
	Block uint64
	contract.Outcome
}

// Limits of a document.
const (
	// MaxDocument bounds the bytes of one document: a million typical events and room to spare.
	MaxDocument = 4 << 30
	// MaxAtomic bounds the records of a document that is captured with rollback, because it must fit into one
	// transaction of the ledger. A larger one is refused (CAPTURE_LIMIT) and can be sent with proceed.
	MaxAtomic = 10_000
	// MaxMapping bounds the bytes of a mapping file, which people write by hand.
	MaxMapping = 1 << 20
	// MaxProblems bounds the problems a job lists; the others are counted.
	MaxProblems = 1_000
)

// OptionsError says that a document cannot be read as its sender wants it to be.
type OptionsError struct{ Problems []ingest.Problem }

func (e *OptionsError) Error() string { return "capture: " + e.Problems[0].Error() }

var (
	ErrNoSuchJob = errors.New("capture: no such job")
	// ErrTooLarge: the document is larger than MaxDocument.
	ErrTooLarge = fmt.Errorf("capture: a document may have at most %d bytes", int64(MaxDocument))
	// ErrMediaType: the content is nothing that can be captured.
	ErrMediaType = errors.New("capture: not a supported format (EPCIS as JSON or XML, a sheet as CSV or XLSX)")
	// ErrBusy: too many jobs wait; send it again later.
	ErrBusy = errors.New("capture: too many documents are waiting")
	// ErrMemberBusy is the ErrBusy of a member that has too many waiting itself; others may still send.
	ErrMemberBusy = fmt.Errorf("%w: of this member", ErrBusy)
)
