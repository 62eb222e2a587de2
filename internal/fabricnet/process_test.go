package fabricnet

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// fake returns a network without Fabric, whose processes a test makes up.
func fake(t *testing.T) *Network {
	t.Helper()
	n := &Network{dir: filepath.Join(t.TempDir(), "a network"), state: &state{}, options: Options{Progress: io.Discard}}
	if err := os.MkdirAll(n.path("log"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := n.state.choosePorts(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.stop(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func TestProcessesAreFoundByTheirNetwork(t *testing.T) {
	n, other := fake(t), fake(t)
	before := time.Now().Add(-2 * time.Second) // the kernel counts in hundredths, and boot in whole seconds
	for _, id := range []string{"one", "two"} {
		if _, err := n.spawn(process{name: id, id: id, program: "/bin/sleep", args: []string{"60"}}); err != nil {
			t.Fatal(err)
		}
	}
	var found map[string]running
	for ; len(found) < 2 && t.Context().Err() == nil; time.Sleep(poll) { // Start returns a moment before the kernel shows the command line
		var err error
		if found, err = n.find(); err != nil {
			t.Fatal(err)
		}
	}
	if len(found) != 2 || found["one"].pid == 0 || found["two"].pid == found["one"].pid {
		t.Fatalf("found %v", found)
	}
	if since := found["one"].since; since.Before(before) || since.After(time.Now().Add(2*time.Second)) {
		t.Errorf("it runs since %v", since)
	}
	if found, err := other.find(); err != nil || len(found) > 0 {
		t.Errorf("another network has the processes %v: %v", found, err)
	}
	if err := other.stop(); err != nil {
		t.Error(err)
	}
	if err := n.stop("one"); err != nil {
		t.Fatal(err)
	}
	if found, err := n.find(); err != nil || len(found) != 1 || found["two"].pid == 0 {
		t.Errorf("after one was stopped there are %v: %v", found, err)
	}
}

func TestProcessThatDoesNotStart(t *testing.T) {
	n := fake(t)
	p := process{name: "false", id: "false", program: "/bin/sh", args: []string{"-c", "echo no luck; exit 1"}, address: n.state.address("false")}
	err := n.start(t.Context(), p)
	if err == nil {
		t.Fatal("it started")
	}
	if want := "no luck"; !contains(err, want) {
		t.Errorf("the error does not quote the log: %v", err)
	}
}

func TestProcessWhoseAddressIsTaken(t *testing.T) {
	n := fake(t)
	l, err := net.Listen("tcp", n.state.address("taken"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := process{name: "sleep", id: "sleep", program: "/bin/sleep", args: []string{"60"}, address: n.state.address("taken")}
	if err := n.start(t.Context(), p); !contains(err, "another program listens on "+p.address) {
		t.Errorf("start: %v", err)
	}
}

func TestPortsStayTheSame(t *testing.T) {
	n := fake(t)
	a, b := n.state.port("a"), n.state.port("b")
	if a == b || n.state.port("a") != a {
		t.Errorf("ports %d, %d, then %d", a, b, n.state.port("a"))
	}
	if err := n.save(); err != nil {
		t.Fatal(err)
	}
	again, err := load(n.dir)
	if err != nil {
		t.Fatal(err)
	}
	if again.port("b") != b || again.port("c") == b || again.port("c") == a {
		t.Errorf("after a restart b is %d, it was %d; c is %d", again.port("b"), b, again.port("c"))
	}
}

func TestPortsInUseAreNotChosen(t *testing.T) {
	n := fake(t)
	base := n.state.Ports[""]
	l, err := net.Listen("tcp", hostPort(base+blockSize-1))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if allFree(base) {
		t.Error("a block with a port in use is free")
	}
}

func TestDirectoryOfOthers(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Up(t.Context(), Options{Dir: dir}); err == nil || !contains(err, "holds other files") {
		t.Errorf("a directory with other files: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "thesis.txt")); err != nil {
		t.Error(err)
	}
}

func TestOneUpAtATime(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Up(t.Context(), Options{Dir: dir}); !contains(err, "somebody else") {
		t.Errorf("a second Up: %v", err)
	}
	unlock()
	unlock, err = lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}
