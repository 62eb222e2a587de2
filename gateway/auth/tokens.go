// Package auth says who asks: API tokens, and the principal that they stand for.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Principal is who asks. The zero value is the public.
type Principal struct {
	Member string        // MSP ID
	Role   contract.Role // what the token is for; one of the member's roles
}

// Public reports whether nobody has signed in.
func (p Principal) Public() bool { return p.Member == "" }

// ErrUnknownToken: the token is none of ours.
var ErrUnknownToken = errors.New("auth: unknown token")

// tokenPrefix makes a token that was published by accident easy to find by secret scanners.
const tokenPrefix = "ft_"

// tokenBytes of randomness: not to be guessed, so one round of SHA-256 is enough to keep it.
const tokenBytes = 32

// Tokens keeps the hashes of API tokens in a file that several processes may use at once.
type Tokens struct{ db *sql.DB }

const schema = `CREATE TABLE IF NOT EXISTS token (
	hash    BLOB PRIMARY KEY, -- SHA-256 of the token
	member  TEXT NOT NULL,
	role    TEXT NOT NULL,
	created TEXT NOT NULL
) WITHOUT ROWID`

// Open opens or makes the file. Close it when done.
func Open(path string) (*Tokens, error) {
	// Write-ahead log and a busy timeout (milliseconds): a token can be made beside a running server.
	query := url.Values{"_pragma": {"journal_mode(wal)", "busy_timeout(5000)", "synchronous(full)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("auth: open %s: %w", path, err)
	}
	if _, err := db.Exec(schema); err != nil {
		return nil, fmt.Errorf("auth: open %s: %w", path, errors.Join(err, db.Close()))
	}
	return &Tokens{db: db}, nil
}

// Close closes the file.
func (t *Tokens) Close() error { return t.db.Close() }

// Create makes a token for a member in a role. This is the only time that it can be seen.
func (t *Tokens) Create(ctx context.Context, member string, role contract.Role) (string, error) {
	if member == "" || role == "" {
		return "", errors.New("auth: a token needs a member and a role")
	}
	secret := make([]byte, tokenBytes)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	token := tokenPrefix + base64.RawURLEncoding.EncodeToString(secret)
	hash := sha256.Sum256([]byte(token))
	_, err := t.db.ExecContext(ctx, `INSERT INTO token (hash, member, role, created) VALUES (?, ?, ?, ?)`,
		hash[:], member, string(role), time.Now().UTC().Format(time.RFC3339))
	if err != nil {
		return "", fmt.Errorf("auth: keep the token: %w", err)
	}
	return token, nil
}

// Lookup returns whom a token stands for, or ErrUnknownToken.
func (t *Tokens) Lookup(ctx context.Context, token string) (Principal, error) {
	if !strings.HasPrefix(token, tokenPrefix) || len(token) > 2*tokenBytes {
		return Principal{}, ErrUnknownToken
	}
	hash := sha256.Sum256([]byte(token))
	var kept []byte
	var p Principal
	err := t.db.QueryRowContext(ctx, `SELECT hash, member, role FROM token WHERE hash = ?`, hash[:]).Scan(&kept, &p.Member, &p.Role)
	if errors.Is(err, sql.ErrNoRows) {
		return Principal{}, ErrUnknownToken
	}
	if err != nil {
		return Principal{}, fmt.Errorf("auth: look up the token: %w", err)
	}
	// The search went by the hash, which says nothing of the token; the comparison takes the same time for any.
	if subtle.ConstantTimeCompare(kept, hash[:]) != 1 {
		return Principal{}, ErrUnknownToken
	}
	return p, nil
}

// Stands reports whether there is a token for the principal: without one, nobody can sign in as it.
func (t *Tokens) Stands(ctx context.Context, p Principal) (bool, error) {
	var n int
	err := t.db.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM token WHERE member = ? AND role = ? LIMIT 1)`, p.Member, string(p.Role)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("auth: look for a token of %s: %w", p.Member, err)
	}
	return n > 0, nil
}
