package sheet

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/charset"
)

// Annotate copies a book with one more column behind the last one of each sheet. text says what stands there in a row; the first row
// that is not empty gets the title. All else of a workbook stays as it is, byte for byte within its parts; a text stays in its records and
// becomes UTF-8 with byte order mark.
func Annotate(w io.Writer, b *Book, title string, text func(s *Sheet, row int) string) error {
	if b.workbook == nil {
		return b.annotateText(w, title, text)
	}
	out := zip.NewWriter(w)
	byPart := map[string]*Sheet{}
	for i := range b.sheets {
		byPart[b.sheets[i].part] = &b.sheets[i]
	}
	for _, f := range b.workbook.archive.File {
		s := byPart[partName("", f.Name)]
		if s == nil || b.workbook.parts[s.part] != f {
			if err := out.Copy(f); err != nil {
				return err
			}
			continue
		}
		part, err := out.Create(f.Name)
		if err != nil {
			return err
		}
		buffered := bufio.NewWriter(part)
		if err := b.workbook.annotate(buffered, s, title, text); err != nil {
			return err
		}
		if err := buffered.Flush(); err != nil {
			return err
		}
	}
	return out.Close()
}

// annotateText writes the records as they were, each with one more field at the column behind the widest.
func (b *Book) annotateText(w io.Writer, title string, text func(s *Sheet, row int) string) error {
	s := &b.sheets[0]
	width, first, err := s.extent()
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	_, _ = out.WriteString(charset.ByteOrderMark) // an error is met again at the end
	p := b.parser(b.text.delimiter)
	p.raw = new(strings.Builder)
	for {
		p.raw.Reset()
		fields, err := p.next()
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		if err != nil {
			return err
		}
		_, _ = out.WriteString(p.raw.String())
		if note := noteOf(s, p.records, first, title, text); note != "" {
			_, _ = out.WriteString(strings.Repeat(string(rune(b.text.delimiter)), width-len(fields)+1))
			writeField(out, maskCell(Cell{Text: note, Kind: Text}), b.text.delimiter)
		}
		if _, err := out.WriteString("\r\n"); err != nil {
			return err
		}
	}
}

func noteOf(s *Sheet, row, first int, title string, text func(*Sheet, int) string) string {
	switch {
	case row < first || first == 0:
		return ""
	case row > first:
		return text(s, row)
	}
	if note := text(s, row); note != "" {
		return title + ": " + note
	}
	return title
}

// extent is how many columns a sheet has, empty ones too, and the number of its first row that is not empty.
func (s *Sheet) extent() (width, first int, err error) {
	for row, err := range each(s.scanAll()) {
		if err != nil {
			return 0, 0, err
		}
		if first == 0 {
			first = row.Number
		}
		width = max(width, len(row.Cells))
	}
	return width, first, nil
}

// widest is how many columns the rows of a sheet have in its XML: those with a format and no value too, which [Row] leaves out.
func (w *workbook) widest(s *Sheet) (int, error) {
	w.left = w.limits.Unzipped
	p, err := w.openPart(s.part)
	if err != nil {
		return 0, err
	}
	defer p.close()
	r := &rowReader{workbook: w, sheet: s}
	for {
		tok, err := p.next()
		if errors.Is(err, io.EOF) {
			return r.widest, nil
		}
		if e, ok := tok.(xml.StartElement); ok && err == nil {
			err = r.start(e)
		}
		if err != nil {
			return 0, r.at(err)
		}
	}
}

// spans is a hint that a row gives of its columns (ECMA-376 part 1, 18.3.1.73), which one more column makes untrue.
var spans = regexp.MustCompile(`\sspans\s*=\s*("[^"]*"|'[^']*')`)

// annotate copies the XML of a sheet token by token, and puts a cell before the end of its rows.
func (w *workbook) annotate(out *bufio.Writer, s *Sheet, title string, text func(*Sheet, int) string) error {
	_, first, err := s.extent()
	if err != nil {
		return err
	}
	width, err := w.widest(s)
	if err != nil {
		return err
	}
	w.left = w.limits.Unzipped
	p, err := w.openPart(s.part)
	if err != nil {
		return err
	}
	defer p.close()
	p.in.keep = true
	r := &rowReader{workbook: w, sheet: s}
	for {
		tok, err := p.next()
		if errors.Is(err, io.EOF) {
			_, err := out.Write(p.in.kept)
			return err
		}
		if err != nil {
			return r.at(err)
		}
		raw := p.take()
		switch tok := tok.(type) {
		case xml.StartElement:
			if err := r.start(tok); err != nil {
				return r.at(err)
			}
			if tok.Name.Local == "row" {
				raw = spans.ReplaceAll(raw, nil)
			}
		case xml.EndElement:
			if tok.Name.Local == "row" && bytes.HasPrefix(raw, []byte("</")) {
				if note := noteOf(s, r.row.Number, first, title, text); note != "" {
					writeNote(out, tok.Name.Space, Place("", r.row.Number, width), note)
				}
			}
		}
		if _, err := out.Write(raw); err != nil {
			return err
		}
	}
}

// take returns the bytes of the token that was read last, and of comments before it. They are valid until the next token.
func (p *xmlPart) take() []byte {
	p.raw = append(p.raw[:0], p.in.kept...)
	p.in.kept = p.in.kept[:0]
	return p.raw
}

// writeNote writes a cell with the prefix that the sheet's elements have.
func writeNote(out *bufio.Writer, prefix, ref, note string) {
	if prefix != "" {
		prefix += ":"
	}
	_, _ = out.WriteString("<" + prefix + `c r="` + ref + `" t="inlineStr"><` + prefix + "is><" + prefix + `t xml:space="preserve">`) // an error is met again
	_ = xml.EscapeText(out, []byte(escape(note)))
	_, _ = out.WriteString("</" + prefix + "t></" + prefix + "is></" + prefix + "c>")
}
