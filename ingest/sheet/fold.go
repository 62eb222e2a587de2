package sheet

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold is the form in which the names of columns, sheets and words are compared: without case, blanks and punctuation, wide characters
// as narrow ones. "Ref Doc No." and "REF_DOC　NO" are one name, "产品（中文）" and "产品(中文)" too. Words of Chinese keep their characters.
func Fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '#' || r == '%' {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKC.String(s))
}
