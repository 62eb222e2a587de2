package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// channel is where whoever has applied says so.
const channel = "foodtrace_index"

// leaderLock is the advisory lock of who applies: a number that nobody else in the database is likely to use.
const leaderLock = 0x666f6f6474726163 // "foodtrac"

// beat is how often a process asks whether it may lead, shows that it is alive, and looks for new blocks that nobody told it of.
const beat = time.Second

// Share implements index.Shared. The leader is who holds an advisory lock on a connection of its own. The server gives the lock
// back when that process or its connection ends, or when it has shown no sign of life for ten seconds.
func (ix *Index) Share(ctx context.Context, moved func(height uint64), lead func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	wake := make(chan struct{}, 1)
	var running sync.WaitGroup
	running.Go(func() { cancel(ix.follow(ctx, wake, moved)) })
	running.Go(func() { cancel(ix.attend(ctx, wake, lead)) })
	running.Wait()
	return context.Cause(ctx)
}

// follow keeps the graph in memory at the height of the database.
func (ix *Index) follow(ctx context.Context, wake <-chan struct{}, moved func(height uint64)) error {
	loaded := make(chan error, 1)
	var loading sync.WaitGroup
	defer loading.Wait()
	busy := false
	for {
		height, err := ix.Follow(ctx)
		if err != nil {
			return err
		}
		moved(height)
		if !busy && ix.Unloaded() {
			busy = true
			loading.Go(func() { loaded <- ix.Load(ctx) })
		}
		select {
		case <-wake:
		case <-time.After(beat):
		case err := <-loaded:
			if busy = false; err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// attend is the session in which this process waits to lead, leads, and hears of new blocks.
func (ix *Index) attend(ctx context.Context, wake chan<- struct{}, lead func(context.Context) error) error {
	s, err := ix.connect(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	for {
		if err := s.try(ctx, lead); err != nil {
			return err
		}
		heard, err := s.listen(ctx)
		if err != nil {
			return err
		}
		if heard {
			select {
			case wake <- struct{}{}:
			default: // it will look anyway
			}
		}
	}
}

// session is one connection.
type session struct {
	ix      *Index
	conn    *pgx.Conn
	leading chan error // gets the end of leading; nil: not leading
	stop    context.CancelFunc
}

func (ix *Index) connect(ctx context.Context) (*session, error) {
	config := ix.config.Copy()
	config.RuntimeParams["idle_session_timeout"] = fmt.Sprint(hangTimeout.Milliseconds())
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("index: %w", dialect{}.Error(err))
	}
	s := &session{ix: ix, conn: conn}
	if err := s.exec(ctx, "LISTEN "+channel); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// close stops leading and gives the lock back, by ending the session.
func (s *session) close() {
	if s.leading != nil {
		s.stop()
		<-s.leading
		s.ix.notBefore = time.Now().Add(2 * beat) // another one first: something may be wrong here
	}
	ctx, cancel := context.WithTimeout(context.Background(), beat)
	defer cancel()
	_ = s.conn.Close(ctx) // the server notices in any case
}

// try leads if nobody else does, and ends it when lead has returned. It always asks the server for something, which shows that this process is alive.
func (s *session) try(ctx context.Context, lead func(context.Context) error) error {
	if s.leading != nil {
		select {
		case err := <-s.leading:
			s.leading = nil
			s.stop()
			if err != nil {
				return err
			}
			s.ix.notBefore = time.Now().Add(2 * beat)
			return s.exec(ctx, "SELECT pg_advisory_unlock($1)", int64(leaderLock))
		default:
		}
	}
	if s.leading != nil || time.Now().Before(s.ix.notBefore) {
		return s.exec(ctx, "SELECT 1")
	}
	var locked bool
	var version int64
	err := s.ask(ctx, func(ctx context.Context) error {
		return s.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1), (SELECT max(version_id) FROM foodtrace_index_version WHERE is_applied)", int64(leaderLock)).Scan(&locked, &version)
	})
	switch {
	case err != nil:
		return err
	case version != s.ix.version:
		return newer(version, s.ix.version) // another process has changed the tables since this one was started
	case locked:
		s.ix.Forget() // others have written since
		var leading context.Context
		leading, s.stop = context.WithCancel(ctx)
		s.leading = make(chan error, 1)
		go func(done chan<- error) { done <- lead(leading) }(s.leading)
	}
	return nil
}

// listen waits for a word of new blocks, a beat at most.
func (s *session) listen(ctx context.Context) (heard bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, beat)
	defer cancel()
	_, err = s.conn.WaitForNotification(waiting)
	switch {
	case err == nil:
		return true, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return false, nil
	}
	return false, fmt.Errorf("index: %w", dialect{}.Error(err))
}

func (s *session) exec(ctx context.Context, query string, args ...any) error {
	return s.ask(ctx, func(ctx context.Context) error {
		_, err := s.conn.Exec(ctx, query, args...)
		return err
	})
}

// ask bounds a question: when the server does not answer, another process may be leading already.
func (s *session) ask(ctx context.Context, question func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, hangTimeout/2)
	defer cancel()
	err := question(bounded)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case bounded.Err() != nil:
		return fmt.Errorf("%w: no answer within %s", index.ErrUnavailable, hangTimeout/2)
	}
	return fmt.Errorf("index: %w", dialect{}.Error(err))
}

// Depose implements index.Shared: it ends the session of whoever leads.
func (ix *Index) Depose(ctx context.Context) error {
	s, err := ix.connect(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	return s.exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND (classid::bigint << 32) | objid::bigint = $1`, int64(leaderLock))
}
