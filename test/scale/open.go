package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/foodtrace-ledger/foodtrace/internal/evidence/fs"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/embedded"
)

// closers are closed in reverse order.
type closers []func() error

func (c *closers) add(f func() error) { *c = append(*c, f) }

func (c *closers) close() error {
	var errs []error
	for _, f := range slices.Backward(*c) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// open makes an empty system. done closes it.
func open(ctx context.Context, dir string, o options) (s *system, done func() error, err error) {
	squeeze, err := zstd.NewWriter(nil)
	if err != nil {
		return nil, nil, err
	}
	s = &system{dir: dir, squeeze: squeeze}
	var c closers
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if s.evidence, err = fs.New(filepath.Join(dir, evidenceDir)); err != nil {
		return nil, nil, err
	}
	openLedger, openIndex := s.openEmbedded, s.openSQLite
	if o.fabric {
		openLedger = s.openFabric
	}
	if o.postgres {
		openIndex = s.openPostgres
	}
	if err = openLedger(ctx, &c); err != nil {
		return nil, nil, err
	}
	return s, c.close, openIndex(ctx, &c)
}

// openEmbedded begins a ledger on one machine.
func (s *system) openEmbedded(_ context.Context, c *closers) error {
	l, err := embedded.Open(embedded.Options{Dir: s.dir})
	if err != nil {
		return err
	}
	c.add(l.Close)
	ids := identity.Open(s.dir, nil)
	s.ledger = l
	s.signer = func(msp string) (ledger.Signer, error) { return ids.Ensure(msp, user) }
	s.sizes = []stored{{name: "ledger: file", path: embedded.LogPath(s.dir)}, {name: "state: on disk", path: filepath.Join(s.dir, "state")}}
	return nil
}

// openSQLite begins an index in one file.
func (s *system) openSQLite(_ context.Context, c *closers) error {
	x, err := sqlite.Open(filepath.Join(s.dir, indexFile), sqlite.Options{})
	if err != nil {
		return err
	}
	c.add(x.Close)
	s.index, s.indexSizes = x, s.sqliteSizes
	return nil
}
