package view

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/indextest"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
)

// TestQueryShowsOwn: what a member's queries find are the events that are shown to it in full one by one, no more and no less.
func TestQueryShowsOwn(t *testing.T) {
	own := 0
	for n := range 4 {
		src := NewSource(randomIndex(t, n), nil)
		ledger := everything(t, src.For(auth.Principal{Member: "R", Role: contract.Regulator}))
		for _, member := range []string{"M", "N", "O", "none"} {
			v := src.For(auth.Principal{Member: member, Role: contract.Producer})
			shown, err := v.own(t.Context(), ledger)
			if err != nil {
				t.Fatal(err)
			}
			var want []index.Where
			for i, e := range ledger {
				if shown[i] {
					want = append(want, e.Where)
				}
			}
			var got []index.Where
			for _, e := range everything(t, v) {
				got = append(got, e.Where)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("ledger %d, member %s (-shown +found):\n%s", n, member, diff)
			}
			own += len(got)
		}
	}
	if own == 0 {
		t.Error("no event was anybody's")
	}
}

// TestQueryIsNotPublic: the public can ask nothing, not even for counts.
func TestQueryIsNotPublic(t *testing.T) {
	v := NewSource(randomIndex(t, 0), nil).Public()
	_, _, err1 := v.Query(t.Context(), &query.Query{}, index.Page{})
	_, _, err2 := v.QuerySince(t.Context(), &query.Query{}, Cursor{}, 1)
	_, _, err3 := v.Values(t.Context(), index.BizSteps, index.Page{})
	_, err4 := v.Since(t.Context(), time.Time{})
	for _, err := range []error{err1, err2, err3, err4} {
		if !errors.Is(err, ErrForbidden) {
			t.Error(err)
		}
	}
}

func randomIndex(t *testing.T, n int) *sqlite.Index {
	t.Helper()
	ix, err := sqlite.Open(filepath.Join(t.TempDir(), "index.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ix.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := ix.Apply(context.Background(), indextest.Random(n)); err != nil {
		t.Fatal(err)
	}
	return ix
}

// everything is all that a view's queries find, in the order of the ledger.
func everything(t *testing.T, v *View) (all []index.Event) {
	t.Helper()
	for after := (Cursor{}); ; {
		events, next, err := v.QuerySince(t.Context(), &query.Query{}, after, 7)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, events...)
		if next == after {
			return all
		}
		after = next
	}
}
