package e2e_test

import (
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/embedded"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate/audit"
)

// network is a ledger on which the cast of the simulated worlds is registered.
type network struct {
	ledger *embedded.Ledger
	ids    *identity.Store
	log    *slog.Logger
}

// regulator writes the registration and the acts.
const regulator = "shandong-amr"

func newNetwork(t *testing.T, r contract.Registration) *network {
	t.Helper()
	dir := t.TempDir()
	l, err := embedded.Open(embedded.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	n := &network{ledger: l, ids: identity.Open(dir, nil), log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for _, out := range n.submit(t, regulator, contract.Record{Registration: &r}).Outcomes {
		if out.Status != contract.Accepted {
			t.Fatalf("the registration was %s: %v", out.Status, out.Findings)
		}
	}
	return n
}

func (n *network) signer(t *testing.T, msp string) ledger.Signer {
	t.Helper()
	by, err := n.ids.Ensure(msp, "system")
	if err != nil {
		t.Fatal(err)
	}
	return by
}

func (n *network) submit(t *testing.T, msp string, records ...contract.Record) ledger.Receipt {
	t.Helper()
	receipt, err := n.ledger.Submit(t.Context(), n.signer(t, msp), &contract.Batch{Records: records})
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// blocks are all blocks so far.
func (n *network) blocks(t *testing.T) iter.Seq[*ledger.Block] {
	t.Helper()
	height, err := n.ledger.Height(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(*ledger.Block) bool) {
		for b, err := range n.ledger.Blocks(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			if !yield(b) || b.Height+1 == height {
				return
			}
		}
	}
}

// project puts all blocks so far into an index, some at a time.
func (n *network) project(t *testing.T) *sqlite.Index {
	t.Helper()
	ix := openIndex(t)
	var some []*ledger.Block
	apply := func() {
		if err := ix.Apply(t.Context(), some); err != nil {
			t.Fatal(err)
		}
		some = nil
	}
	for b := range n.blocks(t) {
		if some = append(some, b); len(some) == 100 {
			apply()
		}
	}
	apply()
	return ix
}

// mostInBatch is how many records a member sends at once at most.
const mostInBatch = 12

// tell submits a world, a few records of one member at a time, and holds and releases by themselves.
func (n *network) tell(t *testing.T, w *simulate.World, rng *rand.Rand) {
	t.Helper()
	holds := map[string]string{} // reference → ID
	var batch []contract.Record
	by := ""
	flush := func() {
		if len(batch) > 0 {
			n.submit(t, by, batch...)
		}
		batch = nil
	}
	for s := range shuffled(w, rng) {
		if s.By != by || len(batch) >= 1+rng.IntN(mostInBatch) {
			flush()
		}
		by = s.By
		if r := s.Record.Release; r != nil {
			s.Record.Release = &contract.Release{Hold: holds[s.Ends], Reason: r.Reason, Time: r.Time}
		}
		if s.Record.Hold == nil {
			batch = append(batch, s.Record)
			continue
		}
		flush()
		holds[s.Record.Hold.Reference] = n.submit(t, by, s.Record).Outcomes[0].ID
	}
	flush()
}

// window is how far records get out of order on their way: of a burst of this many any may come first.
const window = 5

// shuffled tells a world in bursts whose order is lost. Holds and releases keep their place.
func shuffled(w *simulate.World, rng *rand.Rand) iter.Seq[simulate.Submission] {
	return func(yield func(simulate.Submission) bool) {
		var burst []simulate.Submission
		flush := func() bool {
			rng.Shuffle(len(burst), func(i, j int) { burst[i], burst[j] = burst[j], burst[i] })
			for _, s := range burst {
				if !yield(s) {
					return false
				}
			}
			burst = burst[:0]
			return true
		}
		for s := range w.Records() {
			act := s.Record.Event == nil
			if (act || len(burst) == window) && !flush() {
				return
			}
			if burst = append(burst, s); act && !flush() {
				return
			}
		}
		flush()
	}
}

// A world with everything that goes wrong, through the contract, the ledger and the index: each decision on each record,
// each trace, each scope, and who is held, are audited.
func TestWorldThroughTheLedger(t *testing.T) {
	for seed := range seeds(2) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			opt := simulate.Messy()
			opt.Lots, opt.Contradict, opt.Hold = 30, 0.04, 0.4
			w := simulate.New(seed, opt)
			n := newNetwork(t, w.Registration())
			n.tell(t, w, rand.New(rand.NewPCG(seed, 1)))
			a, refused := auditDecisions(t, n.blocks(t))
			ix := n.project(t)
			auditViolations(t, ix, refused)
			n.auditHolds(t, a)
			auditAnswers(t, a, ix)
		})
	}
}

// auditDecisions checks every outcome in ledger order, and returns the refused movements with the holds they broke.
func auditDecisions(t *testing.T, blocks iter.Seq[*ledger.Block]) (*audit.Auditor, map[string][]string) {
	t.Helper()
	a := audit.New()
	broken := map[string][]string{}
	count := map[string]int{}
	for b := range blocks {
		for _, tx := range b.Txs {
			for i, r := range tx.Batch.Records {
				out := tx.Outcomes[i]
				count[string(out.Status)]++
				report(t, fmt.Sprintf("block %d, record %d of %s", b.Height, i, tx.ID), a.CheckOutcome(r, out))
				a.Add(r, out)
				if len(out.Violations) > 0 {
					broken[out.ID] = append(broken[out.ID], out.Violations...)
				} else if out.Status == contract.Refused {
					t.Errorf("block %d: refused for another reason: %v", b.Height, out.Findings)
				}
			}
		}
	}
	t.Log(count, len(broken), "violations")
	if len(broken) == 0 || count[string(contract.Duplicate)] == 0 {
		t.Error("the world shows no violation or no duplicate")
	}
	return a, broken
}

// auditViolations checks that every refused movement is kept.
func auditViolations(t *testing.T, ix *sqlite.Index, refused map[string][]string) {
	t.Helper()
	kept := map[string][]string{}
	for page := (index.Page{Limit: index.MaxPageSize}); ; {
		list, next, err := ix.Violations(t.Context(), index.ActFilter{}, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			kept[v.ID] = append(kept[v.ID], v.Holds...)
		}
		if page.After = next; next == "" {
			break
		}
	}
	for _, id := range slices.Sorted(maps.Keys(refused)) {
		if !slices.Equal(sortedSet(kept[id]), sortedSet(refused[id])) {
			t.Errorf("violation %s: kept with holds %v, decided with %v", id, kept[id], refused[id])
		}
	}
	if len(kept) != len(refused) {
		t.Errorf("%d violations are kept, %d were decided", len(kept), len(refused))
	}
}

func sortedSet(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// auditHolds asks the contract's state of every item which holds stop it.
func (n *network) auditHolds(t *testing.T, a *audit.Auditor) {
	t.Helper()
	err := n.ledger.View(t.Context(), func(state contract.State) error {
		for _, item := range a.Items() {
			got, err := contract.HoldsOn(state, item)
			if err != nil {
				return err
			}
			if want := a.HeldBy(item, simulate.End.UnixMicro()); !slices.Equal(got, want) {
				t.Errorf("%s is held by %v, by the rules %v", item, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
