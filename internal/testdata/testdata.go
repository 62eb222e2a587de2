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
	path, err := Find(elem...)
	if err != nil {
		t.Skipf("optional test data is not here (set FOODTRACE_TESTDATA to its folder): %v", err)
	}
	return path
}

// Find is Shared for a test that has something to check without the data.
func Find(elem ...string) (path string, err error) {
	root := os.Getenv("FOODTRACE_TESTDATA")
	if root == "" {
		_, file, _, _ := runtime.Caller(0)
		root = filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "data")
	}
	path = filepath.Join(append([]string{root}, elem...)...)
	_, err = os.Stat(path)
	return path, err
}
