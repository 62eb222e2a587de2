// Package sqlite is the read model in one SQLite file: one writer, many readers (WAL).
package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver

	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlindex"
)

//go:embed schema.sql
var schema string

// schemaVersion goes up with every change of schema.sql or of what Apply writes: an index of another version is rebuilt
// from the ledger, there is no migration.
const schemaVersion = 4

// Options of Open. The zero value is good for a server.
type Options struct {
	// Readers is how many reads run at once. Default 4: SQLite reads are CPU bound once pages are cached.
	Readers int
	// CacheMB is the page cache of the writer and of each reader. Default 64.
	CacheMB int
	// GraphMB is that of sqlindex.New.
	GraphMB int
}

// Index is the read model in one file. It implements index.Index.
type Index struct {
	*sqlindex.Index
	read   *sql.DB
	stop   context.CancelFunc // of loading
	loaded sync.WaitGroup
}

// Open opens or creates the index at a path; beside the file lie path-wal and path-shm. Errors: index.ErrSchema, or what
// the operating system or SQLite say.
func Open(path string, opts Options) (*Index, error) {
	if opts.Readers <= 0 {
		opts.Readers = 4
	}
	if opts.CacheMB <= 0 {
		opts.CacheMB = 64
	}
	write, err := connect(path, opts, 1, "rwc")
	if err != nil {
		return nil, err
	}
	if err := prepare(write); err != nil {
		return nil, errors.Join(fmt.Errorf("open index %s: %w", path, err), write.Close())
	}
	read, err := connect(path, opts, opts.Readers, "ro")
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	common, err := sqlindex.New(dialect{}, write, read, opts.GraphMB)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	ix := &Index{Index: common, read: read, stop: stop}
	if opts.GraphMB >= 0 {
		begun := make(chan struct{})
		ix.loaded.Go(func() {
			// An error is no loss: the file answers, and says what is wrong with it.
			_ = ix.LoadFirst(ctx, func() { close(begun) })
		})
		<-begun // Apply waits for it
	}
	return ix, nil
}

func connect(path string, opts Options, conns int, mode string) (*sql.DB, error) {
	pragmas := []string{
		fmt.Sprintf("cache_size(-%d)", opts.CacheMB*1024),
		"busy_timeout(10000)", // a checkpoint may hold the file for a moment
		"temp_store(memory)",
	}
	if mode == "rwc" {
		// NORMAL does not sync each commit: after a power cut the index may be behind, never wrong, and catches up.
		pragmas = append(pragmas, "journal_mode(WAL)", "synchronous(NORMAL)", "wal_autocheckpoint(8000)")
	} else {
		pragmas = append(pragmas, "query_only(1)")
	}
	q := url.Values{"_pragma": pragmas, "mode": {mode}, "_txlock": {"immediate"}}
	if mode == "ro" {
		q.Set("_txlock", "deferred")
	}
	name := url.URL{Scheme: "file", Opaque: strings.ReplaceAll(url.PathEscape(path), "%2F", "/"), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// prepare makes the tables of a new file and refuses a file of another version.
func prepare(db *sql.DB) error {
	var version, tables int
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version == schemaVersion {
		return nil
	}
	if err := db.QueryRow("SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	if version != 0 || tables != 0 {
		return fmt.Errorf("%w: it has version %d, this program writes %d", index.ErrSchema, version, schemaVersion)
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	if _, err := tx.Exec(fmt.Sprintf("%s; PRAGMA user_version = %d", schema, schemaVersion)); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Close closes the index. Nothing is lost: what was applied is in the file.
func (ix *Index) Close() error {
	ix.stop()
	ix.loaded.Wait()
	return ix.Index.Close()
}

// Check reads the whole file and reports damage that SQLite can see: pages that do not fit together, entries missing
// from an index, values of a wrong type. Changed values are found by index.Compare.
func (ix *Index) Check(ctx context.Context) error {
	rows, err := ix.read.QueryContext(ctx, "PRAGMA integrity_check(20)")
	if err != nil {
		return fmt.Errorf("index: damaged: %w", err)
	}
	defer rows.Close()
	var found []error
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return fmt.Errorf("index: damaged: %w", err)
		}
		if line != "ok" {
			found = append(found, fmt.Errorf("index: damaged: %s", line))
		}
	}
	if err := rows.Err(); err != nil {
		found = append(found, fmt.Errorf("index: damaged: %w", err))
	}
	return errors.Join(found...)
}
