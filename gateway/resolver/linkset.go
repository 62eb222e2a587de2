package resolver

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// vocabulary of GS1, in which link types are named (GS1 Web Vocabulary).
const vocabulary = "https://gs1.org/voc/"

// linkName is the bare name of a link type: "epcis" of gs1:epcis, https://gs1.org/voc/epcis, https://ref.gs1.org/voc/epcis.
func linkName(linkType string) string {
	for _, prefix := range []string{"gs1:", vocabulary, "https://ref.gs1.org/voc/", "http://gs1.org/voc/"} {
		if name, ok := strings.CutPrefix(linkType, prefix); ok {
			return name
		}
	}
	return linkType
}

// link is one link of an item.
type link struct {
	name, path, media, title string
	languages                []string
}

// links are those of an item; a product class has a page only.
func (s *Resolver) links(key string, class bool) []link {
	page := link{name: "pip", path: view.Path(key), media: html, title: "Where it comes from, and whether it is safe", languages: []string{"zh", "en"}}
	if class {
		return []link{page}
	}
	lot := "/api/v1/lots/" + url.PathEscape(key)
	return []link{
		page,
		{name: "epcis", path: lot, media: plain, title: "Events in EPCIS 2.0 JSON, with their proof"},
		{name: "traceability", path: lot + "/trace", media: plain, title: "What it was made of, with the events that prove it"},
		{name: "certificationInfo", path: "/api/v1/inspections?item=" + url.QueryEscape(key), media: plain, title: "Inspections"},
	}
}

// target of a link in a linkset (RFC 9264, section 4.2).
type linkTarget struct {
	Href     string   `json:"href"`
	Title    string   `json:"title"`
	Type     string   `json:"type"`
	Hreflang []string `json:"hreflang,omitempty"`
}

// describe is what GS1's schema of linksets wants to be said of every item: the name of its product, else its key.
func (s *Resolver) describe(ctx context.Context, key string) (string, error) {
	id, _ := gs1.Parse(key)
	product := gs1.ProductKey(id)
	products, err := s.views.Public().Products(ctx, []string{product})
	if err != nil {
		return "", err
	}
	name := products[product].Name
	return cmp.Or(name.EN, name.ZH, key), nil
}

// linkset answers with all links of an item (RFC 9264; GS1 Digital Link: Resolution, section on linksets).
func (s *Resolver) linkset(w http.ResponseWriter, r *http.Request, t target) {
	description, err := s.describe(r.Context(), t.key)
	if err != nil {
		problem.Write(w, r, err)
		return
	}
	item := map[string]any{"anchor": t.key, "itemDescription": description}
	if !strings.HasPrefix(t.key, "http") { // an anchor is a web address
		item["anchor"] = s.base + view.Path(t.key)
	}
	for i, l := range s.links(t.key, t.class) {
		to := []linkTarget{{Href: s.base + l.path, Title: l.title, Type: l.media, Hreflang: l.languages}}
		item[vocabulary+l.name] = to
		if i == 0 {
			item[vocabulary+"defaultLink"] = to
		}
	}
	body, err := json.Marshal(map[string]any{"linkset": []any{item}}, json.Deterministic(true))
	if err != nil {
		problem.Write(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", linkset)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept")
	_, _ = w.Write(body) // a client that left is not an error
}
