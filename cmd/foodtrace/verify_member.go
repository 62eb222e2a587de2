package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/postgres"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/fabric"
)

// memberSubject is what verify looks at of a member's gateway: the channel as the peers keep it, its evidence and its index.
func memberSubject(a *app, file string) (*subject, error) {
	conf, err := readConfig(file, a.getenv)
	if err != nil {
		return nil, err
	}
	m := &member{config: conf, log: slog.New(slog.DiscardHandler), now: a.now}
	if m.by, m.until, err = loadIdentity(a, conf); err != nil {
		return nil, err
	}
	if _, err := os.Stat(conf.Data); err != nil {
		return nil, err
	}
	files, err := m.openEvidence(a.ctx)
	if err != nil {
		return nil, err
	}
	s := &subject{ledger: m.verifyChain, evidence: files, member: m.Member, close: func() error { return nil }}
	if conf.Index.Postgres != "" {
		s.place, s.cure = "PostgreSQL", "stop the gateways that share it and empty the database"
		s.index = m.openLiveDatabase
	} else {
		s.place, s.cure = m.dir().index(), "stop the gateway and remove it"
		s.index = func(ctx context.Context) (index.Snapshot, error) { return openLiveFile(ctx, m.dir().index()) }
	}
	return s, nil
}

// openLiveDatabase takes hold of the index in a database.
func (m *member) openLiveDatabase(ctx context.Context) (index.Snapshot, error) {
	database, err := postgres.Open(ctx, m.Index.Postgres, postgres.Options{GraphMB: -1})
	if err != nil {
		return nil, err
	}
	state, err := database.Snapshot(ctx)
	if err != nil {
		return nil, errors.Join(err, database.Close())
	}
	return &opened{state, database}, nil
}

func (m *member) verifyChain(ctx context.Context, report reporter, next func(*ledger.Block) error) (chain, error) {
	s, err := fabric.Verify(ctx, fabric.Options{Config: m.Fabric, Identity: m.by, Log: m.log},
		func(p fabric.Problem) { report(int64(p.Block), p.Peer, p.String()) }, next)
	return chain{Blocks: s.Blocks, Txs: s.Txs, Records: s.Records, Bytes: s.Bytes, LastHash: fmt.Sprintf("%x", s.Hash)}, err
}
