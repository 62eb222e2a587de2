package contract_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

func TestOutcomesRoundTrip(t *testing.T) {
	outcomes := []contract.Outcome{
		{ID: "hold-1", Status: contract.Accepted},
		{Status: contract.Refused, Findings: []contract.Finding{{Code: contract.CodeLotHeld, Message: "持有", Place: "/event", Subject: "x"}}, Violations: []string{"hold-1"}},
		{ID: "e", Status: contract.Duplicate, Voids: true},
	}
	data, err := contract.EncodeOutcomes(outcomes)
	if err != nil {
		t.Fatal(err)
	}
	again, err := contract.EncodeOutcomes(outcomes)
	if err != nil || !bytes.Equal(data, again) {
		t.Error("the same outcomes have other bytes", err)
	}
	got, err := contract.DecodeOutcomes(data)
	if err != nil || cmp.Diff(outcomes, got) != "" {
		t.Error(err, cmp.Diff(outcomes, got))
	}
}

func TestDecodeOutcomesRefuses(t *testing.T) {
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer enc.Close()
	for name, data := range map[string][]byte{
		"empty":        {},
		"not zstd":     []byte("[]"),
		"not JSON":     enc.EncodeAll([]byte("[{"), nil),
		"not outcomes": enc.EncodeAll([]byte(`{"id":"x"}`), nil),
		"a bomb":       enc.EncodeAll([]byte("["+strings.Repeat(" ", 257<<20)+"]"), nil),
	} {
		if got, err := contract.DecodeOutcomes(data); err == nil || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := contract.EncodeOutcomes([]contract.Outcome{{ID: "\xff"}}); err == nil {
		t.Error("text that is not UTF-8 was encoded")
	}
}

// FuzzDecodeOutcomes: no bytes make the decoder panic, and what was decoded encodes to the same outcomes.
func FuzzDecodeOutcomes(f *testing.F) {
	f.Add([]byte(`[{"id":"x","status":"accepted"},{"id":"y","status":"refused","findings":[{"code":"ON_HOLD","message":"m","place":"/a"}]}]`))
	f.Add([]byte("\x28\xb5\x2f\xfd\x00\x00"))
	w, err := zstd.NewWriter(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		outcomes, err := contract.DecodeOutcomes(data)
		if err != nil {
			if outcomes, err = contract.DecodeOutcomes(w.EncodeAll(data, nil)); err != nil { // plain JSON is easier to mutate
				return
			}
		}
		first, err := contract.EncodeOutcomes(outcomes)
		if err != nil {
			t.Fatal(err)
		}
		again, err := contract.DecodeOutcomes(first)
		if err != nil {
			t.Fatal(err)
		}
		if second, err := contract.EncodeOutcomes(again); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("not the same after a round trip (%v)", err)
		}
	})
}
