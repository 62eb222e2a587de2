package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foodtrace-ledger/foodtrace/internal/ledger/fabric"
)

// cell is one row of the table.
type cell struct {
	events, lots int // of a batch
	inFlight     int // batches on their way at a time: as many as keep the network busy
}

var cells = [...]cell{
	{1, 1, 256}, {1, 10, 64}, {1, 100, 64},
	{100, 10, 16}, {100, 100, 16},
	{1000, 10, 8}, {1000, 100, 8},
}

// result is what was measured of one chaincode in one cell.
type result struct {
	events    int64
	elapsed   time.Duration
	conflicts uint64
	bytes     uint64                   // of the blocks
	cpu       map[string]time.Duration // by kind of program
}

func (r result) rate() float64 { return float64(r.events) / r.elapsed.Seconds() }

// perEvent is a processor time for each event, in microseconds.
func (r result) perEvent(d time.Duration) float64 {
	return float64(d.Microseconds()) / float64(max(r.events, 1))
}

// kinds are the programs whose processor time is told, with all of a kind as one.
var kinds = []string{"chaincode", "peer", "orderer", "client"}

// throughput measures all cells, each with one chaincode after the other.
func (b *bench) throughput(ctx context.Context, only int) error {
	var rates, times strings.Builder
	fmt.Fprintln(&rates, "events\tlots\tin flight\tours: events/s\tplain: events/s\tratio\tours: bytes/event\tplain: bytes/event\t")
	fmt.Fprintf(&times, "events\tlots\tours: %[1]s\tsum\tplain: %[1]s\tsum\tratio\t\n", strings.Join(kinds, "\t"))
	for _, c := range cells {
		if only > 0 && c.events != only {
			continue
		}
		o, p, err := b.compare(ctx, c)
		if err != nil {
			return fmt.Errorf("batches of %d events on %d lots: %w", c.events, c.lots, err)
		}
		fmt.Fprintf(&rates, "%d\t%d\t%d\t%.0f\t%.0f\t%.1f\t%.0f\t%.0f\t\n", c.events, c.lots, c.inFlight, o.rate(), p.rate(), o.rate()/p.rate(), o.size(), p.size())
		fmt.Fprintf(&times, "%d\t%d\t%s\t%s\t%.1f\t\n", c.events, c.lots, o.spent(), p.spent(), p.perEvent(p.sum())/o.perEvent(o.sum()))
	}
	return errors.Join(table("", rates.String()), table("processor time, µs/event", times.String()))
}

func (b *bench) compare(ctx context.Context, c cell) (o, p result, err error) {
	for chaincode, r := range map[string]*result{ours: &o, plain: &p} { // which one is first differs
		if *r, err = b.load(ctx, chaincode, c); err != nil {
			return o, p, fmt.Errorf("%s: %w", chaincode, err)
		}
		fmt.Fprintf(os.Stderr, "%s: batches of %d events on %d lots: %.0f events/s, %d proposed again\n", chaincode, c.events, c.lots, r.rate(), r.conflicts)
	}
	return o, p, nil
}

// table prints lines of cells, each ended by a tab.
func table(title, lines string) error {
	fmt.Println(title)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, lines)
	return w.Flush()
}

func (r result) size() float64 { return float64(r.bytes) / float64(max(r.events, 1)) }

func (r result) sum() (sum time.Duration) {
	for _, kind := range kinds {
		sum += r.cpu[kind]
	}
	return sum
}

// spent lists the processor time for each event by kind of program, and the sum.
func (r result) spent() string {
	var all []string
	for _, kind := range kinds {
		all = append(all, fmt.Sprintf("%.0f", r.perEvent(r.cpu[kind])))
	}
	return strings.Join(append(all, fmt.Sprintf("%.0f", r.perEvent(r.sum()))), "\t")
}

// load sends batches for some time and counts the events that are on the ledger and in the replica.
func (b *bench) load(ctx context.Context, chaincode string, c cell) (r result, err error) {
	l, err := b.open(chaincode)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	feeds := make([]*feed, c.inFlight)
	for i := range feeds {
		feeds[i] = &feed{name: fmt.Sprintf("%d-%d", b.opened, i), events: c.events, lots: c.lots, at: time.Now().Add(-12 * time.Hour).Truncate(time.Hour)}
	}
	if err := b.submit(ctx, l, feeds[0]); err != nil { // now the replica has all blocks
		return r, err
	}
	before, err := b.spent()
	if err != nil {
		return r, err
	}
	bytes, started := l.Metrics.Bytes.Load(), time.Now()
	var events atomic.Int64
	g, gctx := errgroup.WithContext(ctx)
	for _, f := range feeds {
		g.Go(func() error {
			for time.Since(started) < b.time {
				if err := b.submit(gctx, l, f); err != nil {
					return err
				}
				events.Add(int64(f.events))
			}
			return nil
		})
	}
	err = g.Wait()
	r = result{events: events.Load(), elapsed: time.Since(started), conflicts: l.Metrics.Conflicts.Load(), bytes: l.Metrics.Bytes.Load() - bytes}
	after, serr := b.spent()
	for kind := range after {
		after[kind] -= before[kind]
	}
	r.cpu = after
	return r, errors.Join(err, serr)
}

func (b *bench) submit(ctx context.Context, l *fabric.Ledger, f *feed) error {
	receipt, err := l.Submit(ctx, b.signer, f.next())
	if err != nil {
		return err
	}
	return accepted(receipt)
}

// spent is the processor time so far, by kind of program.
func (b *bench) spent() (map[string]time.Duration, error) {
	all, err := b.network.ProcessorTimes()
	sums := map[string]time.Duration{}
	for name, d := range all {
		kind, _, _ := strings.Cut(name, ".")
		kind = strings.TrimRight(kind, "123") // orderer1
		if kind == plain {
			kind = "chaincode"
		}
		if kind != "ca" {
			sums[kind] += d
		}
	}
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		return nil, err
	}
	sums["client"] = time.Duration(self.Utime.Nano() + self.Stime.Nano())
	return sums, err
}

// latency measures how long one sender waits when nobody else sends: until the batch is in a block that the replica has checked.
func (b *bench) latency(ctx context.Context) error {
	var lines strings.Builder
	fmt.Fprintln(&lines, "events\tlots\tours: p50\tp95\tplain: p50\tp95\t")
	for _, c := range []cell{{1, 1, 1}, {100, 10, 1}, {1000, 100, 1}} {
		fmt.Fprintf(&lines, "%d\t%d\t", c.events, c.lots)
		for _, chaincode := range []string{ours, plain} {
			waits, err := b.waits(ctx, chaincode, c)
			if err != nil {
				return fmt.Errorf("latency of %s: %w", chaincode, err)
			}
			fmt.Fprintf(&lines, "%v\t%v\t", quantile(waits, 50), quantile(waits, 95))
		}
		fmt.Fprintln(&lines)
	}
	return table("latency to final, one batch at a time", lines.String())
}

func (b *bench) waits(ctx context.Context, chaincode string, c cell) (waits []time.Duration, err error) {
	l, err := b.open(chaincode)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	f := &feed{name: fmt.Sprint(b.opened, "-l"), events: c.events, lots: c.lots, at: time.Now().Add(-12 * time.Hour)}
	if err := b.submit(ctx, l, f); err != nil { // now the replica has all blocks
		return nil, err
	}
	for end := time.Now().Add(b.time); time.Now().Before(end); {
		began := time.Now()
		if err := b.submit(ctx, l, f); err != nil {
			return nil, err
		}
		waits = append(waits, time.Since(began))
	}
	return waits, nil
}

// quantile is the wait that a percentage of all does not exceed.
func quantile(waits []time.Duration, percent int) time.Duration {
	slices.SortFunc(waits, cmp.Compare)
	return waits[len(waits)*percent/100].Round(time.Millisecond)
}
