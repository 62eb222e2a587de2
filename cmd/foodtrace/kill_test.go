package main

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/embedded"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
)

// Kill -9 at random moments of a capture under load: every acknowledged record is there exactly once, and verify is clean.
// A document is acknowledged with 202; FOODTRACE_SOAK does it 200 times.
func TestKill(t *testing.T) {
	kills := 6
	if os.Getenv("FOODTRACE_SOAK") != "" {
		kills = 200
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d kills", seed, kills)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	first := serve(t, dir)
	load := &feeder{token: first.producer, seed: seed, acknowledged: map[string]bool{}}
	first.stop()
	for range kills {
		var out, errOut buffer
		p := start(t, 0, &out, &errOut, "serve", "--data", dir, "--listen", "127.0.0.1:0")
		address := await(t, &out, servingLine, errOut.String)[1]
		time.AfterFunc(time.Duration(rng.Int64N(int64(400*time.Millisecond))), func() { _ = p.Process.Kill() })
		load.until(t, address, func() bool { return p.ProcessState == nil })
		_ = p.Wait() // it was killed
	}
	s := serve(t, dir)
	load.jobsEnd(t, s)
	s.stop()
	checkOnce(t, dir, load.acknowledged)
	t.Logf("%d documents acknowledged", len(load.jobs))
	must(t, "verify", "--data", dir)
}

// feeder sends documents and remembers what was acknowledged.
type feeder struct {
	token string
	seed  uint64

	mu           sync.Mutex
	sent         uint64
	jobs         []string
	acknowledged map[string]bool // event hashes
}

// feeders send at the same time.
const feeders = 3

// until sends documents until the server is gone.
func (f *feeder) until(t *testing.T, address string, alive func() bool) {
	t.Helper()
	var all sync.WaitGroup
	for range feeders {
		all.Go(func() {
			for alive() {
				if !f.send(t, address) {
					return
				}
			}
		})
	}
	all.Wait()
}

// send sends one document and reports whether the server is still there.
func (f *feeder) send(t *testing.T, address string) bool {
	f.mu.Lock()
	f.sent++
	world := simulate.New(f.seed+f.sent, simulate.Options{Lots: 40, EventIDs: simulate.HashIDs})
	f.mu.Unlock()
	var doc bytes.Buffer
	if err := world.WriteEPCIS(&doc); err != nil {
		t.Error(err)
		return false
	}
	var job epcisrest.Job
	header := http.Header{"Content-Type": {"application/ld+json"}, "GS1-Capture-Error-Behaviour": {"proceed"}}
	r := remote{Server: address, Token: f.token}
	if err := r.do(t.Context(), http.MethodPost, "/epcis/capture", nil, header, &doc, &job); err != nil {
		return strings.Contains(err.Error(), "TOO_MANY") // it is there, but wants less
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jobs = append(f.jobs, job.ID)
	for s := range world.Records() {
		if s.Record.Event != nil {
			f.acknowledged[s.Record.Event.Hash()] = true
		}
	}
	return true
}

// jobsEnd waits until every acknowledged job has ended, and checks that it succeeded.
func (f *feeder) jobsEnd(t *testing.T, s *server) {
	t.Helper()
	r := remote{Server: s.url, Token: s.producer}
	r.Token = f.token
	for _, id := range f.jobs {
		job := epcisrest.Job{ID: id, Running: true}
		c := captureCmd{remote: r}
		if err := c.wait(t.Context(), os.Stderr, &job); err != nil {
			t.Fatal(err)
		}
		if !job.Success || job.Foodtrace.Refused > 0 {
			t.Errorf("job %s: %+v", id, job)
		}
	}
}

// checkOnce reads the ledger of a stopped server: each acknowledged event was accepted exactly once, and nothing was accepted twice.
func checkOnce(t *testing.T, dir string, acknowledged map[string]bool) {
	t.Helper()
	l, err := embedded.Open(embedded.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := map[string]int{}
	height, err := l.Height(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range l.Blocks(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		for _, tx := range b.Txs {
			for _, o := range tx.Outcomes {
				if o.Status == contract.Accepted && strings.HasPrefix(o.ID, "ni:") {
					accepted[o.ID]++
				}
			}
		}
		if b.Height+1 == height {
			break
		}
	}
	for hash := range acknowledged {
		if accepted[hash] != 1 {
			t.Errorf("event %s was acknowledged and is there %d times", hash, accepted[hash])
		}
	}
	for hash, n := range accepted {
		if n != 1 {
			t.Errorf("event %s is there %d times", hash, n)
		}
	}
}

// verify says clean beside a server that is writing.
func TestVerifyBesideAWriter(t *testing.T) {
	s := serve(t, t.TempDir())
	load := &feeder{token: s.producer, seed: 99, acknowledged: map[string]bool{}}
	var feeding sync.WaitGroup
	done := make(chan struct{})
	feeding.Go(func() {
		load.until(t, s.url, func() bool {
			select {
			case <-done:
				return false
			default:
				return true
			}
		})
	})
	for range 3 {
		must(t, "verify", "--data", s.dir)
	}
	close(done)
	feeding.Wait()
	load.jobsEnd(t, s)
	must(t, "verify", "--data", s.dir)
}

// One flipped byte in any file that counts is found, and its block is named.
func TestVerifyNamesTheBlock(t *testing.T) {
	dir := t.TempDir()
	s := serve(t, dir)
	file := writeFile(t, "chain.json", must(t, "simulate", "--lots", "20", "--seed", "7"))
	must(t, append([]string{"capture", "-q", file}, s.as(s.producer)...)...)
	s.stop()
	must(t, "verify", "--data", dir)
	for _, test := range []struct{ name, glob, part string }{
		{"ledger", "ledger.log", "ledger: block "},
		{"evidence", "evidence/*/*/*", "evidence: block "},
	} {
		t.Run(test.name, func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join(dir, test.glob))
			if err != nil || len(files) == 0 {
				t.Fatalf("no file matches %s: %v", test.glob, err)
			}
			restore := flip(t, files[0], 0.6)
			defer restore()
			code, out, errOut := run(t, "verify", "--data", dir)
			if code != exitNo || !strings.Contains(out, test.part) || strings.Contains(out, "block -1") {
				t.Errorf("exit %d: %s%s", code, out, errOut)
			}
		})
	}
	t.Run("index", func(t *testing.T) {
		restore := flipEvent(t, filepath.Join(dir, "index.db"))
		defer restore()
		code, out, errOut := run(t, "verify", "--data", dir)
		if code != exitNo || !strings.Contains(out, "index: block ") || strings.Contains(out, "block -1") {
			t.Errorf("exit %d: %s%s", code, out, errOut)
		}
	})
	must(t, "verify", "--data", dir) // all is as it was
}

// flip changes one byte of a file and returns what undoes it.
func flip(t *testing.T, path string, at float64) (restore func()) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return rewrite(t, path, b, int(at*float64(len(b))))
}

// flipEvent changes a byte in the body of an event that the index file holds.
func flipEvent(t *testing.T, path string) (restore func()) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.LastIndex(b, []byte(event.Transformation))
	if i < 0 {
		t.Fatal("the index file holds no event")
	}
	return rewrite(t, path, b, i+1)
}

func rewrite(t *testing.T, path string, b []byte, at int) (restore func()) {
	t.Helper()
	changed := bytes.Clone(b)
	changed[at] ^= 1
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(b []byte) {
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, info.Mode()); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	write(changed)
	return func() { write(b) }
}
