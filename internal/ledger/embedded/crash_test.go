package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// crashDir is set for the process that is to be killed; its value is the data directory.
const crashDir = "FOODTRACE_TEST_CRASH_DIR"

// crashChild submits from many goroutines and says on standard output what has been acknowledged, until it is killed.
func crashChild(dir string) {
	fmt.Println("started")
	by, err := identity.Open(dir, nil).Signer("Farm", "tester")
	if err != nil {
		panic(err)
	}
	// A small memory table, so that kills also meet a state that was partly flushed.
	l, err := Open(Options{Dir: dir, decide: count, memTable: 256 << 10})
	if err != nil {
		panic(err)
	}
	seed := rand.Uint64()
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				item := fmt.Sprintf("%x-%d-%d", seed, worker, i)
				items := []string{item, "all"}
				for j := range 20 {
					items = append(items, fmt.Sprintf("%s/%d/%s", item, j, strings.Repeat("x", 200)))
				}
				r, err := l.Submit(context.Background(), by, holds(items...))
				if err != nil {
					panic(err)
				}
				fmt.Println(r.TxID, item) // one write, so lines are not mixed
			}
		})
	}
	wg.Wait()
}

// TestKill kills a ledger under load at random moments; FOODTRACE_SOAK=1 does it 200 times.
func TestKill(t *testing.T) {
	kills := 15
	if os.Getenv("FOODTRACE_SOAK") != "" {
		kills = 200
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	acknowledged := 0
	for done := 0; done < kills; { // a new ledger from time to time: each is checked from its beginning after each kill
		dir := t.TempDir()
		testSigner(t, dir, "Farm")
		acked := map[string]string{} // item → transaction
		for i := 0; i < 15 && done < kills; i, done = i+1, done+1 {
			killOnce(t, dir, rnd.IntN(80), time.Duration(rnd.IntN(3000))*time.Microsecond, acked)
			checkClean(t, dir)
			checkAcked(t, dir, acked)
			if t.Failed() {
				t.Fatalf("kill %d", done+1)
			}
		}
		acknowledged += len(acked)
	}
	t.Logf("%d kills, %d submissions acknowledged", kills, acknowledged)
	if acknowledged < kills {
		t.Errorf("only %d submissions were acknowledged", acknowledged)
	}
}

// killOnce starts a ledger, kills it some time after a number of acknowledgements, and adds these to acked.
func killOnce(t *testing.T, dir string, after int, pause time.Duration, acked map[string]string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if id, item, ok := strings.Cut(lines.Text(), " "); ok && len(id) == 64 {
			acked[item] = id
		}
		if n == after {
			time.AfterFunc(pause, func() { cmd.Process.Kill() })
		}
	}
	cmd.Wait()
	if stderr.Len() > 0 {
		t.Errorf("the ledger ended by itself: %s", stderr.String())
	}
}

// checkAcked opens the ledger and looks for every acknowledged submission: there, once, and counted.
func checkAcked(t *testing.T, dir string, acked map[string]string) {
	t.Helper()
	l := testLedger(t, Options{Dir: dir})
	defer l.Close()
	for item, id := range acked {
		r, err := l.Receipt(context.Background(), id)
		if err != nil || r.Outcomes[0].ID != item+"=1" {
			t.Errorf("acknowledged %s (%s): %+v, %v", item, id, r.Outcomes, err)
		}
	}
	height, _ := l.Height(context.Background())
	txs, seen := 0, map[string]bool{}
	for b, err := range l.Blocks(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		for _, tx := range b.Txs {
			txs++
			if seen[tx.ID] || tx.Outcomes[1].ID != fmt.Sprintf("all=%d", txs) {
				t.Errorf("transaction %d (%s): seen before %t, %s", txs, tx.ID, seen[tx.ID], tx.Outcomes[1].ID)
			}
			seen[tx.ID] = true
		}
		if b.Height == height-1 {
			break
		}
	}
	if txs < len(acked) {
		t.Errorf("%d transactions, %d acknowledged", txs, len(acked))
	}
}

// faultyFile fails one operation.
type faultyFile struct {
	logFile
	at    int // which operation fails, counted down to 0
	apply int // of that operation: 0 nothing is done, 1 half, 2 all
	hit   bool
}

var errFault = errors.New("injected fault")

func (f *faultyFile) fails() bool {
	f.at--
	f.hit = f.hit || f.at == 0
	return f.at == 0
}

func (f *faultyFile) WriteAt(b []byte, off int64) (int, error) {
	if f.fails() {
		n, _ := f.logFile.WriteAt(b[:len(b)*f.apply/2], off)
		return n, errFault
	}
	return f.logFile.WriteAt(b, off)
}

func (f *faultyFile) Sync() error {
	if f.fails() {
		return errFault
	}
	return f.logFile.Sync()
}

func (f *faultyFile) Truncate(size int64) error {
	if f.fails() {
		return errFault
	}
	return f.logFile.Truncate(size)
}

// TestFaults fails the nth write, sync or truncation, for all n, before, half way through and after it was done. Whatever was
// acknowledged is there after the next start, what was not may be, and nothing is accepted in between.
func TestFaults(t *testing.T) {
	for apply := range 3 {
		for n := 1; ; n++ {
			if !faultOnce(t, n, apply) {
				if n < 10 {
					t.Fatalf("only %d operations were tried", n)
				}
				break
			}
			if t.Failed() {
				t.Fatalf("operation %d, done by %d halves", n, apply)
			}
		}
	}
}

func faultOnce(t *testing.T, n, apply int) (hit bool) {
	dir := t.TempDir()
	file, offsets := smallLedger(t, dir, 2)
	by := testSigner(t, dir, "Farm")
	if err := os.WriteFile(LogPath(dir), file[:offsets[1]+50], 0o600); err != nil { // so that opening cuts off
		t.Fatal(err)
	}
	faulty := &faultyFile{at: n, apply: apply}
	l, err := Open(Options{Dir: dir, decide: count, openFile: func(path string) (logFile, error) {
		f, err := openFile(path)
		faulty.logFile = f
		return faulty, err
	}})
	acked := map[string]string{}
	if err != nil {
		if !errors.Is(err, errFault) {
			t.Error(err)
		}
	} else {
		submitUntilFault(t, l, by, faulty, acked)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	checkAcked(t, dir, acked)
	if sum := checkClean(t, dir); sum.Blocks > uint64(len(acked))+2 {
		t.Errorf("%d blocks, %d acknowledged", sum.Blocks, len(acked))
	}
	return faulty.hit
}

func submitUntilFault(t *testing.T, l *Ledger, by ledger.Signer, faulty *faultyFile, acked map[string]string) {
	for i := range 4 {
		item := fmt.Sprint("item", i)
		before := faulty.hit
		r, err := l.Submit(context.Background(), by, holds(item, "all"))
		var unknown *ledger.UnknownError
		switch {
		case err == nil && faulty.hit:
			t.Error("acknowledged after a fault")
		case err == nil:
			acked[item] = r.TxID
		case before && !errors.Is(err, ledger.ErrNotOrdered):
			t.Errorf("after a fault: %v, want ErrNotOrdered", err)
		case !before && !errors.As(err, &unknown):
			t.Errorf("at a fault: %v, want *UnknownError", err)
		case !before:
			if _, err := l.Receipt(context.Background(), unknown.TxID); !errors.Is(err, ledger.ErrNotOrdered) {
				t.Errorf("receipt of what is not known: %v", err)
			}
		}
	}
}

func sortedKeys(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }
