package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
	"github.com/foodtrace-ledger/foodtrace/internal/spreader"
)

// crowd is one lot and everything that was made of it: every lot becomes fanOut others, until there are enough.
type crowd struct {
	site  contract.Site
	class string
	lots  []string // the first is the one of which the others were made
}

const (
	fanOut = 50
	// movers submit at the same time; movesInBatch at once.
	movers       = 8
	movesInBatch = 50
)

// newCrowd puts a lot and its descendants on the ledger.
func newCrowd(t *testing.T, n *network, r contract.Registration, descendants int) *crowd {
	t.Helper()
	c := &crowd{site: r.Sites[1], class: r.Products[0].ID}
	name := func(i int) string { return fmt.Sprintf("%s/10/L%d", c.class, i) }
	made := func(ids ...string) (list []event.Quantity) {
		for _, id := range ids {
			list = append(list, event.Quantity{EPCClass: id, Quantity: event.Int(1000)})
		}
		return list
	}
	c.lots = []string{name(0)}
	first := c.event(0, event.Object, "commissioning")
	first.Action, first.Quantities = event.Add, made(c.lots[0])
	batch := []contract.Record{{Event: first}}
	for parent := 0; len(c.lots) <= descendants; parent++ {
		var outputs []string
		for range min(fanOut, descendants+1-len(c.lots)) {
			outputs = append(outputs, name(len(c.lots)))
			c.lots = append(c.lots, outputs[len(outputs)-1])
		}
		e := c.event(parent+1, event.Transformation, "commissioning")
		e.InputQuantities, e.OutputQuantities = made(c.lots[parent]), made(outputs...)
		if batch = append(batch, contract.Record{Event: e}); len(batch) == movesInBatch {
			mustAccept(t, n.submit(t, c.site.Owner, batch...))
			batch = nil
		}
	}
	if len(batch) > 0 {
		mustAccept(t, n.submit(t, c.site.Owner, batch...))
	}
	return c
}

func mustAccept(t *testing.T, r ledger.Receipt) {
	t.Helper()
	for _, out := range r.Outcomes {
		if out.Status != contract.Accepted {
			t.Fatalf("%s: %v, holds %v", out.Status, out.Findings, out.Violations)
		}
	}
}

func (c *crowd) event(second int, typ event.Type, step string) *event.Event {
	return &event.Event{
		Type: typ, Time: event.Time{Time: simulate.DefaultStart.Add(time.Duration(second) * time.Second)}, TimeZoneOffset: "+00:00",
		BizStep: step, ReadPoint: &event.Place{ID: c.site.ID}, BizLocation: &event.Place{ID: c.site.ID},
	}
}

// movement is the nth shipment of some descendant: no two are the same event.
func (c *crowd) movement(n int, rng *rand.Rand) contract.Record {
	e := c.event(1_000_000+n, event.Object, "shipping")
	e.Action = event.Observe
	e.Quantities = []event.Quantity{{EPCClass: c.lots[1+rng.IntN(len(c.lots)-1)], Quantity: event.Int(1)}}
	return contract.Record{Event: e}
}

// Many submit movements of descendants while the lot they were made of is held. None is accepted behind the hold, each one that
// is refused is kept as a violation of it, and behind the release all are accepted again.
func TestHoldUnderLoad(t *testing.T) {
	descendants, movements := 2_000, 10_000
	if soak() {
		descendants, movements = 100_000, 1_000_000
	}
	const seed = 20260423
	r := simulate.New(seed, simulate.Options{}).Registration()
	n := newNetwork(t, r)
	c := newCrowd(t, n, r, descendants)
	stop := n.spread(t)
	defer stop()

	var sent atomic.Int64
	begin := make(chan struct{})
	var once sync.Once
	var group sync.WaitGroup
	for m := range movers {
		by := n.signer(t, c.site.Owner)
		group.Go(func() {
			defer once.Do(func() { close(begin) }) // also when it fails
			rng := rand.New(rand.NewPCG(seed, uint64(m)))
			for {
				end := int(sent.Add(movesInBatch))
				if end > movements {
					return
				}
				if end > movements/5 {
					once.Do(func() { close(begin) })
				}
				var batch contract.Batch
				for k := range movesInBatch {
					batch.Records = append(batch.Records, c.movement(end-k, rng))
				}
				if _, err := n.ledger.Submit(t.Context(), by, &batch); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	<-begin
	held := n.submit(t, regulator, contract.Record{Hold: &contract.Hold{
		Item: c.lots[0], Scope: contract.ScopeDownstream, Time: event.Time{Time: simulate.DefaultStart}, Reason: contract.Text{EN: "test"},
	}})
	mustAccept(t, held)
	group.Wait()
	id := held.Outcomes[0].ID
	accepted, refused := n.countMovements(t, held, id)
	t.Logf("seed %d: %d descendants, %d movements: %d accepted before the hold in block %d, %d refused after it",
		seed, descendants, movements, accepted, held.Block, refused)
	if accepted+refused != movements || accepted == 0 || refused < movements/2 {
		t.Errorf("%d movements were accepted before the hold and %d refused after it, of %d", accepted, refused, movements)
	}
	n.auditHold(t, id, refused)

	mustAccept(t, n.submit(t, regulator, contract.Record{Release: &contract.Release{
		Hold: id, Time: event.Time{Time: simulate.DefaultStart}, Reason: contract.Text{EN: "test"},
	}}))
	rng := rand.New(rand.NewPCG(seed, movers))
	for k := 0; k < movements/10; k += movesInBatch {
		var batch []contract.Record
		for i := range movesInBatch {
			batch = append(batch, c.movement(movements+k+i+1, rng))
		}
		mustAccept(t, n.submit(t, c.site.Owner, batch...))
	}
}

// spread runs the spreader until the function it returns is called.
func (n *network) spread(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	by := n.signer(t, regulator)
	go func() { done <- spreader.Run(ctx, n.ledger, by, n.log) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("spreader: %v", err)
		}
	}
}

// countMovements reads the shipments behind and before the hold's place on the ledger.
func (n *network) countMovements(t *testing.T, hold ledger.Receipt, id string) (accepted, refused int) {
	t.Helper()
	behind := false
	for b := range n.blocks(t) {
		for _, tx := range b.Txs {
			behind = behind || tx.ID == hold.TxID
			for i, r := range tx.Batch.Records {
				if r.Event == nil || r.Event.BizStep != "shipping" {
					continue
				}
				out := tx.Outcomes[i]
				switch {
				case !behind && out.Status == contract.Accepted:
					accepted++
				case behind && out.Status == contract.Refused && slices.Equal(out.Violations, []string{id}):
					refused++
				default:
					t.Fatalf("block %d, behind the hold: %v: %s, violations %v", b.Height, behind, out.Status, out.Violations)
				}
			}
		}
	}
	return accepted, refused
}

// auditHold checks that the index counts the violations of the hold.
func (n *network) auditHold(t *testing.T, id string, violations int) {
	t.Helper()
	h, err := n.project(t).Hold(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if h.Violations != violations {
		t.Errorf("the index counts %d violations, the ledger %d", h.Violations, violations)
	}
}
