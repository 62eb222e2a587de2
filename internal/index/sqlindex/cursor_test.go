package sqlindex

import (
	"errors"
	"slices"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// FuzzCursor: a cursor that is read means the same when it is written again; what is none is said to be none.
func FuzzCursor(f *testing.F) {
	f.Add(writeCursor(1, -2), 2)
	f.Add("+1", 1)
	f.Add("9223372036854775808", 1)
	f.Fuzz(func(t *testing.T, text string, n int) {
		numbers, err := cursor(text, n&3)
		if err != nil {
			if !errors.Is(err, index.ErrCursor) {
				t.Error(err)
			}
			return
		}
		if again, err := cursor(writeCursor(numbers...), n&3); err != nil || !slices.Equal(again, numbers) {
			t.Errorf("%q is %v, then %v: %v", text, numbers, again, err)
		}
	})
}
