package formats

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/fsma204"
	"github.com/foodtrace-ledger/foodtrace/ingest/lab"
	"github.com/foodtrace-ledger/foodtrace/ingest/mapping"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// layout is what the rows of a sheet can mean.
type layout struct {
	recognise func(*sheet.Book) bool // by the headings
	open      func(*sheet.Book, Options) (ingest.Reader, error)
}

// layouts are asked in this order. A new one is one line.
var layouts = []layout{
	{fsma204.Recognise, readFSMA},
	{lab.Recognise, readLab},
}

// CodeLayout: nobody knows what the columns of a sheet mean.
const CodeLayout ingest.Code = "SHEET_LAYOUT"

// maxSpool bounds the copy of a sheet: one byte more than is read of it, so that the reader can say that it is too large.
const maxSpool = sheet.DefaultBytes + 1

func (d *Document) openSheet(body io.Reader, o Options) (_ *Document, err error) {
	at, size, err := d.anywhere(body, o.TempDir)
	if err != nil {
		return nil, fmt.Errorf("formats: reading the document: %w", err)
	}
	if d.Book, err = sheet.Open(at, size, sheet.Limits{}); err == nil {
		d.Reader, err = readRows(d.Book, o)
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// readRows finds out what the rows mean.
func readRows(book *sheet.Book, o Options) (ingest.Reader, error) {
	if o.Mapping != nil {
		return readMapped(book, o.Mapping)
	}
	for _, l := range layouts {
		if l.recognise(book) {
			return l.open(book, o)
		}
	}
	return nil, &ingest.Problem{Code: CodeLayout, Message: "The columns of this sheet are of no layout that is known here. Send a mapping with it that says what they mean."}
}

// readMapped reads the rows as a mapping file says, which [Options.Check] has been through.
func readMapped(book *sheet.Book, file []byte) (ingest.Reader, error) {
	m, problems := mapping.Load(file)
	if m == nil {
		return nil, &problems[0]
	}
	return mapping.New(book, m)
}

func readFSMA(book *sheet.Book, o Options) (ingest.Reader, error) {
	zone, err := location(o.Zone)
	if err != nil {
		return nil, &ingest.Problem{Code: CodeOption, Pointer: "zone", Message: "The time zone is not known here."}
	}
	return fsma204.NewReader(book, fsma204.Options{Sender: o.Sender, Zone: zone, Dates: dateOrders[o.Dates]}), nil
}

func readLab(book *sheet.Book, o Options) (ingest.Reader, error) {
	zone, err := location(o.Zone)
	if err != nil {
		return nil, &ingest.Problem{Code: CodeOption, Pointer: "zone", Message: "The time zone is not known here."}
	}
	return lab.NewReader(book, lab.Options{Zone: zone, Dates: dateOrders[o.Dates]})
}

// dateOrders are the values of [Options.Dates].
var dateOrders = map[string]sheet.Order{"": sheet.YearFirst, "month-first": sheet.MonthFirst, "day-first": sheet.DayFirst}

// CodeOption: an option has a value that it cannot have; the place is its name.
const CodeOption ingest.Code = "OPTION"

// location is a zone by its name. That of this machine is none: a document means the same everywhere.
func location(zone string) (*time.Location, error) {
	if zone == "Local" {
		return nil, errors.New("no name of a zone")
	}
	return time.LoadLocation(zone)
}

// Check says what is wrong with options before anything is read with them.
func (o Options) Check() (problems []ingest.Problem) {
	if o.Mapping != nil {
		if _, found := mapping.Load(o.Mapping); ingest.HasErrors(found) {
			problems = found
		}
	}
	if _, err := location(o.Zone); err != nil {
		problems = append(problems, ingest.Problem{Code: CodeOption, Pointer: "zone", Message: "Send a time zone by its name, such as America/New_York."})
	}
	if _, ok := dateOrders[o.Dates]; !ok {
		problems = append(problems, ingest.Problem{Code: CodeOption, Pointer: "dates", Message: "Send month-first or day-first."})
	}
	return problems
}

// anywhere returns the document as it can be read at any place, and its size.
func (d *Document) anywhere(body io.Reader, tempDir string) (io.ReaderAt, int64, error) {
	seek, ok := body.(seekable)
	if at, isAt := d.source.Reader.(io.ReaderAt); ok && isAt {
		size, err := seek.seeker.Seek(0, io.SeekEnd)
		return readerAt{at, d.source}, size, err
	}
	var err error
	if d.spool, err = newSpool(tempDir); err != nil {
		return nil, 0, err
	}
	size, err := io.Copy(d.spool, io.LimitReader(body, maxSpool))
	if err != nil {
		return nil, 0, errors.Join(err, d.Close())
	}
	return readerAt{d.spool, d.source}, size, nil
}

// readerAt notes where a source was read last.
type readerAt struct {
	io.ReaderAt
	source *source
}

func (r readerAt) ReadAt(b []byte, offset int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(b, offset)
	r.source.at = offset + int64(n)
	return n, err
}

// spool is a temporary file. Where the system allows it, it has no name from the start, so that it is gone with the process.
type spool struct {
	*os.File
	named bool
}

func newSpool(dir string) (*spool, error) {
	f, err := os.CreateTemp(dir, "sheet-*.tmp")
	if err != nil {
		return nil, err
	}
	return &spool{File: f, named: os.Remove(f.Name()) != nil}, nil
}

// Close removes the file.
func (s *spool) Close() error {
	err := s.File.Close()
	if s.named {
		err = errors.Join(err, os.Remove(s.Name()))
	}
	return err
}
