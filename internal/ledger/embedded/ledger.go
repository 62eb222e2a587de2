// Package embedded is the ledger of one machine: signed submissions in hash-chained blocks in one file that only grows,
// and the contract's world state derived from it.
//
// What happens to a submission, and what a crash after each step means:
//
//  1. Submit signs the batch, executes the contract on a snapshot of the state and notes what it read. Crash: it never was.
//  2. The committer takes what is waiting, executes again whatever read something that has changed since, and makes one block. Crash: same.
//  3. The block is written and synced. Crash before the sync returned: the next start keeps the block when it is whole, and cuts
//     it off otherwise; nobody had a receipt.
//  4. The state store takes the effects, in one batch with its height. Crash: the next start executes the missing blocks again.
//  5. Followers see the block, submitters get receipts.
package embedded

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

const (
	// MaxBatchBytes bounds one encoded batch: about a hundred thousand events, more than a document may hold.
	MaxBatchBytes = 16 << 20

	// A block takes what is waiting, but is closed once it holds this much, so that memory and the time to a receipt are bounded.
	maxBlockBytes = 16 << 20
	maxBlockTxs   = 1024

	// maxInFlight bounds the submissions that are being worked on; others wait. Enough for a block to fill while the one
	// before is being synced.
	maxInFlight = 128
)

// Options of a ledger.
type Options struct {
	Dir   string           // data directory: ledger.log, state/, trust/
	Clock func() time.Time // nil: time.Now
	Log   *slog.Logger     // nil: nothing is logged

	decide   decideFunc // tests may put other rules here; nil: contract.Decide
	openFile func(path string) (logFile, error)
	memTable uint64 // bytes; 0: the default
}

type decideFunc func(contract.State, contract.Tx) (contract.Effects, []contract.Outcome, error)

// Metrics count since the ledger was opened.
type Metrics struct {
	Blocks    atomic.Uint64
	Txs       atomic.Uint64
	Records   atomic.Uint64
	Conflicts atomic.Uint64 // executions that were stale and were repeated
	Bytes     atomic.Uint64 // written to the ledger file
	SyncNanos atomic.Uint64 // spent waiting for the disk, one wait a block
}

// Ledger implements ledger.Ledger. Close it.
type Ledger struct {
	Metrics Metrics

	opts    Options
	members *members
	state   *pebble.DB
	file    logFile
	lock    io.Closer

	slots chan struct{} // one for each submission in flight
	cpus  chan struct{} // one for each execution
	queue chan *pending // to the committer; has room for all slots
	done  chan struct{} // closed when the committer has ended

	inUse   sync.WaitGroup // calls that use state or file
	closing chan struct{}

	mu       sync.RWMutex // guards what follows; the committer alone changes it
	closed   bool
	failed   error // why nothing can be written any more
	offsets  []int64
	end      int64 // of the last block in the file
	last     *ledger.Block
	recent   store.Recent
	newBlock chan struct{} // closed with the next block
}

var _ ledger.Ledger = (*Ledger)(nil)

// Open opens the ledger in a data directory, or begins one. It reads the whole ledger file and checks its hashes. Errors:
// *DamageError; another process has it open; what the file system says.
func Open(opts Options) (_ *Ledger, err error) {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.decide == nil {
		opts.decide = contract.Decide
	}
	if opts.memTable == 0 {
		opts.memTable = store.MemTable
	}
	if opts.openFile == nil {
		opts.openFile = openFile
	}
	if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	l := &Ledger{
		opts:     opts,
		members:  newMembers(identity.Open(opts.Dir, nil).Trust()),
		slots:    make(chan struct{}, maxInFlight),
		cpus:     make(chan struct{}, runtime.GOMAXPROCS(0)),
		queue:    make(chan *pending, maxInFlight),
		done:     make(chan struct{}),
		closing:  make(chan struct{}),
		newBlock: make(chan struct{}),
	}
	defer func() {
		if err != nil {
			l.release()
		}
	}()
	if l.lock, err = vfs.Default.Lock(filepath.Join(opts.Dir, "ledger.lock")); err != nil {
		return nil, fmt.Errorf("ledger: %s is in use by another process: %w", opts.Dir, err)
	}
	if l.file, err = opts.openFile(LogPath(opts.Dir)); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	if err = l.recover(); err != nil {
		return nil, err
	}
	go l.commitLoop()
	return l, nil
}

// LogPath is where the ledger file of a data directory is.
func LogPath(dir string) string { return filepath.Join(dir, "ledger.log") }

func openFile(path string) (logFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return f, syncDir(filepath.Dir(path))
}

// syncDir makes the entry of a new file last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Close waits for submissions in flight, ends all followers with ErrClosed and leaves the state as new as the log.
func (l *Ledger) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		<-l.done
		return nil
	}
	l.closed = true
	close(l.closing)
	l.mu.Unlock()
	l.inUse.Wait()
	close(l.queue)
	<-l.done
	err := l.state.Flush()
	return errors.Join(err, l.release())
}

// release closes what is open.
func (l *Ledger) release() error {
	var errs []error
	if l.state != nil {
		errs = append(errs, l.state.Close())
	}
	if l.file != nil {
		errs = append(errs, l.file.Close())
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
	}
	return errors.Join(errs...)
}

// use keeps the ledger open until the returned function is called.
func (l *Ledger) use() (done func(), err error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return nil, ledger.ErrClosed
	}
	l.inUse.Add(1)
	return l.inUse.Done, nil
}

// Height implements ledger.Ledger.
func (l *Ledger) Height(context.Context) (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return 0, ledger.ErrClosed
	}
	return uint64(len(l.offsets)), nil
}

// View implements ledger.Ledger.
func (l *Ledger) View(ctx context.Context, f func(contract.State) error) error {
	done, err := l.use()
	if err != nil {
		return err
	}
	defer done()
	snap := l.state.NewSnapshot()
	defer snap.Close()
	return f(store.NewView(ctx, snap, "", 0))
}

// Receipt implements ledger.Ledger.
func (l *Ledger) Receipt(ctx context.Context, txID string) (ledger.Receipt, error) {
	done, err := l.use()
	if err != nil {
		return ledger.Receipt{}, err
	}
	defer done()
	id, err := hex.DecodeString(txID)
	if err != nil || len(id) != len(zeros) {
		return ledger.Receipt{}, ledger.ErrNoSuchTx
	}
	at, found, err := store.FindTx(l.state, [32]byte(id))
	if err != nil {
		return ledger.Receipt{}, err
	}
	if !found {
		l.mu.RLock()
		defer l.mu.RUnlock()
		if l.failed != nil { // a restart may find it
			return ledger.Receipt{}, l.failed
		}
		return ledger.Receipt{}, ledger.ErrNoSuchTx
	}
	outcomes, err := l.outcomes(at)
	return ledger.Receipt{TxID: txID, Block: at.Height, Outcomes: outcomes}, err
}

// outcomes reads what became of a transaction.
func (l *Ledger) outcomes(at store.Place) ([]contract.Outcome, error) {
	if b := l.fromMemory(at.Height); b != nil {
		return b.Txs[at.Index].Outcomes, nil
	}
	sb, _, err := l.readBlock(at.Height)
	if err != nil {
		return nil, err
	}
	if int(at.Index) >= len(sb.txs) {
		return nil, errors.New("ledger: the state store is damaged; remove it and start again: it is rebuilt")
	}
	return contract.DecodeOutcomes(sb.txs[at.Index].outcomes)
}
