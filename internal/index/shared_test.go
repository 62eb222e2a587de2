package index_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// database is what several processes share, in one process: whoever holds the lock leads.
type database struct {
	heights
	lock sync.Mutex

	state sync.Mutex
	away  bool // Share fails
}

// client is the database as one process sees it.
type client struct {
	*database
	shared int // how often it joined
}

func (c *client) Share(ctx context.Context, moved func(uint64), lead func(context.Context) error) error {
	c.state.Lock()
	away := c.away
	c.shared++
	c.state.Unlock()
	if away {
		return fmt.Errorf("%w: no server", index.ErrUnavailable)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var leading sync.WaitGroup
	leading.Go(func() {
		for ctx.Err() == nil {
			if !c.lock.TryLock() {
				time.Sleep(time.Millisecond)
				continue
			}
			if err := lead(ctx); err != nil {
				cancel(err)
			}
			c.lock.Unlock()
		}
	})
	defer leading.Wait()
	for ctx.Err() == nil {
		height, _, _ := c.Position(ctx)
		moved(height)
		time.Sleep(time.Millisecond)
	}
	return context.Cause(ctx)
}

func (c *client) Depose(context.Context) error { return nil }

// Two projectors of one index: both hear of what one of them applies, and what another process applied in between is no error.
func TestSharedIndex(t *testing.T) {
	c, d := chain(t, 3), &database{}
	first, second := index.NewProjector(c, &client{database: d}), index.NewProjector(c, &client{database: d})
	stop := start(t, first)
	start(t, second)
	for _, p := range []*index.Projector{first, second} {
		if err := wait(t, p, 2); err != nil {
			t.Fatal(err)
		}
	}
	d.mu.Lock()
	d.fail = fmt.Errorf("%w: another process was faster", index.ErrPosition)
	d.mu.Unlock()
	grow(t, c, 2)
	if err := wait(t, second, 4); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Errorf("stopped: %v", err)
	}
	grow(t, c, 1)
	if err := wait(t, second, 5); err != nil {
		t.Errorf("the other one does not go on: %v", err)
	}
}

// A projector waits for a database that is away, and stops at what waiting does not cure.
func TestSharedIndexAway(t *testing.T) {
	c, d := chain(t, 1), &database{away: true}
	one := &client{database: d}
	p := index.NewProjector(c, one)
	stop := start(t, p)
	for tried := 0; tried < 2; time.Sleep(time.Millisecond) {
		d.state.Lock()
		tried = one.shared
		d.state.Unlock()
	}
	d.state.Lock()
	d.away = false
	d.state.Unlock()
	if err := wait(t, p, 0); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("a table is missing")
	d.mu.Lock()
	d.fail = broken
	d.mu.Unlock()
	grow(t, c, 1)
	if err := wait(t, p, 1); !errors.Is(err, broken) || !errors.Is(err, index.ErrNotRunning) {
		t.Errorf("wait: %v", err)
	}
	if err := stop(); !errors.Is(err, broken) {
		t.Errorf("stopped: %v", err)
	}
}
