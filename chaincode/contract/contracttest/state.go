// Package contracttest has a world state in memory that behaves like a ledger's, and a bench to send transactions to it.
package contracttest

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// MemState is a world state in memory with the rules of Fabric's stub: reads see what was applied, never what is being
// decided; keys are not empty, valid UTF-8 and do not begin with U+0000; values are not empty.
type MemState struct {
	values map[string][]byte
	Gets   int // reads of keys so far
	Ranges int // ranges opened so far
	// Fail, when set, is what the read number Gets+Ranges gets instead of an answer.
	Fail func(read int) error
}

// NewState is an empty state.
func NewState() *MemState { return &MemState{values: map[string][]byte{}} }

// Get returns a copy, so that a caller who changes it harms nobody else and is found out.
func (s *MemState) Get(key string) ([]byte, error) {
	s.Gets++
	if err := s.fail(key); err != nil {
		return nil, err
	}
	return bytes.Clone(s.values[key]), nil
}

func (s *MemState) fail(key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if s.Fail != nil {
		return s.Fail(s.Gets + s.Ranges)
	}
	return nil
}

// Range iterates in byte order.
func (s *MemState) Range(prefix string) iter.Seq2[contract.KV, error] {
	s.Ranges++
	return func(yield func(contract.KV, error) bool) {
		if err := s.fail(prefix); err != nil {
			yield(contract.KV{}, err)
			return
		}
		for _, key := range slices.Sorted(maps.Keys(s.values)) {
			if strings.HasPrefix(key, prefix) && !yield(contract.KV{Key: key, Value: bytes.Clone(s.values[key])}, nil) {
				return
			}
		}
	}
}

func checkKey(key string) error {
	switch {
	case key == "":
		return errors.New("state: empty key")
	case !utf8.ValidString(key):
		return fmt.Errorf("state: key %q is not UTF-8", key)
	case key[0] == 0:
		return fmt.Errorf("state: key %q begins with U+0000", key)
	}
	return nil
}

// Apply makes the effects of a transaction part of the state. It fails on what a ledger would refuse: keys out of order or
// twice, bad keys, empty values.
func (s *MemState) Apply(effects contract.Effects) error {
	for i, kv := range effects {
		if err := checkKey(kv.Key); err != nil {
			return err
		}
		if i > 0 && kv.Key <= effects[i-1].Key {
			return fmt.Errorf("state: key %q after %q", kv.Key, effects[i-1].Key)
		}
		if kv.Value == nil {
			delete(s.values, kv.Key)
			continue
		}
		if len(kv.Value) == 0 {
			return fmt.Errorf("state: empty value of %q", kv.Key)
		}
		s.values[kv.Key] = bytes.Clone(kv.Value)
	}
	return nil
}

// Len is the number of keys.
func (s *MemState) Len() int { return len(s.values) }

// Clone is an independent copy without counts or faults. Its map has another layout, which must make no difference.
func (s *MemState) Clone() *MemState {
	c := NewState()
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(s.values))) {
		c.values[key] = bytes.Clone(s.values[key])
	}
	return c
}

// Dump is every key and value in order, for comparing states.
func (s *MemState) Dump() []contract.KV {
	all := make([]contract.KV, 0, len(s.values))
	for _, key := range slices.Sorted(maps.Keys(s.values)) {
		all = append(all, contract.KV{Key: key, Value: s.values[key]})
	}
	return all
}
