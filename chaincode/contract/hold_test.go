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

// An event time is the sender's word: one from before the packing, or from the morning of that day, does not get a pallet out.
func TestBackdatedMovement(t *testing.T) {
	b := network(t)
	b.Accept(farm, pack(5, sscc(1), lot("A")))
	id := b.Accept(regulator, hold(lot("A"), contract.ScopeLot, 6)).ID
	stopped(b, 2, []string{id}, sscc(1))
	b.Accept(farm, unpack(7, sscc(1), lot("A")))
	if o := b.Refuse(farm, ship(6, sscc(1))); !slices.Equal(o.Violations, []string{id}) { // it was inside then
		t.Errorf("violations %v", o.Violations)
	}
	free(b, 8, sscc(1))
}

func TestHoldThroughMembership(t *testing.T) {
	b := network(t)
	b.Accept(farm, ev(event.Object, "commissioning", 0, action(event.Add), objects(inst("i")), ilmd(`{"cbvmda:lotNumber":"A"}`)))
	id := b.Accept(regulator, hold(lot("A"), contract.ScopeLot, 1)).ID
	stopped(b, 2, []string{id}, inst("i"))
	b.Accept(farm, ev(event.Object, "commissioning", 3, action(event.Add), objects(inst("j")), ilmd(`{"cbvmda:lotNumber":"A"}`)))
	stopped(b, 4, []string{id}, inst("j"))
}

// TestLateLinks: what becomes known after the hold, and while it spreads, ends up right.
func TestLateLinks(t *testing.T) {
	b := network(t)
	b.Accept(farm, made(0, []string{lot("A")}, []string{lot("B")}))
	b.Accept(farm, made(0, []string{lot("B")}, []string{lot("C")}))
	b.Accept(farm, made(0, []string{lot("A")}, []string{lot("P")}, process("urn:test:run")))
	b.Accept(farm, made(0, []string{inst("x")}, []string{lot("D")}))
	id := b.Accept(regulator, hold(lot("A"), contract.ScopeDownstream, 1)).ID

	// An output of a process with a held input.
	o := b.Refuse(farm, made(2, nil, []string{lot("Q")}, process("urn:test:run")))
	if !slices.Equal(o.Violations, []string{id}) {
		t.Errorf("output only: violations %v", o.Violations)
	}
	free(b, 2, lot("Q"))
	// An instance that turns out to be of a lot that is held, but not marked yet; what was made from it was free until then.
	free(b, 3, lot("D"))
	b.Accept(farm, commission(0, "C", inst("x")))
	stopped(b, 4, []string{id}, inst("x"), lot("D"))
	spreadAll(b)
	stopped(b, 4, []string{id}, inst("x"), lot("B"), lot("C"), lot("D"), lot("P"))
	// A link from a marked lot to something with descendants makes the hold spread again.
	b.Accept(farm, made(5, []string{inst("y")}, []string{lot("E")}))
	b.Accept(farm, commission(0, "C", inst("y")))
	stopped(b, 6, []string{id}, inst("y"), lot("E"))
	if len(spreading(b)) != 1 {
		t.Error("the hold should be spreading again")
	}
	spreadAll(b)
	stopped(b, 6, []string{id}, lot("E"))
	b.Accept(regulator, release(id, 7))
	free(b, 8, lot("A"), lot("B"), lot("C"), lot("D"), lot("E"), lot("P"))
}

// TestOneBatch: a link, a hold and movements in one transaction see each other in their order.
func TestOneBatch(t *testing.T) {
	b := everythingNetwork(t)
	b.Accept(everything, made(0, []string{lot("A")}, []string{lot("B")}))
	b.Accept(everything, made(0, []string{inst("x")}, []string{lot("M")}))
	outcomes := b.Send(everything,
		ship(0, lot("B")),
		hold(lot("A"), contract.ScopeDownstream, 1),
		ship(1, lot("B")),
		ship(1, lot("M")), // made from x, which is not known to be of lot B yet
		commission(0, "B", inst("x")),
		ship(2, lot("M")),
		ship(2, lot("C")),
	)
	want := []contract.Status{contract.Accepted, contract.Accepted, contract.Refused, contract.Accepted, contract.Accepted, contract.Refused, contract.Accepted}
	for i, o := range outcomes {
		status(t, o, want[i])
	}
	outcomes = b.Send(everything, spread(outcomes[1].ID, 100), ship(3, lot("B")), release(outcomes[1].ID, 4), ship(3, lot("B")))
	for i, want := range []contract.Status{contract.Accepted, contract.Refused, contract.Accepted, contract.Accepted} {
		status(t, outcomes[i], want)
	}
}

// TestReleaseWhileSpreading: nothing remains of a hold that was released before it had spread, and another goes on.
func TestReleaseWhileSpreading(t *testing.T) {
	b := network(t)
	for i := range 9 {
		b.Accept(farm, made(0, []string{lot(i)}, []string{lot(i + 1)}))
	}
	first := b.Accept(regulator, hold(lot(0), contract.ScopeDownstream, 1)).ID
	b.Accept(farm, spread(first, 4))
	second := b.Accept(regulator, hold(lot(1), contract.ScopeDownstream, 1)).ID
	b.Accept(farm, spread(second, 2))
	b.Accept(regulator, release(first, 2))
	if got := spreading(b); !slices.Equal(got, []string{second}) {
		t.Errorf("spreading %v", got)
	}
	free(b, 3, lot(0))
	stopped(b, 3, []string{second}, lot(1), lot(5), lot(9))
	spreadAll(b)
	stopped(b, 3, []string{second}, lot(1), lot(5), lot(9))
}

// TestCycles: rework makes a lot an ancestor of itself, directly or not.
func TestCycles(t *testing.T) {
	b := network(t)
	b.Accept(farm, made(0, []string{lot("A")}, []string{lot("A")}))
	b.Accept(farm, made(0, []string{lot("A")}, []string{lot("B")}))
	b.Accept(farm, made(0, []string{lot("B")}, []string{lot("A")}))
	b.Accept(farm, pack(0, sscc(1), sscc(2)))
	b.Accept(farm, pack(0, sscc(2), sscc(1)))
	id := b.Accept(regulator, hold(lot("B"), contract.ScopeDownstream, 1)).ID
	stopped(b, 2, []string{id}, lot("A"), lot("B"))
	free(b, 2, sscc(1), sscc(2))
	spreadAll(b)
	stopped(b, 2, []string{id}, lot("A"), lot("B"))
}

// TestContentsOfInputs: what went into a process inside something is an ancestor, whenever that becomes known; what was
// taken out before is not.
func TestContentsOfInputs(t *testing.T) {
	b := network(t)
	b.Accept(farm, pack(0, sscc(1), lot("A"), lot("B")))
	b.Accept(farm, unpack(10, sscc(1), lot("B")))
	b.Accept(farm, made(40, []string{sscc(1)}, []string{lot("M")}))
	a := b.Accept(regulator, hold(lot("A"), contract.ScopeDownstream, 41)).ID
	other := b.Accept(regulator, hold(lot("B"), contract.ScopeDownstream, 41)).ID
	late := b.Accept(regulator, hold(lot("L"), contract.ScopeDownstream, 41)).ID
	stopped(b, 42, []string{a}, lot("M"))
	spreadAll(b)
	stopped(b, 42, []string{a}, lot("M"))
	b.Accept(farm, ev(event.Aggregation, "", 40, parent(sscc(1)), children(lot("L"), lot("B")))) // seen inside just then
	all := []string{a, other, late}
	slices.Sort(all)
	stopped(b, 42, all, lot("M"))
	early := unpack(5, sscc(1), lot("A")) // it was taken out before
	wantCode(t, b.Refuse(farm, early), contract.Refused, contract.CodeLotHeld)
	b.Accept(farm, unpack(41, sscc(1), lot("A"))) // after the process: that changes nothing
	wantCode(t, b.Refuse(farm, declared(pack(0, sscc(1), lot("A"), lot("B")))), contract.Refused, contract.CodeLotHeld)
	stopped(b, 42, all, lot("M"))
	b.Accept(regulator, declared(pack(0, sscc(1), lot("A"), lot("B"))))
	rest := []string{other, late}
	slices.Sort(rest)
	stopped(b, 42, rest, lot("M"))
	spreadAll(b)
	stopped(b, 42, rest, lot("M"))
}

// TestLateMovement: a movement recorded late moved what was inside at its time.
func TestLateMovement(t *testing.T) {
	b := network(t)
	b.Accept(farm, pack(10, sscc(1), lot("A")))
	b.Accept(farm, unpack(20, sscc(1)))
	id := b.Accept(regulator, hold(lot("A"), contract.ScopeLot, 30)).ID
	for _, hour := range []int{10, 15} {
		if o := b.Refuse(farm, ship(hour, sscc(1))); !slices.Equal(o.Violations, []string{id}) {
			t.Errorf("violations %v", o.Violations)
		}
	}
	free(b, 9, sscc(1))
	free(b, 20, sscc(1))
}

// TestLongLists: links and statements beyond a chunk, and taking them back.
func TestLongLists(t *testing.T) {
	b := network(t)
	var all []string
	for i := range 100 {
		all = append(all, lot(i))
		b.Accept(farm, made(0, []string{lot("A")}, []string{lot(i)}))
		b.Accept(farm, pack(i, sscc(1), inst(i)))
	}
	id := b.Accept(regulator, hold(lot("A"), contract.ScopeDownstream, 1)).ID
	unit := b.Accept(regulator, hold(sscc(1), contract.ScopeLot, 1)).ID
	stopped(b, 101, []string{id}, all...)
	stopped(b, 101, []string{unit}, inst(0), inst(50), inst(99))
	spreadAll(b)
	for _, i := range []int{3, 40, 99} {
		b.Accept(regulator, declared(made(0, []string{lot("A")}, []string{lot(i)})))
		b.Accept(farm, declared(pack(i, sscc(1), inst(i))))
		free(b, 102, lot(i), inst(i))
	}
	stopped(b, 103, []string{id}, lot(2), lot(41), lot(98))
	stopped(b, 103, []string{unit}, inst(2), inst(41), inst(98))
	spreadAll(b)
	stopped(b, 103, []string{id}, lot(2), lot(41), lot(98))
	free(b, 103, lot(3), lot(40), lot(99))
}
