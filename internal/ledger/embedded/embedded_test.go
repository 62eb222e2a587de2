package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		crashChild(dir)
	}
	goleak.VerifyTestMain(m)
}

// count is a contract for tests: each hold record adds one to the counter named by its item, and says the new number. An
// item "sum/PREFIX" gets the sum of the counters with that prefix instead. So a lost update or a stale read shows.
func count(s contract.State, tx contract.Tx) (contract.Effects, []contract.Outcome, error) {
	counters := map[string]int{}
	var effects contract.Effects
	var outcomes []contract.Outcome
	for _, r := range tx.Batch.Records {
		key := r.Hold.Item
		if prefix, ok := strings.CutPrefix(key, "sum/"); ok {
			counters[key] = 0
			for kv, err := range s.Range(prefix) {
				if err != nil {
					return nil, nil, err
				}
				n, _ := strconv.Atoi(string(kv.Value))
				counters[key] += n
			}
		} else {
			if _, ok := counters[key]; !ok {
				v, err := s.Get(key)
				if err != nil {
					return nil, nil, err
				}
				counters[key], _ = strconv.Atoi(string(v))
			}
			counters[key]++
		}
		outcomes = append(outcomes, contract.Outcome{ID: fmt.Sprintf("%s=%d", key, counters[key]), Status: contract.Accepted})
	}
	for _, key := range sortedKeys(counters) {
		effects = append(effects, contract.KV{Key: key, Value: []byte(strconv.Itoa(counters[key]))})
	}
	return effects, outcomes, nil
}

func holds(items ...string) *contract.Batch {
	b := &contract.Batch{}
	for _, item := range items {
		b.Records = append(b.Records, contract.Record{Hold: &contract.Hold{Item: item, Scope: contract.ScopeLot}})
	}
	return b
}

// testLedger opens a ledger with the counting contract; the test ends with it closed.
func testLedger(t testing.TB, opts Options) *Ledger {
	t.Helper()
	opts.decide = count
	l, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func testSigner(t testing.TB, dir, msp string) ledger.Signer {
	t.Helper()
	by, err := identity.Open(dir, nil).Ensure(msp, "tester")
	if err != nil {
		t.Fatal(err)
	}
	return by
}

func submit(t testing.TB, l *Ledger, by ledger.Signer, items ...string) ledger.Receipt {
	t.Helper()
	r, err := l.Submit(context.Background(), by, holds(items...))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSubmitAndReopen(t *testing.T) {
	dir := t.TempDir()
	by := testSigner(t, dir, "Farm")
	l := testLedger(t, Options{Dir: dir})
	var want []string
	for i := range 20 {
		r := submit(t, l, by, "a", "b")
		want = append(want, r.TxID)
		if got := fmt.Sprintf("a=%d", i+1); r.Outcomes[0].ID != got {
			t.Fatalf("outcome %q, want %q", r.Outcomes[0].ID, got)
		}
	}
	for _, lose := range []string{"", "state"} {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if lose != "" {
			if err := os.RemoveAll(filepath.Join(dir, lose)); err != nil {
				t.Fatal(err)
			}
		}
		l = testLedger(t, Options{Dir: dir})
		for i, id := range want {
			r, err := l.Receipt(context.Background(), id)
			if err != nil || r.Block != uint64(i) || r.Outcomes[0].ID != fmt.Sprintf("a=%d", i+1) {
				t.Fatalf("receipt %d: %+v, %v", i, r, err)
			}
		}
		n := 0
		for b, err := range l.Blocks(context.Background(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			if b.Height != uint64(n) || b.Txs[0].ID != want[n] || b.Txs[0].Actor.MSP != "Farm" || b.Txs[0].Actor.Subject != "tester" {
				t.Fatalf("block %d: %+v", n, b)
			}
			if n++; n == len(want) {
				break
			}
		}
	}
}

// TestConcurrentCounters has many submitters count on few counters: no number may be given twice or left out.
func TestConcurrentCounters(t *testing.T) {
	dir := t.TempDir()
	by := testSigner(t, dir, "Farm")
	l := testLedger(t, Options{Dir: dir})
	const workers, each = 16, 40
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range each {
				r, err := l.Submit(context.Background(), by, holds(fmt.Sprintf("n/%d", i%3), "sum/n/"))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if seen[r.Outcomes[0].ID] {
					t.Errorf("%s was given twice", r.Outcomes[0].ID)
				}
				seen[r.Outcomes[0].ID] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	r := submit(t, l, by, "sum/n/")
	if want := fmt.Sprintf("sum/n/=%d", workers*each); r.Outcomes[0].ID != want {
		t.Errorf("%s, want %s", r.Outcomes[0].ID, want)
	}
	if len(seen) != workers*each {
		t.Errorf("%d numbers, want %d", len(seen), workers*each)
	}
	if l.Metrics.Conflicts.Load() == 0 {
		t.Error("no conflict was met: the test shows nothing")
	}
}

// TestRangeConflict: a sum over a prefix is stale when a key with that prefix appears that was not there.
func TestRangeConflict(t *testing.T) {
	w := newWindow(5)
	w.add(5, contract.Effects{{Key: "a/1"}, {Key: "a/5"}, {Key: "b"}})
	for _, c := range []struct {
		reads  readSet
		height uint64
		want   bool
	}{
		{readSet{keys: []string{"a/5"}}, 5, true},
		{readSet{keys: []string{"a/5"}}, 6, false},
		{readSet{keys: []string{"a/2"}}, 5, false},
		{readSet{keys: []string{"a/2"}}, 4, true}, // older than the window knows
		{readSet{ranges: []span{{prefix: "a/"}}}, 5, true},
		{readSet{ranges: []span{{prefix: "a/2"}}}, 5, false},
		{readSet{ranges: []span{{prefix: "a/", last: "a/0"}}}, 5, false},
		{readSet{ranges: []span{{prefix: "a/", last: "a/1"}}}, 5, true},
		{readSet{ranges: []span{{prefix: ""}}}, 5, true},
		{readSet{ranges: []span{{prefix: "c"}}}, 5, false},
		{readSet{ranges: []span{{prefix: "a/"}}}, 6, false},
	} {
		if got := w.stale(&c.reads, c.height); got != c.want {
			t.Errorf("%+v as of %d: stale %t, want %t", c.reads, c.height, got, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	by := testSigner(t, dir, "Farm")
	l := testLedger(t, Options{Dir: dir})
	stranger := testSigner(t, other, "Stranger")
	impostor := testSigner(t, other, "Farm")
	wrongKey := by
	wrongKey.Key = impostor.Key
	for name, signer := range map[string]ledger.Signer{"unknown member": stranger, "foreign authority": impostor, "key of another": wrongKey, "no key": {MSP: "Farm", Cert: by.Cert}, "path as name": {MSP: "../trust/Farm", Cert: by.Cert, Key: by.Key}} {
		if _, err := l.Submit(context.Background(), signer, holds("a")); !errors.Is(err, ledger.ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", name, err)
		}
	}
	if h, _ := l.Height(context.Background()); h != 0 {
		t.Errorf("height %d after refusals", h)
	}
	// A member added while the ledger runs is known at once.
	submit(t, l, testSigner(t, dir, "Late"), "a")
}

func TestReplayedSubmission(t *testing.T) {
	dir := t.TempDir()
	by := testSigner(t, dir, "Farm")
	l := testLedger(t, Options{Dir: dir})
	encoded, err := holds("a").Encode()
	if err != nil {
		t.Fatal(err)
	}
	sub, err := sign(by, encoded)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		p := &pending{sub: sub, batch: holds("a"), result: make(chan result, 1)}
		l.slots <- struct{}{}
		if err := l.executeOnSnapshot(context.Background(), p); err != nil {
			t.Fatal(err)
		}
		_, err := l.order(context.Background(), p)
		if want := i > 0; errors.Is(err, ledger.ErrRefused) != want {
			t.Errorf("time %d: %v", i+1, err)
		}
	}
}

func TestClosed(t *testing.T) {
	dir := t.TempDir()
	by := testSigner(t, dir, "Farm")
	l := testLedger(t, Options{Dir: dir})
	submit(t, l, by, "a")
	if _, err := Open(Options{Dir: dir, decide: count}); err == nil {
		t.Fatal("opened twice")
	}
	ended := make(chan error)
	go func() {
		for _, err := range l.Blocks(context.Background(), 0) {
			if err != nil {
				ended <- err
			}
		}
		close(ended)
	}()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("follower: %v", err)
	}
	<-ended
	if _, err := l.Submit(context.Background(), by, holds("a")); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("submit: %v", err)
	}
	if err := l.View(context.Background(), func(contract.State) error { return nil }); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("view: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

// TestClock: time never goes back, not even over a restart, and a block is not older than its transactions.
func TestClock(t *testing.T) {
	dir := t.TempDir()
	by := testSigner(t, dir, "Farm")
	now := time.Now()
	clock := func() time.Time { now = now.Add(-time.Second); return now }
	for range 2 {
		l := testLedger(t, Options{Dir: dir, Clock: clock})
		submit(t, l, by, "a")
		submit(t, l, by, "a")
		l.Close()
	}
	l := testLedger(t, Options{Dir: dir})
	var last time.Time
	for b, err := range l.Blocks(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if b.Time.Before(last) || b.Txs[0].Time.After(b.Time.Time) {
			t.Errorf("block %d at %v, transaction at %v, block before at %v", b.Height, b.Time, b.Txs[0].Time, last)
		}
		if last = b.Time.Time; b.Height == 3 {
			break
		}
	}
}
