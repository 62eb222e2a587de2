package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/internal/fabricnet"
)

func TestNetworkThatIsNotThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "network")
	for _, args := range [][]string{{"status"}, {"down"}, {"add", "carrier", "--role", "carrier"}, {"remove", "carrier"}, {"revoke", "carrier", "gateway"}, {"renew", "carrier"}, {"replace", "orderer1"}, {"upgrade", "2"}} {
		code, _, errOut := run(t, append(append([]string{"network"}, args...), "--dir", dir)...)
		if code != exitError || !strings.Contains(errOut, "there is no network in "+dir) {
			t.Errorf("network %s: exit code %d, %s", args[0], code, errOut)
		}
	}
}

func TestNetworkCommands(t *testing.T) {
	n := network.Get(t)
	of := func(args ...string) []string { return append(append([]string{"network"}, args...), "--dir", n.Dir()) }

	out := must(t, of("status")...)
	for _, want := range []string{"nothing is wrong", "peer.producer-b", "orderer3", "the first to expire"} {
		if !strings.Contains(out, want) {
			t.Errorf("status does not say %q:\n%s", want, out)
		}
	}
	if err := n.Kill("chaincode.retailer"); err != nil {
		t.Fatal(err)
	}
	code, out, _ := run(t, of("status", "-o", "json")...)
	s := decode[fabricnet.Status](t, out)
	if code != exitNo || len(s.Problems) != 1 || !strings.Contains(s.Problems[0], "chaincode.retailer does not run") || len(s.Nodes) != len(n.Names()) {
		t.Errorf("status with a service killed: exit code %d, %+v", code, s)
	}
	if code, out, _ := run(t, of("status")...); code != exitNo || !strings.Contains(out, "WRONG: chaincode.retailer does not run") {
		t.Errorf("status with a service killed: exit code %d\n%s", code, out)
	}
	if err := n.Start(t.Context(), "chaincode.retailer"); err != nil {
		t.Fatal(err)
	}

	code, out, errOut := run(t, of("up", "--chaincode", "/nowhere")...) // nothing to copy: it runs already
	if code != 0 || !strings.Contains(errOut, "the network runs already") || !strings.Contains(out, "foodtrace serve --config "+n.MemberFile("producer-a")) {
		t.Errorf("up: exit code %d\n%s%s", code, errOut, out)
	}
	if code, _, errOut := run(t, of("add", "retailer", "--role", "carrier")...); code != exitError || !strings.Contains(errOut, "on the network already") {
		t.Errorf("adding a member: exit code %d, %s", code, errOut)
	}
	if code, _, errOut := run(t, of("remove", "retailer", "--by", "regulator,producer-a")...); code != exitError || !strings.Contains(errOut, "/Channel/Application not satisfied") {
		t.Errorf("two of four remove a member: exit code %d, %s", code, errOut)
	}
	if out := must(t, of("status")...); !strings.Contains(out, "nothing is wrong") {
		t.Errorf("in the end:\n%s", out)
	}
}

// Nobody is told to remove what somebody else makes, or what was never made.
func TestNetworkUpWhereItCannotBe(t *testing.T) {
	file := writeFile(t, "file", "")
	dir := filepath.Join(file, "network")
	for _, args := range [][]string{{"--dir", dir}, {dir}} {
		code, _, errOut := run(t, append([]string{"network", "up", "--chaincode", file}, args...)...)
		if code != exitError || !strings.Contains(errOut, "a network cannot be there") || strings.Contains(errOut, "network down") {
			t.Errorf("network up %v: exit code %d, %s", args, code, errOut)
		}
	}
}
