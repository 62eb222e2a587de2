package capture

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
	"modernc.org/sqlite" // also the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// store keeps jobs in one SQLite file. Every write is on disk when the method returns.
//
// jobs holds one row a document. batches says which records of it went into which transaction, without gaps: the ledger itself knows
// what became of them. rejects holds what was said of records before: why they never got that far, or remarks.
type store struct{ db *sql.DB }

const schema = `
CREATE TABLE IF NOT EXISTS jobs (
  seq        INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE,
  member     TEXT NOT NULL,
  created    INTEGER NOT NULL,             -- microseconds
  finished   INTEGER NOT NULL DEFAULT 0,   -- 0 while running
  job        BLOB NOT NULL                 -- Job as JSON
) STRICT;
CREATE INDEX IF NOT EXISTS jobs_running ON jobs(finished) WHERE finished = 0;
CREATE INDEX IF NOT EXISTS jobs_member ON jobs(member, seq);
CREATE TABLE IF NOT EXISTS batches (
  job TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, tx TEXT NOT NULL,
  PRIMARY KEY (job, first)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rejects (
  job TEXT NOT NULL, record INTEGER NOT NULL, outcome BLOB NOT NULL,
  PRIMARY KEY (job, record)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;`

func openStore(path string) (*store, error) {
	query := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)"}}
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()} // a path may hold a ?
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(schema); err != nil {
		return nil, errors.Join(fmt.Errorf("capture: opening the job store %s: %w", path, err), db.Close())
	}
	return &store{db}, nil
}

func (s *store) close() error { return s.db.Close() }

// add keeps a new job, if there is room.
func (s *store) add(ctx context.Context, j Job, room func(*sql.Tx) error) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := room(tx); err != nil {
			return err
		}
		body, err := json.Marshal(j)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO jobs (id, member, created, job) VALUES (?, ?, ?, ?)`, j.ID, j.Member, j.Created.UnixMicro(), body)
		return err
	})
}

// querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// running is how many jobs are not finished, and how many of them are a member's.
func running(ctx context.Context, db querier, member string) (all, mine int, err error) {
	err = db.QueryRowContext(ctx, `SELECT count(*), count(CASE WHEN member = ? THEN 1 END) FROM jobs WHERE finished = 0`, member).Scan(&all, &mine)
	return all, mine, err
}

// progress keeps a job's state together with what happened to some of its records.
func (s *store) progress(ctx context.Context, j Job, done []batchDone, rejected []Outcome) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, b := range done {
			if _, err := tx.Exec(`INSERT INTO batches VALUES (?, ?, ?, ?)`, j.ID, b.first, b.last, b.tx); err != nil {
				return err
			}
		}
		for _, o := range rejected {
			body, err := json.Marshal(o)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT OR REPLACE INTO rejects VALUES (?, ?, ?)`, j.ID, o.Index, body); err != nil {
				return err
			}
		}
		body, err := json.Marshal(j)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE jobs SET finished = ?, job = ? WHERE id = ?`, micros(j.Finished), body, j.ID)
		return err
	})
}

// batchDone says that the records first to last of a document, but for the rejected ones between, are in a transaction.
type batchDone struct {
	first, last int
	tx          string
}

// batchWith returns the batch that holds a record; false when the job has not come so far.
func (s *store) batchWith(ctx context.Context, id string, record int) (b batchDone, ok bool, err error) {
	found, err := s.batches(ctx, `job = ? AND first <= ?`, id, record)
	if err != nil || len(found) == 0 || found[0].last < record {
		return b, false, err
	}
	return found[0], true, nil
}

// through returns how many records of a document are through.
func (s *store) through(ctx context.Context, id string) (int, error) {
	found, err := s.batches(ctx, `job = ?`, id)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return found[0].last + 1, nil
}

// batches returns the last batch of those that fulfil a condition.
func (s *store) batches(ctx context.Context, condition string, args ...any) ([]batchDone, error) {
	return query(ctx, s.db, func(r *sql.Rows, b *batchDone) error { return r.Scan(&b.first, &b.last, &b.tx) },
		`SELECT first, last, tx FROM batches WHERE `+condition+` ORDER BY first DESC LIMIT 1`, args...)
}

func (s *store) rejects(ctx context.Context, id string, from, before int) ([]Outcome, error) {
	return query(ctx, s.db, scanJSON[Outcome], `SELECT outcome FROM rejects WHERE job = ? AND record >= ? AND record < ? ORDER BY record`, id, from, before)
}

func (s *store) job(ctx context.Context, member, id string) (Job, error) {
	jobs, err := query(ctx, s.db, scanJSON[Job], `SELECT job FROM jobs WHERE id = ? AND (? = '' OR member = ?)`, id, member, member)
	if err != nil {
		return Job{}, err
	}
	if len(jobs) == 0 {
		return Job{}, ErrNoSuchJob
	}
	return jobs[0], nil
}

// jobs lists jobs, newest first, older than the job with ID after.
func (s *store) jobs(ctx context.Context, member, after string, limit int) ([]Job, error) {
	return query(ctx, s.db, scanJSON[Job], `SELECT job FROM jobs WHERE (? = '' OR member = ?)
		AND (? = '' OR seq < (SELECT seq FROM jobs WHERE id = ?)) ORDER BY seq DESC LIMIT ?`, member, member, after, after, limit)
}

// unfinished returns the jobs that an earlier process left, oldest first.
func (s *store) unfinished(ctx context.Context) ([]Job, error) {
	return query(ctx, s.db, scanJSON[Job], `SELECT job FROM jobs WHERE finished = 0 ORDER BY seq`)
}

func (s *store) tx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return full(err)
	}
	if err := f(tx); err != nil {
		return full(errors.Join(err, tx.Rollback()))
	}
	return full(tx.Commit())
}

// full says that there is no room in the words of the operating system, whether SQLite found it out by itself or was told.
func full(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && (e.Code()&0xff == sqlite3.SQLITE_FULL || e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE) {
		return fmt.Errorf("%w: %w", syscall.ENOSPC, err)
	}
	return err
}

func query[T any](ctx context.Context, db *sql.DB, scan func(*sql.Rows, *T) error, q string, args ...any) (list []T, err error) {
	rows, err := db.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var v T
		if err := scan(rows, &v); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

func scanJSON[T any](r *sql.Rows, v *T) error {
	var body []byte
	if err := r.Scan(&body); err != nil {
		return err
	}
	return json.Unmarshal(body, v)
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
