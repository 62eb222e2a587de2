package epcisrest

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
	"github.com/foodtrace-ledger/foodtrace/internal/translate"
)

// Queries answers named queries: in the interface, and for those who have subscribed to them (subscribe.Source).
type Queries struct {
	Views *view.Source
	Store *Store
}

// simpleQuery is the query that everybody has (EPCIS 2.0, section 8.2.7.1): all events.
const simpleQuery = "SimpleEventQuery"

var everything = Named{Name: simpleQuery, Query: jsontext.Value("{}")}

// named returns a query that the principal can use, or NoSuchNameException.
func (q Queries) named(ctx context.Context, who auth.Principal, name string) (Named, error) {
	if name == simpleQuery {
		return everything, nil
	}
	n, err := q.Store.Named(ctx, who.Member, name)
	if errors.Is(err, ErrNoSuchQuery) {
		err = exception(http.StatusNotFound, "NoSuchNameException", problem.NotFound, "There is no query of this name.")
	}
	return n, err
}

// definition is a named query as it is asked. What was kept was valid, but this program may have become stricter.
func (q Queries) definition(ctx context.Context, who auth.Principal, name string) (query.Query, error) {
	kept, err := q.named(ctx, who, name)
	if err != nil {
		return query.Query{}, err
	}
	parsed, problems := query.ParseJSON(kept.Query)
	if len(problems) > 0 {
		err = exception(http.StatusBadRequest, "QueryValidationException", problem.BadRequest, "This query cannot be asked any more. Delete it, and make it anew.", wrong(kept, nil)...)
	}
	return parsed, err
}

// head is what an EPCISQueryDocument says beside its events.
type head struct {
	id, query, subscription string
}

// document writes events as an EPCISQueryDocument.
func (q Queries) document(ctx context.Context, views *view.View, f form, about head, events []index.Event) ([]byte, error) {
	prefixes, err := f.prefixes(ctx, views)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	out := newWriter(&body, f.media, epcis.Header{Type: "EPCISQueryDocument", SchemaVersion: "2.0", CreationDate: event.Time{Time: q.Store.now().UTC().Truncate(time.Millisecond)},
		ID: about.id, QueryName: about.query, SubscriptionID: about.subscription})
	for i := range events {
		if err := out.Write(translate.Event(recorded(&events[i]), f.epc, f.cbv, prefixes...)); err != nil {
			return nil, unwritable(f.media, &events[i], err)
		}
	}
	err = out.Close()
	return body.Bytes(), err
}

// writer is a document that is written event by event: epcis.Writer, epcis.XMLWriter.
type writer interface {
	Write(*event.Event) error
	Close() error
}

func newWriter(b *bytes.Buffer, m media, head epcis.Header) writer {
	if m.xml() {
		return epcis.NewXMLWriter(b, head)
	}
	return epcis.NewWriter(b, head)
}

// unwritable is why an event cannot be answered: XML has no form for all that JSON can say.
func unwritable(m media, e *index.Event, err error) error {
	if !m.xml() {
		return err
	}
	return notAcceptable("An event cannot be written in XML. Ask for JSON.",
		problem.Item{Code: problem.NotAcceptable, Detail: err.Error(), Field: e.ID})
}

// recorded is an event as it is answered: with the time at which the ledger took it, and its hash as its ID where the sender gave none.
func recorded(e *index.Event) *event.Event {
	copied := e.Event.Clone()
	copied.RecordTime = e.Where.Time
	if copied.ID == "" {
		copied.ID = e.ID
	}
	return copied
}

// prefixes are the company prefixes of all members where EPC URNs are asked for: a URN has a point where the prefix ends.
func (f form) prefixes(ctx context.Context, views *view.View) (list []string, err error) {
	if f.epc != translate.EPCURN {
		return nil, nil
	}
	members, err := views.Members(ctx)
	for _, m := range members {
		list = append(list, m.Prefixes...)
	}
	return list, err
}
