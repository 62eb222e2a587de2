package contracttest

import (
	"fmt"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// Bench is a ledger reduced to its state: each transaction is decided and applied at once.
type Bench struct {
	T     testing.TB
	State *MemState
	Clock time.Time // of the next transaction; each takes a second
	txs   int
}

// New is a bench with an empty state.
func New(t testing.TB) *Bench {
	return &Bench{T: t, State: NewState(), Clock: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
}

// Tx is the next transaction of a member.
func (b *Bench) Tx(msp string, batch *contract.Batch) contract.Tx {
	b.txs++
	b.Clock = b.Clock.Add(time.Second)
	return contract.Tx{ID: fmt.Sprintf("%064x", b.txs), Actor: contract.Actor{MSP: msp, Subject: "tester"}, Time: event.Time{Time: b.Clock}, Batch: batch}
}

// Send decides and applies records of a member, each on its own.
func (b *Bench) Send(msp string, records ...contract.Record) []contract.Outcome {
	b.T.Helper()
	return b.Submit(msp, &contract.Batch{Records: records})
}

// Submit decides and applies a batch.
func (b *Bench) Submit(msp string, batch *contract.Batch) []contract.Outcome {
	b.T.Helper()
	effects, outcomes, err := contract.Decide(b.State, b.Tx(msp, batch))
	if err != nil {
		b.T.Fatalf("Decide: %v", err)
	}
	if len(outcomes) != len(batch.Records) {
		b.T.Fatalf("%d outcomes for %d records", len(outcomes), len(batch.Records))
	}
	if err := b.State.Apply(effects); err != nil {
		b.T.Fatal(err)
	}
	return outcomes
}

// Accept sends one record that must be accepted and returns its outcome.
func (b *Bench) Accept(msp string, r contract.Record) contract.Outcome {
	b.T.Helper()
	return b.want(contract.Accepted, msp, r)
}

// Refuse sends one record that must be refused and returns its outcome.
func (b *Bench) Refuse(msp string, r contract.Record) contract.Outcome {
	b.T.Helper()
	return b.want(contract.Refused, msp, r)
}

func (b *Bench) want(status contract.Status, msp string, r contract.Record) contract.Outcome {
	b.T.Helper()
	o := b.Send(msp, r)[0]
	if o.Status != status {
		b.T.Fatalf("%s: %s, want %s: %+v", o.ID, o.Status, status, o.Findings)
	}
	return o
}
