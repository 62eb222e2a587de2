package fabric

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/protocol"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

// Options of a ledger.
type Options struct {
	Config   Config
	Identity ledger.Signer    // asks peers for blocks; any identity of a member
	Dir      string           // the replica's directory; it can be removed, and is made anew from the blocks
	Log      *slog.Logger     // nil: nothing is logged
	Now      func() time.Time // nil: time.Now; the time of submissions
	Alone    bool             // each submission is a transaction of its own, also when others of its signer wait
}

// Metrics count since the ledger was opened.
type Metrics struct {
	Blocks     atomic.Uint64 // verified and applied
	Txs        atomic.Uint64 // valid ones in these
	Records    atomic.Uint64
	Bytes      atomic.Uint64 // of blocks that peers sent
	Conflicts  atomic.Uint64 // submissions that were proposed again because something they read was written meanwhile
	Failovers  atomic.Uint64 // times another node was turned to because one failed
	Distrusted atomic.Uint64 // blocks that a peer sent and that were found wrong
}

// Ledger implements ledger.Ledger. Close it.
type Ledger struct {
	Metrics Metrics

	opts     Options
	reader   *account // asks for blocks
	net      *network
	lock     io.Closer
	replica  *replica // the follower changes it, under mu; its store may be read by all
	lanes    lanes
	boarding boarding
	seldom   store.Seldom  // of blocks that are not right
	slots    chan struct{} // one for each submission in flight

	open  context.Context         // ends with Close
	shut  context.CancelCauseFunc // ends it
	done  chan struct{}           // closed when the follower has ended
	inUse sync.WaitGroup          // calls that use replica or connections

	mu       sync.RWMutex // guards what follows, and the replica's fields
	closed   bool
	recent   store.Recent
	newBlock chan struct{}           // closed with the next block
	waiting  map[string]chan<- fate  // submissions by transaction ID; each has room for its one result
	moveOn   context.CancelCauseFunc // ends the follower's session with a peer
}

// fate is what became of a transaction.
type fate struct {
	id       string
	code     peer.TxValidationCode
	conflict string           // key, when it was a conflict
	receipts []ledger.Receipt // of its batches
}

var _ ledger.Ledger = (*Ledger)(nil)

// Open opens the ledger of a channel. It need not reach any node: the follower goes on trying, and catches up meanwhile.
// Errors: what is wrong with the configuration or the replica; another process has the directory open.
func Open(opts Options) (_ *Ledger, err error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if err := opts.Config.check(); err != nil {
		return nil, err
	}
	l := &Ledger{
		opts: opts, done: make(chan struct{}),
		slots: make(chan struct{}, maxInFlight), newBlock: make(chan struct{}), waiting: map[string]chan<- fate{},
	}
	defer func() {
		if err != nil {
			l.release()
		}
	}()
	genesis, err := readGenesis(opts.Config.Genesis)
	if err != nil {
		return nil, err
	}
	if l.reader, err = newAccount(opts.Identity); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	if l.lock, err = vfs.Default.Lock(filepath.Join(opts.Dir, "replica.lock")); err != nil {
		return nil, fmt.Errorf("ledger: %s is in use by another process: %w", opts.Dir, err)
	}
	if l.replica, err = openReplica(filepath.Join(opts.Dir, "replica"), opts.Config, genesis, opts.Log); err != nil {
		return nil, err
	}
	if l.net, err = connect(opts.Config); err != nil {
		return nil, err
	}
	l.open, l.shut = context.WithCancelCause(context.Background())
	go l.follow(l.open)
	return l, nil
}

func (c Config) check() error {
	switch {
	case c.Channel == "" || c.Chaincode == "" || c.Genesis == "":
		return errors.New("ledger: the configuration names no channel, no chaincode or no first block")
	case len(c.Peers) == 0 || len(c.Orderers) == 0:
		return errors.New("ledger: the configuration names no peers or no orderers")
	}
	return nil
}

func readGenesis(file string) (*common.Block, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("ledger: the channel's first block: %w", err)
	}
	var b common.Block
	if err := unmarshal(data, &b); err != nil {
		return nil, fmt.Errorf("ledger: %s is not a block: %w", file, err)
	}
	if b.GetHeader() == nil || b.Header.Number != 0 {
		return nil, fmt.Errorf("ledger: %s is not the first block of a channel", file)
	}
	return &b, nil
}

// Close ends all followers and submissions with ErrClosed; submissions that were sent already are *UnknownError. What cannot be
// written to the disk within flushPatience is fetched and verified again when it is opened the next time.
func (l *Ledger) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		<-l.done
		return nil
	}
	l.closed = true
	l.mu.Unlock()
	l.shut(ledger.ErrClosed)
	<-l.done
	l.inUse.Wait()
	err := l.replica.flush()
	return errors.Join(err, l.release())
}

// release closes what is open.
func (l *Ledger) release() error {
	var errs []error
	if l.net != nil {
		errs = append(errs, l.net.close())
	}
	if l.replica != nil {
		errs = append(errs, l.replica.db.Close())
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

// Height implements ledger.Ledger. It is that of the replica.
func (l *Ledger) Height(context.Context) (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return 0, ledger.ErrClosed
	}
	return l.replica.pos.Height, nil
}

// View implements ledger.Ledger.
func (l *Ledger) View(ctx context.Context, f func(contract.State) error) error {
	done, err := l.use()
	if err != nil {
		return err
	}
	defer done()
	snap := l.replica.db.NewSnapshot()
	defer snap.Close()
	return f(view(ctx, snap, l.opts.Config.Chaincode))
}

// Receipt implements ledger.Ledger. For a transaction that was ordered and found invalid, the error is ErrNoSuchTx as well as
// ErrInvalidated.
func (l *Ledger) Receipt(ctx context.Context, txID string) (ledger.Receipt, error) {
	done, err := l.use()
	if err != nil {
		return ledger.Receipt{}, err
	}
	defer done()
	id, ok := parseID(protocol.TxID(txID))
	if !ok {
		return ledger.Receipt{}, ledger.ErrNoSuchTx
	}
	at, found, err := store.FindTx(l.replica.db, id)
	if err != nil {
		return ledger.Receipt{}, err
	}
	if !found {
		return ledger.Receipt{}, ledger.ErrNoSuchTx
	}
	rec, err := readRecord(l.replica.db, at.Height)
	if err != nil {
		return ledger.Receipt{}, err
	}
	if rec.codes[at.Index] == codeOther {
		return ledger.Receipt{}, ledger.ErrNoSuchTx // one of another chaincode, or that those did not endorse who may
	}
	if !rec.valid(int(at.Index)) {
		return ledger.Receipt{}, fmt.Errorf("%w: %w: %s", ledger.ErrNoSuchTx, ledger.ErrInvalidated, peer.TxValidationCode(rec.codes[at.Index]))
	}
	b, err := l.block(ctx, at.Height)
	if err != nil {
		return ledger.Receipt{}, err
	}
	for _, tx := range b.Txs {
		if tx.ID == txID {
			return ledger.Receipt{TxID: txID, Block: at.Height, Outcomes: tx.Outcomes}, nil
		}
	}
	if txID != protocol.TxID(txID) {
		return ledger.Receipt{}, ledger.ErrNoSuchTx // it has fewer batches
	}
	return ledger.Receipt{}, errReplica
}
