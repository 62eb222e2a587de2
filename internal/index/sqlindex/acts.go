package sqlindex

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// cursor reads the n numbers of a cursor, nil of the empty one.
func cursor(text string, n int) ([]int64, error) {
	if text == "" {
		return nil, nil
	}
	parts := strings.Split(text, ".")
	if len(parts) != n {
		return nil, fmt.Errorf("%w: %q", index.ErrCursor, text)
	}
	numbers := make([]int64, n)
	for i, part := range parts {
		var err error
		if numbers[i], err = strconv.ParseInt(part, 10, 64); err != nil {
			return nil, fmt.Errorf("%w: %q", index.ErrCursor, text)
		}
	}
	return numbers, nil
}

func writeCursor(numbers ...int64) string {
	parts := make([]string, len(numbers))
	for i, n := range numbers {
		parts[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(parts, ".")
}

// paged answers a query, which ends in a condition, newest first by the number column no. scan reads that number too.
func paged[T any](ctx context.Context, ix *Index, query, no string, args []any, page index.Page, scan func(*sql.Rows, *int64, *T) error) (list []T, next string, err error) {
	after, err := cursor(page.After, 1)
	if err != nil {
		return nil, "", err
	}
	if after != nil {
		args = append(args, after[0])
		query += fmt.Sprintf(" AND %s < ?%d", no, len(args))
	}
	limit := page.Size()
	var last int64
	args = append(args, limit+1)
	err = ix.read.each(ctx, fmt.Sprintf("%s ORDER BY %s DESC LIMIT ?%d", query, no, len(args)), args, func(rows *sql.Rows) error {
		if len(list) == limit {
			next = writeCursor(last)
			return nil
		}
		var v T
		if err := scan(rows, &last, &v); err != nil {
			return err
		}
		list = append(list, v)
		return nil
	})
	return list, next, err
}

// filter is the SQL condition of an ActFilter on acts a and transactions t. named selects the acts that name an item ?1.
func (ix *Index) filter(ctx context.Context, f index.ActFilter, named string) (condition string, args []any, err error) {
	condition = "1 = 1"
	if f.Item != "" {
		id, err := ix.itemID(ctx, f.Item)
		if err != nil {
			return "", nil, err
		}
		condition, args = named, append(args, int64(id))
	}
	if f.Member != "" {
		args = append(args, f.Member)
		condition += fmt.Sprintf(" AND t.member = ?%d", len(args))
	}
	return condition, args, nil
}

const inspectionQuery = "SELECT a.no, a.id, a.body, t.id, t.member, t.time, a.block, a.pos FROM inspections a LEFT JOIN txs t ON t.no = a.tx WHERE "

func scanInspection(rows *sql.Rows, no *int64, in *index.Inspection) error {
	var body sql.RawBytes
	var w where
	if err := rows.Scan(append([]any{no, &in.ID, &body}, w.columns()...)...); err != nil {
		return err
	}
	var r contract.Record
	if err := decode(body, &r); err != nil {
		return err
	}
	if r.Inspection == nil {
		return errors.New("a stored inspection is damaged")
	}
	in.Inspection, in.Evidence = *r.Inspection, r.Evidence
	var err error
	in.Where, err = w.get()
	return err
}

// Inspections implements index.Reader.
func (ix *Index) Inspections(ctx context.Context, f index.ActFilter, page index.Page) ([]index.Inspection, string, error) {
	condition, args, err := ix.filter(ctx, f, "a.item = ?1")
	if err != nil {
		return nil, "", err
	}
	return paged(ctx, ix, inspectionQuery+condition, "a.no", args, page, scanInspection)
}

// Inspection implements index.Reader.
func (ix *Index) Inspection(ctx context.Context, id string) (index.Inspection, error) {
	list, _, err := paged(ctx, ix, inspectionQuery+"a.id = ?1", "a.no", []any{id}, index.Page{Limit: 1}, scanInspection)
	return only(list, err)
}

func only[T any](list []T, err error) (v T, _ error) {
	switch {
	case err != nil:
		return v, err
	case len(list) == 0:
		return v, index.ErrNotFound
	}
	return list[0], nil
}

const holdQuery = `SELECT a.no, a.id, a.body, (SELECT count(*) FROM violation_holds v WHERE v.hold = a.id), t.id, t.member, t.time, a.block, a.pos,
	a.release, a.release_pos, coalesce(r.id, ''), coalesce(r.member, ''), coalesce(r.time, ''), coalesce(r.block, 0)
	FROM holds a LEFT JOIN txs t ON t.no = a.tx LEFT JOIN txs r ON r.no = a.released WHERE `

func scanHold(rows *sql.Rows, no *int64, h *index.Hold) error {
	var body, release sql.RawBytes
	var w, end where
	if err := rows.Scan(append(append([]any{no, &h.ID, &body, &h.Violations}, w.columns()...),
		&release, &end.Position, &end.Tx, &end.Member, &end.time, &end.Block)...); err != nil {
		return err
	}
	var r contract.Record
	if err := decode(body, &r); err != nil {
		return err
	}
	if r.Hold == nil {
		return errors.New("a stored hold is damaged")
	}
	h.Hold, h.Evidence = *r.Hold, r.Evidence
	if len(release) > 0 {
		var ended contract.Record
		if err := decode(release, &ended); err != nil {
			return err
		}
		at, err := end.get()
		if err != nil {
			return err
		}
		h.Release, h.ReleasedAt = ended.Release, &at
	}
	var err error
	h.Where, err = w.get()
	return err
}

// Holds implements index.Reader.
func (ix *Index) Holds(ctx context.Context, f index.ActFilter, page index.Page) ([]index.Hold, string, error) {
	condition, args, err := ix.filter(ctx, f, "a.item = ?1")
	if err != nil {
		return nil, "", err
	}
	if f.InForce {
		condition += " AND a.released = 0"
	}
	return paged(ctx, ix, holdQuery+condition, "a.no", args, page, scanHold)
}

// Hold implements index.Reader.
func (ix *Index) Hold(ctx context.Context, id string) (index.Hold, error) {
	list, _, err := paged(ctx, ix, holdQuery+"a.id = ?1", "a.no", []any{id}, index.Page{Limit: 1}, scanHold)
	return only(list, err)
}

const violationQuery = "SELECT a.no, a.hash, a.holds, a.items, a.body, t.id, t.member, t.time, a.block, a.pos FROM violations a LEFT JOIN txs t ON t.no = a.tx WHERE "

func scanViolation(rows *sql.Rows, no *int64, v *index.Violation) error {
	var hash, holds, items, body sql.RawBytes
	var w where
	if err := rows.Scan(append([]any{no, &hash, &holds, &items, &body}, w.columns()...)...); err != nil {
		return err
	}
	v.ID, v.Event = unpackHash(hash), new(event.Event)
	for _, part := range []struct {
		json []byte
		into any
	}{{holds, &v.Holds}, {items, &v.Items}, {body, v.Event}} {
		if err := decode(part.json, part.into); err != nil {
			return err
		}
	}
	var err error
	v.Where, err = w.get()
	return err
}

// Violations implements index.Reader.
func (ix *Index) Violations(ctx context.Context, f index.ActFilter, page index.Page) ([]index.Violation, string, error) {
	condition, args, err := ix.filter(ctx, f, "a.no IN (SELECT violation FROM violation_items WHERE item = ?1)")
	if err != nil {
		return nil, "", err
	}
	return paged(ctx, ix, violationQuery+condition, "a.no", args, page, scanViolation)
}
