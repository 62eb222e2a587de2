package view

import (
	"context"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
)

// Cursor is a place on the ledger from which a stream of events goes on.
type Cursor = index.Cursor

// Query returns a page of the events that an EPCIS query finds: a regulator's are all, a member's are its own, in full. Others are left out before
// events are counted and paged, so nothing can be learnt of them. The public has no queries: ErrForbidden. Pages are those of
// index.Queries.
func (v *View) Query(ctx context.Context, q *query.Query, page index.Page) ([]index.Event, string, error) {
	who, err := v.viewer(ctx)
	if err != nil {
		return nil, "", err
	}
	return v.src.index.Query(ctx, q, who, page)
}

// QuerySince returns up to limit such events after a cursor, in the order of the ledger, and where to go on. It may return none although more
// follow: as long as next differs from after there may be. An event that an error declaration voids later was there already;
// the declaration comes as an event of its own.
func (v *View) QuerySince(ctx context.Context, q *query.Query, after Cursor, limit int) (events []index.Event, next Cursor, err error) {
	who, err := v.viewer(ctx)
	if err != nil {
		return nil, after, err
	}
	return v.src.index.QuerySince(ctx, q, who, after, limit)
}

// Since is the cursor before the first event recorded at t or later; the end of what the index has when there is none.
func (v *View) Since(ctx context.Context, t time.Time) (Cursor, error) {
	if _, err := v.viewer(ctx); err != nil {
		return Cursor{}, err
	}
	return v.src.index.Since(ctx, t)
}

// Values lists the distinct values of a dimension in the events that Query may return.
func (v *View) Values(ctx context.Context, d index.Dimension, page index.Page) ([]string, string, error) {
	who, err := v.viewer(ctx)
	if err != nil {
		return nil, "", err
	}
	return v.src.index.Values(ctx, d, who, page)
}

// viewer is the principal to the index, which decides as own does.
func (v *View) viewer(ctx context.Context) (index.Viewer, error) {
	switch {
	case v.all():
		return index.Viewer{All: true}, nil
	case v.who.Public():
		return index.Viewer{}, ErrForbidden
	}
	if err := v.readOwnership(ctx); err != nil {
		return index.Viewer{}, err
	}
	return index.Viewer{Member: v.mine.msp, Parties: v.mine.parties}, nil
}
