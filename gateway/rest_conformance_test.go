package gateway_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each test that docs/conformance.md names is there, and each resource and method of the OpenAPI document is in its table.
func TestConformanceDocument(t *testing.T) {
	root := ".."
	text := string(must(os.ReadFile(filepath.Join(root, "docs", "conformance.md"))))
	named := regexp.MustCompile("`([a-z0-9/]+)\\.(Test\\w+)(?:/(\\w+))?`").FindAllStringSubmatch(text, -1)
	if len(named) < 20 {
		t.Fatalf("only %d tests are named", len(named))
	}
	known := map[string]string{} // folder → source of its tests
	for _, n := range named {
		folder, name, sub := n[1], n[2], n[3]
		if known[folder] == "" {
			known[folder] = testSource(filepath.Join(root, folder))
		}
		if !strings.Contains(known[folder], "\nfunc "+name+"(t ") {
			t.Errorf("%s has no %s", folder, name)
		}
		if sub != "" && !strings.Contains(known[folder], `"`+sub+`"`) {
			t.Errorf("%s has no %s/%s", folder, name, sub)
		}
	}
	spec := standard()
	if spec == nil {
		t.Skip("the OpenAPI document is not here: whether all of its resources are in the table is not checked")
	}
	for path, item := range spec.Paths.Map() {
		for method := range item.Operations() {
			if !strings.Contains(text, "`"+method+" "+path+"`") {
				t.Errorf("the table has no %s %s", method, path)
			}
		}
	}
}

// testSource is the text of a folder's tests.
func testSource(folder string) string {
	var all strings.Builder
	for _, f := range must(filepath.Glob(filepath.Join(folder, "*_test.go"))) {
		all.Write(must(os.ReadFile(f)))
	}
	return all.String()
}
