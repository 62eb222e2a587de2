package fs

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/evidencetest"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// flip changes one bit in the middle of a file.
func flip(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	s := open(t, t.TempDir())
	evidencetest.Run(t, s, func(t *testing.T, sha string) { flip(t, s.path(sha)) })
	left, err := os.ReadDir(filepath.Join(s.dir, tempDir))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files left behind: %v, %v", left, err)
	}
}

func TestVerify(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := context.Background()
	var paths []string
	for i := range 5 {
		sha, _, err := s.Put(ctx, bytes.NewReader([]byte{byte(i), 1, 2}), 3)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, filepath.Join(sha[:2], sha[2:4], sha))
	}
	flip(t, filepath.Join(s.dir, paths[1]))
	if err := os.Truncate(filepath.Join(s.dir, paths[2]), 2); err != nil {
		t.Fatal(err)
	}
	// A file that was moved or given another name is not where its digest leads.
	if err := os.Rename(filepath.Join(s.dir, paths[3]), filepath.Join(s.dir, "lost")); err != nil {
		t.Fatal(err)
	}
	problems := map[string]error{}
	files, size, err := s.Verify(ctx, func(path string, problem error) { problems[path] = problem })
	if err != nil || files != 4 || size != 11 {
		t.Errorf("%d files, %d bytes, %v", files, size, err)
	}
	want := []string{paths[1], paths[2], "lost"}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(problems))); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	for _, p := range paths[1:3] {
		if !errors.Is(problems[p], evidence.ErrDamaged) {
			t.Errorf("%s: %v", p, problems[p])
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := s.Verify(ctx, func(string, error) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestLeftBehind: what a crash left of an upload is removed after a day, not while it may still be written.
func TestLeftBehind(t *testing.T) {
	s := open(t, t.TempDir())
	for name, age := range map[string]time.Duration{"put-old": 25 * time.Hour, "put-new": time.Hour} {
		path := filepath.Join(s.dir, tempDir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	open(t, s.dir)
	left, err := filepath.Glob(filepath.Join(s.dir, tempDir, "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "put-new" {
		t.Errorf("left %v, %v", left, err)
	}
}
