package audit

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// CheckOutcome compares what the contract said of an event with the rules. Call it before Add, in ledger order. It
// returns the differences, one sentence each.
func (a *Auditor) CheckOutcome(r contract.Record, out contract.Outcome) []string {
	if r.Event == nil {
		return nil
	}
	if a.known[out.ID] && r.Event.ErrorDeclaration == nil {
		if out.Status == contract.Accepted {
			return []string{fmt.Sprintf("event %s was accepted twice", out.ID)}
		}
		return nil
	}
	want := a.Violated(r.Event)
	switch {
	case out.Status == contract.Duplicate && r.Event.ErrorDeclaration == nil:
		return []string{fmt.Sprintf("event %s is called a duplicate and is new", out.ID)}
	case len(want) > 0 && out.Status == contract.Accepted:
		return []string{fmt.Sprintf("event %s was accepted and breaks the holds %v", out.ID, want)}
	case !slices.Equal(want, out.Violations) && (len(out.Violations) > 0 || out.Status == contract.Accepted):
		return []string{fmt.Sprintf("event %s: violations %v, by the rules %v", out.ID, out.Violations, want)}
	}
	return nil
}

// CheckTrace compares an answer, whose Events have the given IDs, with the rules.
func (a *Auditor) CheckTrace(got *trace.Result, events []string) (diffs []string) {
	want := a.Trace(got.Query.Item, got.Query.Direction)
	say := func(format string, args ...any) { diffs = append(diffs, fmt.Sprintf(format, args...)) }
	if got.Truncated {
		say("cut short, %d not followed", got.NotFollowed)
	}
	keys := map[trace.ItemID]string{}
	seen := map[string]bool{}
	for _, n := range got.Nodes {
		keys[n.ID] = n.Key
		if seen[n.Key] {
			say("item %s is there twice", n.Key)
		}
		seen[n.Key] = true
		w, ok := want.Items[n.Key]
		switch {
		case !ok:
			say("item %s does not belong there", n.Key)
		case w.Carrier != n.Carrier:
			say("item %s: carrier %v, by the rules %v", n.Key, n.Carrier, w.Carrier)
		case abs(w.Depth) != abs(n.Depth):
			say("item %s: depth %d, by the rules %d", n.Key, n.Depth, w.Depth)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want.Items)) {
		if !seen[key] {
			say("item %s is missing", key)
		}
	}
	diffs = append(diffs, compareSets("event", events, want.Events)...)
	for _, l := range got.Links {
		if fault := a.checkLink(l.Kind, keys[l.From], keys[l.To]); fault != "" {
			say("link %s from %q to %q: %s", l.Kind, keys[l.From], keys[l.To], fault)
		}
	}
	return append(diffs, connected(got)...)
}

func compareSets(what string, got []string, want map[string]bool) (diffs []string) {
	have := map[string]bool{}
	for _, g := range got {
		if have[g] {
			diffs = append(diffs, fmt.Sprintf("%s %s is there twice", what, g))
		}
		if have[g] = true; !want[g] {
			diffs = append(diffs, fmt.Sprintf("%s %s does not belong there", what, g))
		}
	}
	for _, w := range slices.Sorted(maps.Keys(want)) {
		if !have[w] {
			diffs = append(diffs, fmt.Sprintf("%s %s is missing", what, w))
		}
	}
	return diffs
}

// checkLink says what is wrong with a link, or "".
func (a *Auditor) checkLink(k trace.LinkKind, from, to string) string {
	var there bool
	switch k {
	case trace.Made:
		for _, p := range a.processesOf(from, input, func(int64) bool { return true }) {
			outputs, _, _ := a.side(p, output)
			there = there || slices.Contains(outputs, to)
		}
	case trace.Inside: // the child leads to the parent and, for contents, it is the same statement
		there = slices.Contains(a.carriers(from), to)
	case trace.Member:
		there = slices.Contains(a.lotsOf(to), from)
	}
	if !there {
		return "no event says so"
	}
	return ""
}

// connected checks that links lead from the item asked about to every node.
func connected(r *trace.Result) (diffs []string) {
	if len(r.Nodes) == 0 {
		return []string{"the item asked about is missing"}
	}
	reached := map[trace.ItemID]bool{r.Nodes[0].ID: true}
	for grew := true; grew; {
		grew = false
		for _, l := range r.Links {
			if reached[l.From] != reached[l.To] {
				reached[l.From], reached[l.To], grew = true, true, true
			}
		}
	}
	for _, n := range r.Nodes {
		if !reached[n.ID] {
			diffs = append(diffs, fmt.Sprintf("no link leads to item %s", n.Key))
		}
	}
	return diffs
}

// CheckScope compares who holds what came of an item, and what of it left the chain, with the rules.
func (a *Auditor) CheckScope(got *trace.ScopeResult) (diffs []string) {
	items := a.Trace(got.Item, trace.Forward).Items
	maps.DeleteFunc(items, func(_ string, f Found) bool { return f.Carrier })
	if got.Items != len(items) || got.Truncated {
		diffs = append(diffs, fmt.Sprintf("%d items (truncated: %v), by the rules %d", got.Items, got.Truncated, len(items)))
	}
	b := a.Books()
	holdings, outflows := map[string]bool{}, map[string]bool{}
	for key := range items {
		for _, h := range b.Holdings(key) {
			holdings[describe(h)] = true
		}
		for _, o := range b.Outflows(key) {
			outflows[fmt.Sprint(o)] = true
		}
	}
	var haveHoldings, haveOutflows []string
	for _, h := range got.Holdings {
		haveHoldings = append(haveHoldings, describe(h))
	}
	for _, o := range got.Outflows {
		haveOutflows = append(haveOutflows, fmt.Sprint(o))
	}
	diffs = append(diffs, compareSets("holding", haveHoldings, holdings)...)
	return append(diffs, compareSets("outflow", haveOutflows, outflows)...)
}

func describe(h trace.Holding) string {
	quantity := h.Quantity
	if quantity == "" {
		quantity = "some"
	}
	return fmt.Sprintf("%s: %s %s %s %s since %s", h.Item, quantity, h.UOM, h.State, h.Site, time.UnixMicro(h.Since).UTC().Format(time.RFC3339Nano))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
