package indextest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
	"github.com/foodtrace-ledger/foodtrace/internal/trace/tracetest"
)

// drawQuery combines a few parameters.
func drawQuery(t *rapid.T) string {
	hour := func() string {
		return time.Date(2026, 1, 1, rapid.IntRange(0, 40).Draw(t, "hour"), 0, 0, 0, time.UTC).Format(time.RFC3339)
	}
	second := func() string {
		return time.Date(2026, 6, 1, 0, 0, rapid.IntRange(0, 9).Draw(t, "second"), 0, time.UTC).Format(time.RFC3339)
	}
	values := url.Values{}
	for range rapid.IntRange(0, 3).Draw(t, "parameters") {
		name := pick(t, []string{"GE_eventTime", "LT_eventTime", "GE_recordTime", "LT_recordTime", "eventType", "EQ_action", "EQ_bizStep", "EQ_disposition", "EQ_readPoint", "WD_readPoint",
			"EQ_bizLocation", "WD_bizLocation", "MATCH_epc", "MATCH_parentID", "MATCH_anyEPC", "MATCH_inputEPC", "MATCH_epcClass", "MATCH_outputEPCClass", "MATCH_anyEPCClass", "GE_quantity_KGM", "EQ_eventID",
			"EXISTS_errorDeclaration", "GE_errorDeclarationTime", "EQ_source_owning_party", "EQ_ex:n", "HASATTR_readPoint", "EQATTR_bizLocation_city"})
		var value string
		switch {
		case strings.HasSuffix(name, "eventTime"), strings.HasSuffix(name, "DeclarationTime"):
			value = hour()
		case strings.HasSuffix(name, "recordTime"):
			value = second()
		case name == "eventType":
			value = pick(t, []string{"ObjectEvent", "TransformationEvent|AggregationEvent"})
		case name == "EQ_action":
			value = "ADD"
		case name == "EQ_bizStep":
			value = pick(t, worldSteps[1:])
		case name == "EQ_disposition":
			value = "active"
		case strings.HasSuffix(name, "Point") || strings.HasSuffix(name, "Location") && !strings.HasPrefix(name, "HAS"):
			value = pick(t, append(worldPlaces[1:], plant))
		case strings.HasSuffix(name, "Class"):
			value = pick(t, append(slices.Clone(worldClasses), "urn:epc:idpat:sgtin:9506000.*.*", "urn:epc:class:lgtin:9506000.013435.*"))
		case strings.HasPrefix(name, "MATCH"):
			value = pick(t, append(slices.Clone(worldEPCs), tracetest.Key("P2"), "urn:epc:idpat:sgtin:9506000.013435.*", "urn:epc:idpat:sgtin:*.*.*|urn:thing:1"))
		case name == "EQ_eventID":
			value = "urn:uuid:1|urn:uuid:2"
		case strings.HasPrefix(name, "EXISTS"):
			value = "true"
		case name == "EQ_source_owning_party":
			value = pick(t, worldParties)
		case strings.HasPrefix(name, "HASATTR"):
			value = "urn:epcglobal:cbv:mda#city"
		case strings.HasPrefix(name, "EQATTR"):
			value = "Lyon"
		default:
			value = fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "n"))
		}
		values.Set(name, value)
	}
	if order := pick(t, []string{"", "eventTime", "recordTime"}); order != "" {
		values.Set("orderBy", order)
		values.Set("orderDirection", pick(t, []string{"ASC", "DESC"}))
	}
	return values.Encode()
}

// ParseQuery reads a query string that has no problem.
func ParseQuery(t testing.TB, text string) *query.Query {
	t.Helper()
	values, err := url.ParseQuery(text)
	check(t, err)
	q, problems := query.Parse(values, []event.Namespace{{Prefix: "ex", URI: "https://example.org/ext/"}})
	if len(problems) > 0 {
		t.Fatalf("%s: %v", text, problems)
	}
	return &q
}

// queryPages asks for all pages of a query, and calls between after the first.
func queryPages(t testing.TB, ix index.Index, q *query.Query, who index.Viewer, size int, between func()) (at []string) {
	t.Helper()
	page := index.Page{Limit: size}
	for {
		events, next, err := ix.Query(t.Context(), q, who, page)
		check(t, err)
		if next != "" && len(events) != size {
			t.Fatalf("%s: a page of %d of %d", q, len(events), size)
		}
		for _, e := range events {
			at = append(at, fmt.Sprintf("%s/%d", e.Where.Tx, e.Where.Position))
		}
		if page.After = next; next == "" {
			return at
		}
		if between != nil {
			between()
			between = nil
		}
	}
}

// queries: an index finds what Match finds in all events that the viewer sees, in order, page by page, whatever comes meanwhile.
func queries(t *testing.T, open Open) {
	for n := range samples / 3 {
		w := sample(n, drawWorld)
		ix := open(t)
		apply(t, ix, w.All()...)
		for i, text := range sample(n, func(t *rapid.T) []string { return rapid.SliceOfN(rapid.Custom(drawQuery), 40, 40).Draw(t, "queries") }) {
			q, who := ParseQuery(t, text), viewers[i%len(viewers)]
			want := w.expect(q, who)
			var between func()
			if i%10 == 0 {
				between = func() {
					have := len(w.All())
					w.extra()
					apply(t, ix, w.All()[have:]...)
				}
			}
			equal(t, fmt.Sprintf("world %d: %s for %+v", n, text, who), strings.Join(want, " "), strings.Join(queryPages(t, ix, q, who, 2+i%5, between), " "))
		}
		w.streams(t, ix)
		w.lists(t, ix)
	}
}

// extra adds an event that many queries find.
func (w *world) extra() {
	e := &event.Event{Type: event.Object, Action: event.Add, Time: event.Time{Time: time.Date(2026, 1, 1, 20, 0, 0, len(w.events)*1000, time.UTC)}, TimeZoneOffset: "+00:00", BizStep: "shipping",
		Disposition: "active", EPCs: []string{worldEPCs[0]}, ReadPoint: &event.Place{ID: "urn:site:x"}}
	w.AddBlock(w.send("M", e))
	w.stamp()
}

// streams: everything comes once in the order of the ledger, in pieces of any size.
func (w *world) streams(t testing.TB, ix index.Index) {
	t.Helper()
	for i, text := range []string{"", "EQ_bizStep=shipping", "MATCH_anyEPC=urn:thing:1", "EXISTS_errorDeclaration=true"} {
		q := ParseQuery(t, text)
		for _, who := range viewers {
			var at []string
			for after := (index.Cursor{}); ; {
				events, next, err := ix.QuerySince(t.Context(), q, who, after, 1+i)
				check(t, err)
				for _, e := range events {
					at = append(at, fmt.Sprintf("%s/%d", e.Where.Tx, e.Where.Position))
				}
				if next == after {
					break
				}
				after = next
			}
			ordered := *q
			ordered.OrderBy, ordered.Ascending = query.ByRecordTime, true
			equal(t, fmt.Sprintf("stream %q for %+v", text, who), w.expect(&ordered, who), at)
		}
	}
	for _, block := range w.All() {
		from, err := ix.Since(t.Context(), block.Time.Time)
		check(t, err)
		q := ParseQuery(t, "orderBy=recordTime&orderDirection=ASC&GE_recordTime="+block.Time.UTC().Format(time.RFC3339Nano))
		events, _, err := ix.QuerySince(t.Context(), ParseQuery(t, ""), index.Viewer{All: true}, from, 1000)
		check(t, err)
		if want := w.expect(q, index.Viewer{All: true}); len(want) != len(events) {
			t.Errorf("since block %d: %d events, want %d", block.Height, len(events), len(want))
		}
	}
}

// lists: the values of each dimension are those of the events that are seen.
func (w *world) lists(t testing.TB, ix index.Index) {
	t.Helper()
	values := map[index.Dimension]func(*sent) []string{
		index.EventTypes:   func(s *sent) []string { return []string{string(s.Type)} },
		index.BizSteps:     func(s *sent) []string { return []string{s.Step()} },
		index.Dispositions: func(s *sent) []string { return []string{s.DispositionWord()} },
		index.ReadPoints:   func(s *sent) []string { return []string{s.ReadPointKey()} },
		index.BizLocations: func(s *sent) []string { return []string{s.LocationKey()} },
		index.EPCs: func(s *sent) (keys []string) {
			if s.ErrorDeclaration != nil {
				return nil
			}
			for _, it := range s.Items() {
				if it.Kind != gs1.Class && it.Kind != gs1.Lot {
					keys = append(keys, it.Key)
				}
			}
			return keys
		},
	}
	for d, of := range values {
		for _, who := range viewers {
			want := []string{}
			for i := range w.events {
				if s := &w.events[i]; w.sees(who, s) {
					want = append(want, of(s)...)
				}
			}
			slices.Sort(want)
			want = slices.DeleteFunc(slices.Compact(want), func(s string) bool { return s == "" })
			got := []string{}
			for page := (index.Page{Limit: 2}); ; {
				list, next, err := ix.Values(t.Context(), d, who, page)
				check(t, err)
				got = append(got, list...)
				if page.After = next; next == "" {
					break
				}
			}
			if d == index.EPCs {
				slices.Sort(got)
			}
			equal(t, fmt.Sprintf("%s for %+v", d, who), want, got)
		}
	}
}

// counts: limits of a query on its events.
func counts(t *testing.T, open Open) {
	ix, c := open(t), NewChain()
	c.Add("M", parse(t, "1 new A\n2 obs A\n3 obs A\n4 obs A\n5 obs A")...)
	apply(t, ix, c.All()...)
	who := index.Viewer{All: true}
	for text, want := range map[string]int{"orderBy=eventTime&eventCountLimit=3": 3, "orderBy=eventTime&eventCountLimit=9": 5, "maxEventCount=5": 5, "": 5} {
		if got := queryPages(t, ix, ParseQuery(t, text), who, 2, nil); len(got) != want {
			t.Errorf("%s: %d events, want %d", text, len(got), want)
		}
	}
	for _, size := range []int{1, 2, 5, 10} {
		if _, _, err := ix.Query(t.Context(), ParseQuery(t, "maxEventCount=4"), who, index.Page{Limit: size}); !errors.Is(err, index.ErrTooLarge) {
			t.Errorf("five events where at most four are wanted, in pages of %d: %v", size, err)
		}
	}
	for _, bad := range []string{"x", "1.2.3", "1.2.3.x"} {
		if _, _, err := ix.Query(t.Context(), ParseQuery(t, ""), who, index.Page{After: bad}); !errors.Is(err, index.ErrCursor) {
			t.Errorf("cursor %q: %v", bad, err)
		}
	}
}

// rare: what few events have is found behind many others, by whatever leads there.
func rare(t *testing.T, open Open) {
	ix, w := open(t), &world{Chain: NewChain(), owners: map[string]string{}}
	w.register("R", contract.Site{ID: "urn:site:y", Owner: "M"})
	plainEvent := func(step string) *event.Event {
		return &event.Event{Type: event.Object, Action: event.Observe, Time: event.Time{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}, TimeZoneOffset: "+00:00", BizStep: step, EPCs: []string{worldEPCs[0]}}
	}
	odd, atSite, toParty := plainEvent("packing"), plainEvent("shipping"), plainEvent("shipping")
	atSite.ReadPoint = &event.Place{ID: "urn:site:y"}
	toParty.Destinations = []event.Destination{{Type: "owning_party", Destination: "urn:party:p"}}
	w.AddBlock(w.send("N", odd, atSite, toParty))
	var many []*event.Event
	for i := range 200 {
		many = append(many, Shipment(i))
	}
	w.AddBlock(w.send("ProducerMSP", many...))
	w.stamp()
	apply(t, ix, w.All()...)
	all := index.Viewer{All: true}
	for _, q := range []struct {
		text string
		who  index.Viewer
		want int
	}{
		{"EQ_bizStep=packing", all, 1}, {"EQ_bizStep=packing|urn:x", all, 1}, {"EQ_bizStep=urn:none", all, 0}, {"", index.Viewer{Member: "N"}, 3}, {"", index.Viewer{Member: "M"}, 1},
		{"", index.Viewer{Member: "O", Parties: []string{"urn:party:p"}}, 1}, {"EQ_readPoint=urn:site:y", all, 1}, {"EQ_readPoint=urn:site:y", index.Viewer{Member: "N"}, 1},
		{"EQ_readPoint=urn:site:y", index.Viewer{Member: "O"}, 0}, {"EQ_eventID=" + url.QueryEscape(many[7].Hash()) + "|" + many[9].ID + "|urn:none", all, 2}, {"EQ_ex:n=1", all, 0},
	} {
		for _, order := range []string{"&orderBy=eventTime&orderDirection=ASC", "&orderBy=eventTime", "&orderBy=recordTime&orderDirection=ASC", ""} {
			parsed := ParseQuery(t, q.text+order)
			got := queryPages(t, ix, parsed, q.who, 2, nil)
			equal(t, fmt.Sprintf("%s%s for %+v", q.text, order, q.who), strings.Join(w.expect(parsed, q.who), " "), strings.Join(got, " "))
			if len(got) != q.want {
				t.Errorf("%s%s for %+v: %d events, want %d", q.text, order, q.who, len(got), q.want)
			}
		}
	}
}
