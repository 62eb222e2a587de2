package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/fs"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/embedded"
	"github.com/foodtrace-ledger/foodtrace/internal/spreader"
)

// paths of a data directory; docs/durability.md says what each is worth.
type dataDir string

func (d dataDir) index() string    { return filepath.Join(string(d), "index.db") }
func (d dataDir) jobs() string     { return filepath.Join(string(d), "jobs.db") }
func (d dataDir) tokens() string   { return filepath.Join(string(d), "tokens.db") }
func (d dataDir) evidence() string { return filepath.Join(string(d), "evidence") }

// node is one machine's whole system: it owns what it opened, and closes it in reverse order.
type node struct {
	dir        dataDir
	log        *slog.Logger
	identities *identity.Store
	ledger     *embedded.Ledger
	index      *sqlite.Index
	projector  *index.Projector
	evidence   *fs.Store
	capture    *capture.Service
	tokens     *auth.Tokens
	closers    []func() error
	ctx        context.Context // of what runs in the background
	stop       context.CancelFunc
	running    sync.WaitGroup
}

// operator is the common name under which a machine signs for its members.
const operator = "gateway"

// openNode opens a data directory and starts what runs in the background. Close it.
func openNode(dir dataDir, log *slog.Logger) (_ *node, err error) {
	n := &node{dir: dir, log: log, identities: identity.Open(string(dir), nil)}
	n.ctx, n.stop = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(err, n.close())
		}
	}()
	if n.ledger, err = embedded.Open(embedded.Options{Dir: string(dir), Log: log}); err != nil {
		return n, err
	}
	n.closers = append(n.closers, n.ledger.Close)
	if n.index, err = openIndex(dir.index(), log); err != nil {
		return n, err
	}
	n.closers = append(n.closers, n.index.Close)
	n.projector = index.NewProjector(n.ledger, n.index)
	n.closers = append(n.closers, n.stopBackground)
	n.background("the projector", n.projector.Run)
	if n.evidence, err = fs.New(dir.evidence()); err != nil {
		return n, err
	}
	if n.tokens, err = auth.Open(dir.tokens()); err != nil {
		return n, err
	}
	n.closers = append(n.closers, n.tokens.Close)
	n.capture, err = capture.Open(capture.Config{Ledger: n.ledger, Evidence: n.evidence, Signer: n.Signer, Path: dir.jobs(), Now: time.Now, Log: log})
	if err != nil {
		return n, err
	}
	n.closers = append(n.closers, n.capture.Close)
	return n, nil
}

// openIndex opens the read model; one that another version wrote is thrown away, it comes back from the ledger.
func openIndex(path string, log *slog.Logger) (*sqlite.Index, error) {
	x, err := sqlite.Open(path, sqlite.Options{})
	if !errors.Is(err, index.ErrSchema) {
		return x, err
	}
	log.Info("the index was written by another version of the program and is rebuilt from the ledger", "file", path)
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return sqlite.Open(path, sqlite.Options{})
}

// spread keeps carrying the marks of holds to descendants, signing as a member.
func (n *node) spread(msp string) error {
	by, err := n.Signer(msp)
	if err != nil {
		return err
	}
	n.background("the spreader", func(ctx context.Context) error { return spreader.Run(ctx, n.ledger, by, n.log) })
	return nil
}

// Signer is the identity with which this machine signs for a member.
func (n *node) Signer(msp string) (ledger.Signer, error) { return n.identities.Signer(msp, operator) }

// background runs f until it ends or the node is closed. Its error is logged: /readyz says what no longer works.
func (n *node) background(what string, f func(context.Context) error) {
	n.running.Go(func() {
		if err := f(n.ctx); err != nil {
			n.log.Error(what+" stopped", "err", err)
		}
	})
}

// stopBackground ends what follows the ledger and the index, which are closed after it.
func (n *node) stopBackground() error {
	n.stop()
	n.running.Wait()
	return nil
}

// close closes what was opened, the last first.
func (n *node) close() error {
	var errs []error
	for _, c := range slices.Backward(n.closers) {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// begin makes the first members of an empty ledger, each with its own authority and identity on this machine.
func (n *node) begin(ctx context.Context, first contract.Registration) error {
	for _, m := range first.Members {
		if _, err := n.identities.Ensure(m.MSP, operator); err != nil {
			return err
		}
	}
	by, err := n.Signer(regulatorOf(first))
	if err != nil {
		return err
	}
	receipt, err := n.ledger.Submit(ctx, by, &contract.Batch{Records: []contract.Record{{Registration: &first}}})
	if err != nil {
		return err
	}
	if o := receipt.Outcomes[0]; o.Status == contract.Refused {
		return fmt.Errorf("the first registration was refused: %v", o.Findings)
	}
	return n.projector.WaitFor(ctx, receipt.Block)
}

func regulatorOf(r contract.Registration) string {
	for _, m := range r.Members {
		for _, role := range m.Roles {
			if role == contract.Regulator {
				return m.MSP
			}
		}
	}
	return ""
}

// handler is the node's gateway.
func (n *node) handler(c gateway.Config) (http.Handler, error) {
	c.Index, c.Ledger, c.Evidence, c.Signers, c.Capture, c.Tokens, c.Logger = n.index, n.ledger, n.evidence, n, n.capture, n.tokens, n.log
	c.Counters = n.counters
	return gateway.New(c)
}

// counters are the ledger's figures for /metrics.
func (n *node) counters() map[string]float64 {
	m := &n.ledger.Metrics
	return map[string]float64{
		"foodtrace_ledger_blocks_total":       float64(m.Blocks.Load()),
		"foodtrace_ledger_transactions_total": float64(m.Txs.Load()),
		"foodtrace_ledger_records_total":      float64(m.Records.Load()),
		"foodtrace_ledger_conflicts_total":    float64(m.Conflicts.Load()),
		"foodtrace_ledger_bytes_total":        float64(m.Bytes.Load()),
		"foodtrace_ledger_sync_seconds_total": time.Duration(m.SyncNanos.Load()).Seconds(),
	}
}
