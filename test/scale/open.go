package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"github.com/foodtrace-ledger/foodtrace/internal/evidence/fs"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/embedded"
)

// openEmbedded makes an empty system on one machine. done closes it.
func openEmbedded(_ context.Context, dir string) (s *system, done func() error, err error) {
	l, err := embedded.Open(embedded.Options{Dir: dir})
	if err != nil {
		return nil, nil, err
	}
	s, done, err = around(dir, l, l.Close)
	if err != nil {
		return nil, nil, err
	}
	ids := identity.Open(dir, nil)
	s.signer = func(msp string) (ledger.Signer, error) { return ids.Ensure(msp, user) }
	s.sizes = []stored{{name: "ledger: file", path: embedded.LogPath(dir)}, {name: "state: on disk", path: filepath.Join(dir, "state")}}
	return s, done, nil
}

// around opens what stands around a ledger, which is closed with it, and also when it cannot be opened.
func around(dir string, l ledger.Ledger, closeLedger func() error) (s *system, done func() error, err error) {
	x, err := sqlite.Open(filepath.Join(dir, indexFile), sqlite.Options{})
	if err != nil {
		return nil, nil, errors.Join(err, closeLedger())
	}
	done = func() error { return errors.Join(x.Close(), closeLedger()) }
	files, err := fs.New(filepath.Join(dir, evidenceDir))
	if err != nil {
		return nil, nil, errors.Join(err, done())
	}
	squeeze, err := zstd.NewWriter(nil)
	if err != nil {
		return nil, nil, errors.Join(err, done())
	}
	return &system{dir: dir, ledger: l, index: x, evidence: files, squeeze: squeeze}, done, nil
}
