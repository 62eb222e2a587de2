package main

import (
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestFitFindsTheLine(t *testing.T) {
	var points []point
	for _, n := range []float64{1e4, 3e4, 1e5, 1e6, 1e7} {
		points = append(points, point{n, 100 + 7*math.Log10(n)})
	}
	l := fit(points)
	near(t, "base", l.base, 100, 1e-9)
	near(t, "per decade", l.perDecade, 7, 1e-9)
	near(t, "off", l.off, 0, 1e-9)
}

func TestFitOfScatter(t *testing.T) {
	l := fit([]point{{10, 1}, {100, 4}, {1000, 1}}) // the line is level, at the mean
	near(t, "per decade", l.perDecade, 0, 1e-12)
	near(t, "base", l.base, 2, 1e-12)
	near(t, "off", l.off, 2, 1e-12)
}

// TestMeanIsTheSum compares the integral with the sum it stands for.
func TestMeanIsTheSum(t *testing.T) {
	l := line{base: 50, perDecade: 9}
	const n = 200_000
	sum := 0.0
	for i := 1.0; i <= n; i++ {
		sum += l.at(i)
	}
	near(t, "mean", l.mean(n), sum/n, 0.001)
}

// TestMarginalOfGrowth: what grows linearly costs the same at any size, what grows as n log n more by the same for each decade.
func TestMarginalOfGrowth(t *testing.T) {
	var n, linear, more []float64
	for _, x := range []float64{1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7} {
		n, linear, more = append(n, x), append(linear, 5000+300*x), append(more, x*math.Log10(x))
	}
	l := fit(marginal(n, linear))
	near(t, "linear: per decade", l.perDecade, 0, 1e-9)
	near(t, "linear: base", l.base, 300, 1e-6)
	l = fit(marginal(n, more))
	near(t, "n log n: per decade", l.perDecade, 1, 0.01)
	near(t, "n log n: mean at 1e9", l.mean(1e9), 9, 0.05)
}

// TestRelative: a machine that becomes slower for everything does not look like growth.
func TestRelative(t *testing.T) {
	var all table
	for i, n := range []int{10_000, 100_000, 1_000_000} {
		slow := float64(i + 1)
		all.add(n, []figure{{unit, slow * 10 * float64(n)}, {"CPU: other, µs", slow * 30 * float64(n)}})
	}
	for _, p := range all.relative("CPU: other, µs") {
		near(t, "relative", p.cost, 3, 1e-9)
	}
}
