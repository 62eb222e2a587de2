package contract_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/contract/contracttest"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

func summaries(on bool) contract.Record {
	return contract.Record{Registration: &contract.Registration{Policy: &contract.Policy{Summaries: on}}}
}

// reuse is the n-th use of a crate: something is put in, moved and taken out.
func reuse(n int) []contract.Record {
	return []contract.Record{pack(3*n, sscc(1), inst(n)), ship(3*n+1, sscc(1)), unpack(3*n+2, sscc(1), inst(n))}
}

// crateUsed is a ledger on which a crate has been used so often while a hold is in force, and what the next use reads of the state.
func crateUsed(tb testing.TB, uses int, summed bool) (b *contracttest.Bench, reads int) {
	b = network(tb)
	b.Accept(regulator, summaries(summed))
	b.Accept(farm, pack(0, sscc(2), lot("early")))
	b.Accept(regulator, hold(lot("early"), contract.ScopeDownstream, 0))
	for n := range uses {
		for _, r := range reuse(n) {
			b.Accept(farm, r)
		}
	}
	before := b.State.Gets
	for _, r := range reuse(uses) {
		b.Accept(farm, r)
	}
	return b, b.State.Gets - before
}

// TestReusedContainer: while a hold is in force, the four thousandth use of a crate reads no more than the hundredth. Without summaries
// it reads everything that was ever said about it.
func TestReusedContainer(t *testing.T) {
	_, few := crateUsed(t, 100, true)
	for _, uses := range []int{2000, 4000} {
		b, many := crateUsed(t, uses, true)
		if many > few+6 { // how far the chunk is, and where the last summary
			t.Errorf("use %d reads %d keys, use 100 %d", uses, many, few)
		}
		b.Accept(farm, pack(3*uses+5, sscc(1), inst(0))) // it still works both ways
		b.Accept(regulator, hold(inst(0), contract.ScopeLot, 0))
		b.Refuse(farm, ship(3*uses+6, sscc(1)))
	}
	if _, all := crateUsed(t, 400, false); all < 2*400/32+few {
		t.Errorf("without summaries use 400 reads %d keys: this test shows nothing", all)
	}
}

// TestToldAfterSummary: what is told after a summary but happened before its end counts where it happened.
func TestToldAfterSummary(t *testing.T) {
	b := network(t)
	b.Accept(regulator, summaries(true))
	for n := range 16 {
		b.Accept(farm, pack(2*n, sscc(1), inst(n)))
		if n == 12 {
			b.Accept(farm, unpack(25, sscc(1))) // everything
		} else {
			b.Accept(farm, unpack(2*n+1, sscc(1), inst(n)))
		}
	}
	b.Accept(farm, pack(40, sscc(1), inst(40)))
	if sums := summed(all(b.State)); sums != 1 {
		t.Fatalf("%d summaries", sums)
	}
	b.Accept(farm, pack(20, sscc(1), inst(50)))
	b.Accept(regulator, hold(inst(50), contract.ScopeLot, 0))
	b.Accept(farm, ship(62, sscc(1)))
	b.Refuse(farm, ship(22, sscc(1)))
}

// summed takes the summaries out of a state and says how many there were.
func summed(state map[string]string) (n int) {
	for key := range state {
		if strings.HasSuffix(key, "\x1fs") {
			delete(state, key)
			n++
		}
	}
	return n
}

// TestSummariesChangeNothing: with summaries, everything is decided as without and the rest of the state is the same, whatever is put in
// and taken out in whatever order, told late, taken back, or used as input.
func TestSummariesChangeNothing(t *testing.T) {
	for seed := range uint64(4) {
		with, without := network(t), network(t)
		both := func(msp string, rec contract.Record) contract.Outcome {
			got := with.Send(msp, rec)
			if diff := cmp.Diff(without.Send(msp, rec), got); diff != "" {
				t.Fatalf("seed %d, %s (- without, + with): %s", seed, with.Clock, diff)
			}
			return got[0]
		}
		with.Accept(regulator, summaries(true))
		without.Accept(regulator, summaries(false))
		both(regulator, hold(lot("elsewhere"), contract.ScopeDownstream, 0))
		r := rand.New(rand.NewPCG(seed, 1))
		held, refused := "", 0
		for step, rec := range crateStory(r, 300) {
			switch step % 40 {
			case 20:
				held = both(regulator, hold(inst(1+step%3), contract.ScopeDownstream, step)).ID
			case 30:
				both(regulator, release(held, step))
			}
			if o := both(farm, rec); o.Status == contract.Refused {
				refused++
			}
			for _, item := range []string{sscc(1 + step%2), inst(1 + step%3)} {
				if diff := cmp.Diff(holdsOn(without, item), holdsOn(with, item)); diff != "" {
					t.Fatalf("seed %d, step %d: HoldsOn(%s) (- without, + with): %s", seed, step, item, diff)
				}
			}
		}
		if refused == 0 {
			t.Errorf("seed %d: nothing was stopped", seed)
		}
		compareStates(t, without, with)
	}
}

// compareStates fails unless a state differs from another by its policy and its summaries alone, of which it has some.
func compareStates(t *testing.T, without, with *contracttest.Bench) {
	t.Helper()
	want, got := all(without.State), all(with.State)
	delete(want, "policy")
	delete(got, "policy")
	if summed(got) == 0 {
		t.Error("there is no summary")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("states differ (- without, + with): %s", diff)
	}
}

// crateStory is what happens to two crates, one of which is often inside the other: mostly in order, sometimes told late, sometimes
// taken back.
func crateStory(r *rand.Rand, steps int) (story []contract.Record) {
	var told []func() contract.Record
	for hour := range steps {
		late := hour
		if r.IntN(6) == 0 {
			late = max(0, hour-r.IntN(1+r.IntN(60)))
		}
		what := crateEvent(r, hour, late)
		told = append(told, what)
		if again := told[r.IntN(len(told))]; r.IntN(25) == 0 {
			story = append(story, declared(again()))
		} else {
			story = append(story, what())
		}
	}
	return story
}

func crateEvent(r *rand.Rand, n, hour int) func() contract.Record {
	things := []string{inst(1), inst(2), inst(3), lot("A"), lot("B"), lot("C")}
	some := things[:0:0]
	for _, i := range r.Perm(len(things))[:1+r.IntN(3)] {
		some = append(some, things[i])
	}
	crate := sscc(1 + r.IntN(5)/4)
	switch r.IntN(14) {
	case 0, 1, 2:
		return func() contract.Record { return unpack(hour, crate, some...) }
	case 3, 4:
		return func() contract.Record { return unpack(hour, crate) } // everything
	case 5:
		return func() contract.Record { return ev(event.Aggregation, "", hour, parent(crate), children(some...)) }
	case 6, 7:
		return func() contract.Record { return ship(hour, crate) }
	case 8:
		return func() contract.Record { return made(hour, []string{crate}, []string{lot(fmt.Sprint("made", n))}) }
	case 9:
		return func() contract.Record { return pack(hour, sscc(2), sscc(1)) }
	}
	return func() contract.Record { return pack(hour, crate, some...) }
}

// BenchmarkReusedContainer is the cost of one more use of a crate while a hold is in force.
func BenchmarkReusedContainer(b *testing.B) {
	for _, summed := range []bool{false, true} {
		for _, uses := range []int{100, 1000, 2000} {
			b.Run(fmt.Sprintf("summaries=%v/uses=%d", summed, uses), func(b *testing.B) {
				bench, reads := crateUsed(b, uses, summed)
				tx := bench.Tx(farm, &contract.Batch{Records: reuse(uses + 1)})
				for b.Loop() {
					if _, _, err := contract.Decide(bench.State, tx); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(reads), "reads/use")
			})
		}
	}
}
