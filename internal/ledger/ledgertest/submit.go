package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// testSubmit: what has a receipt is there for everybody who asks afterwards.
func (b *bench) testSubmit() {
	before := height(b)
	r := b.submit(b.Farm, made(5, b.lot(0)), made(5, b.lot(1)))
	for i, o := range r.Outcomes {
		if o.Status != contract.Accepted || o.ID == "" {
			b.Errorf("record %d: %+v", i, o)
		}
	}
	if r.Block < before || r.Block >= height(b) {
		b.Errorf("block %d, height %d before and %d after", r.Block, before, height(b))
	}
	again, err := b.Ledger.Receipt(b.ctx, r.TxID)
	if err != nil {
		b.Fatal(err)
	}
	if diff := cmp.Diff(r, again); diff != "" {
		b.Errorf("the receipt differs when it is asked for (-got +asked):\n%s", diff)
	}
	id := b.accept(b.Regulator, hold(b.lot(0), 0))
	if got := b.holdsOn(b.lot(0)); !slices.Equal(got, []string{id}) {
		b.Errorf("holds %v, want %v: a view does not see what has a receipt", got, id)
	}
}

// testRefusedByContract: a refusal is an outcome on the ledger, not an error.
func (b *bench) testRefusedByContract() {
	r := b.submit(b.Farm, hold(b.lot(0), 0), made(1, b.lot(1)))
	if o := r.Outcomes[0]; o.Status != contract.Refused || !has(o, contract.CodeRoleRequired) {
		b.Errorf("a farm's hold: %+v", o)
	}
	if o := r.Outcomes[1]; o.Status != contract.Accepted {
		b.Errorf("beside a refused record: %+v", o)
	}
	if got := b.holdsOn(b.lot(0)); len(got) != 0 {
		b.Errorf("holds %v after a refused one", got)
	}
}

func (b *bench) testDuplicate() {
	first := b.submit(b.Farm, made(1, b.lot(0)))
	second := b.submit(b.Farm, made(1, b.lot(0)), made(1, b.lot(1)))
	if o := second.Outcomes[0]; o.Status != contract.Duplicate || o.ID != first.Outcomes[0].ID {
		b.Errorf("sent again: %+v, first %+v", o, first.Outcomes[0])
	}
	if o := second.Outcomes[1]; o.Status != contract.Accepted {
		b.Errorf("beside a duplicate: %+v", o)
	}
	if first.TxID == second.TxID {
		b.Error("two submissions have one transaction ID")
	}
}

// together calls f n times at once and waits.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// testConcurrentDuplicates: of the same event sent by many at once, one is accepted.
func (b *bench) testConcurrentDuplicates() {
	outcomes := make([]contract.Outcome, 12)
	together(len(outcomes), func(i int) {
		r, err := b.Ledger.Submit(b.ctx, b.Farm, &contract.Batch{Records: []contract.Record{made(1, b.lot(0))}})
		if err != nil {
			b.Error(err)
			return
		}
		outcomes[i] = r.Outcomes[0]
	})
	counts := map[contract.Status]int{}
	for _, o := range outcomes {
		counts[o.Status]++
	}
	want := map[contract.Status]int{contract.Accepted: 1, contract.Duplicate: len(outcomes) - 1}
	if diff := cmp.Diff(want, counts); diff != "" {
		b.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

// testNoLostUpdate: of ten pieces, many use one each at once. Exactly those after the tenth use more than there was. A use
// decided on a balance that another one has changed meanwhile would be counted wrongly.
func (b *bench) testNoLostUpdate() {
	const pieces, uses = 10, 24
	b.accept(b.Farm, made(pieces, b.lot(0)))
	var mu sync.Mutex
	exceeded := 0
	together(uses, func(i int) {
		use := object(event.Delete, "destroying", i, 1, b.lot(0))
		r, err := b.Ledger.Submit(b.ctx, b.Farm, &contract.Batch{Records: []contract.Record{use}})
		if err != nil {
			b.Error(err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if has(r.Outcomes[0], contract.CodeBalanceExceeded) {
			exceeded++
		}
	})
	if exceeded != uses-pieces {
		b.Errorf("%d uses of %d exceed %d pieces, want %d", exceeded, uses, pieces, uses-pieces)
	}
}

// testHoldStopsMovements: while many move a lot, it is held. In the ledger's order, every movement before the hold is accepted
// and every one after it is refused, whatever was decided when.
func (b *bench) testHoldStopsMovements() {
	const movers, each = 6, 8
	b.accept(b.Farm, made(1000, b.lot(0)))
	first := height(b)
	receipts := make(chan ledger.Receipt, movers*each)
	var held ledger.Receipt
	together(movers+1, func(i int) {
		if i == movers {
			for range movers { // some movements come first
				receipts <- <-receipts
			}
			held = b.submit(b.Regulator, hold(b.lot(0), 0))
			return
		}
		for n := range each {
			r, err := b.Ledger.Submit(b.ctx, b.Shop, &contract.Batch{Records: []contract.Record{ship(i*each+n, b.lot(0))}})
			if err != nil {
				b.Error(err)
				return
			}
			receipts <- r
		}
	})
	if b.Failed() {
		b.FailNow()
	}
	late := b.submit(b.Shop, ship(10_000, b.lot(0)))
	after := false
	seen := 0
	for _, tx := range b.blocks(first, late.Block) {
		switch o := tx.Outcomes[0]; {
		case tx.ID == held.TxID:
			after = true
		case tx.Actor.MSP != b.Shop.MSP:
		case !after && o.Status != contract.Accepted:
			b.Errorf("%s before the hold: %+v", tx.ID, o)
		case after && (o.Status != contract.Refused || !slices.Equal(o.Violations, []string{held.Outcomes[0].ID})):
			b.Errorf("%s after the hold: %+v", tx.ID, o)
		default:
			seen++
		}
	}
	if !after || seen != movers*each+1 {
		b.Errorf("the hold is on the ledger: %t, movements as they should be: %d, want %d", after, seen, movers*each+1)
	}
	b.accept(b.Regulator, contract.Record{Release: &contract.Release{Hold: held.Outcomes[0].ID, Reason: contract.Text{EN: "negative"}, Time: event.Time{Time: day}}})
	b.accept(b.Shop, ship(10_000, b.lot(0)))
}

func (b *bench) testRefusedSigners() {
	before := height(b)
	for name, by := range map[string]ledger.Signer{
		"a stranger":                      b.Stranger,
		"a stranger as the farm":          {MSP: b.Farm.MSP, Cert: b.Stranger.Cert, Key: b.Stranger.Key},
		"the farm as the regulator":       {MSP: b.Regulator.MSP, Cert: b.Farm.Cert, Key: b.Farm.Key},
		"a certificate with another key":  {MSP: b.Farm.MSP, Cert: b.Farm.Cert, Key: b.Shop.Key},
		"a certificate that is none":      {MSP: b.Farm.MSP, Cert: []byte("x"), Key: b.Farm.Key},
		"a certificate of another member": {MSP: b.Farm.MSP, Cert: b.Shop.Cert, Key: b.Shop.Key},
	} {
		_, err := b.Ledger.Submit(b.ctx, by, &contract.Batch{Records: []contract.Record{made(1, b.lot(0))}})
		if !errors.Is(err, ledger.ErrRefused) {
			b.Errorf("%s: %v, want ErrRefused", name, err)
		}
	}
	if after := height(b); after != before {
		b.Errorf("height %d after refusals, %d before", after, before)
	}
	if o := b.submit(b.Farm, made(1, b.lot(0))).Outcomes[0]; o.Status != contract.Accepted {
		b.Errorf("the event was written by somebody: %+v", o)
	}
}

func (b *bench) testEmptyBatch() {
	for _, batch := range []*contract.Batch{nil, {}} {
		if _, err := b.Ledger.Submit(b.ctx, b.Farm, batch); !errors.Is(err, ledger.ErrRefused) {
			b.Errorf("%v, want ErrRefused", err)
		}
	}
}

func (b *bench) testUnknownReceipt() {
	for _, id := range []string{"", "x", strings.Repeat("0", 64), strings.Repeat("ab", 40)} {
		if _, err := b.Ledger.Receipt(b.ctx, id); !errors.Is(err, ledger.ErrNoSuchTx) {
			b.Errorf("%q: %v, want ErrNoSuchTx", id, err)
		}
	}
}

// testCancelledSubmit: whoever gives up before anything was sent gets nothing ordered.
func (b *bench) testCancelledSubmit() {
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	_, err := b.Ledger.Submit(ctx, b.Farm, &contract.Batch{Records: []contract.Record{made(1, b.lot(0))}})
	if !errors.Is(err, ledger.ErrNotOrdered) || !errors.Is(err, context.Canceled) {
		b.Errorf("%v, want ErrNotOrdered and context.Canceled", err)
	}
	if o := b.submit(b.Farm, made(1, b.lot(0))).Outcomes[0]; o.Status != contract.Accepted {
		b.Errorf("the cancelled event was written: %+v", o)
	}
}

// testManySubmitters: everything that has a receipt is in the blocks, once, as it was sent and by whom.
func (b *bench) testManySubmitters() {
	const submitters, each = 16, 4
	first := height(b)
	var mu sync.Mutex
	receipts := map[string]ledger.Receipt{}
	together(submitters, func(i int) {
		by := []ledger.Signer{b.Farm, b.Shop}[i%2]
		for n := range each {
			batch := &contract.Batch{Records: []contract.Record{made(1, b.lot(i*each+n)), ship(i, b.lot(i*each+n))}}
			r, err := b.Ledger.Submit(b.ctx, by, batch)
			if err != nil {
				b.Error(err)
				return
			}
			mu.Lock()
			receipts[r.TxID] = r
			mu.Unlock()
		}
	})
	if len(receipts) != submitters*each {
		b.Fatalf("%d transactions, want %d", len(receipts), submitters*each)
	}
	last := first
	for _, r := range receipts {
		last = max(last, r.Block)
	}
	for _, tx := range b.blocks(first, last) {
		r, ours := receipts[tx.ID]
		if !ours {
			continue
		}
		delete(receipts, tx.ID)
		if diff := cmp.Diff(r.Outcomes, tx.Outcomes); diff != "" {
			b.Errorf("outcomes of the receipt and in the block (-receipt +block):\n%s", diff)
		}
		lot := tx.Batch.Records[0].Event.Quantities[0].EPCClass
		var n int
		if _, err := fmt.Sscanf(strings.TrimPrefix(lot, strings.TrimSuffix(b.lot(0), "0")), "%d", &n); err != nil {
			b.Fatal(err)
		}
		want := []ledger.Signer{b.Farm, b.Shop}[n/each%2].MSP
		if tx.Actor.MSP != want || tx.Actor.Subject == "" || len(tx.Batch.Records) != 2 || tx.Time.IsZero() {
			b.Errorf("lot %d of %q: %d records by %+v, want by %s", n, lot, len(tx.Batch.Records), tx.Actor, want)
		}
	}
	if len(receipts) > 0 {
		b.Errorf("%d transactions are in no block, or not in the one of their receipt", len(receipts))
	}
}
