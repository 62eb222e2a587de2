package fabric

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/peer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	"github.com/foodtrace-ledger/foodtrace/chaincode/protocol"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

const (
	// quiet is for how long a peer may send nothing before another one is asked: this one may be cut off from the orderers.
	quiet = 30 * time.Second
	// homeward is after what time with another peer the member's own is tried again.
	homeward = time.Minute
	// Bounds of the pause after no peer could be followed.
	firstPause = 200 * time.Millisecond
	maxPause   = 10 * time.Second
	// historyPatience is for how long blocks from before are asked for in vain.
	historyPatience = time.Minute
)

var (
	errQuiet    = errors.New("the peer has sent nothing for a while")
	errHomeward = errors.New("the first peer is tried again")
	errMoveOn   = errors.New("a submission does not come back from the peer")
)

// follow applies block after block, from whatever peer sends right ones, until ctx ends.
func (l *Ledger) follow(ctx context.Context) {
	defer close(l.done)
	for failed := 0; ctx.Err() == nil; failed++ {
		for i, p := range ordered(l.net.peers, time.Now()) {
			blocks, err := l.followPeer(ctx, p, i == 0)
			if ctx.Err() != nil {
				return
			}
			if blocks > 0 || errors.Is(err, errQuiet) {
				failed = -1
			}
			l.blame(p, err)
			if errors.Is(err, errHomeward) {
				break
			}
		}
		sleep(ctx, pause(failed, firstPause, maxPause))
	}
}

// blame notes what ended a session with a peer.
func (l *Ledger) blame(p *node, err error) {
	var wrong *BlockError
	switch {
	case errors.Is(err, errQuiet) || errors.Is(err, errHomeward):
		return
	case errors.As(err, &wrong):
		l.Metrics.Distrusted.Add(1)
		if repeats, tell := l.seldom.Tell(p.Address+" "+wrong.Error(), time.Now()); tell {
			l.opts.Log.Error("a peer sent a block that is not right; it is not believed, and another peer is asked", "peer", p.Address, "member", p.MSP, "err", err, "repeats", repeats)
		}
	default:
		l.opts.Log.Warn("following a peer ended; another one is asked", "peer", p.Address, "member", p.MSP, "err", err)
	}
	l.Metrics.Failovers.Add(1)
	p.fails(time.Now())
}

// followPeer applies what a peer sends, until something ends it.
func (l *Ledger) followPeer(ctx context.Context, p *node, first bool) (blocks int, err error) {
	session, end := context.WithCancelCause(ctx)
	defer end(nil)
	l.mu.Lock()
	l.moveOn = end
	from := l.replica.pos.Height
	l.mu.Unlock()
	silence := time.AfterFunc(quiet, func() { end(errQuiet) })
	defer silence.Stop()
	if !first {
		defer time.AfterFunc(homeward, func() { end(errHomeward) }).Stop()
	}
	err = p.deliver(session, l.reader, l.opts.Config.Channel, from, forEver, func(b *common.Block) error {
		silence.Reset(quiet)
		if err := l.accept(b); err != nil {
			return err
		}
		blocks++
		p.works()
		return nil
	})
	if session.Err() != nil {
		err = context.Cause(session)
	}
	return blocks, err
}

// accept verifies the next block, applies it and shows it to followers and submitters.
func (l *Ledger) accept(b *common.Block) error {
	v, err := l.replica.verify(b)
	if err != nil {
		return err
	}
	for _, tx := range v.txs {
		if tx.strange != nil {
			l.opts.Log.Error("a transaction is valid and none that the contract makes; it is not shown", "block", b.Header.Number, "tx", tx.id, "err", tx.strange)
		}
	}
	block, err := l.decode(b, v.txs, v.record)
	if err != nil {
		v.close()
		return err
	}
	l.count(b, block)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.replica.apply(v); err != nil {
		return err
	}
	l.recent.Add(block)
	l.answer(v, block)
	close(l.newBlock)
	l.newBlock = make(chan struct{})
	return nil
}

func (l *Ledger) count(raw *common.Block, b *ledger.Block) {
	l.Metrics.Blocks.Add(1)
	l.Metrics.Bytes.Add(uint64(proto.Size(protoadapt.MessageV2Of(raw))))
	l.Metrics.Txs.Add(uint64(len(b.Txs)))
	for _, tx := range b.Txs {
		l.Metrics.Records.Add(uint64(len(tx.Batch.Records)))
	}
}

// answer tells submitters what became of their transactions. Of several with one ID, the replica says which one counts: the valid one.
func (l *Ledger) answer(v *verified, b *ledger.Block) {
	receipts := map[string][]ledger.Receipt{}
	for _, tx := range b.Txs {
		id := protocol.TxID(tx.ID)
		receipts[id] = append(receipts[id], ledger.Receipt{TxID: tx.ID, Block: b.Height, Outcomes: tx.Outcomes})
	}
	for i, tx := range v.txs {
		result, waits := l.waiting[tx.key]
		if !waits || !l.decides(v, i) {
			continue
		}
		delete(l.waiting, tx.key)
		result <- fate{tx.key, peer.TxValidationCode(v.record.codes[i]), v.conflicts[i], receipts[tx.key]}
	}
}

// decides says whether the transaction's code is what became of its ID: it is valid, or none with its ID is, nor will be.
func (l *Ledger) decides(v *verified, i int) bool {
	id, ok := parseID(v.txs[i].key)
	if v.record.valid(i) || !ok {
		return true
	}
	at, found, err := store.FindTx(l.replica.db, id)
	if err != nil || !found {
		return false
	}
	rec := v.record
	if at.Height != v.block.Header.Number {
		if rec, err = readRecord(l.replica.db, at.Height); err != nil {
			return false
		}
	}
	return !rec.valid(int(at.Index))
}

// decode makes the block that followers see of a verified one.
func (l *Ledger) decode(raw *common.Block, txs []*transaction, rec record) (*ledger.Block, error) {
	b := &ledger.Block{Height: raw.Header.Number, Hash: rec.hash, Time: event.Time{Time: rec.time}}
	copy(b.PrevHash[:], raw.Header.PreviousHash)
	for i, tx := range txs {
		if !rec.ours(i) {
			continue
		}
		decoded, err := tx.ledgerTxs()
		if err != nil {
			return nil, &BlockError{b.Height, i, tx.id, err.Error()}
		}
		b.Txs = append(b.Txs, decoded...)
	}
	return b, nil
}

// Blocks implements ledger.Ledger.
func (l *Ledger) Blocks(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for height := from; ctx.Err() == nil; {
			top, err := l.await(ctx, height)
			if err == nil && ctx.Err() == nil {
				height, err = l.read(ctx, height, top, func(b *ledger.Block) bool { return yield(b, nil) })
			}
			switch {
			case errors.Is(err, errStop) || ctx.Err() != nil:
				return
			case err != nil:
				yield(nil, err)
				return
			}
		}
	}
}

// await returns once there is a block of that height, or ctx has ended, or ErrClosed. Top is the number of blocks.
func (l *Ledger) await(ctx context.Context, height uint64) (top uint64, err error) {
	for {
		l.mu.RLock()
		top, next, closed := l.replica.pos.Height, l.newBlock, l.closed
		l.mu.RUnlock()
		switch {
		case closed:
			return top, ledger.ErrClosed
		case height < top:
			return top, nil
		}
		select {
		case <-next:
		case <-l.open.Done():
		case <-ctx.Done():
			return top, nil
		}
	}
}

// errStop is what ends a reading when its reader has enough.
var errStop = errors.New("enough")

// read hands on the blocks from a height on that are in memory or, where they are not, from peers. It returns the height after the last one.
func (l *Ledger) read(ctx context.Context, height, top uint64, take func(*ledger.Block) bool) (uint64, error) {
	done, err := l.use()
	if err != nil {
		return height, err
	}
	defer done()
	for ; height < top; height++ {
		b := l.fromMemory(height)
		if b == nil {
			return l.history(ctx, height, l.oldest(top), take)
		}
		if !take(b) {
			return height, errStop
		}
	}
	return height, nil
}

// oldest is the height of the oldest block in memory, or top.
func (l *Ledger) oldest(top uint64) uint64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if b := l.recent.Oldest(); b != nil {
		return b.Height
	}
	return top
}

func (l *Ledger) fromMemory(height uint64) *ledger.Block {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.recent.Get(height)
}

// history asks peers for blocks that were verified before: the replica knows their hashes and which transactions are valid.
func (l *Ledger) history(ctx context.Context, height, end uint64, take func(*ledger.Block) bool) (uint64, error) {
	ctx, cancel := l.whileOpen(ctx)
	defer cancel()
	begin := time.Now()
	for failed := 0; ; failed++ {
		var last error
		for _, p := range ordered(l.net.peers, time.Now()) {
			first := height
			err := p.deliver(ctx, l.reader, l.opts.Config.Channel, height, end-1, func(raw *common.Block) error {
				b, err := l.again(raw, height)
				if err != nil {
					return err
				}
				height++
				if !take(b) {
					return errStop
				}
				return nil
			})
			switch {
			case ctx.Err() != nil:
				return height, context.Cause(ctx)
			case height == end || errors.Is(err, errStop):
				return height, err
			}
			if height > first {
				failed, begin = -1, time.Now()
			}
			last = err
			l.blame(p, err)
		}
		if time.Since(begin) > historyPatience {
			return height, fmt.Errorf("ledger: no peer sends block %d: %w", height, last)
		}
		sleep(ctx, pause(failed, firstPause, maxPause))
	}
}

// again decodes a block that was verified before, after checking that it is the same one.
func (l *Ledger) again(raw *common.Block, height uint64) (*ledger.Block, error) {
	wrong := func(reason string) error { return &BlockError{Block: height, Tx: -1, Reason: reason} }
	rec, err := readRecord(l.replica.db, height)
	if err != nil {
		return nil, err
	}
	if raw.GetHeader() == nil || raw.Header.Number != height || headerHash(raw.Header) != rec.hash {
		return nil, wrong("it is another one than was verified before")
	}
	data := raw.GetData().GetData()
	if sum := sha256.Sum256(bytes.Join(data, nil)); !bytes.Equal(sum[:], raw.Header.DataHash) || len(data) != len(rec.codes) {
		return nil, wrong("its transactions do not have the hash in its header")
	}
	txs := make([]*transaction, len(data))
	for i, d := range data {
		txs[i], _ = parseTx(d) // verified before: those that cannot be read are invalid
	}
	return l.decode(raw, txs, rec)
}

// block returns a block that is there.
func (l *Ledger) block(ctx context.Context, height uint64) (found *ledger.Block, err error) {
	if b := l.fromMemory(height); b != nil {
		return b, nil
	}
	_, err = l.history(ctx, height, height+1, func(b *ledger.Block) bool {
		found = b
		return true
	})
	if found == nil && err == nil {
		err = ledger.ErrClosed
	}
	return found, err
}

// whileOpen is ctx, which ends also, with ErrClosed as its cause, when the ledger is closed.
func (l *Ledger) whileOpen(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(l.open, func() { cancel(ledger.ErrClosed) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// pause is a random part of a time that doubles with each failure: clients that failed together do not come back together.
func pause(failed int, first, most time.Duration) time.Duration {
	if failed < 0 {
		return 0
	}
	return rand.N(min(first<<min(failed, 16), most) + 1)
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
