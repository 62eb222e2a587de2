package event_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// Every field is copied: one that is forgotten would be lost from every translated event.
func TestClone(t *testing.T) {
	var e event.Event
	fill(reflect.ValueOf(&e).Elem())
	if d := cmp.Diff(&e, e.Clone(), ignoreMemo); d != "" {
		t.Error(d)
	}
}
