package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// A gateway with the identity of another member, or with one that has expired, ends at once and says why.
func TestIdentityThatIsNotTheMembers(t *testing.T) {
	n := network.Get(t)
	file, data := memberConfig(t, n, "producer-b", "")
	own := readFile(t, file)
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(own, "member: producer-b", "member: retailer")), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errOut := run(t, "serve", "--config", file)
	if code != exitError || !strings.Contains(errOut, "issued by the authority of producer-b and not by that of retailer") {
		t.Errorf("another member's: exit code %d, %s", code, errOut)
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("it left a data directory: %v", err)
	}
	if err := os.WriteFile(file, []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, late buffer
	a := &app{ctx: t.Context(), in: strings.NewReader(""), out: &out, err: &late, getenv: os.Getenv, now: func() time.Time { return time.Now().AddDate(100, 0, 0) }}
	if code := a.run([]string{"serve", "--config", file}); code != exitError || !strings.Contains(late.String(), "the certificate expired on") {
		t.Errorf("one that has expired: exit code %d, %s", code, late.String())
	}
}
