package sheet

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/ingest"
)

// texts are the shared strings of a workbook, one behind the other.
type texts struct {
	all  []byte
	ends []uint32
}

func (t *texts) at(i int) (string, bool) {
	if i < 0 || i >= len(t.ends) {
		return "", false
	}
	var start uint32
	if i > 0 {
		start = t.ends[i-1]
	}
	return string(t.all[start:t.ends[i]]), true
}

// readStrings reads the shared strings (ECMA-376 part 1, 18.4.9).
func (w *workbook) readStrings() error {
	if w.parts[w.stringsAt] == nil {
		return nil
	}
	p, err := w.openPart(w.stringsAt)
	if err != nil {
		return err
	}
	defer p.close()
	var t reading
	for {
		tok, err := p.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		t.token(tok)
		if len(t.text) > w.limits.Cell {
			return limit("A text of the workbook is longer than " + itoa(w.limits.Cell) + " bytes.")
		}
		if e, ok := tok.(xml.EndElement); ok && e.Name.Local == "si" {
			w.strings.all = append(w.strings.all, t.take()...)
			w.strings.ends = append(w.strings.ends, uint32(len(w.strings.all)))
			if int64(len(w.strings.all)+4*len(w.strings.ends)) > w.limits.Strings {
				return limit("The texts of the workbook are larger than " + itoa(w.limits.Strings) + " bytes.")
			}
		}
	}
}

// reading collects the text of a string item, without its phonetic hints (18.4.6), or of a value.
type reading struct {
	text     []byte
	inside   bool // of t or v
	phonetic bool
	value    bool // the text was in v
}

func (r *reading) token(tok xml.Token) {
	switch tok := tok.(type) {
	case xml.StartElement:
		switch tok.Name.Local {
		case "t", "v":
			r.inside, r.value = true, tok.Name.Local == "v"
		case "rPh":
			r.phonetic = true
		}
	case xml.EndElement:
		switch tok.Name.Local {
		case "t", "v":
			r.inside = false
		case "rPh":
			r.phonetic = false
		}
	case xml.CharData:
		if r.inside && !r.phonetic {
			r.text = append(r.text, tok...)
		}
	}
}

func (r *reading) take() string {
	s := string(r.text)
	r.text = r.text[:0]
	return unescape(s)
}

// unescape replaces _xHHHH_, which stands for a character that XML cannot have (22.9.2.19 ST_Xstring).
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.Index(s, "_x")
		if i < 0 || len(s) < i+7 {
			b.WriteString(s)
			return b.String()
		}
		n, err := strconv.ParseUint(s[i+2:i+6], 16, 16)
		if err != nil || s[i+6] != '_' {
			b.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		b.WriteString(s[:i])
		b.WriteRune(rune(n))
		s = s[i+7:]
	}
}

// rowReader reads the rows of one sheet (18.3.1.80 sheetData).
type rowReader struct {
	*workbook
	part   *xmlPart
	sheet  *Sheet
	row    Row
	begun  bool // its data
	some   bool // cell of the row has a value
	inCell bool
	size   int // bytes of the row
	rows   int
	column int
	widest int // columns of the rows so far, cells without a value too
	kind   string
	style  style
	text   reading
}

func (w *workbook) scan(s *Sheet) (*rowReader, error) {
	if err := w.load(); err != nil {
		return nil, err
	}
	w.left = w.limits.Unzipped // for each reading
	p, err := w.openPart(s.part)
	return &rowReader{workbook: w, part: p, sheet: s}, err
}

func (r *rowReader) next() (Row, error) {
	for {
		tok, err := r.part.next()
		if errors.Is(err, io.EOF) && r.begun {
			err = damaged("The sheet ends in the middle.")
		}
		if err != nil {
			return Row{}, r.at(err)
		}
		r.text.token(tok)
		switch tok := tok.(type) {
		case xml.StartElement:
			err = r.start(tok)
		case xml.CharData:
			if len(r.text.text) > r.limits.Cell {
				err = limit("The cell is longer than " + itoa(r.limits.Cell) + " bytes.")
			}
		case xml.EndElement:
			switch tok.Name.Local {
			case "c":
				err = r.endCell()
			case "row":
				if r.some {
					return r.endRow()
				}
			case "sheetData":
				r.begun = false
				return Row{}, io.EOF
			}
		}
		if err != nil {
			return Row{}, r.at(err)
		}
	}
}

func (r *rowReader) endRow() (Row, error) {
	if r.rows++; r.rows > r.limits.Rows {
		return Row{}, r.at(limit("The sheet has more than " + itoa(r.limits.Rows) + " rows."))
	}
	row := r.row
	r.some = false
	return row, nil
}

// at gives a problem the place that has been reached.
func (r *rowReader) at(err error) error {
	var p *ingest.Problem
	if errors.As(err, &p) && p.Pointer == "" {
		p.Pointer = Place(r.sheet.Name, max(r.row.Number, 1), r.column)
	}
	return err
}

func (r *rowReader) start(e xml.StartElement) error {
	switch e.Name.Local {
	case "sheetData":
		r.begun = true
	case "row":
		number := r.row.Number + 1
		if s := attribute(e, "r"); s != "" {
			n, err := strconv.Atoi(s)
			if err != nil || n < number {
				return damaged("The sheet's rows are not numbered upwards.")
			}
			number = n
		}
		if number > lastRow {
			return damaged("The sheet has a row beyond " + itoa(lastRow) + ".")
		}
		r.row, r.column, r.some, r.size = Row{Number: number, Cells: make([]Cell, 0, len(r.row.Cells))}, -1, false, 0
	case "c":
		if r.row.Number == 0 {
			return damaged("The sheet has a cell outside of its rows.")
		}
		r.inCell = true
		column := r.column + 1
		if s := attribute(e, "r"); s != "" {
			if column = columnOf(s); column < 0 || column >= lastColumn {
				return damaged("The sheet has a cell at " + s + ", which is no place.")
			}
		}
		if column <= r.column {
			return damaged("The cells of the sheet's rows are not in order.")
		}
		r.column, r.widest = column, max(r.widest, column+1)
		r.kind = attribute(e, "t")
		r.style = style{}
		if i, err := strconv.Atoi(attribute(e, "s")); err == nil && i >= 0 && i < len(r.styles) {
			r.style = r.styles[i]
		}
		r.text.text, r.text.value = r.text.text[:0], false
	}
	return nil
}

// columnOf reads the letters of a cell's reference: C12 is 2. Below 0: none.
func columnOf(ref string) int {
	n := 0
	for i := 0; i < len(ref) && ref[i] >= 'A' && ref[i] <= 'Z' && i < 4; i++ {
		n = n*26 + int(ref[i]-'A') + 1
	}
	return n - 1
}

// maxRow is one row in bytes: it is in memory.
const maxRow = 4 << 20

func (r *rowReader) endCell() error {
	if !r.inCell {
		return damaged("The sheet has the end of a cell without its beginning.")
	}
	r.inCell = false
	cell := r.cell(r.text.take())
	if cell.Kind == Empty {
		return nil
	}
	if r.column >= r.limits.Columns {
		return limit("The row has more than " + itoa(r.limits.Columns) + " columns.")
	}
	if r.size += len(cell.Text); r.size > maxRow {
		return limit("The row is longer than " + itoa(maxRow) + " bytes.")
	}
	for len(r.row.Cells) < r.column {
		r.row.Cells = append(r.row.Cells, Cell{})
	}
	r.row.Cells = append(r.row.Cells, cell)
	r.some = true
	return nil
}

// cell reads a value by its type (18.18.11 ST_CellType).
func (r *rowReader) cell(v string) Cell {
	switch r.kind {
	case "s":
		if v == "" {
			return Cell{}
		}
		i, err := strconv.Atoi(v)
		if text, ok := r.strings.at(i); err == nil && ok {
			return textCell(text)
		}
		return Cell{Text: "#REF!", Kind: Failed}
	case "inlineStr", "str":
		return textCell(v)
	case "b":
		if isTrue(v) {
			return Cell{Text: "TRUE", Kind: Bool}
		}
		return Cell{Text: "FALSE", Kind: Bool}
	case "e":
		return Cell{Text: v, Kind: Failed}
	case "d":
		return isoCell(v)
	}
	if v == "" {
		return Cell{}
	}
	return numberCell(v, r.style, r.since1904)
}
