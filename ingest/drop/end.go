package drop

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
)

// Asking for the end of a job: soon at first, because most files are small.
const (
	pollSoon = 10 * time.Millisecond
	pollLate = time.Second
)

// receive hands a file to the capturer, which has it then, and returns what is still to be done. An earlier process may have come
// further: then that is what is left to do.
func (f *Feed) receive(ctx context.Context, taken file) (end func(context.Context) error, err error) {
	if taken.begun {
		to, r, err := f.settled(ctx, taken)
		if err != nil {
			return nil, err
		}
		if r != nil {
			return func(ctx context.Context) error { return f.finish(ctx, taken, to, path.Ext(r.Sheet)) }, nil
		}
	}
	body, err := f.place.open(ctx, taken)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	job, err := f.Capture.Receive(ctx, capture.Request{ID: jobID(f.Member, taken.id), Member: f.Member, Name: show(taken.name), Body: body,
		Mapping: f.Mapping, Proceed: f.Proceed})
	if errors.Is(err, capture.ErrMediaType) || errors.Is(err, capture.ErrTooLarge) {
		why := err
		return func(ctx context.Context) error { return f.settle(ctx, taken, f.refusal(taken, why), nil) }, nil
	}
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return f.await(ctx, taken, job.ID) }, nil
}

// jobID is the ID of the capture job of a file, the same whenever it is asked for.
func jobID(member, id string) string {
	sum := sha256.Sum256([]byte("drop\x00" + member + "\x00" + id))
	return base32.StdEncoding.EncodeToString(sum[:])[:26] // 130 bits, as crypto/rand.Text
}

// await waits for the end of a file's job, and settles the file.
func (f *Feed) await(ctx context.Context, taken file, id string) error {
	for wait := pollSoon; ; wait = min(2*wait, pollLate) {
		job, err := f.Capture.Job(ctx, f.Member, id)
		if err != nil {
			return err
		}
		if !job.Running {
			r, err := f.receipt(ctx, taken, job)
			if err != nil {
				return err
			}
			table, err := f.sheet(ctx, taken, r)
			if err != nil {
				return err
			}
			return f.settle(ctx, taken, r, table)
		}
		if !pause(ctx, wait, nil) {
			return ctx.Err()
		}
	}
}

// settle writes the receipt, puts the sheet beside it that is staged (nil: none), and moves the file to its side, which comes last. After a
// crash in between, settled finds the receipt.
func (f *Feed) settle(ctx context.Context, taken file, r *Receipt, table *capture.Table) error {
	dir, end, ext := doneDir, receiptEnd, ""
	if r.State == Rejected {
		dir, end = rejectedDir, reasonsEnd
	}
	if table != nil {
		ext = extension(table)
	}
	name, release, err := f.pick(ctx, taken, dir, end, ext)
	if err != nil {
		return err
	}
	defer release()
	r.File = show(path.Base(name))
	if table != nil {
		r.point(r.File+sheetEnd+ext, table.Copied)
	}
	body, err := json.Marshal(r, jsontext.WithIndent("  "), json.Deterministic(true))
	if err != nil {
		return err
	}
	if err := f.place.write(ctx, name+end, append(body, '\n')); err != nil {
		return err
	}
	if err := f.finish(ctx, taken, name, ext); err != nil {
		return err
	}
	f.Log.Info("a dropped file is decided", "place", f.place, "name", show(taken.name), "goes", show(name), "state", r.State, "job", r.Job,
		"accepted", r.Accepted, "duplicates", r.Duplicates, "refused", r.Refused)
	return nil
}

// finish puts the sheet of a file that has its receipt beside it, and moves the file to its side. ext is the ending of the sheet, "" for none.
func (f *Feed) finish(ctx context.Context, taken file, to, ext string) error {
	if ext != "" {
		staged, err := f.place.take(ctx, file{path: stage(taken, ext), id: taken.id})
		if err == nil {
			err = f.place.move(ctx, staged, to+sheetEnd+ext)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // it is there already
			return err
		}
	}
	if err := f.place.move(ctx, taken, to); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if strings.HasPrefix(to, rejectedDir) {
		f.rejected++
	} else {
		f.done++
	}
	return nil
}

// pick returns the path for a file in a folder: its own name, or, where another file had the name before, one that no other can have. Until
// it is released, nobody else gets it, nor the names of what is written beside.
func (f *Feed) pick(ctx context.Context, taken file, dir, end, ext string) (name string, release func(), err error) {
	own, other := names(taken)
	for _, name := range []string{dir + own, dir + other} {
		beside := []string{name, name + end}
		if ext != "" {
			beside = append(beside, name+sheetEnd+ext)
		}
		if !f.reserve(beside) {
			continue
		}
		free, err := f.free(ctx, beside)
		if err == nil && !free {
			var r *Receipt
			r, err = f.ours(ctx, taken, name+end)
			free = r != nil
		}
		if err == nil && (free || name == dir+other) {
			return name, func() { f.release(beside) }, nil
		}
		f.release(beside)
		if err != nil {
			return "", nil, err
		}
	}
	return "", nil, fmt.Errorf("drop: %s%s is being written", dir, other) // by nobody but an earlier try
}

// reserve keeps paths from other files that are under way, unless one of them has one.
func (f *Feed) reserve(paths []string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range paths {
		if f.names[p] {
			return false
		}
	}
	for _, p := range paths {
		f.names[p] = true
	}
	return true
}

func (f *Feed) release(paths []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range paths {
		delete(f.names, p)
	}
}

func (f *Feed) free(ctx context.Context, paths []string) (bool, error) {
	for _, p := range paths {
		if free, err := f.missing(ctx, p); err != nil || !free {
			return false, err
		}
	}
	return true, nil
}

func (f *Feed) missing(ctx context.Context, path string) (bool, error) {
	_, err := f.place.size(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return false, err
}

// ours returns the receipt at a path if it is of this taking of the file, else nil.
func (f *Feed) ours(ctx context.Context, taken file, path string) (*Receipt, error) {
	body, err := f.place.read(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := new(Receipt)
	if json.Unmarshal(body, r) != nil || r.Taking != taken.id {
		return nil, nil
	}
	return r, nil
}

// settled returns the receipt of a file that an earlier process wrote, and where the file belongs; nil when there is none.
func (f *Feed) settled(ctx context.Context, taken file) (to string, r *Receipt, err error) {
	own, other := names(taken)
	for _, side := range [][2]string{{doneDir, receiptEnd}, {rejectedDir, reasonsEnd}} {
		for _, name := range []string{own, other} {
			if r, err := f.ours(ctx, taken, side[0]+name+side[1]); err != nil || r != nil {
				return side[0] + name, r, err
			}
		}
	}
	return "", nil, nil
}

// maxName leaves room for what is added to a file's name, in the 255 bytes that file systems allow.
const maxName = 200 // bytes

// names returns the two names that a file can have at its end: its own, cut where it is too long, and one with a part of its ID in it.
func names(of file) (own, other string) {
	ext := path.Ext(of.name)
	if len(ext) > 16 || ext == of.name { // no ending that says what it is
		ext = ""
	}
	stem := strings.TrimSuffix(of.name, ext)
	mark := "-" + strings.ToLower(jobID("", of.id)[:12])
	if len(of.name) > maxName {
		stem = cut(stem, maxName-len(ext)-len(mark))
		return stem + mark + ext, stem + mark + "-2" + ext
	}
	return of.name, stem + mark + ext
}

// cut shortens a text to at most n bytes, at the border of a character.
func cut(s string, n int) string {
	for n > 0 && n < len(s) && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:min(n, len(s))]
}

// show is a name as people and JSON can have it: file systems and buckets allow more.
func show(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(name, string(utf8.RuneError)))
}

// refusal is the receipt of a file that the capturer does not take.
func (f *Feed) refusal(taken file, why error) *Receipt {
	r := f.newReceipt(taken)
	r.State, r.Finished = Rejected, f.Now().UTC()
	p := Problem{Code: "UNSUPPORTED_FORMAT", Refused: true, Message: "This is no format that can be captured: neither EPCIS in JSON or XML nor a sheet in CSV or XLSX. Nothing was kept of it."}
	r.Summary.EN, r.Summary.ZH = "Rejected: the file is in no format that can be captured.", "已拒收：该文件不是可以采集的格式。"
	switch {
	case errors.Is(why, capture.ErrTooLarge):
		p.Code, p.Message = "TOO_LARGE", fmt.Sprintf("A file may have at most %d bytes. Cut it into several.", int64(capture.MaxDocument))
		r.Summary.EN, r.Summary.ZH = "Rejected: the file is too large. Cut it into several.", "已拒收：文件过大，请拆分后重新发送。"
	case taken.size == 0:
		p.Code, p.Message = "EMPTY", "The file has no content."
		r.Summary.EN, r.Summary.ZH = "Rejected: the file is empty.", "已拒收：该文件为空。"
	}
	r.Problems = []Problem{p}
	return r
}
