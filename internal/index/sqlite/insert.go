package sqlite

import (
	"context"
	"database/sql"
	"strings"
)

// rowsPerInsert rows go into one statement: calling SQLite costs as much as writing a small row.
const rowsPerInsert = 64

// inserter collects rows of one table and writes many with one statement.
type inserter struct {
	head    string // INSERT INTO t (a, b) VALUES
	columns int
	args    []any
}

func insertInto(table, columns string) *inserter {
	return &inserter{head: "INSERT INTO " + table + " (" + columns + ") VALUES ", columns: strings.Count(columns, ",") + 1}
}

// insertNew leaves rows out that are there already: a file that two records name, an item that two findings name.
func insertNew(table, columns string) *inserter {
	in := insertInto(table, columns)
	in.head = strings.Replace(in.head, "INSERT", "INSERT OR IGNORE", 1)
	return in
}

func (in *inserter) row(values ...any) { in.args = append(in.args, values...) }

func (in *inserter) sql(rows int) string {
	row := "(" + strings.Repeat("?,", in.columns-1) + "?)"
	return in.head + strings.Repeat(row+",", rows-1) + row
}

// flush writes the collected rows in the order in which they came.
func (in *inserter) flush(ctx context.Context, tx *sql.Tx) error {
	args := in.args
	in.args = in.args[:0]
	if many := rowsPerInsert * in.columns; len(args) >= many {
		stmt, err := tx.PrepareContext(ctx, in.sql(rowsPerInsert))
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
	_, err := tx.ExecContext(ctx, in.sql(len(args)/in.columns), args...)
	return err
}
