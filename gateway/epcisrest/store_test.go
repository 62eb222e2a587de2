package epcisrest

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
)

func open(t testing.TB, path string, now func() time.Time) *Store {
	t.Helper()
	s, err := OpenStore(path, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// A token is valid for a day, also after the gateway has been started again, for whom it was made and for his question.
func TestTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "que ries?.db")
	start := time.Date(2026, 4, 23, 12, 0, 0, 0, time.UTC)
	clock := start
	now := func() time.Time { return clock }
	farm := auth.Principal{Member: "farm", Role: contract.Producer}
	token, expires := open(t, path, now).token(farm, "/events?", "cursor")
	if !expires.Equal(start.Add(24 * time.Hour)) {
		t.Errorf("expires %v", expires)
	}
	again := open(t, path, now)
	for _, c := range []struct {
		name            string
		who             auth.Principal
		question, token string
		at              time.Time
		ok              bool
	}{
		{"as it was made", farm, "/events?", token, start, true},
		{"at its end", farm, "/events?", token, expires, true},
		{"expired", farm, "/events?", token, expires.Add(time.Second), false},
		{"another member", auth.Principal{Member: "shop", Role: contract.Producer}, "/events?", token, start, false},
		{"another role", auth.Principal{Member: "farm", Role: contract.Regulator}, "/events?", token, start, false},
		{"the public", auth.Principal{}, "/events?", token, start, false},
		{"another question", farm, "/events?EQ_action=ADD", token, start, false},
		{"cut", farm, "/events?", token[:len(token)-2], start, false},
		{"empty", farm, "/events?", "", start, false},
		{"of nothing", farm, "/events?", "AAAA", start, false},
		{"no base64", farm, "/events?", "!" + token, start, false},
	} {
		clock = c.at
		got, err := again.cursor(t.Context(), c.who, c.question, c.token)
		if c.ok && (err != nil || got != "cursor") || !c.ok && !errors.Is(err, errToken) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
	clock = start
	other := open(t, filepath.Join(t.TempDir(), "queries.db"), now)
	if _, err := other.cursor(t.Context(), farm, "/events?", token); !errors.Is(err, errToken) {
		t.Errorf("another gateway takes the token: %v", err)
	}
}

func TestNamedQueriesOutliveTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "queries.db")
	first := open(t, path, time.Now)
	q := Named{Name: "n", Query: jsontext.Value(`{"EQ_bizStep":["shipping"]}`)}
	if err := first.Create(t.Context(), "farm", q); err != nil {
		t.Fatal(err)
	}
	second := open(t, path, time.Now)
	if got, err := second.Named(t.Context(), "farm", "n"); err != nil || string(got.Query) != string(q.Query) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := second.Create(t.Context(), "farm", q); !errors.Is(err, ErrNameTaken) {
		t.Errorf("made twice: %v", err)
	}
	if err := second.Delete(t.Context(), "shop", "n"); !errors.Is(err, ErrNoSuchQuery) {
		t.Errorf("another member's was deleted: %v", err)
	}
	if err := first.Delete(t.Context(), "farm", "n"); err != nil {
		t.Error(err)
	}
	if _, err := second.Named(t.Context(), "farm", "n"); !errors.Is(err, ErrNoSuchQuery) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestAMemberHasSoManyQueries(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "queries.db"), time.Now)
	if _, err := s.db.Exec(`WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO named (member, name, query, created) SELECT 'farm', i, '{}', '' FROM n`, maxNamed); err != nil {
		t.Fatal(err)
	}
	if err := s.Create(t.Context(), "farm", Named{Name: "more", Query: jsontext.Value("{}")}); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	if err := s.Create(t.Context(), "shop", Named{Name: "first", Query: jsontext.Value("{}")}); err != nil {
		t.Errorf("of another member: %v", err)
	}
}

// FuzzToken: no text but a token that was made here opens, and only for whom it was made.
func FuzzToken(f *testing.F) {
	s := open(f, filepath.Join(f.TempDir(), "queries.db"), time.Now)
	farm := auth.Principal{Member: "farm", Role: contract.Producer}
	made, _ := s.token(farm, "/events?", "1.2.3")
	f.Add(made, "farm")
	f.Add(made, "shop")
	f.Add("AAAA", "")
	f.Fuzz(func(t *testing.T, token, member string) {
		who := auth.Principal{Member: member, Role: contract.Producer}
		_, _, cursor, err := s.open(who, token)
		if err == nil && (token != made || who != farm || cursor != "1.2.3") {
			t.Errorf("%q opens for %q: %q", token, member, cursor)
		}
	})
}
