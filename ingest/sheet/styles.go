package sheet

import (
	"encoding/xml"
	"strconv"
	"strings"
)

// style is what a cell's number format says of its value.
type style struct {
	date, clock bool
	zeros       int // digits that a whole number has at least
}

// readStyles reads the cell formats of the workbook (ECMA-376 part 1, 18.8.10 cellXfs, 18.8.31 numFmts).
func (w *workbook) readStyles() (all []style, err error) {
	codes, cells := map[string]string{}, false
	err = w.each(w.stylesAt, func(_ *xmlPart, e xml.StartElement) error {
		switch e.Name.Local {
		case "numFmt":
			if len(codes) < maxStyles {
				codes[attribute(e, "numFmtId")] = attribute(e, "formatCode")
			}
		case "cellXfs":
			cells = true
		case "cellStyles", "dxfs", "cellStyleXfs":
			cells = false
		case "xf":
			if !cells {
				return nil
			}
			if len(all) == maxStyles {
				return limit("The workbook has more than " + itoa(maxStyles) + " cell formats.")
			}
			id := attribute(e, "numFmtId")
			if code, own := codes[id]; own {
				all = append(all, styleOf(code))
			} else {
				all = append(all, builtin(id))
			}
		}
		return nil
	})
	return all, err
}

// builtin is the style of a format that needs no code (ECMA-376 part 1, 18.8.30; 27 to 36 and 50 to 58 are dates in Chinese, Japanese and
// Korean Excel, of which 32 to 35 and 55, 56 have times).
func builtin(id string) style {
	switch n, _ := strconv.Atoi(id); {
	case n >= 14 && n <= 17, n >= 27 && n <= 31, n == 36, n >= 50 && n <= 54, n == 57, n == 58:
		return style{date: true}
	case n >= 18 && n <= 21, n >= 32 && n <= 35, n == 45, n == 47, n == 55, n == 56:
		return style{clock: true}
	case n == 22:
		return style{date: true, clock: true}
	}
	return style{}
}

// styleOf reads a format's code: what its letters show.
func styleOf(code string) (s style) {
	code, _, _ = strings.Cut(code, ";") // of positive numbers
	var months bool
	for i := 0; i < len(code); i++ {
		switch c := code[i] | 0x20; {
		case code[i] == '"':
			end := strings.IndexByte(code[i+1:], '"')
			if end < 0 {
				return style{}
			}
			i += end + 1
		case code[i] == '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 || isElapsed(code[i+1:i+end]) { // a duration is a number
				return style{}
			}
			i += end
		case code[i] == '\\', code[i] == '_', code[i] == '*':
			i++
		case code[i] == '#', code[i] == '?', c == 'g' && len(code)-i >= 7 && strings.EqualFold(code[i:i+7], "general"):
			return style{}
		case c == 'y' || c == 'd':
			s.date = true
		case c == 'h' || c == 's':
			s.clock = true
		case c == 'm':
			months = true
		case code[i] == '0' && !s.clock:
			s.zeros++
		case code[i] == '.' && s.zeros > 0, code[i] == '%', c == 'e' && s.zeros > 0:
			return style{}
		}
	}
	s.date = s.date || months && !s.clock
	if s.date || s.clock {
		s.zeros = 0
	}
	return s
}

func isElapsed(s string) bool {
	s = strings.ToLower(s)
	return s != "" && (strings.Trim(s, "h") == "" || strings.Trim(s, "m") == "" || strings.Trim(s, "s") == "")
}
