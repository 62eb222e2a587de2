package simulate

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

func written(t *testing.T, seed uint64, opt Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := New(seed, opt).WriteEPCIS(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSameSeedSameWorld(t *testing.T) {
	a := written(t, 7, Messy())
	if a != written(t, 7, Messy()) {
		t.Error("the same seed made two different worlds")
	}
	if a == written(t, 8, Messy()) {
		t.Error("two seeds made the same world")
	}
}

func TestSentInOrderAndInTime(t *testing.T) {
	var last time.Time
	for s := range New(3, Messy()).Records() {
		if s.Captured.Before(last) {
			t.Fatalf("%v comes after %v", s.Captured, last)
		}
		last = s.Captured
	}
}

// Every identifier of every event and of the master data is a valid GS1 key, in whatever form it is written.
func TestIdentifiers(t *testing.T) {
	w := New(5, Messy())
	check := func(uris ...string) {
		for _, uri := range uris {
			if id, err := gs1.Parse(uri); err != nil || id.Kind == gs1.Other {
				t.Errorf("%s: %v, kind %v", uri, err, id.Kind)
			}
		}
	}
	r := w.Registration()
	for _, s := range r.Sites {
		check(s.ID)
	}
	for _, p := range r.Products {
		check(p.ID)
	}
	for _, m := range r.Members {
		check(m.Parties...)
	}
	for s := range w.Records() {
		if e := s.Record.Event; e != nil {
			for _, it := range e.Items() {
				check(it.Key)
			}
			for _, p := range []*event.Place{e.ReadPoint, e.BizLocation} {
				if p != nil {
					check(p.ID)
				}
			}
		}
	}
}

func TestDemo(t *testing.T) {
	now := time.Date(2026, 11, 24, 1, 30, 0, 0, time.UTC)
	s := Demo(now)
	if n := len(s.Records); n < 150 || n > 300 {
		t.Errorf("%d records", n)
	}
	text := map[string]bool{}
	for _, r := range s.Records {
		if r.Captured.After(now) {
			t.Errorf("a record is sent at %v, after now", r.Captured)
		}
		if e := r.Record.Event; e != nil {
			for _, it := range e.Items() {
				text[it.Key] = true
			}
		}
	}
	for _, lot := range []string{s.Safe, s.Held, s.Recalled, s.Released, s.Shrimp} {
		if !text[lot] {
			t.Errorf("no event names %q", lot)
		}
	}
	if !reflect.DeepEqual(s.Registration, New(1, Options{}).Registration()) {
		t.Error("the demo has another cast than the worlds")
	}
	if strings.Contains(s.Safe, "%") {
		t.Errorf("%s is hard to read", s.Safe)
	}
}
