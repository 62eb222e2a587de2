package drop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
)

// dying is a process that dies in one of its steps: nothing that it wanted to do after that happens.
type dying struct {
	place
	Capturer
	mu   sync.Mutex
	left int // steps until it dies
	die  context.CancelFunc
}

var errDead = errors.New("dead")

func (d *dying) step() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left--; d.left <= 0 {
		d.die()
		return errDead
	}
	return nil
}

// around does something between two steps: the process dies before it or after it.
func around[T any](d *dying, do func() (T, error)) (T, error) {
	var none T
	if err := d.step(); err != nil {
		return none, err
	}
	v, err := do()
	if dead := d.step(); dead != nil {
		return none, dead
	}
	return v, err
}

func (d *dying) take(ctx context.Context, f file) (file, error) {
	return around(d, func() (file, error) { return d.place.take(ctx, f) })
}

func (d *dying) open(ctx context.Context, f file) (io.ReadCloser, error) {
	if err := d.step(); err != nil {
		return nil, err
	}
	return d.place.open(ctx, f)
}

func (d *dying) write(ctx context.Context, path string, body []byte) error {
	_, err := around(d, func() (struct{}, error) { return struct{}{}, d.place.write(ctx, path, body) })
	return err
}

func (d *dying) stream(ctx context.Context, path string, fill func(io.Writer) error) error {
	_, err := around(d, func() (struct{}, error) { return struct{}{}, d.place.stream(ctx, path, fill) })
	return err
}

func (d *dying) move(ctx context.Context, f file, to string) error {
	_, err := around(d, func() (struct{}, error) { return struct{}{}, d.place.move(ctx, f, to) })
	return err
}

func (d *dying) Receive(ctx context.Context, req capture.Request) (capture.Job, error) {
	return around(d, func() (capture.Job, error) { return d.Capturer.Receive(ctx, req) })
}

// dieAt runs a feed until it dies in its n-th step, and reports whether it did before it was through.
func (w *world) dieAt(f *Feed, n int, until func() bool) bool {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	d := &dying{place: f.place, Capturer: f.Capture, left: n, die: cancel}
	f.place, f.Capture = d, d
	w.run(func() bool { return ctx.Err() != nil || until() }, f.on(ctx))
	return ctx.Err() != nil
}

// on is the feed with a place that is gone when ctx ends.
func (f *Feed) on(ctx context.Context) *Feed {
	f.place = mortal{f.place, ctx}
	return f
}

type mortal struct {
	place
	life context.Context
}

func (m mortal) hold(ctx context.Context, standby func()) (<-chan struct{}, func(), error) {
	if m.life.Err() != nil {
		return nil, nil, errDead
	}
	_, release, err := m.place.hold(ctx, standby)
	return m.life.Done(), release, err
}

// TestDeathAtEveryStep: whenever the process dies, the next one ends the file's way: in one place, with one receipt that says what a
// process says that did not die, and one sheet where there is any.
func TestDeathAtEveryStep(t *testing.T) {
	w := newWorld(t)
	for _, kind := range []struct {
		name, folder, end string
		proceed, sheet    bool
		content           func(n int) string
	}{
		{"good.json", "done", receiptEnd, false, false, func(n int) string { return document(harvest(fmt.Sprint("a", n)), harvest(fmt.Sprint("b", n))) }},
		{"picture.png", "rejected", reasonsEnd, false, false, func(int) string { return "\x89PNG" }},
		{"bad.csv", "rejected", reasonsEnd, false, true, func(n int) string { return landings(fmt.Sprint("r", n)) }},
		{"half.csv", "done", receiptEnd, true, true, func(n int) string { return landings(fmt.Sprint("p", n)) }},
	} {
		for n, died := 1, true; died; n++ {
			content, dir, jobs := kind.content(n), w.directory(), fmt.Sprint(kind.name, n)
			w.drop(dir, kind.name, content)
			first := w.gateway(jobs)
			f := w.ofDirectory(dir, w.config(first, kind.proceed))
			if died = w.dieAt(f, n, through(1, f)); !died {
				continue
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			want := []string{kind.name, kind.name + kind.end}
			if kind.sheet {
				want = []string{kind.name, kind.name + sheetEnd + ".csv", kind.name + kind.end}
			}
			again := w.ofDirectory(dir, w.config(w.gateway(jobs), kind.proceed))
			w.run(func() bool { return len(w.files(dir, kind.folder)) == len(want) && len(w.files(dir, "taken")) == 0 }, again)
			if diff := cmp.Diff(want, w.files(dir, kind.folder)); diff != "" {
				t.Error(jobs, diff)
			}
			if body, err := os.ReadFile(filepath.Join(dir, kind.folder, kind.name)); err != nil || string(body) != content {
				t.Error(jobs, "is not the file any more", err)
			}
			// What a job that was cut off calls a duplicate is what it has written itself.
			r := w.receipt(dir, kind.folder, kind.name+kind.end)
			if written := r.Accepted + r.Duplicates; kind.folder == "done" && written != 2 || (r.State == Partly) != kind.proceed || (r.Sheet != "") != kind.sheet {
				t.Errorf("%s: %+v", jobs, r)
			}
			if all := w.files(dir); len(all) != 4 {
				t.Errorf("%s: %q", jobs, all)
			}
		}
	}
}
