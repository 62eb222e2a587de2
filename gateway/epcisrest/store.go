package epcisrest

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Store keeps the named queries of the members, and what makes tokens of pages valid, in a file of this gateway.
type Store struct {
	db   *sql.DB
	seal cipher.AEAD
	now  func() time.Time
}

// Named is a named query: a question that a member has given a name. Names are a member's own: two may use the same one.
type Named struct {
	Name  string         `json:"name"`
	Query jsontext.Value `json:"query"` // parameters and their values (EPCIS 2.0, query-schema.json)
}

// Errors of a Store.
var (
	ErrNoSuchQuery = errors.New("epcisrest: no such named query")
	ErrNameTaken   = errors.New("epcisrest: a named query has this name already")
	ErrTooMany     = errors.New("epcisrest: the member has as many named queries as it may have")
)

// maxNamed bounds the named queries of one member: they are made by people and programs, not by events.
const maxNamed = 1000

const schema = `
CREATE TABLE IF NOT EXISTS named (
	member  TEXT NOT NULL, -- MSP ID
	name    TEXT NOT NULL,
	query   TEXT NOT NULL, -- JSON
	created TEXT NOT NULL,
	PRIMARY KEY (member, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS secret ( -- one row: what seals tokens of pages
	one INTEGER PRIMARY KEY CHECK (one = 1),
	key BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS revoked (
	token   BLOB PRIMARY KEY, -- SHA-256
	expires INTEGER NOT NULL  -- Unix time
) WITHOUT ROWID`

// OpenStore opens or makes the file. Close it when done.
func OpenStore(path string, now func() time.Time) (*Store, error) {
	query := url.Values{"_pragma": {"journal_mode(wal)", "busy_timeout(5000)", "synchronous(full)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("epcisrest: open %s: %w", path, err)
	}
	s := &Store{db: db, now: now}
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("epcisrest: open %s: %w", path, errors.Join(err, db.Close()))
	}
	return s, nil
}

// prepare makes the tables and the secret.
func (s *Store) prepare() error {
	if _, err := s.db.Exec(schema); err != nil {
		return err
	}
	key := make([]byte, 32) // AES-256
	_, _ = rand.Read(key)   // never fails (crypto/rand)
	if _, err := s.db.Exec(`INSERT INTO secret (one, key) VALUES (1, ?) ON CONFLICT DO NOTHING`, key); err != nil {
		return err
	}
	if err := s.db.QueryRow(`SELECT key FROM secret`).Scan(&key); err != nil {
		return err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	s.seal, err = cipher.NewGCMWithRandomNonce(block)
	return err
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Create keeps a query under a name: ErrNameTaken, ErrTooMany.
func (s *Store) Create(ctx context.Context, member string, q Named) error {
	result, err := s.db.ExecContext(ctx, `INSERT INTO named (member, name, query, created) SELECT ?1, ?2, ?3, ?4
		WHERE (SELECT count(*) FROM named WHERE member = ?1) < ?5 ON CONFLICT DO NOTHING`,
		member, q.Name, string(q.Query), s.now().UTC().Format(time.RFC3339), maxNamed)
	if err != nil {
		return fmt.Errorf("epcisrest: keep a named query: %w", err)
	}
	n, err := result.RowsAffected()
	if err != nil || n > 0 {
		return err
	}
	if _, err := s.Named(ctx, member, q.Name); !errors.Is(err, ErrNoSuchQuery) {
		return errors.Join(err, ErrNameTaken)
	}
	return ErrTooMany
}

// Named returns a query of a member, or ErrNoSuchQuery.
func (s *Store) Named(ctx context.Context, member, name string) (Named, error) {
	var text string
	err := s.db.QueryRowContext(ctx, `SELECT query FROM named WHERE member = ? AND name = ?`, member, name).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return Named{}, ErrNoSuchQuery
	}
	if err != nil {
		return Named{}, fmt.Errorf("epcisrest: read a named query: %w", err)
	}
	return Named{Name: name, Query: jsontext.Value(text)}, nil
}

// List returns at most limit queries of a member whose names come after a name ("" for the first), in the order of names.
func (s *Store) List(ctx context.Context, member, after string, limit int) (list []Named, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT name, query FROM named WHERE member = ? AND name > ? ORDER BY name LIMIT ?`, member, after, limit)
	if err != nil {
		return nil, fmt.Errorf("epcisrest: list named queries: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		list = append(list, Named{Name: name, Query: jsontext.Value(text)})
	}
	return list, rows.Err()
}

// Delete removes a query of a member, or returns ErrNoSuchQuery.
func (s *Store) Delete(ctx context.Context, member, name string) error {
	result, err := s.db.ExecContext(ctx, `DELETE FROM named WHERE member = ? AND name = ?`, member, name)
	if err != nil {
		return fmt.Errorf("epcisrest: remove a named query: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return ErrNoSuchQuery
}

// revoke makes a token invalid until it expires, and forgets those that have.
func (s *Store) revoke(ctx context.Context, hash []byte, expires time.Time) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM revoked WHERE expires < ?`, s.now().Unix())
	if err == nil {
		_, err = s.db.ExecContext(ctx, `INSERT INTO revoked (token, expires) VALUES (?, ?) ON CONFLICT DO NOTHING`, hash, expires.Unix())
	}
	if err != nil {
		return fmt.Errorf("epcisrest: revoke a token: %w", err)
	}
	return nil
}

func (s *Store) isRevoked(ctx context.Context, hash []byte) (bool, error) {
	var n int
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM revoked WHERE token = ?`, hash).Scan(&n); err != nil {
		return false, fmt.Errorf("epcisrest: look for a revoked token: %w", err)
	}
	return n > 0, nil
}
