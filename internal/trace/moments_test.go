package trace

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestInOrder: few and many moments, of few and many times, recorded in order and not, come in order and once each.
func TestInOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, fewMoments - 1, fewMoments, 20 * fewMoments} {
		for name, time := range map[string]func(EventID) int64{
			"in order":   func(e EventID) int64 { return int64(e) * 1_000_000 },
			"the same":   func(EventID) int64 { return -7 },
			"few times":  func(e EventID) int64 { return int64(e % 5) },
			"all times":  func(e EventID) int64 { return int64(uint64(e) * 0x9E3779B97F4A7C15) },
			"open times": func(e EventID) int64 { return []int64{math.MinInt64, 0, math.MaxInt64}[e%3] },
		} {
			moments := make([]moment, n)
			for i := range moments {
				e := EventID(rng.IntN(3*n) + 1) // some more than once
				moments[i] = moment{time(e), e}
			}
			want := slices.Clone(moments)
			slices.SortFunc(want, moment.compare)
			want = slices.Compact(want)
			got := inOrder(moments)
			if !slices.EqualFunc(got, want, func(e EventID, m moment) bool { return e == m.event }) {
				t.Errorf("%d moments, %s: wrong order", n, name)
			}
		}
	}
}
