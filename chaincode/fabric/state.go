package fabric

import (
	"fmt"
	"iter"
	"unicode/utf8"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// state is the world state as the peer serves it. The contract reads and writes each key at most once in a transaction, so
// nothing is kept here.
type state struct{ stub shim.ChaincodeStubInterface }

// Get implements contract.State: one round trip to the peer.
func (s state) Get(key string) ([]byte, error) {
	value, err := s.stub.GetState(key)
	if err != nil || len(value) == 0 { // a message does not tell an absent value from an empty one; the contract writes none
		return nil, err
	}
	return value, nil
}

// Range implements contract.State.
func (s state) Range(prefix string) iter.Seq2[contract.KV, error] {
	return func(yield func(contract.KV, error) bool) {
		found, err := s.stub.GetStateByRange(prefix, after(prefix))
		if err != nil {
			yield(contract.KV{}, err)
			return
		}
		defer found.Close()
		for found.HasNext() {
			kv, err := found.Next()
			if err != nil {
				yield(contract.KV{}, err)
				return
			}
			if !yield(contract.KV{Key: kv.Key, Value: kv.Value}, nil) {
				return
			}
		}
	}
}

// after is the first key beyond all those that begin with prefix, "" for no such key: the prefix with its last character one
// higher. A peer takes only keys in UTF-8, so it cannot be a byte one higher.
func after(prefix string) string {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch {
		case last == utf8.MaxRune:
			continue // carried to the character before
		case last == 0xD7FF: // the next code points are no characters
			return prefix + "\uE000"
		}
		return prefix + string(last+1)
	}
	return ""
}

// write hands the effects over in order. Each is a round trip, unless the peer offered to take them together.
func write(stub shim.ChaincodeStubInterface, effects contract.Effects) error {
	stub.StartWriteBatch()
	for _, kv := range effects {
		var err error
		if kv.Value == nil {
			err = stub.DelState(kv.Key)
		} else {
			err = stub.PutState(kv.Key, kv.Value)
		}
		if err != nil {
			return fmt.Errorf("writing %q: %w", kv.Key, err)
		}
	}
	return nil
}
