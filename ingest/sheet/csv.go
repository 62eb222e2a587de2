package sheet

import (
	"bufio"
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/internal/charset"
)

// delimiters in the order in which they are preferred where a text allows more than one.
const delimiters = "\t;|,"

// dialect is how a text is written.
type dialect struct {
	encoding  encoding.Encoding // nil: UTF-8
	delimiter byte
	skip      int // records before the sheet: Excel's "sep=;"
}

// openText finds the dialect of a text.
func (b *Book) openText() error {
	b.sheets = []Sheet{{book: b}}
	enc, err := charset.Detect(b.r, b.size)
	if err != nil {
		return &ingest.Problem{Code: CodeRead, Message: "The file could not be read: " + err.Error() + "."}
	}
	b.text.encoding = enc
	b.text.delimiter, b.text.skip = b.findDelimiter()
	return nil
}

// trialRecords are how many records of a text are split to find its delimiter.
const trialRecords = 50

// findDelimiter takes the delimiter under which most records have the same number of fields, and of these the one with most fields.
func (b *Book) findDelimiter() (best byte, skip int) {
	if d, ok := b.declaredDelimiter(); ok {
		return d, 1
	}
	best = ','
	var bestAgree, bestFields int
	for _, d := range []byte(delimiters) {
		counts, most := map[int]int{}, 0
		p := b.parser(d)
		for range trialRecords {
			fields, err := p.next()
			if err != nil {
				break
			}
			if n := len(fields); n > 1 {
				if counts[n]++; counts[n] > counts[most] || counts[n] == counts[most] && n > most {
					most = n
				}
			}
		}
		if agree := counts[most]; agree > bestAgree || agree == bestAgree && most > bestFields {
			best, bestAgree, bestFields = d, agree, most
		}
	}
	return best, 0
}

// declaredDelimiter is that of a first line "sep=;", which Excel reads.
func (b *Book) declaredDelimiter() (byte, bool) {
	head, _ := charset.Decoded(b.r, b.size, b.text.encoding).Peek(len("sep=;\n"))
	if len(head) == 6 && strings.EqualFold(string(head[:4]), "sep=") && strings.IndexByte(delimiters, head[4]) >= 0 && (head[5] == '\n' || head[5] == '\r') {
		return head[4], true
	}
	return 0, false
}

func (b *Book) parser(delimiter byte) *parser {
	return &parser{in: charset.Decoded(b.r, b.size, b.text.encoding), delimiter: delimiter, limits: b.limits, foreign: b.text.encoding != nil}
}

// scanText returns the rows of a text one by one.
func (b *Book) scanText() func() (Row, error) {
	p := b.parser(b.text.delimiter)
	return func() (Row, error) {
		for {
			fields, err := p.next()
			if err != nil {
				return Row{}, err
			}
			if p.records > b.limits.Rows {
				return Row{}, &ingest.Problem{Code: CodeLimit, Pointer: itoa(p.records), Message: "The sheet has more than " + itoa(b.limits.Rows) + " rows."}
			}
			if p.records <= b.text.skip {
				continue
			}
			cells := make([]Cell, len(fields))
			some := false
			for i, f := range fields {
				cells[i] = textCell(unmask(f))
				some = some || cells[i].Kind != Empty
			}
			if some {
				return Row{Number: p.records, Cells: cells}, nil
			}
		}
	}
}

// textCell is a cell that holds a text. Full-width blanks and those that do not break are blanks.
func textCell(s string) Cell {
	if s = strings.TrimSpace(s); s == "" {
		return Cell{}
	}
	return Cell{Text: s, Kind: Text}
}

// unmask takes off what keeps spreadsheets from taking a text for something else: ="0012", and the apostrophe that [Writer] puts before
// what would begin a formula.
func unmask(s string) string {
	if inner, ok := strings.CutPrefix(s, `="`); ok {
		if inner, ok = strings.CutSuffix(inner, `"`); ok && !strings.Contains(inner, `"`) {
			return inner
		}
	}
	if len(s) > 1 && s[0] == '\'' && needsMask(s[1:]) {
		return s[1:]
	}
	return s
}

// parser splits a text into records (RFC 4180), as leniently as spreadsheets do: a quote within a field that does not begin with one is a
// character, and what follows a closing quote belongs to the field.
type parser struct {
	in        *bufio.Reader
	delimiter byte
	limits    Limits
	foreign   bool
	records   int // read so far
	raw       *strings.Builder
	lost      charset.Lost
}

// next returns the fields of the next record. Errors are io.EOF or *[ingest.Problem].
func (p *parser) next() (fields []string, err error) {
	var field []byte
	quoted, inside, begun := false, false, false
	p.records++
	for {
		c, err := p.in.ReadByte()
		if err != nil {
			return p.end(err, fields, field, inside, begun)
		}
		if problem := p.check(c, len(field), len(fields)); problem != nil {
			return nil, problem
		}
		begun = true
		switch {
		case inside && c == '"':
			if next, err := p.in.Peek(1); err == nil && next[0] == '"' {
				_, _ = p.in.Discard(1)
				p.copy('"')
				field = append(field, c)
			} else {
				inside = false
			}
		case inside:
			field = append(field, c)
		case c == '"' && len(field) == 0 && !quoted:
			quoted, inside = true, true
		case c == p.delimiter:
			fields, field, quoted = append(fields, string(field)), field[:0], false
		case c == '\r' || c == '\n':
			if next, err := p.in.Peek(1); c == '\r' && err == nil && next[0] == '\n' {
				_, _ = p.in.Discard(1)
			}
			return append(fields, string(field)), nil
		default:
			field = append(field, c)
		}
		p.copy(c)
	}
}

// copy keeps what the record was read from, without the end of its line.
func (p *parser) copy(c byte) {
	if p.raw != nil {
		p.raw.WriteByte(c)
	}
}

func (p *parser) end(err error, fields []string, field []byte, inside, begun bool) ([]string, error) {
	if !errors.Is(err, io.EOF) {
		return nil, &ingest.Problem{Code: CodeRead, Pointer: itoa(p.records), Message: "The file could not be read: " + err.Error() + "."}
	}
	if inside {
		return nil, &ingest.Problem{Code: CodeSyntax, Pointer: Place("", p.records, len(fields)), Message: "A quotation mark is opened here and never closed."}
	}
	if !begun {
		return nil, io.EOF
	}
	return append(fields, string(field)), nil
}

func (p *parser) check(c byte, length, column int) error {
	lost := p.lost.Byte(c)
	var code ingest.Code
	var message string
	switch {
	case p.foreign && lost:
		code, message = CodeEncoding, "The text is not in one of the encodings that are known here. Save it as UTF-8."
	case c == 0:
		code, message = CodeFormat, "The text has a character that no text has (NUL)."
	case length >= p.limits.Cell:
		code, message = CodeLimit, "The cell is longer than "+itoa(p.limits.Cell)+" bytes."
	case column >= p.limits.Columns:
		code, message = CodeLimit, "The row has more than "+itoa(p.limits.Columns)+" columns."
	default:
		return nil
	}
	return &ingest.Problem{Code: code, Pointer: Place("", p.records, column), Message: message}
}
