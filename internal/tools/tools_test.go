package tools

import (
	"strings"
	"testing"
)

// TestUnknownSet: what is not pinned is not built.
func TestUnknownSet(t *testing.T) {
	var progress strings.Builder
	if bin, err := Build(t.Context(), "fabric-9", &progress); err == nil {
		t.Errorf("built in %s", bin)
	}
	if progress.Len() > 0 {
		t.Errorf("says %q of what it does not do", progress.String())
	}
}
