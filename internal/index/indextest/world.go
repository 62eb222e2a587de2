package indextest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
	"github.com/foodtrace-ledger/foodtrace/internal/trace/tracetest"
)

// world is a ledger with all its events in order, as queries are to find them.
type world struct {
	*Chain
	events []sent
	owners map[string]string // of sites, today
}

type sent struct {
	*event.Event
	at     string // block and place in it
	member string
	time   event.Time
}

// The words of the random worlds. Some are two forms of one identifier.
var (
	worldSteps   = []string{"", "shipping", "urn:epcglobal:cbv:bizstep:shipping", "receiving", "https://example.org/steps/washing"}
	worldPlaces  = []string{"", "urn:epc:id:sgln:9506000.13436.0", "https://id.gs1.org/414/9506000134369", "https://id.gs1.org/414/9506000134369/254/D1", "urn:site:x", "urn:site:y", "urn:party:p"}
	worldParties = []string{"urn:epc:id:pgln:9506000.13436", "urn:site:x", "urn:site:z", "urn:party:p"}
	worldEPCs    = []string{"urn:epc:id:sgtin:9506000.013435.S1", tracetest.Key("S1"), tracetest.Key("S2"), tracetest.Key("P1"), "urn:epc:id:sgtin:9506001.013435.1", "urn:thing:1"}
	worldClasses = []string{tracetest.Key("K"), "urn:epc:class:lgtin:9506000.013435.A", tracetest.Key("A"), tracetest.Key("B"), "https://id.gs1.org/01/09506000134369", "urn:class:1"}
	worldMembers = []string{"M", "N", "O"}
)

func pick[T any](t *rapid.T, from []T) T { return rapid.SampledFrom(from).Draw(t, "pick") }

func some(t *rapid.T, from []string, most int) []string {
	return rapid.SliceOfN(rapid.SampledFrom(from), 0, most).Draw(t, "some")
}

func drawEvent(t *rapid.T) *event.Event {
	e := &event.Event{Type: pick(t, []event.Type{event.Object, event.Aggregation, event.Transformation}), TimeZoneOffset: "+00:00",
		Time:    event.Time{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "hour")) * time.Hour)},
		BizStep: pick(t, worldSteps), Disposition: pick(t, []string{"", "in_transit", "active"}),
	}
	e.Context = jsontext.Value(`[{"ex":"https://example.org/ext/"}]`)
	e.Ext = jsontext.Value(fmt.Sprintf(`{"ex:n":%d}`, rapid.IntRange(0, 3).Draw(t, "n")))
	if id := rapid.IntRange(0, 8).Draw(t, "id"); id > 0 {
		e.ID = fmt.Sprintf("urn:uuid:%d", id)
	}
	if p := pick(t, worldPlaces); p != "" {
		e.ReadPoint = &event.Place{ID: p}
	}
	if p := pick(t, worldPlaces); p != "" {
		e.BizLocation = &event.Place{ID: p}
	}
	for _, p := range some(t, worldParties, 2) {
		e.Sources = append(e.Sources, event.Source{Type: "owning_party", Source: p})
		e.Destinations = append(e.Destinations, event.Destination{Type: "location", Destination: pick(t, worldParties)})
	}
	epcs := some(t, worldEPCs, 2)
	var classes []event.Quantity
	for _, c := range some(t, worldClasses, 2) {
		classes = append(classes, event.Quantity{EPCClass: c, Quantity: event.Int(int64(rapid.IntRange(1, 5).Draw(t, "amount"))), UOM: "KGM"})
	}
	switch e.Type {
	case event.Object:
		e.Action, e.EPCs, e.Quantities = pick(t, []event.Action{event.Add, event.Observe}), epcs, classes
		if e.Action == event.Add && rapid.Bool().Draw(t, "lot") {
			e.ILMD = jsontext.Value(`{"cbvmda:lotNumber":"A"}`)
		}
	case event.Aggregation:
		e.Action, e.ParentID, e.ChildEPCs, e.ChildQuantities = event.Add, tracetest.Key("P2"), epcs, classes
	default:
		e.InputEPCs, e.OutputQuantities = epcs, classes
	}
	return e
}

// plant has a dock in its master data.
const plant = "urn:site:plant"

// Random is random ledger n, whose members are M, N and O: sites change their owners, and O is named as a party.
func Random(n int) []*ledger.Block { return sample(n, drawWorld).All() }

func drawWorld(t *rapid.T) *world {
	w := &world{Chain: NewChain(), owners: map[string]string{}}
	w.register("R", contract.Site{ID: plant, Ext: []contract.MasterAttr{{ID: contract.AttrChild, Value: "urn:site:x"}}},
		contract.Site{ID: "urn:site:x", Owner: "M", Ext: []contract.MasterAttr{{ID: "urn:epcglobal:cbv:mda#city", Value: "Lyon"}, {ID: contract.AttrChild, Value: "urn:site:y"}}},
		contract.Site{ID: "https://id.gs1.org/414/9506000134369", Owner: "N"})
	for range rapid.IntRange(1, 6).Draw(t, "blocks") {
		w.grow(t)
	}
	w.register("R", contract.Site{ID: "urn:site:x", Owner: "N", Ext: []contract.MasterAttr{{ID: "urn:epcglobal:cbv:mda#city", Value: "Lyon"}, {ID: contract.AttrChild, Value: "urn:site:y"}}},
		contract.Site{ID: "urn:site:z", Owner: "O"})
	w.grow(t)
	return w
}

func (w *world) register(member string, sites ...contract.Site) {
	for _, s := range sites {
		w.owners[s.ID] = s.Owner
	}
	w.Add(member, Entry{Record: contract.Record{Registration: &contract.Registration{Members: []contract.Member{{MSP: "O", Parties: []string{"urn:party:p"}}}, Sites: sites}}})
}

// grow adds a block of several transactions.
func (w *world) grow(t *rapid.T) {
	var txs []ledger.Tx
	for range rapid.IntRange(1, 3).Draw(t, "txs") {
		var list []*event.Event
		for range rapid.IntRange(0, 12).Draw(t, "records") {
			e := drawEvent(t)
			if len(w.events) > 0 && rapid.IntRange(0, 9).Draw(t, "void") == 0 {
				e = voided(pick(t, w.events).Event)
			}
			same := func(s sent) bool { return s.Hash() == e.Hash() }
			again := func(o *event.Event) bool { return o.Hash() == e.Hash() }
			if e.ErrorDeclaration == nil && (slices.ContainsFunc(w.events, same) || slices.ContainsFunc(list, again)) {
				continue // a duplicate
			}
			list = append(list, e)
		}
		txs = append(txs, w.send(pick(t, worldMembers), list...))
	}
	w.AddBlock(txs...)
	w.stamp()
}

// voided is the declaration that an event is wrong.
func voided(e *event.Event) *event.Event {
	text, err := event.Marshal(e)
	if err != nil {
		panic(err)
	}
	v, err := event.Unmarshal(text)
	if err != nil {
		panic(err)
	}
	v.ErrorDeclaration = &event.ErrorDeclaration{DeclarationTime: event.Time{Time: e.Time.Add(time.Hour)}}
	return v
}

// send makes a transaction for the next block.
func (w *world) send(member string, list ...*event.Event) ledger.Tx {
	var entries []Entry
	for _, e := range list {
		entries = append(entries, Event(e))
	}
	tx := w.Tx(member, nil, entries...)
	for i, e := range list {
		w.events = append(w.events, sent{Event: e, member: member, at: fmt.Sprintf("%s/%d", tx.ID, i)})
	}
	return tx
}

// stamp notes when the events of the last block were recorded.
func (w *world) stamp() {
	blocks := w.All()
	for i := range w.events {
		if s := &w.events[i]; s.time.IsZero() {
			s.time = blocks[len(blocks)-1].Time
		}
	}
}

// viewers are all who ask.
var viewers = []index.Viewer{{All: true}, {Member: "M"}, {Member: "N"}, {Member: "O", Parties: []string{"urn:party:p"}}, {Member: "none"}, {}}

// sees is the rule of gateway/view.
func (w *world) sees(who index.Viewer, s *sent) bool {
	if who.All {
		return true
	}
	if who.Member == "" {
		return false
	}
	var places []string
	party := false
	for i := range s.Sources {
		places = append(places, s.Sources[i].Source)
	}
	for i := range s.Destinations {
		places = append(places, s.Destinations[i].Destination)
	}
	canonical := func(uri string) string { c, _ := gs1.Canonical(uri); return c }
	for _, p := range places {
		party = party || slices.Contains(who.Parties, canonical(p))
	}
	places = append(places, s.ReadPointKey(), s.LocationKey())
	return s.member == who.Member || party || slices.ContainsFunc(places, func(p string) bool { return w.owners[canonical(p)] == who.Member })
}

// expect are the events that a query is to find, in its order.
func (w *world) expect(q *query.Query, who index.Viewer) (at []string) {
	var found []*sent
	for i := range w.events {
		if s := &w.events[i]; w.sees(who, s) && q.Match(s.Event, s.time, worldMasters{}) {
			found = append(found, s)
		}
	}
	if q.OrderBy == query.ByEventTime {
		slices.SortStableFunc(found, func(a, b *sent) int { return cmp.Compare(a.Time.UnixMicro(), b.Time.UnixMicro()) })
	}
	if !q.Ascending {
		slices.Reverse(found)
	}
	for _, s := range found {
		at = append(at, s.at)
	}
	return at
}

type worldMasters struct{}

func (worldMasters) Attribute(key, name string) []string {
	if key == "urn:site:x" && strings.HasSuffix(name, "city") {
		return []string{"Lyon"}
	}
	return nil
}

func (worldMasters) Within(place, ancestor string) bool {
	return (place == "urn:site:x" || place == "urn:site:y") && (ancestor == plant || ancestor == "urn:site:x")
}
