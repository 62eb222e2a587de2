package gateway_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestACursorOfAnotherList(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/api/v1/holds", "/api/v1/inspections", "/api/v1/lots/" + url.PathEscape(w.story.Safe)} {
		res := w.ask(http.MethodGet, path+"?after=x", "")
		checkProblem(t, path, res, http.StatusBadRequest, "BAD_REQUEST", "after")
	}
}

// A lot whose GS1 identifier cannot be read is taken with a finding, so it can be held and looked up as well.
func TestALotWhoseIdentifierCannotBeRead(t *testing.T) {
	w := newWorld(t)
	const lot = "https://id.gs1.org/01/06900112000018/10/%E6%89%B9%E6%AC%A11"
	res := w.ask(http.MethodPost, "/api/v1/holds", `{"item":"`+lot+`","scope":"lot","reason":{"en":"x"}}`, append(w.as(w.story.Inspector), "Content-Type", "application/json")...)
	if res.Code != http.StatusCreated {
		t.Fatalf("hold: %d %s", res.Code, res.Body)
	}
	for _, path := range []string{"", "/trace", "/scope"} {
		res := w.ask(http.MethodGet, "/api/v1/lots/"+url.PathEscape(lot)+path, "", w.as(w.story.Inspector)...)
		if res.Code != http.StatusOK {
			t.Errorf("%q: %d %s", path, res.Code, res.Body)
		}
	}
}

// An item written in other characters than a URI may have is the one that records name by its URI.
func TestAnItemInChinese(t *testing.T) {
	w := newWorld(t)
	const body = `{"item":"urn:example:批次1","scope":"lot","reason":{"zh":"复检"}}`
	if res := w.ask(http.MethodPost, "/api/v1/holds", body, append(w.as(w.story.Inspector), "Content-Type", "application/json")...); res.Code != http.StatusCreated {
		t.Fatalf("hold: %d %s", res.Code, res.Body)
	}
	const encoded = "urn:example:%E6%89%B9%E6%AC%A11"
	if res := w.ask(http.MethodGet, "/api/v1/holds?item="+url.QueryEscape(encoded), ""); !strings.Contains(res.Body.String(), encoded) {
		t.Errorf("%d %s", res.Code, res.Body)
	}
}

func TestWhatAnswersGetAnswersHead(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/search?q=abc", "/api/v1/holds", "/api/v1/openapi.json", "/epcis/capture"} {
		if res := w.ask(http.MethodHead, path, "", w.as(w.story.Inspector)...); res.Code != http.StatusOK {
			t.Errorf("HEAD %s: %d", path, res.Code)
		}
	}
	if res := w.ask(http.MethodDelete, "/api/v1/holds", ""); res.Header().Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("Allow: %q", res.Header().Get("Allow"))
	}
}
