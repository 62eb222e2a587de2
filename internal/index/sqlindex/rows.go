package sqlindex

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// table says how the rows of a table are compared. Tables are in alphabetical order, rows in byte order of their keys.
type table struct {
	name  string
	key   string // columns of the primary key: of numbers and texts, "time" as such
	value string // the other columns, block excepted
}

var tables = []table{
	{"containments", "parent, child, time, event", "action, void"},
	{"events", "id", "hash, hash8, name8, tx, pos, void, declares, notes, body"},
	{"evidence", "sha256", "body"},
	{"holds", "no", "id, item, body, tx, pos, released, release_pos, release"},
	{"inspections", "no", "id, item, body, tx, pos"},
	{"items", "id", "key8, key, tx, pos"},
	{"masters", "kind, id", "name, owner, body"},
	{"memberships", "instance, lot, event", "void"},
	{"processes", "id", "key8, key"},
	{"setting_places", "setting, no", "place8, place, party"},
	{"settings", "id", "key8, key, member, type, action, step, disposition, read_point, location, declared"},
	{"timeline", "event", "time, setting"},
	{"txs", "no", "id, member, time"},
	{"uses", "item, time, event, role", "process, void"},
	{"violation_holds", "hold, violation", "1"},
	{"violation_items", "item, violation", "1"},
	{"violations", "no", "hash, holds, items, body, tx, pos"},
}

// Rows implements index.Writer. It reads one state of the index, whatever is applied meanwhile.
func (ix *Index) Rows(ctx context.Context) iter.Seq2[index.Row, error] {
	return func(yield func(index.Row, error) bool) {
		s, err := ix.Snapshot(ctx)
		if err != nil {
			yield(index.Row{}, err)
			return
		}
		defer func() { _ = s.Close() }() // it only read
		s.Rows(ctx)(yield)
	}
}

// snapshot implements index.Snapshot.
type snapshot struct {
	tx *sql.Tx
	db db // tx
}

// Snapshot implements index.Verifiable.
func (ix *Index) Snapshot(ctx context.Context) (index.Snapshot, error) {
	tx, err := ix.beginRead(ctx)
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	s := &snapshot{tx, db{tx, ix.dialect}}
	if _, _, err := s.Position(ctx); err != nil { // the first read begins the transaction
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Position is that of index.Writer.
func (s *snapshot) Position(ctx context.Context) (height uint64, hash [32]byte, err error) {
	return position(ctx, s.db, "")
}

// Rows are those of index.Writer.
func (s *snapshot) Rows(ctx context.Context) iter.Seq2[index.Row, error] {
	return func(yield func(index.Row, error) bool) {
		for _, t := range tables {
			if !t.rows(ctx, s.db, yield) {
				return
			}
		}
	}
}

// Close lets go of the state.
func (s *snapshot) Close() error { return s.tx.Rollback() }

// errStopped says that the caller wants no more rows.
var errStopped = errors.New("stopped")

// rows yields the rows of one table; false ends the sequence.
func (t table) rows(ctx context.Context, d db, yield func(index.Row, error) bool) bool {
	keys := strings.Split(t.key, ", ")
	columns := append(keys, strings.Split(t.value, ", ")...)
	fields, scan := make([]any, len(columns)), make([]any, len(columns)+1)
	for i := range fields {
		scan[i] = &fields[i]
	}
	row := index.Row{Table: t.name}
	scan[len(columns)] = &row.Block
	err := d.each(ctx, "SELECT "+t.key+", "+t.value+", block FROM "+t.name+" ORDER BY "+t.key, nil, func(rows *sql.Rows) error {
		if err := rows.Scan(scan...); err != nil {
			return err
		}
		var b []byte
		for i, field := range fields {
			if i > 0 {
				b = append(b, '\t')
			}
			if i == len(keys) {
				row.Key, b = string(b[:len(b)-1]), b[:0]
			}
			if hash, ok := field.([]byte); ok && columns[i] == "hash" {
				field = fmt.Sprintf("%X", hash)
			}
			b = appendField(b, field, columns[i] == "time" && i < len(keys), i < len(keys))
		}
		row.Value = string(b)
		if !yield(row, nil) {
			return errStopped
		}
		return nil
	})
	if err != nil && !errors.Is(err, errStopped) {
		yield(index.Row{Table: t.name, Key: row.Key}, fmt.Errorf("table %s, after key %q (block %d): %w", t.name, row.Key, row.Block, err))
	}
	return err == nil
}

// appendField writes a column so that the byte order of keys is the order of the rows.
func appendField(b []byte, field any, isTime, isKey bool) []byte {
	switch v := field.(type) {
	case int64:
		switch {
		case isTime:
			return time.UnixMicro(v).UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
		case isKey:
			return fmt.Appendf(b, "%019d", v)
		}
		return strconv.AppendInt(b, v, 10)
	case string:
		return append(b, v...)
	case []byte:
		return append(b, v...)
	}
	return b // NULL
}
