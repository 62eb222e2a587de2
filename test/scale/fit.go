package main

import "math"

// point is what one event cost when there were n of them.
type point struct{ n, cost float64 }

// line is a cost of an event that grows with the logarithm of how many there are: base + perDecade × log10(n). A total that
// grows linearly has perDecade 0; a search tree or a store with levels has it above 0.
type line struct {
	base, perDecade float64
	off             float64 // the largest distance of a point from the line
}

// fit is the line of least squares through points at two different n or more.
func fit(points []point) line {
	var sx, sy, sxx, sxy float64
	n := float64(len(points))
	for _, p := range points {
		x := math.Log10(p.n)
		sx, sy, sxx, sxy = sx+x, sy+p.cost, sxx+x*x, sxy+x*p.cost
	}
	l := line{perDecade: (n*sxy - sx*sy) / (n*sxx - sx*sx)}
	l.base = (sy - l.perDecade*sx) / n
	for _, p := range points {
		l.off = max(l.off, math.Abs(l.at(p.n)-p.cost))
	}
	return l
}

// at is the cost of the event that comes when there are n.
func (l line) at(n float64) float64 { return l.base + l.perDecade*math.Log10(n) }

// mean is what each of n events has cost: the integral of at from 0 to n, divided by n.
func (l line) mean(n float64) float64 { return l.at(n) - l.perDecade/math.Ln10 }

// marginal turns totals at growing n into the cost of an event between one and the next, at the middle of the two
// (geometric: the axis is logarithmic).
func marginal(n, total []float64) []point {
	var points []point
	for i := 1; i < len(n); i++ {
		points = append(points, point{math.Sqrt(n[i-1] * n[i]), (total[i] - total[i-1]) / (n[i] - n[i-1])})
	}
	return points
}
