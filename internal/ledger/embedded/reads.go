package embedded

import (
	"iter"
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// readSet is what one execution of the contract saw. It is still true when nothing in it was written since.
type readSet struct {
	keys   []string
	ranges []span
}

// span is a part of the key space that was read: the keys with a prefix, up to last if the reader stopped there.
type span struct {
	prefix string
	last   string // "" : to the end
}

func (s span) holds(key string) bool {
	return strings.HasPrefix(key, s.prefix) && (s.last == "" || key <= s.last)
}

// recorder notes what is read of a state.
type recorder struct {
	contract.State
	reads readSet
}

func (r *recorder) Get(key string) ([]byte, error) {
	r.reads.keys = append(r.reads.keys, key)
	return r.State.Get(key)
}

func (r *recorder) Range(prefix string) iter.Seq2[contract.KV, error] {
	return func(yield func(contract.KV, error) bool) {
		s := span{prefix: prefix}
		for kv, err := range r.State.Range(prefix) {
			if !yield(kv, err) {
				s.last = kv.Key
				break
			}
		}
		r.reads.ranges = append(r.reads.ranges, s)
	}
}

// windowKeys bounds the memory of window: about 10 MB. Whoever read before the oldest block in it is executed again, which is right
// whatever the bound; transactions are rarely more than a few blocks behind, and this is a score of blocks of 2,000 events.
const windowKeys = 1 << 16

// window knows what was written lately, to tell whether an execution is stale. Only the committer uses it.
type window struct {
	from   uint64            // it knows all writes of blocks from this height on
	latest map[string]uint64 // key → height of the last block that wrote it
	writes []write           // in order
	keys   int               // in writes
}

// write is what one transaction wrote. The values are not kept: they take more than the keys.
type write struct {
	height uint64
	keys   []string // ascending
}

func newWindow(height uint64) *window {
	return &window{from: height, latest: map[string]uint64{}}
}

func (w *window) add(height uint64, effects contract.Effects) {
	if len(effects) == 0 {
		return
	}
	keys := make([]string, len(effects))
	for i, kv := range effects {
		keys[i], w.latest[kv.Key] = kv.Key, height
	}
	w.writes = append(w.writes, write{height, keys})
	w.keys += len(keys)
}

// trim forgets the oldest blocks when there is too much.
func (w *window) trim() {
	n := 0
	for ; n < len(w.writes) && (w.keys > windowKeys || w.writes[n].height < w.from); n++ {
		old := w.writes[n]
		w.keys -= len(old.keys)
		w.from = old.height + 1
		for _, key := range old.keys {
			if w.latest[key] == old.height {
				delete(w.latest, key)
			}
		}
	}
	w.writes = slices.Delete(w.writes, 0, n)
}

// stale reports whether anything that was read as of a height (a number of blocks) has been written since.
func (w *window) stale(reads *readSet, height uint64) bool {
	if height < w.from {
		return true
	}
	for _, key := range reads.keys {
		if at, ok := w.latest[key]; ok && at >= height {
			return true
		}
	}
	for _, s := range reads.ranges {
		for i := len(w.writes) - 1; i >= 0 && w.writes[i].height >= height; i-- {
			if w.writes[i].touches(s) {
				return true
			}
		}
	}
	return false
}

func (w write) touches(s span) bool {
	i, _ := slices.BinarySearch(w.keys, s.prefix)
	return i < len(w.keys) && s.holds(w.keys[i])
}
