package sheet

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/charset"
)

// Writer writes sheets, row by row. No cell that it writes is taken for a formula: in CSV a text that would begin one gets an apostrophe
// before it (OWASP, CSV injection), which this package takes off again; in XLSX texts are texts.
type Writer struct {
	csv   *bufio.Writer // nil: XLSX
	zip   *zip.Writer
	out   *bufio.Writer // of the sheet
	names []string
	row   int
}

// NewWriter writes XLSX or CSV. CSV is UTF-8 with byte order mark, which Excel needs to read Chinese, and holds one sheet.
func NewWriter(w io.Writer, format Format) *Writer {
	if format == XLSX {
		return &Writer{zip: zip.NewWriter(w)}
	}
	return &Writer{csv: bufio.NewWriter(w)}
}

// Sheet begins a sheet. In CSV it is an error to begin a second.
func (w *Writer) Sheet(name string) error {
	w.names, w.row = append(w.names, sheetName(name, len(w.names)+1)), 0
	if w.csv != nil {
		if len(w.names) > 1 {
			return fmt.Errorf("sheet: CSV has no second sheet %q", name)
		}
		_, err := w.csv.WriteString(charset.ByteOrderMark)
		return err
	}
	if err := w.endSheet(); err != nil {
		return err
	}
	part, err := w.zip.Create(fmt.Sprintf("xl/worksheets/sheet%d.xml", len(w.names)))
	if err != nil {
		return err
	}
	w.out = bufio.NewWriter(part)
	_, err = w.out.WriteString(xml.Header + `<worksheet xmlns="` + spreadsheetML + `"><sheetData>`)
	return err
}

// sheetName is a name as Excel allows it: at most 31 characters, none of []:*?/\.
func sheetName(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\`, r) {
			return '_'
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > 31 {
		s = string(runes[:31])
	}
	if s == "" {
		s = fmt.Sprintf("Sheet%d", n)
	}
	return s
}

// Row writes a row: numbers and booleans as such in XLSX, all else as text.
func (w *Writer) Row(cells ...Cell) error {
	w.row++
	if w.csv != nil {
		for i, c := range cells {
			if i > 0 {
				_ = w.csv.WriteByte(',') // an error is met at the end of the row
			}
			writeField(w.csv, maskCell(c), ',')
		}
		_, err := w.csv.WriteString("\r\n")
		return err
	}
	if w.row > lastRow {
		return fmt.Errorf("sheet: XLSX has at most %d rows", lastRow)
	}
	fmt.Fprintf(w.out, `<row r="%d">`, w.row)
	for i, c := range cells {
		writeCell(w.out, c, fmt.Sprintf("%s%d", Column(i), w.row))
	}
	_, err := w.out.WriteString("</row>")
	return err
}

// Texts are cells that hold texts.
func Texts(values ...string) []Cell {
	cells := make([]Cell, len(values))
	for i, v := range values {
		if v != "" {
			cells[i] = Cell{Text: v, Kind: Text}
		}
	}
	return cells
}

// needsMask says whether a spreadsheet would take a text for a formula or a command, or this package its apostrophe for a mask.
func needsMask(s string) bool {
	s = strings.TrimLeft(s, "'")
	return s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0
}

func maskCell(c Cell) string {
	if c.Kind != Number && needsMask(c.Text) {
		return "'" + c.Text
	}
	return c.Text
}

func writeField(out *bufio.Writer, s string, delimiter byte) {
	if !strings.ContainsAny(s, "\"\r\n"+string(rune(delimiter))) && strings.TrimSpace(s) == s {
		_, _ = out.WriteString(s) // an error is met again when the row ends
		return
	}
	_ = out.WriteByte('"')
	_, _ = out.WriteString(strings.ReplaceAll(s, `"`, `""`))
	_ = out.WriteByte('"')
}

const spreadsheetML = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

func writeCell(out *bufio.Writer, c Cell, ref string) {
	switch c.Kind {
	case Empty:
	case Number:
		fmt.Fprintf(out, `<c r="%s"><v>`, ref)
		_ = xml.EscapeText(out, []byte(c.Text))
		_, _ = out.WriteString(`</v></c>`)
	default:
		fmt.Fprintf(out, `<c r="%s" t="inlineStr"><is><t xml:space="preserve">`, ref)
		_ = xml.EscapeText(out, []byte(escape(c.Text)))
		_, _ = out.WriteString(`</t></is></c>`)
	}
}

// escape hides from a reader what looks like an escaped character (see unescape).
func escape(s string) string { return strings.ReplaceAll(s, "_x", "_x005F_x") }

func (w *Writer) endSheet() error {
	if w.out == nil {
		return nil
	}
	_, _ = w.out.WriteString("</sheetData></worksheet>")
	return w.out.Flush()
}

// Close ends the file. It does not close what it was written to.
func (w *Writer) Close() error {
	if w.csv != nil {
		return w.csv.Flush()
	}
	if len(w.names) == 0 {
		if err := w.Sheet(""); err != nil {
			return err
		}
	}
	if err := w.endSheet(); err != nil {
		return err
	}
	var types, sheets, relations strings.Builder
	for i, name := range w.names {
		n := i + 1
		fmt.Fprintf(&types, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`, n)
		fmt.Fprintf(&relations, `<Relationship Id="rId%d" Type="%s/worksheet" Target="worksheets/sheet%d.xml"/>`, n, officeRelations, n)
		sheets.WriteString(`<sheet name="`)
		_ = xml.EscapeText(&sheets, []byte(name)) // memory does not fail
		fmt.Fprintf(&sheets, `" sheetId="%d" r:id="rId%d"/>`, n, n)
	}
	for _, part := range []struct{ name, text string }{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` + types.String() + `</Types>`},
		{"_rels/.rels", `<Relationships xmlns="` + packageRelations + `"><Relationship Id="rId1" Type="` + officeRelations + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="` + packageRelations + `">` + relations.String() + `</Relationships>`},
		{"xl/workbook.xml", `<workbook xmlns="` + spreadsheetML + `" xmlns:r="` + officeRelations + `"><sheets>` + sheets.String() + `</sheets></workbook>`},
	} {
		out, err := w.zip.Create(part.name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(out, xml.Header+part.text); err != nil {
			return err
		}
	}
	return w.zip.Close()
}

const (
	officeRelations  = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	packageRelations = "http://schemas.openxmlformats.org/package/2006/relationships"
)
