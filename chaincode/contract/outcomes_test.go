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
