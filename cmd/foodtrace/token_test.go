package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// A token in a role that the member has not would write nothing, so it is not made; where nobody knows yet, it is said.
func TestTokenOfARole(t *testing.T) {
	s := serve(t, t.TempDir())
	defer s.stop()
	for role, want := range map[string]int{"producer": 0, "regulator": exitError, "retailer": exitError} {
		code, out, errOut := run(t, "token", "create", "--data", s.dir, "--member", "producer", "--role", role)
		if code != want || (code == 0) != (out != "") || (code != 0) != strings.Contains(errOut, "not registered as "+role+" but as [producer]") {
			t.Errorf("%s: exit code %d, %q, %s", role, code, out, errOut)
		}
	}
}

// A token that is revoked beside a running server is refused from then on; what is not told apart is not revoked.
func TestTokensListedAndRevoked(t *testing.T) {
	s := serve(t, t.TempDir())
	defer s.stop()
	type token struct {
		ID      string `json:"id"`
		Member  string `json:"member"`
		Role    string `json:"role"`
		Created string `json:"created"`
		Token   string `json:"token"`
	}
	made := decode[token](t, must(t, "token", "create", "--data", s.dir, "--member", "producer", "--role", "producer", "-o", "json"))
	second := strings.TrimSpace(must(t, "token", "create", "--data", s.dir, "--member", "producer", "--role", "producer"))
	list := decode[[]token](t, must(t, "token", "list", "--data", s.dir, "-o", "json"))
	at := slices.IndexFunc(list, func(l token) bool { return l.ID == made.ID })
	if len(list) != 4 || at < 0 || list[at].Member != "producer" || list[at].Role != "producer" || list[at].Created == "" || list[at].Token != "" {
		t.Fatalf("%s is not in %v", made.ID, list)
	}
	if text := must(t, "token", "list", "--data", s.dir); !strings.Contains(text, made.ID) || strings.Contains(text, made.Token) {
		t.Error(text)
	}
	for _, wrong := range [][]string{{"zz"}, {""}, {made.ID, "zz"}, {made.Token + "x"}, {"ft_unknown"}} {
		code, _, errOut := run(t, append([]string{"token", "revoke", "--data", s.dir}, wrong...)...)
		if code != exitError || strings.Contains(errOut, made.Token) {
			t.Errorf("%v: exit code %d, %s", wrong, code, errOut)
		}
	}
	asked := func(token string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/epcis/queries", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	if got := asked(made.Token); got != http.StatusOK {
		t.Fatal("before:", got)
	}
	must(t, "token", "revoke", "--data", s.dir, made.ID[:12], second) // by its first digits, and by itself
	for name, c := range map[string]struct {
		token string
		want  int
	}{"by ID": {made.Token, http.StatusUnauthorized}, "by itself": {second, http.StatusUnauthorized}, "another": {s.producer, http.StatusOK}} {
		if got := asked(c.token); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if code, _, errOut := run(t, "token", "list", "--data", t.TempDir()); code != exitError || !strings.Contains(errOut, "no tokens") {
		t.Errorf("a folder without tokens: %d %s", code, errOut)
	}
}
