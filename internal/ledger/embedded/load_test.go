package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

// TestBackPressure: no more than maxInFlight submissions are worked on; the next waits for as long as its context lets it.
func TestBackPressure(t *testing.T) {
	dir := t.TempDir()
	by := testSigner(t, dir, "Farm")
	held := make(chan struct{})
	l, err := Open(Options{Dir: dir, decide: func(s contract.State, tx contract.Tx) (contract.Effects, []contract.Outcome, error) {
		<-held
		return count(s, tx)
	}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range maxInFlight {
		wg.Go(func() {
			if _, err := l.Submit(context.Background(), by, holds(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	for len(l.slots) < maxInFlight {
		runtime.Gosched()
	}
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error)
	go func() {
		_, err := l.Submit(ctx, by, holds("one too many"))
		failed <- err
	}()
	cancel()
	if err := <-failed; !errors.Is(err, ledger.ErrNotOrdered) || !errors.Is(err, context.Canceled) {
		t.Errorf("one too many: %v", err)
	}
	close(held)
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if sum := checkClean(t, dir); sum.Txs != maxInFlight {
		t.Errorf("%+v", sum)
	}
}

// slowFile waits in Sync.
type slowFile struct {
	logFile
	entered, leave chan struct{}
}

func (f slowFile) Sync() error {
	f.entered <- struct{}{}
	<-f.leave
	return f.logFile.Sync()
}

// TestGiveUpWhileOrdering: who no longer waits learns that it is not known, and finds the receipt later; Close waits for it.
func TestGiveUpWhileOrdering(t *testing.T) {
	dir := t.TempDir()
	by := testSigner(t, dir, "Farm")
	slow := slowFile{entered: make(chan struct{}), leave: make(chan struct{})}
	l := testLedger(t, Options{Dir: dir, openFile: func(path string) (logFile, error) {
		var err error
		slow.logFile, err = openFile(path)
		return slow, err
	}})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-slow.entered
		cancel()
	}()
	_, err := l.Submit(ctx, by, holds("a"))
	var unknown *ledger.UnknownError
	if !errors.As(err, &unknown) || !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want *UnknownError", err)
	}
	if _, err := l.Receipt(context.Background(), unknown.TxID); !errors.Is(err, ledger.ErrNoSuchTx) {
		t.Errorf("before it is final: %v", err)
	}
	slow.leave <- struct{}{}
	for range l.Blocks(context.Background(), 0) {
		break
	}
	if r, err := l.Receipt(context.Background(), unknown.TxID); err != nil || r.Outcomes[0].ID != "a=1" {
		t.Errorf("once it is final: %+v, %v", r, err)
	}
}

// TestBug: a batch on which the contract fails is refused; the ledger goes on.
func TestBug(t *testing.T) {
	dir := t.TempDir()
	by := testSigner(t, dir, "Farm")
	l, err := Open(Options{Dir: dir, decide: func(s contract.State, tx contract.Tx) (contract.Effects, []contract.Outcome, error) {
		switch tx.Batch.Records[0].Hold.Item {
		case "bug":
			panic("bug")
		case "error":
			return nil, nil, io.ErrUnexpectedEOF
		}
		return count(s, tx)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Submit(context.Background(), by, holds("bug")); !errors.Is(err, ledger.ErrRefused) {
		t.Errorf("a panic: %v", err)
	}
	if _, err := l.Submit(context.Background(), by, holds("error")); !errors.Is(err, ledger.ErrNotOrdered) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("an error: %v", err)
	}
	submit(t, l, by, "a")
}

// TestSlowFollower: who stops reading while more is written than is kept in memory still gets all of it.
func TestSlowFollower(t *testing.T) {
	const size, blocks = 1000, store.RecentRecords/1000 + 5
	dir := t.TempDir()
	by := testSigner(t, dir, "Farm")
	l := testLedger(t, Options{Dir: dir})
	items := slices.Repeat([]string{"a"}, size)
	submit(t, l, by, items...)
	n := 0
	for b, err := range l.Blocks(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			for range blocks - 1 {
				submit(t, l, by, items...)
			}
		}
		last := b.Txs[0].Outcomes[size-1].ID
		if b.Height != uint64(n) || last != fmt.Sprintf("a=%d", (n+1)*size) || b.Txs[0].Batch.Records[0].Hold.Item != "a" {
			t.Fatalf("block %d is %d, its last outcome %s", n, b.Height, last)
		}
		if n++; n == blocks {
			break
		}
	}
	if l.fromMemory(1) != nil || l.fromMemory(blocks-1) == nil {
		t.Error("everything came from memory: the test shows nothing")
	}
}

// FuzzBlock: whatever stands in a block, reading it does not panic, and what can be read has one form.
func FuzzBlock(f *testing.F) {
	dir := f.TempDir()
	by := testSigner(f, dir, "Farm")
	sub, err := sign(by, []byte("batch"))
	if err != nil {
		f.Fatal(err)
	}
	sb := &storedBlock{txs: []storedTx{{submission: sub, outcomes: []byte("outcomes")}}}
	f.Add(sb.append(nil))
	f.Add((&storedBlock{}).append(nil))
	f.Fuzz(func(t *testing.T, payload []byte) {
		sb, err := parseBlock(payload)
		if err != nil {
			return
		}
		if got := sb.append(nil); string(got) != string(payload) {
			t.Errorf("read %x, written %x", payload, got)
		}
	})
}
