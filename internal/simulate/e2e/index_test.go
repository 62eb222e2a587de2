// Package e2e_test puts simulated worlds through the real parts and has every answer audited.
package e2e_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate/audit"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// The index and the trace alone: every event of a contradictory world is taken as accepted, so nothing that the contract
// would have refused is spared them.
func TestWorldInTheIndex(t *testing.T) {
	opt := simulate.Messy()
	opt.Lots, opt.Contradict = 30, 0.06
	for seed := range seeds(2) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			w := simulate.New(seed, opt)
			a := audit.New()
			ix := openIndex(t)
			block := &ledger.Block{Time: event.Time{Time: simulate.DefaultStart}}
			seen := map[string]bool{}
			for s := range w.Records() {
				e := s.Record.Event
				if e == nil {
					continue
				}
				out := contract.Outcome{ID: e.Hash(), Status: contract.Accepted, Voids: e.ErrorDeclaration != nil}
				if seen[out.ID] && !out.Voids {
					out.Status = contract.Duplicate
				}
				seen[out.ID] = true
				a.Add(s.Record, out)
				block.Txs = append(block.Txs, ledger.Tx{
					ID: fmt.Sprintf("%064x", len(block.Txs)+1), Actor: contract.Actor{MSP: s.By},
					Batch: &contract.Batch{Records: []contract.Record{s.Record}}, Outcomes: []contract.Outcome{out},
				})
			}
			if err := ix.Apply(t.Context(), []*ledger.Block{block}); err != nil {
				t.Fatal(err)
			}
			auditAnswers(t, a, ix)
		})
	}
}

func openIndex(t *testing.T) *sqlite.Index {
	t.Helper()
	ix, err := sqlite.Open(filepath.Join(t.TempDir(), "index.db"), sqlite.Options{CacheMB: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ix.Close(); err != nil {
			t.Error(err)
		}
	})
	return ix
}

// reader is what answers need.
type reader interface {
	index.Reader
	trace.Graph
	trace.EventReader
}

// auditAnswers asks everything about every item and compares it with the rules.
func auditAnswers(t *testing.T, a *audit.Auditor, ix reader) {
	t.Helper()
	for _, item := range a.Items() {
		for _, d := range []trace.Direction{trace.Back, trace.Forward, trace.Both} {
			got, err := trace.Run(t.Context(), ix, trace.Query{Item: item, Direction: d})
			if err != nil {
				t.Fatalf("trace %s of %s: %v", d, item, err)
			}
			report(t, fmt.Sprintf("trace %s of %s", d, item), a.CheckTrace(got, hashes(t, ix, got.Events)))
		}
		got, err := trace.Scope(t.Context(), ix, ix, item, trace.Limits{})
		if err != nil {
			t.Fatalf("scope of %s: %v", item, err)
		}
		report(t, "scope of "+item, a.CheckScope(got))
	}
}

// mostDiffs is how many differences of one answer are printed.
const mostDiffs = 10

func report(t *testing.T, what string, diffs []string) {
	t.Helper()
	for i, d := range diffs {
		if i == mostDiffs {
			t.Errorf("%s: and %d more", what, len(diffs)-i)
			return
		}
		t.Errorf("%s: %s", what, d)
	}
}

func hashes(t *testing.T, ix index.Reader, ids []trace.EventID) []string {
	t.Helper()
	events, err := ix.Events(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range events {
		all = append(all, e.ID)
	}
	return all
}
