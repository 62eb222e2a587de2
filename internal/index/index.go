// Package index is the interface to the read model: everything that is asked of the ledger by anything else than its
// position. It is rebuilt from blocks alone and can be thrown away at any time. Implementations: sqlite, postgres;
// indextest is the suite that says what the interface means.
package index

import (
	"context"
	"errors"
	"iter"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// Index is the whole read model: Writer for the projector, Reader for people, trace.Graph and trace.EventReader for
// traces and scopes.
type Index interface {
	Writer
	Reader
	trace.Graph
	trace.EventReader
	Close() error
}

// Writer takes blocks.
type Writer interface {
	// Apply projects blocks in one database transaction, together with the position. The first must be the one at
	// Position, each the successor of the one before: else ErrPosition, and nothing changes.
	Apply(ctx context.Context, blocks []*ledger.Block) error
	// Position returns how many blocks have been projected and the hash of the last.
	Position(ctx context.Context) (height uint64, hash [32]byte, err error)
	// Rows yields every row of every table in a fixed order, with the block it comes from: what verify compares.
	Rows(ctx context.Context) iter.Seq2[Row, error]
}

// Row is one row of the read model in a form that can be compared between implementations and copies.
type Row struct {
	Table string
	Key   string
	Value string
	Block uint64
}

// Snapshot is one state of an index, whatever is applied meanwhile, also by another process. Close it.
type Snapshot interface {
	Rows
	// Position is that of Writer.
	Position(ctx context.Context) (height uint64, hash [32]byte, err error)
	Close() error
}

// Verifiable is an index that can be compared with one rebuilt from the ledger while it is used.
type Verifiable interface {
	// Snapshot holds on to the present state.
	Snapshot(ctx context.Context) (Snapshot, error)
}

// Where says where on the ledger a record stands: what proves it.
type Where struct {
	Block    uint64     `json:"block"`
	Tx       string     `json:"tx"`
	Position int        `json:"position"` // of the record in the transaction
	Member   string     `json:"member"`   // MSP ID of who sent it
	Time     event.Time `json:"time"`     // the ledger's time
}

// Event is an accepted event.
type Event struct {
	ID       string              `json:"id"` // event hash
	Event    *event.Event        `json:"event"`
	Findings []contract.Finding  `json:"findings,omitempty"`
	Evidence []contract.Evidence `json:"evidence,omitempty"`
	Voided   string              `json:"voided,omitzero"` // transaction of the error declaration that voids it
	Where    Where               `json:"where"`
}

// Inspection is an accepted inspection.
type Inspection struct {
	ID string `json:"id"`
	contract.Inspection
	Evidence []contract.Evidence `json:"evidence,omitempty"`
	Where    Where               `json:"where"`
}

// Hold is a hold and its end.
type Hold struct {
	ID string `json:"id"`
	contract.Hold
	Evidence   []contract.Evidence `json:"evidence,omitempty"`
	Where      Where               `json:"where"`
	Release    *contract.Release   `json:"release,omitempty"` // nil while in force
	ReleasedAt *Where              `json:"releasedAt,omitempty"`
	Violations int                 `json:"violations"` // movements refused because of it
}

// Violation is a movement that was refused because of holds.
type Violation struct {
	ID    string       `json:"id"` // event hash
	Event *event.Event `json:"event"`
	Holds []string     `json:"holds"` // IDs of the holds
	Items []string     `json:"items"` // keys of the items that were held
	Where Where        `json:"where"`
}

// Item is anything that an event or an inspection names.
type Item struct {
	Key     string `json:"key"`              // canonical URI
	Product string `json:"product,omitzero"` // key of its product class
	Events  int    `json:"events"`           // how many accepted events name it
	Since   Where  `json:"since"`            // the first record that names it
	Lot     string `json:"lot,omitzero"`     // batch/lot number, for people
	Serial  string `json:"serial,omitzero"`  // serial number, for people
}

// Page asks for at most Limit entries (0: DefaultPageSize) after the opaque cursor After ("" for the first).
type Page struct {
	After string
	Limit int
}

// Limits of a page: what a screen shows, and what still is read in a moment.
const (
	DefaultPageSize = 50
	MaxPageSize     = 1000
)

// Size is the number of entries that the page may hold.
func (p Page) Size() int {
	if p.Limit <= 0 {
		return DefaultPageSize
	}
	return min(p.Limit, MaxPageSize)
}

// ActFilter selects inspections, holds and violations. Empty fields select everything; they combine with AND.
type ActFilter struct {
	Item    string // canonical key
	Member  string // MSP ID of the writer
	InForce bool   // holds only: not released
}

// Reader answers. Lists are newest first unless said otherwise and return the cursor of the next page ("" at the end).
type Reader interface {
	Queries
	// Event returns the event with that event hash or eventID, or ErrNotFound.
	Event(ctx context.Context, id string) (Event, error)
	// Events returns the events with these graph numbers (trace.EventID), in the order given.
	Events(ctx context.Context, ids []trace.EventID) ([]Event, error)
	// Item returns an item by its canonical key, or ErrNotFound.
	Item(ctx context.Context, key string) (Item, error)
	// EventsOf lists the events that name an item, in order of event time, oldest first.
	EventsOf(ctx context.Context, key string, page Page) (events []Event, next string, err error)
	// Items lists items whose key, lot or product name contains text (all when empty).
	Items(ctx context.Context, text string, page Page) (items []Item, next string, err error)

	Inspections(ctx context.Context, f ActFilter, page Page) (list []Inspection, next string, err error)
	Inspection(ctx context.Context, id string) (Inspection, error)
	Holds(ctx context.Context, f ActFilter, page Page) (list []Hold, next string, err error)
	Hold(ctx context.Context, id string) (Hold, error)
	Violations(ctx context.Context, f ActFilter, page Page) (list []Violation, next string, err error)

	// Site, Product and Member return master data, or ErrNotFound. Sites and Products answer for many at once, leaving
	// out what is not known.
	Member(ctx context.Context, msp string) (contract.Member, error)
	Members(ctx context.Context) ([]contract.Member, error)
	Sites(ctx context.Context, ids []string) (map[string]contract.Site, error)
	Products(ctx context.Context, ids []string) (map[string]contract.Product, error)

	// EvidenceRefs lists every file that a record names, once, by digest.
	EvidenceRefs(ctx context.Context) iter.Seq2[contract.Evidence, error]
}

var (
	ErrNotFound = errors.New("index: not found")
	ErrPosition = errors.New("index: the block does not follow what is indexed")
	ErrCursor   = errors.New("index: not a cursor of this list")
	// ErrUnavailable: the database is away, for now.
	ErrUnavailable = errors.New("index: the database does not answer")
	// ErrSchema: the database was written by another version. Remove it and start again: it is rebuilt from the ledger.
	ErrSchema = errors.New("index: written by another version of the program")
)
