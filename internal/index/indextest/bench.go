package indextest

import (
	"strconv"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// BenchQueries asks an index of so many events of Varied for pages of 30, as programs do. processor is the processor time so far.
func BenchQueries(b *testing.B, ix index.Queries, events int, processor func() time.Duration) {
	all, member := index.Viewer{All: true}, index.Viewer{Member: VariedMember}
	lot := LotKey(events / 7)
	for _, c := range []struct {
		name, text string
		who        index.Viewer
		behind     int  // events before the page that is asked for
		empty      bool // nothing is found
	}{
		{"lot", "MATCH_anyEPCClass=" + lot, all, 0, false},
		{"lot and step", "MATCH_epcClass=" + lot + "&EQ_bizStep=receiving|storing|packing", all, 0, false},
		{"unknown lot", "MATCH_anyEPCClass=" + LotKey(events), all, 0, true},
		{"pattern", "MATCH_anyEPCClass=urn:epc:class:lgtin:9506000.013435.*&orderBy=eventTime", all, 0, false},
		{"event ID", "EQ_eventID=urn:uuid:00000000-0000-4000-8000-" + strconv.Itoa(1_000_000_000_000 + events/2)[1:], all, 0, false},
		{"time and step", "GE_eventTime=2026-01-02T00:00:00Z&LT_eventTime=2026-01-02T12:00:00Z&EQ_bizStep=receiving&orderBy=eventTime", all, 0, false},
		{"recorded since", "GE_recordTime=2026-01-01T00:00:00Z&orderBy=recordTime&orderDirection=ASC", all, 0, false},
		{"step", "EQ_bizStep=shipping&orderBy=eventTime", all, 0, false},
		{"step, deep page", "EQ_bizStep=shipping&orderBy=eventTime", all, events / 5, false},
		{"rare step", "EQ_bizStep=destroying&orderBy=eventTime", all, 0, false},
		{"step that is not there", "EQ_bizStep=inspecting", all, 0, true},
		{"place", "EQ_bizLocation=urn:site:17&orderBy=eventTime", all, 0, false},
		{"declared wrong", "EXISTS_errorDeclaration=true", all, 0, false},
		{"declared wrong in half a day", "EXISTS_errorDeclaration=true&GE_eventTime=2026-01-01T00:00:00Z&LT_eventTime=2026-01-01T12:00:00Z", all, 0, false},
		{"newest", "", all, 0, false},
		{"deep page", "", all, events / 2, false},
		{"newest of a member", "", member, 0, false},
		{"step of a member", "EQ_bizStep=packing&orderBy=eventTime", member, 0, false},
	} {
		b.Run(strconv.Itoa(events)+"/"+c.name, func(b *testing.B) {
			q := ParseQuery(b, c.text)
			page := index.Page{Limit: 30}
			for passed := 0; passed < c.behind; {
				list, next, err := ix.Query(b.Context(), q, c.who, index.Page{Limit: min(1000, c.behind-passed), After: page.After})
				if err != nil || len(list) == 0 {
					b.Fatal(passed, len(list), err)
				}
				passed, page.After = passed+len(list), next
			}
			before := processor()
			for b.Loop() {
				if list, _, err := ix.Query(b.Context(), q, c.who, page); err != nil || (len(list) == 0) != c.empty {
					b.Fatal(len(list), err)
				}
			}
			b.ReportMetric(float64((processor()-before).Microseconds())/float64(b.N), "cpu-µs/page")
		})
	}
}
