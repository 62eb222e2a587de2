package sqlite_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/indextest"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/trace/tracetest"
)

// One byte of the file is changed, at many places in turn. Each time the change is reported as damage or as a row, or the
// index still says exactly what the ledger says (the byte was free space).
func TestChangedByte(t *testing.T) {
	const worlds = 24
	c := indextest.NewChain()
	for i := range worlds {
		for _, e := range tracetest.Parse(t, "1 make A:5KGM -> B:5KGM @farm\n2 pack B:5KGM in P1\n3 obs P1 ^farm >shop !shipping\n4 new S1 S2 lot=L7") {
			e.Disposition = strings.Repeat("x", i+1)
			c.Add("ProducerMSP", indextest.Event(e))
		}
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "index.db")
	build(t, path, c)
	rebuilt := filepath.Join(dir, "rebuilt.db")
	build(t, rebuilt, c)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := sqlite.Open(rebuilt, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	const tries = 120
	damage, rows, free := 0, 0, 0
	for range tries {
		at := rng.IntN(len(file))
		changed := append([]byte(nil), file...)
		changed[at] ^= 1 << rng.IntN(8)
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := verify(t.Context(), path, fresh)
		for _, d := range found {
			if d.Block >= 4*worlds && d.Live != nil && d.Rebuilt != nil {
				t.Errorf("byte %d: %v: no such block", at, d)
			}
		}
		switch {
		case err != nil:
			damage++
		case len(found) > 0:
			rows++
		default:
			free++
		}
	}
	t.Logf("of %d changed bytes: %d reported as damage, %d as rows, %d without effect", tries, damage, rows, free)
	if damage < tries/30 || rows < tries/6 {
		t.Errorf("of %d changed bytes only %d were reported as damage and %d as rows", tries, damage, rows)
	}
}

// build makes a file without a log beside it.
func build(t *testing.T, path string, c *indextest.Chain) {
	ix, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := ix.Apply(t.Context(), c.All()); err != nil {
		t.Fatal(err)
	}
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
}

// verify is what the verify command does with an index.
func verify(ctx context.Context, path string, fresh *sqlite.Index) (found []index.Difference, err error) {
	ix, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		return nil, err
	}
	defer ix.Close()
	if err := ix.Check(ctx); err != nil {
		return nil, err
	}
	return found, index.Compare(ctx, ix, fresh, func(d index.Difference) { found = append(found, d) })
}
