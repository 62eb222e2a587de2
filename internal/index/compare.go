package index

import (
	"cmp"
	"context"
	"fmt"
	"iter"
)

// Difference is a row that two copies of a read model do not agree on.
type Difference struct {
	Table string
	Key   string
	Block uint64 // the block that the row comes from, by the rebuilt copy where it has the row
	// Live and Rebuilt are the values, nil where the copy has no such row.
	Live, Rebuilt *string
}

// String is one sentence for people.
func (d Difference) String() string {
	what := "differs from the ledger"
	switch {
	case d.Live == nil:
		what = "is missing"
	case d.Rebuilt == nil:
		what = "is not from the ledger"
	}
	return fmt.Sprintf("index: row %q of table %s (block %d) %s", d.Key, d.Table, d.Block, what)
}

// Rows is what is compared: an index, or one state of it.
type Rows interface {
	Rows(ctx context.Context) iter.Seq2[Row, error]
}

// Compare reads the rows of a live index and of one rebuilt from the ledger side by side and reports every difference, in
// order. It returns an error when one of them cannot be read to its end: that is damage too.
func Compare(ctx context.Context, live, rebuilt Rows, report func(Difference)) error {
	nextLive, stopLive := iter.Pull2(live.Rows(ctx))
	defer stopLive()
	nextRebuilt, stopRebuilt := iter.Pull2(rebuilt.Rows(ctx))
	defer stopRebuilt()
	l, r := &rowReader{next: nextLive, name: "live"}, &rowReader{next: nextRebuilt, name: "rebuilt"}
	l.advance()
	r.advance()
	for l.err == nil && r.err == nil && (l.more || r.more) {
		order := r.order(l)
		if order < 0 {
			report(Difference{l.row.Table, l.row.Key, l.row.Block, &l.row.Value, nil})
		}
		if order > 0 {
			report(Difference{r.row.Table, r.row.Key, r.row.Block, nil, &r.row.Value})
		}
		if order == 0 && l.row != r.row {
			report(Difference{r.row.Table, r.row.Key, r.row.Block, &l.row.Value, &r.row.Value})
		}
		if order <= 0 {
			l.advance()
		}
		if order >= 0 {
			r.advance()
		}
	}
	return cmp.Or(l.err, r.err)
}

type rowReader struct {
	next func() (Row, error, bool)
	name string
	row  Row
	more bool
	err  error
}

func (r *rowReader) advance() {
	before := r.row
	r.row, r.err, r.more = r.next()
	switch {
	case r.err != nil:
		r.err = fmt.Errorf("%s index: %w", r.name, r.err)
	case r.more && cmp.Or(cmp.Compare(before.Table, r.row.Table), cmp.Compare(before.Key, r.row.Key)) >= 0:
		r.err = fmt.Errorf("%s index: damaged: row %q of table %s (block %d) is out of order", r.name, r.row.Key, r.row.Table, r.row.Block)
	}
}

// order is negative when the live row l comes first, positive when the rebuilt one does.
func (r *rowReader) order(l *rowReader) int {
	switch {
	case !l.more:
		return 1
	case !r.more:
		return -1
	}
	return cmp.Or(cmp.Compare(l.row.Table, r.row.Table), cmp.Compare(l.row.Key, r.row.Key))
}
