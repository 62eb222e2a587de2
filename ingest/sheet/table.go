package sheet

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/foodtrace-ledger/foodtrace/ingest"
)

// The problems of rows below the headings of a table.
const (
	CodeUnnamed     ingest.Code = "COLUMN_UNNAMED" // finding: values in a column without a heading, once for each column; they are not read
	CodeHeaderAgain ingest.Code = "HEADER_AGAIN"   // finding: the headings once more, as prints have them on each page; left out
	CodeTable       ingest.Code = "TABLE_SECOND"   // other headings below the table: what stands under them is not read by those above
	CodeTotal       ingest.Code = "ROW_IS_TOTAL"   // finding: a row of sums; left out
	CodeNote        ingest.Code = "ROW_IS_NOTE"    // finding: a row that says nothing of what the table is about; left out
)

// Table is what stands below the headings of a sheet. It sees to it that nothing there is passed over without a word, and nothing read by
// headings that are not its own.
type Table struct {
	sheet    *Sheet
	headers  []Row           // the rows of headings
	other    func(*Row) bool // says whether a row is one of headings, of this table or of another one
	known    map[int]bool    // columns without heading that are read all the same, or were told of
	secondAt int             // row of the headings of another table; 0: none
}

// Below is the table of a sheet below its rows of headings. other says whether a row is one of headings; it is only asked for rows of words.
// byNumber are columns that are read whether they have a heading or not.
func (s *Sheet) Below(headers []Row, other func(*Row) bool, byNumber ...int) *Table {
	t := &Table{sheet: s, headers: headers, other: other, known: map[int]bool{}}
	for _, i := range byNumber {
		t.known[i] = true
	}
	return t
}

// Check says whether a row is to be read, and what is to be said of it. An error refuses the row; findings are of the sheet.
func (t *Table) Check(row *Row) (read bool, said []ingest.Problem) {
	switch {
	case t.isHeader(row):
		t.secondAt = 0
		return false, t.say(CodeHeaderAgain, ingest.Finding, row, -1, "The headings stand here once more. The row was left out.")
	case t.secondAt == 0 && ofWords(row) && t.other(row):
		t.secondAt = row.Number
		return false, t.say(CodeTable, ingest.Error, row, -1, "Another table begins here, with headings of its own. Put it into a sheet of its own and send it again; nothing was read from here on.")
	case t.secondAt > 0:
		return false, t.say(CodeTable, ingest.Error, row, -1, "The row belongs to another table, whose headings are in row "+itoa(t.secondAt)+". Put that table into a sheet of its own.")
	}
	for i := range row.Cells {
		if row.Cells[i].Kind != Empty && !t.known[i] && !t.named(i) {
			t.known[i] = true
			said = append(said, t.say(CodeUnnamed, ingest.Finding, row, i, "Column "+Column(i)+" has no heading, so nothing in it was read. Give it one if it matters.")...)
		}
	}
	return true, said
}

func (t *Table) say(code ingest.Code, severity ingest.Severity, row *Row, column int, message string) []ingest.Problem {
	return []ingest.Problem{{Code: code, Severity: severity, Pointer: t.sheet.Place(row.Number, max(column, 0)), Message: message}}
}

func (t *Table) named(column int) bool {
	for i := range t.headers {
		if c := t.headers[i].Cell(column); c.Kind != Empty && c.Kind != Failed {
			return true
		}
	}
	return false
}

// isHeader says whether a row is one of the headings, word for word.
func (t *Table) isHeader(row *Row) bool {
	for i := range t.headers {
		if same(&t.headers[i], row) {
			return true
		}
	}
	return false
}

func same(a, b *Row) bool {
	filled := 0
	for i := range max(len(a.Cells), len(b.Cells)) {
		if a.Cell(i).Text != b.Cell(i).Text {
			return false
		}
		if a.Cell(i).Kind != Empty {
			filled++
		}
	}
	return filled > 1
}

// IsHeader says whether a row is one of headings: some of its cells are, two at least and half of them.
func IsHeader(row *Row, heading func(text string) bool) bool {
	known, filled := 0, 0
	for _, c := range row.Cells {
		switch {
		case c.Kind == Empty:
			continue
		case heading(c.Text):
			known++
		}
		filled++
	}
	return known > 1 && known*2 >= filled
}

// ofWords says whether a row has several cells, and each begins as headings do. Rows of data have a number or a date.
func ofWords(row *Row) bool {
	filled := 0
	for _, c := range row.Cells {
		if c.Kind == Empty {
			continue
		}
		if first, _ := utf8.DecodeRuneInString(c.Text); c.Kind != Text || !unicode.IsLetter(first) && !strings.ContainsRune("(（#*【[", first) {
			return false
		}
		filled++
	}
	return filled > 1
}

// signed is a cell that names itself: "Checked by: J. Doe", "制表：", "日期：2026-03-05". URIs have no blank behind their colon.
var signed = regexp.MustCompile(`^[^:：\d]{1,30}(?:：|:\s|:$)|^\p{Han}{1,10}:`)

// IsNote says whether a row is a line of signatures below a table: each of its cells names itself.
func IsNote(row *Row) bool {
	some := false
	for _, c := range row.Cells {
		if c.Kind != Empty && !signed.MatchString(c.Text) {
			return false
		}
		some = some || c.Kind != Empty
	}
	return some
}

// totals are the words with which a row of sums begins, folded.
var totals = map[string]bool{"合计": true, "总计": true, "小计": true, "共计": true, "总和": true, "累计": true, "本页合计": true, "本页小计": true,
	"total": true, "totals": true, "subtotal": true, "subtotals": true, "grandtotal": true, "sum": true}

// IsTotal says whether a row is one of sums: its first cell says so, and the others have numbers.
func IsTotal(row *Row) bool {
	begun := false
	for _, c := range row.Cells {
		switch {
		case c.Kind == Empty:
		case !begun:
			if begun = totals[Fold(c.Text)]; !begun {
				return false
			}
		case strings.ContainsFunc(c.Text, unicode.IsLetter) && !strings.ContainsFunc(c.Text, unicode.IsDigit):
			return false
		}
	}
	return begun
}
