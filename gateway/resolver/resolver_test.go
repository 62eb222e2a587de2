package resolver

import "testing"

func TestLinkName(t *testing.T) {
	for in, want := range map[string]string{"gs1:epcis": "epcis", "https://gs1.org/voc/pip": "pip", "https://ref.gs1.org/voc/pip": "pip", "all": "all", "": ""} {
		if got := linkName(in); got != want {
			t.Errorf("linkName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLotOf(t *testing.T) {
	for path, want := range map[string]string{
		"/01/06900112000018/10/A1/21/S1":    "https://id.gs1.org/01/06900112000018/10/A1",
		"/gtin/06900112000018/lot/A1/ser/S": "https://id.gs1.org/01/06900112000018/10/A1",
	} {
		if got, ok := lotOf(path); !ok || got != want {
			t.Errorf("lotOf(%q) = %q, %v", path, got, ok)
		}
	}
	for _, path := range []string{"/01/06900112000018/21/S1", "/01/06900112000018/10/A1", "/21/x", ""} {
		if got, ok := lotOf(path); ok {
			t.Errorf("lotOf(%q) = %q", path, got)
		}
	}
}
