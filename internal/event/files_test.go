package event

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFilesOfAnEvent(t *testing.T) {
	sum := func(digit string) string { return strings.Repeat(digit, 64) }
	e := &Event{
		Certification: Strings{FileURI(sum("b")), "https://example.org/cert", "ni:///sha-256;" + strings.Repeat("z", 43),
			"ni:///sha-256;zMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMw", "ni:///sha-512;" + sum("d"), FileURI(sum("d")[1:]), FileURI(sum("B"))},
		BizTransactions: []BizTransaction{{Type: "cert", BizTransaction: FileURI(sum("e")) + "?ct=application/pdf"},
			{Type: "urn:epcglobal:cbv:btt:testres", BizTransaction: FileURI(sum("f"))}, {Type: "cert", BizTransaction: FileURI(sum("e"))},
			{Type: "https://ref.gs1.org/cbv/BTT-cert", BizTransaction: FileURI(sum("1"))},
			{Type: "po", BizTransaction: FileURI(sum("2"))}, {BizTransaction: FileURI(sum("3"))}},
	}
	// "zzz…" is base64url, too: of 32 bytes.
	want := []string{sum("b"), "cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3cf3c", sum("c"), sum("e"), sum("f"), sum("1")}
	if diff := cmp.Diff(want, e.Files()); diff != "" {
		t.Error(diff)
	}
	if got := (&Event{}).Files(); got != nil {
		t.Error(got)
	}
}
