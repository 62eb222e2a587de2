package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/foodtrace-ledger/foodtrace/internal/evidence/fs"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/embedded"
)

// embeddedSubject is what verify looks at in a data directory of a ledger on this machine.
func embeddedSubject(dir dataDir) (*subject, error) {
	if _, err := os.Stat(string(dir)); err != nil {
		return nil, err
	}
	files, err := fs.New(dir.evidence())
	if err != nil {
		return nil, err
	}
	return &subject{ledger: embeddedChain(dir), evidence: files, place: dir.index(), cure: "stop the server and remove it",
		index: func(ctx context.Context) (index.Snapshot, error) { return openLiveFile(ctx, dir.index()) },
		close: func() error { return nil }}, nil
}

func embeddedChain(dir dataDir) func(context.Context, reporter, func(*ledger.Block) error) (chain, error) {
	return func(ctx context.Context, report reporter, next func(*ledger.Block) error) (chain, error) {
		s, err := embedded.Verify(ctx, embedded.LogPath(string(dir)), identity.Open(string(dir), nil).Trust(),
			func(p embedded.Problem) { report(int64(p.Block), fmt.Sprintf("byte %d", p.Offset), p.String()) }, next)
		return chain{Blocks: s.Blocks, Txs: s.Txs, Records: s.Records, Bytes: s.Bytes, LastHash: fmt.Sprintf("%x", s.Hash)}, err
	}
}

// openLiveFile takes hold of the index in a file; nil when there is none, which the next start rebuilds. An index that can
// be read comes with the error of what is damaged in it.
func openLiveFile(ctx context.Context, path string) (index.Snapshot, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	file, err := sqlite.Open(path, fileOnly)
	if err != nil {
		return nil, err
	}
	damage := file.Check(ctx)
	state, err := file.Snapshot(ctx)
	if err != nil {
		return nil, errors.Join(damage, err, file.Close())
	}
	return &opened{state, file}, damage
}
