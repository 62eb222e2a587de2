package index

import (
	"context"
	"errors"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/query"
)

// Queries answers EPCIS event queries. An accepted event is found, whether it was declared wrong or not, and so is an accepted declaration, as
// an event of its own.
type Queries interface {
	// Query returns a page of the events that the query finds and the viewer may see, in the query's order, newest on the ledger first when it states none. Pages
	// are as full as Limit allows (not the query's PerPage: the caller decides) until the last one, or until the search of one page becomes too
	// long, which cuts it short. Events that come while somebody pages are not among them. Errors: ErrTooComplex, ErrTooLarge.
	Query(ctx context.Context, q *query.Query, who Viewer, page Page) (events []Event, next string, err error)
	// QuerySince returns up to limit such events after a cursor, in the order of the ledger, and the cursor to go on from: each event comes
	// once. It reads a bounded piece of the ledger, so there may be none although more would follow: next is past
	// after as long as there is anything to read. Order and counts of the query do not matter.
	QuerySince(ctx context.Context, q *query.Query, who Viewer, after Cursor, limit int) (events []Event, next Cursor, err error)
	// Since is the cursor before the first event with a record time of t or later; the present end when there is none.
	Since(ctx context.Context, t time.Time) (Cursor, error)
	// Values lists the distinct values of a dimension in events that the viewer may see.
	Values(ctx context.Context, d Dimension, who Viewer, page Page) (values []string, next string, err error)
}

// Viewer is who asks: the zero Viewer sees nothing. It decides as gateway/view does for a single event, by the owners of sites of today.
type Viewer struct {
	All     bool     // sees everything
	Member  string   // MSP ID: sees what it sent, and what happened at a site of its own
	Parties []string // canonical keys: sees events that name one as source or destination
}

// Cursor is a place on the ledger between two records, which every copy of the ledger has in common. The zero Cursor is before the first.
type Cursor struct {
	Tx     int64 `json:"tx"`     // the number of transactions up to and with that of the last record read
	Record int   `json:"record"` // how many records of it have been read
}

// Dimension is what events are listed by.
type Dimension string

// The dimensions. Values are in order and in the form in which queries compare them: bare words of the CBV, canonical URIs.
const (
	EventTypes   Dimension = "eventTypes"
	BizSteps     Dimension = "bizSteps"
	Dispositions Dimension = "dispositions"
	ReadPoints   Dimension = "readPoints"
	BizLocations Dimension = "bizLocations"
	// EPCs are all identifiers of single things that events name, in the order in which records named them first. Trade items and their
	// lots are EPC classes and are not among them.
	EPCs Dimension = "epcs"
)

// Limits of a query.
const (
	// MaxQueryTime is how long the search of one page may take: longer than any that uses what is indexed, at ten million events.
	MaxQueryTime = 10 * time.Second
	// MaxQueryScan is how many events are looked at for one page by what is indexed of them: about two seconds.
	MaxQueryScan = 1_000_000
	// MaxQueryBodies is how many events are read and compared for one page: about two seconds too.
	MaxQueryBodies = 50_000
	// MaxDescendants is how many places a WD_ parameter may stand for.
	MaxDescendants = 10_000
)

var (
	// ErrTooComplex: within the limits nothing was found, though there may be something (QueryTooComplexException).
	ErrTooComplex = errors.New("index: the query looks at too many events; a range of event times, an identifier or a business step narrows it")
	// ErrTooLarge: there are more events than the query's maxEventCount (QueryTooLargeException).
	ErrTooLarge = errors.New("index: the query finds more events than its maxEventCount")
)
