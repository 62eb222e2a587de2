package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// asProgram makes the test binary be the program, so that a test can kill it. Its value is how far its clock is off.
const asProgram = "FOODTRACE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if text := os.Getenv(asProgram); text != "" {
		off, err := time.ParseDuration(text)
		if err != nil {
			panic(err)
		}
		os.Exit(program(func() time.Time { return time.Now().Add(off) }))
	}
	os.Exit(network.Run(m))
}

// buffer is an output that one goroutine writes and others look at.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// run executes one command line in this process.
func run(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e buffer
	a := &app{ctx: t.Context(), in: strings.NewReader(""), out: &o, err: &e, getenv: os.Getenv}
	code = a.run(args)
	return code, o.String(), e.String()
}

// must runs a command that has to end with 0 and returns what it printed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errOut := run(t, args...)
	if code != 0 {
		t.Fatalf("foodtrace %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errOut)
	}
	return out
}

// server is a `foodtrace serve` in this process.
type server struct {
	url, dir            string
	regulator, producer string // tokens
	stop                func()
}

var (
	servingLine = regexp.MustCompile(`serving .* on (http://\S+)`)
	tokenLine   = regexp.MustCompile(`token of (\S+) \(shown once\): (\S+)`)
)

// serve starts a server on a data directory and stops it when the test ends, or when stop is called.
func serve(t *testing.T, dir string) *server {
	t.Helper()
	out, errOut, stop := begin(t, "serve", "--data", dir, "--listen", "127.0.0.1:0")
	s := &server{dir: dir, stop: stop}
	s.url = await(t, out, servingLine, errOut.String)[1]
	for _, m := range tokenLine.FindAllStringSubmatch(out.String(), -1) {
		if m[1] == "regulator" {
			s.regulator = m[2]
		} else {
			s.producer = m[2]
		}
	}
	return s
}

// begin runs a command in this process that ends when the test does, or when stop is called, with exit code 0.
func begin(t *testing.T, args ...string) (out, errOut *buffer, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, errOut = &buffer{}, &buffer{}
	done := make(chan int, 1)
	a := &app{ctx: ctx, in: strings.NewReader(""), out: out, err: errOut, getenv: os.Getenv}
	go func() { done <- a.run(args) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("foodtrace %s: exit %d\n%s", strings.Join(args, " "), code, errOut.String())
		}
	})
	t.Cleanup(stop)
	return out, errOut, stop
}

// patience is how long a test waits for what must come: long enough for a loaded machine under the race detector, and in the campaigns for
// a server that starts with a million events.
var patience = func() time.Duration {
	if os.Getenv("FOODTRACE_SOAK") != "" {
		return 10 * time.Minute
	}
	return time.Minute
}()

// await waits for a line of an output.
func await(t *testing.T, out *buffer, line *regexp.Regexp, why func() string) []string {
	t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		if m := line.FindStringSubmatch(out.String()); m != nil {
			return m
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%q did not come\n%s\n%s", line, out.String(), why())
	return nil
}

// as returns the flags that name a server and a token.
func (s *server) as(token string) []string { return []string{"--server", s.url, "--token", token} }

// start starts the program as a process of its own, on a clock that is off, which ends with this process at the latest.
func start(t *testing.T, clock time.Duration, out, errOut io.Writer, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"="+clock.String())
	cmd.Stdout, cmd.Stderr = out, errOut
	bind(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// write puts a file into a folder of the test's own.
func writeFile(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func decode[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return v
}

func TestErrorsInTheLogAreOneLine(t *testing.T) {
	var out buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: oneLine}))
	for text, want := range map[string]string{
		"plain": "err=plain\n",
		"a\nb":  `err="a; b"` + "\n",
		"no answer\ncomm.waitConn\n\t/sdk/comm.go:38\ncomm.dial\n\t/sdk/comm.go:71\nthe second peer": `err="no answer; the second peer"` + "\n",
	} {
		log.Warn("x", "err", fmt.Errorf("%w", errors.New(text)))
		if line := out.String(); !strings.HasSuffix(line, want) {
			t.Errorf("%q: %q", text, line)
		}
	}
}
