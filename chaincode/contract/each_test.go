package contract_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/contract/contracttest"
)

// TestDecideEach: transactions written as one have the outcomes and leave the state that they have one after the other,
// whichever of them stand together and whichever are all or nothing.
func TestDecideEach(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		together, alone := everythingNetwork(t), everythingNetwork(t)
		records := append(story(), story()...) // the second time, all are duplicates or refused
		for len(records) > 0 {
			var txs []contract.Tx
			for range rapid.IntRange(1, 5).Draw(rt, "transactions") {
				n := min(len(records), rapid.IntRange(1, 4).Draw(rt, "records"))
				if n > 0 {
					txs = append(txs, together.Tx(everything, &contract.Batch{Records: records[:n], Atomic: rapid.Bool().Draw(rt, "atomic")}))
				}
				records = records[n:]
			}
			effects, outcomes, err := contract.DecideEach(once{together.State, map[string]bool{}, t}, txs)
			if err != nil {
				rt.Fatal(err)
			}
			if !slices.IsSortedFunc(effects, func(a, b contract.KV) int { return strings.Compare(a.Key, b.Key) }) {
				rt.Error("the effects are not in the order of their keys")
			}
			for i, tx := range txs {
				alone.Clock = tx.Time.Add(-time.Second) // Tx adds it
				if diff := cmp.Diff(alone.Submit(everything, tx.Batch), outcomes[i]); diff != "" {
					rt.Fatal("outcomes differ (- alone, + together):", diff)
				}
			}
			if err := together.State.Apply(effects); err != nil {
				rt.Fatal(err)
			}
			if diff := cmp.Diff(all(alone.State), all(together.State)); diff != "" {
				rt.Fatal("states differ (- alone, + together):", diff)
			}
		}
	})
}

func all(s *contracttest.MemState) map[string]string {
	values := map[string]string{}
	for _, kv := range s.Dump() {
		values[kv.Key] = string(kv.Value)
	}
	return values
}
