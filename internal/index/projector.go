package index

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// How many blocks go into one Apply: a database transaction costs a sync however small it is, and a large one keeps the
// newest blocks from readers. These are some tenths of a second of work.
const (
	maxApplyRecords = 8192
	maxApplyBlocks  = 512
)

// maxAheadRecords bounds the blocks that wait to be applied: an event takes about 3 KB in them. What is further behind is read when its turn comes.
const maxAheadRecords = maxApplyRecords

// Source is what the projector reads of a ledger.
type Source interface {
	Blocks(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error]
	Height(ctx context.Context) (uint64, error)
}

// Shared is an index that several processes write in turn and read at the same time. A projector of such an index leads, or
// follows the one that does.
type Shared interface {
	Writer
	// Share joins the processes that share the index, until the context ends or something is wrong. It calls moved with every new height
	// that reads are sure to see, whoever applied it. When this process may apply, and no other one may, it calls lead with a
	// context that ends with that; once lead returns, another process gets its turn. Errors: of lead, of the database, or the context's.
	Share(ctx context.Context, moved func(height uint64), lead func(context.Context) error) error
	// Depose takes the lead from whoever has it.
	Depose(ctx context.Context) error
}

// How a projector of a shared index waits.
const (
	retryMin = 500 * time.Millisecond // after the database was lost
	retryMax = 15 * time.Second
	// stallTimeout is how long the leader may apply nothing while there are blocks: one Apply takes a second at most. Its ledger may
	// be out of its reach.
	stallTimeout = 20 * time.Second
	stallCheck   = 2 * time.Second
)

var (
	// ErrAhead: the index has blocks that the ledger has not. One of the two is not what it was.
	ErrAhead = errors.New("index: ahead of the ledger: remove the index, it is rebuilt from the ledger")
	// ErrOtherLedger: the last block that the index has is another one on the ledger.
	ErrOtherLedger = errors.New("index: made from another ledger: remove the index, it is rebuilt from the ledger")
	// ErrNotRunning: the projector has stopped, what is waited for will not come.
	ErrNotRunning = errors.New("index: the projector is not running")
)

// Projector follows a ledger and applies its blocks to an index. It is the only one that applies, or one of those that take
// turns if the index is Shared. All methods may be called from many goroutines.
type Projector struct {
	source Source
	index  Writer

	mu      sync.Mutex
	height  uint64        // blocks applied
	changed chan struct{} // closed and replaced with every change
	stopped error         // why Run ended; nil while it runs
}

// NewProjector makes a projector; Run does the work.
func NewProjector(source Source, w Writer) *Projector {
	return &Projector{source: source, index: w, changed: make(chan struct{})}
}

// Run applies blocks until the context ends, which is no error, or one cannot be read or applied. It may be called again
// after it has ended, when what it stands on is back. With a shared index it stays when the database is away, and goes on when that
// is back.
// Errors: ErrAhead, ErrOtherLedger, those of the ledger and the index.
func (p *Projector) Run(ctx context.Context) error {
	err := p.run(ctx)
	if ctx.Err() != nil {
		err = nil
	}
	p.update(func() {
		p.stopped = ErrNotRunning
		if err != nil {
			p.stopped = fmt.Errorf("%w: %w", ErrNotRunning, err)
		}
	})
	return err
}

func (p *Projector) update(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Projector) run(ctx context.Context) error {
	shared, ok := p.index.(Shared)
	if !ok {
		return p.project(ctx, p.reached)
	}
	for wait := retryMin; ; wait = min(2*wait, retryMax) {
		began := time.Now()
		err := p.share(ctx, shared)
		if ctx.Err() != nil || !errors.Is(err, ErrUnavailable) {
			return err
		}
		if time.Since(began) > retryMax {
			wait = retryMin
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// share leads or follows while the database is there.
func (p *Projector) share(ctx context.Context, shared Shared) error {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel() // before the wait
	watching.Go(func() { p.watch(ctx, shared) })
	return shared.Share(ctx, p.reached, func(ctx context.Context) error {
		err := p.project(ctx, func(uint64) {}) // Share says what reads see
		if ctx.Err() != nil || errors.Is(err, ErrPosition) {
			return nil // another process has taken over
		}
		return err
	})
}

// watch takes the lead from a process that does nothing with it.
func (p *Projector) watch(ctx context.Context, shared Shared) {
	height, since := p.Height(), time.Now()
	for {
		select {
		case <-time.After(stallCheck):
		case <-ctx.Done():
			return
		}
		lag, err := p.Lag(ctx)
		if now := p.Height(); err != nil || lag == 0 || now != height {
			height, since = now, time.Now()
		}
		if time.Since(since) > stallTimeout {
			_ = shared.Depose(ctx) // if it fails, so will Share
			since = time.Now()
		}
	}
}

func (p *Projector) reached(height uint64) {
	p.update(func() { p.height, p.stopped = height, nil })
}

// project applies blocks from the index's position on and says which height it has reached.
func (p *Projector) project(ctx context.Context, reached func(height uint64)) error {
	ctx, cancel := context.WithCancel(ctx)
	height, hash, err := p.index.Position(ctx)
	if err != nil {
		cancel()
		return err
	}
	reached(height)
	read := &reader{blocks: make(chan *ledger.Block, maxApplyBlocks), room: semaphore.NewWeighted(maxAheadRecords)}
	var reading sync.WaitGroup
	reading.Go(func() { read.run(ctx, p.source, height, hash) })
	defer reading.Wait()
	defer cancel() // before the wait
	for batch := range read.batches() {
		if err := p.index.Apply(ctx, batch); err != nil {
			return err
		}
		reached(batch[len(batch)-1].Height + 1)
	}
	return read.err
}

// reader reads ahead while the index is written.
type reader struct {
	blocks chan *ledger.Block
	room   *semaphore.Weighted // for the records of blocks
	err    error               // why blocks was closed
}

func (r *reader) run(ctx context.Context, source Source, height uint64, hash [32]byte) {
	defer close(r.blocks)
	at, err := source.Height(ctx)
	if err != nil {
		r.err = err
		return
	}
	if at < height {
		r.err = fmt.Errorf("%w (%d blocks, the ledger has %d)", ErrAhead, height, at)
		return
	}
	from := height
	if height > 0 {
		from-- // to see that the ledgers are the same
	}
	for b, err := range source.Blocks(ctx, from) {
		if err != nil {
			r.err = err
			return
		}
		if b.Height < height {
			if b.Hash != hash {
				r.err = fmt.Errorf("%w (block %d)", ErrOtherLedger, b.Height)
				return
			}
			continue
		}
		if r.room.Acquire(ctx, weight(b)) != nil {
			return // the context ended
		}
		select {
		case r.blocks <- b:
		case <-ctx.Done():
			return
		}
	}
}

// weight is the room that a block takes. One that is larger than all waits alone.
func weight(b *ledger.Block) int64 { return int64(min(recordsOf(b), maxAheadRecords)) }

// batches yields what has been read: one block if there is no more, many when there are.
func (r *reader) batches() iter.Seq[[]*ledger.Block] {
	return func(yield func([]*ledger.Block) bool) {
		for b := range r.blocks {
			batch, records := []*ledger.Block{b}, recordsOf(b)
			r.room.Release(weight(b))
			for records < maxApplyRecords && len(batch) < maxApplyBlocks && len(r.blocks) > 0 {
				b := <-r.blocks // there is one: nobody else receives
				r.room.Release(weight(b))
				batch, records = append(batch, b), records+recordsOf(b)
			}
			if !yield(batch) {
				return
			}
		}
	}
}

func recordsOf(b *ledger.Block) (n int) {
	for i := range b.Txs {
		n += len(b.Txs[i].Batch.Records)
	}
	return n
}

// Err returns why the last Run ended, ErrNotRunning; nil while one applies blocks, and before the first.
func (p *Projector) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopped
}

// Height returns how many blocks the index has. It is 0 until Run has begun.
func (p *Projector) Height() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.height
}

// Lag returns how many final blocks the index does not have yet.
func (p *Projector) Lag(ctx context.Context) (uint64, error) {
	have := p.Height()
	final, err := p.source.Height(ctx)
	if err != nil || final < have {
		return 0, err
	}
	return final - have, nil
}

// WaitFor returns once the block of that height (ledger.Receipt.Block) is in the index. Errors: the context's,
// ErrNotRunning once Run has ended.
func (p *Projector) WaitFor(ctx context.Context, block uint64) error {
	for {
		p.mu.Lock()
		height, changed, stopped := p.height, p.changed, p.stopped
		p.mu.Unlock()
		switch {
		case height > block:
			return nil
		case stopped != nil:
			return stopped
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
