package sqlindex

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// Event hash IDs (CBV 2.0, section 8.9.2) are kept as their 32 bytes.
const (
	hashHead = "ni:///sha-256;"
	hashTail = "?ver=CBV2.0"
)

func packHash(id string) (hash []byte, hash8 int64, err error) {
	text, ok := strings.CutPrefix(id, hashHead)
	text, ok2 := strings.CutSuffix(text, hashTail)
	hash, err = hex.DecodeString(text)
	if !ok || !ok2 || err != nil || len(hash) != sha256.Size {
		return nil, 0, fmt.Errorf("index: %q is not an event hash", id)
	}
	return hash, int64(binary.BigEndian.Uint64(hash)), nil
}

func unpackHash(hash []byte) string { return hashHead + hex.EncodeToString(hash) + hashTail }

// digest8 is what a text is found by. Equal digests of different texts do no harm: the text is compared too.
func digest8(s string) int64 {
	sum := sha256.Sum256([]byte(s))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

// interner gives items their numbers, in the order in which records name them first.
type interner struct {
	known *lru.Cache[string, trace.ItemID] // over transactions
	here  map[string]trace.ItemID          // of this transaction
	last  trace.ItemID
	items *Insert
	graph *delta
}

// newInterner looks up at once what the blocks name and is not remembered.
func newInterner(ctx context.Context, d db, known *lru.Cache[string, trace.ItemID], blocks []*ledger.Block, graph *delta) (*interner, error) {
	n := &interner{known: known, graph: graph, here: map[string]trace.ItemID{}, items: insertInto("items", "id, key8, key, tx, pos, block")}
	if _, err := d.one(ctx, "SELECT coalesce(max(id), 0) FROM items", nil, &n.last); err != nil {
		return nil, err
	}
	var missing []int64
	for key := range keysOf(blocks) {
		if _, ok := n.here[key]; ok {
			continue
		}
		id, ok := known.Get(key)
		if !ok {
			missing = append(missing, digest8(key))
		}
		n.here[key] = id
	}
	if len(missing) == 0 || n.last == 0 {
		return n, nil
	}
	slices.Sort(missing)
	return n, d.each(ctx, "SELECT i.id, i.key FROM {ids} {each} items i ON i.key8 = j.value", []any{missing}, func(rows *sql.Rows) error {
		var id trace.ItemID
		var key string
		if err := rows.Scan(&id, &key); err != nil {
			return err
		}
		if _, named := n.here[key]; named {
			n.here[key] = id
			known.Add(key, id)
		}
		return nil
	})
}

// keysOf yields every item key that projecting the blocks will ask for.
func keysOf(blocks []*ledger.Block) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, b := range blocks {
			for i := range b.Txs {
				t := &b.Txs[i]
				for j := range min(len(t.Batch.Records), len(t.Outcomes)) {
					for _, key := range keysOfRecord(&t.Batch.Records[j], &t.Outcomes[j]) {
						if !yield(key) {
							return
						}
					}
				}
			}
		}
	}
}

func keysOfRecord(r *contract.Record, o *contract.Outcome) (keys []string) {
	switch {
	case o.Status == contract.Refused:
		return heldItems(o)
	case o.Status != contract.Accepted:
	case r.Event != nil:
		for _, it := range r.Event.Items() {
			keys = append(keys, it.Key)
		}
		for _, m := range r.Event.Memberships() {
			keys = append(keys, m.Lot)
		}
	case r.Inspection != nil:
		keys = []string{itemKey(r.Inspection.Item)}
	case r.Hold != nil:
		keys = []string{itemKey(r.Hold.Item)}
	}
	return keys
}

// itemKey is the canonical key of an item as an act names it; what cannot be read is its own key.
func itemKey(uri string) string {
	key, _ := gs1.Canonical(uri)
	return key
}

// id returns the number of a key and gives it one where it has none.
func (n *interner) id(key string, at place) trace.ItemID {
	if id := n.here[key]; id != 0 {
		return id
	}
	key = strings.Clone(key) // it may be part of a large document
	n.last++
	n.here[key] = n.last
	n.known.Add(key, n.last)
	n.graph.addKey(key)
	n.items.row(int64(n.last), digest8(key), key, at.tx, int64(at.pos), int64(at.block))
	return n.last
}

// heldItems are the items that a refused movement would have moved although they are held.
func heldItems(o *contract.Outcome) []string {
	items := []string{}
	for _, f := range o.Findings {
		if f.Code == contract.CodeLotHeld && f.Subject != "" {
			items = append(items, f.Subject)
		}
	}
	slices.Sort(items)
	return slices.Compact(items)
}
