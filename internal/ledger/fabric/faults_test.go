package fabric_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/fabricnet"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/fabric"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/ledgertest"
	"go.uber.org/goleak"
)

// TestHighSNetwork: all of it where the authorities' certificates are signed in the form that the SDK's own membership refuses.
func TestHighSNetwork(t *testing.T) {
	n := fabricnet.ForTest(t, fabricnet.Options{HighS: true})
	t.Run("Conformance", func(t *testing.T) { conformance(t, n) })
	t.Run("Revoked", func(t *testing.T) { testRevoked(t, n) })
}

func conformance(t *testing.T, n *fabricnet.Network) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Network {
		l := open(t, n, regulator)
		t.Cleanup(func() { verifyClean(t, n, other) })
		stranger, err := n.Stranger()
		if err != nil {
			t.Fatal(err)
		}
		return ledgertest.Network{
			Ledger: l, Regulator: signer(t, n, regulator), Farm: signer(t, n, producer), Shop: signer(t, n, retailer), Stranger: stranger,
		}
	})
}

// testRevoked: once a certificate is revoked, what it signs is refused before it is ordered; what it signed before stays, and what
// was on its way is invalid.
func testRevoked(t *testing.T, n *fabricnet.Network) {
	w := newWorld(t, n)
	by, err := n.Signer(producer, "inspector")
	w.must(err)
	before, err := w.ledger.Submit(w.ctx, by, batch(made(w.lot(0))))
	w.must(err)
	underway, err := w.ledger.Forge(w.ctx, by, batch(made(w.lot(1))), regulator, other, retailer)
	w.must(err)
	w.must(underway.Sign())
	w.must(n.Revoke(w.ctx, producer, "inspector"))
	for _, l := range []*fabric.Ledger{w.ledger, open(t, n, retailer)} { // the second has to catch up
		if _, err := l.Submit(w.ctx, by, batch(made(w.lot(2)))); !errors.Is(err, ledger.ErrRefused) {
			t.Errorf("a revoked signer: %v, want ErrRefused", err)
		}
	}
	if code, err := underway.Order(w.ctx, false); err == nil && code != "BAD_CREATOR_SIGNATURE" || err != nil && !errors.Is(err, ledger.ErrRefused) {
		t.Errorf("a transaction endorsed before: %s, %v", code, err)
	}
	if r, err := w.ledger.Receipt(w.ctx, before.TxID); err != nil || r.Outcomes[0].Status != contract.Accepted {
		t.Errorf("what was written before: %+v, %v", r, err)
	}
	w.accept(producer, made(w.lot(2))) // others of the member go on
	w.agreed()
}

// TestFailover: while members submit, a peer, then an orderer, then the leader and the member's own peer are killed and come back.
// Everything that has a receipt is there once, and nobody gets an error.
func TestFailover(t *testing.T) {
	w := newWorld(t, network.Get(t))
	own := open(t, w.net, producer)
	receipts := make(chan ledger.Receipt, 10_000)
	ctx, stop := context.WithCancel(w.ctx)
	defer stop()
	var wg sync.WaitGroup
	for i := range 4 {
		l, by := w.ledger, w.signer(regulator)
		if i%2 == 0 {
			l, by = own, w.signer(producer)
		}
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				r, err := l.Submit(w.ctx, by, batch(made(w.lot(n))))
				if err != nil {
					t.Errorf("submitter %d: %v", i, err)
					return
				}
				receipts <- r
			}
		})
	}
	for _, kill := range []func() string{
		func() string { return "peer." + other },
		func() string { return "orderer2" },
		func() string { return "peer." + producer },
		func() string {
			name, err := w.net.Leader(w.ctx)
			w.must(err)
			return name
		},
	} {
		name := kill()
		w.must(w.net.Kill(name))
		begin, got := time.Now(), len(receipts)
		for len(receipts) < got+4 && w.ctx.Err() == nil && !t.Failed() {
			time.Sleep(20 * time.Millisecond)
		}
		t.Logf("without %s: 4 receipts after %v", name, time.Since(begin).Round(time.Millisecond))
		w.must(w.net.Start(w.ctx, name))
	}
	stop()
	wg.Wait()
	close(receipts)
	want := map[string]uint64{}
	last := uint64(0)
	for r := range receipts {
		want[r.TxID] = r.Block
		last = max(last, r.Block)
	}
	// A new client finds them all, wherever they were submitted.
	fresh := open(t, w.net, retailer)
	seen := map[string]int{}
	for b, err := range fresh.Blocks(w.ctx, 0) {
		w.must(err)
		for _, tx := range b.Txs {
			seen[tx.ID]++
			if at, ours := want[tx.ID]; ours && at != b.Height {
				t.Errorf("%s is in block %d, its receipt says %d", tx.ID, b.Height, at)
			}
		}
		if b.Height >= last {
			break
		}
	}
	for id := range want {
		if seen[id] != 1 {
			t.Errorf("%s is there %d times", id, seen[id])
		}
	}
	t.Logf("%d receipts, %d failovers", len(want), w.ledger.Metrics.Failovers.Load()+own.Metrics.Failovers.Load())
	w.agreed()
}

// TestNobodyAnswers: without orderers nothing is ordered, without enough peers nothing is endorsed, and both are said.
func TestNobodyAnswers(t *testing.T) {
	n := network.Get(t)
	w := newWorld(t, n)
	short := func() context.Context {
		ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
		t.Cleanup(cancel)
		return ctx
	}
	nowhere := func(nodes []fabric.Node) []fabric.Node {
		for i := range nodes {
			nodes[i].Address = "127.0.0.1:1"
		}
		return nodes
	}
	c := n.Config(producer)
	c.Orderers = nowhere(c.Orderers)
	l := openWith(t, fabric.Options{Config: c, Identity: w.signer(producer), Dir: t.TempDir()})
	if _, err := l.Submit(short(), w.signer(producer), batch(made(w.lot(0)))); !errors.Is(err, ledger.ErrNotOrdered) {
		t.Errorf("no orderers: %v, want ErrNotOrdered", err)
	}
	c = n.Config(producer)
	c.Peers = c.Peers[:2]
	l = openWith(t, fabric.Options{Config: c, Identity: w.signer(producer), Dir: t.TempDir()})
	if _, err := l.Submit(w.ctx, w.signer(producer), batch(made(w.lot(0)))); !errors.Is(err, ledger.ErrNotOrdered) {
		t.Errorf("too few peers: %v, want ErrNotOrdered", err)
	}
	c.Peers = nowhere(c.Peers)
	l = openWith(t, fabric.Options{Config: c, Identity: w.signer(producer), Dir: t.TempDir()})
	if _, err := l.Submit(short(), w.signer(producer), batch(made(w.lot(0)))); !errors.Is(err, ledger.ErrNotOrdered) {
		t.Errorf("no peers: %v, want ErrNotOrdered", err)
	}
	w.accept(producer, made(w.lot(0))) // it was written by none of these
}

// TestRestart: a replica that was closed, or that is behind, goes on where it stands.
func TestRestart(t *testing.T) {
	n := network.Get(t)
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // after all ledgers have been closed
	w := newWorld(t, n)
	o := fabric.Options{Config: w.net.Config(retailer), Identity: w.signer(retailer), Dir: t.TempDir()}
	first, err := fabric.Open(o)
	w.must(err)
	r, err := first.Submit(w.ctx, w.signer(retailer), batch(made(w.lot(0))))
	w.must(err)
	if _, err := fabric.Open(o); err == nil {
		t.Error("a second ledger in the same directory")
	}
	w.must(first.Close())
	if _, err := first.Submit(w.ctx, w.signer(retailer), batch(made(w.lot(0)))); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("after it was closed: %v", err)
	}
	w.accept(producer, made(w.lot(1)))
	again := openWith(t, o)
	height, err := again.Height(w.ctx)
	if err != nil || height <= r.Block {
		t.Errorf("height %d, %v, after a receipt in block %d", height, err, r.Block)
	}
	found, err := again.Receipt(w.ctx, r.TxID) // from a peer
	if err != nil || found.Block != r.Block || found.Outcomes[0].ID != r.Outcomes[0].ID {
		t.Errorf("%+v, %v, want %+v", found, err, r)
	}
}

// TestUnknown: a transaction that an orderer took, and whose block does not come, is neither there nor not there, until its block
// comes.
func TestUnknown(t *testing.T) {
	w := newWorld(t, network.Get(t))
	c := w.net.Config(other)
	c.Peers = c.Peers[:1]
	cut := openWith(t, fabric.Options{Config: c, Identity: w.signer(other), Dir: t.TempDir()})
	height, err := w.ledger.Height(w.ctx)
	w.must(err)
	w.must(cut.Await(w.ctx, height))
	f := w.forge(producer, batch(made(w.lot(0))), regulator, producer, retailer)
	w.must(f.Sign())
	w.must(w.net.Kill("peer." + other))
	ctx, cancel := context.WithTimeout(w.ctx, 3*time.Second)
	defer cancel()
	_, err = f.Via(cut).Order(ctx, false)
	var unknown *ledger.UnknownError
	if !errors.As(err, &unknown) || unknown.TxID != f.ID() || errors.Is(err, ledger.ErrNotOrdered) {
		t.Errorf("%v, want an *UnknownError with the transaction's ID", err)
	}
	if _, err := cut.Receipt(w.ctx, f.ID()); !errors.Is(err, ledger.ErrNoSuchTx) {
		t.Errorf("its receipt before the block comes: %v", err)
	}
	w.must(w.net.Start(w.ctx, "peer."+other))
	w.must(cut.Await(w.ctx, height+1))
	if r, err := cut.Receipt(w.ctx, f.ID()); err != nil || r.Outcomes[0].Status != contract.Accepted {
		t.Errorf("its receipt afterwards: %+v, %v", r, err)
	}
	w.agreed()
}

// TestClock: a member's clock may be off, but not far.
func TestClock(t *testing.T) {
	w := newWorld(t, network.Get(t))
	for off, want := range map[time.Duration]error{5 * time.Minute: nil, -5 * time.Minute: nil, time.Hour: ledger.ErrRefused, -time.Hour: ledger.ErrRefused} {
		l := openWith(t, fabric.Options{
			Config: w.net.Config(producer), Identity: w.signer(producer), Dir: t.TempDir(),
			Now: func() time.Time { return time.Now().Add(off) },
		})
		_, err := l.Submit(w.ctx, w.signer(producer), batch(made(w.lot(0))))
		if !errors.Is(err, want) || want != nil && !strings.Contains(err.Error(), "CLOCK_SKEW") {
			t.Errorf("a clock %v off: %v", off, err)
		}
	}
}
