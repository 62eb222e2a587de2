package epcisrest

import (
	"context"
	"errors"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/gateway/subscribe"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/translate"
)

// Known implements subscribe.Source.
func (q Queries) Known(ctx context.Context, who auth.Principal, name string) error {
	_, err := q.named(ctx, who, name)
	return noSuch(err)
}

// noSuch says that there is no such query as package subscribe wants it said.
func noSuch(err error) error {
	var p *problem.Problem
	if errors.As(err, &p) && p.Code == problem.NotFound {
		return subscribe.ErrNoSuchQuery
	}
	return err
}

// Since implements subscribe.Source.
func (q Queries) Since(ctx context.Context, who auth.Principal, name string, after index.Cursor, limit int) ([]index.Event, index.Cursor, error) {
	asked, err := q.definition(ctx, who, name)
	if err != nil {
		return nil, after, noSuch(err)
	}
	events, next, err := q.Views.For(who).QuerySince(ctx, &asked, after, limit)
	return events, next, unanswered(err)
}

// Start implements subscribe.Source.
func (q Queries) Start(ctx context.Context, t time.Time) (index.Cursor, error) {
	if t.IsZero() {
		t = endOfTime
	}
	return q.Views.For(auth.Principal{Role: contract.Regulator}).Since(ctx, t) // where the ledger ends is no secret
}

// endOfTime is after every record.
var endOfTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Render writes what a subscriber is sent, in JSON.
func (q Queries) Render(ctx context.Context, d subscribe.Document) ([]byte, error) {
	f := form{media: jsonMedia, epc: d.EPC, cbv: translate.CBVNever}
	return q.document(ctx, q.Views.For(d.Who), f, head{id: d.ID, query: d.Query, subscription: d.Subscription}, d.Events)
}
