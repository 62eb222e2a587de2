package view

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

func TestFilesOfAnEvent(t *testing.T) {
	sum := func(digit string) string { return strings.Repeat(digit, 64) }
	e := index.Event{Evidence: []contract.Evidence{{SHA256: sum("a"), Size: 1}}, Event: &event.Event{
		Certification: event.Strings{"ni:///sha-256;" + sum("b"), "https://example.org/cert", "ni:///sha-256;" + strings.Repeat("z", 43),
			"ni:///sha-256;zMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMw", "ni:///sha-512;" + sum("d"), "ni:///sha-256;" + sum("d")[1:]},
		BizTransactions: []event.BizTransaction{{Type: "cert", BizTransaction: "ni:///sha-256;" + sum("e") + "?ct=application/pdf"},
			{Type: "urn:epcglobal:cbv:btt:testres", BizTransaction: "ni:///sha-256;" + sum("f")},
			{Type: "https://ref.gs1.org/cbv/BTT-cert", BizTransaction: "ni:///sha-256;" + sum("1")},
			{Type: "po", BizTransaction: "ni:///sha-256;" + sum("2")}, {BizTransaction: "ni:///sha-256;" + sum("3")}},
	}}
	var got []string
	for _, f := range Files(e) {
		got = append(got, f.SHA256)
	}
	// "zzz…" is base64url, too: of 32 bytes.
	want := []string{sum("a"), sum("b"), "cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3c", sum("c"), sum("e"), sum("f"), sum("1")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(e.Evidence) != 1 || Files(index.Event{}) != nil {
		t.Error("the event was changed")
	}
}
