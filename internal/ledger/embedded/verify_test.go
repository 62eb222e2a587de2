package embedded

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// check runs verify on a data directory and returns the problems.
func check(t testing.TB, dir string) (Summary, []Problem) {
	t.Helper()
	var problems []Problem
	sum, err := verify(context.Background(), LogPath(dir), identity.Open(dir, nil).Trust(), count, func(p Problem) { problems = append(problems, p) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Problems != len(problems) {
		t.Errorf("summary says %d problems, %d reported", sum.Problems, len(problems))
	}
	return sum, problems
}

func checkClean(t testing.TB, dir string) Summary {
	t.Helper()
	sum, problems := check(t, dir)
	for _, p := range problems {
		t.Error(p)
	}
	if sum.Executed != sum.Blocks {
		t.Errorf("%d of %d blocks executed", sum.Executed, sum.Blocks)
	}
	return sum
}

// smallLedger writes a few blocks and returns the file's bytes and where blocks begin.
func smallLedger(t testing.TB, dir string, blocks int) (file []byte, offsets []int64) {
	t.Helper()
	by := testSigner(t, dir, "Farm")
	l := testLedger(t, Options{Dir: dir})
	for i := range blocks {
		submit(t, l, by, "a", "all", fmt.Sprint("b", i), "sum/b")
	}
	offsets = l.offsets
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(LogPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	return file, offsets
}

func TestVerifyClean(t *testing.T) {
	dir := t.TempDir()
	file, offsets := smallLedger(t, dir, 5)
	sum := checkClean(t, dir)
	if int(sum.Blocks) != len(offsets) || sum.Txs != 5 || sum.Records != 20 || sum.Bytes != int64(len(file)) || sum.Incomplete != 0 {
		t.Errorf("%+v", sum)
	}
	n := 0
	stop := errors.New("stop")
	_, err := verify(context.Background(), LogPath(dir), identity.Open(dir, nil).Trust(), count, func(p Problem) { t.Error(p) }, func(b *ledger.Block) error {
		if int(b.Height) != n || b.Txs[0].Outcomes[0].ID != fmt.Sprintf("a=%d", n+1) {
			t.Errorf("block %d: %+v", n, b)
		}
		if n++; n == 3 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) {
		t.Errorf("ends with %v", err)
	}
}

// TestFlippedByte: whatever single byte is changed, verify names its block and no other, and the ledger does not open.
func TestFlippedByte(t *testing.T) {
	dir := t.TempDir()
	file, offsets := smallLedger(t, dir, 5)
	blockOf := func(at int) (n uint64) {
		for i, o := range offsets {
			if int64(at) >= o {
				n = uint64(i)
			}
		}
		return n
	}
	rapid.Check(t, func(t *rapid.T) {
		// Headers are small and matter most: aim at them half of the time.
		at := rapid.IntRange(0, len(file)-1).Draw(t, "at")
		if rapid.Bool().Draw(t, "header") {
			at = int(offsets[rapid.IntRange(0, len(offsets)-1).Draw(t, "block")]) + rapid.IntRange(0, headerLen-1).Draw(t, "in header")
		}
		bad := append([]byte{}, file...)
		bad[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "xor"))
		if err := os.WriteFile(LogPath(dir), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		var problems []Problem
		_, err := verify(context.Background(), LogPath(dir), identity.Open(dir, nil).Trust(), count, func(p Problem) { problems = append(problems, p) }, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(problems) == 0 {
			t.Fatal("not found")
		}
		for _, p := range problems {
			if p.Block != blockOf(at) || p.Offset != offsets[p.Block] {
				t.Fatalf("byte %d is in block %d, reported: %s", at, blockOf(at), p)
			}
		}
		var damage *DamageError
		if _, err := Open(Options{Dir: dir, decide: count}); !errors.As(err, &damage) || damage.Block != blockOf(at) || damage.Offset != offsets[damage.Block] {
			t.Fatalf("open: %v, want damage of block %d", err, blockOf(at))
		}
	})
}

// TestTornTail: a file cut anywhere opens with the blocks that are whole, and verify has nothing to say against it.
func TestTornTail(t *testing.T) {
	dir := t.TempDir()
	file, offsets := smallLedger(t, dir, 3)
	last := int(offsets[2])
	for _, tail := range []struct {
		name  string
		bytes []byte
	}{
		{"nothing", nil},
		{"one byte", file[last : last+1]},
		{"half a header", file[last : last+headerLen/2]},
		{"a header", file[last : last+headerLen]},
		{"all but one byte", file[last : len(file)-1]},
		{"zeros", make([]byte, len(file)-last)},
		{"a header and zeros", append(append([]byte{}, file[last:last+headerLen]...), make([]byte, len(file)-last-headerLen)...)},
	} {
		bad := append(append([]byte{}, file[:last]...), tail.bytes...)
		if err := os.WriteFile(LogPath(dir), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if sum := checkClean(t, dir); sum.Blocks != 2 || sum.Incomplete != int64(len(tail.bytes)) {
			t.Errorf("%s: %+v", tail.name, sum)
		}
		l := testLedger(t, Options{Dir: dir})
		r := submit(t, l, testSigner(t, dir, "Farm"), "a")
		if r.Block != 2 || r.Outcomes[0].ID != "a=3" {
			t.Errorf("%s: %+v", tail.name, r)
		}
		l.Close()
		if sum := checkClean(t, dir); sum.Blocks != 3 || sum.Incomplete != 0 {
			t.Errorf("%s, written on: %+v", tail.name, sum)
		}
	}
}

// rewrite changes blocks as somebody could who knows the format: with all hashes made to fit again.
func rewrite(t *testing.T, dir string, change func([]*storedBlock) []*storedBlock) {
	t.Helper()
	file, err := os.ReadFile(LogPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []*storedBlock
	for off := int64(0); off < int64(len(file)); {
		f, err := readFrame(strings.NewReader(string(file)), off, int64(len(file)), uint64(len(blocks)), nil)
		if err != nil {
			t.Fatal(err)
		}
		sb, err := parseBlock(f.payload)
		if err != nil {
			t.Fatal(err)
		}
		blocks, off = append(blocks, sb), f.end()
	}
	var out []byte
	var prev [sha256.Size]byte
	for i, sb := range change(blocks) {
		sb.prev = prev
		var frame []byte
		frame, prev = sealFrame(sb.append(make([]byte, headerLen)), uint64(i))
		out = append(out, frame...)
	}
	if err := os.WriteFile(LogPath(dir), out, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestForged: changes by somebody who makes all hashes fit again are found by signatures and by executing again.
func TestForged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, dir string, b []*storedBlock) []*storedBlock
		block  uint64
		what   string
	}{
		"another batch": {func(t *testing.T, dir string, b []*storedBlock) []*storedBlock {
			tx := &b[2].txs[0]
			other := b[1].txs[0].submission
			signed := append([]byte{}, tx.signed[:len(tx.signed)-len(tx.batch)]...)
			forged, err := parseSubmission(append(signed[:len(signed)-uvarintLen(len(tx.batch))], appendBytes(nil, other.batch)...))
			if err != nil {
				t.Fatal(err)
			}
			forged.signature = tx.signature
			tx.submission = forged
			return b
		}, 2, "signature"},
		"another signer": {func(t *testing.T, dir string, b []*storedBlock) []*storedBlock {
			by := testSigner(t, t.TempDir(), "Farm")
			forged, err := sign(by, b[2].txs[0].batch)
			if err != nil {
				t.Fatal(err)
			}
			b[2].txs[0].submission = forged
			return b
		}, 2, "signature"},
		"outcomes": {func(t *testing.T, dir string, b []*storedBlock) []*storedBlock {
			b[2].txs[0].outcomes = b[1].txs[0].outcomes
			return b
		}, 2, "other outcomes"},
		"effects": {func(t *testing.T, dir string, b []*storedBlock) []*storedBlock {
			b[2].txs[0].effects[5]++
			return b
		}, 2, "other effects"},
		"block left out": {func(t *testing.T, dir string, b []*storedBlock) []*storedBlock {
			return append(b[:2], b[3:]...)
		}, 2, "other outcomes"},
		"submission twice": {func(t *testing.T, dir string, b []*storedBlock) []*storedBlock {
			b[3].txs = append(b[3].txs, b[1].txs[0])
			return b
		}, 3, "twice"},
		"time goes back": {func(t *testing.T, dir string, b []*storedBlock) []*storedBlock {
			b[3].time = b[0].time.Add(-1)
			return b
		}, 3, "older than the block before"},
		"transaction from the future": {func(t *testing.T, dir string, b []*storedBlock) []*storedBlock {
			b[3].txs[0].time = b[3].time.Add(1)
			return b
		}, 3, "newer than its block"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			smallLedger(t, dir, 5)
			rewrite(t, dir, func(b []*storedBlock) []*storedBlock { return c.change(t, dir, b) })
			_, problems := check(t, dir)
			found := false
			for _, p := range problems {
				if p.Block < c.block {
					t.Errorf("too early: %s", p)
				}
				found = found || p.Block == c.block && strings.Contains(p.What, c.what)
			}
			if !found {
				t.Errorf("block %d has no problem with %q: %v", c.block, c.what, problems)
			}
		})
	}
}

func uvarintLen(n int) int { return len(appendBytes(nil, make([]byte, n))) - n }

// TestSpliced: whole blocks taken out of the file or put in twice, without making hashes fit.
func TestSpliced(t *testing.T) {
	dir := t.TempDir()
	file, o := smallLedger(t, dir, 5)
	for name, bad := range map[string][]byte{
		"out": append(append([]byte{}, file[:o[2]]...), file[o[3]:]...),
		"in":  append(append([]byte{}, file[:o[3]]...), file[o[2]:]...),
	} {
		if err := os.WriteFile(LogPath(dir), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		sum, problems := check(t, dir)
		if len(problems) == 0 || problems[0].Block != map[string]uint64{"out": 2, "in": 3}[name] || sum.Blocks != 5 {
			t.Errorf("%s: %+v, %v", name, sum, problems)
		}
		var damage *DamageError
		if _, err := Open(Options{Dir: dir, decide: count}); !errors.As(err, &damage) {
			t.Errorf("%s: open: %v", name, err)
		}
	}
}

// TestVerifyBesideWriter: verify may run at any moment while the ledger writes.
func TestVerifyBesideWriter(t *testing.T) {
	dir := t.TempDir()
	by := testSigner(t, dir, "Farm")
	l := testLedger(t, Options{Dir: dir})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; ctx.Err() == nil; i++ {
			if _, err := l.Submit(context.Background(), by, holds("a", fmt.Sprint("b", i))); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for range 10 {
		checkClean(t, dir)
	}
	cancel()
	<-ended
	if sum := checkClean(t, dir); sum.Incomplete != 0 {
		t.Errorf("%+v", sum)
	}
}

// TestState: a state store that is missing, damaged, from another ledger or ahead of the file is rebuilt.
func TestState(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	_, offsets := smallLedger(t, dir, 5)
	smallLedger(t, other, 9)
	for name, spoil := range map[string]func() error{
		"missing": func() error { return os.RemoveAll(filepath.Join(dir, "state")) },
		"damaged": func() error {
			return os.WriteFile(filepath.Join(dir, "state", "MANIFEST-000001"), []byte("x"), 0o600)
		},
		"no store": func() error {
			return errors.Join(os.RemoveAll(filepath.Join(dir, "state")), os.WriteFile(filepath.Join(dir, "state"), []byte("x"), 0o600))
		},
		"of another ledger": func() error {
			return errors.Join(os.RemoveAll(filepath.Join(dir, "state")), os.CopyFS(filepath.Join(dir, "state"), os.DirFS(filepath.Join(other, "state"))))
		},
		"ahead": func() error { return os.Truncate(LogPath(dir), offsets[3]) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		l := testLedger(t, Options{Dir: dir})
		height, _ := l.Height(context.Background())
		r := submit(t, l, testSigner(t, dir, "Farm"), "a")
		if want := fmt.Sprintf("a=%d", height+1); r.Outcomes[0].ID != want {
			t.Errorf("%s: %s, want %s", name, r.Outcomes[0].ID, want)
		}
		l.Close()
	}
	checkClean(t, dir)
}

// FuzzVerify: whatever the file holds, verify comes to an end and says how far it got.
func FuzzVerify(f *testing.F) {
	dir := f.TempDir()
	file, o := smallLedger(f, dir, 3)
	trust := identity.Open(dir, nil).Trust()
	f.Add(file)
	f.Add(file[:o[2]+5])
	f.Add(append(append([]byte{}, file[:o[1]]...), file[o[2]:]...))
	f.Add([]byte(strings.Repeat(frameMagic, 100)))
	f.Add(make([]byte, 3*sector))
	f.Fuzz(func(t *testing.T, file []byte) {
		path := filepath.Join(t.TempDir(), "ledger.log")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		problems := 0
		sum, err := verify(context.Background(), path, trust, count, func(Problem) { problems++ }, nil)
		if err != nil {
			t.Fatal(err)
		}
		if problems == 0 && sum.Bytes+sum.Incomplete != int64(len(file)) {
			t.Errorf("%d bytes, no problem, but %+v", len(file), sum)
		}
	})
}
