// Package formats is the one place that knows all formats that are read: it finds by its content what a document is, and opens the
// reader for it.
//
// EPCIS is found by its first bytes. A CSV or XLSX file is a sheet; what its rows mean is found by their headings: a new layout is one line
// in the list of layouts (sheets.go).
package formats

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// Format is what the first bytes of a document say that it is.
type Format uint8

// The formats.
const (
	None      Format = iota // none of them
	EPCISJSON               // EPCIS 2.0 as JSON-LD
	EPCISXML                // EPCIS 1.0 to 2.0 as XML
	CSV                     // a sheet as text with columns
	XLSX                    // sheets in a workbook
)

// SniffLen is how many of the first bytes [Sniff] needs.
const SniffLen = max(epcis.SniffLen, sheet.SniffLen)

// Sniff tells the format of a document by its first bytes: at most [SniffLen], fewer where the document has fewer.
func Sniff(head []byte) Format {
	found := epcis.Sniff(head)
	if found == epcis.JSON {
		return EPCISJSON
	}
	switch sheet.Sniff(head) { // before XML: text of two-byte characters may be either
	case sheet.CSV:
		return CSV
	case sheet.XLSX:
		return XLSX
	}
	if found == epcis.XML {
		return EPCISXML
	}
	return None
}

// MediaType is what the format is called on the web.
func (f Format) MediaType() string {
	switch f {
	case EPCISJSON:
		return epcis.JSON.MediaType()
	case EPCISXML:
		return epcis.XML.MediaType()
	case CSV:
		return sheet.CSV.MediaType()
	case XLSX:
		return sheet.XLSX.MediaType()
	}
	return epcis.None.MediaType()
}

// Options say how a document is to be read.
type Options struct {
	// Mapping is the mapping file by which the rows of a sheet become records; nil for formats that need none.
	Mapping []byte
	// Sender is the MSP ID of the member that sends it: what a sheet names by a text only is the sender's.
	Sender string
	// Zone is the name of the time zone of dates that state none ("America/New_York"); "" is UTC.
	Zone string
	// Dates is the order of dates like 04/05/2026: "month-first", "day-first", or "" when such a date is not to be taken.
	Dates string
	// TempDir is where sheets are copied to that come as a stream; "" is the system's.
	TempDir string
}

// Document is a document that is being read.
type Document struct {
	ingest.Reader
	Format Format
	Book   *sheet.Book // of a sheet, else nil
	source *source
	spool  *spool // nil when r can be read anywhere
}

// Open finds the format of a document and begins to read it. Where r is an [io.Seeker] at the document's beginning, what EPCIS allows to
// come late (@context) may come late. A sheet whose r is no [io.ReaderAt] is copied to a temporary file. What is of no format is read as EPCIS
// JSON, which says what is wrong. Errors are those of r, or a *[ingest.Problem] of the document as a whole. The document is to be closed; r stays open.
func Open(r io.Reader, o Options) (*Document, error) {
	d := &Document{source: &source{Reader: r}}
	body, head, err := d.source.peek()
	if err != nil {
		return nil, fmt.Errorf("formats: reading the document: %w", err)
	}
	d.Format = Sniff(head)
	if d.Format == CSV || d.Format == XLSX {
		return d.openSheet(body, o)
	}
	d.Reader = epcisReader{epcis.NewReader(body, epcis.Limits{})}
	return d, nil
}

// Close frees what reading needed beside r.
func (d *Document) Close() error {
	var err error
	if r, ok := d.Reader.(io.Closer); ok {
		err = r.Close()
	}
	if d.spool != nil {
		err = errors.Join(err, d.spool.Close())
	}
	return err
}

// Position is how many bytes of the document have been read, for a display of progress.
func (d *Document) Position() int64 { return d.source.at }

// source is the bytes of a document, and how far they have been read.
type source struct {
	io.Reader
	at int64
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	s.at += int64(n)
	return n, err
}

// peek returns the first bytes, and a reader of all of them that can seek where the source can.
func (s *source) peek() (all io.Reader, head []byte, err error) {
	if seeker, ok := s.Reader.(io.ReadSeeker); ok && canSeek(seeker) {
		head = make([]byte, SniffLen)
		n, err := io.ReadFull(seeker, head)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, nil, err
		}
		_, err = seeker.Seek(0, io.SeekStart)
		return seekable{s, seeker}, head[:n], err
	}
	buffered := bufio.NewReaderSize(s, SniffLen)
	head, err = buffered.Peek(SniffLen)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return buffered, head, err
}

// canSeek tells files from pipes, which are files too.
func canSeek(s io.Seeker) bool {
	_, err := s.Seek(0, io.SeekCurrent)
	return err == nil
}

// seekable is a source that can be read again.
type seekable struct {
	*source
	seeker io.Seeker
}

func (s seekable) Seek(offset int64, whence int) (at int64, err error) {
	at, err = s.seeker.Seek(offset, whence)
	s.at = at
	return at, err
}
