package fsma204

import (
	"regexp"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// line is a row of a tab: its cells by field, and what is wrong with them.
type line struct {
	tab      *tab
	row      int
	cells    [fieldCount]sheet.Cell
	others   []other // of columns that are not known
	texts    [fieldCount]string
	done     [fieldCount]bool // said by a member of the standard
	dates    [fieldCount]*sheet.Moment
	problems []ingest.Problem
}

// other is a cell of a column that is not known.
type other struct{ column, value string }

// newLine sorts the cells of a row. filled is how many have something.
func newLine(t *tab, row sheet.Row) (l *line, filled int) {
	l = &line{tab: t, row: row.Number}
	for i, c := range row.Cells {
		if c.Kind == sheet.Empty {
			continue
		}
		filled++
		f := none
		if i < len(t.header.columns) {
			f = t.header.columns[i]
		}
		switch {
		case c.Kind == sheet.Failed:
			l.problems = append(l.problems, ingest.Problem{Code: CodeFailed, Severity: ingest.Finding, Pointer: t.sheet.Place(row.Number, i),
				Message: "The formula of this cell has no value (" + ingest.Clip(c.Text) + "), so the cell is taken as empty."})
		case f != none:
			l.cells[f] = c
			if !isBlank(c.Text) {
				l.texts[f] = strings.ToValidUTF8(c.Text, "�")
			}
		case i < len(t.header.titles) && t.header.titles[i] != "":
			l.others = append(l.others, other{strings.ToValidUTF8(t.header.titles[i], "�"), strings.ToValidUTF8(c.Text, "�")})
		}
	}
	return l, filled
}

// has says whether one of the fields has a text.
func (l *line) has(list ...field) bool {
	for _, f := range list {
		if l.texts[f] != "" {
			return true
		}
	}
	return false
}

// place is the cell of a field, or the row where the tab has no such column.
func (l *line) place(f field) string { return l.tab.sheet.Place(l.row, l.tab.header.column(f)) }

func (l *line) report(severity ingest.Severity, code ingest.Code, f field, message string) {
	l.problems = append(l.problems, ingest.Problem{Code: code, Severity: severity, Message: message, Pointer: l.place(f)})
}

func (l *line) refuse(code ingest.Code, f field, message string) {
	l.report(ingest.Error, code, f, message)
}

func (l *line) remark(code ingest.Code, f field, message string) {
	l.report(ingest.Finding, code, f, message)
}

// scientific is how spreadsheets write an identifier as text that they have taken for a number.
var scientific = regexp.MustCompile(`^\d(?:[.,]\d+)?[Ee]\+?\d+$`)

// identifier is the text of a cell that identifies something. One that a spreadsheet has cut is refused, because nobody knows what it was.
func (l *line) identifier(f field) string {
	c := l.cells[f]
	switch {
	case c.Lossy || scientific.MatchString(l.texts[f]):
		l.refuse(CodeDigits, f, "A spreadsheet has taken this identifier for a number and cut its digits ("+ingest.Clip(l.texts[f])+"). Format the column as text and enter it again.")
		return ""
	case c.Kind == sheet.Date && (f == lot || f == usedLot || f == tlc || f == usedTLC || f == harvestLot):
		l.remark(CodeDigits, f, "This lot is a date to the spreadsheet and is taken as "+l.texts[f]+". If something else was typed, format the column as text and enter it again.")
	}
	return l.texts[f]
}

// date reads the date of a field. When it is none, must says whether the row is refused for it; else it stays a text. Asked again it
// answers again, and reports nothing.
func (l *line) date(f field, must bool) (m sheet.Moment, ok bool) {
	if !l.has(f) {
		return m, false
	}
	if known := l.dates[f]; known != nil {
		return *known, !known.Civil.IsZero()
	}
	m, bad := l.cells[f].Date(l.tab.options.Dates)
	switch {
	case bad != nil && must:
		l.refuse(bad.Code, f, bad.Of(l.texts[f]))
	case bad != nil:
		l.remark(bad.Code, f, bad.Of(l.texts[f])+" It is kept as it is.")
	case m.Serial:
		l.remark(sheet.CodeSerial, f, "The number "+ingest.Clip(l.texts[f])+" is taken for the day "+m.Civil.Format(time.DateOnly)+", as spreadsheets count days.")
	}
	if bad != nil {
		m = sheet.Moment{}
	} else {
		l.texts[f] = isoText(m)
	}
	l.dates[f] = &m
	return m, bad == nil
}

// object writes a JSON object.
type object struct{ b []byte }

func (o *object) add(name string, value []byte) {
	o.b = append(o.b, "{,"[min(len(o.b), 1)])
	if !strings.Contains(name, ":") {
		name = prefix + name
	}
	o.b, _ = jsontext.AppendQuote(o.b, name) // all texts are valid UTF-8
	o.b = append(append(o.b, ':'), value...)
}

func (o *object) text(name, value string) {
	if value != "" {
		quoted, _ := jsontext.AppendQuote(nil, value)
		o.add(name, quoted)
	}
}

func (o *object) array(name string, values [][]byte) {
	if len(values) == 0 {
		return
	}
	list := []byte{'['}
	for i, v := range values {
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, v...)
	}
	o.add(name, append(list, ']'))
}

func (o *object) value() jsontext.Value {
	if len(o.b) == 0 {
		return nil
	}
	return jsontext.Value(append(o.b, '}'))
}
