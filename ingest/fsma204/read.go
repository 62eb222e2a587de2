package fsma204

import (
	"errors"
	"io"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// Reader reads a book of sheets, tab by tab. It is an [ingest.Reader]; each record is an event.
type Reader struct {
	book    *sheet.Book
	options Options

	begun     bool
	tabs      []*tab // of events, still to be read
	locations map[string]location
	remarked  map[string]bool // places that are not described
	described []contract.Record
	problems  []ingest.Problem

	tab    *tab
	rows   *sheet.Scanner
	group  []*line // rows of one lot, so far
	queue  []read
	places []string
	err    error
}

// tab is a sheet with a header that is known.
type tab struct {
	sheet   *sheet.Sheet
	header  *header
	table   *sheet.Table
	options *Options
}

// read is what was made of some rows.
type read struct {
	event    *event.Event
	problems []ingest.Problem
	places   []string
}

// NewReader reads a book. The book is not closed.
func NewReader(book *sheet.Book, options Options) *Reader {
	return &Reader{book: book, options: options, locations: map[string]location{}, remarked: map[string]bool{}}
}

// Next implements [ingest.Reader].
func (r *Reader) Next() (*contract.Record, []ingest.Problem, error) {
	if !r.begun {
		r.begun = true
		if err := r.begin(); err != nil {
			r.fail(err)
		}
	}
	for len(r.queue) == 0 {
		if r.err != nil {
			return nil, nil, r.err
		}
		r.step()
	}
	next := r.queue[0]
	r.queue = r.queue[1:]
	r.places = next.places
	if next.event == nil {
		return nil, next.problems, nil
	}
	return &contract.Record{Event: next.event}, next.problems, nil
}

// Places implements [ingest.Reader]: the rows.
func (r *Reader) Places() []string { return r.places }

// Problems implements [ingest.Reader].
func (r *Reader) Problems() []ingest.Problem { return r.problems }

// Descriptions implements [ingest.Reader]: the rows of Locations and Products.
func (r *Reader) Descriptions() []contract.Record { return r.described }

// fail ends the reading, with io.EOF or a *[ingest.Problem].
func (r *Reader) fail(err error) {
	var p *ingest.Problem
	if !errors.Is(err, io.EOF) && !errors.As(err, &p) {
		err = &ingest.Problem{Code: CodeRead, Message: "The file could not be read: " + err.Error() + "."}
	}
	r.err = err
}

func (r *Reader) report(p ingest.Problem) {
	switch n := len(r.problems); {
	case n < maxProblems:
		r.problems = append(r.problems, p)
	case n == maxProblems:
		r.problems = append(r.problems, ingest.Problem{Code: CodeLimit, Severity: p.Severity, Message: "There are more problems like these.", Pointer: p.Pointer})
	}
}

// begin finds the tabs and reads those that describe places and products.
func (r *Reader) begin() error {
	var descriptions []*tab
	sheets := r.book.Sheets()
	if len(sheets) > maxSheets {
		return &ingest.Problem{Code: CodeLimit, Message: "The workbook has more than 256 sheets."}
	}
	var unknown []ingest.Problem
	for i := range sheets {
		s := &sheets[i]
		rows, err := top(s)
		if err != nil {
			return err
		}
		h := findHeader(rows)
		switch {
		case len(rows) == 0:
		case h == nil:
			unknown = append(unknown, ingest.Problem{Code: CodeSheet, Severity: ingest.Finding, Pointer: s.Place(rows[0].Number, 0),
				Message: "No row of this sheet is a header that is known here, so nothing was read from it."})
		default:
			t := &tab{sheet: s, header: h, table: s.Below(h.rows, isHeader), options: &r.options}
			if h.layout.isEvent() {
				r.tabs = append(r.tabs, t)
			} else {
				descriptions = append(descriptions, t)
			}
			r.unknownColumns(t)
		}
	}
	if len(r.tabs)+len(descriptions) == 0 {
		return &ingest.Problem{Code: CodeSheet, Message: "No sheet has a header row of a critical tracking event (harvesting, cooling, initial packing, first land-based receiving, shipping, receiving, transformation), of locations or of products."}
	}
	for _, p := range unknown {
		r.report(p)
	}
	for _, t := range descriptions {
		if err := r.describe(t); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) unknownColumns(t *tab) {
	for i, title := range t.header.titles {
		if title != "" && t.header.columns[i] == none {
			message := "The column \"" + ingest.Clip(title) + "\" is not known here, or is there twice. "
			if t.header.layout.isEvent() {
				message += "What it says is kept with each event as it is."
			} else {
				message += "What it says is not kept."
			}
			r.report(ingest.Problem{Code: CodeColumn, Severity: ingest.Finding, Pointer: t.sheet.Place(t.header.last(), i), Message: message})
		}
	}
}

// step reads a row, or goes on to the next tab.
func (r *Reader) step() {
	if r.rows == nil {
		if len(r.tabs) == 0 {
			r.fail(io.EOF)
			return
		}
		r.tab, r.tabs = r.tabs[0], r.tabs[1:]
		r.rows = r.tab.sheet.Scan()
	}
	row, err := r.rows.Next()
	switch {
	case errors.Is(err, io.EOF):
		r.flush()
		r.rows = nil
	case err != nil:
		r.flush()
		r.fail(err)
	case row.Number > r.tab.header.last():
		r.take(row)
	}
}

// take reads a row behind the header.
func (r *Reader) take(row sheet.Row) {
	l, filled := newLine(r.tab, row)
	if filled == 0 || r.isNote(row, filled) {
		return
	}
	wanted, said := r.tab.table.Check(&row)
	if ingest.HasErrors(said) {
		r.flush()
		r.queue = append(r.queue, read{problems: said, places: []string{l.place(none)}})
		return
	}
	for _, p := range said {
		r.report(p)
	}
	if !wanted {
		return
	}
	if !r.continues(l) {
		r.flush()
	}
	r.group = append(r.group, l)
}

// fewColumns is how many columns a table has at most of which a row with one cell may be a row.
const fewColumns = 3

// isNote says whether a row is a footnote below the table, or its sums.
func (r *Reader) isNote(row sheet.Row, filled int) bool {
	if sheet.IsTotal(&row) {
		r.report(ingest.Problem{Code: sheet.CodeTotal, Severity: ingest.Finding, Pointer: r.tab.sheet.Place(row.Number, 0),
			Message: "The row has the sums of the table, so it is no event."})
		return true
	}
	if sheet.IsNote(&row) {
		r.report(ingest.Problem{Code: sheet.CodeNote, Severity: ingest.Finding, Pointer: r.tab.sheet.Place(row.Number, 0),
			Message: "The row is taken for a note or signatures below the table, and not for an event."})
		return true
	}
	if filled > 1 || len(r.tab.header.columns) <= fewColumns {
		return false
	}
	last := len(row.Cells) - 1 // cells behind the last one with something are not there in workbooks, and are empty in CSV
	for row.Cells[last].Kind == sheet.Empty {
		last--
	}
	if !strings.HasPrefix(row.Cells[last].Text, "*") {
		r.report(ingest.Problem{Code: sheet.CodeNote, Severity: ingest.Finding, Pointer: r.tab.sheet.Place(row.Number, last),
			Message: "The row has one cell only, so it is taken for a note and not for an event."})
	}
	return true
}

// continues says whether a row tells of another input of the lot that the rows before it tell of: all that it says of the lot is
// the same, or is left out.
func (r *Reader) continues(l *line) bool {
	cte := r.tab.header.layout.cte
	if len(r.group) == 0 || len(r.group) >= maxInputs || cte != Packing && cte != Transformation {
		return false
	}
	first, input := r.group[0], false
	for f := range fieldCount {
		if fields[f].about == theInput {
			input = input || l.texts[f] != ""
		} else if l.texts[f] != "" && l.texts[f] != first.texts[f] {
			return false
		}
	}
	return input
}

// flush makes events of the rows that are together so far.
func (r *Reader) flush() {
	if len(r.group) == 0 {
		return
	}
	lines := r.group
	r.group = nil
	var places []string
	for _, l := range lines {
		places = append(places, l.tab.sheet.Place(l.row, 0))
	}
	for i, e := range r.build(lines) {
		next := read{event: e, places: places}
		if i == 0 {
			next.problems = lines[0].problems
		}
		r.queue = append(r.queue, next)
	}
}
