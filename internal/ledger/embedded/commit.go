package embedded

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

// committer is the one goroutine that makes blocks. What it holds nobody else touches.
type committer struct {
	*Ledger
	window *window
	buf    []byte // of the last frame, used again
}

// commitLoop makes one block after the other of whatever is waiting: while one is being synced, the next gathers.
func (l *Ledger) commitLoop() {
	defer close(l.done)
	c := &committer{Ledger: l, window: newWindow(uint64(len(l.offsets)))}
	for p := range l.queue {
		c.commit(c.gather(p))
	}
}

// gather takes what is waiting, up to the size of a block.
func (c *committer) gather(first *pending) []*pending {
	group, size := []*pending{first}, first.size()
	for size < maxBlockBytes && len(group) < maxBlockTxs {
		select {
		case p, ok := <-c.queue:
			if !ok {
				return group
			}
			group, size = append(group, p), size+p.size()
		default:
			return group
		}
	}
	return group
}

// draft is a block in the making.
type draft struct {
	height uint64
	prev   [sha256.Size]byte
	time   time.Time
	size   int
	txs    []*pending
	ids    map[[sha256.Size]byte]bool
	batch  *pebble.Batch // effects on the state
}

// commit makes a block of a group and answers everybody in it.
func (c *committer) commit(group []*pending) {
	if c.failed != nil {
		for _, p := range group {
			c.reply(p, ledger.Receipt{}, c.failed)
		}
		return
	}
	d := &draft{height: uint64(len(c.offsets)), time: c.now(), ids: map[[sha256.Size]byte]bool{}, batch: c.state.NewBatch()}
	if c.last != nil {
		d.prev = c.last.Hash
	}
	defer func() { d.batch.Close() }()
	for _, p := range group {
		if err := c.include(d, p); err != nil {
			c.reply(p, ledger.Receipt{}, err)
		}
	}
	if len(d.txs) == 0 {
		return
	}
	if err := c.finish(d); err != nil {
		c.fail(err)
		for _, p := range d.txs {
			c.reply(p, ledger.Receipt{}, &ledger.UnknownError{TxID: p.sub.id(), Err: err})
		}
		return
	}
	for _, p := range d.txs {
		c.reply(p, ledger.Receipt{TxID: p.sub.id(), Block: d.height, Outcomes: p.outcomes}, nil)
	}
}

// include puts a transaction into the block, executing it again where what it read has been written since.
func (c *committer) include(d *draft, p *pending) error {
	id := p.sub.digest
	if _, found, err := store.FindTx(c.state, id); found || err != nil || d.ids[id] {
		return errors.Join(fmt.Errorf("%w: transaction %s is on the ledger already", ledger.ErrRefused, p.sub.id()), err)
	}
	if c.window.stale(&p.reads, p.height) {
		c.Metrics.Conflicts.Add(1)
		if err := c.executeAgain(d, p); err != nil {
			return err
		}
	}
	if d.size += p.size(); d.size > maxPayload/2 { // outcomes may have grown when they were decided again
		return fmt.Errorf("%w: the block is full", ledger.ErrNotOrdered)
	}
	if p.time.After(d.time) {
		d.time = p.time
	}
	place := store.Place{Height: d.height, Index: uint32(len(d.txs))}
	if err := store.ApplyTx(d.batch, id, place, p.effects); err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrNotOrdered, err)
	}
	c.window.add(d.height, p.effects)
	d.ids[id] = true
	d.txs = append(d.txs, p)
	return nil
}

// executeAgain executes on the state with the effects of the block so far, which nobody can change meanwhile.
func (c *committer) executeAgain(d *draft, p *pending) error {
	indexed := c.state.NewIndexedBatch()
	if err := indexed.Apply(d.batch, nil); err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrNotOrdered, err)
	}
	defer indexed.Close()
	return c.execute(context.Background(), p, indexed, d.height, d.time)
}

// finish makes the block final, applies it to the state and shows it to followers. After an error nothing is known of
// what the disk holds.
func (c *committer) finish(d *draft) error {
	sb := storedBlock{prev: d.prev, time: d.time}
	block := &ledger.Block{Height: d.height, PrevHash: d.prev, Time: event.Time{Time: d.time}}
	for _, p := range d.txs {
		sb.txs = append(sb.txs, storedTx{p.sub, p.time, p.sum, p.encoded})
		block.Txs = append(block.Txs, ledger.Tx{ID: p.sub.id(), Actor: p.actor, Time: event.Time{Time: p.time}, Batch: p.batch, Outcomes: p.outcomes})
		c.Metrics.Records.Add(uint64(len(p.batch.Records)))
	}
	frame, hash := sealFrame(sb.append(append(c.buf[:0], make([]byte, headerLen)...)), d.height)
	if err := c.write(frame); err != nil {
		return err
	}
	block.Hash = hash
	if cap(frame) <= maxBlockBytes {
		c.buf = frame
	}
	c.Metrics.Blocks.Add(1)
	c.Metrics.Txs.Add(uint64(len(d.txs)))
	if err := store.SetPosition(d.batch, store.Position{Height: d.height + 1, Hash: block.Hash}); err != nil {
		return err
	}
	c.window.trim()
	return c.publish(d, block, int64(len(frame)))
}

func (c *committer) write(frame []byte) error {
	if _, err := c.file.WriteAt(frame, c.end); err != nil {
		return err
	}
	before := time.Now()
	err := c.file.Sync()
	c.Metrics.SyncNanos.Add(uint64(time.Since(before)))
	c.Metrics.Bytes.Add(uint64(len(frame)))
	return err
}

// publish changes state and height together as far as readers can tell.
func (c *committer) publish(d *draft, block *ledger.Block, size int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := d.batch.Commit(pebble.NoSync); err != nil {
		return err
	}
	c.offsets = append(c.offsets, c.end)
	c.end += size
	c.last = block
	c.recent.Add(block)
	close(c.newBlock)
	c.newBlock = make(chan struct{})
	return nil
}

// fail stops all writing for good. After a failed sync the system may have dropped the bytes and would call the next sync a
// success: only a new start finds out what is there.
func (c *committer) fail(err error) {
	c.opts.Log.Error("the ledger file could not be written; nothing is accepted until the next start", "err", err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = fmt.Errorf("%w: the ledger file could not be written, the program must be started again: %w", ledger.ErrNotOrdered, err)
}
