package sqlindex_test

import (
	"errors"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/indextest"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
)

// TestLimits: a search that becomes too long returns what it found, and says so when that is nothing.
func TestLimits(t *testing.T) {
	ix, err := sqlite.Open(filepath.Join(t.TempDir(), "index.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ix.Close(); err != nil {
			t.Error(err)
		}
	})
	indextest.Load(t, indextest.Pieces(400, indextest.Shipment), ix)
	ask := func(text string, page index.Page) ([]index.Event, string, error) {
		values, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		q, problems := query.Parse(values, []event.Namespace{})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return ix.Query(t.Context(), &q, index.Viewer{All: true}, page)
	}
	bol := "EQ_bizTransaction_bol=urn:epcglobal:cbv:bt:9506000134369:BOL-390|urn:epcglobal:cbv:bt:9506000134369:BOL-10"
	for _, limit := range [][2]int{{1e6, 100}, {100, 1e6}} {
		ix.Limit(limit[0], limit[1])
		events, next, err := ask(bol, index.Page{})
		if err != nil || len(events) != 1 || next == "" {
			t.Errorf("limits %v: %d events, next %q, %v", limit, len(events), next, err)
		}
		if _, _, err := ask(bol, index.Page{After: next}); !errors.Is(err, index.ErrTooComplex) {
			t.Errorf("limits %v: nothing found within them: %v", limit, err)
		}
		if events, _, err := ask("MATCH_anyEPCClass="+events[0].Event.Quantities[0].EPCClass, index.Page{}); err != nil || len(events) != 3 {
			t.Errorf("limits %v: %d events of a lot, %v", limit, len(events), err)
		}
	}
	ix.Limit(1e6, 1e6)
	if events, next, err := ask(bol, index.Page{}); err != nil || len(events) != 2 || next != "" {
		t.Errorf("without limits: %d events, next %q, %v", len(events), next, err)
	}
}
