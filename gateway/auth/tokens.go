// Package auth says who asks: API tokens, and the principal that they stand for.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
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

// ID names a token without telling it: the first digits, in lower-case hexadecimal, of its hash.
type ID string

// idBytes of the hash make an ID: two of some thousand tokens are never the same, and a line of a list is short.
const idBytes = 8

// Token is what is known of a token.
type Token struct {
	ID ID
	Principal
	Created time.Time
}

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

// IDOf is the ID of a token, whether it is one of ours or not; "" for what does not look like a token.
func IDOf(token string) ID {
	if !strings.HasPrefix(token, tokenPrefix) || len(token) > 2*tokenBytes {
		return ""
	}
	hash := sha256.Sum256([]byte(token))
	return idOf(hash[:])
}

func idOf(hash []byte) ID { return ID(hex.EncodeToString(hash[:min(idBytes, len(hash))])) }

// Lookup returns what a token is and whom it stands for, or ErrUnknownToken. It asks the file each time, so a token that
// another process has revoked is unknown from then on.
func (t *Tokens) Lookup(ctx context.Context, token string) (Token, error) {
	if IDOf(token) == "" {
		return Token{}, ErrUnknownToken
	}
	hash := sha256.Sum256([]byte(token))
	list, err := t.read(ctx, `WHERE hash = ?`, hash[:])
	if err == nil && len(list) == 0 {
		err = ErrUnknownToken
	}
	if err != nil {
		return Token{}, err
	}
	return list[0], nil
}

// List returns all tokens, the oldest first.
func (t *Tokens) List(ctx context.Context) ([]Token, error) {
	return t.read(ctx, `ORDER BY created, hash`)
}

// Find returns the tokens whose IDs begin so.
func (t *Tokens) Find(ctx context.Context, prefix string) ([]Token, error) {
	return t.read(ctx, `WHERE substr(lower(hex(hash)), 1, ?) = ? ORDER BY created, hash`, len(prefix), prefix)
}

func (t *Tokens) read(ctx context.Context, which string, args ...any) (list []Token, err error) {
	rows, err := t.db.QueryContext(ctx, `SELECT hash, member, role, created FROM token `+which, args...)
	if err != nil {
		return nil, fmt.Errorf("auth: look up tokens: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var hash []byte
		var token Token
		var created string
		if err := rows.Scan(&hash, &token.Member, &token.Role, &created); err != nil {
			return nil, fmt.Errorf("auth: look up tokens: %w", err)
		}
		token.ID = idOf(hash)
		if token.Created, err = time.Parse(time.RFC3339, created); err != nil {
			return nil, fmt.Errorf("auth: token %s: %w", token.ID, err)
		}
		list = append(list, token)
	}
	return list, rows.Err()
}

// Revoke forgets a token, for this process and all others at once. An ID that there is not is ErrUnknownToken.
func (t *Tokens) Revoke(ctx context.Context, id ID) error {
	done, err := t.db.ExecContext(ctx, `DELETE FROM token WHERE substr(lower(hex(hash)), 1, ?) = ?`, 2*idBytes, string(id))
	if err != nil {
		return fmt.Errorf("auth: revoke token %s: %w", id, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrUnknownToken)
	}
	return nil
}

// Stands reports whether a token is there still; without an ID, whether there is any for the principal: without one, nobody
// can sign in as it.
func (t *Tokens) Stands(ctx context.Context, p Principal, id ID) (bool, error) {
	var n int
	err := t.db.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM token WHERE member = ?1 AND role = ?2
		AND (?3 = '' OR substr(lower(hex(hash)), 1, length(?3)) = ?3) LIMIT 1)`, p.Member, string(p.Role), string(id)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("auth: look for a token of %s: %w", p.Member, err)
	}
	return n > 0, nil
}
