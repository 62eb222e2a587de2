// Package lab reads laboratory results from sheets, CSV or XLSX, as laboratories export them: a row for each test of each sample, with
// headings in Chinese or English in any order. Rows of one report, lot, kind of test, date and laboratory that stand one behind the
// other become one inspection: a report with two hundred pesticides is one statement on a lot, and its note says what was measured.
package lab

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// The problems of laboratory results; those of sheets as such are in package sheet.
const (
	CodeSheet     ingest.Code = "SHEET_UNKNOWN"     // finding: a sheet without the headings of laboratory results, not read
	CodeColumn    ingest.Code = "COLUMN_TWICE"      // two columns have headings of one meaning: the sheet does not say which one counts
	CodeUnread    ingest.Code = "COLUMN_UNKNOWN"    // finding: a column with a heading that is not known here, or means what that of another one means; not read
	CodeMissing   ingest.Code = "LAB_MISSING"       // a cell that must have a value is empty
	CodeItem      ingest.Code = "LAB_ITEM"          // what was tested is named in a way that does not tell it from the lots of others
	CodeSite      ingest.Code = "LAB_SITE"          // finding: the place of sampling is no identifier; it is left out
	CodeVerdict   ingest.Code = "LAB_VERDICT"       // neither a verdict, nor a result and a limit that can be compared
	CodeDisagree  ingest.Code = "LAB_CONTRADICTION" // finding: the verdict is not what result and limit say; the verdict counts
	CodeDigits    ingest.Code = "DIGITS_LOST"       // an identifier that a spreadsheet has taken for a number, and has cut
	CodeCheck     ingest.Code = "CHECK_DIGIT"       // the check digit of a GS1 identifier does not match
	CodeFailed    ingest.Code = "CELL_FAILED"       // a formula without a value
	CodeTruncated ingest.Code = "LAB_NOTE"          // finding: there are more tests than the note has room for
)

const (
	// headerRows is how far down the headings are looked for, below titles and addresses.
	headerRows = 60
	// maxTests is how many rows may become one inspection; the widest pesticide methods have some 800. They are in memory.
	maxTests = 2000
	// maxNote is the length of a note in one language, in bytes; a consumer reads it on a telephone. Failed tests come first.
	maxNote = 2000
	// maxProblems are those of one inspection, or of the sheet outside of them, that are listed.
	maxProblems = 100
)

// Options say what a sheet does not say itself.
type Options struct {
	// Zone is where its dates are dates; nil is UTC.
	Zone *time.Location
	// Dates is the order of day and month in dates that do not begin with the year.
	Dates sheet.Order
}

// Recognise says whether a sheet of the book has the headings of laboratory results.
func Recognise(book *sheet.Book) bool {
	sheets := book.Sheets()
	for i := range sheets {
		if h, err := findHeader(&sheets[i]); err == nil && h != nil {
			return true
		}
	}
	return false
}

// Reader implements [ingest.Reader].
type Reader struct {
	options  Options
	sheets   []*header
	open     *report
	ready    []*report
	last     *report
	problems []ingest.Problem
}

// NewReader begins to read a book. The error is a *[ingest.Problem].
func NewReader(book *sheet.Book, o Options) (*Reader, error) {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	r := &Reader{options: o}
	sheets := book.Sheets()
	for i := range sheets {
		s := &sheets[i]
		h, err := findHeader(s)
		if err != nil {
			return nil, err
		}
		switch {
		case h == nil:
			r.remark(CodeSheet, s.Place(1, 0), "The sheet has no headings of laboratory results and was not read.")
		case s.Hidden:
			r.remark(CodeSheet, s.Place(1, 0), "The sheet is hidden and was not read.")
		case h.twice != nil:
			return nil, h.twice
		default:
			r.sheets = append(r.sheets, h)
			r.unread(h)
		}
	}
	if len(r.sheets) == 0 {
		return nil, &ingest.Problem{Code: CodeSheet, Message: "No sheet that can be seen has the headings of laboratory results: lot or item, test, result or verdict."}
	}
	return r, nil
}

// unread says which columns are not read.
func (r *Reader) unread(h *header) {
	for _, i := range h.unread {
		r.remark(CodeUnread, h.sheet.Place(h.row.Number, i), "The column “"+ingest.Clip(h.row.Cells[i].Text)+"” is not known here, or means what another one means. It was not read.")
	}
}

func (r *Reader) remark(code ingest.Code, place, message string) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, ingest.Problem{Code: code, Severity: ingest.Finding, Message: message, Pointer: place})
	}
}

// Next implements [ingest.Reader].
func (r *Reader) Next() (*contract.Record, []ingest.Problem, error) {
	for {
		if len(r.ready) > 0 {
			r.last, r.ready = r.ready[0], r.ready[1:]
			record, problems := r.last.record()
			return record, problems, nil
		}
		if len(r.sheets) == 0 {
			return nil, nil, io.EOF
		}
		h := r.sheets[0]
		row, err := h.scan.Next()
		if errors.Is(err, io.EOF) {
			r.sheets = r.sheets[1:]
			r.end()
			continue
		}
		if err != nil {
			r.sheets = nil
			return nil, nil, err
		}
		r.take(h, &row)
	}
}

// take reads a row below the headings.
func (r *Reader) take(h *header, row *sheet.Row) {
	switch {
	case sheet.IsTotal(row):
		r.remark(sheet.CodeTotal, h.sheet.Place(row.Number, 0), "The row has the sums of the table, so it is no test.")
		return
	case sheet.IsNote(row):
		r.remark(sheet.CodeNote, h.sheet.Place(row.Number, 0), "The row is taken for a note or signatures below the table, and not for a test.")
		return
	}
	wanted, said := h.table.Check(row)
	if ingest.HasErrors(said) {
		r.add(&test{place: h.sheet.Place(row.Number, 0), problems: said})
		return
	}
	for _, p := range said {
		r.remark(p.Code, p.Pointer, p.Message)
	}
	if !wanted {
		return
	}
	t := h.read(row, r.options)
	if t == nil {
		r.remark(sheet.CodeNote, h.sheet.Place(row.Number, 0), "The row says neither what was tested nor what came out, so it is taken for a note and not for a test.")
		return
	}
	r.add(t)
}

// add puts a test to those before it if it belongs to the same report.
func (r *Reader) add(t *test) {
	if r.open != nil && (r.open.key() != t.key() || ingest.HasErrors(t.problems) || r.open.failed() || len(r.open.tests) == maxTests) {
		r.end()
	}
	if r.open == nil {
		r.open = &report{}
	}
	r.open.tests = append(r.open.tests, t)
}

func (r *Reader) end() {
	if r.open != nil {
		r.ready, r.open = append(r.ready, r.open), nil
	}
}

// Places implements [ingest.Reader].
func (r *Reader) Places() (all []string) {
	for _, t := range r.last.tests {
		all = append(all, t.place)
	}
	return all
}

// Problems implements [ingest.Reader].
func (r *Reader) Problems() []ingest.Problem { return r.problems }

// Descriptions implements [ingest.Reader]: there are none.
func (r *Reader) Descriptions() []contract.Record { return nil }

var _ ingest.Reader = (*Reader)(nil)

// report is the tests of one inspection.
type report struct{ tests []*test }

func (r *report) key() string { return r.tests[0].key() }

// failed says that the report is of a row with an error, which stands alone: the rows around it are not lost with it.
func (r *report) failed() bool { return ingest.HasErrors(r.tests[0].problems) }

// record makes the inspection: failed if one test failed, else inconclusive if one was.
func (r *report) record() (*contract.Record, []ingest.Problem) {
	var problems []ingest.Problem
	for _, t := range r.tests {
		problems = append(problems, t.problems...)
	}
	if len(problems) > maxProblems {
		problems = problems[:maxProblems]
	}
	if ingest.HasErrors(problems) {
		return nil, problems
	}
	i := r.tests[0].inspection
	i.Result = contract.Pass
	for _, t := range r.tests {
		switch t.inspection.Result {
		case contract.Fail:
			i.Result = contract.Fail
		case contract.Inconclusive:
			if i.Result == contract.Pass {
				i.Result = contract.Inconclusive
			}
		}
	}
	var cut bool
	i.Note, cut = r.note()
	if cut {
		problems = append(problems, ingest.Problem{Code: CodeTruncated, Severity: ingest.Finding, Pointer: r.tests[0].place,
			Message: fmt.Sprintf("The note has no room for all %d tests; those that failed come first.", len(r.tests))})
	}
	return &contract.Record{Inspection: &i}, problems
}

// note says what was measured, in both languages: what failed, then what is open, then what passed.
func (r *report) note() (note contract.Text, cut bool) {
	var zh, en strings.Builder
	left := 0
	for _, result := range []contract.Result{contract.Fail, contract.Inconclusive, contract.Pass} {
		for _, t := range r.tests {
			if t.inspection.Result != result {
				continue
			}
			z, e := t.note()
			if left > 0 || zh.Len()+len(z) > maxNote || en.Len()+len(e) > maxNote {
				left++
				continue
			}
			join(&zh, z, "；")
			join(&en, e, "; ")
		}
	}
	if left > 0 {
		fmt.Fprintf(&zh, "；另有%d项", left)
		fmt.Fprintf(&en, "; and %d more", left)
	}
	return contract.Text{ZH: zh.String(), EN: en.String()}, left > 0
}

func join(b *strings.Builder, s, between string) {
	if b.Len() > 0 {
		b.WriteString(between)
	}
	b.WriteString(s)
}
