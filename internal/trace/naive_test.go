package trace_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
	"github.com/foodtrace-ledger/foodtrace/internal/trace/tracetest"
)

// naive reads docs/rules.md section 3 sentence by sentence: it keeps every way in which an item was reached and applies
// every rule to every one of them and every event until nothing new comes.
type naive struct {
	events []*event.Event
	ways   []way
	depth  map[way]int
}

// way is how an item was reached: with a bound and contents at some time (whole), or as a carrier.
type way struct {
	item, as    string
	from, until int64 // of the bound or of carrying
	at, to      int64 // whole: when its contents matter
}

const (
	day  = int64(24 * 3600 * 1e6)
	past = math.MinInt64
	ever = math.MaxInt64
)

// notAfter is "not later than, within a day".
func notAfter(a, b int64) bool { return b >= ever-day || a <= b+day }

func trialOf(e []*event.Event, item string, back bool) *naive {
	n := &naive{events: e, depth: map[way]int{}}
	n.reach(0, way{item, "whole", past, ever, past, ever})
	for i := 0; i < len(n.ways); i++ {
		n.follow(n.ways[i], back)
	}
	return n
}

func (n *naive) reach(depth int, w way) {
	if _, ok := n.depth[w]; !ok {
		n.depth[w] = depth
		n.ways = append(n.ways, w)
	}
}

func (n *naive) follow(w way, back bool) {
	d := n.depth[w] + 1
	bounded := func(item, as string, t int64, at, to int64) way {
		if back {
			return way{item, as, past, t, at, to}
		}
		return way{item, as, t, ever, at, to}
	}
	bound := w.from
	if back {
		bound = w.until
	}
	for _, p := range n.processes() { // rule 1
		joins, others, first, last := false, []string{}, int64(ever), int64(past)
		mine, theirs := event.RoleInput, event.RoleOutput
		if back {
			mine, theirs = theirs, mine
		}
		for _, e := range p {
			t := e.Time.UnixMicro()
			for _, it := range e.Items() {
				if it.Kind == gs1.Class {
					continue
				}
				first, last = min(first, t), max(last, t)
				if it.Role == theirs {
					others = append(others, it.Key)
				}
				if it.Role == mine && it.Key == w.item && notAfter(t, w.until) && (back || notAfter(w.from, t)) {
					joins = true
				}
			}
		}
		for _, other := range others {
			switch {
			case !joins:
			case back:
				n.reach(d, bounded(other, "whole", last, last, last))
			default:
				n.reach(d, bounded(other, "whole", first, first, ever))
			}
		}
	}
	for _, e := range n.events { // rule 2
		for _, m := range e.Memberships() {
			if back && m.Instance == w.item && w.as != "carrier" {
				n.reach(d, bounded(m.Lot, "whole", bound, w.at, w.to))
			}
			if !back && m.Lot == w.item && w.as != "carrier" {
				n.reach(d, bounded(m.Instance, "whole", bound, w.at, w.to))
			}
		}
	}
	for _, s := range n.inside() {
		if s.child == w.item { // rule 3
			from, until := max(s.from, w.from), min(s.until, w.until)
			if notAfter(from, until) {
				n.reach(d, way{s.parent, "carrier", from, until, 0, 0})
			}
		}
		if s.parent == w.item && w.as == "whole" && notAfter(s.from, w.to) && notAfter(w.at, s.until) { // rule 4
			t := w.at
			if back {
				t = w.to
			}
			n.reach(d, bounded(s.child, "whole", t, w.at, w.to))
		}
	}
}

func (n *naive) processes() map[string][]*event.Event {
	all := map[string][]*event.Event{}
	for i, e := range n.events {
		if e.Type == event.Transformation {
			name := e.TransformationID
			if name == "" {
				name = fmt.Sprint(i)
			}
			all[name] = append(all[name], e)
		}
	}
	return all
}

type inside struct {
	parent, child string
	from, until   int64
}

func (n *naive) inside() (all []inside) {
	for _, e := range n.events {
		if e.Type != event.Aggregation || e.Action == event.Delete {
			continue
		}
		for _, child := range e.Items() {
			if child.Role != event.RoleChild || child.Kind == gs1.Class {
				continue
			}
			s := inside{parent(e), child.Key, e.Time.UnixMicro(), e.Time.UnixMicro()}
			if e.Action == event.Add {
				s.until = ever
				for _, end := range n.events {
					t := end.Time.UnixMicro()
					if end.Type == event.Aggregation && end.Action == event.Delete && parent(end) == s.parent && t > s.from && t < s.until && ends(end, s.child) {
						s.until = t
					}
				}
			}
			all = append(all, s)
		}
	}
	return all
}

func parent(e *event.Event) string {
	for _, it := range e.Items() {
		if it.Role == event.RoleParent {
			return it.Key
		}
	}
	return ""
}

func ends(e *event.Event, child string) bool {
	listed := false
	for _, it := range e.Items() {
		if it.Role == event.RoleChild {
			listed = true
			if it.Key == child {
				return true
			}
		}
	}
	return !listed
}

// answer is the trace in words that do not depend on numbers.
func (n *naive) answer(back bool) string {
	type node struct {
		depth       int
		carrier     bool
		from, until int64
	}
	nodes := map[string]node{}
	times := map[int64]bool{}
	for _, w := range n.ways {
		have, ok := nodes[w.item]
		if !ok {
			have = node{n.depth[w], true, w.from, w.until}
		}
		nodes[w.item] = node{min(have.depth, n.depth[w]), have.carrier && w.as == "carrier", min(have.from, w.from), max(have.until, w.until)}
		for _, e := range n.events {
			t := e.Time.UnixMicro()
			names := slices.ContainsFunc(e.Items(), func(it event.Item) bool { return it.Key == w.item })
			if names && notAfter(t, w.until) && (w.from == past || notAfter(w.from, t)) {
				times[t] = true
			}
		}
	}
	var lines []string
	for key, x := range nodes {
		if back {
			x.depth = -x.depth
		}
		lines = append(lines, fmt.Sprintf("%s %d %v %d..%d", tracetest.Name(key), x.depth, x.carrier, x.from, x.until))
	}
	for t := range times {
		lines = append(lines, fmt.Sprintf("event at %d", t))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// inWords renders a result like answer does.
func inWords(t *rapid.T, r *trace.Result, g *tracetest.Graph) string {
	var lines []string
	for _, n := range r.Nodes {
		lines = append(lines, fmt.Sprintf("%s %d %v %d..%d", tracetest.Name(n.Key), n.Depth, n.Carrier, n.From, n.Until))
	}
	bodies, err := g.EventBodies(t.Context(), r.Events)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range bodies {
		lines = append(lines, fmt.Sprintf("event at %d", e.Time.UnixMicro()))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// valid leaves out events that an error declaration voids.
func valid(events []*event.Event) (out []*event.Event) {
	void := map[string]bool{}
	for _, e := range events {
		if e.ErrorDeclaration != nil {
			void[e.Hash()] = true
		}
	}
	for _, e := range events {
		if !void[e.Hash()] {
			out = append(out, e)
		}
	}
	return out
}

func TestRunAgainstTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := tracetest.Lines(t)
		events := tracetest.Parse(t, strings.Join(lines, "\n"))
		g := tracetest.New(events...)
		for _, name := range []string{"A", "B", "C", "P1", "P2", "S1", "K"} {
			for _, direction := range []trace.Direction{trace.Back, trace.Forward} {
				r, err := trace.Run(t.Context(), g, trace.Query{Item: tracetest.Key(name), Direction: direction})
				if err != nil {
					continue // nothing names it
				}
				back := direction == trace.Back
				want := trialOf(valid(events), tracetest.Key(name), back).answer(back)
				if diff := cmp.Diff(want, inWords(t, r, g)); diff != "" {
					t.Fatalf("%s %s of\n%s\n%s", direction, name, strings.Join(lines, "\n"), diff)
				}
			}
		}
	})
}

// The order in which events were recorded changes neither trace nor scope.
func TestRecordOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := tracetest.Parse(t, strings.Join(tracetest.Lines(t), "\n"))
		shuffled := rapid.Permutation(events).Draw(t, "order")
		// An error declaration follows what it voids.
		slices.SortStableFunc(shuffled, func(a, b *event.Event) int {
			return boolInt(a.ErrorDeclaration != nil) - boolInt(b.ErrorDeclaration != nil)
		})
		g, h := tracetest.New(events...), tracetest.New(shuffled...)
		for _, name := range []string{"A", "B", "P1", "S1"} {
			q := trace.Query{Item: tracetest.Key(name), Direction: trace.Both}
			r, err := trace.Run(t.Context(), g, q)
			s, err2 := trace.Run(t.Context(), h, q)
			if (err == nil) != (err2 == nil) {
				t.Fatal(err, err2)
			}
			if err != nil {
				continue
			}
			if diff := cmp.Diff(inWords(t, r, g), inWords(t, s, h)); diff != "" {
				t.Fatalf("trace of %s:\n%s", name, diff)
			}
			if diff := cmp.Diff(linkNames(r), linkNames(s)); diff != "" {
				t.Fatalf("links of %s:\n%s", name, diff)
			}
			a, err := trace.Scope(t.Context(), g, g, q.Item, trace.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			b, err := trace.Scope(t.Context(), h, h, q.Item, trace.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(scope(a), scope(b)); diff != "" {
				t.Fatalf("scope of %s:\n%s", name, diff)
			}
		}
	})
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// linkNames are the links without the numbers of the events.
func linkNames(r *trace.Result) []string {
	var out []string
	for _, l := range strings.Split(links(r), "], ") {
		out = append(out, l[:max(strings.Index(l, "["), 0)])
	}
	return out
}
