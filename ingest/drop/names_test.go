package drop

import (
	"path"
	"strings"
	"testing"
)

// FuzzNames: whatever a file is called, it and its receipt find two names in the folders of what is done, which file systems can have.
func FuzzNames(f *testing.F) {
	f.Add("出库单.xlsx", "1")
	f.Add(strings.Repeat("单", 85)+".csv", "x")
	f.Add(strings.Repeat("a", 240)+"."+strings.Repeat("b", 14), "")
	f.Fuzz(func(t *testing.T, name, id string) {
		if name = path.Base(name); name == "." || name == "/" {
			return // not a name of a file
		}
		own, other := names(file{name: name, id: id})
		for _, n := range []string{own, other} {
			if n == "" || strings.Contains(n, "/") || len(name) <= 255 && len(n)+len(receiptEnd) > 255 {
				t.Errorf("%q is kept as %q", name, n)
			}
		}
		if own == other {
			t.Errorf("%q has one name", name)
		}
		if shown := show(name); strings.ToValidUTF8(shown, "") != shown {
			t.Errorf("%q is shown as %q", name, shown)
		}
	})
}
