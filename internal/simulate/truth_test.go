package simulate_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate/audit"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// believe tells an auditor all events of a world as if a ledger without holds had accepted them.
func believe(w *simulate.World) *audit.Auditor {
	a := audit.New()
	for s := range w.Records() {
		if e := s.Record.Event; e != nil {
			a.Add(s.Record, contract.Outcome{ID: e.Hash(), Status: contract.Accepted})
		}
	}
	return a
}

func forSeeds(t *testing.T, opt simulate.Options, check func(*testing.T, *simulate.Truth, *audit.Auditor)) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			w := simulate.New(seed, opt)
			check(t, w.Truth(), believe(w))
		})
	}
}

// What the generator did and what the rules make of its events are two derivations of the same thing. Late, repeated and
// mistaken records do not change it.
func TestTruthIsWhatTheRulesSay(t *testing.T) {
	opt := simulate.Messy()
	opt.Contradict, opt.Lots = 0, 120
	forSeeds(t, opt, func(t *testing.T, truth *simulate.Truth, a *audit.Auditor) {
		books := a.Books()
		for _, lot := range truth.Things() {
			items, carriers := truth.Back(lot)
			compare(t, a, lot, trace.Back, items, carriers)
			items, carriers = truth.Forward(lot)
			compare(t, a, lot, trace.Forward, items, carriers)
			holdings(t, truth, books, lot)
		}
	})
}

func compare(t *testing.T, a *audit.Auditor, lot string, d trace.Direction, items, carriers []string) {
	t.Helper()
	gotItems, gotCarriers := a.Trace(lot, d).Keys(lot)
	if !slices.Equal(gotItems, items) {
		t.Errorf("%s of %s:\nby the rules %v\nin truth     %v", d, lot, gotItems, items)
	}
	if !slices.Equal(gotCarriers, carriers) {
		t.Errorf("carriers, %s of %s:\nby the rules %v\nin truth     %v", d, lot, gotCarriers, carriers)
	}
}

func holdings(t *testing.T, truth *simulate.Truth, books *audit.Books, item string) {
	t.Helper()
	var got, want []string
	for _, h := range books.Holdings(item) {
		got = append(got, fmt.Sprint(h.Quantity, h.UOM, h.State, h.Site))
	}
	for _, h := range truth.Holdings(item) {
		q, _ := event.NewDecimal(h.Milli, 3)
		state := "held"
		if h.Transit {
			state = "in_transit"
		}
		want = append(want, fmt.Sprint(q, h.Unit, state, h.Site))
	}
	if !slices.Equal(got, want) {
		t.Errorf("who holds %s:\nby the rules %v\nin truth     %v", item, got, want)
	}
	left := map[trace.Fate]string{}
	for _, o := range books.Outflows(item) {
		left[o.Fate] += o.Quantity + o.UOM
	}
	for _, fate := range []trace.Fate{trace.Sold, trace.Consumed, trace.Destroyed} {
		want := ""
		if milli, unit := truth.Gone(item, string(fate)); milli > 0 {
			q, _ := event.NewDecimal(milli, 3)
			want = q.String() + unit
		}
		if left[fate] != want {
			t.Errorf("%s of %s: by the rules %q, in truth %q", fate, item, left[fate], want)
		}
	}
}

// However contradictory the records are, a trace never misses what really was there.
func TestTraceMissesNothing(t *testing.T) {
	opt := simulate.Messy()
	opt.Contradict, opt.Lots = 0.1, 80
	forSeeds(t, opt, func(t *testing.T, truth *simulate.Truth, a *audit.Auditor) {
		for _, lot := range truth.Things() {
			items, _ := truth.Back(lot)
			missing(t, a.Trace(lot, trace.Back), lot, items)
			items, _ = truth.Forward(lot)
			missing(t, a.Trace(lot, trace.Forward), lot, items)
		}
	})
}

func missing(t *testing.T, got audit.Trace, lot string, items []string) {
	t.Helper()
	for _, item := range items {
		if found, ok := got.Items[item]; !ok || found.Carrier {
			t.Errorf("the trace of %s misses %s", lot, item)
		}
	}
}

// A downstream hold stops everything that was really made of a lot; where nothing is reworked, that and nothing else.
func TestHeldIsWhatCameOfIt(t *testing.T) {
	for _, c := range []struct {
		opt   simulate.Options
		exact bool
	}{
		{simulate.Options{Pork: 1, Shrimp: 1, Lots: 40}, true},
		{simulate.Options{Spinach: 1, Rework: 0.5, Lots: 30}, false},
	} {
		forSeeds(t, c.opt, func(t *testing.T, truth *simulate.Truth, a *audit.Auditor) {
			for _, lot := range truth.Lots {
				items, _ := truth.Forward(lot)
				for _, thing := range truth.Things() {
					really := thing == lot || slices.Contains(items, thing)
					if held := heldBecauseOf(a, lot, thing); held != really && (c.exact || really) {
						t.Errorf("a hold on %s holds %s: %v, made of it: %v", lot, thing, held, really)
					}
				}
			}
		})
	}
}

// heldBecauseOf says whether a downstream hold on a lot would hold a thing at the end.
func heldBecauseOf(a *audit.Auditor, lot, thing string) bool {
	a.Add(contract.Record{Hold: &contract.Hold{Item: lot, Scope: contract.ScopeDownstream}}, contract.Outcome{ID: "hold", Status: contract.Accepted})
	defer a.Add(contract.Record{Release: &contract.Release{Hold: "hold"}}, contract.Outcome{ID: "release", Status: contract.Accepted})
	return len(a.HeldBy(thing, simulate.End.UnixMicro())) > 0
}
