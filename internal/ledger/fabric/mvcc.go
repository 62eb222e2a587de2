package fabric

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

// conflict says whether something that a transaction read has been written since: an *invalid, with the key. Written has the
// keys that transactions before it in the block wrote: those are conflicts whatever their versions.
func (r *replica) conflict(batch *pebble.Batch, tx *transaction, written map[string]bool) (key string, err error) {
	for _, s := range tx.sets {
		for _, read := range s.public.Reads {
			if same, err := r.unchanged(stateKey(s.namespace, read.Key), read.Version, written); !same {
				return conflicts(s.namespace, read.Key, peer.TxValidationCode_MVCC_READ_CONFLICT, err)
			}
		}
		for _, q := range s.public.RangeQueriesInfo {
			if q.GetReadsMerkleHashes() != nil {
				return "", errors.New("it read a range of keys that only a hash tells of, which the contract does not do")
			}
			if same, err := rangeIs(batch, s.namespace, q); !same {
				return conflicts(s.namespace, q.StartKey, peer.TxValidationCode_PHANTOM_READ_CONFLICT, err)
			}
		}
		for _, c := range s.collections {
			for _, read := range c.set.HashedReads {
				if same, err := r.unchanged(hashedKey(s.namespace, c.name, read.KeyHash), read.Version, written); !same {
					return conflicts(s.namespace, c.name, peer.TxValidationCode_MVCC_READ_CONFLICT, err)
				}
			}
		}
	}
	return "", nil
}

func conflicts(namespace, key string, code peer.TxValidationCode, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return key, because(code, fmt.Errorf("%s of %s was written after it was read", key, namespace))
}

func (r *replica) unchanged(key []byte, read *kvrwset.Version, written map[string]bool) (bool, error) {
	if written[string(key)] {
		return false, nil
	}
	now, err := readVersion(r.db, key)
	if err != nil {
		return false, err
	}
	if now == nil || read == nil {
		return now == nil && read == nil, nil
	}
	return now.is(read), nil
}

// What a transaction does with a key. Peers add these up as it is named in its sets, so that a key that is written twice has the
// sum, which means something else.
const (
	doesWrite uint8 = 1 << iota
	setsPolicy
	dropsPolicy
	doesDelete
)

// operation is what a transaction does with one key in the end.
type operation struct {
	key   []byte
	does  uint8
	value []byte
}

// operations takes what a transaction writes together, by key, as peers do.
func (tx *transaction) operations() (all []*operation) {
	known := map[string]*operation{}
	at := func(key []byte) *operation {
		o, ok := known[string(key)]
		if !ok {
			o = &operation{key: key}
			known[string(key)] = o
			all = append(all, o)
		}
		return o
	}
	write := func(key, value []byte, remove bool) {
		if o := at(key); remove {
			o.does += doesDelete
		} else {
			o.does, o.value = o.does+doesWrite, value
		}
	}
	policy := func(key []byte, entries []*kvrwset.KVMetadataEntry) {
		if o := at(key); entries == nil {
			o.does += dropsPolicy
		} else {
			o.does += setsPolicy
		}
	}
	for _, s := range tx.sets {
		for _, w := range s.public.Writes {
			// Fabric deletes a key to which an empty value is written.
			write(stateKey(s.namespace, w.Key), w.Value, w.IsDelete || len(w.Value) == 0)
		}
		for _, w := range s.public.MetadataWrites {
			policy(stateKey(s.namespace, w.Key), w.Entries)
		}
		for _, c := range s.collections {
			for _, w := range c.set.HashedWrites {
				key, value := hashedKey(s.namespace, c.name, w.KeyHash), []byte(nil)
				if c.name == "" {
					key, value = stateKey(s.namespace, string(w.KeyHash)), w.ValueHash
				}
				write(key, value, w.IsDelete || len(w.ValueHash) == 0 || bytes.Equal(w.ValueHash, hashOfNothing[:]))
			}
			for _, w := range c.set.MetadataWrites {
				key := hashedKey(s.namespace, c.name, w.KeyHash)
				if c.name == "" {
					key = stateKey(s.namespace, string(w.KeyHash))
				}
				policy(key, w.Entries)
			}
		}
	}
	return all
}

var hashOfNothing = sha256.Sum256(nil)

// write adds a valid transaction's writes to the block's batch.
func (r *replica) write(batch *pebble.Batch, tx *transaction, at version, written map[string]bool) error {
	for _, o := range tx.operations() {
		value := o.value
		switch {
		case o.does&doesDelete != 0:
			written[string(o.key)] = true
			if err := batch.Delete(o.key, nil); err != nil {
				return err
			}
			continue
		case o.does&doesWrite != 0 && o.does&(setsPolicy|dropsPolicy) != 0, o.does|doesWrite == doesWrite:
		default: // its policy alone: it has a new version, if it is there
			before, err := r.latest(batch, o.key)
			if err != nil {
				return err
			}
			if len(before) < versionLen {
				continue
			}
			value = before[versionLen:]
		}
		written[string(o.key)] = true
		if err := batch.Set(o.key, append(at.append(nil), value...), nil); err != nil {
			return err
		}
	}
	for key := range tx.ownPolicies() {
		if err := batch.Set([]byte(key), nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// latest is a key's value as peers find it when its policy is set: one that was deleted in the same block is as it was before that.
func (r *replica) latest(batch *pebble.Batch, key []byte) ([]byte, error) {
	value, err := store.Get(batch, key)
	if value != nil || err != nil {
		return value, err
	}
	return store.Get(r.db, key)
}

// ownPolicies returns the ownKey of each place where the transaction sets endorsement policies of single keys.
func (tx *transaction) ownPolicies() map[string]bool {
	all := map[string]bool{}
	for _, s := range tx.sets {
		if len(s.public.MetadataWrites) > 0 {
			all[string(ownKey(s.namespace, ""))] = true
		}
		for _, c := range s.collections {
			if len(c.set.MetadataWrites) > 0 {
				all[string(ownKey(s.namespace, c.name))] = true
			}
		}
	}
	return all
}

// underOwnPolicies says whether the transaction writes where keys may have endorsement policies of their own. Block has the places
// where a transaction of the same block sets some.
func (tx *transaction) underOwnPolicies(before pebble.Reader, block map[string]bool) (bool, error) {
	for _, s := range tx.sets {
		places := []string{}
		if len(s.public.Writes)+len(s.public.MetadataWrites) > 0 {
			places = append(places, "")
		}
		for _, c := range s.collections {
			if c.writes() {
				places = append(places, c.name)
			}
		}
		for _, place := range places {
			key := ownKey(s.namespace, place)
			if block[string(key)] {
				return true, nil
			}
			if there, err := store.Get(before, key); there != nil || err != nil {
				return true, err
			}
		}
	}
	return false, nil
}
