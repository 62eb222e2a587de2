// Package sqlindex is the read model in an SQL database, whichever that is: how blocks become rows, how rows become answers,
// and the graph for traces in memory. Packages sqlite and postgres open their database and add their dialect.
package sqlindex

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// DefaultGraphMB is how much memory the graph for traces may take unless something else is said: ten million lots.
const DefaultGraphMB = 2048

// internedKeys is how many item numbers the writer remembers: about 100 MB, the lots that a large network moves in a week.
const internedKeys = 1 << 19

// knownSettings is how many settings it remembers: about 20 MB, the kinds of work at the places of a large network.
const knownSettings = 1 << 15

// Index is the read model. It implements index.Index.
type Index struct {
	dialect Dialect
	write   *sql.DB
	reader  *sql.DB
	read    db // reader

	mu       sync.Mutex // serialises Apply
	keys     *lru.Cache[string, trace.ItemID]
	settings *lru.Cache[string, int64]
	memory   memory

	maxScan, maxBodies int // of the search of one page
}

var (
	_ index.Index      = (*Index)(nil)
	_ index.Verifiable = (*Index)(nil)
	_ trace.Streamer   = (*Index)(nil)
)

// New makes an index of a database that has the tables. It closes both. The graph in memory may take graphMB; a larger one, or
// any with a negative number, is read from the database, which is about ten times slower. 0 is DefaultGraphMB.
func New(d Dialect, write, read *sql.DB, graphMB int) (*Index, error) {
	keys, err := lru.New[string, trace.ItemID](internedKeys)
	if err != nil {
		return nil, errors.Join(err, write.Close(), read.Close())
	}
	settings, err := lru.New[string, int64](knownSettings)
	if err != nil {
		return nil, errors.Join(err, write.Close(), read.Close())
	}
	ix := &Index{dialect: d, write: write, reader: read, read: db{read, d}, keys: keys, settings: settings,
		maxScan: index.MaxQueryScan, maxBodies: index.MaxQueryBodies}
	if graphMB == 0 {
		graphMB = DefaultGraphMB
	}
	if ix.memory.limit = int64(graphMB) << 20; graphMB < 0 {
		ix.memory.state = tooLarge
	}
	return ix, nil
}

// Close closes the database. Nothing is lost: what was applied is in it.
func (ix *Index) Close() error { return errors.Join(ix.reader.Close(), ix.write.Close()) }

// Forget forgets what the writer remembers of the database: somebody else may have written it.
func (ix *Index) Forget() {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.forget()
}

func (ix *Index) forget() {
	ix.keys.Purge()
	ix.settings.Purge()
}

// Load reads the graph aside. The next Follow puts it to use; until then the database answers.
func (ix *Index) Load(ctx context.Context) error {
	return ix.inSnapshot(ctx, ix.memory.load)
}

// Unloaded says that the graph is to be loaded.
func (ix *Index) Unloaded() bool { return ix.memory.unloaded() }

// Follow brings the graph in memory to the height of the database and returns that height: what reads are sure to see from now
// on. It is not called twice at once.
func (ix *Index) Follow(ctx context.Context) (height uint64, err error) {
	at, inUse := ix.memory.now() // before the snapshot: Apply may bring the memory further meanwhile
	err = ix.inSnapshot(ctx, func(ctx context.Context, d db) error {
		height, err = ix.memory.follow(ctx, d, at, inUse)
		return err
	})
	return height, err
}

// LoadFirst reads the graph and puts it to use before anything is applied. It calls begun when Apply waits for it.
func (ix *Index) LoadFirst(ctx context.Context, begun func()) error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	begun()
	if err := ix.Load(ctx); err != nil {
		return err
	}
	_, err := ix.Follow(ctx)
	return err
}

func (ix *Index) inSnapshot(ctx context.Context, f func(context.Context, db) error) error {
	tx, err := ix.beginRead(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // it only read
	return f(ctx, db{tx, ix.dialect})
}

// beginRead begins a transaction that reads one state of the index.
func (ix *Index) beginRead(ctx context.Context) (*sql.Tx, error) {
	tx, err := ix.reader.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, ix.dialect.Error(err)
	}
	return tx, nil
}
