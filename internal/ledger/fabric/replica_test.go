package fabric

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go/peer"

	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

// crashDir is the environment variable that makes a test process the child that is killed.
const crashDir = "FOODTRACE_TEST_REPLICA"

// TestReplicaCrash kills a process again and again that applies blocks as fast as it can. What is found afterwards is the state
// as of the height that stands with it.
func TestReplicaCrash(t *testing.T) {
	if dir := os.Getenv(crashDir); dir != "" {
		crashChild(t, dir)
		return
	}
	dir := t.TempDir()
	var last uint64
	for range 6 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestReplicaCrash$")
		child.Env = append(os.Environ(), crashDir+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err == nil {
			err = child.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(out); lines.Scan() && !strings.HasPrefix(lines.Text(), "applied"); {
		}
		time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond)
		child.Process.Signal(syscall.SIGKILL)
		child.Wait()
		cancel()
		last = checkCrashed(t, dir, last)
	}
	if last == 0 {
		t.Error("no process lived long enough for a block to last")
	}
}

// crashKey is written by each block, with its height.
const crashKey = "height"

func crashChild(t *testing.T, dir string) {
	genesis := crashBlock(0)
	r, err := openReplica(dir, testConfig, genesis, discard)
	if err != nil {
		t.Fatal(err)
	}
	filler := make([]byte, 256<<10)
	for first := r.pos.Height; ; {
		b := crashBlock(r.pos.Height)
		v := &verified{block: b, hash: headerHash(b.Header), batch: r.db.NewIndexedBatch()}
		v.record = record{hash: v.hash, codes: []byte{0}}
		if b.Header.Number == 0 {
			v.config = &common.Config{ChannelGroup: &common.ConfigGroup{}}
		}
		tx := &transaction{sets: []namespaceSet{{namespace: testChaincode, public: &kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{
			{Key: crashKey, Value: binary.BigEndian.AppendUint64(nil, b.Header.Number)},
			{Key: fmt.Sprint("filler ", b.Header.Number%8), Value: filler},
		}}}}}
		err := errors.Join(r.write(v.batch, tx, version{Height: b.Header.Number}, map[string]bool{}), r.apply(v))
		if err != nil {
			t.Fatal(err)
		}
		if r.pos.Height == first+200 { // the store has been written to disk by now
			fmt.Println("applied")
		}
	}
}

func crashBlock(height uint64) *common.Block {
	return &common.Block{Header: &common.BlockHeader{Number: height}}
}

func checkCrashed(t *testing.T, dir string, before uint64) uint64 {
	t.Helper()
	r, err := openReplica(dir, testConfig, crashBlock(0), discard)
	if err != nil {
		t.Fatal(err)
	}
	defer r.db.Close()
	if r.pos.Height < before {
		t.Errorf("height %d, and %d after an earlier crash", r.pos.Height, before)
	}
	if r.pos.Height == 0 {
		return 0
	}
	value, err := view(t.Context(), r.db, testChaincode).Get(crashKey)
	if err != nil || len(value) != 8 || binary.BigEndian.Uint64(value) != r.pos.Height-1 {
		t.Errorf("the state is as of block %x (%v), the height %d", value, err, r.pos.Height)
	}
	if r.last.hash != r.pos.Hash || r.pos.Hash != headerHash(crashBlock(r.pos.Height-1).Header) {
		t.Errorf("the last block's record does not belong to height %d", r.pos.Height)
	}
	return r.pos.Height
}

// TestUnusableReplicas: a replica is not continued with another first block; one that is damaged, or of another format, begins anew.
func TestUnusableReplicas(t *testing.T) {
	c, other := newChain(t, members()...), newChain(t, members()...)
	dir := t.TempDir()
	if err := errors.Join(c.replica.db.Flush(), c.replica.db.Checkpoint(dir+"/copy")); err != nil {
		t.Fatal(err)
	}
	if _, err := openReplica(dir+"/copy", testConfig, other.genesis, discard); !errors.Is(err, errForeign) {
		t.Errorf("%v", err)
	}
	for name, spoil := range map[string]func(*pebble.DB) error{
		"a block's record":  func(db *pebble.DB) error { return db.Set(blockKey(1), []byte("x"), pebble.NoSync) },
		"the configuration": func(db *pebble.DB) error { return db.Set([]byte{keyConfig}, []byte("x"), pebble.NoSync) },
		"no position":       func(db *pebble.DB) error { return db.Delete([]byte{'p'}, pebble.NoSync) },
	} {
		dir := t.TempDir()
		if err := c.replica.db.Checkpoint(dir + "/copy"); err != nil {
			t.Fatal(err)
		}
		db, err := store.Open(dir+"/copy", store.MemTable, discard)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(spoil(db), db.Flush(), db.Close()); err != nil {
			t.Fatal(err)
		}
		r, err := openReplica(dir+"/copy", testConfig, c.genesis, discard)
		if err != nil || r.pos.Height != 0 || r.conf != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r.db.Close()
	}
}

// FuzzBlock: whatever a peer sends in the place of a block, it is not believed, unless it is that block.
func FuzzBlock(f *testing.F) {
	c := newChain(f, members()...)
	right := c.block(c.envelope(&draft{}), c.envelope(&draft{endorsers: []*account{}}))
	flag(right, 1, 10)
	f.Add(encode(right))
	f.Add(encode(c.block(c.configTx(&common.Config{Sequence: 1, ChannelGroup: c.group(members())}))))
	want := headerHash(right.Header)
	f.Fuzz(func(t *testing.T, data []byte) {
		var b common.Block
		if unmarshal(data, &b) != nil {
			return
		}
		v, err := c.replica.verify(&b)
		var wrong *BlockError
		if err != nil && !errors.As(err, &wrong) {
			t.Fatal(err)
		}
		if err == nil {
			if v.config == nil && v.hash != want {
				t.Errorf("block %x is believed", v.hash)
			}
			v.close()
		}
	})
}

// FuzzTransaction: whatever stands where a transaction should, it is taken apart without a panic.
func FuzzTransaction(f *testing.F) {
	c := newChain(f, members()...)
	f.Add(c.envelope(&draft{}))
	f.Add(c.configTx(c.config))
	f.Fuzz(func(t *testing.T, data []byte) {
		tx, err := parseTx(data)
		if err == nil && tx.kind == common.HeaderType_ENDORSER_TRANSACTION {
			_ = c.replica.conf.checkEndorsement(c.replica.db, tx)
			_, _ = tx.ledgerTxs()
		}
	})
}

// TestFlushNowhere: closing a replica whose directory is gone ends.
func TestFlushNowhere(t *testing.T) {
	dir := t.TempDir()
	r, err := openReplica(dir+"/replica", testConfig, crashBlock(0), discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.RemoveAll(dir+"/replica"), r.db.Set([]byte("key"), nil, pebble.NoSync)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		err := r.flush()
		_ = r.db.Close()
		ended <- err
	}()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it was written nowhere, without an error")
		}
	case <-time.After(4 * flushPatience):
		t.Fatal("it does not end")
	}
}

// TestAnswers: who waits for a transaction hears of the valid one, whatever else is sent under its ID, and that there will be none.
func TestAnswers(t *testing.T) {
	c := newChain(t, members()...)
	l := &Ledger{opts: Options{Config: testConfig, Log: discard}, replica: c.replica, waiting: map[string]chan<- fate{}, newBlock: make(chan struct{})}
	wait := func(d *draft) chan fate {
		result := make(chan fate, 1)
		l.waiting[d.id] = result
		return result
	}
	accept := func(b *common.Block) {
		t.Helper()
		if err := l.accept(b); err != nil {
			t.Fatal(err)
		}
	}
	hears := func(result chan fate, want peer.TxValidationCode) {
		t.Helper()
		select {
		case f := <-result:
			if f.code != want {
				t.Errorf("%s, want %s", f.code, want)
			}
		default:
			t.Errorf("nothing is heard, want %s", want)
		}
	}
	d := &draft{nonce: []byte("first")}
	right := c.envelope(d)
	result := wait(d)
	stolen := c.envelope(&draft{id: d.id})
	accept(flag(c.block(stolen, right), 0, peer.TxValidationCode_BAD_PROPOSAL_TXID))
	hears(result, peer.TxValidationCode_VALID)

	d = &draft{nonce: []byte("second")}
	right = c.envelope(d)
	accept(flag(c.block(c.envelope(&draft{nonce: d.nonce, noID: true})), 0, peer.TxValidationCode_BAD_PROPOSAL_TXID))
	result = wait(d) // only now
	accept(flag(c.block(right), 0, peer.TxValidationCode_DUPLICATE_TXID))
	hears(result, peer.TxValidationCode_DUPLICATE_TXID)
}
