package capture_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// moody is a ledger between organisations on a bad day. Each Submit has the next mood; after them it works.
type moody struct {
	ledger.Ledger
	mu     sync.Mutex
	moods  []mood
	hidden map[string]int // transaction → how often Receipt does not know it yet
}

type mood struct {
	err     error
	written bool // the batch is on the ledger nevertheless
	unknown bool // and the answer is that nobody knows
	hidden  int  // and Receipt does not know it yet so many times
}

func (m *moody) Submit(ctx context.Context, by ledger.Signer, batch *contract.Batch) (ledger.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.moods) == 0 {
		return m.Ledger.Submit(ctx, by, batch)
	}
	now := m.moods[0]
	m.moods = m.moods[1:]
	id := fmt.Sprintf("nowhere-%d", len(m.moods))
	if now.written {
		receipt, err := m.Ledger.Submit(ctx, by, batch)
		if err != nil {
			return receipt, err
		}
		id = receipt.TxID
		m.hidden[id] = now.hidden
	}
	if now.unknown {
		return ledger.Receipt{}, &ledger.UnknownError{TxID: id, Err: errors.New("the connection broke")}
	}
	return ledger.Receipt{}, now.err
}

func (m *moody) Receipt(ctx context.Context, id string) (ledger.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hidden[id] > 0 {
		m.hidden[id]--
		return ledger.Receipt{}, ledger.ErrNoSuchTx
	}
	return m.Ledger.Receipt(ctx, id)
}

// What a job wrote itself is accepted, and written once, whatever the ledger answered on the way.
func TestLedgerOnABadDay(t *testing.T) {
	for name, moods := range map[string][]mood{
		"invalidated":                               {{err: ledger.ErrInvalidated}, {err: ledger.ErrInvalidated}, {err: ledger.ErrInvalidated}},
		"not ordered":                               {{err: fmt.Errorf("%w: no orderer answers", ledger.ErrNotOrdered)}},
		"unknown, not written":                      {{unknown: true}, {unknown: true}},
		"unknown, written":                          {{unknown: true, written: true}},
		"unknown, written, seen late":               {{unknown: true, written: true, hidden: 1}},
		"unknown, then written, then unknown again": {{unknown: true}, {unknown: true, written: true, hidden: 2}, {unknown: true, written: true, hidden: 1}},
		"an error that it does not promise":         {{err: errors.New("closed pipe")}},
	} {
		for _, proceed := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, proceed %v", name, proceed), func(t *testing.T) {
				b := newBench(t)
				if err := b.service.Close(); err != nil {
					t.Fatal(err)
				}
				b.open(&moody{Ledger: b.ledger, moods: moods, hidden: map[string]int{}})
				job := b.capture(proceed, document(harvest("1"), harvest("2"), harvest("3")))
				if !job.Success || job.Accepted != 3 || job.Duplicates != 0 || job.Refused != 0 {
					t.Error(brief(job))
				}
				for i, s := range b.statuses(job.ID) {
					if s != contract.Accepted {
						t.Errorf("record %d: %s", i, s)
					}
				}
				if n := b.accepted(); n != 3 {
					t.Errorf("%d events on the ledger", n)
				}
			})
		}
	}
}

// accepted counts the events that the ledger took.
func (b *bench) accepted() (n int) {
	b.Helper()
	height, err := b.ledger.Height(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for block, err := range b.ledger.Blocks(b.Context(), 1) { // after the registration
		if err != nil {
			b.Fatal(err)
		}
		for _, tx := range block.Txs {
			for _, o := range tx.Outcomes {
				if o.Status == contract.Accepted {
					n++
				}
			}
		}
		if block.Height+1 == height {
			break
		}
	}
	return n
}

// distant is an evidence store that is away for a while: it fails so many times, each time a bit later in the file.
type distant struct {
	evidence.Store
	mu    sync.Mutex
	fails int
	after int64 // bytes that come before it fails
}

func (d *distant) Open(ctx context.Context, sha256 string) (io.ReadCloser, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fails--; d.fails < 0 {
		return d.Store.Open(ctx, sha256)
	}
	if d.after == 0 {
		return nil, evidence.ErrUnavailable
	}
	r, err := d.Store.Open(ctx, sha256)
	return cutOff{io.LimitReader(r, d.after), r}, err
}

type cutOff struct {
	io.Reader
	io.Closer
}

func (c cutOff) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF {
		err = fmt.Errorf("%w: connection reset", evidence.ErrUnavailable)
	}
	return n, err
}

// A document that was acknowledged is not lost because its store is away when it is to be read.
func TestEvidenceIsAway(t *testing.T) {
	doc := document(harvest("1"), strings.Repeat(" ", 1<<20)+harvest("2"), harvest("3"))
	for name, c := range map[string]struct {
		stream int64 // documents of more bytes are not read into memory
		after  int64
	}{
		"before the first byte":   {64 << 20, 0},
		"in the middle":           {64 << 20, 300},
		"streamed, in the middle": {1000, 500_000},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			if err := b.service.Close(); err != nil {
				t.Fatal(err)
			}
			b.openOn(b.ledger, &distant{Store: b.evidence, fails: 3, after: c.after})
			b.service.Stream(c.stream)
			job := b.capture(true, doc)
			if !job.Success || job.Accepted+job.Duplicates != 3 || job.Refused != 0 || len(job.Problems) > 0 && job.Problems[0].Refused {
				t.Error(brief(job))
			}
			if n := b.accepted(); n != 3 {
				t.Errorf("%d events on the ledger", n)
			}
		})
	}
}

// A full disk is said in the sender's answer, nothing is acknowledged, and what was acknowledged goes on when there is room.
func TestDiskIsFull(t *testing.T) {
	b := newBench(t)
	if err := b.service.Close(); err != nil {
		t.Fatal(err)
	}
	gate := &gated{Ledger: b.ledger, open: make(chan struct{})}
	b.open(gate)
	before := b.send(true, document(harvest("0")))
	if err := b.service.Fill(); err != nil {
		t.Fatal(err)
	}
	close(gate.open) // the job cannot note its end now
	refused := 0
	for i := range 200 {
		_, err := b.service.Receive(t.Context(), capture.Request{Member: "producer", Name: strings.Repeat("n", 1000), Body: strings.NewReader(document(harvest(fmt.Sprint(i + 1)))), Proceed: true})
		if errors.Is(err, syscall.ENOSPC) {
			refused++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if refused == 0 {
		t.Error("there is always room")
	}
	if err := b.service.MakeRoom(); err != nil {
		t.Fatal(err)
	}
	if job := b.end(before.ID); job.Accepted != 1 {
		t.Error(brief(job))
	}
	for deadline := time.Now().Add(time.Minute); b.accepted() != 1+200-refused && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
	}
	if got, want := b.accepted(), 1+200-refused; got != want {
		t.Errorf("%d events on the ledger, %d were acknowledged", got, want)
	}
}

// gated is a ledger that takes nothing before it is opened.
type gated struct {
	ledger.Ledger
	open chan struct{}
}

func (g *gated) Submit(ctx context.Context, by ledger.Signer, batch *contract.Batch) (ledger.Receipt, error) {
	<-g.open
	return g.Ledger.Submit(ctx, by, batch)
}
