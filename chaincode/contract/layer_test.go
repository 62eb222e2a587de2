package contract

import (
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type fixed map[string]string

func (f fixed) Get(key string) ([]byte, error) { return []byte(f[key]), nil }

func (f fixed) Range(prefix string) iter.Seq2[KV, error] {
	return func(yield func(KV, error) bool) {
		var keys []string
		for key := range f {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			if strings.HasPrefix(key, prefix) && !yield(KV{key, []byte(f[key])}, nil) {
				return
			}
		}
	}
}

// TestLayerRange: what was written before, between, over and after what is there comes in its place, and only under the prefix.
func TestLayerRange(t *testing.T) {
	l := &layer{under: fixed{"a/2": "old", "a/4": "old", "a/6": "old", "b/1": "old"}, written: map[string][]byte{
		"a/1": []byte("new"), "a/2": []byte("new"), "a/3": nil, "a/4": nil, "a/5": []byte("new"), "a/7": []byte("new"), "b/0": []byte("new")}}
	read := func(most int) (got []string) {
		for kv, err := range l.Range("a/") {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, kv.Key+" "+string(kv.Value)); len(got) == most {
				break
			}
		}
		return got
	}
	want := []string{"a/1 new", "a/2 new", "a/5 new", "a/6 old", "a/7 new"}
	for most := 1; most <= len(want); most++ {
		if diff := cmp.Diff(want[:most], read(most)); diff != "" {
			t.Error(diff)
		}
	}
}
