// Package postgres is the read model in a PostgreSQL database that many processes share: one of them applies blocks, all of
// them read, and each keeps the graph for traces in its memory.
package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlindex"
)

const (
	// connectTimeout bounds the making of a connection, where the address (DSN) does not.
	connectTimeout = 5 * time.Second
	// idleTimeout closes connections that nobody reads with.
	idleTimeout = 5 * time.Minute
	// hangTimeout is how long a process that stopped in the middle of its work can be in the way of the others: the server ends its
	// transaction, and its session of Share. A transaction here does nothing for a second at most.
	hangTimeout = 10 * time.Second
)

// Options of Open. The zero value is good for a server.
type Options struct {
	// Readers is how many reads run at once. Default 8. A process has three connections besides.
	Readers int
	// GraphMB is that of sqlindex.New.
	GraphMB int
}

// Index is the read model in one database. It implements index.Index and index.Shared.
type Index struct {
	*sqlindex.Index
	config    *pgx.ConnConfig // of sessions
	version   int64           // of the schema
	notBefore time.Time       // when to try to lead
}

var _ index.Shared = (*Index)(nil)

// Open connects to a database by its address, a URL or keywords as libpq takes them, makes the tables or brings them to the present form, and
// returns the index. Many processes may do so at once. The address is that of the server itself, or of a pooler that keeps
// sessions. Errors: index.ErrSchema, index.ErrUnavailable, or what PostgreSQL says.
func Open(ctx context.Context, address string, opts Options) (*Index, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, fmt.Errorf("index: %w", err) // pgx leaves the password out
	}
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, connectTimeout)
	config.RuntimeParams["application_name"] = cmp.Or(config.RuntimeParams["application_name"], "foodtrace")
	config.RuntimeParams["idle_in_transaction_session_timeout"] = fmt.Sprint(hangTimeout.Milliseconds())
	ix := &Index{config: config}
	if ix.version, err = migrate(ctx, config); err != nil {
		return nil, dialect{}.Error(err)
	}
	read := config.Copy()
	read.RuntimeParams["default_transaction_read_only"] = "on"
	delete(read.RuntimeParams, "idle_in_transaction_session_timeout") // a Snapshot may wait while the ledger is verified
	ix.Index, err = sqlindex.New(dialect{}, pool(config, 1), pool(read, cmp.Or(opts.Readers, 8)), opts.GraphMB)
	return ix, err
}

func pool(config *pgx.ConnConfig, conns int) *sql.DB {
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(idleTimeout)
	return db
}

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables to the present form, one process after the other, and returns its number.
func migrate(ctx context.Context, config *pgx.ConnConfig) (version int64, err error) {
	db := pool(config, 2) // one of them only holds the lock
	defer func() { err = errors.Join(err, db.Close()) }()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, err
	}
	// The lock is asked for every second, for five minutes: the longest that a change of the tables may take.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return 0, err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker), goose.WithTableName("foodtrace_index_version"))
	if err != nil {
		return 0, err
	}
	if _, err := provider.Up(ctx); err != nil {
		return 0, fmt.Errorf("index: the tables cannot be brought to the present form: %w", err)
	}
	there, ours, err := provider.GetVersions(ctx)
	if err == nil && there > ours {
		err = newer(there, ours)
	}
	return ours, err
}

func newer(there, ours int64) error {
	return fmt.Errorf("%w: the database has form %d, this program writes %d; start the program that made it", index.ErrSchema, there, ours)
}
