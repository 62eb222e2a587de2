package library_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/ingest/mapping/library"
)

const file = "foodtrace: mapping/1\nname: Plots\nzone: UTC\ncolumns: {a: \"@A\"}\nrecords: [{site: {id: \"urn:x:{a}\"}}]\n"

func TestStore(t *testing.T) {
	ctx, now := context.Background(), time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "mappings.db")
	s, err := library.Open(path, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	if _, problems, err := s.Add(ctx, "A", []byte("foodtrace: mapping/1\n")); err != nil || len(problems) == 0 {
		t.Errorf("a wrong file: %v, %v", problems, err)
	}
	first, problems, err := s.Add(ctx, "A", []byte(file))
	if err != nil || problems != nil {
		t.Fatal(problems, err)
	}
	now = now.Add(time.Hour)
	if again, _, err := s.Add(ctx, "A", []byte(file)); err != nil || again != first {
		t.Errorf("added again: %+v, %v; it was %+v", again, err, first)
	}
	second, _, err := s.Add(ctx, "A", []byte(file+"# changed\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = library.Open(path, time.Now); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	list, err := s.List(ctx, "A")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]library.Entry{second, first}, list); diff != "" {
		t.Error(diff)
	}
	if got, err := s.File(ctx, "A", first.ID); err != nil || string(got) != file {
		t.Errorf("the file is %q, %v", got, err)
	}
	if _, err := s.File(ctx, "B", first.ID); !errors.Is(err, library.ErrNotFound) {
		t.Errorf("another member reads it: %v", err)
	}
	if err := s.Remove(ctx, "A", first.ID); err != nil {
		t.Error(err)
	}
	if err := s.Remove(ctx, "A", first.ID); !errors.Is(err, library.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
}
