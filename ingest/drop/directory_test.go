package drop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
)

func TestFilesEndOnTheirSide(t *testing.T) {
	w := newWorld(t)
	dir := w.directory()
	w.drop(dir, "good.json", document(harvest("1"), harvest("2")))
	w.drop(dir, "half.json", document(harvest("3"), noAction))
	w.drop(dir, "bad.json", document(noAction))
	w.drop(dir, "broken.json", document(harvest("4"))[:300])
	w.drop(dir, "picture.png", "\x89PNG\r\n\x1a\n\x00\x00")
	w.drop(dir, "empty.xml", "")
	f := w.ofDirectory(dir, w.config(w.gateway("a"), true))
	w.run(through(6, f), f)
	want := map[string][]string{
		"":         {".foodtrace.lock", "done", "rejected", "taken"},
		"taken":    {},
		"done":     {"good.json", "good.json.receipt.json", "half.json", "half.json.receipt.json"},
		"rejected": {"bad.json", "bad.json.reasons.json", "broken.json", "broken.json.reasons.json", "empty.xml", "empty.xml.reasons.json", "picture.png", "picture.png.reasons.json"},
	}
	for folder, names := range want {
		if diff := cmp.Diff(names, w.files(dir, folder)); diff != "" {
			t.Error(folder, diff)
		}
	}
	good := w.receipt(dir, "done/good.json.receipt.json")
	if good.State != Captured || good.Accepted != 2 || len(good.Outcomes) != 2 || good.Blocks == nil || good.SHA256 == "" || good.Outcomes[1].ID == "" || good.Summary.ZH == "" {
		t.Errorf("%+v", good)
	}
	half := w.receipt(dir, "done/half.json.receipt.json")
	if half.State != Partly || half.Accepted != 1 || half.Refused != 1 || len(half.Outcomes) != 2 || len(half.Outcomes[1].Findings) == 0 || !hasRefusal(half.Problems) {
		t.Errorf("%+v", half)
	}
	for name, code := range map[string]string{"picture.png": "UNSUPPORTED_FORMAT", "empty.xml": "EMPTY"} {
		if r := w.receipt(dir, "rejected", name+reasonsEnd); r.State != Rejected || r.Job != "" || len(r.Problems) != 1 || r.Problems[0].Code != code {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := w.receipt(dir, "rejected/broken.json.reasons.json"); !hasRefusal(r.Problems) || r.Job == "" {
		t.Errorf("%+v", r)
	}
}

func TestRollbackTakesAllOrNothing(t *testing.T) {
	w := newWorld(t)
	dir := w.directory()
	w.drop(dir, "half.json", document(harvest("1"), noAction))
	f := w.ofDirectory(dir, w.config(w.gateway("a"), false))
	w.run(through(1, f), f)
	if r := w.receipt(dir, "rejected/half.json.reasons.json"); r.State != Rejected || r.Accepted != 0 || r.Behaviour != "rollback" || !hasRefusal(r.Problems) {
		t.Errorf("%+v", r)
	}
}

func TestNamesOfAllKinds(t *testing.T) {
	w := newWorld(t)
	dir := w.directory()
	names := []string{"北京 批次 1.json", "with space .json", "..json..", "new\nline\x1b[31m.json", "bad\xffutf8.json", strings.Repeat("长", 84) + ".x", "-rf", "a;b&c'd\"e", "no.ending."}
	for i, name := range names {
		if !strings.HasPrefix(name, ".") {
			w.drop(dir, name, document(harvest(fmt.Sprint("n", i))))
		}
	}
	w.drop(dir, ".hidden.json", document(harvest("hidden")))
	f := w.ofDirectory(dir, w.config(w.gateway("a"), false))
	w.run(through(uint64(len(names)-1), f), f)
	done := w.files(dir, "done")
	for _, name := range names {
		if strings.HasPrefix(name, ".") || len(name) > maxName {
			continue
		}
		if !slices.Contains(done, name) || !slices.Contains(done, name+receiptEnd) {
			t.Errorf("%q is not among %q", name, done)
		}
	}
	if len(done) != 2*(len(names)-1) {
		t.Errorf("%q", done)
	}
	if _, err := os.Stat(filepath.Join(dir, ".hidden.json")); err != nil {
		t.Error("a hidden file was taken")
	}
}

func TestSameNameAgain(t *testing.T) {
	w := newWorld(t)
	dir := w.directory()
	f := w.ofDirectory(dir, w.config(w.gateway("a"), false))
	for i := range 4 {
		w.drop(dir, "orders.json", document(harvest(fmt.Sprint(i%3)))) // the last repeats the first
		w.run(through(uint64(i+1), f), f)
	}
	done := w.files(dir, "done")
	if len(done) != 8 {
		t.Fatalf("%q", done)
	}
	accepted, duplicates, contents := 0, 0, map[string]int{}
	for _, name := range done {
		if strings.HasSuffix(name, receiptEnd) {
			r := w.receipt(dir, "done", name)
			accepted, duplicates = accepted+r.Accepted, duplicates+r.Duplicates
			contents[r.SHA256]++
			if r.File+receiptEnd != name || r.Dropped != "orders.json" {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
	if accepted != 3 || duplicates != 1 || len(contents) != 3 {
		t.Errorf("%d accepted, %d duplicates, %v", accepted, duplicates, contents)
	}
}

func TestWhatIsNotTaken(t *testing.T) {
	w := newWorld(t)
	dir, secret := w.directory(), filepath.Join(w.dir, "secret.json")
	w.drop(w.dir, "secret.json", document(harvest("secret")))
	for name, target := range map[string]string{"out.json": secret, "in.json": "good.json", "up": ".."} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.drop(filepath.Join(dir, "folder"), "deep.json", document(harvest("deep")))
	w.drop(dir, "good.json", document(harvest("1")))
	f := w.ofDirectory(dir, w.config(w.gateway("a"), false))
	w.run(func() bool { return through(1, f)() && f.Figures().Stuck == 5 }, f)
	if diff := cmp.Diff([]string{"good.json", "good.json.receipt.json"}, w.files(dir, "done")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{".foodtrace.lock", "done", "folder", "in.json", "out.json", "pipe", "rejected", "taken", "up"}, w.files(dir)); diff != "" {
		t.Error(diff)
	}
	if _, err := os.Stat(secret); err != nil {
		t.Error(err)
	}
}

func TestLinksOfFoldersLeadNowhere(t *testing.T) {
	w := newWorld(t)
	dir, outside := w.directory(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "done")); err != nil {
		t.Fatal(err)
	}
	w.drop(dir, "good.json", document(harvest("1")))
	f := w.ofDirectory(dir, w.config(w.gateway("a"), false))
	w.run(func() bool { return f.Check(t.Context()) != nil }, f)
	if left := w.files(outside); len(left) != 0 {
		t.Errorf("%q", left)
	}
}

func TestFilesThatAreBeingWritten(t *testing.T) {
	w := newWorld(t)
	dir := w.directory()
	f := w.ofDirectory(dir, w.config(w.gateway("a"), false))
	f.place.(*directory).Settle = 300 * time.Millisecond
	text := document(harvest("1"), harvest("2"))
	go func() {
		out, err := os.Create(filepath.Join(dir, "slow.json"))
		if err != nil {
			t.Error(err)
			return
		}
		defer out.Close()
		for part := range slices.Chunk([]byte(text), len(text)/8+1) {
			if _, err := out.Write(part); err != nil {
				t.Error(err)
			}
			time.Sleep(60 * time.Millisecond)
		}
	}()
	w.run(through(1, f), f)
	if r := w.receipt(dir, "done/slow.json.receipt.json"); r.Accepted != 2 || r.Size != int64(len(text)) {
		t.Errorf("%+v", r)
	}
}

func TestUnreadableFileWaits(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads everything: run it as another user")
	}
	w := newWorld(t)
	dir := w.directory()
	w.drop(dir, "secret.json", document(harvest("1")))
	w.drop(dir, "good.json", document(harvest("2")))
	if err := os.Chmod(filepath.Join(dir, "secret.json"), 0); err != nil {
		t.Fatal(err)
	}
	f := w.ofDirectory(dir, w.config(w.gateway("a"), false))
	w.run(func() bool { return through(1, f)() && f.Figures().Stuck == 1 && !f.Figures().Failing }, f)
}

func TestDirectoryAway(t *testing.T) {
	w := newWorld(t)
	dir := filepath.Join(t.TempDir(), "later")
	f := w.ofDirectory(dir, w.config(w.gateway("a"), false))
	w.run(func() bool { return f.Check(t.Context()) != nil && f.Figures().Failing }, f)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	w.drop(dir, "good.json", document(harvest("1")))
	w.run(func() bool { return through(1, f)() && f.Check(t.Context()) == nil }, f)
	old := dir + "-old"
	if err := os.Rename(dir, old); err != nil {
		t.Fatal(err)
	}
	w.run(func() bool { return f.Check(t.Context()) != nil }, f)
}

// away is a capturer whose disk is full or whose store is away for some time.
type away struct {
	Capturer
	err   error
	times atomic.Int32
}

func (a *away) Receive(ctx context.Context, req capture.Request) (capture.Job, error) {
	if a.times.Add(-1) >= 0 {
		_, _ = io.CopyN(io.Discard, req.Body, 10)
		return capture.Job{}, fmt.Errorf("kept it not: %w", a.err)
	}
	return a.Capturer.Receive(ctx, req)
}

func TestCaptureAway(t *testing.T) {
	for _, err := range []error{evidence.ErrUnavailable, capture.ErrBusy, syscall.ENOSPC, errors.New("another")} {
		w := newWorld(t)
		dir := w.directory()
		w.drop(dir, "a.json", document(harvest("1")))
		w.drop(dir, "b.json", document(harvest("2")))
		c := &away{Capturer: w.gateway("a"), err: err}
		c.times.Store(5)
		f := w.ofDirectory(dir, w.config(c, false))
		failed := false
		w.run(func() bool {
			failed = failed || f.Check(t.Context()) != nil
			return through(2, f)() && f.Check(t.Context()) == nil
		}, f)
		if !failed {
			t.Errorf("%v: nobody was told", err)
		}
		if list := w.files(dir, "done"); len(list) != 4 {
			t.Errorf("%v: %q", err, list)
		}
	}
}

func TestTwoGatewaysOnOneDirectory(t *testing.T) {
	w := newWorld(t)
	dir := w.directory()
	a := w.ofDirectory(dir, w.config(w.gateway("a"), false))
	b := w.ofDirectory(dir, w.config(w.gateway("b"), false))
	const n = 40
	for i := range n {
		w.drop(dir, fmt.Sprintf("%02d.json", i), document(harvest(fmt.Sprint(i))))
	}
	w.run(func() bool { return through(n, a, b)() && (a.Figures().Standby || b.Figures().Standby) }, a, b)
	if a.Figures().Done+b.Figures().Done != n {
		t.Errorf("%+v %+v", a.Figures(), b.Figures())
	}
	for i := range n {
		if r := w.receipt(dir, fmt.Sprintf("done/%02d.json.receipt.json", i)); r.Accepted != 1 || r.Duplicates != 0 {
			t.Errorf("%+v", r)
		}
	}
}

// What is being written for longer than a sweep takes stays; what an earlier process began goes.
func TestSweptWhileItIsWritten(t *testing.T) {
	w := newWorld(t)
	dir := w.directory()
	if err := os.MkdirAll(filepath.Join(dir, "taken"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.drop(dir, "taken/"+writing+"old.receipt.json", "half")
	f := w.ofDirectory(dir, w.config(w.gateway("a"), false))
	_, release, err := f.place.hold(t.Context(), func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	err = f.place.stream(t.Context(), "done/large", func(out io.Writer) error {
		_, err := f.place.list(t.Context())
		_, also := out.Write([]byte("whole"))
		return errors.Join(err, also)
	})
	if err != nil || w.text(dir, "done/large") != "whole" {
		t.Error(err)
	}
	if left := w.files(dir, "taken"); len(left) != 0 {
		t.Errorf("%q", left)
	}
}

// Trouble that stays is told once, /readyz and the figures say that nothing gets on, and when it ends all goes on.
func TestTroubleIsToldOnce(t *testing.T) {
	w := newWorld(t)
	dir := w.directory()
	w.drop(dir, "landings.csv", landings("T"))
	var log bytes.Buffer
	c := w.config(w.gateway("a"), false)
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	f := w.ofDirectory(dir, c)
	trouble := &troubled{Capturer: f.Capture, place: f.place, tries: 4, before: func() {}}
	f.place, f.Capture = trouble, trouble
	failing := false
	w.run(func() bool {
		now := f.Figures()
		failing = failing || now.Failing && now.Waiting == 1 && f.Check(t.Context()) != nil
		return through(1, f)()
	}, f)
	if now := f.Figures(); !failing || now.Failing || now.Waiting != 0 {
		t.Errorf("%v %+v", failing, now)
	}
	if n := strings.Count(log.String(), "a dropped file waits"); n != 1 {
		t.Errorf("%d times: %s", n, &log)
	}
}
