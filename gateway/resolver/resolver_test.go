package resolver

import "testing"

func TestChoose(t *testing.T) {
	for accept, want := range map[string]string{
		"":                    html,
		"*/*":                 html,
		"text/html":           html,
		"application/json":    plain,
		"APPLICATION/JSON":    plain,
		"application/ld+json": linked,
		"application/*":       plain,
		"application/linkset+json, application/json;q=0.5": linkset,
		"application/json;q=0.4, text/html;q=0.5":          html,
		"application/json;q=0, */*":                        html,
		"text/html;q=0, */*;q=0.1":                         plain,
		"image/png":                                        "",
		"*/*;q=0":                                          "",
		"application/json;q=2":                             "",
		"application/json;q=NaN":                           "",
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": html,
	} {
		if got := choose(accept, html, plain, linked, linkset); got != want {
			t.Errorf("choose(%q) = %q, want %q", accept, got, want)
		}
	}
}

func FuzzChoose(f *testing.F) {
	f.Add("text/html;q=0.1,*/*;q=,;;")
	f.Add("application/json;q=1e400")
	f.Fuzz(func(t *testing.T, accept string) {
		switch got := choose(accept, html, plain, linked, linkset); got {
		case html, plain, linked, linkset, "":
		default:
			t.Errorf("choose(%q) = %q", accept, got)
		}
	})
}

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
