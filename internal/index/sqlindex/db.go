package sqlindex

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Dialect is what SQLite and PostgreSQL do not have in common. Queries are written once, with numbered parameters (?1, ?2, …)
// and these words in braces:
//
//	{ids}, {texts}  parameter 1, a list of numbers or texts, as the table j (value, key), where key is the place in the list
//	{each}          JOIN that visits the left side row by row, in its order
//	{like}          LIKE without regard to the case of Latin letters
//	{lock}          at the end of a SELECT: no other transaction may change the row before this one ends
type Dialect interface {
	// SQL translates a query.
	SQL(query string) string
	// Parameter is a parameter of a statement that has them in order, from 1. (To SQLite, numbered ones have names that cost.)
	Parameter(n int) string
	// Args makes arguments fit, in place: integers, texts, bytes, nil, and lists of integers or texts. A text that cannot be
	// in the database becomes one that is not.
	Args(args []any) []any
	// Insert writes rows.
	Insert(ctx context.Context, tx Tx, in *Insert) error
	// Applied is called before the transaction that brings the index to a height is committed.
	Applied(ctx context.Context, tx Tx, height uint64) error
	// Error says what an error of the database means to callers: index.ErrUnavailable.
	Error(err error) error
}

// Tx is a transaction and its connection.
type Tx struct {
	*sql.Tx
	Conn *sql.Conn
}

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// db asks in a dialect.
type db struct {
	queryer
	Dialect
}

// each runs a query and hands every row to f.
func (d db) each(ctx context.Context, query string, args []any, f func(*sql.Rows) error) error {
	rows, err := d.QueryContext(ctx, d.SQL(query), d.Args(args)...)
	if err != nil {
		return fmt.Errorf("index: %w", d.Error(err))
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return fmt.Errorf("index: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("index: %w", d.Error(err))
	}
	return nil
}

// one scans the first row of a query, and says whether there is one.
func (d db) one(ctx context.Context, query string, args []any, into ...any) (found bool, err error) {
	err = d.each(ctx, query, args, func(rows *sql.Rows) error {
		if found {
			return nil
		}
		found = true
		return rows.Scan(into...)
	})
	return found && err == nil, err
}

// Insert is rows for one table.
type Insert struct {
	Table   string
	Columns []string
	// New leaves rows out that are there already: a file that two records name, an item that two findings name.
	New  bool
	Args []any // row after row
}

func insertInto(table, columns string) *Insert {
	return &Insert{Table: table, Columns: strings.Split(columns, ", ")}
}

func insertNew(table, columns string) *Insert {
	in := insertInto(table, columns)
	in.New = true
	return in
}

func (in *Insert) row(values ...any) { in.Args = append(in.Args, values...) }

// rowsPerInsert rows go into one statement: a call costs as much as writing a small row.
const rowsPerInsert = 64

// Values writes the rows with INSERT … VALUES, many with one statement, in the order in which they came.
func (in *Insert) Values(ctx context.Context, tx Tx, d Dialect) error {
	args, columns := d.Args(in.Args), len(in.Columns)
	if many := rowsPerInsert * columns; len(args) >= many {
		stmt, err := tx.PrepareContext(ctx, in.sql(rowsPerInsert, d))
		if err != nil {
			return err
		}
		defer stmt.Close()
		for ; len(args) >= many; args = args[many:] {
			if _, err := stmt.ExecContext(ctx, args[:many]...); err != nil {
				return err
			}
		}
	}
	if len(args) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, in.sql(len(args)/columns, d), args...)
	return err
}

func (in *Insert) sql(rows int, d Dialect) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + in.Table + " (" + strings.Join(in.Columns, ", ") + ") VALUES ")
	for i := range rows * len(in.Columns) {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%len(in.Columns) == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteString(d.Parameter(i + 1))
	}
	b.WriteString(")")
	if in.New {
		b.WriteString(" ON CONFLICT DO NOTHING")
	}
	return b.String()
}
