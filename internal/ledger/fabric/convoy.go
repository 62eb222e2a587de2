package fabric

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/protocol"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// A transaction costs 13 to 15 ms of processor time on all machines together, whatever it holds. So what one signer submits
// while others of its transactions are under way waits, and then goes into one.
const (
	// maxUnderWay bounds the shared transactions of a signer that are under way. More are smaller, and read what others are about to write.
	maxUnderWay = 8
	// gathering is how long a convoy waits for more when others are under way or have just been answered: the first of many that come back at
	// the same moment must not go alone. A small part of the time to a block.
	gathering = 10 * time.Millisecond
	// These bound a transaction that several share to what a peer decides in a small part of a second: its encoded batches, their records,
	// and the items that they name, each of which costs three round trips between a peer and its chaincode service. A submission that is
	// larger by itself goes alone and at once.
	maxSharedBytes   = 256 << 10
	maxSharedRecords = 2000
	maxSharedItems   = 100
)

// load is what a submission, or several, ask of a peer.
type load struct{ bytes, records, items int }

func loadOf(batch *contract.Batch, encoded []byte) load {
	items := map[string]bool{}
	for _, r := range batch.Records {
		if r.Event == nil {
			continue
		}
		for _, item := range r.Event.Items() {
			items[item.Key] = true
		}
		if len(items) > maxSharedItems {
			break
		}
	}
	return load{len(encoded), len(batch.Records), len(items)}
}

func (l load) plus(o load) load {
	return load{l.bytes + o.bytes, l.records + o.records, l.items + o.items}
}

func (l load) shareable() bool {
	return l.bytes <= maxSharedBytes && l.records <= maxSharedRecords && l.items <= maxSharedItems
}

// boarding puts submissions into convoys. The zero value is ready.
type boarding struct {
	mu     sync.Mutex
	queues map[string]*queue // by signer
}

// queue are the submissions of a signer that wait, in the order in which they came.
type queue struct {
	waiting  []*submission
	underWay int // convoys
}

// convoy are submissions of one signer that go into one transaction.
type convoy struct {
	*Ledger
	by     *account
	all    []*submission
	cancel context.CancelCauseFunc // nil until it runs
}

// send has a submission carried, or waits with it for the next convoy. Its result comes by itself.
func (l *Ledger) send(s *submission) {
	if l.opts.Alone || !s.load.plus(s.load).shareable() { // no two like it may go together
		l.inUse.Go(func() { l.carry(s.by, []*submission{s}) })
		return
	}
	l.boarding.mu.Lock()
	defer l.boarding.mu.Unlock()
	if l.boarding.queues == nil {
		l.boarding.queues = map[string]*queue{}
	}
	key := string(s.by.serialized)
	q, ok := l.boarding.queues[key]
	if !ok {
		q = &queue{}
		l.boarding.queues[key] = q
	}
	q.waiting = append(q.waiting, s)
	if q.underWay < maxUnderWay {
		q.underWay++
		busy := q.underWay > 1
		l.inUse.Go(func() { l.drive(s.by, key, busy) })
	}
}

// drive carries those that wait, convoy after convoy, until nobody does.
func (l *Ledger) drive(by *account, key string, busy bool) {
	for {
		if busy {
			sleep(l.open, gathering)
		}
		next := l.board(key)
		if next == nil {
			return
		}
		l.carry(by, next)
		busy = len(next) > 1
	}
}

// board takes as many of those that wait as may go together, the first first. With none, the convoy's place is free again.
func (l *Ledger) board(key string) []*submission {
	l.boarding.mu.Lock()
	defer l.boarding.mu.Unlock()
	q := l.boarding.queues[key]
	n, sum := 0, load{}
	for _, s := range q.waiting[:min(len(q.waiting), protocol.MaxBatches)] {
		if sum = sum.plus(s.load); !sum.shareable() {
			break
		}
		n++
	}
	if n == 0 {
		if q.underWay--; q.underWay == 0 {
			delete(l.boarding.queues, key)
		}
		return nil
	}
	next := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	return next
}

// carry sees submissions into a block and gives each its result. When they are refused together, each is tried alone: it may be
// one of them that is wrong.
func (l *Ledger) carry(by *account, all []*submission) {
	patient, done := context.WithTimeout(l.open, submitPatience)
	defer done()
	ctx, cancel := context.WithCancelCause(patient)
	defer cancel(nil)
	c := &convoy{Ledger: l, by: by, all: all, cancel: cancel}
	l.boarding.mu.Lock()
	for _, s := range all {
		s.convoy = c
	}
	c.cancelIfEmpty(context.Canceled)
	l.boarding.mu.Unlock()
	receipts, err := c.run(ctx)
	if errors.Is(err, ledger.ErrRefused) && len(all) > 1 {
		c.setIDs("")
		for _, s := range all {
			l.carry(by, []*submission{s})
		}
		return
	}
	c.deliver(receipts, err)
}

// deliver gives each its result. Whoever has left does not look.
func (c *convoy) deliver(receipts []ledger.Receipt, err error) {
	c.boarding.mu.Lock()
	defer c.boarding.mu.Unlock()
	byID := map[string]ledger.Receipt{}
	for _, r := range receipts {
		byID[r.TxID] = r
	}
	var unknown *ledger.UnknownError
	errors.As(err, &unknown)
	for _, s := range c.all {
		r := submitted{byID[s.id], err}
		if unknown != nil {
			r.err = &ledger.UnknownError{TxID: s.id, Err: unknown.Err}
		}
		s.result <- r
	}
}

// leave ends the waiting for a submission. One that is in no transaction under way is not sent any more. The last one that leaves a convoy stops it, and learns
// how far it has come; so does everybody when the ledger is closed.
func (s *submission) leave(cause error) (ledger.Receipt, error) {
	s.boarding.mu.Lock()
	s.left = true
	c, id := s.convoy, s.id
	if c == nil {
		if q := s.boarding.queues[string(s.by.serialized)]; q != nil {
			q.waiting = slices.DeleteFunc(q.waiting, func(w *submission) bool { return w == s })
		}
	} else {
		c.cancelIfEmpty(cause)
	}
	last := c != nil && (c.empty() || s.open.Err() != nil)
	s.boarding.mu.Unlock()
	switch {
	case last:
		r := <-s.result
		return r.Receipt, r.err
	case id == "":
		return ledger.Receipt{}, notOrdered(cause)
	}
	return ledger.Receipt{}, &ledger.UnknownError{TxID: id, Err: cause}
}

func (c *convoy) empty() bool {
	return !slices.ContainsFunc(c.all, func(s *submission) bool { return !s.left })
}

func (c *convoy) cancelIfEmpty(cause error) {
	if c.empty() {
		c.cancel(cause)
	}
}

// proposal makes a proposal of those that have not left. From then on each has the ID that it will have in the block.
func (c *convoy) proposal(ctx context.Context) (*proposal, error) {
	c.setIDs("")
	for ctx.Err() == nil {
		batches := c.batches()
		if len(batches) == 0 {
			break
		}
		p, err := c.propose(c.by, batches...)
		if err != nil { // a key in a device that is not reached just now
			return nil, notOrdered(err)
		}
		if c.setIDs(p.id) == len(batches) { // nobody left meanwhile
			return p, nil
		}
	}
	return nil, notOrdered(context.Cause(ctx))
}

func (c *convoy) batches() (batches [][]byte) {
	c.boarding.mu.Lock()
	defer c.boarding.mu.Unlock()
	for _, s := range c.all {
		if !s.left {
			batches = append(batches, s.batch)
		}
	}
	return batches
}

// setIDs gives those that have not left the IDs that they have in a transaction ("": in none), and says how many they are.
func (c *convoy) setIDs(txID string) (n int) {
	c.boarding.mu.Lock()
	defer c.boarding.mu.Unlock()
	for _, s := range c.all {
		s.id = ""
		if s.left {
			continue
		}
		if txID != "" {
			s.id = protocol.BatchID(txID, n)
		}
		n++
	}
	return n
}
