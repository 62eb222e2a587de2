package contract_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/contract/contracttest"
)

// descendants makes root into about n lots, 100 at a time, and returns them, parents first.
func descendants(b *contracttest.Bench, n int) (all []string) {
	parents := []string{lot("root")}
	var batch []contract.Record
	for i := 0; len(all) < n; i++ {
		var out []string
		for j := range 100 {
			out = append(out, lot(fmt.Sprintf("%d.%d", i, j)))
		}
		batch = append(batch, made(0, []string{parents[i]}, out))
		parents = append(parents, out...)
		if all = append(all, out...); len(batch) == 100 || len(all) >= n {
			b.Send(farm, batch...)
			batch = nil
		}
	}
	return all
}

// TestLargeHold: a hold on a lot with 100,000 descendants (FOODTRACE_SOAK; fewer without) is one transaction of a few
// writes; from it on nothing moves; once it has spread, the answer costs as much as for any lot; after the release all move.
func TestLargeHold(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 2_000
	}
	if os.Getenv("FOODTRACE_SOAK") != "" {
		n = 100_000
	}
	b := network(t)
	all := descendants(b, n)
	sample := []string{all[0], all[len(all)/2], all[len(all)-1]}

	effects, outcomes, err := contract.Decide(b.State, b.Tx(regulator, &contract.Batch{Records: []contract.Record{hold(lot("root"), contract.ScopeDownstream, 1)}}))
	if err != nil || outcomes[0].Status != contract.Accepted || len(effects) > 4 {
		t.Fatalf("the hold: %v, %v, %d writes", err, outcomes, len(effects))
	}
	if err := b.State.Apply(effects); err != nil {
		t.Fatal(err)
	}
	id := outcomes[0].ID
	stopped(b, 2, []string{id}, sample...)

	spreads := 0
	for ; len(spreading(b)) > 0; spreads++ {
		before := b.State.Gets
		b.Accept(farm, spread(id, 1000))
		if reads := b.State.Gets - before; reads > 2200 { // for each link the node it starts from and the one it leads to, and some chunks
			t.Fatalf("a spread of 1000 read %d keys", reads)
		}
		if spreads%20 == 0 {
			stopped(b, 3, []string{id}, sample...)
		}
	}
	if want := (len(all) + len(all)/100) / 1000; spreads < want || spreads > want+2 {
		t.Errorf("%d spreads of 1000, want about %d", spreads, want)
	}
	before := b.State.Gets
	if o := b.Refuse(farm, ship(4, sample[2])); !slices.Equal(o.Violations, []string{id}) {
		t.Errorf("violations %v", o.Violations)
	}
	if reads := b.State.Gets - before; reads > 8 {
		t.Errorf("a movement after the spread read %d keys", reads)
	}
	if b.State.Ranges > 0 {
		t.Errorf("%d ranges were read", b.State.Ranges)
	}
	b.Accept(regulator, release(id, 5))
	free(b, 6, sample...)
}

// TestOldHolds: thousands of holds that came and went do not slow an item down.
func TestOldHolds(t *testing.T) {
	b := network(t)
	b.Accept(farm, made(0, []string{lot("A")}, []string{lot("B")}))
	const n = 2000
	var holds, releases []contract.Record
	for i := range n {
		h := hold(lot("A"), contract.ScopeDownstream, i)
		holds = append(holds, h)
	}
	for _, o := range b.Send(regulator, holds...) {
		releases = append(releases, release(o.ID, 0))
	}
	b.Send(regulator, releases[1:]...)
	stopped(b, 1, []string{releases[0].Release.Hold}, lot("A"))
	b.Send(regulator, releases[0])
	free(b, 2, lot("A")) // wipes the old marks off
	before := b.State.Gets
	free(b, 3, lot("A"))
	if reads := b.State.Gets - before; reads > 12 {
		t.Errorf("an item with %d old holds costs %d reads", n, reads)
	}
}
