package e2e_test

import (
	"iter"
	"os"
)

// soak makes the tests big: set FOODTRACE_SOAK=1.
func soak() bool { return os.Getenv("FOODTRACE_SOAK") != "" }

// seeds are the worlds to try: n of them, or a hundred times as many.
func seeds(n uint64) iter.Seq[uint64] {
	if soak() {
		n *= 100
	}
	return func(yield func(uint64) bool) {
		for seed := range n {
			if !yield(seed) {
				return
			}
		}
	}
}
