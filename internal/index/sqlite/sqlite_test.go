package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/indextest"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSuite(t *testing.T) {
	indextest.Run(t, func(tb testing.TB) index.Index { return open(tb, sqlite.Options{}) })
}

func TestSuiteWithoutMemory(t *testing.T) {
	indextest.Run(t, func(tb testing.TB) index.Index { return open(tb, sqlite.Options{GraphMB: -1}) })
}

func TestOtherVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE t (a); PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(path, sqlite.Options{}); !errors.Is(err, index.ErrSchema) {
		t.Errorf("a file of another version: %v", err)
	}
	if err := os.WriteFile(path, []byte("this is no database, it is a text of some length"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(path, sqlite.Options{}); err == nil {
		t.Error("a file that is no database was opened")
	}
	if _, err := sqlite.Open(filepath.Join(path, "x", "index.db"), sqlite.Options{}); err == nil {
		t.Error("a file in no folder was opened")
	}
}

// Names with characters that mean something in a URI.
func TestOddPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "100% ?a=b#c 数据")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "index.db")
	ix, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	if err := ix.Close(); err != nil {
		t.Error(err)
	}
}
