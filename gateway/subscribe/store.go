package subscribe

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/go-json-experiment/json"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

var (
	// errGone: there is no such subscription, or no longer.
	errGone = errors.New("subscribe: there is no such subscription")
	// errMany: the member has as many as it may have.
	errMany = errors.New("subscribe: too many subscriptions")
)

// keepEnded is for how long a subscription that its receiver has ended can still be read: time for somebody to ask why.
const keepEnded = 30 * 24 * time.Hour

// store keeps subscriptions in one SQLite file. Every write is on disk when the method returns. The secrets of receivers
// are in it as they are, because deliveries are signed with them: only its owner can read it.
type store struct{ db *sql.DB }

const schema = `
CREATE TABLE IF NOT EXISTS subscription (
  seq    INTEGER PRIMARY KEY,
  id     TEXT NOT NULL UNIQUE,
  member TEXT NOT NULL,
  query  TEXT NOT NULL,
  ended  INTEGER NOT NULL DEFAULT 0, -- seconds (Unix); 0: active
  body   BLOB NOT NULL               -- Subscription as JSON
) STRICT;
CREATE INDEX IF NOT EXISTS subscription_member ON subscription(member, query);
PRAGMA user_version = 1;`

func openStore(path string) (*store, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("subscribe: open %s: %w", path, err)
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	pragmas := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)"}}
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: pragmas.Encode()} // a path may hold a ?
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(schema); err != nil {
		return nil, errors.Join(fmt.Errorf("subscribe: open %s: %w", path, err), db.Close())
	}
	return &store{db}, nil
}

func (s *store) close() error { return s.db.Close() }

// add keeps a new subscription, unless its member has limit active ones: errMany.
func (s *store) add(ctx context.Context, sub *Subscription, limit int) error {
	body, err := json.Marshal(sub)
	if err != nil {
		return err
	}
	old := sub.Created.Add(-keepEnded).Unix()
	if _, err := s.db.ExecContext(ctx, `DELETE FROM subscription WHERE ended > 0 AND ended < ?`, old); err != nil {
		return err
	}
	done, err := s.db.ExecContext(ctx, `INSERT INTO subscription (id, member, query, body) SELECT ?, ?, ?, ?
		WHERE (SELECT count(*) FROM subscription WHERE member = ? AND ended = 0) < ?`, sub.ID, sub.Owner.Member, sub.Query, body, sub.Owner.Member, limit)
	return one(done, err, errMany)
}

// put keeps what has changed: errGone if it was removed meanwhile.
func (s *store) put(ctx context.Context, sub *Subscription) error {
	body, err := json.Marshal(sub)
	if err != nil {
		return err
	}
	var ended int64
	if !sub.Ended.IsZero() {
		ended = sub.Ended.Unix()
	}
	done, err := s.db.ExecContext(ctx, `UPDATE subscription SET ended = ?, body = ? WHERE id = ?`, ended, body, sub.ID)
	return one(done, err, errGone)
}

// remove forgets a subscription of a member, or returns errGone.
func (s *store) remove(ctx context.Context, member, query, id string) error {
	done, err := s.db.ExecContext(ctx, `DELETE FROM subscription WHERE member = ? AND query = ? AND id = ?`, member, query, id)
	return one(done, err, errGone)
}

// drop forgets all subscriptions to a query of a member.
func (s *store) drop(ctx context.Context, member, query string) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM subscription WHERE member = ? AND query = ?`, member, query)
	return err
}

// one returns none unless a statement changed a row.
func one(done sql.Result, err, none error) error {
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return none
}

// get returns a subscription, or errGone.
func (s *store) get(ctx context.Context, id string) (*Subscription, error) {
	list, err := s.read(ctx, `SELECT body FROM subscription WHERE id = ?`, id)
	if err == nil && len(list) == 0 {
		err = errGone
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// list returns a member's active subscriptions to a query, oldest first.
func (s *store) list(ctx context.Context, member, query string) ([]*Subscription, error) {
	return s.read(ctx, `SELECT body FROM subscription WHERE member = ? AND query = ? AND ended = 0 ORDER BY seq`, member, query)
}

// active returns all active subscriptions.
func (s *store) active(ctx context.Context) ([]*Subscription, error) {
	return s.read(ctx, `SELECT body FROM subscription WHERE ended = 0 ORDER BY seq`)
}

func (s *store) read(ctx context.Context, query string, args ...any) (list []*Subscription, err error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		sub := new(Subscription)
		if err := json.Unmarshal(body, sub); err != nil {
			return nil, fmt.Errorf("subscribe: a subscription in the store cannot be read: %w", err)
		}
		list = append(list, sub)
	}
	return list, rows.Err()
}
