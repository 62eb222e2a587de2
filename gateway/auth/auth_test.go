package auth

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

func open(t *testing.T, path string) *Tokens {
	t.Helper()
	tokens, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tokens.Close(); err != nil {
			t.Error(err)
		}
	})
	return tokens
}

// A token made through one handle is known to another at once: token create works beside a running server.
func TestTokensAreSharedThroughTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "to ken?.db")
	server, command := open(t, path), open(t, path)
	token, err := command.Create(t.Context(), "farm", contract.Producer)
	if err != nil {
		t.Fatal(err)
	}
	for who, want := range map[Principal]bool{{"farm", contract.Producer}: true, {"farm", contract.Carrier}: false, {"mill", contract.Producer}: false, {}: false} {
		if stands, err := server.Stands(t.Context(), who, ""); err != nil || stands != want {
			t.Errorf("Stands(%v) = %v, %v", who, stands, err)
		}
	}
	got, err := server.Lookup(t.Context(), token)
	if err != nil || got.Principal != (Principal{"farm", contract.Producer}) {
		t.Errorf("Lookup = %v, %v", got, err)
	}
	other, err := command.Create(t.Context(), "farm", contract.Producer)
	if err != nil || other == token {
		t.Errorf("two tokens are the same: %v", err)
	}
}

// A token that is revoked through one handle is unknown to another at once, and the others stay.
func TestRevoke(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.db")
	server, command := open(t, path), open(t, path)
	farm := Principal{"farm", contract.Producer}
	lost, kept := create(t, command, farm), create(t, command, farm)
	list, err := command.List(t.Context())
	if err != nil || len(list) != 2 || list[0].Principal != farm || time.Since(list[0].Created).Abs() > time.Minute {
		t.Fatalf("List = %v, %v", list, err)
	}
	id := IDOf(lost)
	if found, err := command.Find(t.Context(), string(id[:10])); err != nil || len(found) != 1 || found[0].ID != id {
		t.Errorf("Find(%s) = %v, %v", id[:10], found, err)
	}
	if err := command.Revoke(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := command.Revoke(t.Context(), id); !errors.Is(err, ErrUnknownToken) {
		t.Errorf("the second time: %v", err)
	}
	if _, err := server.Lookup(t.Context(), lost); !errors.Is(err, ErrUnknownToken) {
		t.Errorf("Lookup of the revoked one = %v", err)
	}
	if got, err := server.Lookup(t.Context(), kept); err != nil || got.ID != IDOf(kept) {
		t.Errorf("Lookup of the other = %v, %v", got, err)
	}
	for id, want := range map[ID]bool{IDOf(lost): false, IDOf(kept): true, "": true} {
		if stands, err := server.Stands(t.Context(), farm, id); err != nil || stands != want {
			t.Errorf("Stands(%q) = %v, %v", id, stands, err)
		}
	}
	if stands, err := server.Stands(t.Context(), Principal{"mill", contract.Producer}, IDOf(kept)); err != nil || stands {
		t.Errorf("the token stands for another member: %v", err)
	}
}

func create(t *testing.T, tokens *Tokens, p Principal) string {
	t.Helper()
	token, err := tokens.Create(t.Context(), p.Member, p.Role)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestUnknownTokens(t *testing.T) {
	tokens := open(t, filepath.Join(t.TempDir(), "tokens.db"))
	token, err := tokens.Create(t.Context(), "farm", contract.Producer)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "ft_", token[:len(token)-1], token + "A", strings.ToUpper(token), "x" + token, strings.Repeat("a", 1000)} {
		if _, err := tokens.Lookup(t.Context(), bad); !errors.Is(err, ErrUnknownToken) {
			t.Errorf("Lookup(%q) = %v", bad, err)
		}
	}
	for _, c := range []Principal{{"", contract.Producer}, {"farm", ""}} {
		if _, err := tokens.Create(t.Context(), c.Member, c.Role); err == nil {
			t.Errorf("Create(%v) made a token", c)
		}
	}
}

func TestOnlyTheHashIsKept(t *testing.T) {
	dir := t.TempDir()
	tokens := open(t, filepath.Join(dir, "tokens.db"))
	token, err := tokens.Create(t.Context(), "farm-0815", contract.Producer)
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		seen = seen || bytes.Contains(body, []byte("farm-0815"))
		if bytes.Contains(body, []byte(token)) || bytes.Contains(body, []byte(strings.TrimPrefix(token, tokenPrefix))) {
			t.Errorf("%s holds the token", path)
		}
		return err
	})
	if err != nil || !seen {
		t.Errorf("the row is in none of the files: %v", err)
	}
}

func TestMiddleware(t *testing.T) {
	tokens := open(t, filepath.Join(t.TempDir(), "tokens.db"))
	token, err := tokens.Create(t.Context(), "agency", contract.Regulator)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		header string
		status int
		want   Principal
	}{
		{"", 200, Principal{}},
		{"Bearer " + token, 200, Principal{"agency", contract.Regulator}},
		{"bearer  " + token, 200, Principal{"agency", contract.Regulator}},
		{"Bearer nonsense", 401, Principal{}},
		{"Basic " + token, 401, Principal{}},
		{token, 401, Principal{}},
	} {
		var got Principal
		h := Middleware(tokens)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = From(r.Context()) }))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", c.header)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || got != c.want {
			t.Errorf("%q: %d %v, want %d %v", c.header, w.Code, got, c.status, c.want)
		}
		if c.status == 401 && (w.Header().Get("WWW-Authenticate") == "" || strings.Contains(w.Body.String(), token)) {
			t.Errorf("%q: %v %s", c.header, w.Header(), w.Body)
		}
	}
}

func TestRequire(t *testing.T) {
	ctx := t.Context()
	with := func(r contract.Role) error {
		return Require(withToken(ctx, Token{Principal: Principal{"m", r}}), contract.Regulator, contract.Laboratory)
	}
	if Require(ctx) == nil {
		t.Error("the public passed")
	}
	if with(contract.Regulator) != nil || with(contract.Laboratory) != nil || with(contract.Producer) == nil {
		t.Error("roles are not told apart")
	}
}
