package indextest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/trace/tracetest"
)

// pages reads all pages of two entries and returns what name says of each.
func pages[T any](t testing.TB, ask func(index.Page) ([]T, string, error), name func(T) string) string {
	t.Helper()
	var names []string
	page := index.Page{Limit: 2}
	for {
		list, next, err := ask(page)
		check(t, err)
		for _, v := range list {
			names = append(names, name(v))
		}
		if page.After = next; next == "" {
			return strings.Join(names, " ")
		}
	}
}

func inspections(t *testing.T, open Open) {
	ix, c := open(t), NewChain()
	files := []contract.Evidence{{SHA256: strings.Repeat("cd", 32), MediaType: "application/pdf", Size: 9}}
	inspect := func(item, reference string, result contract.Result) Entry {
		return Entry{Record: contract.Record{Evidence: files, Inspection: &contract.Inspection{Item: item, Kind: "pathogen", Result: result,
			Time: tracetest.Day(2), Inspector: "实验室", Reference: reference, Note: contract.Text{ZH: "合格"}}}}
	}
	ids := c.Add("Lab", inspect("urn:epc:class:lgtin:9506000.013435.A", "1", contract.Pass), inspect(tracetest.Key("B"), "2", contract.Fail))
	c.Add("Reg", inspect(tracetest.Key("A"), "3", contract.Fail))
	c.Add("Reg", Entry{Record: inspect(tracetest.Key("A"), "4", contract.Pass).Record, Outcome: contract.Outcome{Status: contract.Refused}})
	c.Add("Lab", inspect(tracetest.Key("A"), "5", contract.Pass))
	apply(t, ix, c.All()...)
	for _, want := range []struct {
		filter index.ActFilter
		list   string
	}{
		{index.ActFilter{}, "5 3 2 1"},
		{index.ActFilter{Item: tracetest.Key("A")}, "5 3 1"},
		{index.ActFilter{Member: "Lab"}, "5 2 1"},
		{index.ActFilter{Member: "Lab", Item: tracetest.Key("B")}, "2"},
		{index.ActFilter{Item: "urn:none"}, ""},
		{index.ActFilter{Member: "None"}, ""},
	} {
		got := pages(t, func(p index.Page) ([]index.Inspection, string, error) {
			return ix.Inspections(t.Context(), want.filter, p)
		},
			func(i index.Inspection) string { return i.Reference })
		equal(t, fmt.Sprintf("%+v", want.filter), want.list, got)
	}
	got, err := ix.Inspection(t.Context(), ids[1].ID)
	check(t, err)
	first := c.All()[0]
	equal(t, "inspection", index.Inspection{ID: ids[1].ID, Inspection: *inspect(tracetest.Key("B"), "2", contract.Fail).Inspection, Evidence: files,
		Where: index.Where{Block: 0, Tx: first.Txs[0].ID, Position: 1, Member: "Lab", Time: first.Time}}, got)
	if _, err := ix.Inspection(t.Context(), "inspection-none"); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
	if _, _, err := ix.Inspections(t.Context(), index.ActFilter{}, index.Page{After: "1.1"}); !errors.Is(err, index.ErrCursor) {
		t.Errorf("cursor: %v", err)
	}
}

func hold(item, reference string) Entry {
	return Entry{Record: contract.Record{Hold: &contract.Hold{Item: item, Scope: contract.ScopeDownstream, Reference: reference,
		Reason: contract.Text{ZH: "检出沙门氏菌", EN: "Salmonella"}, Time: tracetest.Day(3)}}}
}

func holds(t *testing.T, open Open) {
	ix, c := open(t), NewChain()
	ids := c.Add("Reg", hold(tracetest.Key("A"), "1"), hold(tracetest.Key("B"), "2"))
	apply(t, ix, c.All()...)
	got, err := ix.Hold(t.Context(), ids[0].ID)
	check(t, err)
	if got.Release != nil || got.ReleasedAt != nil {
		t.Errorf("released before it was: %+v", got)
	}
	release := &contract.Release{Hold: ids[0].ID, Reason: contract.Text{EN: "Tested again"}, Time: tracetest.Day(4)}
	c.Add("Other", Entry{}, Entry{Record: contract.Record{Release: release}})
	c.Add("Other", Entry{Record: contract.Record{Release: &contract.Release{Hold: ids[1].ID}}, Outcome: contract.Outcome{Status: contract.Refused}})
	c.Add("Other", hold(tracetest.Key("A"), "3"))
	apply(t, ix, c.All()[1:]...)
	for _, want := range []struct {
		filter index.ActFilter
		list   string
	}{
		{index.ActFilter{}, "3 2 1"},
		{index.ActFilter{InForce: true}, "3 2"},
		{index.ActFilter{Item: tracetest.Key("A")}, "3 1"},
		{index.ActFilter{Item: tracetest.Key("A"), InForce: true}, "3"},
		{index.ActFilter{Member: "Reg", InForce: true}, "2"},
	} {
		got := pages(t, func(p index.Page) ([]index.Hold, string, error) { return ix.Holds(t.Context(), want.filter, p) },
			func(h index.Hold) string { return h.Reference })
		equal(t, fmt.Sprintf("%+v", want.filter), want.list, got)
	}
	got, err = ix.Hold(t.Context(), ids[0].ID)
	check(t, err)
	first, second := c.All()[0], c.All()[1]
	equal(t, "hold", index.Hold{ID: ids[0].ID, Hold: *hold(tracetest.Key("A"), "1").Hold, Release: release,
		Where:      index.Where{Block: 0, Tx: first.Txs[0].ID, Member: "Reg", Time: first.Time},
		ReleasedAt: &index.Where{Block: 1, Tx: second.Txs[0].ID, Position: 1, Member: "Other", Time: second.Time}}, got)
	if _, err := ix.Hold(t.Context(), "hold-none"); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func violations(t *testing.T, open Open) {
	ix, c := open(t), NewChain()
	ids := c.Add("Reg", hold(tracetest.Key("A"), "1"), hold(tracetest.Key("B"), "2"))
	a, b := ids[0].ID, ids[1].ID
	list := tracetest.Parse(t, "4 obs A >shop !shipping\n5 make A B -> C\n6 obs B >shop !shipping")
	c.Add("M", Violation(list[0], []string{a}, tracetest.Key("A")))
	c.Add("N", Violation(list[1], []string{a, b}, tracetest.Key("B"), tracetest.Key("A")), Violation(list[2], []string{b}, tracetest.Key("B")))
	apply(t, ix, c.All()...)
	for _, want := range []struct {
		filter index.ActFilter
		list   string
	}{
		{index.ActFilter{}, "6 5 4"},
		{index.ActFilter{Item: tracetest.Key("A")}, "5 4"},
		{index.ActFilter{Item: tracetest.Key("B"), Member: "N"}, "6 5"},
		{index.ActFilter{Member: "M"}, "4"},
		{index.ActFilter{Item: tracetest.Key("C")}, ""},
	} {
		got := pages(t, func(p index.Page) ([]index.Violation, string, error) {
			return ix.Violations(t.Context(), want.filter, p)
		},
			func(v index.Violation) string { return fmt.Sprint(v.Event.Time.Day() - 1) })
		equal(t, fmt.Sprintf("%+v", want.filter), want.list, got)
	}
	page, _, err := ix.Violations(t.Context(), index.ActFilter{Item: tracetest.Key("A")}, index.Page{Limit: 1})
	check(t, err)
	got := page[0]
	if got.Event.Hash() != list[1].Hash() {
		t.Errorf("the event came back as %+v", got.Event)
	}
	got.Event = nil
	block := c.All()[2]
	equal(t, "violation", index.Violation{ID: list[1].Hash(), Holds: []string{a, b}, Items: []string{tracetest.Key("A"), tracetest.Key("B")},
		Where: index.Where{Block: 2, Tx: block.Txs[0].ID, Member: "N", Time: block.Time}}, got)
	for id, want := range map[string]int{a: 2, b: 2} {
		h, err := ix.Hold(t.Context(), id)
		check(t, err)
		if h.Violations != want {
			t.Errorf("%s: %d violations, want %d", id, h.Violations, want)
		}
	}
	if _, err := ix.Event(t.Context(), list[0].Hash()); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("a refused movement is no event: %v", err)
	}
}

func masterData(t *testing.T, open Open) {
	ix, c := open(t), NewChain()
	register := func(r contract.Registration) Entry {
		return Entry{Record: contract.Record{Registration: &r}}
	}
	farm := contract.Site{ID: "https://id.gs1.org/414/9506000134376", Owner: "F", Name: contract.Text{ZH: "农场"}, Country: "CN"}
	old := farm
	old.ID, old.Owner = "urn:epc:id:sgln:9506000.13437.0", "Old"
	members := []contract.Member{{MSP: "B", Roles: []contract.Role{contract.Producer}}, {MSP: "A", Name: contract.Text{EN: "A Ltd"}, Roles: []contract.Role{contract.Retailer}}}
	product := contract.Product{ID: tracetest.Key("K"), Kind: "leafy greens"}
	c.Add("Reg", register(contract.Registration{Members: members, Sites: []contract.Site{old}}))
	c.Add("Reg", register(contract.Registration{Sites: []contract.Site{farm, {ID: "urn:site:x"}}, Products: []contract.Product{product}}))
	refused := register(contract.Registration{Members: []contract.Member{{MSP: "Evil"}}})
	refused.Status = contract.Refused
	c.Add("Evil", refused)
	apply(t, ix, c.All()...)
	sites, err := ix.Sites(t.Context(), []string{farm.ID, "urn:none", "urn:site:x"})
	check(t, err)
	equal(t, "sites", map[string]contract.Site{farm.ID: farm, "urn:site:x": {ID: "urn:site:x"}}, sites)
	products, err := ix.Products(t.Context(), []string{product.ID, farm.ID})
	check(t, err)
	equal(t, "products", map[string]contract.Product{product.ID: product}, products)
	list, err := ix.Members(t.Context())
	check(t, err)
	equal(t, "members", []contract.Member{members[1], members[0]}, list)
	one, err := ix.Member(t.Context(), "B")
	check(t, err)
	equal(t, "member", members[0], one)
	if _, err := ix.Member(t.Context(), "Evil"); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("unknown member: %v", err)
	}
	owners, err := ix.SiteOwners(t.Context(), []string{"urn:none", farm.ID})
	check(t, err)
	equal(t, "owners", []string{"", "F"}, owners)
}

func evidence(t *testing.T, open Open) {
	ix, c := open(t), NewChain()
	file := func(c string) contract.Evidence {
		return contract.Evidence{SHA256: strings.Repeat(c, 64), Name: c, Size: 1}
	}
	source := file("d")
	entry := Event(tracetest.Parse(t, "1 new A")[0])
	entry.Evidence = []contract.Evidence{file("c"), file("a")}
	held := hold(tracetest.Key("A"), "1")
	held.Evidence = []contract.Evidence{file("a")}
	refused := Event(tracetest.Parse(t, "2 new A")[0])
	refused.Status, refused.Evidence = contract.Refused, []contract.Evidence{file("e")}
	c.AddBlock(c.Tx("M", &source, entry, held, refused))
	apply(t, ix, c.All()...)
	var got []contract.Evidence
	for e, err := range ix.EvidenceRefs(t.Context()) {
		check(t, err)
		got = append(got, e)
	}
	equal(t, "evidence", []contract.Evidence{file("a"), file("c"), file("d")}, got)
	for range ix.EvidenceRefs(t.Context()) {
		break // must not leave anything open: Close would wait
	}
}

// compare: a copy that lacks a block, and one of another ledger, are told apart row by row.
func compare(t *testing.T, open Open) {
	c := NewChain()
	c.Add("M", parse(t, "1 make A -> B")...)
	c.Add("M", parse(t, "2 make B -> C")...)
	whole, part := open(t), open(t)
	apply(t, whole, c.All()...)
	apply(t, part, c.All()[:1]...)
	var missing, surplus []index.Difference
	check(t, index.Compare(t.Context(), part, whole, func(d index.Difference) { missing = append(missing, d) }))
	check(t, index.Compare(t.Context(), whole, part, func(d index.Difference) { surplus = append(surplus, d) }))
	if len(missing) == 0 || len(missing) != len(surplus) {
		t.Fatalf("%d missing, %d surplus", len(missing), len(surplus))
	}
	for i := range missing {
		if missing[i].Live != nil || missing[i].Rebuilt == nil || missing[i].Block != 1 || surplus[i].Rebuilt != nil {
			t.Errorf("%+v", missing[i])
		}
	}
	e := tracetest.Parse(t, "1 make A -> B")[0]
	e.Disposition = "in_progress"
	d := NewChain()
	d.Add("M", Event(e))
	other := open(t)
	apply(t, other, d.All()...)
	var found []string
	check(t, index.Compare(t.Context(), other, part, func(d index.Difference) { found = append(found, d.Table) }))
	if strings.Join(found, " ") != "events settings" {
		t.Errorf("an event with another disposition differs in tables %v", found)
	}
}
