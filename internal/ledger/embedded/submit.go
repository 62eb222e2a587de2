package embedded

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

// pending is a submission on its way into a block.
type pending struct {
	sub   *submission
	actor contract.Actor
	batch *contract.Batch
	execution
	result chan result // has room for the one result
}

type result struct {
	receipt ledger.Receipt
	err     error
}

// size is about what the submission takes in a block.
func (p *pending) size() int { return len(p.sub.signed) + len(p.encoded) }

// reply answers a submission and frees its slot, which it keeps even when its submitter no longer waits.
func (l *Ledger) reply(p *pending, r ledger.Receipt, err error) {
	p.result <- result{r, err}
	<-l.slots
}

// execution is what the contract made of a submission on one state.
type execution struct {
	height   uint64 // of the state: a number of blocks
	time     time.Time
	reads    readSet
	effects  contract.Effects
	sum      [sha256.Size]byte // effectsHash(effects)
	outcomes []contract.Outcome
	encoded  []byte // outcomes
}

// Submit implements ledger.Ledger. The batch becomes part of a block that followers read: it must not be changed afterwards.
func (l *Ledger) Submit(ctx context.Context, by ledger.Signer, batch *contract.Batch) (ledger.Receipt, error) {
	done, err := l.use()
	if err != nil {
		return ledger.Receipt{}, err
	}
	defer done()
	if err := acquire(ctx, l.slots); err != nil {
		return ledger.Receipt{}, err
	}
	p, err := l.prepare(ctx, by, batch)
	if err != nil {
		<-l.slots
		return ledger.Receipt{}, err
	}
	return l.order(ctx, p)
}

func acquire(ctx context.Context, slots chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrNotOrdered, err)
	}
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ledger.ErrNotOrdered, ctx.Err())
	}
}

// prepare does what needs no order: encode, sign, check, execute. As many at a time as there are processors, so that
// each executes on a state that is as new as can be.
func (l *Ledger) prepare(ctx context.Context, by ledger.Signer, batch *contract.Batch) (*pending, error) {
	if err := acquire(ctx, l.cpus); err != nil {
		return nil, err
	}
	defer func() { <-l.cpus }()
	if batch == nil || len(batch.Records) == 0 {
		return nil, fmt.Errorf("%w: the batch holds no record", ledger.ErrRefused)
	}
	if by.Key == nil {
		return nil, fmt.Errorf("%w: the signer has no key", ledger.ErrRefused)
	}
	encoded, err := batch.Encode()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrRefused, err)
	}
	if len(encoded) > MaxBatchBytes {
		return nil, fmt.Errorf("%w: the batch has %d bytes, more than the %d allowed", ledger.ErrRefused, len(encoded), MaxBatchBytes)
	}
	sub, err := sign(by, encoded)
	if err != nil { // a key in a device that is not reached just now
		return nil, fmt.Errorf("%w: %w", ledger.ErrNotOrdered, err)
	}
	actor, err := l.members.check(sub, l.now())
	if errors.Is(err, identity.ErrUntrusted) || errors.Is(err, errSignature) {
		return nil, fmt.Errorf("%w: %w", ledger.ErrRefused, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrNotOrdered, err)
	}
	p := &pending{sub: sub, actor: actor, batch: batch, result: make(chan result, 1)}
	return p, l.executeOnSnapshot(ctx, p)
}

func (l *Ledger) executeOnSnapshot(ctx context.Context, p *pending) error {
	snap := l.state.NewSnapshot()
	defer snap.Close()
	pos, _, err := store.ReadPosition(snap)
	if err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrNotOrdered, err)
	}
	return l.execute(ctx, p, snap, pos.Height, l.now())
}

// execute runs the contract and keeps the result in p.
func (l *Ledger) execute(ctx context.Context, p *pending, r pebble.Reader, height uint64, now time.Time) (err error) {
	defer func() {
		if bug := recover(); bug != nil { // one batch must not stop the ledger for everybody
			l.opts.Log.Error("the contract failed", "tx", p.sub.id(), "panic", bug)
			err = fmt.Errorf("%w: the contract failed on it: %v", ledger.ErrRefused, bug)
		}
	}()
	rec := &recorder{State: store.NewView(ctx, r, "", 0)}
	e := execution{height: height, time: now}
	tx := contract.Tx{ID: p.sub.id(), Actor: p.actor, Time: event.Time{Time: now}, Batch: p.batch}
	if e.effects, e.outcomes, err = l.opts.decide(rec, tx); err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrNotOrdered, err)
	}
	if e.encoded, err = contract.EncodeOutcomes(e.outcomes); err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrNotOrdered, err)
	}
	if len(e.encoded) > MaxBatchBytes {
		return fmt.Errorf("%w: what there is to say of the batch has %d bytes, more than the %d allowed", ledger.ErrRefused, len(e.encoded), MaxBatchBytes)
	}
	e.reads, e.sum = rec.reads, effectsHash(e.effects)
	p.execution = e
	return nil
}

// order hands a submission to the committer and waits for its receipt.
func (l *Ledger) order(ctx context.Context, p *pending) (ledger.Receipt, error) {
	l.queue <- p // never waits: it has as much room as there are slots
	select {
	case r := <-p.result:
		return r.receipt, r.err
	case <-ctx.Done():
		return ledger.Receipt{}, &ledger.UnknownError{TxID: p.sub.id(), Err: ctx.Err()}
	}
}

// now is the ledger's time: the clock's, in milliseconds, but never before the last block.
func (l *Ledger) now() time.Time {
	now := l.opts.Clock().UTC().Truncate(time.Millisecond)
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.last != nil && now.Before(l.last.Time.Time) {
		return l.last.Time.Time
	}
	return now
}
