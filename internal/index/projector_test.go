package index_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/indextest"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/trace/tracetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// heights is an index that keeps nothing but its position.
type heights struct {
	mu     sync.Mutex
	height uint64
	hash   [32]byte
	calls  int
	fail   error         // of the next Apply
	hold   chan struct{} // Apply waits for it
}

func (h *heights) Apply(ctx context.Context, blocks []*ledger.Block) error {
	if h.hold != nil {
		select {
		case <-h.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.fail; err != nil {
		h.fail = nil
		return err
	}
	h.calls++
	for _, b := range blocks {
		if b.Height != h.height {
			return index.ErrPosition
		}
		h.height, h.hash = b.Height+1, b.Hash
	}
	return nil
}

func (h *heights) Position(context.Context) (uint64, [32]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.height, h.hash, nil
}

func (h *heights) Rows(context.Context) iter.Seq2[index.Row, error] {
	return func(func(index.Row, error) bool) {}
}

func chain(t *testing.T, blocks int) *indextest.Chain {
	c := indextest.NewChain()
	grow(t, c, blocks)
	return c
}

func grow(t *testing.T, c *indextest.Chain, blocks int) {
	e := indextest.Event(tracetest.Parse(t, "1 new A")[0])
	for range blocks {
		c.Add("M", e)
	}
}

// start runs a projector until the test ends or stop is called, which returns what Run returned.
func start(t *testing.T, p *index.Projector) (stop func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = stop() })
	return stop
}

func wait(t *testing.T, p *index.Projector, block uint64) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return p.WaitFor(ctx, block)
}

func TestProjectorFollows(t *testing.T) {
	c, h := chain(t, 3), &heights{}
	p := index.NewProjector(c, h)
	stop := start(t, p)
	for i := range uint64(50) {
		if err := wait(t, p, 2+i); err != nil {
			t.Fatal(err)
		}
		if p.Height() < 3+i {
			t.Fatalf("height %d after waiting for block %d", p.Height(), 2+i)
		}
		grow(t, c, 1)
	}
	if err := wait(t, p, 52); err != nil {
		t.Fatal(err)
	}
	if lag, err := p.Lag(t.Context()); lag != 0 || err != nil {
		t.Errorf("lag %d, %v", lag, err)
	}
	if err := stop(); err != nil {
		t.Errorf("stopped: %v", err)
	}
	if err := wait(t, p, 60); !errors.Is(err, index.ErrNotRunning) {
		t.Errorf("wait after the end: %v", err)
	}
	if err := wait(t, p, 52); err != nil {
		t.Errorf("what is there needs no waiting: %v", err)
	}
	grow(t, c, 2)
	if lag, _ := p.Lag(t.Context()); lag != 2 {
		t.Errorf("lag %d", lag)
	}
	p = index.NewProjector(c, h) // goes on where the index is
	start(t, p)
	if err := wait(t, p, 54); err != nil {
		t.Error(err)
	}
}

func TestProjectorBatches(t *testing.T) {
	c, h := chain(t, 1200), &heights{hold: make(chan struct{})}
	p := index.NewProjector(c, h)
	start(t, p)
	close(h.hold)
	if err := wait(t, p, 1199); err != nil {
		t.Fatal(err)
	}
	if h.calls >= 1200 {
		t.Errorf("%d transactions for 1200 blocks that were there", h.calls)
	}
}

// flood is a ledger of many large blocks, and how many were read.
type flood struct{ read atomic.Int64 }

const floodBlocks, floodRecords = 100, 2000

func (f *flood) Height(context.Context) (uint64, error) { return floodBlocks, nil }

func (f *flood) Blocks(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	batch := &contract.Batch{Records: make([]contract.Record, floodRecords)}
	return func(yield func(*ledger.Block, error) bool) {
		for h := from; h < floodBlocks; h++ {
			f.read.Add(1)
			if !yield(&ledger.Block{Height: h, Txs: []ledger.Tx{{Batch: batch}}}, nil) {
				return
			}
		}
		<-ctx.Done()
	}
}

// slow is an index that applies only when nothing more is read ahead of it.
type slow struct {
	heights
	source *flood
	ahead  int64 // the most blocks that were read and not applied
}

func (s *slow) Apply(ctx context.Context, blocks []*ledger.Block) error {
	for before := int64(-1); before != s.source.read.Load(); time.Sleep(20 * time.Millisecond) {
		before = s.source.read.Load()
	}
	s.ahead = max(s.ahead, s.source.read.Load()-int64(s.height))
	return s.heights.Apply(ctx, blocks)
}

// An index that is slower than the ledger does not have the blocks of a long job wait for it in memory.
func TestProjectorReadsAheadWithinBounds(t *testing.T) {
	source := &flood{}
	s := &slow{source: source}
	p := index.NewProjector(source, s)
	stop := start(t, p)
	if err := wait(t, p, floodBlocks-1); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if most := int64(2*8192/floodRecords + 3); s.ahead > most { // a batch, what waits, and a block for which there is no room
		t.Errorf("%d blocks of %d records were in memory, at most %d are wanted", s.ahead, floodRecords, most)
	}
}

func TestProjectorWaitEnds(t *testing.T) {
	p := index.NewProjector(chain(t, 1), &heights{hold: make(chan struct{})})
	stop := start(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.WaitFor(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("wait with a context that ended: %v", err)
	}
	if err := stop(); err != nil { // while Apply waits
		t.Errorf("stopped: %v", err)
	}
}

func TestProjectorErrors(t *testing.T) {
	broken := errors.New("disk full")
	p := index.NewProjector(chain(t, 2), &heights{fail: broken})
	if err := p.Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("apply: %v", err)
	}
	if err := wait(t, p, 1); !errors.Is(err, broken) || !errors.Is(err, index.ErrNotRunning) {
		t.Errorf("wait: %v", err)
	}
	if err := p.Err(); !errors.Is(err, broken) || !errors.Is(err, index.ErrNotRunning) {
		t.Errorf("why it has ended: %v", err)
	}
	start(t, p)           // there is room again
	for p.Height() == 0 { // until it has begun, what is waited for ends with the error of before
		time.Sleep(time.Millisecond)
	}
	if err := wait(t, p, 1); err != nil {
		t.Errorf("wait after it began again: %v", err)
	}
	if err := p.Err(); err != nil {
		t.Errorf("it runs: %v", err)
	}
	if err := index.NewProjector(chain(t, 2), &heights{height: 3}).Run(t.Context()); !errors.Is(err, index.ErrAhead) {
		t.Errorf("ahead: %v", err)
	}
	if err := index.NewProjector(chain(t, 2), &heights{height: 2}).Run(t.Context()); !errors.Is(err, index.ErrOtherLedger) {
		t.Errorf("another ledger: %v", err)
	}
}
