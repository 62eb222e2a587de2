package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlindex"
)

// dialect is PostgreSQL's sqlindex.Dialect.
type dialect struct{}

var words = strings.NewReplacer(
	"?", "$",
	"{ids}", "unnest($1::bigint[]) WITH ORDINALITY j(value, key)",
	"{texts}", "unnest($1::text[]) WITH ORDINALITY j(value, key)",
	"{each}", "JOIN",
	"{like}", "ILIKE", // by the column's collation: of other letters than Latin ones, case matters
	"{lock}", "FOR UPDATE",
)

func (dialect) SQL(query string) string { return words.Replace(query) }

func (dialect) Parameter(n int) string { return "$" + strconv.Itoa(n) }

// noText stands for a text that PostgreSQL cannot hold. The contract lets no control character into an identifier, so
// nothing is equal to it.
const noText = "\x01"

func storable(s string) bool { return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) }

func (dialect) Args(args []any) []any {
	for i, arg := range args {
		switch v := arg.(type) {
		case string:
			if !storable(v) {
				args[i] = noText
			}
		case []string:
			list := make([]string, len(v))
			for i, s := range v {
				if list[i] = s; !storable(s) {
					list[i] = noText
				}
			}
			args[i] = list
		}
	}
	return args
}

// Insert writes rows with COPY, which cannot leave rows out that are there already.
func (d dialect) Insert(ctx context.Context, tx sqlindex.Tx, in *sqlindex.Insert) error {
	for i, arg := range in.Args {
		if s, ok := arg.(string); ok && !storable(s) {
			return fmt.Errorf("%s: %q is no text that PostgreSQL can hold", in.Columns[i%len(in.Columns)], s)
		}
	}
	if in.New || len(in.Args) < copyFrom*len(in.Columns) {
		return in.Values(ctx, tx, d)
	}
	n := len(in.Columns)
	rows := pgx.CopyFromSlice(len(in.Args)/n, func(i int) ([]any, error) { return in.Args[i*n : (i+1)*n], nil })
	return tx.Conn.Raw(func(conn any) error {
		_, err := conn.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{in.Table}, in.Columns, rows)
		return err
	})
}

// copyFrom rows on, COPY is faster than INSERT, whose plan is made once for each number of rows.
const copyFrom = 4

// Applied tells the other processes of the new height.
func (dialect) Applied(ctx context.Context, tx sqlindex.Tx, height uint64) error {
	_, err := tx.ExecContext(ctx, "SELECT pg_notify($1, '')", channel)
	return dialect{}.Error(err)
}

// Error makes index.ErrUnavailable of what is over when the server is well again: connections that cannot be made or are lost,
// and the classes of its own errors that say so.
func (dialect) Error(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, index.ErrUnavailable) {
		return err
	}
	var said *pgconn.PgError
	if errors.As(err, &said) {
		switch said.Code[:2] {
		case "08", // connection
			"25", // transaction ended by a timeout
			"40", // rolled back in favour of another
			"53", // out of disk, memory or connections
			"55", // locked, or not in a state to serve
			"57", // shut down, cancelled
			"58": // error of the system
			return fmt.Errorf("%w: %w", index.ErrUnavailable, err)
		}
		return err
	}
	var broken interface{ SafeToRetry() bool } // pgconn's mark of errors of the connection
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &broken) || errors.As(err, &connect) || errors.As(err, &network) || slices.ContainsFunc(lost, func(e error) bool { return errors.Is(err, e) }) {
		return fmt.Errorf("%w: %w", index.ErrUnavailable, err)
	}
	return err
}

// lost are the errors of a connection that ended.
var lost = []error{driver.ErrBadConn, io.ErrUnexpectedEOF, io.EOF, net.ErrClosed, pgconn.ErrConnClosed, sql.ErrConnDone, sql.ErrTxDone}
