// Package testdata finds the optional folder of public documents and conformance vectors that tests read.
package testdata

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Shared returns the path of a file or folder of the optional test data, which lies beside the
// checkout as ../shared/data, and skips the test where it is not there. FOODTRACE_TESTDATA names another place.
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	root := os.Getenv("FOODTRACE_TESTDATA")
	if root == "" {
		_, file, _, _ := runtime.Caller(0)
		root = filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "data")
	}
	path := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("optional test data is not here (set FOODTRACE_TESTDATA to its folder): %v", err)
	}
	return path
}
