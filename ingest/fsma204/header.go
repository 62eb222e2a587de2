package fsma204

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// lookup finds the field of a normalised header, for each layout.
var lookup = makeLookup()

func makeLookup() []map[string]field {
	all := make([]map[string]field, len(layouts))
	for i := range layouts {
		all[i] = map[string]field{}
		for _, f := range layouts[i].all() {
			for _, names := range [...]string{fields[f].en, fields[f].zh, headers[headerKey{layouts[i].cte, f}][0], headers[headerKey{layouts[i].cte, f}][1]} {
				for name := range strings.SplitSeq(names, "|") {
					if key := normalise(name); key != "" && all[i][key] == none {
						all[i][key] = f
					}
				}
			}
		}
	}
	return all
}

var (
	paragraph   = regexp.MustCompile(`^\s*(\([a-z0-9]{1,4}\)\s*)+`) // "(a)(7) TLC Source Reference"
	parentheses = regexp.MustCompile(`\([^)]*\)`)
)

// normalise leaves of a header what says its meaning: lower-case letters and digits.
func normalise(header string) string {
	header = paragraph.ReplaceAllString(strings.ToLower(norm.NFKC.String(header)), "")
	header = strings.ReplaceAll(header, "&", "and")
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, header)
}

// readings are the ways to read a header: as it is, without what is in parentheses, its Chinese part, its English part.
func readings(header string) [4]string {
	if len(header) > longestTitle {
		return [4]string{}
	}
	whole := normalise(header)
	han := strings.Map(only(func(r rune) bool { return unicode.Is(unicode.Han, r) }), whole)
	ascii := strings.Map(only(func(r rune) bool { return r < unicode.MaxASCII }), whole)
	return [4]string{whole, normalise(parentheses.ReplaceAllString(norm.NFKC.String(header), "")), han, ascii}
}

func only(keep func(rune) bool) func(rune) rune {
	return func(r rune) rune {
		if keep(r) {
			return r
		}
		return -1
	}
}

// header is the header row of a tab.
type header struct {
	layout  *layout
	columns []field  // of the columns from the first on; none: not known
	titles  []string // as they are written
	rows    []sheet.Row
	score   int
}

// column is the index of a field's column, -1 without one.
func (h *header) column(f field) int {
	if f == none {
		return -1
	}
	for i, have := range h.columns {
		if have == f {
			return i
		}
	}
	return -1
}

// findHeader looks for the header among the first rows of a sheet. nil: there is none.
func findHeader(rows []sheet.Row) (best *header) {
	read := reading{}
	for first := range rows {
		for depth := 1; depth <= headerDepth && first+depth <= len(rows); depth++ {
			if depth > 1 && rows[first+depth-1].Number != rows[first+depth-2].Number+1 {
				break // an empty row ends a header
			}
			for i := range layouts {
				if h := read.match(&layouts[i], lookup[i], rows[first:first+depth]); h != nil && (best == nil || h.score > best.score) {
					h.rows = rows[first : first+depth]
					best = h
				}
			}
		}
	}
	return best
}

// isHeader says whether a row is a header, of whatever tab.
func isHeader(row *sheet.Row) bool { return findHeader([]sheet.Row{*row}) != nil }

// last is the number of the lowest row.
func (h *header) last() int { return h.rows[len(h.rows)-1].Number }

// match reads rows as the header of a layout; nil: they are none. More of what is filled in must be known than not.
func (read reading) match(l *layout, known map[string]field, rows []sheet.Row) *header {
	width := 0
	for _, row := range rows {
		width = max(width, len(row.Cells))
	}
	if width > headerColumns {
		return nil
	}
	h := &header{layout: l, columns: make([]field, width), titles: make([]string, width)}
	seen := map[field]bool{}
	groups := make([]string, len(rows))
	for c := range width {
		names := titles(rows, c, groups)
		if len(names) == 0 {
			continue
		}
		h.titles[c] = names[len(names)-1][0]
		f := read.find(known, names)
		if f == none || seen[f] {
			h.score--
			continue
		}
		h.columns[c], seen[f] = f, true
		h.score++
	}
	for _, alternatives := range l.needs {
		if !anyOf(seen, alternatives) {
			return nil
		}
	}
	if h.score <= 0 {
		return nil
	}
	return h
}

func anyOf(seen map[field]bool, list []field) bool {
	for _, f := range list {
		if seen[f] {
			return true
		}
	}
	return false
}

// titles are the names that a column may have, the most telling first, each in parts: its cells one below the other, with the groups above
// them that reach over several columns (merged cells have their text in the first one); these without the groups; the lowest one.
func titles(rows []sheet.Row, column int, groups []string) (names [][]string) {
	var own, full []string
	lowest := cellText(rows[len(rows)-1], column)
	for i := range rows {
		text := cellText(rows[i], column)
		switch {
		case text != "":
			own, full = append(own, text), append(full, text)
			groups[i] = text
			clear(groups[i+1:])
		case lowest != "" && groups[i] != "":
			full = append(full, groups[i])
		}
	}
	if len(own) == 0 {
		return nil
	}
	return [][]string{full, own, own[len(own)-1:]}
}

func cellText(row sheet.Row, column int) string {
	if c := row.Cell(column); c.Kind != sheet.Failed {
		return c.Text
	}
	return ""
}

// reading remembers the readings of cells.
type reading map[string][4]string

// longestTitle is that of a column: what is longer is a sentence.
const longestTitle = 200

// find is the field of the first of some names that has one.
func (read reading) find(known map[string]field, names [][]string) field {
	for _, parts := range names {
		var keys [4]string
		for _, part := range parts {
			r, ok := read[part]
			if !ok {
				r = readings(part)
				read[part] = r
			}
			for i := range keys {
				keys[i] += r[i]
			}
		}
		for _, key := range keys {
			if f := known[key]; f != none {
				return f
			}
		}
	}
	return none
}

// Recognise says whether a book has a tab of this kind.
func Recognise(book *sheet.Book) bool {
	for i, s := range book.Sheets() {
		if i == maxSheets {
			break
		}
		if rows, _ := top(&s); findHeader(rows) != nil {
			return true
		}
	}
	return false
}

// top reads the rows among which the header is.
func top(s *sheet.Sheet) (rows []sheet.Row, err error) {
	for row, err := range s.Rows() {
		if err != nil {
			return rows, err
		}
		if rows = append(rows, row); len(rows) == headerRows {
			break
		}
	}
	return rows, nil
}
