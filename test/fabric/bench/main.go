// Command bench compares our chaincode with one that stores each event under its own key (test/fabric/plain): on one
// network of four members on this machine, in one run, with one client. docs/benchmarks.md has its figures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/fabricnet"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/fabric"
)

type options struct {
	time    time.Duration
	batch   int
	alone   bool
	profile string
}

func main() {
	var o options
	flag.DurationVar(&o.time, "time", 10*time.Second, "for how long each figure is measured")
	flag.IntVar(&o.batch, "batch", 0, "only batches of so many events; 0: all")
	flag.BoolVar(&o.alone, "alone", false, "each batch is a transaction of its own also with our chaincode")
	flag.StringVar(&o.profile, "cpuprofile", "", "file for a profile of the client's processor time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "foodtrace-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := start(ctx, dir)
	if b != nil {
		defer func() { err = errors.Join(err, b.network.Down(false)) }()
	}
	if err != nil {
		return err
	}
	b.time, b.alone = o.time, o.alone
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
	return errors.Join(b.throughput(ctx, o.batch), b.latency(ctx))
}

// bench is the network with both chaincodes.
type bench struct {
	dir     string
	time    time.Duration // of one measurement
	alone   bool          // no batches share a transaction
	network *fabricnet.Network
	signer  ledger.Signer // of a producer's gateway
	opened  int           // ledgers so far, so that each has lots of its own
}

const (
	member = "producer-a"
	user   = "gateway"
	plain  = "plain" // name of the other chaincode
	ours   = "foodtrace"
)

// start returns the network also with an error, so that it can be removed.
func start(ctx context.Context, dir string) (*bench, error) {
	program, err := fabricnet.BuildChaincode(ctx, dir)
	if err != nil {
		return nil, err
	}
	other := filepath.Join(dir, plain)
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", other, "./test/fabric/plain").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the plain chaincode: %w\n%s", err, out)
	}
	n, err := fabricnet.Up(ctx, fabricnet.Options{Dir: filepath.Join(dir, "network"), Progress: os.Stderr, Chaincode: program})
	if n == nil {
		return nil, err
	}
	b := &bench{dir: dir, network: n}
	if err != nil {
		return b, err
	}
	if err := n.AddChaincode(ctx, plain, other); err != nil {
		return b, err
	}
	if b.signer, err = n.Signer(member, user); err != nil {
		return b, err
	}
	return b, b.register(ctx)
}

// register registers the site at which all events happen.
func (b *bench) register(ctx context.Context) error {
	l, err := b.open(ours)
	if err != nil {
		return err
	}
	defer l.Close()
	by, err := b.network.Signer(b.network.Members()[0], user)
	if err != nil {
		return err
	}
	receipt, err := l.Submit(ctx, by, &contract.Batch{Records: []contract.Record{{Registration: &contract.Registration{Sites: []contract.Site{{ID: site, Owner: member}}}}}})
	if err != nil {
		return err
	}
	return accepted(receipt)
}

// open opens the ledger of a chaincode, whose replica has to catch up with what was written with the other one.
func (b *bench) open(chaincode string) (*fabric.Ledger, error) {
	b.opened++
	config := b.network.Config(member)
	config.Chaincode = chaincode
	alone := b.alone || chaincode == plain // which takes one batch
	return fabric.Open(fabric.Options{Config: config, Identity: b.signer, Dir: filepath.Join(b.dir, "replica-"+chaincode), Alone: alone})
}

// accepted fails unless every record was accepted: a refused one costs other work.
func accepted(r ledger.Receipt) error {
	for i, o := range r.Outcomes {
		if o.Status != contract.Accepted {
			return fmt.Errorf("record %d of transaction %s: %s %v", i, r.TxID, o.Status, o.Findings)
		}
	}
	return nil
}
