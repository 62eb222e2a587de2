package main

import (
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
)

// Kill -9 during one long job, again and again: it goes on each time, and every event is there exactly once. FOODTRACE_SOAK sends a
// million events and kills a hundred times.
func TestKillLongJob(t *testing.T) {
	lots, kills := 600, 3
	if os.Getenv("FOODTRACE_SOAK") != "" {
		lots, kills = 101_200, 100
	}
	seed := uint64(time.Now().UnixNano())
	world := simulate.New(seed, simulate.Options{Lots: lots, EventIDs: simulate.HashIDs})
	events := map[string]bool{}
	for s := range world.Records() {
		if s.Record.Event != nil {
			events[s.Record.Event.Hash()] = true
		}
	}
	t.Logf("seed %d, %d events, %d kills", seed, len(events), kills)
	dir := t.TempDir()
	s := serve(t, dir)
	r := remote{Server: s.url, Token: s.producer}
	job := sendWorld(t, r, world)
	s.stop()
	k := killer{rng: rand.New(rand.NewPCG(seed, 0)), dir: dir, job: job, token: s.producer, pace: len(events) * 4 / 5 / kills, began: time.Now()}
	for n := range kills {
		k.life(t, n)
	}
	s = serve(t, dir)
	c := captureCmd{remote: remote{Server: s.url, Token: k.token}}
	end := epcisrest.Job{ID: job, Running: true}
	if err := c.wait(t.Context(), os.Stderr, &end); err != nil {
		t.Fatal(err)
	}
	s.stop()
	p := end.Foodtrace
	if !end.Success || p.Refused > 0 || p.Accepted+p.Duplicates != len(events) || len(end.Errors) > 0 {
		t.Errorf("%d accepted, %d duplicates, %d refused of %d: %v", p.Accepted, p.Duplicates, p.Refused, len(events), end.Errors)
	}
	t.Logf("%d kills in the middle of the job; it ended %v after the first start with %d duplicates", k.inJob, time.Since(k.began).Round(time.Second), p.Duplicates)
	if os.Getenv("FOODTRACE_SOAK") != "" && k.inJob < kills/2 { // a short job may be over before
		t.Errorf("only %d of %d kills came before the job's end", k.inJob, kills)
	}
	checkOnce(t, dir, events)
	must(t, "verify", "--data", dir)
}

// sendWorld captures a simulated chain as one document, and returns the ID of its job.
func sendWorld(t *testing.T, r remote, world *simulate.World) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "world.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := world.WriteEPCIS(f); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	var job epcisrest.Job
	header := http.Header{"Content-Type": {"application/ld+json"}, "GS1-Capture-Error-Behaviour": {"proceed"}}
	if err := r.do(t.Context(), http.MethodPost, "/epcis/capture", nil, header, f, &job); err != nil {
		t.Fatal(err)
	}
	return job.ID
}

// killer starts the server and kills it, at a random moment of the job.
type killer struct {
	rng        *rand.Rand
	dir        string
	job, token string
	pace       int // records that a life may bring on average, so that the job outlives the kills
	through    int // records
	inJob      int // kills before the job's end
	began      time.Time
}

// A kill comes while the server starts and reads again what is done, or after so many more records.
func (k *killer) life(t *testing.T, n int) {
	t.Helper()
	var out, errOut buffer
	p := start(t, 0, &out, &errOut, "serve", "--data", k.dir, "--listen", "127.0.0.1:0")
	r := remote{Server: await(t, &out, servingLine, errOut.String)[1], Token: k.token}
	soon, target := k.rng.IntN(4) == 0, k.through+k.rng.IntN(2*k.pace)
	if soon {
		time.Sleep(time.Duration(k.rng.Int64N(int64(time.Second))))
	}
	running := true
	for running && !soon {
		var job epcisrest.Job
		if err := r.get(t.Context(), jobPath(k.job), nil, &job); err != nil {
			t.Fatal(err)
		}
		f := job.Foodtrace
		k.through, running = f.Accepted+f.Duplicates+f.Refused, job.Running
		if k.through >= target {
			break
		}
		time.Sleep(time.Duration(k.rng.Int64N(int64(20 * time.Millisecond))))
	}
	if running {
		k.inJob++
	}
	_ = p.Process.Kill()
	_ = p.Wait() // it was killed
	t.Logf("kill %d after %d records, %v", n+1, k.through, time.Since(k.began).Round(time.Millisecond))
}
