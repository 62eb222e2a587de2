package fabric

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go/peer"
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
	return *now == versionOf(read), nil
}

// write adds a valid transaction's writes to the block's batch.
func write(batch *pebble.Batch, tx *transaction, at version, written map[string]bool) error {
	for _, s := range tx.sets {
		for _, w := range s.public.Writes {
			// Fabric deletes a key to which an empty value is written.
			if err := put(batch, stateKey(s.namespace, w.Key), w.Value, at, w.IsDelete || len(w.Value) == 0, written); err != nil {
				return err
			}
		}
		for _, c := range s.collections {
			for _, w := range c.set.HashedWrites {
				if err := put(batch, hashedKey(s.namespace, c.name, w.KeyHash), nil, at, w.IsDelete || w.IsPurge || len(w.ValueHash) == 0, written); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func put(batch *pebble.Batch, key, value []byte, at version, remove bool, written map[string]bool) error {
	written[string(key)] = true
	if remove {
		return batch.Delete(key, nil)
	}
	return batch.Set(key, append(at.append(nil), value...), nil)
}
