package indextest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
	"github.com/foodtrace-ledger/foodtrace/internal/trace/tracetest"
)

// oddKeys are identifiers that the contract accepts: up to contract.MaxKey bytes of UTF-8 without control characters.
func oddKeys() []string {
	keys := []string{"urn:lot:A", "urn:lot:a", "urn:lot:á", "urn:lot:a\u0301", "urn:lot:Z", "urn:lot:ß", "urn:lot:批次 九", "urn:lot:\U0010ffff", "urn:lot:\u202ertl",
		"urn:lot:\ufeff", "urn:lot:'; DROP TABLE items; --", `urn:lot:\N`, `urn:lot:{1,2}`, "urn:lot:?1 $1 {ids}", "urn:lot:%", "urn:lot:🥬"}
	for _, r := range []string{"x", "é", "鱼", "🐟"} { // random digits, because a database may compress
		key := "urn:lot:" + strings.Repeat(r, 3)
		for i := 0; len(key) < contract.MaxKey-8; i++ {
			key += fmt.Sprintf("%08x", uint32(i)*2654435761)
		}
		keys = append(keys, key)
	}
	return keys
}

// texts: identifiers and texts of every kind come back as they were, are told apart, and are in the order of their bytes.
func texts(t *testing.T, open Open) {
	ix, c, keys := open(t), NewChain(), oddKeys()
	odd := "NUL \x00, DEL \x7f, \u2028, 批次, 🥬, \\ \" ' $1 ?1"
	events := tracetest.Parse(t, "1 make A -> B\n2 make A -> B")
	for _, e := range events {
		e.InputQuantities, e.OutputQuantities, e.Disposition, e.TransformationID = nil, nil, odd, keys[6]
		for i, key := range keys {
			list := &e.InputQuantities
			if i%2 == 1 {
				list = &e.OutputQuantities
			}
			*list = append(*list, event.Quantity{EPCClass: key})
		}
	}
	e := events[0]
	e.ID = "urn:event:" + odd
	sites := make([]contract.Site, len(keys))
	for i, key := range keys {
		sites[i] = contract.Site{ID: key, Name: contract.Text{ZH: odd}, Owner: key}
	}
	files := []contract.Evidence{{SHA256: strings.Repeat("ab", 32), Name: odd, MediaType: odd}}
	ids := c.Add("M", Entry{Record: contract.Record{Hold: &contract.Hold{Item: keys[0], Reason: contract.Text{EN: odd}, Reference: odd}, Evidence: files}})
	c.Add(keys[7], Event(e), Event(events[1]), Entry{Record: contract.Record{Registration: &contract.Registration{Sites: sites,
		Products: []contract.Product{{ID: tracetest.Key("K"), Name: contract.Text{EN: odd}}}}}})
	c.AddBlock(c.Tx("M", &contract.Evidence{SHA256: "no digest \x00"}, Violation(e, []string{ids[0].ID}, keys...)))
	apply(t, ix, c.All()...)

	for _, key := range keys {
		it, err := ix.Item(t.Context(), key)
		check(t, err)
		if it.Key != key || it.Events != 2 {
			t.Errorf("%q came back as %+v", key, it)
		}
		list, _, err := ix.Items(t.Context(), key, index.Page{})
		check(t, err)
		if !slices.ContainsFunc(list, func(it index.Item) bool { return it.Key == key }) {
			t.Errorf("a search for %q finds %v", key, list)
		}
	}
	got, err := ix.Event(t.Context(), e.ID)
	check(t, err)
	if got.Event.ID != e.ID || got.Event.Disposition != odd || got.Where.Member != keys[7] {
		t.Errorf("the event came back as %+v", got)
	}
	known, err := ix.Sites(t.Context(), keys)
	check(t, err)
	for i, key := range keys {
		equal(t, key, sites[i], known[key])
	}
	h, err := ix.Hold(t.Context(), ids[0].ID)
	check(t, err)
	if h.Reason.EN != odd || h.Reference != odd || h.Evidence[0] != files[0] || h.Violations != 1 {
		t.Errorf("the hold came back as %+v", h)
	}
	r, err := trace.Run(t.Context(), ix, trace.Query{Item: keys[0], Direction: trace.Forward})
	check(t, err)
	if len(r.Nodes) != 1+len(keys)/2 {
		t.Errorf("%d of %d items in the trace", len(r.Nodes), 1+len(keys)/2)
	}
	nobodyHas(t, ix, "a\x00b", "\xff\xfe", "\x01", "urn:lot:\x00", strings.Repeat("x", 100_000))
	ordered(t, ix)
}

// nobodyHas asks for texts that nothing can be called.
func nobodyHas(t *testing.T, ix index.Index, names ...string) {
	t.Helper()
	for _, name := range names {
		_, item := ix.Item(t.Context(), name)
		_, e := ix.Event(t.Context(), name)
		_, hold := ix.Hold(t.Context(), name)
		_, inspection := ix.Inspection(t.Context(), name)
		_, member := ix.Member(t.Context(), name)
		for what, err := range map[string]error{"item": item, "event": e, "hold": hold, "inspection": inspection, "member": member} {
			if !errors.Is(err, index.ErrNotFound) {
				t.Errorf("%s %.20q: %v", what, name, err)
			}
		}
		list, _, err := ix.Items(t.Context(), name, index.Page{})
		holds, _, err2 := ix.Holds(t.Context(), index.ActFilter{Item: name}, index.Page{})
		holds2, _, err3 := ix.Holds(t.Context(), index.ActFilter{Member: name}, index.Page{})
		sites, err4 := ix.Sites(t.Context(), []string{name})
		check(t, errors.Join(err, err2, err3, err4))
		if len(list)+len(holds)+len(holds2)+len(sites) > 0 {
			t.Errorf("%.20q: found %v %v %v %v", name, list, holds, holds2, sites)
		}
	}
}

// ordered: rows come in the order of their keys' bytes, whatever a database thinks of letters.
func ordered(t *testing.T, ix index.Index) {
	t.Helper()
	table, last := "", ""
	for row, err := range ix.Rows(t.Context()) {
		check(t, err)
		if row.Table < table || row.Table == table && row.Key <= last {
			t.Fatalf("%s: row %q comes after %q", row.Table, row.Key, last)
		}
		table, last = row.Table, row.Key
	}
}

// bigBlocks: an event that names thousands of items, and blocks of thousands of records, in one Apply, with items that are
// named again and again.
func bigBlocks(t *testing.T, open Open) {
	ix, c := open(t), NewChain()
	const items = 3000
	of := func(text string, from, to int, suffix string) *event.Event {
		e := tracetest.Parse(t, text)[0]
		for i := from; i < to; i++ {
			e.ChildEPCs = append(e.ChildEPCs, tracetest.Key(fmt.Sprintf("S%d%s", i, suffix)))
		}
		return e
	}
	c.Add("M", Event(of("1 pack S0 in P1", 1, items, "")), Event(of("2 unpack S0 in P1", 1, items, "")))
	var entries []Entry
	for i := range 2000 {
		entries = append(entries, Event(tracetest.Parse(t, fmt.Sprintf("3 make L%d -> L%d", i%50, 50+i))[0]))
	}
	c.Add("M", entries...)
	apply(t, ix, c.All()...)
	contents, err := ix.ItemIDs(t.Context(), []string{tracetest.Key("P1")})
	check(t, err)
	stays, err := ix.Contents(t.Context(), contents)
	check(t, err)
	if len(stays) != 2*items {
		t.Errorf("%d statements about what was in the pallet, want %d", len(stays), 2*items)
	}
	all := trace.Limits{MaxItems: 1e5}
	r, err := trace.Run(t.Context(), ix, trace.Query{Item: tracetest.Key("L7"), Direction: trace.Forward, Limits: all})
	check(t, err)
	if len(r.Nodes) != 41 {
		t.Errorf("%d lots came of the first, want 40", len(r.Nodes)-1)
	}
	ordered(t, ix)
}
