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
		if stands, err := server.Stands(t.Context(), who); err != nil || stands != want {
			t.Errorf("Stands(%v) = %v, %v", who, stands, err)
		}
	}
	got, err := server.Lookup(t.Context(), token)
	if err != nil || got != (Principal{"farm", contract.Producer}) {
		t.Errorf("Lookup = %v, %v", got, err)
	}
	other, err := command.Create(t.Context(), "farm", contract.Producer)
	if err != nil || other == token {
		t.Errorf("two tokens are the same: %v", err)
	}
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
		return Require(withPrincipal(ctx, Principal{"m", r}), contract.Regulator, contract.Laboratory)
	}
	if Require(ctx) == nil {
		t.Error("the public passed")
	}
	if with(contract.Regulator) != nil || with(contract.Laboratory) != nil || with(contract.Producer) == nil {
		t.Error("roles are not told apart")
	}
}
