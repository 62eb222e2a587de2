package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

// recover reads the ledger file, cuts off a block that was not written to its end, and brings the state up to it.
func (l *Ledger) recover() error {
	if err := l.openState(); err != nil {
		return err
	}
	pos, known, err := store.ReadPosition(l.state)
	if err != nil {
		return fmt.Errorf("ledger: state store: %w", err)
	}
	agrees, err := l.scan(pos)
	if err != nil {
		return err
	}
	if known && !agrees {
		l.opts.Log.Warn("the state store does not belong to this ledger file, or blocks are missing from the file; the state is rebuilt from the file",
			"state height", pos.Height, "file height", len(l.offsets))
	}
	if !agrees {
		if err := l.resetState(); err != nil {
			return err
		}
		pos = store.Position{}
	}
	return l.replay(pos.Height)
}

func (l *Ledger) stateDir() string { return filepath.Join(l.opts.Dir, "state") }

func (l *Ledger) openState() (err error) {
	if l.state, err = store.Open(l.stateDir(), l.opts.memTable, l.opts.Log); err == nil {
		return nil
	}
	l.opts.Log.Warn("the state store cannot be opened; it is rebuilt from the ledger file", "err", err)
	l.state = nil
	return l.resetState()
}

func (l *Ledger) resetState() (err error) {
	if l.state != nil {
		err = l.state.Close()
		l.state = nil
	}
	if err = errors.Join(err, os.RemoveAll(l.stateDir())); err != nil {
		return fmt.Errorf("ledger: state store: %w", err)
	}
	if l.state, err = store.Open(l.stateDir(), l.opts.memTable, l.opts.Log); err != nil {
		return fmt.Errorf("ledger: state store: %w", err)
	}
	return nil
}

// scan reads the file's frames, notes where they are and checks that each follows the one before. agrees says
// whether the file holds the block at which the state stands.
func (l *Ledger) scan(pos store.Position) (agrees bool, err error) {
	info, err := l.file.Stat()
	if err != nil {
		return false, fmt.Errorf("ledger: %w", err)
	}
	size, prev := info.Size(), [len(zeros)]byte{}
	agrees = pos == store.Position{}
	var buf []byte
	for l.end < size {
		height := uint64(len(l.offsets))
		f, err := readFrame(l.file, l.end, size, height, buf)
		if errors.Is(err, errTorn) {
			if err := l.cut(size); err != nil {
				return false, err
			}
			break
		}
		if err != nil {
			return false, err
		}
		if len(f.payload) < len(prev) || [len(prev)]byte(f.payload) != prev {
			return false, &DamageError{height, f.offset, "it does not follow the block before"}
		}
		l.offsets, l.end = append(l.offsets, f.offset), f.end()
		prev, buf = f.hash, f.whole
		agrees = agrees || pos == store.Position{Height: height + 1, Hash: f.hash}
	}
	return agrees, l.settle()
}

// cut removes what was left of a block that nobody got a receipt for.
func (l *Ledger) cut(size int64) error {
	l.opts.Log.Warn("an incomplete block at the end of the ledger file is cut off", "block", len(l.offsets), "offset", l.end, "bytes", size-l.end)
	if err := errors.Join(l.file.Truncate(l.end), l.file.Sync()); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// settle writes the last block once more and syncs: if the sync after it failed, the system shows its bytes without having
// them on disk, and would not write them again by itself.
func (l *Ledger) settle() error {
	if len(l.offsets) == 0 {
		return nil
	}
	height := uint64(len(l.offsets)) - 1
	sb, f, err := l.readBlock(height)
	if err != nil {
		return err
	}
	if _, err := l.file.WriteAt(f.whole, f.offset); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	l.last = &ledger.Block{Height: height, Hash: f.hash, PrevHash: sb.prev, Time: event.Time{Time: sb.time}}
	return nil
}

// replay executes the blocks that the state does not have yet.
func (l *Ledger) replay(from uint64) error {
	if missing := uint64(len(l.offsets)) - from; missing > 0 {
		l.opts.Log.Info("bringing the state up to the ledger file", "blocks", missing)
	}
	for height := from; height < uint64(len(l.offsets)); height++ {
		sb, f, err := l.readBlock(height)
		if err != nil {
			return err
		}
		if err := l.replayBlock(sb, f, height); err != nil {
			return err
		}
	}
	return nil
}

func (l *Ledger) replayBlock(sb *storedBlock, f *frame, height uint64) error {
	batch := l.state.NewIndexedBatch()
	defer batch.Close()
	for i, stx := range sb.txs {
		re, err := decodeTx(stx)
		if err == nil {
			err = re.run(l.opts.decide, batch)
		}
		if err == nil && re.sum != stx.effects {
			err = errors.New("the contract decides otherwise than when it was written; was that another version of the program?")
		}
		if err == nil {
			err = store.ApplyTx(batch, stx.digest, store.Place{Height: height, Index: uint32(i)}, re.effects)
		}
		if err != nil {
			return fmt.Errorf("ledger: block %d, transaction %d (%s): %w", height, i, stx.id(), err)
		}
	}
	if err := store.SetPosition(batch, store.Position{Height: height + 1, Hash: f.hash}); err != nil {
		return err
	}
	return batch.Commit(pebble.NoSync)
}

// storedExecution is a stored transaction, decoded, and what the contract makes of it now.
type storedExecution struct {
	execution
	tx ledger.Tx // with the outcomes that were stored
}

func decodeTx(stx storedTx) (*storedExecution, error) {
	tx := ledger.Tx{ID: stx.id(), Time: event.Time{Time: stx.time}}
	var err error
	if tx.Actor, err = actorOf(stx.submission); err != nil {
		return nil, err
	}
	if tx.Batch, err = contract.DecodeBatch(stx.batch); err != nil {
		return nil, err
	}
	if tx.Outcomes, err = contract.DecodeOutcomes(stx.outcomes); err != nil {
		return nil, err
	}
	if len(tx.Outcomes) != len(tx.Batch.Records) {
		return nil, fmt.Errorf("it has %d records and %d outcomes", len(tx.Batch.Records), len(tx.Outcomes))
	}
	return &storedExecution{tx: tx}, nil
}

// run executes the contract as it was when the transaction was committed.
func (re *storedExecution) run(decide decideFunc, r pebble.Reader) (err error) {
	tx := contract.Tx{ID: re.tx.ID, Actor: re.tx.Actor, Time: re.tx.Time, Batch: re.tx.Batch}
	re.effects, re.outcomes, err = decide(store.NewView(context.Background(), r, "", 0), tx)
	re.sum = effectsHash(re.effects)
	return err
}
