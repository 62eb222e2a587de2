package contract

import (
	"iter"
	"slices"
	"strings"
)

// DecideEach decides several transactions that are written as one, in turn, each on the state that those before it leave. Its
// effects are those of all; outcomes has one list a transaction. It fails like [Decide].
func DecideEach(state State, txs []Tx) (Effects, [][]Outcome, error) {
	l := &layer{under: state, read: map[string][]byte{}, written: map[string][]byte{}}
	outcomes := make([][]Outcome, len(txs))
	for i, tx := range txs {
		effects, what, err := Decide(l, tx)
		if err != nil {
			return nil, nil, err
		}
		for _, kv := range effects {
			l.written[kv.Key] = kv.Value
		}
		outcomes[i] = what
	}
	return l.effects(""), outcomes, nil
}

// layer is a state with writes on top. It reads each key of the state below once.
type layer struct {
	under   State
	read    map[string][]byte
	written map[string][]byte // nil: deleted
}

// Get implements State.
func (l *layer) Get(key string) ([]byte, error) {
	if value, ok := l.written[key]; ok {
		return value, nil
	}
	if value, ok := l.read[key]; ok {
		return value, nil
	}
	value, err := l.under.Get(key)
	if err == nil {
		l.read[key] = value
	}
	return value, err
}

// Range implements State.
func (l *layer) Range(prefix string) iter.Seq2[KV, error] {
	return func(yield func(KV, error) bool) {
		own := l.effects(prefix)
		upTo := func(key string) bool { // yields what is written at keys up to one
			for len(own) > 0 && own[0].Key <= key {
				kv := own[0]
				own = own[1:]
				if kv.Value != nil && !yield(kv, nil) {
					return false
				}
			}
			return true
		}
		for kv, err := range l.under.Range(prefix) {
			if err != nil {
				yield(kv, err)
				return
			}
			if !upTo(kv.Key) {
				return
			}
			if _, replaced := l.written[kv.Key]; !replaced && !yield(kv, nil) {
				return
			}
		}
		for _, kv := range own {
			if kv.Value != nil && !yield(kv, nil) {
				return
			}
		}
	}
}

// effects are the writes at keys that begin with prefix.
func (l *layer) effects(prefix string) (effects Effects) {
	keys := make([]string, 0, len(l.written))
	for key := range l.written { // sorted below
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if strings.HasPrefix(key, prefix) {
			effects = append(effects, KV{key, l.written[key]})
		}
	}
	return effects
}
