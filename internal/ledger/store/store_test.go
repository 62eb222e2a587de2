package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

func open(t *testing.T) *pebble.DB {
	t.Helper()
	db, err := store.Open(t.TempDir(), store.MemTable, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// TestBlock: a block's batch changes state, places and position together.
func TestBlock(t *testing.T) {
	db := open(t)
	id, at := sha256.Sum256([]byte("tx")), store.Place{Height: 7, Index: 3}
	if _, ok, err := store.ReadPosition(db); ok || err != nil {
		t.Errorf("an empty store has a position: %t, %v", ok, err)
	}
	apply := func(p store.Position, effects ...contract.KV) {
		t.Helper()
		b := db.NewBatch()
		if err := errors.Join(store.ApplyTx(b, id, at, effects), store.SetPosition(b, p), b.Commit(pebble.NoSync)); err != nil {
			t.Fatal(err)
		}
	}
	apply(store.Position{Height: 8, Hash: id}, contract.KV{Key: "a", Value: []byte("1")}, contract.KV{Key: "b", Value: []byte("2")})
	snap := db.NewSnapshot()
	defer snap.Close()
	apply(store.Position{Height: 9}, contract.KV{Key: "a"}, contract.KV{Key: "b", Value: []byte("3")})
	for r, want := range map[pebble.Reader][3]string{snap: {"8", "1", "2"}, db: {"9", "", "3"}} {
		p, ok, err := store.ReadPosition(r)
		view := store.NewView(t.Context(), r, "", 0)
		a, errA := view.Get("a")
		b, errB := view.Get("b")
		if got := [3]string{fmt.Sprint(p.Height), string(a), string(b)}; !ok || got != want || errors.Join(err, errA, errB) != nil {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if found, ok, err := store.FindTx(db, id); !ok || err != nil || found != at {
		t.Errorf("%+v, %t, %v", found, ok, err)
	}
	if _, ok, err := store.FindTx(db, sha256.Sum256(nil)); ok || err != nil {
		t.Errorf("a transaction that is not there: %t, %v", ok, err)
	}
}

// TestView: a view sees the keys of its namespace, without the ledger's own part of their values.
func TestView(t *testing.T) {
	db := open(t)
	set := func(key, value string) {
		t.Helper()
		if err := db.Set([]byte(string(rune(store.KeyState))+key), []byte(value), pebble.NoSync); err != nil {
			t.Fatal(err)
		}
	}
	set("ns\x00a/1", "V-one")
	set("ns\x00a/2", "V-two")
	set("ns\x00b", "V-three")
	set("nt\x00a/3", "V-four")
	view := store.NewView(t.Context(), db, "ns\x00", 2)
	read := func(prefix string) (all []string) {
		t.Helper()
		for kv, err := range view.Range(prefix) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, kv.Key+"="+string(kv.Value))
		}
		return all
	}
	if got := read("a/"); !slices.Equal(got, []string{"a/1=one", "a/2=two"}) {
		t.Error(got)
	}
	if got := read(""); !slices.Equal(got, []string{"a/1=one", "a/2=two", "b=three"}) {
		t.Error(got)
	}
	if v, err := view.Get("b"); string(v) != "three" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	if v, err := view.Get("a/3"); v != nil || err != nil {
		t.Errorf("%q, %v: a key of another namespace", v, err)
	}
	set("ns\x00short", "V")
	if _, err := view.Get("short"); err == nil {
		t.Error("a value without the ledger's part: no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ended := store.NewView(ctx, db, "ns\x00", 2)
	if _, err := ended.Get("b"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for _, err := range ended.Range("a/") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
}

// TestRecent: the newest blocks are kept, without a gap, within the bound, and the newest one whatever its size.
func TestRecent(t *testing.T) {
	var r store.Recent
	if r.Oldest() != nil || r.Get(0) != nil {
		t.Error("something in nothing")
	}
	block := func(height uint64, records int) *ledger.Block {
		return &ledger.Block{Height: height, Txs: []ledger.Tx{{Batch: &contract.Batch{Records: make([]contract.Record, records)}}}}
	}
	for h := range uint64(10) {
		r.Add(block(100+h, store.RecentRecords/4))
	}
	if r.Oldest().Height != 106 || r.Get(105) != nil || r.Get(106).Height != 106 || r.Get(109).Height != 109 {
		t.Errorf("the oldest is %d", r.Oldest().Height)
	}
	r.Add(block(110, 2*store.RecentRecords))
	if r.Oldest().Height != 110 || r.Get(109) != nil {
		t.Errorf("the oldest is %d", r.Oldest().Height)
	}
}
