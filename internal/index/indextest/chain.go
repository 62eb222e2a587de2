// Package indextest says what the read model means: a suite that every implementation passes, and chains of blocks to
// feed it.
package indextest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// Chain is a ledger in memory on which every record is accepted unless its outcome says otherwise. It is an
// index.Source.
type Chain struct {
	mu     sync.Mutex
	blocks []*ledger.Block
	grown  chan struct{}
	txs    int
	acts   int
}

// NewChain makes an empty chain.
func NewChain() *Chain { return &Chain{grown: make(chan struct{})} }

// Entry is a record with its outcome. A zero Status means accepted.
type Entry struct {
	contract.Record
	contract.Outcome
}

// Event is an accepted event, or the error declaration of one.
func Event(e *event.Event) Entry {
	return Entry{Record: contract.Record{Event: e}, Outcome: contract.Outcome{Voids: e.ErrorDeclaration != nil}}
}

// Violation is a refused movement of held items.
func Violation(e *event.Event, holds []string, items ...string) Entry {
	o := contract.Outcome{Status: contract.Refused, Violations: holds}
	for _, item := range items {
		o.Findings = append(o.Findings, contract.Finding{Code: contract.CodeLotHeld, Message: "The item is held.", Subject: item})
	}
	return Entry{Record: contract.Record{Event: e}, Outcome: o}
}

// Add appends a block with one transaction of a member and returns the outcomes.
func (c *Chain) Add(member string, entries ...Entry) []contract.Outcome {
	return c.AddBlock(c.Tx(member, nil, entries...))[0].Outcomes
}

// Tx makes a transaction.
func (c *Chain) Tx(member string, source *contract.Evidence, entries ...Entry) ledger.Tx {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.txs++
	tx := ledger.Tx{ID: fmt.Sprintf("%064x", c.txs), Actor: contract.Actor{MSP: member, Subject: "test"}, Batch: &contract.Batch{Source: source}}
	for _, e := range entries {
		if e.Status == "" {
			e.Status = contract.Accepted
		}
		if e.ID == "" {
			e.ID = c.id(&e.Record)
		}
		tx.Batch.Records = append(tx.Batch.Records, e.Record)
		tx.Outcomes = append(tx.Outcomes, e.Outcome)
	}
	return tx
}

func (c *Chain) id(r *contract.Record) string {
	c.acts++
	switch {
	case r.Event != nil:
		return r.Event.Hash()
	case r.Inspection != nil:
		return fmt.Sprintf("inspection-%032x", c.acts)
	case r.Hold != nil:
		return fmt.Sprintf("hold-%032x", c.acts)
	}
	return fmt.Sprintf("other-%032x", c.acts)
}

// AddBlock appends a block.
func (c *Chain) AddBlock(txs ...ledger.Tx) []ledger.Tx {
	c.mu.Lock()
	defer c.mu.Unlock()
	height := uint64(len(c.blocks))
	b := &ledger.Block{Height: height, Txs: txs,
		Time: event.Time{Time: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(height) * time.Second)}}
	if height > 0 {
		b.PrevHash = c.blocks[height-1].Hash
	}
	text := binary.BigEndian.AppendUint64(b.PrevHash[:], height)
	for _, tx := range txs {
		text = append(text, tx.ID...)
	}
	b.Hash = sha256.Sum256(text)
	c.blocks = append(c.blocks, b)
	close(c.grown)
	c.grown = make(chan struct{})
	return txs
}

// All returns the blocks there are.
func (c *Chain) All() []*ledger.Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.blocks[:len(c.blocks):len(c.blocks)]
}

// Height implements index.Source.
func (c *Chain) Height(context.Context) (uint64, error) { return uint64(len(c.All())), nil }

// Blocks implements index.Source.
func (c *Chain) Blocks(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for {
			c.mu.Lock()
			blocks, grown := c.blocks, c.grown
			c.mu.Unlock()
			for ; from < uint64(len(blocks)); from++ {
				if ctx.Err() != nil || !yield(blocks[from], nil) {
					return
				}
			}
			select {
			case <-grown:
			case <-ctx.Done():
				return
			}
		}
	}
}
