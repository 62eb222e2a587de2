package contract_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/contract/contracttest"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// story is records that touch every part of the contract, in an order that makes sense.
func story() []contract.Record {
	return []contract.Record{
		commission(0, "A", inst(1), inst(2)),
		made(1, []string{lot("A")}, []string{lot("B"), lot("C")}),
		pack(2, sscc(1), lot("B"), inst(1)),
		pack(2, sscc(2), sscc(1)),
		weigh("commissioning", 2, event.Add, 100),
		inspection(lot("B")),
		ship(3, sscc(2)),
		hold(lot("A"), contract.ScopeDownstream, 4),
		hold(lot("C"), contract.ScopeLot, 4),
		ship(5, lot("B")),
		made(5, nil, []string{lot("D")}, process("urn:test:run")),
		declared(made(1, []string{lot("A")}, []string{lot("B"), lot("C")})),
		unpack(6, sscc(1)),
		ev(event.Object, "retail_selling", 7, action(event.Delete), objects(lot("E")), eventID("urn:uuid:7")),
	}
}

// TestSameResult: the same state, however it is kept, and the same transaction give the same bytes, and Decide reads and
// writes no key twice.
func TestSameResult(t *testing.T) {
	b := everythingNetwork(t)
	for range 3 {
		tx := b.Tx(everything, &contract.Batch{Records: story()})
		effects, outcomes, err := contract.Decide(once{b.State, map[string]bool{}, t}, tx)
		if err != nil {
			t.Fatal(err)
		}
		effects2, outcomes2, err := contract.Decide(b.State.Clone(), contract.Tx{ID: tx.ID, Actor: tx.Actor, Time: tx.Time, Batch: &contract.Batch{Records: story()}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(effects, effects2); diff != "" {
			t.Error("effects differ:", diff)
		}
		if diff := cmp.Diff(outcomes, outcomes2); diff != "" {
			t.Error("outcomes differ:", diff)
		}
		if err := b.State.Apply(effects); err != nil {
			t.Fatal(err)
		}
	}
}

// once is a state that may be asked for each key once.
type once struct {
	contract.State
	asked map[string]bool
	t     *testing.T
}

func (o once) Get(key string) ([]byte, error) {
	if o.asked[key] {
		o.t.Errorf("%q is read twice", key)
	}
	o.asked[key] = true
	return o.State.Get(key)
}

// TestOrderOfIndependentRecords: records about different items leave the same state in any order.
func TestOrderOfIndependentRecords(t *testing.T) {
	records := []contract.Record{
		ship(0, lot("A")), commission(1, "B", inst(2)), pack(2, sscc(3), inst(4)), made(3, []string{lot("E")}, []string{lot("F")}),
		ev(event.Object, "", 4, objects(lot("G")), eventID("urn:uuid:4")), ship(5, lot("H")), ship(5, lot("I")),
	}
	var want []contract.KV
	rapid.Check(t, func(rt *rapid.T) {
		b := network(t)
		clock := b.Clock
		for _, r := range rapid.Permutation(records).Draw(rt, "order") {
			b.Clock = clock // the time of a statement is part of the state
			b.Accept(farm, r)
		}
		if got := b.State.Dump(); want == nil {
			want = got
		} else if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// TestKeysPerItem: the keys of a batch grow with its items, not with its events.
func TestKeysPerItem(t *testing.T) {
	b := network(t)
	count := func(events int) int {
		var batch []contract.Record
		for i := range events {
			r := ship(0, lot(i%10))
			r.Event.BizTransactions = []event.BizTransaction{{BizTransaction: lot(i)}}
			batch = append(batch, r)
		}
		before := b.State.Gets
		effects, _, err := contract.Decide(b.State, b.Tx(farm, &contract.Batch{Records: batch}))
		if err != nil {
			t.Fatal(err)
		}
		return b.State.Gets - before + len(effects)
	}
	if few, many := count(10), count(1000); few != many {
		t.Errorf("10 events on 10 lots touch %d keys, 1000 events %d", few, many)
	}
}

// TestStateFails: a read that fails, whichever it is, fails the decision and nothing else; a damaged value too.
func TestStateFails(t *testing.T) {
	b := everythingNetwork(t)
	b.Send(everything, story()...)
	tx := b.Tx(everything, &contract.Batch{Records: append(story(), spread("hold-x", 1), made(9, []string{sscc(2)}, []string{lot("Z")}), members())})
	broken := errors.New("disk on fire")
	failed := 0
	for n := 1; ; n++ {
		s := b.State.Clone()
		s.Fail = func(read int) error {
			if read == n {
				return broken
			}
			return nil
		}
		effects, outcomes, err := contract.Decide(s, tx)
		if err == nil {
			break
		}
		failed++
		if !errors.Is(err, broken) || effects != nil || outcomes != nil {
			t.Fatalf("read %d: %v, %v, %v", n, effects, outcomes, err)
		}
	}
	if failed < 20 {
		t.Errorf("only %d reads", failed)
	}
	for _, kv := range b.State.Dump() {
		s := b.State.Clone()
		if err := s.Apply(contract.Effects{{Key: kv.Key, Value: []byte{99}}}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := contract.Decide(s, tx); err != nil && !bytes.Contains([]byte(err.Error()), []byte("value of")) {
			t.Errorf("%q damaged: %v", kv.Key, err)
		}
	}
}

func TestHoldsOnFails(t *testing.T) {
	s := contracttest.NewState()
	s.Fail = func(int) error { return errors.New("no") }
	if _, err := contract.HoldsOn(s, lot("A")); err == nil {
		t.Error("HoldsOn without a state")
	}
	if _, _, err := contract.MemberOn(s, farm); err == nil {
		t.Error("MemberOn without a state")
	}
	if _, err := contract.HoldSpreading(s); err == nil {
		t.Error("HoldSpreading without a state")
	}
}

func TestEffectsInOrder(t *testing.T) {
	b := everythingNetwork(t)
	effects, _, err := contract.Decide(b.State, b.Tx(everything, &contract.Batch{Records: story()}))
	if err != nil || !slices.IsSortedFunc(effects, func(a, b contract.KV) int { return bytes.Compare([]byte(a.Key), []byte(b.Key)) }) {
		t.Errorf("%v", err)
	}
}
