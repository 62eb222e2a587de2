package fabric

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

// The replica is what the blocks say, on this machine's disk: the world state of all chaincodes with versions, what is to be
// known of each block and transaction, and the configuration in force. A block changes it in one atomic batch with its height.
// It is not synced: after a crash the newest blocks are fetched and verified again.
const (
	// First byte of a key, beside those of package store; there, the state's keys are namespace, zero byte, key, and its
	// values begin with a version.
	keyHashed = 'h' // + namespace, zero byte, collection, zero byte, SHA-256 of a private key → version
	keyOwn    = 'm' // + namespace, zero byte, collection: keys there have, or had, endorsement policies of their own
	keyBlock  = 'B' // + height → hash, time, code of each transaction (an earlier format had b, without codeOther: it is made anew)
	keyConfig = 'g' // → the configuration in force

	versionLen = 8 + 4
)

var (
	errReplica = errors.New("ledger: the replica is damaged; remove it and start again: it is made anew from the blocks")
	errForeign = errors.New("ledger: the replica was made from another first block than the configured one")
)

// version is the place of the transaction that wrote a key last.
type version store.Place

func (v version) append(dst []byte) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(dst, v.Height), v.Index)
}

// is compares with a version that a transaction names, which may be out of range.
func (v version) is(read *kvrwset.Version) bool {
	return v.Height == read.BlockNum && uint64(v.Index) == read.TxNum
}

func parseVersion(b []byte) (version, error) {
	if len(b) < versionLen {
		return version{}, errReplica
	}
	return version{binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])}, nil
}

func stateKey(namespace, key string) []byte {
	return append(append(append([]byte{store.KeyState}, namespace...), 0), key...)
}

func hashedKey(namespace, collection string, hash []byte) []byte {
	k := append(append([]byte{keyHashed}, namespace...), 0)
	return append(append(append(k, collection...), 0), hash...)
}

func ownKey(namespace, collection string) []byte {
	return append(append(append([]byte{keyOwn}, namespace...), 0), collection...)
}

// readVersion returns nil for a key that is not there.
func readVersion(r pebble.Reader, key []byte) (*version, error) {
	b, err := store.Get(r, key)
	if b == nil || err != nil {
		return nil, err
	}
	v, err := parseVersion(b)
	return &v, err
}

// record is what is known of a verified block.
type record struct {
	hash  [sha256.Size]byte
	time  time.Time
	codes []byte // peer.TxValidationCode of each transaction, as found here, or codeOther
}

// codeOther is that of a valid transaction that is no submission to our chaincode: whether those endorsed it who may could not be told
// later, from the block alone. Fabric has no such code.
const codeOther = 253

func (r record) valid(i int) bool { return r.ours(i) || r.codes[i] == codeOther }

func (r record) ours(i int) bool { return r.codes[i] == byte(peer.TxValidationCode_VALID) }

func blockKey(height uint64) []byte { return binary.BigEndian.AppendUint64([]byte{keyBlock}, height) }

func setRecord(b *pebble.Batch, height uint64, r record) error {
	v := append([]byte{}, r.hash[:]...)
	v = binary.BigEndian.AppendUint64(v, uint64(r.time.UnixNano()))
	return b.Set(blockKey(height), append(v, r.codes...), nil)
}

// readRecord returns the record of a block that is there.
func readRecord(r pebble.Reader, height uint64) (record, error) {
	v, err := store.Get(r, blockKey(height))
	if err != nil {
		return record{}, err
	}
	if len(v) < sha256.Size+8 {
		return record{}, errReplica
	}
	at := int64(binary.BigEndian.Uint64(v[sha256.Size:]))
	return record{[sha256.Size]byte(v), time.Unix(0, at).UTC(), v[sha256.Size+8:]}, nil
}

// replica is the store and where it stands.
type replica struct {
	channelID string
	chaincode string
	genesis   *common.Block

	db   *pebble.DB
	pos  store.Position
	last record   // of the last block, if there is any
	conf *channel // in force; nil before the first block

	// inspect is shown each valid transaction and the state before it; nil: nobody looks.
	inspect func(before pebble.Reader, height uint64, i int, tx *transaction)
}

// openReplica opens the replica in a directory, or begins one. One that is damaged is made anew; one that was made from another
// first block is refused with errForeign.
func openReplica(dir string, conf Config, genesis *common.Block, log *slog.Logger) (*replica, error) {
	r, err := tryReplica(dir, conf, genesis, log)
	if err == nil || errors.Is(err, errForeign) {
		return r, err
	}
	log.Warn("the replica cannot be used; it is made anew from the blocks", "err", err)
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("ledger: the replica: %w", err)
	}
	return tryReplica(dir, conf, genesis, log)
}

func tryReplica(dir string, conf Config, genesis *common.Block, log *slog.Logger) (_ *replica, err error) {
	r := &replica{channelID: conf.Channel, chaincode: conf.Chaincode, genesis: genesis}
	if r.db, err = store.Open(dir, store.MemTable, log); err != nil {
		return nil, fmt.Errorf("ledger: the replica in %s: %w", dir, err)
	}
	if err := r.load(); err != nil {
		return nil, errors.Join(err, r.db.Close())
	}
	return r, nil
}

func (r *replica) load() (err error) {
	var there bool
	if r.pos, there, err = store.ReadPosition(r.db); err != nil {
		return err
	}
	if !there {
		return r.mustBeEmpty()
	}
	first, err := readRecord(r.db, 0)
	if err != nil {
		return err
	}
	if first.hash != headerHash(r.genesis.Header) {
		return errForeign
	}
	if r.last, err = readRecord(r.db, r.pos.Height-1); err != nil {
		return err
	}
	var conf common.Config
	b, err := store.Get(r.db, []byte{keyConfig})
	if err == nil {
		err = unmarshal(b, &conf)
	}
	if err == nil {
		r.conf, err = newChannel(&conf)
	}
	return err
}

// mustBeEmpty refuses a store without a position, or of another format, that holds something.
func (r *replica) mustBeEmpty() error {
	it, err := r.db.NewIter(nil)
	if err != nil {
		return err
	}
	if it.First() {
		err = errReplica
	}
	return errors.Join(err, it.Close())
}

// apply makes a verified block part of the replica.
func (r *replica) apply(v *verified) error {
	defer v.close()
	pos := store.Position{Height: v.block.Header.Number + 1, Hash: v.hash}
	err := errors.Join(setRecord(v.batch, v.block.Header.Number, v.record), store.SetPosition(v.batch, pos))
	if v.config != nil {
		b, merr := marshal(v.config)
		err = errors.Join(err, merr, v.batch.Set([]byte{keyConfig}, b, nil))
	}
	if err = errors.Join(err, v.batch.Commit(pebble.NoSync)); err != nil {
		return fmt.Errorf("ledger: the replica: %w", err)
	}
	r.pos, r.last = pos, v.record
	if v.channel != nil {
		r.conf = v.channel
	}
	return nil
}

// flushPatience is how long Close waits for the newest blocks to be on the disk. One that is full, or gone, is tried without end.
const flushPatience = 5 * time.Second

// flush writes what is in memory to the disk.
func (r *replica) flush() error {
	done, err := r.db.AsyncFlush()
	if err != nil {
		return fmt.Errorf("ledger: the replica: %w", err)
	}
	select {
	case <-done:
		return nil
	case <-time.After(flushPatience):
		return fmt.Errorf("ledger: the replica's newest blocks could not be written within %s", flushPatience)
	}
}

// view is the contract's state in a snapshot of the replica.
func view(ctx context.Context, r pebble.Reader, chaincode string) *store.View {
	return store.NewView(ctx, r, chaincode+"\x00", versionLen)
}

// rangeIs reports whether a range of keys still has exactly the keys and versions that a transaction read.
func rangeIs(r pebble.Reader, namespace string, q *kvrwset.RangeQueryInfo) (same bool, err error) {
	base := stateKey(namespace, "")
	opts := &pebble.IterOptions{LowerBound: stateKey(namespace, q.StartKey), UpperBound: store.After(base)}
	if q.EndKey != "" {
		opts.UpperBound = stateKey(namespace, q.EndKey)
		if !q.ItrExhausted { // the reader stopped there, and has seen that key
			opts.UpperBound = append(opts.UpperBound, 0)
		}
	}
	it, err := r.NewIter(opts)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	reads := q.GetRawReads().GetKvReads()
	ok := it.First()
	for ; ok && len(reads) > 0; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return false, err
		}
		v, err := parseVersion(value)
		if err != nil {
			return false, err
		}
		if !bytes.Equal(it.Key(), stateKey(namespace, reads[0].Key)) || reads[0].Version == nil || !v.is(reads[0].Version) {
			return false, nil
		}
		reads = reads[1:]
	}
	return !ok && len(reads) == 0, it.Error()
}
