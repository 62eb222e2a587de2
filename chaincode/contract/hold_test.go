package contract_test

import (
	"slices"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/contract/contracttest"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// stopped fails unless shipping each item is refused as a violation of exactly these holds; nothing remains of the attempt.
func stopped(b *contracttest.Bench, hour int, holds []string, items ...string) {
	b.T.Helper()
	for _, item := range items {
		o := b.Refuse(farm, ship(hour, item))
		if !slices.Equal(o.Violations, holds) || !slices.Contains(codes(o), contract.CodeLotHeld) {
			b.T.Errorf("shipping %s: violations %v, want %v: %v", item, o.Violations, holds, o.Findings)
		}
		if got := holdsOn(b, item); !slices.Equal(got, holds) {
			b.T.Errorf("HoldsOn(%s) = %v, want %v", item, got, holds)
		}
	}
}

// free fails unless shipping each item is accepted.
func free(b *contracttest.Bench, hour int, items ...string) {
	b.T.Helper()
	for _, item := range items {
		if got := holdsOn(b, item); len(got) > 0 {
			b.T.Errorf("HoldsOn(%s) = %v, want none", item, got)
		}
		b.Accept(farm, ship(hour, item))
	}
}

func TestHoldScopes(t *testing.T) {
	b := network(t)
	b.Accept(farm, made(0, []string{lot("A")}, []string{lot("B")}))
	b.Accept(farm, made(1, []string{lot("B")}, []string{lot("C")}))
	id := b.Accept(regulator, hold(lot("A"), contract.ScopeLot, 2)).ID
	stopped(b, 3, []string{id}, lot("A"))
	free(b, 4, lot("B"), lot("C"))
	down := b.Accept(regulator, hold(lot("A"), contract.ScopeDownstream, 5)).ID
	both := []string{id, down}
	slices.Sort(both)
	stopped(b, 6, both, lot("A"))
	stopped(b, 6, []string{down}, lot("B"), lot("C"))
	spreadAll(b)
	stopped(b, 6, []string{down}, lot("B"), lot("C"))
	b.Accept(regulator, release(down, 7))
	free(b, 8, lot("B"), lot("C"))
	stopped(b, 8, []string{id}, lot("A"))
	b.Accept(regulator, release(id, 9))
	free(b, 6, lot("A"), lot("B"), lot("C")) // the refused events are accepted now
}

func TestHoldThroughContents(t *testing.T) {
	b := network(t)
	pallet, box, other := sscc(1), sscc(2), sscc(3)
	b.Accept(farm, pack(0, box, lot("A"), inst("i")))
	b.Accept(farm, pack(1, pallet, box, other))
	id := b.Accept(regulator, hold(lot("A"), contract.ScopeLot, 2)).ID
	stopped(b, 3, []string{id}, lot("A"), box, pallet)
	stopped(b, 3, []string{id}, inst("i"), other) // inside a held logistic unit
	b.Accept(farm, unpack(4, pallet, box))
	free(b, 5, pallet, other)
	stopped(b, 5, []string{id}, box, inst("i"))
	b.Accept(farm, unpack(6, box)) // everything
	free(b, 7, box, inst("i"))
	stopped(b, 7, []string{id}, lot("A"))
	b.Accept(regulator, hold(box, contract.ScopeLot, 8))
	free(b, 9, inst("i"))
}

func TestHoldThroughMembership(t *testing.T) {
	b := network(t)
	b.Accept(farm, ev(event.Object, "commissioning", 0, action(event.Add), objects(inst("i")), ilmd(`{"cbvmda:lotNumber":"A"}`)))
	id := b.Accept(regulator, hold(lot("A"), contract.ScopeLot, 1)).ID
	stopped(b, 2, []string{id}, inst("i"))
	b.Accept(farm, ev(event.Object, "commissioning", 3, action(event.Add), objects(inst("j")), ilmd(`{"cbvmda:lotNumber":"A"}`)))
	stopped(b, 4, []string{id}, inst("j"))
}
