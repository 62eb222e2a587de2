package fabricnet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

func TestShellQuote(t *testing.T) {
	for _, text := range []string{"/plain/path-1.yaml", "/a path/with spaces", "it's", `back\slash "and" $HOME`, "", "食品"} {
		out, err := exec.Command("sh", "-c", "printf %s "+ShellQuote(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q is read as %q: %v", text, out, err)
		}
	}
	if q := ShellQuote("/plain/path-1.yaml"); q != "/plain/path-1.yaml" {
		t.Errorf("a plain path is quoted: %s", q)
	}
}

// lockedByTest is the file that the test binary locks, as a gateway does, when it is run for that.
const lockedByTest = "FOODTRACE_TEST_LOCK"

func TestGateways(t *testing.T) {
	if file := os.Getenv(lockedByTest); file != "" {
		hold(t, file)
		return
	}
	dir := t.TempDir()
	if _, err := Gateways(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("where there is no network: %v", err)
	}
	n := &Network{dir: dir, state: &state{Members: DefaultMembers()}}
	if err := n.save(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(n.memberData("producer-a"), "replica", "replica.lock")
	if err := writeFiles("", map[string][]byte{file: nil}); err != nil {
		t.Fatal(err)
	}
	if running, err := Gateways(dir); err != nil || len(running) > 0 {
		t.Errorf("none runs: %v %v", running, err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestGateways$")
	cmd.Env = append(os.Environ(), lockedByTest+"="+file)
	end, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(said).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if running, err := Gateways(dir); err != nil || !slices.Equal(running, []string{"producer-a"}) {
		t.Errorf("one runs: %v %v", running, err)
	}
	end.Close()
	_ = cmd.Wait() // its output was not read to the end
	if running, err := Gateways(dir); err != nil || len(running) > 0 {
		t.Errorf("it has ended: %v %v", running, err)
	}
}

// hold locks a file until standard input ends.
func hold(t *testing.T, file string) {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}); err != nil {
		t.Fatal(err)
	}
	fmt.Println("locked")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// While one makes the network or removes it, nobody else does, and nothing is touched.
func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	n := &Network{dir: dir, state: &state{Members: DefaultMembers()}}
	if err := n.save(); err != nil {
		t.Fatal(err)
	}
	unlock, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := Down(dir, false); !errors.Is(err, ErrBusy) {
		t.Errorf("down: %v", err)
	}
	if _, err := Up(t.Context(), Options{Dir: dir}); !errors.Is(err, ErrBusy) {
		t.Errorf("up: %v", err)
	}
	if _, err := load(dir); err != nil {
		t.Errorf("the network is damaged: %v", err)
	}
	unlock()
	if err := Down(dir, false); err != nil {
		t.Errorf("down: %v", err)
	}
	if err := n.Down(false); err != nil {
		t.Errorf("down once more: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Up(t.Context(), Options{Dir: filepath.Join(file, "network")}); !errors.Is(err, ErrDirectory) {
		t.Errorf("below a file: %v", err)
	}
}
