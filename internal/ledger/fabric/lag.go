package fabric

import (
	"context"
	"time"
)

// Lag returns how many blocks the replica is behind the first peer that answers. It fails when none does.
func (l *Ledger) Lag(ctx context.Context) (behind uint64, err error) {
	done, err := l.use()
	if err != nil {
		return 0, err
	}
	defer done()
	for _, p := range ordered(l.net.peers, time.Now()) {
		var newest uint64
		if newest, err = p.height(ctx, l.reader, l.opts.Config.Channel); err != nil {
			continue
		}
		own, err := l.Height(ctx)
		return max(newest, own) - own, err
	}
	return 0, err
}
