package drop

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

func (w *world) text(path ...string) string {
	w.Helper()
	body, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		w.Fatal(err)
	}
	return string(body)
}

// workbook makes an XLSX of a CSV.
func (w *world) workbook(text string) string {
	w.Helper()
	var out bytes.Buffer
	book := sheet.NewWriter(&out, sheet.XLSX)
	err := book.Sheet("上岸")
	for line := range strings.Lines(text) {
		err = errors.Join(err, book.Row(sheet.Texts(strings.Split(strings.TrimSpace(line), ",")...)...))
	}
	if err = errors.Join(err, book.Close()); err != nil {
		w.Fatal(err)
	}
	return out.String()
}

// A sheet of which something was refused comes back with what is wrong; corrected there and dropped again, it is captured.
func TestSheetComesBack(t *testing.T) {
	w := newWorld(t)
	for _, proceed := range []bool{false, true} {
		dir, lot := w.directory(), "B"
		folder, end, written := "rejected", reasonsEnd, 0
		if proceed {
			lot, folder, end, written = "P", "done", receiptEnd, 2
		}
		w.drop(dir, "landings.csv", landings(lot))
		w.drop(dir, "landings.xlsx", w.workbook(landings("X"+lot)))
		f := w.ofDirectory(dir, w.config(w.gateway("a"+lot), proceed))
		w.run(through(2, f), f)
		want := []string{"landings.csv", "landings.csv.problems.csv", "landings.csv" + end, "landings.xlsx", "landings.xlsx.problems.xlsx", "landings.xlsx" + end}
		if diff := cmp.Diff(want, w.files(dir, folder)); diff != "" {
			t.Fatal(diff)
		}
		r := w.receipt(dir, folder, "landings.csv"+end)
		if r.Sheet != "landings.csv.problems.csv" || r.Accepted != written || !strings.Contains(r.Summary.EN, "drop that file") || !strings.Contains(r.Summary.ZH, r.Sheet) {
			t.Errorf("%+v", r)
		}
		text := w.text(dir, folder, r.Sheet)
		if !strings.Contains(text, "Outcome") || !strings.Contains(text, "refused\nDATE A3") {
			t.Error(text)
		}
		w.drop(dir, "again.csv", strings.Replace(text, "yesterday", "2026-04-25", 1))
		w.run(through(3, f), f)
		if r := w.receipt(dir, "done/again.csv"+receiptEnd); r.State != Captured || r.Accepted != 3-written || r.Duplicates != written || r.Sheet != "" {
			t.Errorf("%+v", r)
		}
		if left := w.files(dir); len(left) != 4 {
			t.Errorf("%q", left)
		}
	}
}

// What has the name of the sheet that comes back stays as it is.
func TestSheetNameIsTaken(t *testing.T) {
	w := newWorld(t)
	dir := w.directory()
	if err := os.Mkdir(filepath.Join(dir, "rejected"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.drop(dir, "rejected/landings.csv.problems.csv", "mine")
	w.drop(dir, "landings.csv", landings("1"))
	f := w.ofDirectory(dir, w.config(w.gateway("a"), false))
	w.run(through(1, f), f)
	if all := w.files(dir, "rejected"); len(all) != 4 || w.text(dir, "rejected/landings.csv.problems.csv") != "mine" {
		t.Errorf("%q", all)
	}
}

// What cannot be read as a sheet has a list of the reasons beside it.
func TestSheetOfUnknownColumns(t *testing.T) {
	w := newWorld(t)
	dir := w.directory()
	w.drop(dir, "fruit.csv", "apple,pear\n1,2\n")
	f := w.ofDirectory(dir, w.config(w.gateway("a"), false))
	w.run(through(1, f), f)
	r := w.receipt(dir, "rejected/fruit.csv.reasons.json")
	if text := w.text(dir, "rejected", r.Sheet); !strings.Contains(text, "SHEET_LAYOUT") || strings.Contains(r.Summary.EN, "drop that file") {
		t.Errorf("%+v %s", r, text)
	}
}

// troubled is a place without room for a while, and a capturer that something happens to before a sheet is made.
type troubled struct {
	Capturer
	place
	tries  int // until there is room
	before func()
}

func (t *troubled) Table(ctx context.Context, member, id string) (*capture.Table, error) {
	t.before()
	return t.Capturer.Table(ctx, member, id)
}

func (t *troubled) stream(ctx context.Context, path string, fill func(io.Writer) error) error {
	if t.tries--; t.tries >= 0 {
		return t.place.stream(ctx, path, func(io.Writer) error { return fill(full{}) })
	}
	return t.place.stream(ctx, path, fill)
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// A sheet is tried again where there is no room, and left out where it can never be made: no file waits for it for ever.
func TestSheetInTrouble(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"full", "lost"} {
		lost, dir := name == "lost", w.directory()
		w.drop(dir, "landings.csv", landings(name))
		f := w.ofDirectory(dir, w.config(w.gateway(name), false))
		trouble := &troubled{Capturer: f.Capture, place: f.place, tries: 3, before: func() {}}
		if lost {
			trouble.tries, trouble.before = 0, func() {
				if err := os.RemoveAll(filepath.Join(w.dir, "evidence")); err != nil {
					t.Error(err)
				}
			}
		}
		f.place, f.Capture = trouble, trouble
		w.run(through(1, f), f)
		if err := f.Check(t.Context()); err != nil {
			t.Error(name, err)
		}
		r := w.receipt(dir, "rejected/landings.csv.reasons.json")
		if (r.Sheet == "") != lost || r.State != Rejected || (r.Problems[len(r.Problems)-1].Code == "NO_SHEET") != lost {
			t.Errorf("%s: %+v", name, r)
		}
		if left := w.files(dir); len(left) != 4 {
			t.Errorf("%s: %q", name, left)
		}
	}
}
