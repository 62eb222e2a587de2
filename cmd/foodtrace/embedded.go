package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/fs"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/embedded"
	"github.com/foodtrace-ledger/foodtrace/internal/spreader"
)

// operator is the common name under which a machine signs for its members.
const operator = "gateway"

// embeddedNode is a node on the ledger of its own data directory. It signs for every member that has an identity there.
type embeddedNode struct {
	*node
	identities *identity.Store
	projector  *index.Projector
}

// openEmbedded opens a data directory and starts what runs in the background. Subscriptions may call public addresses and the
// networks given. Close it.
func openEmbedded(dir dataDir, log *slog.Logger, callable ...netip.Prefix) (_ *embeddedNode, err error) {
	n := &embeddedNode{node: newNode(dir, log, time.Now), identities: identity.Open(string(dir), nil)}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.close())
		}
	}()
	own, err := embedded.Open(embedded.Options{Dir: string(dir), Log: log})
	if err != nil {
		return nil, err
	}
	n.owns(own.Close)
	rows, err := openIndex(dir.index(), log)
	if err != nil {
		return nil, err
	}
	n.owns(rows.Close)
	files, err := fs.New(dir.evidence())
	if err != nil {
		return nil, err
	}
	n.parts = parts{ledger: own, index: rows, evidence: files, counters: countersOf(&own.Metrics),
		signer: func(msp string) (ledger.Signer, error) { return n.identities.Signer(msp, operator) }}
	n.callable = callable
	n.projector = index.NewProjector(own, rows)
	n.follow(n.projector, n.projector.Run)
	return n, n.open()
}

// openIndex opens the read model in a file; one that another version wrote is thrown away, it comes back from the ledger.
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

// begin makes the first members of an empty ledger, each with its own authority and identity on this machine.
func (n *embeddedNode) begin(ctx context.Context, first contract.Registration) error {
	for _, m := range first.Members {
		if _, err := n.identities.Ensure(m.MSP, operator); err != nil {
			return err
		}
	}
	receipt, err := n.submit(ctx, regulatorOf(first), &contract.Batch{Records: []contract.Record{{Registration: &first}}})
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

// spreadAsRegulator spreads holds in the name of the first regulator whose identity is on this machine. Who that is, the index says, once
// it has caught up: it may just be rebuilt.
func (n *embeddedNode) spreadAsRegulator() {
	n.background("the spreader", func(ctx context.Context) error {
		height, err := n.ledger.Height(ctx)
		if err != nil {
			return err
		}
		if err := n.projector.WaitFor(ctx, height-1); err != nil {
			return err
		}
		members, err := n.index.Members(ctx)
		if err != nil {
			return err
		}
		by, err := n.signer(regulatorOf(contract.Registration{Members: members}))
		if err != nil {
			n.log.Warn("no regulator's identity is on this machine: marks of holds do not spread from here (holds are in force all the same)", "err", err)
			<-ctx.Done()
			return nil
		}
		return spreader.Run(ctx, n.ledger, by, n.log)
	})
}

// countersOf are the ledger's figures for /metrics.
func countersOf(m *embedded.Metrics) func() map[string]float64 {
	return func() map[string]float64 {
		return map[string]float64{
			"foodtrace_ledger_blocks_total":       float64(m.Blocks.Load()),
			"foodtrace_ledger_transactions_total": float64(m.Txs.Load()),
			"foodtrace_ledger_records_total":      float64(m.Records.Load()),
			"foodtrace_ledger_conflicts_total":    float64(m.Conflicts.Load()),
			"foodtrace_ledger_bytes_total":        float64(m.Bytes.Load()),
			"foodtrace_ledger_sync_seconds_total": time.Duration(m.SyncNanos.Load()).Seconds(),
		}
	}
}
