package capture

import (
	"os"
	"path/filepath"
	"testing"
)

// TestStorePath: the job file lies where it is said to, whatever signs of a URI its path holds.
func TestStorePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a?b#c%20d e", "jobs.db")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := openStore(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
