// Package ledger is the interface to the shared record: it orders and keeps what the contract decided. The
// implementations are embedded (one machine) and fabric (between organisations); ledgertest is the suite that says
// what the interface means.
package ledger

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"iter"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// Ledger is a ledger that one process talks to. All methods may be called from many goroutines.
type Ledger interface {
	// Submit signs a batch for a member, has it decided and ordered, and returns once it is final (on disk,
	// on Fabric: committed as valid). A version conflict is retried inside. Errors: ErrRefused (nothing was ordered
	// and sending again is no use), ErrNotOrdered (nothing was ordered, send again), ErrInvalidated (ordered, found
	// invalid and retries used up; send again), *UnknownError (ask Receipt by its ID). Records that are there already
	// come back as duplicates, so sending a batch again is always safe.
	Submit(ctx context.Context, by Signer, batch *contract.Batch) (Receipt, error)

	// Receipt returns the receipt of a transaction, or ErrNoSuchTx when it is not on the ledger (yet).
	Receipt(ctx context.Context, txID string) (Receipt, error)

	// Blocks yields the blocks from a height on (the first block is 0), then waits for new ones until ctx ends,
	// which ends the sequence without an error. An error ends it.
	Blocks(ctx context.Context, from uint64) iter.Seq2[*Block, error]

	// Height returns the number of final blocks.
	Height(ctx context.Context) (uint64, error)

	// View calls f with the state as of one block, the latest or later than any receipt returned before.
	View(ctx context.Context, f func(contract.State) error) error
}

// Signer is a member's identity with which it signs submissions: X.509, ECDSA P-256.
type Signer struct {
	MSP  string        // MSP ID of the organisation that issued the certificate
	Cert []byte        // the certificate, DER
	Key  crypto.Signer // its private key
}

// Receipt says where a batch ended up and what became of each record.
type Receipt struct {
	TxID     string
	Block    uint64
	Outcomes []contract.Outcome
}

// Block is a final block. It is shared: readers must not change it.
type Block struct {
	Height   uint64
	Hash     [32]byte // over the block's bytes; the next block's PrevHash
	PrevHash [32]byte
	Time     event.Time // when it was made: not before any of its transactions, nor before the block before
	Txs      []Tx
}

// Tx is one valid transaction of a block.
type Tx struct {
	ID       string
	Actor    contract.Actor
	Time     event.Time // the ledger's time at which the contract decided it
	Batch    *contract.Batch
	Outcomes []contract.Outcome
}

var (
	ErrRefused     = errors.New("ledger: the submission was refused before ordering")
	ErrNotOrdered  = errors.New("ledger: the submission was not ordered")
	ErrInvalidated = errors.New("ledger: the transaction conflicted with others too often")
	ErrNoSuchTx    = errors.New("ledger: no such transaction")
	// ErrFewPeers comes with ErrNotOrdered: peers that the endorsement needs are away, or their chaincode services are.
	ErrFewPeers = errors.New("too few peers endorse it")
	ErrClosed   = fmt.Errorf("%w: the ledger is closed", ErrNotOrdered)
)

// UnknownError says that the submission may or may not be on the ledger. Receipt tells, by TxID, later.
type UnknownError struct {
	TxID string
	Err  error
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("ledger: what became of transaction %s is not known: %v", e.TxID, e.Err)
}

func (e *UnknownError) Unwrap() error { return e.Err }
