// Package evidencetest is the suite that says what an evidence store is. Every implementation passes it unchanged.
package evidencetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
)

const (
	limit = 16 << 20
	// big is more than two parts of an upload in parts: S3 servers take parts of 5 MiB and more.
	big = 11<<20 + 1
)

// Run runs the suite on one store. damage changes a file behind the store's back.
func Run(t *testing.T, s evidence.Store, damage func(t *testing.T, sha256 string)) {
	ctx := context.Background()
	for name, test := range map[string]func(*testing.T, context.Context, evidence.Store){
		"PutAndOpen":   testPutAndOpen,
		"Limit":        testLimit,
		"BrokenUpload": testBrokenUpload,
		"NotFound":     testNotFound,
		"Twice":        testTwice,
		"Concurrent":   testConcurrent,
		"Cancelled":    testCancelled,
		"CutShort":     testCutShort,
	} {
		t.Run(name, func(t *testing.T) { test(t, ctx, s) })
	}
	t.Run("Damaged", func(t *testing.T) { testDamaged(t, ctx, s, damage) })
}

// random returns bytes that no other test has kept, and their digest.
func random(n int) ([]byte, string) {
	b := make([]byte, n)
	rand.Read(b)
	return b, digest(b)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func put(t *testing.T, s evidence.Store, b []byte) string {
	t.Helper()
	sha, size, err := s.Put(context.Background(), bytes.NewReader(b), limit)
	if err != nil || sha != digest(b) || size != int64(len(b)) {
		t.Fatalf("put %d bytes: %s, %d, %v", len(b), sha, size, err)
	}
	return sha
}

func read(t *testing.T, s evidence.Store, sha string) ([]byte, error) {
	t.Helper()
	r, err := s.Open(context.Background(), sha)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	return b, err
}

func expect(t *testing.T, s evidence.Store, want []byte) {
	t.Helper()
	if got, err := read(t, s, digest(want)); err != nil || !bytes.Equal(got, want) {
		t.Errorf("read %d of %d bytes, equal %t: %v", len(got), len(want), bytes.Equal(got, want), err)
	}
	if size, err := s.Stat(context.Background(), digest(want)); err != nil || size != int64(len(want)) {
		t.Errorf("stat: %d, %v; want %d", size, err, len(want))
	}
}

func testPutAndOpen(t *testing.T, _ context.Context, s evidence.Store) {
	for _, n := range []int{0, 1, 1000, 1 << 16, 3<<20 + 7, big} {
		b, _ := random(n)
		put(t, s, b)
		expect(t, s, b)
	}
}

func testLimit(t *testing.T, ctx context.Context, s evidence.Store) {
	b, sha := random(1000)
	if _, _, err := s.Put(ctx, bytes.NewReader(b), 999); !errors.Is(err, evidence.ErrTooLarge) {
		t.Errorf("one byte too many: %v", err)
	}
	if _, err := s.Stat(ctx, sha); !errors.Is(err, evidence.ErrNotFound) {
		t.Errorf("what was too large was kept: %v", err)
	}
	// No more is read than tells that it is too much.
	endless := iotest.ErrReader(errors.New("read too far"))
	if _, _, err := s.Put(ctx, io.MultiReader(bytes.NewReader(b), endless), 999); !errors.Is(err, evidence.ErrTooLarge) {
		t.Errorf("endless: %v", err)
	}
	if _, size, err := s.Put(ctx, bytes.NewReader(b), 1000); err != nil || size != 1000 {
		t.Errorf("exactly the limit: %d, %v", size, err)
	}
}

func testBrokenUpload(t *testing.T, ctx context.Context, s evidence.Store) {
	for _, n := range []int{1, 100_000, big} {
		b, sha := random(n)
		broken := errors.New("broken")
		if _, _, err := s.Put(ctx, io.MultiReader(bytes.NewReader(b), iotest.ErrReader(broken)), limit); !errors.Is(err, broken) {
			t.Errorf("%v, want what the reader said", err)
		}
		if _, err := s.Stat(ctx, sha); !errors.Is(err, evidence.ErrNotFound) {
			t.Errorf("half an upload was kept: %v", err)
		}
	}
}

func testNotFound(t *testing.T, ctx context.Context, s evidence.Store) {
	_, sha := random(8)
	for _, name := range []string{sha, "", "x", strings.ToUpper(sha), sha + "0", "../" + sha[3:], "../../../../etc/passwd", sha[:63] + "/"} {
		if _, err := s.Open(ctx, name); !errors.Is(err, evidence.ErrNotFound) {
			t.Errorf("open %q: %v", name, err)
		}
		if _, err := s.Stat(ctx, name); !errors.Is(err, evidence.ErrNotFound) {
			t.Errorf("stat %q: %v", name, err)
		}
	}
}

func testTwice(t *testing.T, _ context.Context, s evidence.Store) {
	b, _ := random(5000)
	if first, second := put(t, s, b), put(t, s, b); first != second {
		t.Errorf("%s, then %s", first, second)
	}
	expect(t, s, b)
}

func testConcurrent(t *testing.T, ctx context.Context, s evidence.Store) {
	same, _ := random(200_000)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			own, _ := random(50_000)
			for _, b := range [][]byte{same, own} {
				if sha, _, err := s.Put(ctx, bytes.NewReader(b), limit); err != nil || sha != digest(b) {
					t.Errorf("%s, %v", sha, err)
				}
				expect(t, s, b)
			}
		})
	}
	wg.Wait()
}

func testCancelled(t *testing.T, ctx context.Context, s evidence.Store) {
	b, sha := random(1000)
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := s.Put(ctx, bytes.NewReader(b), limit); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	if _, err := s.Stat(context.Background(), sha); !errors.Is(err, evidence.ErrNotFound) {
		t.Errorf("kept: %v", err)
	}
}

// testCutShort: a download may be left at any byte, and ends with its context; an upload whose context ends in its middle
// keeps nothing.
func testCutShort(t *testing.T, ctx context.Context, s evidence.Store) {
	b, sha := random(big)
	put(t, s, b)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, leave := range []bool{true, false} {
		r, err := s.Open(ctx, sha)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
			t.Error(err)
		}
		if !leave {
			cancel()
			if _, err := io.Copy(io.Discard, r); !errors.Is(err, context.Canceled) {
				t.Errorf("%v, want context.Canceled", err)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	expect(t, s, b)

	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	b, sha = random(100_000)
	half := readerFunc(func([]byte) (int, error) { cancel(); return 0, nil })
	if _, _, err := s.Put(ctx, io.MultiReader(bytes.NewReader(b), half), limit); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	if _, err := s.Stat(context.Background(), sha); !errors.Is(err, evidence.ErrNotFound) {
		t.Errorf("kept: %v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func testDamaged(t *testing.T, _ context.Context, s evidence.Store, damage func(*testing.T, string)) {
	for _, n := range []int{1, 1000, 1 << 20, big} {
		b, _ := random(n)
		sha := put(t, s, b)
		damage(t, sha)
		if _, err := read(t, s, sha); !errors.Is(err, evidence.ErrDamaged) {
			t.Errorf("%d bytes, damaged: %v", n, err)
		}
		put(t, s, b) // whoever has the bytes can mend it
		expect(t, s, b)
	}
}
