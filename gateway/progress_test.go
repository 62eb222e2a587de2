package gateway_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/foodtrace-ledger/foodtrace/gateway"
)

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p gateway.Progress
		for i, at := range []struct {
			after          time.Duration
			height, behind uint64
			stuck          bool
		}{
			{0, 12, 0, false},
			{time.Hour, 12, 2, false}, // blocks that have just come
			{59 * time.Second, 12, 2, false},
			{2 * time.Second, 12, 3, true},
			{time.Hour, 13, 3, false}, // it moves
			{61 * time.Second, 13, 4, true},
			{time.Second, 17, 0, false},
			{61 * time.Second, 17, 1, false},
		} {
			time.Sleep(at.after)
			if stuck := p.Stuck(at.height, at.behind); stuck != at.stuck {
				t.Errorf("look %d: stuck is %v", i, stuck)
			}
		}
	})
}
