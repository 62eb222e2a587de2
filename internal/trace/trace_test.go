package trace_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/internal/trace"
	"github.com/foodtrace-ledger/foodtrace/internal/trace/tracetest"
)

// A case lists events, then a question, then the answer: one line per node as NAME depth, ~NAME for a carrier.
var cases = []struct{ name, events, ask, want string }{
	{"chain", `
		1 new A
		3 make A -> B
		5 make B -> C`,
		"back C", "C 0, B -1, A -2"},
	{"chain forward", `
		1 new A
		3 make A -> B
		5 make B -> C`,
		"forward A", "A 0, B 1, C 2"},
	{"both from the middle", `
		3 make A -> B
		5 make B -> C`,
		"both B", "B 0, A -1, C 1"},
	{"split and merge; siblings are not followed", `
		1 make A -> B1 B2
		3 make B1 X -> C
		3 make B2 Y -> D`,
		"back C", "C 0, B1 -1, X -1, A -2"},
	{"forward takes all outputs", `
		1 make A Z -> B1 B2
		5 make B1 X -> C`,
		"forward A", "A 0, B1 1, B2 1, C 2"},
	{"forward, a use before the item was made does not count", `
		1 make B -> Old
		9 make A -> B
		12 make B -> New`,
		"forward A", "A 0, B 1, New 2"},
	{"back, what was made later does not count", `
		1 make A1 -> B
		3 make B -> C
		9 make A2 -> B`,
		"back C", "C 0, B -1, A1 -2"},
	{"within a day the order does not count", `
		3 make B -> C
		3.9 make A -> B`,
		"back C", "C 0, B -1, A -2"},
	{"more than a day later does", `
		3 make B -> C
		4.1 make A -> B`,
		"back C", "C 0, B -1"},
	{"rework", `
		1 make A -> B
		3 make B -> C R
		5 make R A2 -> B
		7 make B -> D`,
		"back C", "C 0, B -1, A -2"},
	{"rework, everything before D", `
		1 make A -> B
		3 make B -> C R
		5 make R A2 -> B
		7 make B -> D`,
		"back D", "D 0, B -1, A -2, A2 -2, R -2"},
	{"a cycle ends", `
		1 make A -> B
		1 make B -> A`,
		"forward A", "A 0, B 1"},
	{"a process of several events", `
		1 make#T A
		9 make#T B -> C
		20 make#T -> D`,
		"back C", "C 0, A -1, B -1"},
	{"a process of several events, forward", `
		1 make#T A
		9 make#T B -> C
		20 make#T -> D`,
		"forward B", "B 0, C 1, D 1"},
	{"a class without lot connects nothing", `
		1 make A -> K
		3 make K -> B`,
		"back B", "B 0"},
	{"a class with a lot number in the ILMD is a lot", `
		1 make A -> K lot=L7
		3 make L7 -> B`,
		"back B", "B 0, L7 -1, A -2"},
	{"an instance belongs to its lot", `
		1 make A -> L7
		2 new S1 S2 lot=L7
		4 make S1 -> B`,
		"back B", "B 0, S1 -1, L7 -2, A -3"},
	{"a lot leads to its instances", `
		1 make A -> L7
		2 new S1 S2 lot=L7
		4 make S1 -> B`,
		"forward A", "A 0, L7 1, S1 2, S2 2, B 3"},
	{"an instance does not lead to its siblings", `
		2 new S1 S2 lot=L7`,
		"both S1", "S1 0, L7 -1"},
	{"a pallet as input: what was on it then", `
		1 pack A B in P1
		3 unpack B in P1
		9 make P1 -> C`,
		"back C", "C 0, P1 -1, A -2"},
	{"forward through the pallet it was on", `
		1 pack A B in P1
		9 make P1 -> C`,
		"forward A", "A 0, ~P1 1, C 2"},
	{"a pallet carries, its other load is not followed", `
		1 pack A B in P1
		9 unpack in P1
		12 make B -> C`,
		"both A", "A 0, ~P1 -1"},
	{"a carrier within a carrier", `
		1 pack A in P1
		2 pack P1 in P2
		9 make P2 -> C`,
		"forward A", "A 0, ~P1 1, ~P2 2, C 3"},
	{"contents at any depth", `
		1 pack A in P1
		2 pack P1 in P2
		9 make P2 -> C`,
		"back C", "C 0, P2 -1, P1 -2, A -3"},
	{"a carrier outside of its window", `
		1 pack A in P1
		2 unpack in P1
		9 pack P1 in P2
		12 make P1 -> C`,
		"forward A", "A 0, ~P1 1"},
	{"a reused pallet asked about leads to all it ever carried", `
		1 pack A in P1
		2 unpack in P1
		9 pack B in P1`,
		"both P1", "P1 0, A -1, B -1"},
	{"packed again", `
		1 pack A in P1
		4 unpack A in P1
		9 pack A in P1
		12 make P1 -> C`,
		"back C", "C 0, P1 -1, A -2"},
	{"unpack of another item does not end it", `
		1 pack A B in P1
		3 unpack B in P1
		9 make P1 -> C`,
		"forward B", "B 0, ~P1 1"},
	{"seen on a pallet: that moment only", `
		5 see A in P1
		5.5 make P1 -> C
		9 make P1 -> D`,
		"forward A", "A 0, ~P1 1, C 2"},
	{"a void process makes no link", `
		1 make A -> B
		void 1`,
		"back B", "B 0"},
	{"a void unpacking ends nothing", `
		1 pack A in P1
		3 unpack in P1
		void 2
		9 make P1 -> C`,
		"back C", "C 0, P1 -1, A -2"},
	{"records that come late", `
		9 make P1 -> C
		3 unpack B in P1
		1 pack A B in P1`,
		"back C", "C 0, P1 -1, A -2"},
	{"a lot that carries nothing is no way to its pallet's past loads", `
		1 pack Old in P1
		2 unpack in P1
		5 pack A in P1
		8 make A -> B`,
		"back B", "B 0, A -1, ~P1 -2"},
	{"how a carrier was made matters", `
		1 make Wood -> P1
		5 pack A in P1
		8 make A -> B`,
		"back B", "B 0, A -1, ~P1 -2, Wood -3"},
	{"items that are no GS1 identifiers", `
		1 make U1 -> U2`,
		"forward U1", "U1 0, U2 1"},
	{"a carrier that is also an input is no carrier", `
		1 pack A in P1
		5 make P1 A -> B`,
		"back B", "B 0, P1 -1, A -1"},
}

func TestRun(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := tracetest.New(tracetest.Parse(t, c.events)...)
			direction, name, _ := strings.Cut(c.ask, " ")
			r, err := trace.Run(t.Context(), g, trace.Query{Item: tracetest.Key(name), Direction: trace.Direction(direction)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, nodes(r)); diff != "" {
				t.Errorf("%s:\n%s", c.ask, diff)
			}
			if r.Truncated || r.NotFollowed != 0 {
				t.Errorf("truncated %v, not followed %d, without a limit", r.Truncated, r.NotFollowed)
			}
		})
	}
}

func nodes(r *trace.Result) string {
	var out []string
	for _, n := range r.Nodes {
		mark := ""
		if n.Carrier {
			mark = "~"
		}
		out = append(out, fmt.Sprintf("%s%s %d", mark, tracetest.Name(n.Key), n.Depth))
	}
	return strings.Join(out, ", ")
}

func links(r *trace.Result) string {
	names := map[trace.ItemID]string{}
	for _, n := range r.Nodes {
		names[n.ID] = tracetest.Name(n.Key)
	}
	var out []string
	for _, l := range r.Links {
		out = append(out, fmt.Sprintf("%s %s %s %v", names[l.From], l.Kind, names[l.To], l.Events))
	}
	return strings.Join(out, ", ")
}

func TestLinksAndEvents(t *testing.T) {
	g := tracetest.New(tracetest.Parse(t, `
		1 new A
		2 pack A Other in P1
		3 obs P1
		4 unpack A in P1
		9 obs P1
		10 make A Z -> B
		11 new S1 lot=B
		12 obs Other`)...)
	r, err := trace.Run(t.Context(), g, trace.Query{Item: tracetest.Key("S1"), Direction: trace.Back})
	if err != nil {
		t.Fatal(err)
	}
	want := "B member S1 [7], A made B [6], A inside P1 [2 4], Z made B [6]"
	if diff := cmp.Diff(want, links(r)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]trace.EventID{1, 2, 3, 4, 6, 7}, r.Events); diff != "" {
		t.Errorf("the pallet's later events and its other load do not belong here:\n%s", diff)
	}
}

func TestLimits(t *testing.T) {
	g := tracetest.New(tracetest.Parse(t, `
		1 make A -> B1 B2 B3
		3 make B1 -> C1
		3 make B2 -> C2
		5 make C1 -> D1`)...)
	for _, c := range []struct {
		limits    trace.Limits
		want      string
		truncated bool
		left      int
	}{
		{trace.Limits{}, "A 0, B1 1, B2 1, B3 1, C1 2, C2 2, D1 3", false, 0},
		{trace.Limits{MaxItems: 7}, "A 0, B1 1, B2 1, B3 1, C1 2, C2 2, D1 3", false, 0},
		{trace.Limits{MaxItems: 6}, "A 0, B1 1, B2 1, B3 1, C1 2, C2 2", true, 1},
		{trace.Limits{MaxItems: 5}, "A 0, B1 1, B2 1, B3 1, C1 2", true, 1},
		{trace.Limits{MaxItems: 3}, "A 0, B1 1, B2 1", true, 1},
		{trace.Limits{MaxItems: 1}, "A 0", true, 3},
		{trace.Limits{MaxDepth: 3}, "A 0, B1 1, B2 1, B3 1, C1 2, C2 2, D1 3", false, 0},
		{trace.Limits{MaxDepth: 2}, "A 0, B1 1, B2 1, B3 1, C1 2, C2 2", true, 1},
		{trace.Limits{MaxDepth: 1}, "A 0, B1 1, B2 1, B3 1", true, 2},
	} {
		r, err := trace.Run(t.Context(), g, trace.Query{Item: tracetest.Key("A"), Direction: trace.Forward, Limits: c.limits})
		if err != nil {
			t.Fatal(err)
		}
		if nodes(r) != c.want || r.Truncated != c.truncated || r.NotFollowed != c.left {
			t.Errorf("%+v: got %s, truncated %v, left %d; want %s, %v, %d", c.limits, nodes(r), r.Truncated, r.NotFollowed, c.want, c.truncated, c.left)
		}
		for _, l := range r.Links {
			known := func(id trace.ItemID) bool {
				return slices.ContainsFunc(r.Nodes, func(n trace.Node) bool { return n.ID == id })
			}
			if !known(l.From) || !known(l.To) {
				t.Errorf("%+v: link %v leads out of the answer", c.limits, l)
			}
		}
	}
}

func TestRunErrors(t *testing.T) {
	g := tracetest.New(tracetest.Parse(t, "1 new A")...)
	if _, err := trace.Run(t.Context(), g, trace.Query{Item: "urn:none", Direction: trace.Back}); !errors.Is(err, trace.ErrUnknownItem) {
		t.Errorf("unknown item: %v", err)
	}
	if _, err := trace.Run(t.Context(), g, trace.Query{Item: tracetest.Key("A"), Direction: "up"}); !errors.Is(err, trace.ErrDirection) {
		t.Errorf("unknown direction: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := trace.Run(ctx, g, trace.Query{Item: tracetest.Key("A"), Direction: trace.Back}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
