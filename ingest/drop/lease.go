package drop

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/go-json-experiment/json"
)

// leaseName is the object that says who works a bucket.
const leaseName = ".foodtrace-lease.json"

// mark is its content.
type mark struct {
	Holder string `json:"holder"` // one process
	Round  string `json:"round"`  // another with each write
}

func holder() string {
	host, _ := os.Hostname() // for people
	return host + " " + rand.Text()
}

// lease is how one of several gateways works a bucket. S3 servers have no operation in common that only one of two can do, but all of
// them show a write to whoever reads after it; with that and bounded times, Fischer's algorithm lets one in: read that it is free, write
// your name, wait until everybody who has read the same must have written, and see whose name stands there. No clocks are compared: a lease
// is free when its object has not changed for a while on the watch of who looks. docs/decisions/0011 says what if the times do not hold.
type lease struct {
	*s3Place
	own     mark
	version string // of the object that was written last
}

// times of a lease.
type times struct {
	// valid is for how long a lease counts after it was last seen to change.
	valid time.Duration
	renew time.Duration // how often its holder changes it
	// call bounds the time between reading that a lease is free and the end of writing it.
	call time.Duration
	// wait, longer than call: who has read before that it was free has written by then.
	wait time.Duration
}

// leaseTimes: half a minute after a gateway died another one goes on; no two work at one time unless a request takes effect seconds after
// it was given up.
var leaseTimes = times{valid: 30 * time.Second, renew: 5 * time.Second, call: 3 * time.Second, wait: 6 * time.Second}

// scale shortens all times alike.
func (t times) scale(by time.Duration) times {
	return times{t.valid / by, t.renew / by, t.call / by, t.wait / by}
}

// hold waits until no other gateway works the bucket.
func (b *s3Place) hold(ctx context.Context, standby func()) (<-chan struct{}, func(), error) {
	l := &lease{s3Place: b, own: mark{Holder: b.holder}}
	if err := l.acquire(ctx, standby); err != nil {
		if l.own.Round != "" { // it has written, and others would wait for it
			l.release(context.WithoutCancel(ctx))
		}
		return nil, nil, err
	}
	ctx = context.WithoutCancel(ctx) // until it is released
	lost, end := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(lost)
		l.keep(ctx, end)
	}()
	return lost, func() { close(end); <-lost; l.release(ctx) }, nil
}

// acquire returns once the lease is ours.
func (l *lease) acquire(ctx context.Context, standby func()) error {
	var seen mark
	var since time.Time
	for {
		began := time.Now()
		now, err := l.look(ctx)
		if err != nil {
			return err
		}
		if now != seen {
			seen, since = now, began
		}
		if now == (mark{}) || now.Holder == l.own.Holder || began.Sub(since) > l.times.valid {
			if err := l.write(ctx, began); err != nil {
				return err
			}
			if !pause(ctx, l.times.wait, nil) {
				return ctx.Err()
			}
			if now, err = l.look(ctx); err != nil || now == l.own { // not one of ours that came late
				return err
			}
			seen, since = now, time.Now()
			l.forget(ctx)
		}
		standby()
		if !pause(ctx, l.times.renew, nil) {
			return ctx.Err()
		}
	}
}

// keep changes the lease again and again, and returns when it is to end or may no longer be ours. A write that has begun ends: else nobody
// knew what stands there.
func (l *lease) keep(ctx context.Context, end <-chan struct{}) {
	for sure := time.Now(); ; {
		select {
		case <-end:
			return
		case <-time.After(l.times.renew):
		}
		began := time.Now()
		now, err := l.look(ctx)
		if err == nil && now.Holder != l.own.Holder {
			l.forget(ctx)
			return
		}
		if err == nil {
			err = l.write(ctx, began)
		}
		if err == nil {
			sure = began
		}
		if time.Since(sure) > l.times.valid/2 { // the others have not begun to think that it is free
			return
		}
	}
}

// look returns the mark that stands there, the zero mark if there is none.
func (l *lease) look(ctx context.Context) (m mark, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.times.valid/3)
	defer cancel()
	text, err := l.read(ctx, leaseName)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil && json.Unmarshal(text, &m) != nil {
		m = mark{Holder: string(text)} // somebody's, who will not change it
	}
	return m, err
}

// write writes the next round, in the time that is left since it was read that this may be done.
func (l *lease) write(ctx context.Context, began time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, began.Add(l.times.call))
	defer cancel()
	next := mark{l.own.Holder, rand.Text()}
	text, err := json.Marshal(next)
	if err != nil {
		return err
	}
	version, err := l.put(ctx, leaseName, text)
	if err != nil {
		return err
	}
	old := l.version
	l.own, l.version = next, version
	if old != "" && old != version { // or thousands of versions would gather
		_ = l.removeVersion(ctx, leaseName, old)
	}
	return nil
}

// release lets another gateway begin at once.
func (l *lease) release(ctx context.Context) {
	now, err := l.look(ctx)
	if err == nil && now.Holder == l.own.Holder {
		l.removeMark(ctx)
	} else {
		l.forget(ctx)
	}
}

// forget removes what is ours under the mark of another gateway, where the bucket keeps it: it would come up when that one goes.
func (l *lease) forget(ctx context.Context) {
	if l.version != "" {
		l.removeMark(ctx)
	}
}

// removeMark removes the mark that was written last. One that stays ends by itself.
func (l *lease) removeMark(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, l.times.call)
	defer cancel()
	_ = l.removeVersion(ctx, leaseName, l.version)
	l.version = ""
}
