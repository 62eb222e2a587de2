package accept

import "testing"

const (
	html    = "text/html"
	plain   = "application/json"
	linked  = "application/ld+json"
	linkset = "application/linkset+json"
)

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
		if got := Choose(accept, html, plain, linked, linkset); got != want {
			t.Errorf("Choose(%q) = %q, want %q", accept, got, want)
		}
	}
}

func FuzzChoose(f *testing.F) {
	f.Add("text/html;q=0.1,*/*;q=,;;")
	f.Add("application/json;q=1e400")
	f.Fuzz(func(t *testing.T, accept string) {
		switch got := Choose(accept, html, plain, linked, linkset); got {
		case html, plain, linked, linkset, "":
		default:
			t.Errorf("Choose(%q) = %q", accept, got)
		}
	})
}
