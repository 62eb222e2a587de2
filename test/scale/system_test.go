package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
)

func smallWorld() options { return options{events: 1000, seed: 3, every: 10 * time.Minute} }

// TestDeliveries: what is sent at once is one member's, not too much, and everything is sent once.
func TestDeliveries(t *testing.T) {
	const most = 25
	world := simulate.New(3, simulate.Options{Lots: 400, Inspect: 0.2})
	want := map[string]int{}
	for r := range world.Records() {
		want[r.By]++
	}
	full := 0
	for d := range deliveries(world, most) {
		if d.size() == 0 || d.size() > most {
			t.Fatalf("%d records at once", d.size())
		}
		if d.size() == most {
			full++
		}
		want[d.by] -= d.size()
	}
	for by, missing := range want {
		if missing != 0 {
			t.Errorf("%s: %d records were not sent, or twice", by, missing)
		}
	}
	if full == 0 {
		t.Error("no delivery was full: the limit was not tried")
	}
}

func TestFollowing(t *testing.T) {
	for n, want := range map[int]int{10_000: 20_000, 20_000: 50_000, 50_000: 100_000, 100_000: 200_000} {
		if got := following(n); got != want {
			t.Errorf("after %d: %d, want %d", n, got, want)
		}
	}
}

// TestFigures: the parts of what is measured make up the whole, and nothing is 0 that cannot be.
func TestFigures(t *testing.T) {
	ctx := context.Background()
	o := smallWorld()
	s, done, err := open(ctx, t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := done(); err != nil {
			t.Error(err)
		}
	}()
	world := o.world()
	if err := s.register(ctx, o.registration(world)); err != nil {
		t.Fatal(err)
	}
	begin := startClock()
	for d := range deliveries(world, 100) {
		if err := s.take(ctx, d); err != nil {
			t.Fatal(err)
		}
		if s.events >= o.events {
			break
		}
	}
	if err := s.project(ctx); err != nil {
		t.Fatal(err)
	}
	figures, err := s.figures(ctx, begin)
	if err != nil {
		t.Fatal(err)
	}
	got, keys := map[string]float64{}, 0.0
	for _, f := range figures {
		got[f.name] = f.total
		if strings.HasPrefix(f.name, "state: ") && strings.HasSuffix(f.name, ", keys") {
			keys += f.total
		}
	}
	if keys != got["state: keys"] {
		t.Errorf("%v keys by kind, %v in all", keys, got["state: keys"])
	}
	for _, name := range []string{"evidence: documents, B", "ledger: file, B", "contract: keys read", "contract: keys written", "state: seen, keys", "index: file, B"} {
		if got[name] <= 0 {
			t.Errorf("%s: %v", name, got[name])
		}
	}
	if s.refused > 0 || got["evidence: documents, B"] < 300*float64(s.events) {
		t.Errorf("%d of %d events not accepted, %v B of documents", s.refused, s.events, got["evidence: documents, B"])
	}
	if events, err := indexed(ctx, s); err != nil || events != s.events {
		t.Errorf("the index has %d events, %d were written (%v)", events, s.events, err)
	}
}

// indexed counts the events in the index.
func indexed(ctx context.Context, s *system) (events int, err error) {
	for row, err := range s.index.Rows(ctx) {
		if err != nil {
			return 0, err
		}
		if row.Table == "events" {
			events++
		}
	}
	return events, nil
}
