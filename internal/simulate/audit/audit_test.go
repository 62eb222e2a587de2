package audit

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// tell makes an auditor believe a story, one event a line: "day site step what…". What is
// in:a,b out:c | put:a,b into:P | take:a from:P (take:* for all) | new:a | is:a to:SITE. A name may have an amount: a*5.
// A step "void" declares the event of the line before an error.
func tell(t *testing.T, story string) *Auditor {
	t.Helper()
	a := New()
	var last *event.Event
	for i, line := range strings.Split(strings.TrimSpace(story), "\n") {
		words := strings.Fields(line)
		if words[0] == "void" {
			voided := read1(t, words[1:], last)
			a.Add(contract.Record{Event: voided}, contract.Outcome{ID: fmt.Sprint(i - 1), Status: contract.Accepted, Voids: true})
			continue
		}
		last = read1(t, words, nil)
		a.Add(contract.Record{Event: last}, contract.Outcome{ID: fmt.Sprint(i), Status: contract.Accepted})
	}
	return a
}

func read1(t *testing.T, words []string, voided *event.Event) *event.Event {
	t.Helper()
	e := &event.Event{}
	if voided != nil {
		*e = event.Event{Type: voided.Type, Action: voided.Action, Time: voided.Time, BizStep: voided.BizStep, ErrorDeclaration: &event.ErrorDeclaration{}}
		return e
	}
	var day int
	if _, err := fmt.Sscan(words[0], &day); err != nil {
		t.Fatal(err)
	}
	e.Time.Time = time.Date(2026, 1, 1+day, 0, 0, 0, 0, time.UTC)
	e.BizLocation = &event.Place{ID: words[1]}
	e.BizStep, e.Type, e.Action = words[2], event.Object, event.Observe
	for _, w := range words[3:] {
		key, list, _ := strings.Cut(w, ":")
		epcs, quantities := things(t, list)
		switch key {
		case "in":
			e.Type, e.Action, e.InputEPCs, e.InputQuantities = event.Transformation, "", epcs, quantities
		case "out":
			e.Type, e.Action, e.OutputEPCs, e.OutputQuantities = event.Transformation, "", epcs, quantities
		case "process":
			e.TransformationID = list
		case "put":
			e.Type, e.Action, e.ChildEPCs, e.ChildQuantities = event.Aggregation, event.Add, epcs, quantities
		case "take":
			e.Type, e.Action, e.ChildEPCs, e.ChildQuantities = event.Aggregation, event.Delete, epcs, quantities
		case "into", "from":
			e.ParentID = list
		case "new":
			e.Action, e.EPCs, e.Quantities = event.Add, epcs, quantities
		case "is":
			e.EPCs, e.Quantities = epcs, quantities
		case "to":
			e.Destinations = []event.Destination{{Type: "location", Destination: list}}
		case "lot":
			e.ILMD = jsontext.Value(`{"cbvmda:lotNumber":"` + list + `"}`)
		}
	}
	return e
}

// things reads names: with an amount, which may be empty for one not stated, it is a lot, without a thing; "*" is nothing.
func things(t *testing.T, list string) (epcs []string, quantities []event.Quantity) {
	t.Helper()
	for _, name := range strings.Split(list, ",") {
		id, amount, isLot := strings.Cut(name, "*")
		switch {
		case isLot && id != "":
			q := event.Quantity{EPCClass: id}
			var err error
			if amount != "" {
				q.Quantity, err = event.ParseDecimal(amount)
			}
			if err != nil {
				t.Fatal(err)
			}
			quantities = append(quantities, q)
		case !isLot:
			epcs = append(epcs, id)
		}
	}
	return epcs, quantities
}

const reworked = `
0 x:farm commissioning new:x:a*10
1 x:plant commissioning in:x:a*10 out:x:b*10
5 x:plant commissioning in:x:b*2 out:x:r*2
9 x:plant commissioning in:x:r*2,x:c*5 out:x:b*7`

const palletised = `
0 x:farm commissioning new:x:a*10
1 x:farm packing put:x:a*6 into:x:P
1 x:farm packing put:x:z*6 into:x:P
2 x:farm packing put:x:P into:x:F
3 x:farm shipping is:x:F to:x:dc
4 x:dc receiving is:x:F
4 x:dc unpacking take:* from:x:F
5 x:dc unpacking take:x:a*6 from:x:P
9 x:dc packing put:x:P into:x:G`

func TestTrace(t *testing.T) {
	for _, c := range []struct {
		name, story, item string
		d                 trace.Direction
		want              string // items | carriers
	}{
		{"back", reworked, "x:b", trace.Back, "x:a x:c x:r |"},
		{"back in time: what came later is not in it", reworked, "x:r", trace.Back, "x:a x:b |"},
		{"forward", reworked, "x:a", trace.Forward, "x:b x:r |"},
		{"forward through a cycle", reworked, "x:c", trace.Forward, "x:b |"},
		{"carriers, not what else they carry, not where they went later", palletised, "x:a", trace.Back, "| x:F x:P"},
		{"contents of the unit asked about", palletised, "x:P", trace.Back, "x:a x:z | x:F x:G"},
		{"a void event links nothing", "0 x:p commissioning in:x:a*1 out:x:b*1\nvoid", "x:b", trace.Back, "|"},
		{"a process in two events", "0 x:p commissioning in:x:a*1 process:t\n1 x:p commissioning out:x:b*1 process:t", "x:b", trace.Back, "x:a |"},
		{"a class connects nothing", "0 x:p commissioning in:https://id.gs1.org/01/06900101000012*1 out:x:b*1", "x:b", trace.Back, "|"},
		{"an instance and its lot", "0 x:p commissioning new:https://id.gs1.org/01/06900101000012/21/7 lot:L",
			"https://id.gs1.org/01/06900101000012/21/7", trace.Back, "https://id.gs1.org/01/06900101000012/10/L |"},
		{"contents of an input at the time of use", "0 x:p packing put:x:a*1 into:x:B\n2 x:p commissioning in:x:B out:x:b*1\n" +
			"2 x:p unpacking take:* from:x:B\n9 x:p packing put:x:c*1 into:x:B", "x:b", trace.Back, "x:B x:a |"},
		{"forward through the unit it was used in", "0 x:p packing put:x:a*1 into:x:B\n2 x:p commissioning in:x:B out:x:b*1\n" +
			"3 x:p unpacking take:* from:x:B\n9 x:p commissioning in:x:B out:x:c*1", "x:a", trace.Forward, "x:b | x:B"},
	} {
		t.Run(c.name, func(t *testing.T) {
			items, carriers := tell(t, c.story).Trace(c.item, c.d).Keys(c.item)
			got := strings.TrimSpace(strings.Join(items, " ") + " | " + strings.Join(carriers, " "))
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestScope(t *testing.T) {
	for _, c := range []struct {
		name, story, item string
		want              string
	}{
		{"moved with its pallet", palletised, "x:a", "6 held x:dc, 4 held x:farm"},
		{"on the way", "0 x:f commissioning new:x:a*10\n1 x:f shipping is:x:a*3 to:x:dc", "x:a", "3 in_transit x:dc, 7 held x:f"},
		{"of one lot in two units of a shipment, the sum", "0 x:f commissioning new:x:a*10\n1 x:f packing put:x:a*4 into:x:P\n1 x:f packing put:x:a*6 into:x:Q\n" +
			"2 x:f shipping is:x:P,x:Q to:x:dc", "x:a", "10 in_transit x:dc"},
		{"seen in two units where it was not, the sum", "0 x:f packing put:x:a*4 into:x:P\n0 x:f packing put:x:a*6 into:x:Q\n1 x:g storing is:x:P,x:Q", "x:a",
			"10 held x:g, 4 held x:f"},
		{"in two units that are seen elsewhere, the sum too", "0 x:f packing put:x:a*4 into:x:P\n1 x:f packing put:x:a*6 into:x:Q\n2 x:g storing is:x:P,x:Q", "x:a",
			"4 held x:f, 10 held x:g"},
		{"used up with its unit, whatever empties it later", "0 x:f commissioning new:x:a*10\n1 x:f packing put:x:a*10 into:x:P\n" +
			"2 x:f commissioning in:x:P out:x:b*9\n3 x:f unpacking take:* from:x:P", "x:a", "consumed 10"},
		{"sold, destroyed, too much", "0 x:f commissioning new:x:a*10\n1 x:f retail_selling is:x:a*8\n2 x:f destroying is:x:a*5", "x:a", "sold 8, destroyed 5"},
		{"seen where it was not", "0 x:f storing is:x:a*3\n1 x:f storing is:x:a*5", "x:a", "3 held x:f"},
		{"loaded and shipped: one departure", "0 x:f commissioning new:x:a*10\n1 x:f loading is:x:a*3 to:x:dc\n1 x:f shipping is:x:a*3 to:x:dc", "x:a", "3 in_transit x:dc, 7 held x:f"},
		{"arrived and received: one arrival", "0 x:f commissioning new:x:a*10\n1 x:f shipping is:x:a*3 to:x:dc\n2 x:dc arriving is:x:a*3\n3 x:dc receiving is:x:a*3",
			"x:a", "3 held x:dc, 7 held x:f"},
		{"the larger of two sums", "1 x:f loading is:x:a*3 to:x:dc\n1 x:f shipping is:x:a*5 to:x:dc\n1 x:f departing is:x:a*4 to:x:dc", "x:a", "5 in_transit x:dc"},
		{"a second trip, which one step tells", "0 x:f commissioning new:x:a*10\n1 x:f loading is:x:a*3 to:x:dc\n1 x:f shipping is:x:a*3 to:x:dc\n2 x:f loading is:x:a*2 to:x:dc",
			"x:a", "5 in_transit x:dc, 5 held x:f"},
		{"what no step exceeds stays", "0 x:f commissioning new:x:a*10\n1 x:f loading is:x:a*3 to:x:dc\n2 x:f shipping is:x:a*2 to:x:dc", "x:a", "3 in_transit x:dc, 7 held x:f"},
		{"a pallet told twice moves its contents once", palletised + "\n10 x:dc arriving is:x:P\n11 x:dc shipping is:x:a*6 to:x:shop\n11 x:dc departing is:x:a*6 to:x:shop",
			"x:a", "6 in_transit x:shop, 4 held x:farm"},
		{"arrived on a pallet and received by itself", "0 x:f packing put:x:a*6 into:x:P\n1 x:f shipping is:x:P to:x:dc\n" +
			"2 x:dc arriving is:x:P\n2 x:dc receiving is:x:a*6", "x:a", "6 held x:dc"},
		{"no amount: what others told, else all", "0 x:f commissioning new:x:a*9\n1 x:f loading is:x:a*3 to:x:dc\n1 x:f shipping is:x:a* to:x:dc\n" +
			"3 x:f shipping is:x:a* to:x:dc", "x:a", "9 in_transit x:dc"},
		{"no amount anywhere", "1 x:f loading is:x:a* to:x:dc\n1 x:f shipping is:x:a* to:x:dc\n2 x:dc arriving is:x:a*\n2 x:dc receiving is:x:a*", "x:a", " held x:dc"},
		{"a thing exists once", "0 x:f storing is:x:T\n1 x:f receiving is:x:T", "x:T", "1 held x:f"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := tell(t, c.story).Books()
			var got []string
			for _, h := range b.Holdings(c.item) {
				got = append(got, strings.Join([]string{h.Quantity, h.State, h.Site}, " "))
			}
			for _, o := range b.Outflows(c.item) {
				got = append(got, fmt.Sprint(o.Fate, " ", o.Quantity))
			}
			sorted := cmpopts.SortSlices(func(a, b string) bool { return a < b })
			if d := cmp.Diff(strings.Split(c.want, ", "), got, sorted); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestHold(t *testing.T) {
	for _, c := range []struct {
		name, story, item string
		scope             contract.Scope
		movement          string
		want              bool
	}{
		{"itself", reworked, "x:a", contract.ScopeLot, "20 x:p shipping is:x:a*1", true},
		{"not its descendants", reworked, "x:a", contract.ScopeLot, "20 x:p shipping is:x:b*1", false},
		{"its descendants", reworked, "x:a", contract.ScopeDownstream, "20 x:p shipping is:x:r*1", true},
		{"whatever the times", reworked, "x:c", contract.ScopeDownstream, "20 x:p shipping is:x:r*1", true},
		{"an arrival is no movement", reworked, "x:a", contract.ScopeLot, "20 x:p receiving is:x:a*1 to:x:p", false},
		{"a destination is one", reworked, "x:a", contract.ScopeLot, "20 x:p other is:x:a*1 to:x:q", true},
		{"unpacking is none", palletised, "x:a", contract.ScopeLot, "3 x:p unpacking take:* from:x:P", false},
		{"the pallet it is on", palletised, "x:a", contract.ScopeLot, "3 x:p shipping is:x:P", true},
		{"the frame its pallet is in", palletised, "x:a", contract.ScopeLot, "3 x:p shipping is:x:F", true},
		{"not the pallet when it is off", palletised, "x:a", contract.ScopeLot, "7 x:p shipping is:x:P", false},
		{"a pallet it is on now, whatever day is stated", "5 x:f packing put:x:a*1 into:x:P", "x:a", contract.ScopeLot, "1 x:f shipping is:x:P", true},
		{"not the rest of a lot on a held pallet", palletised, "x:P", contract.ScopeLot, "3 x:p shipping is:x:a*1", false},
		{"a pallet on a held frame", palletised, "x:F", contract.ScopeLot, "3 x:p shipping is:x:P", true},
		{"packing it", reworked, "x:b", contract.ScopeLot, "20 x:p other put:x:b*1 into:x:P", true},
		{"using it", reworked, "x:b", contract.ScopeLot, "20 x:p other in:x:b*1 out:x:d*1", true},
		{"finishing what was begun with it", "0 x:p commissioning in:x:a*1 process:t", "x:a", contract.ScopeDownstream, "1 x:p commissioning out:x:b*1 process:t", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := tell(t, c.story)
			a.Add(contract.Record{Hold: &contract.Hold{Item: c.item, Scope: c.scope}}, contract.Outcome{ID: "hold-1", Status: contract.Accepted})
			e := read1(t, strings.Fields(c.movement), nil)
			if got := len(a.Violated(e)) > 0; got != c.want {
				t.Errorf("held: %v", got)
			}
			a.Add(contract.Record{Release: &contract.Release{Hold: "hold-1"}}, contract.Outcome{ID: "release-1", Status: contract.Accepted})
			if v := a.Violated(e); len(v) > 0 {
				t.Errorf("still held after the release by %v", v)
			}
		})
	}
}

// The checks notice what is wrong with an answer.
func TestChecksNotice(t *testing.T) {
	a := tell(t, reworked)
	diffs := a.CheckTrace(&trace.Result{
		Query: trace.Query{Item: "x:r", Direction: trace.Back},
		Nodes: []trace.Node{{ID: 1, Key: "x:r"}, {ID: 2, Key: "x:b", Depth: -2}, {ID: 3, Key: "x:c", Depth: -2}},
		Links: []trace.Link{{Kind: trace.Made, From: 2, To: 1}, {Kind: trace.Made, From: 1, To: 3}},
	}, []string{"1", "2", "7"})
	want := []string{
		"item x:b: depth -2, by the rules -1", "item x:c does not belong there", "item x:a is missing", "event 7 does not belong there",
		"event 0 is missing", "event 3 is missing", `link made from "x:r" to "x:c": no event says so`,
	}
	if d := cmp.Diff(want, diffs); d != "" {
		t.Error(d)
	}
	e := read1(t, strings.Fields("20 x:p shipping is:x:a*1"), nil)
	a.Add(contract.Record{Hold: &contract.Hold{Item: "x:a", Scope: contract.ScopeLot}}, contract.Outcome{ID: "hold-1", Status: contract.Accepted})
	for _, out := range []contract.Outcome{
		{ID: "n", Status: contract.Accepted}, {ID: "n", Status: contract.Duplicate}, {ID: "n", Status: contract.Refused, Violations: []string{"hold-2"}},
	} {
		if len(a.CheckOutcome(contract.Record{Event: e}, out)) == 0 {
			t.Errorf("%+v was let pass", out)
		}
	}
	if diffs := a.CheckOutcome(contract.Record{Event: e}, contract.Outcome{ID: "n", Status: contract.Refused, Violations: []string{"hold-1"}}); len(diffs) > 0 {
		t.Error(diffs)
	}
	if diffs := a.CheckScope(&trace.ScopeResult{Item: "x:a", Items: 3}); len(diffs) == 0 {
		t.Error("an empty scope was let pass")
	}
}
