// Package sheet reads and writes spreadsheets, XLSX workbooks and delimited text (CSV), as rows of cells. What the cells mean is for
// other packages to know. A sheet is read row by row; what is in memory is bounded by [Limits], not by the file.
package sheet

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/internal/charset"
)

// The problems of a sheet as such. After any of them nothing more can be read.
const (
	CodeFormat   ingest.Code = "SHEET_FORMAT"   // neither an XLSX workbook nor delimited text
	CodeSyntax   ingest.Code = "SHEET_SYNTAX"   // begins as one of them and is damaged
	CodeEncoding ingest.Code = "SHEET_ENCODING" // text with bytes that no encoding known here explains
	CodeLimit    ingest.Code = "LIMIT"          // one of the named limits
	CodeRead     ingest.Code = "READ"           // the bytes could not be read
)

// Limits bound what one file may cost. A zero field means the default.
type Limits struct {
	Bytes    int64 // of the file: DefaultBytes
	Unzipped int64 // of all that is read from a workbook: DefaultUnzipped
	Strings  int64 // of a workbook's shared strings, which are in memory while it is read: DefaultStrings
	Rows     int   // of one sheet: DefaultRows
	Columns  int   // up to the last cell with a value: DefaultColumns
	Cell     int   // bytes of one cell: DefaultCell
}

// Defaults of [Limits].
const (
	// DefaultBytes is room for two million rows of 500 bytes.
	DefaultBytes = 1 << 30
	// DefaultUnzipped: a sheet of 1,048,576 rows, the most that a workbook can have, of 50 cells of 40 bytes.
	DefaultUnzipped = 2 << 30
	// DefaultStrings: eight million distinct texts of 12 bytes.
	DefaultStrings = 96 << 20
	// DefaultRows is what epcis.DefaultEvents is to a document.
	DefaultRows = 2_000_000
	// DefaultColumns is several times what the widest known layout has; one row is in memory at a time.
	DefaultColumns = 1024
	// DefaultCell: a cell of a workbook has at most 32,767 characters, of up to four bytes each.
	DefaultCell = 128 << 10
)

func (l Limits) withDefaults() Limits {
	set(&l.Bytes, DefaultBytes)
	set(&l.Unzipped, DefaultUnzipped)
	set(&l.Strings, DefaultStrings)
	set(&l.Rows, DefaultRows)
	set(&l.Columns, DefaultColumns)
	set(&l.Cell, DefaultCell)
	return l
}

func set[T int | int64](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// Kind says what a cell holds.
type Kind uint8

// The kinds of cells. In CSV a cell is Empty or Text.
const (
	Empty  Kind = iota
	Text        // a text
	Number      // a number; Text is its exact decimal
	Date        // a date, with a time of day if Clock is set
	Time        // a time of day
	Bool        // TRUE or FALSE
	Failed      // a formula that has an error instead of a value, or a value that is none: #N/A
)

// Cell is one cell of a row.
type Cell struct {
	// Text is what a person reads: a text without the blanks around it; a decimal ("12.5"), with leading zeros where the cell shows them;
	// a date ("2026-04-20", "2026-04-20T08:30:00"), a time of day ("08:30:00"), TRUE or FALSE, or an error (#N/A).
	Text string
	Kind Kind
	// Lossy: a number with more digits than a spreadsheet keeps. Identifiers that were typed as numbers are damaged like this.
	Lossy bool
	// Civil is the date and time of a Date, or the time of day of a Time, as the sheet shows it. Sheets know no time zone: it is written in UTC.
	Civil time.Time
	// Clock: the date has a time of day.
	Clock bool
}

// Row is one row that is not empty.
type Row struct {
	Number int // as a person sees it, from 1
	Cells  []Cell
}

// Cell returns the cell of a column, counted from 0; an empty one behind the last.
func (r *Row) Cell(column int) Cell {
	if column < 0 || column >= len(r.Cells) {
		return Cell{}
	}
	return r.Cells[column]
}

// Sheet is one sheet of a book.
type Sheet struct {
	Name   string // "" in CSV
	Hidden bool
	book   *Book
	part   string // of the workbook
}

// Rows reads the sheet from its start as [Sheet.Scan] does. An error is a *[ingest.Problem] and ends the rows.
func (s *Sheet) Rows() iter.Seq2[Row, error] { return each(s.Scan().Next) }

func each(next func() (Row, error)) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for {
			row, err := next()
			if errors.Is(err, io.EOF) || !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// Scanner reads a sheet row by row, for callers that want the next row and not all of them. It holds nothing that is to be closed.
type Scanner struct {
	next    func() (Row, error)
	answers answers
}

// Scan reads the sheet from its start, without the columns in which it came back with our answers. Empty rows are left out.
func (s *Sheet) Scan() *Scanner { return &Scanner{next: s.scanAll()} }

// Next returns the next row that is not empty. Errors are io.EOF or a *[ingest.Problem], after which nothing more can be read.
func (s *Scanner) Next() (Row, error) {
	for {
		row, err := s.next()
		if err != nil || s.answers.takeOut(&row) {
			return row, err
		}
	}
}

// scanAll returns the rows of the sheet one by one, with our answers.
func (s *Sheet) scanAll() func() (Row, error) {
	if s.book.workbook == nil {
		return s.book.scanText()
	}
	r, err := s.book.workbook.scan(s)
	if err != nil {
		return func() (Row, error) { return Row{}, err }
	}
	return r.next
}

// Place is [Place] in this sheet.
func (s *Sheet) Place(row, column int) string { return Place(s.Name, row, column) }

// Book is a file of sheets. It is for one goroutine at a time.
type Book struct {
	r        io.ReaderAt
	size     int64
	limits   Limits
	sheets   []Sheet
	format   Format
	workbook *workbook // nil: delimited text
	text     dialect   // of delimited text
}

// Sheets are those of the book in its order, those that are hidden too.
func (b *Book) Sheets() []Sheet { return b.sheets }

// Format of the file.
func (b *Book) Format() Format { return b.format }

// Open reads a workbook (XLSX) or delimited text (CSV): its format, encoding and delimiter are found by its content. Errors are *[ingest.Problem].
func Open(r io.ReaderAt, size int64, limits Limits) (*Book, error) {
	b := &Book{r: r, size: size, limits: limits.withDefaults()}
	if size > b.limits.Bytes {
		return nil, limit("The file is larger than " + itoa(b.limits.Bytes) + " bytes.")
	}
	head := make([]byte, min(size, SniffLen))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return nil, &ingest.Problem{Code: CodeRead, Message: "The file could not be read: " + err.Error() + "."}
	}
	b.format = Sniff(head)
	switch b.format {
	case XLSX:
		return b, b.openWorkbook()
	case CSV:
		return b, b.openText()
	}
	if bytes.HasPrefix(head, compound) {
		return nil, &ingest.Problem{Code: CodeFormat, Message: "This is a workbook of Excel 97 to 2003, or one with a password. Save it as XLSX without a password."}
	}
	return nil, &ingest.Problem{Code: CodeFormat, Message: "This is neither an XLSX workbook nor a text with columns."}
}

// Format of a file.
type Format uint8

// The formats of sheets.
const (
	None Format = iota
	XLSX
	CSV
)

// MediaType is what the format is called on the web.
func (f Format) MediaType() string {
	switch f {
	case XLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case CSV:
		return "text/csv"
	}
	return "application/octet-stream"
}

// SniffLen is how many of the first bytes [Sniff] wants to see.
const SniffLen = 4096

var (
	zipLocal = []byte("PK\x03\x04")
	// compound begins an OLE compound file: XLS, and XLSX with a password.
	compound = []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
)

// Sniff tells the format of a file by its first bytes. Text is a sheet if it has a delimiter and does not begin as XML or JSON does.
func Sniff(head []byte) Format {
	if bytes.HasPrefix(head, zipLocal) {
		return XLSX
	}
	text, ok := charset.Plain(head)
	if !ok {
		return None
	}
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	if text == "" || strings.ContainsRune("<{[", rune(text[0])) || !strings.ContainsAny(text, delimiters) {
		return None
	}
	return CSV
}

// Place is what a person calls a cell of a sheet. The column is counted from 0; below 0 the place is the whole row ("Harvest!12").
func Place(sheet string, row, column int) string {
	var b strings.Builder
	if sheet != "" {
		if strings.ContainsFunc(sheet, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' }) {
			sheet = "'" + strings.ReplaceAll(sheet, "'", "''") + "'"
		}
		b.WriteString(sheet)
		b.WriteByte('!')
	}
	if column >= 0 {
		b.WriteString(Column(column))
	}
	b.WriteString(strconv.Itoa(row))
	return b.String()
}

// Column is the letters of a column that is counted from 0: A, Z, AA.
func Column(n int) string {
	var letters []byte
	for n++; n > 0; n = (n - 1) / 26 {
		letters = append([]byte{byte('A' + (n-1)%26)}, letters...)
	}
	return string(letters)
}

func limit(message string) *ingest.Problem {
	return &ingest.Problem{Code: CodeLimit, Message: message}
}

func itoa[T int | int64](n T) string { return strconv.FormatInt(int64(n), 10) }

// ColumnNumber is the inverse of [Column]: C is 2. Below 0: there is no such column.
func ColumnNumber(letters string) int {
	n := columnOf(letters)
	if n < 0 || n >= lastColumn || Column(n) != letters {
		return -1
	}
	return n
}
