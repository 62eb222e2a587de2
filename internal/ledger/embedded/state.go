package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// The state store is derived from the ledger file: the contract's keys, where each transaction stands, and the height
// that all of this is as of, changed together, one batch a block. It has no log of its own and is not synced: what a
// crash loses is executed again from the ledger file.
const (
	stateFormat = 1 // written to the position; another one is rebuilt

	// First byte of a key in the store.
	keyContract = 'c' // + the contract's key
	keyTx       = 't' // + transaction ID → height, index in the block
	keyPosition = 'p' // → format, height, hash of the last block

	// memTable bounds what is to be executed again after a crash: about a hundred thousand lots.
	memTable   = 16 << 20
	stateCache = 64 << 20
)

func openState(dir string, memTable uint64, log *slog.Logger) (*pebble.DB, error) {
	cache := pebble.NewCache(stateCache)
	defer cache.Unref()
	opts := &pebble.Options{
		FS:           vfs.Default, // without pebble's watching for slow disks: it outlives a failed Open
		Cache:        cache,
		DisableWAL:   true,
		MemTableSize: memTable,
		Logger:       quietLogger{log},
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // most lots that are asked for are new
	}
	return pebble.Open(dir, opts)
}

// position is what the state is as of.
type position struct {
	height uint64 // number of blocks
	hash   [sha256.Size]byte
}

// readPosition returns ok false when the store is empty or was written in another format.
func readPosition(r pebble.Reader) (p position, ok bool, err error) {
	v, err := get(r, []byte{keyPosition})
	if err != nil || len(v) != 1+8+sha256.Size || v[0] != stateFormat {
		return position{}, false, err
	}
	return position{binary.BigEndian.Uint64(v[1:]), [sha256.Size]byte(v[9:])}, true, nil
}

func setPosition(b *pebble.Batch, p position) error {
	v := binary.BigEndian.AppendUint64([]byte{stateFormat}, p.height)
	return b.Set([]byte{keyPosition}, append(v, p.hash[:]...), nil)
}

// txPlace is where a transaction stands.
type txPlace struct {
	height uint64
	index  uint32
}

func txKey(id [sha256.Size]byte) []byte { return append([]byte{keyTx}, id[:]...) }

func findTx(r pebble.Reader, id [sha256.Size]byte) (p txPlace, found bool, err error) {
	v, err := get(r, txKey(id))
	if err != nil || v == nil {
		return p, false, err
	}
	if len(v) != 12 {
		return p, false, errors.New("ledger: the state store is damaged; remove it and start again: it is rebuilt")
	}
	return txPlace{binary.BigEndian.Uint64(v), binary.BigEndian.Uint32(v[8:])}, true, nil
}

// applyTx adds a transaction's place and effects to a block's batch.
func applyTx(b *pebble.Batch, id [sha256.Size]byte, p txPlace, effects contract.Effects) error {
	v := binary.BigEndian.AppendUint64(nil, p.height)
	if err := b.Set(txKey(id), binary.BigEndian.AppendUint32(v, p.index), nil); err != nil {
		return err
	}
	var key []byte
	for _, kv := range effects {
		key = append(append(key[:0], keyContract), kv.Key...)
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

// get returns a copy of a value, or nil.
func get(r pebble.Reader, key []byte) ([]byte, error) {
	v, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return append([]byte{}, v...), closer.Close()
}

// state is the contract's view of a snapshot, or of a block's batch on top of the store. One goroutine.
type state struct {
	r   pebble.Reader
	ctx context.Context // ends long reads
	key []byte          // scratch
}

func (s *state) Get(key string) ([]byte, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	s.key = append(append(s.key[:0], keyContract), key...)
	return get(s.r, s.key)
}

func (s *state) Range(prefix string) iter.Seq2[contract.KV, error] {
	return func(yield func(contract.KV, error) bool) {
		lower := append([]byte{keyContract}, prefix...)
		it, err := s.r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: after(lower)})
		if err != nil {
			yield(contract.KV{}, err)
			return
		}
		defer it.Close()
		for ok := it.First(); ok; ok = it.Next() {
			v, err := it.ValueAndErr()
			if err = errors.Join(err, s.ctx.Err()); err != nil {
				yield(contract.KV{}, err)
				return
			}
			if !yield(contract.KV{Key: string(it.Key()[1:]), Value: append([]byte{}, v...)}, nil) {
				return
			}
		}
		if err := it.Error(); err != nil {
			yield(contract.KV{}, err)
		}
	}
}

// after returns the least key above all keys with a prefix, whose first byte is less than 0xff.
func after(prefix []byte) []byte {
	end := append([]byte{}, prefix...)
	for i := len(end) - 1; ; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
}

// quietLogger passes on what pebble has to say of trouble only.
type quietLogger struct{ log *slog.Logger }

func (q quietLogger) Infof(string, ...any) {}
func (q quietLogger) Errorf(format string, args ...any) {
	q.log.Error("state store: " + fmt.Sprintf(format, args...))
}

// Fatalf is called when the store cannot go on; pebble requires that it does not return.
func (q quietLogger) Fatalf(format string, args ...any) {
	q.Errorf(format, args...)
	panic("ledger: the state store failed: " + fmt.Sprintf(format, args...))
}
