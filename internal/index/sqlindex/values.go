package sqlindex

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// columns of settings, by dimension.
var columns = map[index.Dimension]string{
	index.EventTypes: "type", index.BizSteps: "step", index.Dispositions: "disposition", index.ReadPoints: "read_point", index.BizLocations: "location",
}

// Values implements index.Queries. The cursor of a list of texts is the last of them.
func (ix *Index) Values(ctx context.Context, d index.Dimension, who index.Viewer, page index.Page) ([]string, string, error) {
	column, ok := columns[d]
	switch {
	case !who.All && who.Member == "":
		return nil, "", nil
	case d == index.EPCs:
		return ix.epcs(ctx, who, page)
	case !ok:
		return nil, "", fmt.Errorf("index: there is no dimension %q", d)
	}
	w := condition{args: []any{page.After, page.Size() + 1}}
	w.visible(&who)
	var values []string
	err := ix.read.each(ctx, fmt.Sprintf("SELECT DISTINCT s.%s FROM settings s WHERE s.%s > ?1%s ORDER BY s.%s LIMIT ?2", column, column, w.text, column), w.args, func(rows *sql.Rows) error {
		var v string
		err := rows.Scan(&v)
		values = append(values, v)
		return err
	})
	if err != nil || len(values) <= page.Size() {
		return values, "", err
	}
	values = values[:page.Size()]
	return values, values[len(values)-1], nil
}

// epcs lists identifiers by their numbers.
func (ix *Index) epcs(ctx context.Context, who index.Viewer, page index.Page) (keys []string, next string, err error) {
	after, err := cursor(page.After, 1)
	if err != nil {
		return nil, "", err
	}
	last := int64(0)
	if after != nil {
		last = after[0]
	}
	w := condition{args: []any{last, page.Size() + 1}}
	seen := "SELECT 1 FROM uses u WHERE u.item = i.id"
	if w.visible(&who); !who.All {
		seen = "SELECT 1 FROM uses u JOIN timeline t ON t.event = u.event JOIN settings s ON s.id = t.setting WHERE u.item = i.id" + w.text
	}
	// Trade items and their lots, which are most of what a ledger of food names, are left out before anything else is looked at.
	text := fmt.Sprintf("SELECT i.id, i.key FROM items i WHERE i.id > ?1 AND NOT (substr(i.key, 1, %d) = 'https://id.gs1.org/01/' AND substr(i.key, %d, 4) IN ('', '/10/')) AND EXISTS (%s) ORDER BY i.id LIMIT ?2",
		len("https://id.gs1.org/01/"), productKeyLength+1, seen)
	err = ix.read.each(ctx, text, w.args, func(rows *sql.Rows) error {
		var id int64
		var key string
		if err := rows.Scan(&id, &key); err != nil {
			return err
		}
		if len(keys) == page.Size() {
			next = writeCursor(last)
			return nil
		}
		last, keys = id, append(keys, key)
		return nil
	})
	return keys, next, err
}
