package view

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// A file is listed once, with what the record knows of it.
func TestFilesOfAnEvent(t *testing.T) {
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 64)
	e := index.Event{Evidence: []contract.Evidence{{SHA256: a, Size: 1, Name: "a.pdf"}}, Event: &event.Event{Certification: event.Strings{event.FileURI(b), event.FileURI(a)}}}
	if diff := cmp.Diff([]contract.Evidence{{SHA256: a, Size: 1, Name: "a.pdf"}, {SHA256: b}}, Files(e)); diff != "" {
		t.Error(diff)
	}
	if len(e.Evidence) != 1 || Files(index.Event{}) != nil {
		t.Error("the event was changed")
	}
}
