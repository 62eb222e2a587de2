// Command scale measures what an event costs at growing numbers of events: bytes on the ledger, in the world state, in the
// index and as evidence, and processor time for each step. It fits how the costs grow. docs/scale.md is made from it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/foodtrace-ledger/foodtrace/internal/evidence/fs"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/embedded"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
)

const (
	indexFile   = "index.db"
	evidenceDir = "evidence"

	// regulator registers the simulated network.
	regulator = "shandong-amr"

	// memory bounds the program: the graph of ten million events takes two gigabytes, and twice that while it grows.
	memory = 7 << 30
)

type options struct {
	events, most int
	seed         uint64
	every        time.Duration
	messy        bool
	dir, profile string
}

func main() {
	var o options
	flag.IntVar(&o.events, "events", 100_000, "how many events; measured at 1, 2 and 5 times each power of ten from 10^4 on")
	flag.IntVar(&o.most, "most", 2000, "how many records a member sends at once at most")
	flag.Uint64Var(&o.seed, "seed", 1, "of the simulated world")
	flag.DurationVar(&o.every, "every", 10*time.Minute, "between two campaigns of the simulated world: the shorter, the more a member sends each day")
	flag.BoolVar(&o.messy, "messy", false, "late, double and contradicting records, and event IDs that are random")
	flag.StringVar(&o.dir, "dir", "", "where to write; default: a temporary folder. What is written is removed at the end")
	flag.StringVar(&o.profile, "cpuprofile", "", "file for a profile of the processor time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// world has so many lots that the events do not run out: there are more than five for each.
func (o options) world() *simulate.World {
	opt := simulate.Options{Rework: 0.2, Inspect: 0.1, EventIDs: simulate.HashIDs}
	if o.messy {
		opt = simulate.Messy()
		opt.Hold = 0 // refused movements are a cost of trouble, not of growth
	}
	opt.Lots, opt.Every = o.events, o.every
	return simulate.New(o.seed, opt)
}

func run(ctx context.Context, o options) (err error) {
	debug.SetMemoryLimit(memory)
	runtime.LockOSThread() // its processor time is that of the steps
	if o.profile != "" {
		f, err := os.Create(o.profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	dir, err := os.MkdirTemp(o.dir, "foodtrace-scale-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, done, err := open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	world := o.world()
	if err := s.register(context.Background(), world.Registration(), regulator); err != nil {
		return err
	}
	var table table
	begin := startClock()
	next := 10_000
	for d := range deliveries(world, o.most) {
		// Half a delivery would be measured as a whole one: it is written even when somebody asked to stop.
		if err := s.take(context.Background(), d); err != nil {
			return err
		}
		stopped := ctx.Err() != nil || s.events >= o.events
		if s.events < next && !stopped {
			continue
		}
		if err := s.project(context.Background()); err != nil {
			return err
		}
		figures, err := s.figures(context.Background(), begin)
		if err != nil {
			return err
		}
		table.add(s.events, figures)
		fmt.Fprintf(os.Stderr, "%s %d events, %d acts, %d of them not accepted, %d transactions\n", time.Now().Format(time.TimeOnly), s.events, s.acts, s.refused, s.txs)
		if stopped {
			break
		}
		for next <= s.events {
			next = following(next)
		}
	}
	table.print(os.Stdout)
	return nil
}

// following is the next of 1, 2, 5, 10, 20, 50 …
func following(n int) int {
	for lead := n; ; lead /= 10 {
		switch lead {
		case 1, 5:
			return n * 2
		case 2:
			return n / 2 * 5
		}
	}
}

// open makes an empty system in a folder. done closes it.
func open(dir string) (s *system, done func() error, err error) {
	l, err := embedded.Open(embedded.Options{Dir: dir})
	if err != nil {
		return nil, nil, err
	}
	x, err := sqlite.Open(filepath.Join(dir, indexFile), sqlite.Options{})
	if err != nil {
		return nil, nil, errors.Join(err, l.Close())
	}
	done = func() error { return errors.Join(x.Close(), l.Close()) }
	files, err := fs.New(filepath.Join(dir, evidenceDir))
	if err != nil {
		return nil, nil, errors.Join(err, done())
	}
	squeeze, err := zstd.NewWriter(nil)
	if err != nil {
		return nil, nil, errors.Join(err, done())
	}
	return &system{dir: dir, ids: identity.Open(dir, nil), ledger: l, index: x, evidence: files, squeeze: squeeze}, done, nil
}
