package fabric

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestIssuers(t *testing.T) {
	c := newChain(t, "a", "b")
	conf := Config{Genesis: filepath.Join(t.TempDir(), "genesis.block")}
	if err := os.WriteFile(conf.Genesis, encode(c.genesis), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		of      *account
		issuers []string
	}{{c.orgs["a"].account("x", "client"), []string{"a"}}, {c.orgs["b"].account("x", "client"), []string{"b"}}, {newOrg(t, "a").account("x", "client"), nil}} {
		if issuers, err := conf.Issuers(want.of.Cert); err != nil || !slices.Equal(issuers, want.issuers) {
			t.Errorf("%v, not %v: %v", issuers, want.issuers, err)
		}
	}
	if _, err := conf.Issuers([]byte("no certificate")); err == nil {
		t.Error("what is no certificate has issuers")
	}
	if _, err := (Config{Genesis: "/nowhere"}).Issuers(nil); err == nil {
		t.Error("a first block that is not there has authorities")
	}
}
