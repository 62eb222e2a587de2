package indextest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
	"github.com/foodtrace-ledger/foodtrace/internal/trace/tracetest"
)

// Open makes an empty read model that ends with the test.
type Open func(testing.TB) index.Index

// Run checks that a read model does what package index says.
func Run(t *testing.T, open Open) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Open)
	}{
		{"position", position}, {"events", events}, {"void", void}, {"events of an item", eventsOf}, {"items", items}, {"search", search},
		{"inspections", inspections}, {"holds", holds}, {"violations", violations}, {"master data", masterData},
		{"evidence", evidence}, {"compare", compare}, {"graph", graph}, {"rebuild", rebuild}, {"texts", texts}, {"big blocks", bigBlocks},
		{"queries", queries}, {"counts", counts}, {"rare", rare},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open) })
	}
}

func apply(t testing.TB, ix index.Index, blocks ...*ledger.Block) {
	t.Helper()
	if err := ix.Apply(t.Context(), blocks); err != nil {
		t.Fatal(err)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(event.Time.Equal)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// parse makes accepted entries of events in the notation of tracetest.
func parse(t testing.TB, text string) (entries []Entry) {
	for _, e := range tracetest.Parse(t, text) {
		entries = append(entries, Event(e))
	}
	return entries
}

func position(t *testing.T, open Open) {
	ix, c := open(t), NewChain()
	for range 4 {
		c.Add("M", parse(t, "1 new A")...)
	}
	blocks := c.All()
	at := func(want uint64) {
		t.Helper()
		height, hash, err := ix.Position(t.Context())
		check(t, err)
		var last [32]byte
		if want > 0 {
			last = blocks[want-1].Hash
		}
		if height != want || hash != last {
			t.Errorf("position %d %x, want %d %x", height, hash, want, last)
		}
	}
	refused := func(what string, list ...*ledger.Block) {
		t.Helper()
		if err := ix.Apply(t.Context(), list); !errors.Is(err, index.ErrPosition) {
			t.Errorf("%s: %v", what, err)
		}
	}
	at(0)
	refused("not the first", blocks[1])
	apply(t, ix, blocks[0])
	at(1)
	refused("again", blocks[0])
	refused("a gap", blocks[2])
	refused("a gap within", blocks[1], blocks[3])
	other := *blocks[1]
	other.PrevHash[0]++
	refused("of another ledger", &other)
	at(1)
	apply(t, ix, blocks[1:]...)
	at(4)
	apply(t, ix)
	at(4)
	if _, err := ix.Item(t.Context(), tracetest.Key("A")); err != nil {
		t.Error(err)
	}
}

func events(t *testing.T, open Open) {
	ix, c := open(t), NewChain()
	list := tracetest.Parse(t, "1 new A:5KGM @farm\n2 obs A:5KGM @farm !shipping\n3 obs B @farm")
	list[0].ID, list[1].ID = "urn:uuid:1", list[1].Hash()
	files := []contract.Evidence{{SHA256: strings.Repeat("ab", 32), Name: "报告.pdf", Size: 7}}
	findings := []contract.Finding{{Code: "SITE_UNKNOWN", Message: "Nobody registered the site.", Subject: "farm"}}
	c.Add("M", Event(list[0]))
	c.Add("N", Entry{Record: contract.Record{Event: list[1], Evidence: files}, Outcome: contract.Outcome{Findings: findings}},
		Entry{Record: contract.Record{Event: list[2]}, Outcome: contract.Outcome{Status: contract.Refused, Findings: findings}},
		Entry{Record: contract.Record{Event: list[0]}, Outcome: contract.Outcome{Status: contract.Duplicate}})
	apply(t, ix, c.All()...)
	block := c.All()[1]
	want := index.Event{ID: list[1].Hash(), Findings: findings, Evidence: files,
		Where: index.Where{Block: 1, Tx: block.Txs[0].ID, Position: 0, Member: "N", Time: block.Time}}
	got, err := ix.Event(t.Context(), list[1].Hash())
	check(t, err)
	if got.Event.Hash() != list[1].Hash() {
		t.Errorf("the event came back as %+v", got.Event)
	}
	got.Event = nil
	equal(t, "event", want, got)
	got, err = ix.Event(t.Context(), "urn:uuid:1")
	check(t, err)
	if got.ID != list[0].Hash() || got.Where.Block != 0 {
		t.Errorf("by eventID: %+v", got)
	}
	for _, id := range []string{list[2].Hash(), "urn:uuid:none", "", "ni:///sha-256;00?ver=CBV2.0"} {
		if _, err := ix.Event(t.Context(), id); !errors.Is(err, index.ErrNotFound) {
			t.Errorf("event %q: %v", id, err)
		}
	}
	if _, err := ix.Item(t.Context(), tracetest.Key("B")); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("a refused event made an item: %v", err)
	}
	if _, err := ix.Events(t.Context(), []trace.EventID{1, 99}); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("unknown number: %v", err)
	}
}

func void(t *testing.T, open Open) {
	ix, c := open(t), NewChain()
	c.Add("M", parse(t, "1 make A -> B\n2 pack A in P1\n3 new S1 lot=L")...)
	c.Add("M", parse(t, "1 make A -> B\n2 pack A in P1\n3 new S1 lot=L\nvoid 1\nvoid 2\nvoid 3")[3:]...)
	// An error declaration of what was never sent.
	never := tracetest.Void(tracetest.Parse(t, "5 make B -> C")[0])
	c.Add("M", Event(never))
	apply(t, ix, c.All()...)
	for _, name := range []string{"A", "B", "C", "P1", "S1", "L"} {
		r, err := trace.Run(t.Context(), ix, trace.Query{Item: tracetest.Key(name), Direction: trace.Both})
		check(t, err)
		if len(r.Nodes) != 1 || len(r.Events) != 0 {
			t.Errorf("%s: void events led to %v, %v", name, r.Nodes, r.Events)
		}
	}
	for key, blocks := range map[string][2]int{"A": {0, 1}, "C": {2, 2}} {
		list, _, err := ix.EventsOf(t.Context(), tracetest.Key(key), index.Page{})
		check(t, err)
		if len(list) == 0 {
			t.Fatalf("%s: a void event is still shown", key)
		}
		for _, e := range list {
			if e.Voided != c.All()[blocks[1]].Txs[0].ID || e.Where.Block != uint64(blocks[0]) {
				t.Errorf("%s: voided by %q, recorded in block %d", key, e.Voided, e.Where.Block)
			}
		}
	}
}

func eventsOf(t *testing.T, open Open) {
	ix, c := open(t), NewChain()
	c.Add("M", parse(t, "9 obs A\n3 obs A B\n5 obs A A\n1 new A\n3 obs A")...)
	apply(t, ix, c.All()...)
	var days []string
	page := index.Page{Limit: 2}
	for {
		list, next, err := ix.EventsOf(t.Context(), tracetest.Key("A"), page)
		check(t, err)
		if len(list) > 2 {
			t.Fatalf("%d entries in a page of 2", len(list))
		}
		for _, e := range list {
			days = append(days, fmt.Sprintf("%d/%d", e.Event.Time.Day()-1, e.Where.Position))
		}
		if page.After = next; next == "" {
			break
		}
	}
	equal(t, "order of events", []string{"1/3", "3/1", "3/4", "5/2", "9/0"}, days)
	it, err := ix.Item(t.Context(), tracetest.Key("A"))
	check(t, err)
	if it.Events != 5 {
		t.Errorf("%d events", it.Events)
	}
	if list, next, err := ix.EventsOf(t.Context(), "urn:none", index.Page{}); err != nil || next != "" || len(list) != 0 {
		t.Errorf("of an unknown item: %v %q %v", list, next, err)
	}
	for _, cursor := range []string{"x", "1", "1.2.3", "1.x"} {
		if _, _, err := ix.EventsOf(t.Context(), tracetest.Key("A"), index.Page{After: cursor}); !errors.Is(err, index.ErrCursor) {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
}

func items(t *testing.T, open Open) {
	ix, c := open(t), NewChain()
	c.Add("M", parse(t, "1 new A/1 K S7 P3 U2")...)
	c.Add("N", Entry{Record: contract.Record{Inspection: &contract.Inspection{Item: "urn:epc:class:lgtin:9506000.013435.X", Result: contract.Pass}}})
	apply(t, ix, c.All()...)
	where := func(block, pos int) index.Where {
		b := c.All()[block]
		return index.Where{Block: uint64(block), Tx: b.Txs[0].ID, Position: pos, Member: b.Txs[0].Actor.MSP, Time: b.Time}
	}
	product := tracetest.Key("K")
	for _, want := range []index.Item{
		{Key: "https://id.gs1.org/01/09506000134352/21/S7", Product: product, Serial: "S7", Events: 1, Since: where(0, 0)},
		{Key: product, Events: 1, Since: where(0, 0)},
		{Key: "urn:uuid:U2", Events: 1, Since: where(0, 0)},
		{Key: tracetest.Key("P3"), Events: 1, Since: where(0, 0)},
		{Key: "https://id.gs1.org/01/09506000134352/10/X", Product: product, Lot: "X", Since: where(1, 0)},
	} {
		got, err := ix.Item(t.Context(), want.Key)
		check(t, err)
		equal(t, want.Key, want, got)
	}
	if _, err := ix.Item(t.Context(), "urn:none"); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("unknown item: %v", err)
	}
	ids, err := ix.ItemIDs(t.Context(), []string{"urn:none", product})
	check(t, err)
	if ids[0] != 0 || ids[1] == 0 {
		t.Errorf("numbers %v", ids)
	}
}

func search(t *testing.T, open Open) {
	ix, c := open(t), NewChain()
	c.Add("M", Entry{Record: contract.Record{Registration: &contract.Registration{Products: []contract.Product{
		{ID: tracetest.Key("K"), Name: contract.Text{ZH: "新鲜菠菜", EN: "Fresh Spinach"}},
	}}}})
	c.Add("M", parse(t, "1 new LOT-7 lot_8 U100%\n2 new LOT-7B")...)
	e := tracetest.Parse(t, "3 new U5")[0]
	e.EPCs = nil
	e.Quantities = []event.Quantity{{EPCClass: "https://id.gs1.org/01/09506000134369/10/AB%2F12"}, {EPCClass: "urn:lot:批次九"}}
	c.Add("M", Event(e))
	apply(t, ix, c.All()...)
	for _, want := range []struct{ text, keys string }{
		{"", "urn:lot:批次九 AB%2F12 LOT-7B lot_8 LOT-7 U100%"},
		{"LOT-7", "LOT-7B LOT-7"},
		{"lot-7b", "LOT-7B"},
		{"AB/12", "AB%2F12"},
		{"t_8", "lot_8"},
		{"0%", "U100%"},
		{"菠菜", "LOT-7B lot_8 LOT-7"},
		{"spinach", "LOT-7B lot_8 LOT-7"},
		{"批次", "urn:lot:批次九"},
		{"09506000134369", "AB%2F12"},
		{"\\", ""},
		{"none", ""},
	} {
		var keys []string
		page := index.Page{Limit: 2}
		for {
			list, next, err := ix.Items(t.Context(), want.text, page)
			check(t, err)
			for _, it := range list {
				name := tracetest.Name(it.Key)
				if strings.HasPrefix(it.Key, "urn:lot") {
					name = it.Key
				}
				keys = append(keys, name)
			}
			if page.After = next; next == "" {
				break
			}
		}
		equal(t, fmt.Sprintf("search %q", want.text), want.keys, strings.Join(keys, " "))
	}
	if _, _, err := ix.Items(t.Context(), "", index.Page{After: "x"}); !errors.Is(err, index.ErrCursor) {
		t.Errorf("cursor: %v", err)
	}
}

// samples is how many random chains are tried: each needs databases of its own, which cost some syncs.
const samples = 12

// sample draws the same random value for a number every time.
func sample[T any](n int, draw func(*rapid.T) T) T { return rapid.Custom(draw).Example(n) }

// rebuild: an index fed in any batches has the same rows.
func rebuild(t *testing.T, open Open) {
	for n := range samples {
		c := NewChain()
		for i, e := range tracetest.Parse(t, strings.Join(sample(n, tracetest.Lines), "\n")) {
			c.Add([]string{"M", "N"}[i%2], Event(e))
		}
		hold := c.Add("R", hold(tracetest.Key("A"), "1"))[0].ID
		c.Add("R", Entry{Record: contract.Record{Release: &contract.Release{Hold: hold}}})
		once, often := open(t), open(t)
		apply(t, once, c.All()...)
		sizes := sample(n, func(t *rapid.T) []int { return rapid.SliceOfN(rapid.IntRange(1, 5), 30, 30).Draw(t, "sizes") })
		for rest := c.All(); len(rest) > 0; sizes = sizes[1:] {
			size := min(sizes[0], len(rest))
			apply(t, often, rest[:size]...)
			rest = rest[size:]
		}
		check(t, index.Compare(t.Context(), once, often, func(d index.Difference) { t.Errorf("sample %d: %v", n, d) }))
	}
}

// graph: traces and scopes over the index are those over a graph in memory.
func graph(t *testing.T, open Open) {
	for n := range samples {
		lines := strings.Join(sample(n, tracetest.Lines), "\n")
		c, seen := NewChain(), map[string]bool{}
		var kept []*event.Event
		for _, e := range tracetest.Parse(t, lines) {
			if e.ErrorDeclaration == nil && seen[e.Hash()] {
				continue // a duplicate
			}
			seen[e.Hash()] = true
			kept = append(kept, e)
			c.Add("M", Event(e))
		}
		c.Add("M", Entry{Record: contract.Record{Registration: &contract.Registration{Sites: []contract.Site{{ID: tracetest.Site("x"), Owner: "XMSP"}}}}})
		ix, g := open(t), tracetest.New(kept...)
		g.Owners[tracetest.Site("x")] = "XMSP"
		apply(t, ix, c.All()...)
		for _, name := range []string{"A", "B", "P1", "S1", "K"} {
			if diff := cmp.Diff(answers(t, g, g, name), answers(t, ix, ix, name)); diff != "" {
				t.Fatalf("%s in\n%s\n%s", name, lines, diff)
			}
		}
	}
}

// answers are trace and scope of an item without the numbers of a graph.
func answers(t *testing.T, g trace.Graph, r trace.EventReader, name string) []string {
	x, err := trace.Run(t.Context(), g, trace.Query{Item: tracetest.Key(name), Direction: trace.Both})
	if errors.Is(err, trace.ErrUnknownItem) {
		return []string{"unknown"}
	}
	check(t, err)
	s, err := trace.Scope(t.Context(), g, r, tracetest.Key(name), trace.Limits{})
	check(t, err)
	lines := inWords(t, r, x)
	for _, h := range s.Holdings {
		h.Event = 0
		lines = append(lines, fmt.Sprintf("%+v", h))
	}
	return append(lines, fmt.Sprintf("%+v", s.Outflows))
}

// inWords renders a trace without the numbers of a graph.
func inWords(t *testing.T, r trace.EventReader, x *trace.Result) (lines []string) {
	names := map[trace.ItemID]string{}
	for _, n := range x.Nodes {
		names[n.ID] = tracetest.Name(n.Key)
		lines = append(lines, fmt.Sprintf("%s %d %v %d..%d", names[n.ID], n.Depth, n.Carrier, n.From, n.Until))
	}
	hashes := func(ids []trace.EventID) (all []string) {
		bodies, err := r.EventBodies(t.Context(), ids)
		check(t, err)
		for _, e := range bodies {
			all = append(all, e.Hash())
		}
		return all
	}
	for _, l := range x.Links {
		proofs := hashes(l.Events)
		slices.Sort(proofs)
		lines = append(lines, fmt.Sprintf("%s %s %s %v", names[l.From], l.Kind, names[l.To], proofs))
	}
	return append(lines, hashes(x.Events)...)
}
