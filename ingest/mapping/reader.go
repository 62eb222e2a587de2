package mapping

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// engine turns rows into records.
type engine struct {
	*Mapping
	builder builder
	open    [][]*row // by kind of record: the rows of one that more rows may belong to
	keys    []string // of them
	done    []*result
	unused  func(row int)
	filled  []sheet.Cell
	filledN []int
}

func (m *Mapping) engine(place func(row, column int) string, unused func(row int)) *engine {
	return &engine{Mapping: m, builder: builder{Mapping: m, place: place}, open: make([][]*row, len(m.records)), keys: make([]string, len(m.records)), unused: unused,
		filled: make([]sheet.Cell, len(m.columns)), filledN: make([]int, len(m.columns))}
}

func (e *engine) row(r *row) {
	e.fillDown(r)
	if slices.ContainsFunc(e.skip, func(c condition) bool { return c.holds(r) }) {
		return
	}
	used := false
	for i, rec := range e.records {
		if !rec.when.holds(r) {
			continue
		}
		used = true
		key, some := "", false
		for _, column := range rec.group {
			text := r.cell(column).Text
			key += text + "\x00"
			some = some || text != ""
		}
		if len(e.open[i]) > 0 && (!some || key != e.keys[i] || len(e.open[i]) == maxGroup) {
			e.close(i)
		}
		e.open[i], e.keys[i] = append(e.open[i], r), key
		if !some {
			e.close(i)
		}
	}
	if !used {
		e.unused(r.Number)
	}
}

// refuse answers for a row that is read as no record.
func (e *engine) refuse(row int, problems []ingest.Problem) {
	e.done = append(e.done, &result{of: &record{}, problems: problems, rows: []int{row}})
}

// fillDown lets empty cells have the value of the row above, unless a column that the mapping names before it has one of its own.
func (e *engine) fillDown(r *row) {
	own := false
	for _, column := range e.fill {
		c := r.Cell(r.at[column])
		if own = own || c.Kind != sheet.Empty; own {
			e.filled[column], e.filledN[column] = c, r.Number
		}
	}
	if e.fill != nil {
		r.filled, r.filledN = slices.Clone(e.filled), slices.Clone(e.filledN)
	}
}

// close makes a record of the rows that are open.
func (e *engine) close(i int) {
	rows := e.open[i]
	e.open[i] = nil
	res := e.builder.build(e.records[i], rows)
	if len(rows) == maxGroup {
		res.record = nil
		res.problems = append(res.problems, ingest.Problem{Code: CodeLimit, Pointer: e.builder.place(rows[0].Number, -1),
			Message: fmt.Sprintf("More than %d rows belong to one record.", maxGroup)})
	}
	e.done = append(e.done, res)
}

// end makes records of all rows that are open.
func (e *engine) end() {
	for i := range e.open {
		if len(e.open[i]) > 0 {
			e.close(i)
		}
	}
}

// Reader reads a book by a mapping. It implements [ingest.Reader].
type Reader struct {
	m            *Mapping
	sheets       []*opened
	engine       *engine // of the first of them
	problems     []ingest.Problem
	descriptions []contract.Record
	last         *result
	sheet        *sheet.Sheet // that the last result is of
}

// opened is a sheet whose columns have been found.
type opened struct {
	sheet *sheet.Sheet
	scan  *sheet.Scanner
	at    columnNumbers
	ahead *sheet.Row   // read, and not a heading
	table *sheet.Table // below the headings; nil: the columns have none
}

// New begins to read a book. The error is a *[ingest.Problem]: no sheet of the book has the columns that the mapping names.
func New(book *sheet.Book, m *Mapping) (*Reader, error) {
	r := &Reader{m: m}
	var why *ingest.Problem
	found := map[string]bool{}
	sheets := book.Sheets()
	for i := range sheets {
		s := &sheets[i]
		name := sheet.Fold(s.Name)
		if named := slices.Contains(m.sheets, name); len(m.sheets) > 0 && s.Name != "" && !named {
			continue
		}
		found[name] = true
		o, err := m.locate(s)
		var p *ingest.Problem
		switch {
		case err == nil && s.Hidden && len(m.sheets) == 0:
			r.remark(CodeHidden, s.Place(1, 0), "The sheet is hidden and was not read. A mapping that names it reads it.")
		case err == nil:
			r.sheets = append(r.sheets, o)
		case !errors.As(err, &p) || p.Code != CodeColumn, len(m.sheets) > 0:
			return nil, err
		case why == nil && !s.Hidden:
			why = p
		}
	}
	for _, name := range m.sheets {
		if !found[name] && book.Format() == sheet.XLSX {
			return nil, &ingest.Problem{Code: CodeSheet, Message: "The workbook has no sheet “" + name + "”."}
		}
	}
	if len(r.sheets) == 0 {
		if why == nil {
			why = &ingest.Problem{Code: CodeSheet, Message: "The workbook has no sheet that can be seen."}
		}
		return nil, why
	}
	return r, nil
}

func (r *Reader) remark(code ingest.Code, place, message string) {
	switch n := len(r.problems); {
	case n < maxProblems:
		r.problems = append(r.problems, ingest.Problem{Code: code, Severity: ingest.Finding, Message: message, Pointer: place})
	case n == maxProblems:
		r.problems = append(r.problems, ingest.Problem{Code: CodeLimit, Severity: ingest.Finding, Message: "There are more remarks like these.", Pointer: place})
	}
}

// locate finds the header row of a sheet, and in it the columns.
func (m *Mapping) locate(s *sheet.Sheet) (*opened, error) {
	o := &opened{sheet: s, scan: s.Scan()}
	var nearest *ingest.Problem
	fewest := len(m.columns) + 1
	for {
		row, err := o.scan.Next()
		if errors.Is(err, io.EOF) || err == nil && (row.Number > headerRows || m.header > 0 && row.Number > m.header && nearest != nil) {
			if nearest == nil {
				nearest = &ingest.Problem{Code: CodeColumn, Pointer: s.Place(1, -1), Message: "The sheet has no row of headings."}
			}
			return nil, nearest
		}
		if err != nil {
			return nil, err
		}
		if row.Number < m.header {
			continue
		}
		at, headed, missing := m.match(s, &row)
		if missing == nil {
			o.at = at
			if headed || row.Number == m.header {
				o.table = s.Below([]sheet.Row{row}, m.isHeader, at...)
			} else {
				o.ahead = &row
			}
			return o, nil
		}
		if missing.count < fewest {
			nearest, fewest = &missing.Problem, missing.count
		}
	}
}

// unmatched is why a row is not the header.
type unmatched struct {
	ingest.Problem
	count int // of columns
}

// match finds the columns by a row of headings. headed says that one was found by its heading.
func (m *Mapping) match(s *sheet.Sheet, row *sheet.Row) (at columnNumbers, headed bool, missing *unmatched) {
	byName := map[string][]int{}
	for i, c := range row.Cells {
		if name := sheet.Fold(c.Text); name != "" {
			byName[name] = append(byName[name], i)
		}
	}
	var absent []string
	byHeading := false // some column is found by its heading, if it is there
	for i := range m.columns {
		c := &m.columns[i]
		number := -1
		for _, h := range c.headings {
			letters, direct := strings.CutPrefix(h, "@")
			byHeading = byHeading || !direct
			if direct {
				number = sheet.ColumnNumber(letters)
				break
			}
			columns := byName[sheet.Fold(h)]
			if len(columns) > 1 {
				place := s.Place(row.Number, columns[1])
				return nil, false, &unmatched{count: 0, Problem: ingest.Problem{Code: CodeColumn, Pointer: place,
					Message: "The heading “" + h + "” is here twice. The mapping must say which column is meant, as @" + sheet.Column(columns[0]) + " or @" + sheet.Column(columns[1]) + "."}}
			}
			if len(columns) == 1 {
				number, headed = columns[0], true
				break
			}
		}
		if number < 0 && !c.optional {
			absent = append(absent, "“"+strings.Join(c.headings, "” or “")+"”")
		}
		at = append(at, number)
	}
	if len(absent) == 0 && headed == byHeading {
		return at, headed, nil
	}
	if len(absent) == 0 {
		absent = append(absent, "that any column has in the mapping")
	}
	return nil, false, &unmatched{count: len(absent), Problem: ingest.Problem{Code: CodeColumn, Pointer: s.Place(row.Number, -1),
		Message: "The sheet has no column with the heading " + strings.Join(absent, ", nor ") + "; this row has the most of them."}}
}

// isHeader says whether a row is one of headings, of this mapping's columns in whatever order.
func (m *Mapping) isHeader(row *sheet.Row) bool {
	return sheet.IsHeader(row, func(text string) bool {
		return slices.ContainsFunc(m.columns, func(c column) bool {
			return slices.ContainsFunc(c.headings, func(h string) bool { return sheet.Fold(h) == sheet.Fold(text) })
		})
	})
}

// Next implements [ingest.Reader].
func (r *Reader) Next() (*contract.Record, []ingest.Problem, error) {
	for {
		if r.engine != nil && len(r.engine.done) > 0 {
			r.last, r.engine.done = r.engine.done[0], r.engine.done[1:]
			if rec := r.last.record; rec == nil || rec.Registration == nil {
				return rec, r.last.problems, nil
			}
			if problem := r.describe(); problem != nil {
				return nil, nil, problem
			}
			continue
		}
		if len(r.sheets) == 0 {
			r.engine = nil
			return nil, nil, io.EOF
		}
		if err := r.read(); err != nil {
			r.sheets, r.engine = nil, nil
			return nil, nil, err
		}
	}
}

// describe keeps what the last result says of a site or product.
func (r *Reader) describe() *ingest.Problem {
	for _, p := range r.last.problems {
		r.remark(p.Code, p.Pointer, p.Message)
	}
	if len(r.descriptions) == maxDescriptions {
		return &ingest.Problem{Code: CodeLimit, Pointer: r.Places()[0], Message: fmt.Sprintf("The sheet describes more than %d sites and products.", maxDescriptions)}
	}
	r.descriptions = append(r.descriptions, *r.last.record)
	return nil
}

// read takes in the next row.
func (r *Reader) read() error {
	o := r.sheets[0]
	if r.engine == nil || r.sheet != o.sheet {
		r.sheet = o.sheet
		place := func(row, column int) string {
			if column >= 0 {
				column = o.at[column]
			}
			return o.sheet.Place(row, column)
		}
		r.engine = r.m.engine(place, func(row int) {
			r.remark(CodeUnused, o.sheet.Place(row, 0), "The row became no record: no “when” of the mapping holds for it.")
		})
	}
	next := o.ahead
	if o.ahead = nil; next == nil {
		row, err := o.scan.Next()
		if errors.Is(err, io.EOF) {
			r.sheets = r.sheets[1:]
			r.engine.end()
			return nil
		}
		if err != nil {
			return err
		}
		next = &row
	}
	if r.wants(o, next) {
		r.engine.row(&row{Row: *next, at: o.at})
	}
	return nil
}

// wants says whether a row is to be read, and what is to be said of it before.
func (r *Reader) wants(o *opened, row *sheet.Row) bool {
	if o.table == nil {
		return true
	}
	wanted, said := o.table.Check(row)
	if ingest.HasErrors(said) {
		r.engine.refuse(row.Number, said)
		return false
	}
	for _, p := range said {
		r.remark(p.Code, p.Pointer, p.Message)
	}
	return wanted
}

// Places implements [ingest.Reader].
func (r *Reader) Places() (all []string) {
	for _, number := range r.last.rows {
		all = append(all, r.sheet.Place(number, 0))
	}
	return all
}

// Problems implements [ingest.Reader].
func (r *Reader) Problems() []ingest.Problem { return r.problems }

// Descriptions implements [ingest.Reader].
func (r *Reader) Descriptions() []contract.Record { return r.descriptions }

// Kind is the name that the mapping gives to what Next returned last, or else what it is: event, inspection, site, product.
func (r *Reader) Kind() string {
	if r.last.of.name != "" {
		return r.last.of.name
	}
	return r.last.of.kind
}

// JSON is what the rows that Next returned last became, as far as they became something.
func (r *Reader) JSON() []byte { return r.last.json }

var _ ingest.Reader = (*Reader)(nil)
