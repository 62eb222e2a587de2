// Package store keeps what ledgers derive from their blocks: the contract's world state, where each transaction stands,
// and the height that all of this is as of, changed together, one batch a block. It has no log of its own and is not synced:
// what a crash loses is derived again from the blocks.
package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

const (
	format = 1 // written to the position; another one is rebuilt

	// First byte of a key in the store. Ledgers may use others for what they alone know.
	KeyState    = 'c' // + the ledger's key
	keyTx       = 't' // + transaction ID → height, index in the block
	keyPosition = 'p' // → format, height, hash of the last block

	// MemTable bounds what is to be derived again after a crash: about a hundred thousand lots.
	MemTable = 16 << 20
	cache    = 64 << 20
)

// errDamaged is said of a value that no ledger wrote.
var errDamaged = errors.New("ledger: the state store is damaged; remove it and start again: it is rebuilt")

// Open opens the store in a directory, or begins one. memTable bytes of writes are lost at most in a crash.
func Open(dir string, memTable uint64, log *slog.Logger) (*pebble.DB, error) {
	cache := pebble.NewCache(cache)
	defer cache.Unref()
	opts := &pebble.Options{
		FS:           vfs.Default, // without pebble's watching for slow disks: it outlives a failed Open
		Cache:        cache,
		DisableWAL:   true,
		MemTableSize: memTable,
		Logger:       &quietLogger{log: log},
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // most lots that are asked for are new
	}
	return pebble.Open(dir, opts)
}

// Position is what the store is as of.
type Position struct {
	Height uint64 // number of blocks
	Hash   [sha256.Size]byte
}

// ReadPosition returns ok false when the store is empty or was written in another format.
func ReadPosition(r pebble.Reader) (p Position, ok bool, err error) {
	v, err := Get(r, []byte{keyPosition})
	if err != nil || len(v) != 1+8+sha256.Size || v[0] != format {
		return Position{}, false, err
	}
	return Position{binary.BigEndian.Uint64(v[1:]), [sha256.Size]byte(v[9:])}, true, nil
}

// SetPosition adds the position to a block's batch.
func SetPosition(b *pebble.Batch, p Position) error {
	v := binary.BigEndian.AppendUint64([]byte{format}, p.Height)
	return b.Set([]byte{keyPosition}, append(v, p.Hash[:]...), nil)
}

// Place is where a transaction stands.
type Place struct {
	Height uint64 // of its block
	Index  uint32 // in the block
}

// FindTx returns where a transaction stands.
func FindTx(r pebble.Reader, id [sha256.Size]byte) (p Place, found bool, err error) {
	v, err := Get(r, txKey(id))
	if err != nil || v == nil {
		return p, false, err
	}
	if len(v) != 12 {
		return p, false, errDamaged
	}
	return Place{binary.BigEndian.Uint64(v), binary.BigEndian.Uint32(v[8:])}, true, nil
}

// SetTx adds a transaction's place to a block's batch.
func SetTx(b *pebble.Batch, id [sha256.Size]byte, p Place) error {
	v := binary.BigEndian.AppendUint64(nil, p.Height)
	return b.Set(txKey(id), binary.BigEndian.AppendUint32(v, p.Index), nil)
}

func txKey(id [sha256.Size]byte) []byte { return append([]byte{keyTx}, id[:]...) }

// ApplyTx adds a transaction's place and effects to a block's batch.
func ApplyTx(b *pebble.Batch, id [sha256.Size]byte, p Place, effects contract.Effects) error {
	if err := SetTx(b, id, p); err != nil {
		return err
	}
	var key []byte
	for _, kv := range effects {
		key = append(append(key[:0], KeyState), kv.Key...)
		var err error
		if kv.Value == nil {
			err = b.Delete(key, nil)
		} else {
			err = b.Set(key, kv.Value, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Get returns a copy of a value, or nil.
func Get(r pebble.Reader, key []byte) ([]byte, error) {
	v, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return append([]byte{}, v...), closer.Close()
}

// View is a contract.State: the keys after a prefix in a snapshot, or in a block's batch on top of the store. One goroutine.
type View struct {
	r      pebble.Reader
	ctx    context.Context // ends long reads
	prefix string
	skip   int    // bytes before each value
	key    []byte // scratch
}

// NewView views the keys that ApplyTx writes, or, with a namespace, those after KeyState and it. The first skip bytes of each
// value are the ledger's own.
func NewView(ctx context.Context, r pebble.Reader, namespace string, skip int) *View {
	return &View{r: r, ctx: ctx, prefix: string(rune(KeyState)) + namespace, skip: skip}
}

var _ contract.State = (*View)(nil)

// Get implements contract.State.
func (s *View) Get(key string) ([]byte, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	s.key = append(append(s.key[:0], s.prefix...), key...)
	v, err := Get(s.r, s.key)
	return s.value(v, err)
}

func (s *View) value(v []byte, err error) ([]byte, error) {
	switch {
	case v == nil || err != nil:
		return nil, err
	case len(v) < s.skip:
		return nil, errDamaged
	}
	return v[s.skip:], nil
}

// Range implements contract.State.
func (s *View) Range(prefix string) iter.Seq2[contract.KV, error] {
	return func(yield func(contract.KV, error) bool) {
		lower := []byte(s.prefix + prefix)
		it, err := s.r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: After(lower)})
		if err != nil {
			yield(contract.KV{}, err)
			return
		}
		defer it.Close()
		for ok := it.First(); ok; ok = it.Next() {
			v, err := it.ValueAndErr()
			if v, err = s.value(append([]byte{}, v...), errors.Join(err, s.ctx.Err())); err != nil {
				yield(contract.KV{}, err)
				return
			}
			if !yield(contract.KV{Key: string(it.Key()[len(s.prefix):]), Value: v}, nil) {
				return
			}
		}
		if err := it.Error(); err != nil {
			yield(contract.KV{}, err)
		}
	}
}

// After returns the least key above all keys with a prefix, whose first byte is less than 0xff.
func After(prefix []byte) []byte {
	end := append([]byte{}, prefix...)
	for i := len(end) - 1; ; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
}

// quietLogger passes on what pebble has to say of trouble only.
type quietLogger struct {
	log    *slog.Logger
	seldom Seldom
}

func (q *quietLogger) Infof(string, ...any) {}

// Errorf is called again and again while something fails, without a pause.
func (q *quietLogger) Errorf(format string, args ...any) {
	if repeats, tell := q.seldom.Tell(format, time.Now()); tell {
		q.log.Error("state store: "+fmt.Sprintf(format, args...), "repeats", repeats)
	}
}

// Fatalf is called when the store cannot go on; pebble requires that it does not return.
func (q *quietLogger) Fatalf(format string, args ...any) {
	q.Errorf(format, args...)
	panic("ledger: the state store failed: " + fmt.Sprintf(format, args...))
}
