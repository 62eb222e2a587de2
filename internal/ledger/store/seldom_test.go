package store_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/foodtrace-ledger/foodtrace/internal/ledger/store"
)

func TestSeldom(t *testing.T) {
	var s store.Seldom
	now := time.Now()
	for i, want := range []struct {
		what    string
		after   time.Duration
		repeats int
		tell    bool
	}{
		{"a", 0, 0, true}, {"a", time.Second, 0, false}, {"b", time.Second, 0, true}, {"a", 59 * time.Second, 0, false},
		{"a", time.Minute, 2, true}, {"a", 61 * time.Second, 0, false}, {"a", 2 * time.Minute, 1, true},
	} {
		if repeats, tell := s.Tell(want.what, now.Add(want.after)); repeats != want.repeats || tell != want.tell {
			t.Errorf("%d: %d, %t, want %+v", i, repeats, tell, want)
		}
	}
	for i := range 1000 {
		s.Tell(fmt.Sprint(i), now)
	}
}

// TestNoDirectory: a store whose directory is gone closes, and does not fill the log.
func TestNoDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	var log bytes.Buffer // slog's handlers write one at a time
	db, err := store.Open(dir, 1<<20, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := db.Set([]byte("key"), []byte("value"), pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	if _, err := db.AsyncFlush(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // in which it fails thousands of times
	closed := make(chan error)
	go func() { closed <- db.Close() }()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Fatal("it does not close")
	}
	if n := strings.Count(log.String(), "\n"); n == 0 || n > 5 {
		t.Errorf("%d lines are logged", n)
	}
}
