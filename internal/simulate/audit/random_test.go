package audit_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate/audit"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
	"github.com/foodtrace-ledger/foodtrace/internal/trace/tracetest"
)

// Auditor and trace agree on who holds what, whatever steps tell of departures and arrivals, with and without amounts,
// loose and on pallets.
func TestTellersAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lines []string
		for day := range rapid.IntRange(2, 14).Draw(t, "events") {
			lines = append(lines, fmt.Sprint(day, " ", movement(t)))
		}
		a := audit.New()
		events := tracetest.Parse(t, strings.Join(lines, "\n"))
		for i, e := range events {
			a.Add(contract.Record{Event: e}, contract.Outcome{ID: fmt.Sprint(i), Status: contract.Accepted})
		}
		g := tracetest.New(events...)
		for _, item := range a.Items() {
			s, err := trace.Scope(t.Context(), g, g, item, trace.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if diffs := a.CheckScope(s); len(diffs) > 0 {
				t.Fatalf("%s of\n%s\n%s", tracetest.Name(item), strings.Join(lines, "\n"), strings.Join(diffs, "\n"))
			}
		}
	})
}

// movement is an event in the notation of tracetest.
func movement(t *rapid.T) string {
	of := func(words ...string) string { return rapid.SampledFrom(words).Draw(t, "word") }
	lot := "A" + of("", ":5KGM", ":2.5KGM", ":1XBX")
	site, pallet := of("x", "y"), of("P1", "P2")
	what := of(lot, lot, pallet, "P1 P2")
	switch of("new", "pack", "unpack", "depart", "depart", "arrive") {
	case "new":
		return "new A:7KGM @" + site
	case "pack":
		return "pack " + lot + " in " + pallet + " @" + site
	case "unpack":
		return "unpack in " + pallet + " ^" + site
	case "depart":
		return "obs " + what + " ^" + site + " >" + of("x", "y") + " !" + of("loading", "shipping", "departing")
	}
	return "obs " + what + " @" + site + " !" + of("arriving", "unloading", "receiving")
}
