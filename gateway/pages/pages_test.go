package pages

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/foodtrace-ledger/foodtrace/gateway/view"
)

func catalogues(t *testing.T) map[Lang]catalogue {
	t.Helper()
	all := map[Lang]catalogue{}
	for _, l := range []Lang{Chinese, English} {
		c, err := readCatalogue(l)
		if err != nil {
			t.Fatal(err)
		}
		all[l] = c
	}
	return all
}

var verb = regexp.MustCompile(`%[a-z]`)

func TestBothLanguagesSayEverything(t *testing.T) {
	all := catalogues(t)
	zh, en := all[Chinese], all[English]
	for key, text := range zh {
		other, ok := en[key]
		if !ok {
			t.Errorf("%s is missing in English", key)
		}
		if text == "" || other == "" {
			t.Errorf("%s is empty", key)
		}
		if a, b := verb.FindAllString(text, -1), verb.FindAllString(other, -1); !slices.Equal(a, b) {
			t.Errorf("%s takes %v in Chinese and %v in English", key, a, b)
		}
	}
	for key := range en {
		if _, ok := zh[key]; !ok {
			t.Errorf("%s is missing in Chinese", key)
		}
	}
}

// keysIn are the keys that templates and code ask for.
func keysIn(t *testing.T) []string {
	t.Helper()
	var keys []string
	pattern := regexp.MustCompile(`(?:\bt|text\.say\() ?"([a-z_0-9.]+)"`)
	for _, glob := range []string{"templates/*.html", "*.go"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range pattern.FindAllSubmatch(body, -1) {
				keys = append(keys, string(m[1]))
			}
		}
	}
	return keys
}

func TestEveryKeyThatIsAskedForIsThere(t *testing.T) {
	zh := catalogues(t)[Chinese]
	keys := keysIn(t)
	if len(keys) < 50 {
		t.Fatalf("only %d keys were found: the pattern is wrong", len(keys))
	}
	for _, s := range []view.State{view.Safe, view.Caution, view.OnHold, view.Recalled} {
		keys = append(keys, "badge."+string(s), "status."+string(s), "status."+string(s)+".why", "status."+string(s)+".do")
	}
	for _, d := range notable {
		keys = append(keys, "disposition."+d)
	}
	for _, k := range keys {
		if _, ok := zh[k]; !ok && !strings.HasSuffix(k, ".") { // the rest of such a key is known at run time
			t.Errorf("no text %q", k)
		}
	}
}

func TestEveryFindingHasWords(t *testing.T) {
	zh := catalogues(t)[Chinese]
	for _, code := range constants(t, "../../chaincode/contract/code.go", "Code") {
		if _, ok := zh["finding."+code]; !ok {
			t.Errorf("no words for the finding %s", code)
		}
	}
}

// constants are the string constants of a type in a file.
func constants(t *testing.T, path, typ string) (values []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != typ {
			return true
		}
		for _, v := range spec.Values {
			if lit, ok := v.(*ast.BasicLit); ok {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, text)
			}
		}
		return true
	})
	if len(values) == 0 {
		t.Fatalf("%s has no constants of type %s", path, typ)
	}
	return values
}

// The words of CBV 2.0, sections 7.1 and 7.2.
const (
	cbvSteps = `accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting decommissioning departing
		destroying disassembling dispensing encoding entering_exiting holding inspecting installing killing loading other packing picking receiving
		removing repackaging repairing replacing reserving retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking
		storing transforming transporting unloading unpacking void_shipping`
	cbvDispositions = `active available completeness_verified completeness_inferred conformant container_closed container_open damaged destroyed
		dispensed disposed encoded expired in_progress in_transit inactive mismatch_instance mismatch_class mismatch_quantity needs_replacement
		no_pedigree_match non_conformant non_sellable_other partially_dispensed recalled reserved retail_sold returned sellable_accessible
		sellable_not_accessible stolen unavailable unknown`
)

func TestEveryWordOfTheVocabularyHasWords(t *testing.T) {
	zh := catalogues(t)[Chinese]
	for prefix, list := range map[string]string{"step.": cbvSteps, "disposition.": cbvDispositions} {
		for _, word := range strings.Fields(list) {
			if _, ok := zh[prefix+word]; !ok {
				t.Errorf("no text %s%s", prefix, word)
			}
		}
	}
}

func TestLanguageOf(t *testing.T) {
	for _, c := range []struct {
		query, header string
		want          Lang
	}{
		{"", "", English},
		{"", "zh-CN,zh;q=0.9,en;q=0.8", Chinese},
		{"", "en-GB,en;q=0.9,zh;q=0.8", English},
		{"", "fr,zh-Hant;q=0.3,en;q=0.2", Chinese},
		{"", "de, fr;q=0.5", English},
		{"", "ZH", Chinese},
		{"", "zh;q=0", English},
		{"", "zh;q=nonsense, en;q=0.1", English},
		{"", "zh;q=7", English},
		{"?lang=zh", "en", Chinese},
		{"?lang=en", "zh", English},
		{"?lang=xx", "zh", Chinese},
	} {
		r := httptest.NewRequest(http.MethodGet, "/"+c.query, nil)
		r.Header.Set("Accept-Language", c.header)
		if got := Of(r); got != c.want {
			t.Errorf("%q %q: %s, want %s", c.query, c.header, got, c.want)
		}
	}
}

func FuzzLanguageOf(f *testing.F) {
	f.Add("zh-CN,zh;q=0.9,en;q=0.8")
	f.Add(";;q=,,=;q=1e309")
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Accept-Language"] = []string{header}
		if l := Of(r); l != Chinese && l != English {
			t.Errorf("%q: %q", header, l)
		}
	})
}

func FuzzWrap(f *testing.F) {
	f.Add("Spinach salad with sesame dressing, 250 g", 64, 2)
	f.Add("菠菜芝麻沙拉 250克", 64, 1)
	f.Add("no-space-anywhere-in-this-name-at-all", 20, 3)
	f.Fuzz(func(t *testing.T, text string, units, rows int) {
		if !utf8.ValidString(text) || units < 16 || units > 400 || rows < 1 || rows > 5 {
			return
		}
		lines := wrap(text, units, rows)
		if len(lines) > rows {
			t.Fatalf("%d lines", len(lines))
		}
		for _, l := range lines {
			width := 0
			for _, r := range l {
				width += unitsOf(r)
			}
			if width > units || !utf8.ValidString(l) {
				t.Errorf("line %q is %d wide, allowed are %d", l, width, units)
			}
		}
		joined := strings.Join(lines, "")
		if !strings.Contains(joined, "…") && strings.Join(strings.Fields(joined), "") != strings.Join(strings.Fields(text), "") {
			t.Errorf("%q became %q", text, lines)
		}
	})
}

func TestCacheForgetsTheOldest(t *testing.T) {
	c := NewCache()
	v := view.Version{Ledger: 1, Index: 1}
	body := make([]byte, cacheBytes/10)
	for i := range 20 {
		c.Put(Key{Item: fmt.Sprint(i)}, NewAnswer(v, MediaType, body))
		if c.bytes > cacheBytes {
			t.Fatalf("%d bytes are kept, allowed are %d", c.bytes, cacheBytes)
		}
	}
	if c.Get(Key{Item: "0"}, v) != nil || c.Get(Key{Item: "19"}, v) == nil {
		t.Error("not the oldest was forgotten")
	}
	c.Put(Key{Item: "19"}, NewAnswer(view.Version{Ledger: 2, Index: 2}, MediaType, body))
	if c.Get(Key{Item: "19"}, v) != nil {
		t.Error("an answer of another version was given")
	}
	kept := 0
	for _, k := range c.lru.Keys() {
		a, _ := c.lru.Peek(k)
		kept += a.size()
	}
	if kept != c.bytes {
		t.Errorf("%d bytes are kept, %d are counted", kept, c.bytes)
	}
}

func TestServe(t *testing.T) {
	a := NewAnswer(view.Version{}, MediaType, []byte("hello"))
	for _, c := range []struct {
		method, match string
		status        int
		body          string
	}{
		{http.MethodGet, "", 200, "hello"},
		{http.MethodHead, "", 200, ""},
		{http.MethodGet, a.etag[0], 304, ""},
		{http.MethodGet, `"x", W/` + a.etag[0], 304, ""},
		{http.MethodGet, "*", 304, ""},
		{http.MethodGet, `"x"`, 200, "hello"},
	} {
		r, w := httptest.NewRequest(c.method, "/", nil), httptest.NewRecorder()
		r.Header.Set("If-None-Match", c.match)
		a.Serve(w, r)
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s %q: %d %q", c.method, c.match, w.Code, w.Body)
		}
		if w.Header().Get("ETag") == "" || w.Header().Get("Cache-Control") != "no-cache" || w.Header().Get("Vary") == "" {
			t.Errorf("%s %q: %v", c.method, c.match, w.Header())
		}
	}
}
