package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/indextest"
	"github.com/foodtrace-ledger/foodtrace/internal/index/postgres"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/services"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(tb testing.TB, dsn string, opts postgres.Options) *postgres.Index {
	tb.Helper()
	ix, err := postgres.Open(tb.Context(), dsn, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := ix.Close(); err != nil {
			tb.Error(err)
		}
	})
	return ix
}

// schemas makes empty places for indexes in one database: much faster than databases, and enough where nothing is shared.
func schemas(t testing.TB) func(testing.TB) string {
	t.Helper()
	dsn := services.Postgres(t)
	return func(tb testing.TB) string {
		tb.Helper()
		name := "s" + strings.ToLower(rand.Text())
		conn, err := pgx.Connect(tb.Context(), dsn)
		if err != nil {
			tb.Fatal(err)
		}
		defer conn.Close(tb.Context())
		if _, err := conn.Exec(tb.Context(), "CREATE SCHEMA "+name); err != nil {
			tb.Fatal(err)
		}
		return dsn + "&search_path=" + name
	}
}

// TestSuite: the database answers.
func TestSuite(t *testing.T) {
	place := schemas(t)
	indextest.Run(t, func(tb testing.TB) index.Index { return open(tb, place(tb), postgres.Options{GraphMB: -1}) })
}

// TestSuiteLeader: the memory answers, of a process that applies.
func TestSuiteLeader(t *testing.T) {
	place := schemas(t)
	indextest.Run(t, func(tb testing.TB) index.Index {
		ix := open(tb, place(tb), postgres.Options{})
		if err := ix.LoadFirst(tb.Context(), func() {}); err != nil {
			tb.Fatal(err)
		}
		return ix
	})
}

// follower reads what another process applies.
type follower struct {
	*postgres.Index
	leader *postgres.Index
}

func (f follower) Apply(ctx context.Context, blocks []*ledger.Block) error {
	if err := f.leader.Apply(ctx, blocks); err != nil {
		return err
	}
	_, err := f.Follow(ctx)
	return err
}

// TestSuiteFollower: the memory answers, of a process that follows.
func TestSuiteFollower(t *testing.T) {
	place := schemas(t)
	indextest.Run(t, func(tb testing.TB) index.Index {
		dsn := place(tb)
		ix := open(tb, dsn, postgres.Options{})
		if err := ix.LoadFirst(tb.Context(), func() {}); err != nil {
			tb.Fatal(err)
		}
		return follower{ix, open(tb, dsn, postgres.Options{GraphMB: -1})}
	})
}

func openFile(tb testing.TB) *sqlite.Index {
	tb.Helper()
	ix, err := sqlite.Open(filepath.Join(tb.TempDir(), "index.db"), sqlite.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := ix.Close(); err != nil {
			tb.Error(err)
		}
	})
	return ix
}

// same compares an index with one in a file that is built from the same blocks.
func same(t *testing.T, ix index.Rows, c *indextest.Chain) {
	t.Helper()
	file := openFile(t)
	if err := file.Apply(t.Context(), c.All()); err != nil {
		t.Fatal(err)
	}
	if err := index.Compare(t.Context(), ix, file, func(d index.Difference) { t.Error(d) }); err != nil {
		t.Fatal(err)
	}
}

// TestMigrate: many processes open an empty database at once, and a database of a newer program is left alone.
func TestMigrate(t *testing.T) {
	dsn := services.Postgres(t)
	var opening sync.WaitGroup
	for range 8 {
		opening.Go(func() {
			ix, err := postgres.Open(t.Context(), dsn, postgres.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if err := ix.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	opening.Wait()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	old := open(t, dsn, postgres.Options{})
	if _, err := conn.Exec(t.Context(), "INSERT INTO foodtrace_index_version (version_id, is_applied) VALUES (99, true)"); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.Open(t.Context(), dsn, postgres.Options{}); !errors.Is(err, index.ErrSchema) {
		t.Errorf("a newer database: %v", err)
	}
	err = old.Share(t.Context(), func(uint64) {}, func(context.Context) error { t.Error("it leads"); return nil })
	if !errors.Is(err, index.ErrSchema) {
		t.Errorf("a program that was running when the database became newer: %v", err)
	}
}

func TestAway(t *testing.T) {
	_, err := postgres.Open(t.Context(), "postgres://u:secret@127.0.0.1:1/d", postgres.Options{})
	if !errors.Is(err, index.ErrUnavailable) {
		t.Errorf("no server: %v", err)
	}
}
