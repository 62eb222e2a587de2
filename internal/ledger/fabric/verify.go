package fabric

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hyperledger/fabric-protos-go/common"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

// Problem is something wrong in a channel's blocks as a peer keeps them.
type Problem struct {
	Peer  string // address
	Block uint64 // height
	Tx    int    // index of the transaction in the block, or -1: the block itself
	TxID  string // "" when Tx is -1, or it cannot be read
	What  string // a sentence
}

func (p Problem) String() string {
	if p.Tx < 0 {
		return fmt.Sprintf("peer %s, block %d: %s", p.Peer, p.Block, p.What)
	}
	return fmt.Sprintf("peer %s, block %d, transaction %d (%s): %s", p.Peer, p.Block, p.Tx, p.TxID, p.What)
}

// Summary says what Verify has looked at.
type Summary struct {
	Blocks   uint64
	Txs      int // valid ones
	Records  int
	Bytes    int64
	Hash     [32]byte // of the last block: whoever knows it from elsewhere knows that this is the same chain
	Problems int
}

// Verify checks the blocks that the first configured peer keeps, from the first to the newest there is when it begins: all that
// the follower checks, and, by executing the contract again from nothing, that writes and outcomes of each valid transaction are
// those that the rules give. Of opts, Config, Identity, and Dir are used, where a directory for the time being is made ("": the
// system's).
//
// Problems go to report. A block that is not right, or that the peer does not send, is asked of the others, and checking goes
// on. Each block goes to each (may be nil), in order; an error of it ends Verify. Other errors: no peer sends a block that is right; ctx
// has ended.
func Verify(ctx context.Context, opts Options, report func(Problem), each func(*ledger.Block) error) (_ Summary, err error) {
	if err := opts.Config.check(); err != nil {
		return Summary{}, err
	}
	scratch, err := os.MkdirTemp(opts.Dir, "foodtrace-verify-")
	if err != nil {
		return Summary{}, fmt.Errorf("ledger: %w", err)
	}
	defer os.RemoveAll(scratch)
	l := &Ledger{opts: opts}
	genesis, err := readGenesis(opts.Config.Genesis)
	if err != nil {
		return Summary{}, err
	}
	if l.reader, err = newAccount(opts.Identity); err != nil {
		return Summary{}, err
	}
	if l.replica, err = openReplica(scratch, opts.Config, genesis, slog.New(slog.DiscardHandler)); err != nil {
		return Summary{}, err
	}
	defer func() { err = errors.Join(err, l.release()) }()
	if l.net, err = connect(opts.Config); err != nil {
		return Summary{}, err
	}
	v := &verifier{Ledger: l, ctx: ctx, report: report, each: each, peers: l.net.peers}
	l.replica.inspect = v.execute
	err = v.run()
	return v.sum, err
}

// verifier walks over one channel.
type verifier struct {
	*Ledger
	ctx    context.Context
	report func(Problem)
	each   func(*ledger.Block) error

	sum   Summary
	peers []*node // the first is the one that is verified
	from  *node   // of the block that is being verified
	mute  uint64  // height after the last one at which the first peer sent nothing
}

func (v *verifier) problem(block uint64, tx int, id, what string) {
	v.sum.Problems++
	v.report(Problem{v.from.Address, block, tx, id, what})
}

// errEach is an error of each.
type errEach struct{ error }

func (v *verifier) run() error {
	top, err := v.top()
	if err != nil {
		return err
	}
	for v.replica.pos.Height < top {
		height := v.replica.pos.Height
		err := v.fetch(v.peers[0], top)
		if v.replica.pos.Height > height || err == nil {
			continue // the block at which it stopped is looked at next
		}
		if err := v.elsewhere(err); err != nil {
			return err
		}
	}
	return nil
}

// top is the largest number of blocks that a peer has.
func (v *verifier) top() (top uint64, err error) {
	var errs []error
	for _, p := range v.net.peers {
		height, err := p.height(v.ctx, v.reader, v.opts.Config.Channel)
		errs = append(errs, err)
		top = max(top, height)
	}
	if top == 0 {
		return 0, fmt.Errorf("ledger: no peer says how many blocks there are: %w", errors.Join(errs...))
	}
	return top, nil
}

// elsewhere reports that the first peer has no right block, and takes it from another one.
func (v *verifier) elsewhere(why error) error {
	var each errEach
	if errors.As(why, &each) {
		return each.error
	}
	if err := v.ctx.Err(); err != nil {
		return err
	}
	height := v.replica.pos.Height
	v.blameFirst(height, why)
	for _, p := range v.peers[1:] {
		err := v.fetch(p, height+1)
		if errors.As(err, &each) {
			return each.error
		}
		if v.replica.pos.Height > height {
			return nil
		}
	}
	return fmt.Errorf("ledger: no peer sends block %d as it should be: %w", height, why)
}

func (v *verifier) blameFirst(height uint64, why error) {
	v.from = v.peers[0]
	var wrong *BlockError
	if errors.As(why, &wrong) {
		v.problem(wrong.Block, wrong.Tx, wrong.TxID, wrong.Reason)
		return
	}
	v.problem(height, -1, "", fmt.Sprintf("the peer does not send it: %v", why))
	if v.mute == height && height > 0 && len(v.peers) > 1 { // it did not send the one before either
		v.problem(height, -1, "", "the blocks from here on are those of another peer")
		v.peers = v.peers[1:]
	}
	v.mute = height + 1
}

// fetch verifies blocks that a peer sends, up to a height.
func (v *verifier) fetch(p *node, end uint64) error {
	v.from = p
	return p.deliver(v.ctx, v.reader, v.opts.Config.Channel, v.replica.pos.Height, end-1, v.take)
}

func (v *verifier) take(raw *common.Block) error {
	found, err := v.replica.verify(raw)
	if err != nil {
		return err
	}
	b, err := v.decode(raw, found.txs, found.record)
	if err != nil {
		found.close()
		return err
	}
	if err := v.replica.apply(found); err != nil {
		return err
	}
	v.sum.Blocks++
	v.sum.Bytes += int64(proto.Size(protoadapt.MessageV2Of(raw)))
	v.sum.Hash = b.Hash
	v.sum.Txs += len(b.Txs)
	for _, tx := range b.Txs {
		v.sum.Records += len(tx.Batch.Records)
	}
	if v.each == nil {
		return nil
	}
	if err := v.each(b); err != nil {
		return errEach{err}
	}
	return nil
}

// execute decides a valid transaction again, on the state before it, and compares.
func (v *verifier) execute(before pebble.Reader, height uint64, i int, tx *transaction) {
	wrong := func(what string) { v.problem(height, i, tx.id, what) }
	if tx.strange != nil {
		wrong(tx.strange.Error())
	}
	if !tx.ours {
		return
	}
	recorded, err := tx.ledgerTxs()
	if err != nil { // not of ours
		wrong(err.Error())
		return
	}
	effects, outcomes, err := v.decide(before, recorded)
	if err != nil {
		wrong(fmt.Sprintf("the contract cannot be executed: %v", err))
		return
	}
	for i := range recorded {
		if !store.SameOutcomes(outcomes[i], recorded[i].Outcomes) {
			wrong("the contract has other outcomes than were endorsed")
			break
		}
	}
	if !tx.has(v.opts.Config.Chaincode, effects) {
		wrong("the contract has other effects on the state than were endorsed")
	}
}

func (v *verifier) decide(before pebble.Reader, recorded []ledger.Tx) (effects contract.Effects, outcomes [][]contract.Outcome, err error) {
	defer func() {
		if bug := recover(); bug != nil {
			err = fmt.Errorf("it failed: %v", bug)
		}
	}()
	var txs []contract.Tx
	for _, tx := range recorded {
		txs = append(txs, contract.Tx{ID: tx.ID, Actor: tx.Actor, Time: tx.Time, Batch: tx.Batch})
	}
	return contract.DecideEach(view(v.ctx, before, v.opts.Config.Chaincode), txs)
}

// has says whether the transaction writes exactly these effects, into the chaincode's namespace and no other.
func (tx *transaction) has(chaincode string, effects contract.Effects) bool {
	written := map[string]string{}
	deleted := map[string]bool{}
	for _, s := range tx.sets {
		if s.namespace != chaincode && s.writes() {
			return false
		}
		if s.namespace != chaincode {
			continue
		}
		for _, w := range s.public.Writes {
			if w.IsDelete {
				deleted[w.Key] = true
			} else {
				written[w.Key] = string(w.Value)
			}
		}
	}
	for _, e := range effects {
		if e.Value == nil && !deleted[e.Key] {
			return false
		}
		if value, ok := written[e.Key]; e.Value != nil && (!ok || value != string(e.Value)) {
			return false
		}
	}
	return len(effects) == len(written)+len(deleted)
}
