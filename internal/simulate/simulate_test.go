package simulate

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
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

// The document reads back without a single remark, and says what the world says.
func TestDocumentIsValid(t *testing.T) {
	opt := Messy()
	doc, problems := epcis.Parse([]byte(written(t, 11, opt)), epcis.Limits{})
	for _, p := range problems {
		t.Error(p)
	}
	w := New(11, opt)
	n := 0
	for s := range w.Records() {
		if e := s.Record.Event; e != nil {
			if n < len(doc.Events) && doc.Events[n].Hash() != e.Hash() {
				t.Errorf("event %d is another one", n)
			}
			n++
		}
	}
	if n != len(doc.Events) {
		t.Errorf("%d events were read, %d told", len(doc.Events), n)
	}
	r := w.Registration()
	want := contract.Registration{Sites: r.Sites, Products: r.Products}
	for i := range want.Sites {
		want.Sites[i].Owner = "" // who owns a site is not in EPCIS
	}
	for i := range want.Products {
		want.Products[i].Owner = ""
	}
	if d := cmp.Diff(&want, doc.Header.MasterData, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}

// A world shows everything it is there for.
func TestChains(t *testing.T) {
	for _, chain := range []struct {
		name string
		opt  Options
		want []string
	}{
		{"spinach", Options{Spinach: 1, Lots: 300}, []string{"bins as inputs", "two-part process", "instances", "rework", "nested", "destroying", "retail_selling", "sensor", "certified"}},
		{"pork", Options{Pork: 1, Lots: 100}, []string{"creating_class_instance", "two-part process", "inspection", "retail_selling"}},
		{"shrimp", Options{Shrimp: 1, Lots: 50}, []string{"departing", "arriving", "nested", "inspection", "sensor"}},
		{"retold", Options{Spinach: 1, Shrimp: 1, Lots: 150, Retell: 0.5}, []string{"shipping", "departing", "transporting", "arriving", "unloading", "receiving"}},
		{"messy", Messy(), []string{"late", "duplicate", "declared", "hold", "release", "urn", "link"}},
	} {
		t.Run(chain.name, func(t *testing.T) {
			seen := sights(New(1, chain.opt))
			for _, what := range chain.want {
				if seen[what] == 0 {
					t.Errorf("no %s among %v", what, seen)
				}
			}
		})
	}
}

// sights counts what is to be seen in a world.
func sights(w *World) map[string]int {
	seen := map[string]int{}
	hashes := map[string]bool{}
	var last time.Time
	is := func(what string, yes bool) {
		if yes {
			seen[what]++
		}
	}
	for s := range w.Records() {
		is("inspection", s.Record.Inspection != nil)
		is("hold", s.Record.Hold != nil)
		is("release", s.Record.Release != nil)
		e := s.Record.Event
		if e == nil {
			continue
		}
		seen[e.BizStep]++
		is("late", e.Time.Before(last.Add(-24*time.Hour)))
		last = latest(last, e.Time.Time)
		is("duplicate", hashes[e.Hash()])
		hashes[e.Hash()] = true
		is("declared", e.ErrorDeclaration != nil)
		is("two-part process", e.TransformationID != "")
		is("sensor", len(e.SensorElements) > 0)
		is("certified", len(e.Certification) > 0)
		is("bins as inputs", len(e.InputEPCs) > 0)
		is("instances", len(e.Memberships()) > 0)
		is("nested", e.Action == event.Add && len(e.ChildEPCs) > 0)
		is("urn", e.ReadPoint != nil && strings.HasPrefix(e.ReadPoint.ID, "urn:"))
		is("link", e.ReadPoint != nil && strings.HasPrefix(e.ReadPoint.ID, "https:"))
		for _, q := range e.InputQuantities {
			is("rework", strings.HasPrefix(q.EPCClass, w.net.rework.id))
		}
	}
	return seen
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
	s := Demo(now, nil)
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

// Four members tell the same story as the firms that they play.
func TestCast(t *testing.T) {
	now := time.Date(2026, 11, 24, 1, 30, 0, 0, time.UTC)
	whole, cast := Demo(now, nil), Demo(now, FourMembers())
	if n := len(cast.Registration.Members); n != 4 {
		t.Fatalf("%d members", n)
	}
	played := FourMembers()
	for _, m := range whole.Registration.Members {
		i := slices.IndexFunc(cast.Registration.Members, func(c contract.Member) bool { return c.MSP == played[m.MSP] })
		if i < 0 {
			t.Fatalf("nobody plays %s", m.MSP)
		}
		c := cast.Registration.Members[i]
		if !slices.Contains(c.Roles, m.Roles[0]) || !slices.Contains(c.Prefixes, m.Prefixes[0]) || !slices.Contains(c.Parties, m.Parties[0]) {
			t.Errorf("%s does not stand for %s: %+v", c.MSP, m.MSP, c)
		}
	}
	if len(whole.Records) != len(cast.Records) || whole.Safe != cast.Safe || whole.Recalled != cast.Recalled {
		t.Fatalf("%d records, %d of them alone", len(cast.Records), len(whole.Records))
	}
	for i, r := range cast.Records {
		w := whole.Records[i]
		same := (r.Record.Event == nil) == (w.Record.Event == nil)
		if same && r.Record.Event != nil {
			same = r.Record.Event.Hash() == w.Record.Event.Hash()
		}
		if r.By != played[w.By] || !same {
			t.Errorf("record %d of %s is another one than %s told", i, r.By, w.By)
		}
	}
}
