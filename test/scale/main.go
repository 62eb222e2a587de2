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
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
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
	fabric       bool
	postgres     bool
}

func main() {
	var o options
	flag.IntVar(&o.events, "events", 100_000, "how many events; measured at 1, 2 and 5 times each power of ten from 10^4 on")
	flag.IntVar(&o.most, "most", 2000, "how many records a member sends at once at most")
	flag.Uint64Var(&o.seed, "seed", 1, "of the simulated world")
	flag.DurationVar(&o.every, "every", 10*time.Minute, "between two campaigns of the simulated world: the shorter, the more a member sends each day")
	flag.BoolVar(&o.messy, "messy", false, "late, double and contradicting records, and event IDs that are random")
	flag.StringVar(&o.dir, "dir", "", "where to write; default: a temporary folder. What is written is removed at the end")
	flag.BoolVar(&o.fabric, "fabric", false, "on a Fabric network of four members on this machine, instead of the embedded ledger")
	flag.BoolVar(&o.postgres, "postgres", false, "with the index in PostgreSQL on this machine, instead of SQLite")
	flag.StringVar(&o.profile, "cpuprofile", "", "file for a profile of the processor time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// start of the world, so early that ten million events end before today: an event of the future would be remarked.
var start = time.Date(2015, 3, 2, 22, 0, 0, 0, time.UTC)

// world has so many lots that the events do not run out: there are more than five for each.
func (o options) world() *simulate.World {
	opt := simulate.Options{Rework: 0.2, Inspect: 0.1, EventIDs: simulate.HashIDs}
	if o.messy {
		opt = simulate.Messy()
		opt.Hold = 0 // refused movements are a cost of trouble, not of growth
	}
	opt.Lots, opt.Every, opt.Start = o.events, o.every, start
	return simulate.New(o.seed, opt)
}

// registration is who and what takes part. The members of a Fabric network are others, who send for all: nobody owns the sites.
func (o options) registration(w *simulate.World) contract.Registration {
	r := w.Registration()
	if !o.fabric {
		return r
	}
	r.Members = nil
	for i := range r.Sites {
		r.Sites[i].Owner = ""
	}
	for i := range r.Products {
		r.Products[i].Owner = ""
	}
	return r
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
	s, done, err := open(ctx, dir, o)
	if err != nil {
		return err
	}
	err = fill(ctx, o, s)
	if err == nil && s.catchUp != nil {
		err = rebuildReplica(ctx, os.Stdout, s)
	}
	err = errors.Join(err, done())
	if err != nil || o.fabric || o.postgres || s.events > rebuildUpTo {
		return err
	}
	return rebuild(ctx, os.Stdout, dir, s.events)
}

// rebuildUpTo is up to how many events the derived parts are made again.
const rebuildUpTo = 2_000_000

// fill writes the events and prints the table.
func fill(ctx context.Context, o options, s *system) error {
	world := o.world()
	if err := s.register(context.Background(), o.registration(world)); err != nil {
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
	table.printRelative(os.Stdout)
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
