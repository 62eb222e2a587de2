package unit

import (
	"strings"
	"testing"
)

func TestCode(t *testing.T) {
	for text, want := range map[string]string{"Cases": "CS", "cs": "CS", "lbs.": "LBR", "LB": "LBR", "公斤": "KGM", "箱": "CS", "ＫＧ": "KGM", "metric tons": "TNE",
		"tons": "", "斤": "", "": "", "bushels": "BUA"} {
		code, ok := Code(text)
		if ok != (want != "") || code != want {
			t.Errorf("%q: %q, want %q", text, code, want)
		}
	}
}

// What is written is read again, and no word stands for two units.
func TestWords(t *testing.T) {
	for code, list := range words {
		if got, ok := Code(code); !ok || got != code {
			t.Errorf("%s (%s) is written and not read", code, list)
		}
		for word := range strings.FieldsSeq(list) {
			if got, _ := Code(word); got != code {
				t.Errorf("%q is %s and %s", word, code, got)
			}
		}
	}
}
