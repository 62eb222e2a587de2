package protocol

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// batchOf encodes a batch of so many records.
func batchOf(t testing.TB, records int) []byte {
	t.Helper()
	b := &contract.Batch{}
	for i := range records {
		b.Records = append(b.Records, contract.Record{Inspection: &contract.Inspection{Item: fmt.Sprintf("urn:example:%d", i), Time: event.Time{}}})
	}
	data, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestBatches(t *testing.T) {
	submit, one, most := []byte(Submit), batchOf(t, 1), batchOf(t, contract.MaxRecords)
	for name, c := range map[string]struct {
		args [][]byte
		code string
	}{
		"one":                     {[][]byte{submit, one}, ""},
		"three":                   {[][]byte{submit, one, one, one}, ""},
		"as many as may be":       {append([][]byte{submit}, slices.Repeat([][]byte{one}, MaxBatches)...), ""},
		"too many":                {append([][]byte{submit}, slices.Repeat([][]byte{one}, MaxBatches+1)...), CodeArguments},
		"none":                    {[][]byte{submit}, CodeArguments},
		"one full":                {[][]byte{submit, most}, ""},
		"more records than a few": {[][]byte{submit, most, one}, CodeTooLarge},
		"too large together":      {[][]byte{submit, make([]byte, MaxBatchBytes/2+1), make([]byte, MaxBatchBytes/2)}, CodeTooLarge},
		"an empty one":            {[][]byte{submit, one, batchOf(t, 0)}, CodeBatch},
		"another function":        {[][]byte{[]byte("get"), one}, CodeFunction},
		"nothing":                 {nil, CodeFunction},
	} {
		batches, err := Batches(c.args)
		var e *Error
		switch {
		case c.code == "":
			if err != nil || len(batches) != len(c.args)-1 {
				t.Errorf("%s: %d batches, %v", name, len(batches), err)
			}
		case !errors.As(err, &e) || e.Code != c.code || e.Status != StatusWrong:
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

func TestBatchID(t *testing.T) {
	for position, id := range []string{"ab", "ab.1", "ab.2"} {
		if got := BatchID("ab", position); got != id || TxID(got) != "ab" {
			t.Errorf("%d: %q of %q", position, got, TxID(got))
		}
	}
}

func TestSplit(t *testing.T) {
	batches := []*contract.Batch{{Records: make([]contract.Record, 2)}, {Records: make([]contract.Record, 1)}}
	all := []contract.Outcome{{ID: "a"}, {ID: "b"}, {ID: "c"}}
	got, err := Split(all, batches)
	if diff := cmp.Diff([][]contract.Outcome{{{ID: "a"}, {ID: "b"}}, {{ID: "c"}}}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	for _, wrong := range [][]contract.Outcome{nil, all[:1], all[:2], append(all, all...)} {
		if got, err := Split(wrong, batches); err == nil {
			t.Errorf("%d outcomes: %v", len(wrong), got)
		}
	}
}

// FuzzBatches: no arguments make it fail otherwise than with a code, or return a batch without records.
func FuzzBatches(f *testing.F) {
	f.Add(batchOf(f, 1), batchOf(f, 2))
	f.Add([]byte("{}"), []byte{})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		batches, err := Batches([][]byte{[]byte(Submit), first, second})
		var e *Error
		if err != nil && !errors.As(err, &e) || err == nil && len(batches) != 2 {
			t.Errorf("%+v, %v", batches, err)
		}
		for _, b := range batches {
			if len(b.Records) == 0 {
				t.Error("a batch without records")
			}
		}
	})
}
