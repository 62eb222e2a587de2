package sqlindex

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// decode reads JSON that Apply wrote.
func decode(body []byte, v any) error {
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("a stored record is damaged: %w", err)
	}
	return nil
}

// where reads the columns tx, member, time, block, pos.
type where struct {
	index.Where
	time string
}

func (w *where) columns() []any { return []any{&w.Tx, &w.Member, &w.time, &w.Block, &w.Position} }

func (w *where) get() (index.Where, error) {
	var err error
	w.Time, err = event.ParseTime(w.time)
	return w.Where, err
}

const eventColumns = "e.hash, e.notes, e.body, coalesce(v.id, ''), t.id, t.member, t.time, e.block, e.pos"

// eventJoins goes with eventColumns after FROM … events e.
const eventJoins = " LEFT JOIN txs t ON t.no = e.tx LEFT JOIN txs v ON v.no = e.void "

func scanEvent(rows *sql.Rows, e *index.Event) error {
	var hash, extra, body sql.RawBytes
	var w where
	if err := rows.Scan(append([]any{&hash, &extra, &body, &e.Voided}, w.columns()...)...); err != nil {
		return err
	}
	e.ID = unpackHash(hash)
	e.Event = new(event.Event)
	if err := decode(body, e.Event); err != nil {
		return err
	}
	if len(extra) > 0 {
		var n notes
		if err := decode(extra, &n); err != nil {
			return err
		}
		e.Findings, e.Evidence = n.Findings, n.Evidence
	}
	var err error
	e.Where, err = w.get()
	return err
}

// Event implements index.Reader. Of several events with one eventID the last recorded is returned.
func (ix *Index) Event(ctx context.Context, id string) (index.Event, error) {
	if hash, hash8, err := packHash(id); err == nil {
		e, err := ix.oneEvent(ctx, "e.hash8 = ?1 AND e.hash = ?2 AND e.declares = 0", []any{hash8, hash}, func(*index.Event) bool { return true })
		if err != index.ErrNotFound {
			return e, err
		}
	}
	return ix.oneEvent(ctx, "e.name8 = ?1 AND e.declares = 0", []any{digest8(id)}, func(e *index.Event) bool { return e.Event.ID == id })
}

func (ix *Index) oneEvent(ctx context.Context, condition string, args []any, match func(*index.Event) bool) (found index.Event, err error) {
	ok := false
	err = ix.read.each(ctx, "SELECT "+eventColumns+" FROM events e"+eventJoins+"WHERE "+condition+" ORDER BY e.id", args, func(rows *sql.Rows) error {
		var e index.Event
		if err := scanEvent(rows, &e); err != nil {
			return err
		}
		if match(&e) {
			found, ok = e, true
		}
		return nil
	})
	if err == nil && !ok {
		err = index.ErrNotFound
	}
	return found, err
}

// Events implements index.Reader.
func (ix *Index) Events(ctx context.Context, ids []trace.EventID) ([]index.Event, error) {
	events, err := collect(ctx, ix, "SELECT "+eventColumns+" FROM {ids} {each} events e ON e.id = j.value"+eventJoins+"ORDER BY j.key", ids, scanEvent)
	if err == nil && len(events) != len(ids) {
		err = fmt.Errorf("%w: %d of %d events", index.ErrNotFound, len(ids)-len(events), len(ids))
	}
	return events, err
}

const itemColumns = "i.key, (SELECT count(DISTINCT event) FROM uses WHERE item = i.id), t.id, t.member, t.time, i.block, i.pos"

func scanItem(rows *sql.Rows, it *index.Item, first ...any) error {
	var w where
	if err := rows.Scan(append(append(first, &it.Key, &it.Events), w.columns()...)...); err != nil {
		return err
	}
	id, _ := gs1.Parse(it.Key)
	it.Lot, it.Serial = id.Lot, id.Serial
	if product := gs1.ProductKey(id); product != it.Key {
		it.Product = product
	}
	var err error
	it.Since, err = w.get()
	return err
}

// Item implements index.Reader.
func (ix *Index) Item(ctx context.Context, key string) (it index.Item, err error) {
	found := false
	query := "SELECT " + itemColumns + " FROM items i LEFT JOIN txs t ON t.no = i.tx WHERE i.key8 = ?1 AND i.key = ?2"
	err = ix.read.each(ctx, query, []any{digest8(key), key}, func(rows *sql.Rows) error {
		found = true
		return scanItem(rows, &it)
	})
	if err == nil && !found {
		err = index.ErrNotFound
	}
	return it, err
}

// EventsOf implements index.Reader.
func (ix *Index) EventsOf(ctx context.Context, key string, page index.Page) (events []index.Event, next string, err error) {
	item, err := ix.itemID(ctx, key)
	if err != nil || item == 0 {
		return nil, "", err
	}
	after, err := cursor(page.After, 2)
	if err != nil {
		return nil, "", err
	}
	condition, args := "", []any{int64(item)}
	if after != nil {
		condition, args = "AND (time, event) > (?2, ?3)", append(args, after[0], after[1])
	}
	limit := page.Size()
	args = append(args, limit+1)
	var ids []trace.EventID
	err = ix.read.each(ctx, fmt.Sprintf("SELECT DISTINCT time, event FROM uses WHERE item = ?1 %s ORDER BY time, event LIMIT ?%d", condition, len(args)), args, func(rows *sql.Rows) error {
		var time int64
		var id trace.EventID
		if err := rows.Scan(&time, &id); err != nil {
			return err
		}
		if len(ids) < limit {
			ids, after = append(ids, id), []int64{time, int64(id)}
		} else {
			next = writeCursor(after...)
		}
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	events, err = ix.Events(ctx, ids)
	return events, next, err
}

// Items implements index.Reader.
func (ix *Index) Items(ctx context.Context, text string, page index.Page) (items []index.Item, next string, err error) {
	where, args, err := ix.itemFilter(ctx, text)
	if err != nil {
		return nil, "", err
	}
	query := "SELECT i.id, " + itemColumns + " FROM items i LEFT JOIN txs t ON t.no = i.tx WHERE " + where
	return paged(ctx, ix, query, "i.id", args, page, func(rows *sql.Rows, no *int64, it *index.Item) error {
		return scanItem(rows, it, no)
	})
}

// itemFilter is the SQL condition for items whose key, lot or product name contains the text. Latin letters match in
// either case.
func (ix *Index) itemFilter(ctx context.Context, text string) (condition string, args []any, err error) {
	switch {
	case text == "":
		return "1 = 1", nil, nil
	case len(text) > contract.MaxText, strings.IndexByte(text, 0) >= 0: // databases disagree on these, and nothing contains them
		return "1 = 0", nil, nil
	}
	escaped := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
	pattern := "%" + escaped.Replace(text) + "%"
	// A lot number stands in a key percent-encoded.
	encoded := "%" + escaped.Replace(strings.TrimPrefix(gs1.LotKey("", text), gs1.LotKey("", ""))) + "%"
	products := []string{}
	err = ix.read.each(ctx, `SELECT id FROM masters WHERE kind = 'product' AND name {like} ?1 ESCAPE '\'`, []any{pattern}, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		products = append(products, id)
		return err
	})
	return fmt.Sprintf(`(i.key {like} ?2 ESCAPE '\' OR i.key {like} ?3 ESCAPE '\' OR substr(i.key, 1, %d) IN (SELECT value FROM {texts}))`, productKeyLength),
		[]any{products, pattern, encoded}, err
}

// productKeyLength: a canonical key of a trade item begins with that of its product, which has always the same length.
const productKeyLength = len("https://id.gs1.org/01/") + 14

// Member implements index.Reader.
func (ix *Index) Member(ctx context.Context, msp string) (m contract.Member, err error) {
	found, err := masterData[contract.Member](ctx, ix, "member", []string{msp})
	m, ok := found[msp]
	if err == nil && !ok {
		err = index.ErrNotFound
	}
	return m, err
}

// Members implements index.Reader; they are in order of MSP ID.
func (ix *Index) Members(ctx context.Context) (list []contract.Member, err error) {
	err = ix.read.each(ctx, "SELECT body FROM masters WHERE kind = 'member' ORDER BY id", nil, func(rows *sql.Rows) error {
		var body sql.RawBytes
		if err := rows.Scan(&body); err != nil {
			return err
		}
		list = append(list, contract.Member{})
		return decode(body, &list[len(list)-1])
	})
	return list, err
}

// Sites implements index.Reader.
func (ix *Index) Sites(ctx context.Context, ids []string) (map[string]contract.Site, error) {
	return masterData[contract.Site](ctx, ix, "site", ids)
}

// Products implements index.Reader.
func (ix *Index) Products(ctx context.Context, ids []string) (map[string]contract.Product, error) {
	return masterData[contract.Product](ctx, ix, "product", ids)
}

func masterData[T any](ctx context.Context, ix *Index, kind string, ids []string) (map[string]T, error) {
	found := make(map[string]T, len(ids))
	err := ix.read.each(ctx, "SELECT m.id, m.body FROM {texts} {each} masters m ON m.kind = ?2 AND m.id = j.value", []any{ids, kind}, func(rows *sql.Rows) error {
		var id string
		var body sql.RawBytes
		if err := rows.Scan(&id, &body); err != nil {
			return err
		}
		var v T
		err := decode(body, &v)
		found[id] = v
		return err
	})
	return found, err
}

// EvidenceRefs implements index.Reader.
func (ix *Index) EvidenceRefs(ctx context.Context) iter.Seq2[contract.Evidence, error] {
	return func(yield func(contract.Evidence, error) bool) {
		err := ix.read.each(ctx, "SELECT body FROM evidence ORDER BY sha256", nil, func(rows *sql.Rows) error {
			var body sql.RawBytes
			var e contract.Evidence
			if err := rows.Scan(&body); err != nil {
				return err
			}
			if err := decode(body, &e); err != nil {
				return err
			}
			if !yield(e, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(contract.Evidence{}, err)
		}
	}
}
