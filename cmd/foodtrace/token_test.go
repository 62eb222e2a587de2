package main

import (
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
