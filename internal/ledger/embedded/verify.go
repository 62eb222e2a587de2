package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

// Problem is something wrong in a ledger file.
type Problem struct {
	Block  uint64 // height
	Offset int64  // of the block in the file
	Tx     int    // index of the transaction in the block, or -1: the block itself
	TxID   string // "" when Tx is -1
	What   string // a sentence
}

func (p Problem) String() string {
	if p.Tx < 0 {
		return fmt.Sprintf("block %d (at byte %d): %s", p.Block, p.Offset, p.What)
	}
	return fmt.Sprintf("block %d (at byte %d), transaction %d (%s): %s", p.Block, p.Offset, p.Tx, p.TxID, p.What)
}

// Summary says what Verify has looked at.
type Summary struct {
	Blocks     uint64 // in the file, damaged ones included
	Executed   uint64 // of these, up to where the contract was executed again: nothing is known of the state after a damaged block
	Txs        int
	Records    int
	Bytes      int64    // of whole blocks
	Incomplete int64    // bytes behind the last whole block: one is being written, or was when the machine stopped
	Hash       [32]byte // of the last block: whoever knows it from elsewhere knows that nothing was cut off
	Problems   int
}

// Verify checks a ledger file from its first byte: that frames and hashes are right and each block follows the one before, that
// each submission was signed by a member that is trusted, and, by executing the contract again from nothing, that effects
// and outcomes are those that the rules give. It only reads the file, and may run beside the ledger that writes it.
//
// Problems go to report. Each block that can be read goes to each (may be nil), in order, so that the read model can be checked in
// the same pass: a damaged block is left out. An error of each ends Verify. Other errors: the file cannot be read, ctx has ended.
func Verify(ctx context.Context, file string, trust identity.Trust, report func(Problem), each func(*ledger.Block) error) (Summary, error) {
	return verify(ctx, file, trust, contract.Decide, report, each)
}

func verify(ctx context.Context, file string, trust identity.Trust, decide decideFunc, report func(Problem), each func(*ledger.Block) error) (_ Summary, err error) {
	f, err := os.Open(file)
	if err != nil {
		return Summary{}, fmt.Errorf("ledger: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Summary{}, fmt.Errorf("ledger: %w", err)
	}
	scratch, err := os.MkdirTemp("", "foodtrace-verify-")
	if err != nil {
		return Summary{}, fmt.Errorf("ledger: %w", err)
	}
	defer os.RemoveAll(scratch)
	state, err := store.Open(scratch, store.MemTable, slog.New(slog.DiscardHandler))
	if err != nil {
		return Summary{}, fmt.Errorf("ledger: %w", err)
	}
	defer state.Close()
	v := &verifier{ctx: ctx, file: f, size: info.Size(), members: newMembers(trust), decide: decide, state: state, report: report, each: each, sound: true}
	err = v.run()
	return v.sum, err
}

// verifier walks over one file.
type verifier struct {
	ctx     context.Context
	file    *os.File
	size    int64
	members *members
	decide  decideFunc
	state   *pebble.DB // of the blocks so far
	report  func(Problem)
	each    func(*ledger.Block) error

	sum    Summary
	offset int64
	prev   [][len(zeros)]byte // hashes that the next block may name; empty: not known
	last   time.Time          // of the block before
	sound  bool               // all blocks so far could be executed
}

func (v *verifier) run() error {
	v.prev = [][len(zeros)]byte{{}}
	for v.offset < v.size {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		f, err := readFrame(v.file, v.offset, v.size, v.sum.Blocks, nil)
		var damage *DamageError
		switch {
		case errors.Is(err, errTorn):
			v.sum.Incomplete = v.size - v.offset
			return nil
		case errors.As(err, &damage):
			if err := v.skip(f, damage); err != nil {
				return err
			}
			continue
		case err != nil:
			return fmt.Errorf("ledger: %w", err)
		}
		if err := v.block(f); err != nil {
			return err
		}
		v.next(f, f.hash)
	}
	return nil
}

// next goes on behind a frame.
func (v *verifier) next(f *frame, hashes ...[len(zeros)]byte) {
	v.sum.Blocks++
	v.sum.Bytes += int64(len(f.whole))
	v.sum.Hash = f.hash
	v.offset = f.end()
	v.prev = hashes
}

// skip reports a damaged block and finds the next one.
func (v *verifier) skip(f *frame, damage *DamageError) error {
	v.problem(-1, "", damage.What)
	v.sound = false
	if f != nil { // the frame is as long as its header says; either hash may be the one that was changed
		v.next(f, f.hash, f.stored)
		return nil
	}
	at, height, found, err := resync(v.file, v.offset-1, v.size, v.sum.Blocks) // a later block may stand right here
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if !found {
		at, height = v.size, v.sum.Blocks+1
	}
	if lost := height - v.sum.Blocks; lost > 1 {
		v.problem(-1, "", fmt.Sprintf("blocks %d to %d cannot be found", v.sum.Blocks, height-1))
	}
	v.offset, v.sum.Blocks, v.prev = at, height, nil
	return nil
}

func (v *verifier) problem(tx int, id, what string) {
	v.sum.Problems++
	v.report(Problem{Block: v.sum.Blocks, Offset: v.offset, Tx: tx, TxID: id, What: what})
}

// block checks a block whose bytes match its hash.
func (v *verifier) block(f *frame) error {
	sb, err := parseBlock(f.payload)
	if err != nil {
		v.problem(-1, "", "its content cannot be read: "+err.Error())
		v.sound = false
		return nil
	}
	if !v.follows(sb.prev) {
		v.problem(-1, "", "it does not follow the block before: that one was changed together with its hash, or others stood between them")
	}
	if sb.time.Before(v.last) {
		v.problem(-1, "", "it is older than the block before")
	}
	v.last = sb.time
	batch := v.state.NewIndexedBatch()
	defer batch.Close()
	b := &ledger.Block{Height: v.sum.Blocks, Hash: f.hash, PrevHash: sb.prev, Time: event.Time{Time: sb.time}}
	for i, stx := range sb.txs {
		tx, ok := v.tx(batch, i, stx, sb.time)
		if !ok {
			v.sound = false
			continue
		}
		b.Txs = append(b.Txs, tx)
		v.sum.Txs++
		v.sum.Records += len(tx.Batch.Records)
	}
	if v.sound {
		v.sum.Executed++
		if err := batch.Commit(pebble.NoSync); err != nil {
			return err
		}
	}
	if v.each != nil && len(b.Txs) == len(sb.txs) {
		return v.each(b)
	}
	return nil
}

func (v *verifier) follows(prev [len(zeros)]byte) bool {
	for _, h := range v.prev {
		if h == prev {
			return true
		}
	}
	return len(v.prev) == 0
}

// tx checks a transaction and adds its effects to the batch. ok is false when it cannot be read, or not be executed.
func (v *verifier) tx(batch *pebble.Batch, i int, stx storedTx, blockTime time.Time) (tx ledger.Tx, ok bool) {
	wrong := func(err error, what string) bool {
		if err != nil {
			v.problem(i, stx.id(), what+": "+err.Error())
		}
		return err != nil
	}
	if stx.time.After(blockTime) {
		v.problem(i, stx.id(), "it is newer than its block")
	}
	if _, found, err := store.FindTx(batch, stx.digest); wrong(err, "looking it up") {
		return tx, false
	} else if found {
		v.problem(i, stx.id(), "the same submission is on the ledger twice")
	}
	_, err := v.members.check(stx.submission, stx.time)
	wrong(err, "its signature")
	re, err := decodeTx(stx)
	if wrong(err, "it cannot be read") {
		return tx, false
	}
	tx = re.tx
	if !v.sound {
		return tx, true
	}
	if err := re.run(v.decide, batch); wrong(err, "the contract cannot be executed") {
		return tx, false
	}
	if re.sum != stx.effects {
		v.problem(i, stx.id(), "the contract has other effects on the state than were recorded")
	}
	if !store.SameOutcomes(re.outcomes, tx.Outcomes) {
		v.problem(i, stx.id(), "the contract has other outcomes than were recorded")
	}
	return tx, !wrong(store.ApplyTx(batch, stx.digest, store.Place{Height: v.sum.Blocks, Index: uint32(i)}, re.effects), "applying it")
}
