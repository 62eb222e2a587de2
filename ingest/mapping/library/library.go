// Package library keeps the mapping files of the members that a gateway serves, so that a machine that sends sheets names a mapping
// instead of sending it along. A file is never changed: its ID is the SHA-256 of its bytes.
package library

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/mapping"
)

// MaxFiles is how many mapping files one member may keep. People write them: one for each report of each system, and its versions.
const MaxFiles = 1000

// Errors of a Store.
var (
	ErrNotFound = errors.New("library: no such mapping file")
	ErrTooMany  = errors.New("library: the member keeps as many mapping files as it may")
)

// Entry is one mapping file.
type Entry struct {
	ID      string    `json:"id" doc:"SHA-256 of the file, in hexadecimal digits"`
	Name    string    `json:"name" doc:"What the file calls itself"`
	Size    int64     `json:"size" doc:"In bytes"`
	Created time.Time `json:"created"`
}

// Store is the files of one gateway.
type Store struct {
	db  *sql.DB
	now func() time.Time
}

const schema = `CREATE TABLE IF NOT EXISTS mapping (
	member  TEXT NOT NULL, -- MSP ID
	id      TEXT NOT NULL, -- SHA-256
	name    TEXT NOT NULL,
	created INTEGER NOT NULL, -- Unix time in milliseconds
	file    BLOB NOT NULL,
	PRIMARY KEY (member, id)
) WITHOUT ROWID`

// Open opens or makes the file in which all is kept. Close it when done.
func Open(path string, now func() time.Time) (*Store, error) {
	query := url.Values{"_pragma": {"journal_mode(wal)", "busy_timeout(5000)", "synchronous(full)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("library: open %s: %w", path, err)
	}
	if _, err := db.Exec(schema); err != nil {
		return nil, fmt.Errorf("library: open %s: %w", path, errors.Join(err, db.Close()))
	}
	return &Store{db: db, now: now}, nil
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Add keeps a mapping file once [mapping.Load] has nothing against it: its problems are returned, and then nothing is kept. A file that is there is
// not added again. It is durable on return. ErrTooMany.
func (s *Store) Add(ctx context.Context, member string, file []byte) (Entry, []ingest.Problem, error) {
	m, problems := mapping.Load(file)
	if m == nil {
		return Entry{}, problems, nil
	}
	sum := sha256.Sum256(file)
	id := hex.EncodeToString(sum[:])
	_, err := s.db.ExecContext(ctx, `INSERT INTO mapping (member, id, name, created, file) SELECT ?, ?, ?, ?, ?
		WHERE (SELECT COUNT(*) FROM mapping WHERE member = ?) < ? ON CONFLICT DO NOTHING`,
		member, id, m.Name, s.now().UnixMilli(), file, member, MaxFiles)
	if err != nil {
		return Entry{}, nil, fmt.Errorf("library: keeping a mapping file: %w", err)
	}
	e, err := scan(s.db.QueryRowContext(ctx, `SELECT id, name, LENGTH(file), created FROM mapping WHERE member = ? AND id = ?`, member, id))
	if errors.Is(err, ErrNotFound) {
		err = ErrTooMany
	}
	return e, nil, err
}

// List returns the files of a member, newest first; at most [MaxFiles].
func (s *Store) List(ctx context.Context, member string) (all []Entry, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, name, LENGTH(file), created FROM mapping WHERE member = ? ORDER BY created DESC, id`, member)
	if err != nil {
		return nil, fmt.Errorf("library: listing mapping files: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, rows.Err()
}

// File returns a file of a member: ErrNotFound.
func (s *Store) File(ctx context.Context, member, id string) (file []byte, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT file FROM mapping WHERE member = ? AND id = ?`, member, id).Scan(&file)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("library: reading a mapping file: %w", err)
	}
	return file, nil
}

// Remove takes a file from the library: ErrNotFound. What was read by it stays as it is: its job and the ledger have the digest, the evidence the bytes.
func (s *Store) Remove(ctx context.Context, member, id string) error {
	res, err := s.db.ExecContext(ctx, `DELETE FROM mapping WHERE member = ? AND id = ?`, member, id)
	if err != nil {
		return fmt.Errorf("library: removing a mapping file: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrNotFound)
	}
	return nil
}

func scan(row interface{ Scan(...any) error }) (e Entry, err error) {
	var created int64
	err = row.Scan(&e.ID, &e.Name, &e.Size, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return e, ErrNotFound
	}
	if err != nil {
		return e, fmt.Errorf("library: reading a mapping file: %w", err)
	}
	e.Created = time.UnixMilli(created).UTC()
	return e, nil
}
