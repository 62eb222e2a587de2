package capture_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
)

// endless is a document that never ends, and counts what was taken of it.
type endless struct {
	begun bool
	taken int64
}

func (e *endless) Read(b []byte) (int, error) {
	n := 0
	if !e.begun {
		e.begun = true
		n = copy(b, `{"type": "EPCISDocument", "x": "`)
	}
	for i := n; i < len(b); i++ {
		b[i] = 'x'
	}
	e.taken += int64(len(b))
	return len(b), nil
}

// A document that is too large, or breaks off, is refused, and nothing of it is kept.
func TestNothingIsKeptOfWhatIsRefused(t *testing.T) {
	const limit = 8 << 20
	b := newBench(t)
	b.service.Limit(limit)
	body := &endless{}
	if _, err := b.service.Receive(t.Context(), capture.Request{Member: "producer", Body: body}); !errors.Is(err, capture.ErrTooLarge) {
		t.Error(err)
	}
	if body.taken > limit+1<<20 {
		t.Errorf("%d bytes were read of a document of which at most %d are taken", body.taken, limit)
	}
	gone := errors.New("the sender is gone")
	broken := io.MultiReader(strings.NewReader(document(harvest("1"))[:300]), iotest.ErrReader(gone))
	if _, err := b.service.Receive(t.Context(), capture.Request{Member: "producer", Body: broken}); !errors.Is(err, gone) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := readerFunc(func(p []byte) (int, error) { cancel(); return copy(p, `{ `), nil })
	if _, err := b.service.Receive(ctx, capture.Request{Member: "producer", Body: cancelled}); err == nil {
		t.Error("a request that was broken off was taken")
	}
	if files := b.files(); len(files) > 0 {
		t.Errorf("left behind: %v", files)
	}
	if jobs, _, err := b.service.Jobs(t.Context(), "", "", 10); err != nil || len(jobs) > 0 {
		t.Errorf("%v %v", jobs, err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// files are those of the evidence store.
func (b *bench) files() (list []string) {
	b.Helper()
	err := filepath.WalkDir(filepath.Join(b.dir, "evidence"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return list
}

// generated is a document of n events that is written while it is read.
func generated(n int) io.Reader {
	out, in := io.Pipe()
	go func() {
		head, tail, _ := strings.Cut(document("|"), "|")
		_, err := io.WriteString(in, head)
		for i := 0; i < n && err == nil; i++ {
			separator := ","
			if i == 0 {
				separator = ""
			}
			_, err = io.WriteString(in, separator+harvest(fmt.Sprint(i)))
		}
		if err == nil {
			_, err = io.WriteString(in, tail)
		}
		_ = in.CloseWithError(err)
	}()
	return out
}

// Outcomes of a long job are read from any record on, batch by batch.
func TestOutcomesFromAnyRecordOn(t *testing.T) {
	const n = 4500
	b := newBench(t)
	job, err := b.service.Receive(t.Context(), capture.Request{Member: "producer", Body: generated(n), Proceed: true})
	if err != nil {
		t.Fatal(err)
	}
	if job = b.end(job.ID); job.Accepted != n || job.Read != job.Evidence.Size {
		t.Fatal(brief(job), job.Read, job.Evidence.Size)
	}
	for _, test := range []struct{ from, limit, want int }{{0, 10, 10}, {1999, 2, 2}, {2000, 3000, 2500}, {4499, 10, 1}, {4500, 10, 0}, {1 << 30, 10, 0}} {
		list, err := b.service.Outcomes(t.Context(), "producer", job.ID, test.from, test.limit)
		if err != nil || len(list) != test.want || test.want > 0 && (list[0].Index != test.from || list[0].Tx == "") {
			t.Errorf("from %d, at most %d: %d, %v", test.from, test.limit, len(list), err)
		}
	}
	_, all, err := b.service.AllOutcomes(t.Context(), "producer", job.ID)
	if err != nil {
		t.Fatal(err)
	}
	next := 0
	for o, err := range all {
		if err != nil || o.Index != next {
			t.Fatal(o.Index, next, err)
		}
		next++
	}
	if next != n {
		t.Error(next)
	}
}
