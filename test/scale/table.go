package main

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// table is the figures at growing numbers of events.
type table struct {
	events []float64
	names  []string // of all figures, in the order in which they were first measured
	totals map[string]map[int]float64
}

func (t *table) add(events int, figures []figure) {
	if t.totals == nil {
		t.totals = map[string]map[int]float64{}
	}
	for _, f := range figures {
		if t.totals[f.name] == nil {
			t.totals[f.name] = map[int]float64{}
			t.names = append(t.names, f.name)
		}
		t.totals[f.name][len(t.events)] = f.total
	}
	t.events = append(t.events, float64(events))
}

// fitFrom is where fits begin: before, what is there once (registrations, empty tables, caches that fill) counts.
const fitFrom = 50_000

// extrapolated are the numbers of events for which the fits foretell the mean cost of one.
var extrapolated = [...]float64{1e8, 1e9}

// print writes the mean cost of an event at each size, and how the cost of one more event grows with each decade.
func (t *table) print(w io.Writer) {
	fmt.Fprint(w, "| for each event, of |")
	for _, n := range t.events {
		fmt.Fprintf(w, " %s |", short(n))
	}
	fmt.Fprint(w, " one more, at the end | + each decade | off by |")
	for _, n := range extrapolated {
		fmt.Fprintf(w, " %s (fit) |", short(n))
	}
	fmt.Fprintf(w, "\n|---|%s\n", strings.Repeat("--:|", len(t.events)+3+len(extrapolated)))
	for _, name := range t.names {
		fmt.Fprintf(w, "| %s |", name)
		var n, totals []float64
		for i, events := range t.events {
			total, ok := t.totals[name][i]
			switch {
			case !ok:
				fmt.Fprint(w, " |")
				continue
			case strings.HasPrefix(name, largest):
				fmt.Fprintf(w, " %s |", digits(total))
				continue
			}
			fmt.Fprintf(w, " %s |", digits(total/events))
			if events >= fitFrom {
				n, totals = append(n, events), append(totals, total)
			}
		}
		t.growth(w, marginal(n, totals))
		fmt.Fprintln(w)
	}
}

// unit is the figure that processor times are compared with: what it measures does not depend on how many events there are, so
// that where it changes, the machine did.
const unit = "CPU: decode and hash, µs"

// relative are the marginal costs of a figure as multiples of those of the unit. Both have been measured at each size.
func (t *table) relative(name string) []point {
	var totals, units []float64
	for i := range t.events {
		totals, units = append(totals, t.totals[name][i]), append(units, t.totals[unit][i])
	}
	points, ones := marginal(t.events, totals), marginal(t.events, units)
	for i := range points {
		points[i].cost /= ones[i].cost
	}
	return points
}

// printRelative writes processor times of one more event as multiples of what decoding and hashing it takes.
func (t *table) printRelative(w io.Writer) {
	if len(t.events) < 3 {
		return
	}
	fmt.Fprint(w, "\n| one more event, × decode and hash, at |")
	for _, p := range t.relative(unit) {
		fmt.Fprintf(w, " %s |", short(p.n))
	}
	fmt.Fprintf(w, " + each decade |\n|---|%s\n", strings.Repeat("--:|", len(t.events)))
	for _, name := range t.names {
		if !strings.HasPrefix(name, "CPU") {
			continue
		}
		fmt.Fprintf(w, "| %s |", name)
		var late []point
		for _, p := range t.relative(name) {
			fmt.Fprintf(w, " %s |", digits(p.cost))
			if p.n >= fitFrom {
				late = append(late, p)
			}
		}
		if len(late) < 2 {
			fmt.Fprintln(w, " |")
			continue
		}
		fmt.Fprintf(w, " %s |\n", digits(fit(late).perDecade))
	}
}

func (t *table) growth(w io.Writer, points []point) {
	if len(points) < 2 {
		fmt.Fprint(w, strings.Repeat(" |", 3+len(extrapolated)))
		return
	}
	l := fit(points)
	fmt.Fprintf(w, " %s | %s | %s |", digits(points[len(points)-1].cost), digits(l.perDecade), digits(l.off))
	for _, n := range extrapolated {
		fmt.Fprintf(w, " %s |", digits(l.mean(n)))
	}
}

// digits writes a number with three digits that count.
func digits(x float64) string {
	if x == 0 || math.Abs(x) >= 100 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.*f", max(0, 2-int(math.Floor(math.Log10(math.Abs(x))))), x)
}

// short writes 10^4 as 10k.
func short(n float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if n >= unit.size {
			return fmt.Sprintf("%.3g%s", n/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%.0f", n)
}
