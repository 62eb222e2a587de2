package gateway_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"image/png"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
)

const maxPage = 50 << 10 // bytes, the bar

var accepts = map[string]string{"zh": "zh-CN,zh;q=0.9", "en": "en-GB,en;q=0.9"}

func testLotPages(t *testing.T, w *world) {
	for _, c := range []struct{ key, zh, en string }{
		{w.story.Safe, "安全：未发现问题", "Safe: no problem on record"},
		{w.story.Held, "暂停销售：封存检查中", "On hold: not to be sold"},
		{w.story.Recalled, "已召回：请勿食用", "Recalled: do not eat it"},
		{w.story.Shrimp, "安全：未发现问题", "Safe: no problem on record"},
		{w.story.Released, "安全：未发现问题", "Safe: no problem on record"},
	} {
		for lang, want := range map[string]string{"zh": c.zh, "en": c.en} {
			res := w.ask(http.MethodGet, view.Path(c.key), "", "Accept-Language", accepts[lang], "Accept", "text/html")
			body := res.Body.String()
			checkPage(t, res.Code, http.StatusOK, body, res.Header(), lang)
			if !strings.Contains(body, want) {
				t.Errorf("%s %s does not say %q", c.key, lang, want)
			}
			if strings.Contains(body, ">way.") || strings.Contains(body, ">status.") || strings.Contains(body, "%!") {
				t.Errorf("%s %s has a text that is missing or badly filled in", c.key, lang)
			}
			if etag := res.Header().Get("ETag"); w.ask(http.MethodGet, view.Path(c.key), "", "Accept-Language", accepts[lang], "If-None-Match", etag).Code != http.StatusNotModified {
				t.Errorf("%s %s: no 304 for its own ETag", c.key, lang)
			}
		}
	}
	recalled := w.ask(http.MethodGet, view.Path(w.story.Recalled)+"?lang=en", "").Body.String()
	for _, want := range []string{"Listeria monocytogenes", "SD-2026-0423", "Shandong Administration for Market Regulation", "Failed", "Slaughtered"} {
		if found := strings.Contains(recalled, want); found == (want == "Slaughtered") {
			t.Errorf("recalled page: %q found: %v", want, found)
		}
	}
	if head := w.ask(http.MethodHead, view.Path(w.story.Safe), ""); head.Code != http.StatusOK || head.Body.Len() != 0 {
		t.Errorf("HEAD: %d, %d bytes", head.Code, head.Body.Len())
	}
}

// checkPage is what holds for every page.
func checkPage(t *testing.T, status, want int, body string, h http.Header, lang string) {
	t.Helper()
	if status != want || !strings.HasPrefix(h.Get("Content-Type"), "text/html") || len(body) > maxPage {
		t.Errorf("status %d, %s, %d bytes", status, h.Get("Content-Type"), len(body))
	}
	if !strings.Contains(body, `<html lang="`+lang) || !strings.Contains(body, "<main") || strings.Contains(strings.ToLower(body), "<script") {
		t.Errorf("language, landmark or script: %.200s", body)
	}
	_, rest, _ := strings.Cut(body, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	if policy := h.Get("Content-Security-Policy"); !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("the policy does not name the style: %s", policy)
	}
	if regexp.MustCompile(`\sstyle="|\son[a-z]+="|javascript:`).MatchString(body) {
		t.Error("inline style or script that the policy refuses")
	}
}

func testPagesThatAreNotLots(t *testing.T, w *world) {
	for lang, accept := range accepts {
		for path, c := range map[string]struct {
			status int
			want   string
		}{
			"/":                                  {200, map[string]string{"zh": "查询一批产品", "en": "Find a lot"}[lang]},
			"/search?q=" + url.QueryEscape("菠菜"): {200, map[string]string{"zh": "菠菜芝麻沙拉", "en": "Spinach salad"}[lang]},
			"/search?q=x":                        {200, map[string]string{"zh": "至少", "en": "at least"}[lang]},
			"/search?q=nothing-like-this":        {200, map[string]string{"zh": "没有找到", "en": "Nothing was found"}[lang]},
			"/search?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E": {200, "&lt;script&gt;alert(1)"},
			"/search?q=%ff":                      {200, map[string]string{"zh": "查询结果", "en": "Search results"}[lang]},
			"/01/06900112000018":                 {200, map[string]string{"zh": "有记录的批次", "en": "lots on record"}[lang]},
			"/01/06900112000018/10/NOPE":         {404, map[string]string{"zh": "查不到这批产品", "en": "This lot is not on record"}[lang]},
			"/01/06900112000017/10/NOPE":         {404, map[string]string{"zh": "校验位不对", "en": "check digit"}[lang]},
			"/lot/urn%3Ax%3Ay%3Anope":            {404, "urn:x:y:nope"},
			"/lot/urn%3Ax%3A%3Cscript%3E":        {404, "urn:x:&lt;script&gt;"},
			"/01/123":                            {404, map[string]string{"zh": "没有这个页面", "en": "no such page"}[lang]},
			"/nowhere":                           {404, map[string]string{"zh": "没有这个页面", "en": "no such page"}[lang]},
			"/01/06900112000018/10/%3Cscript%3E": {404, "%3Cscript%3E"},
		} {
			res := w.ask(http.MethodGet, path, "", "Accept-Language", accept, "Accept", "text/html,*/*;q=0.8")
			checkPage(t, res.Code, c.status, res.Body.String(), res.Header(), lang)
			if !strings.Contains(res.Body.String(), c.want) {
				t.Errorf("%s %s does not say %q", path, lang, c.want)
			}
		}
	}
	start := w.ask(http.MethodGet, "/?lang=zh", "").Body.String()
	for _, key := range []string{w.story.Safe, w.story.Held, w.story.Recalled} {
		if !strings.Contains(start, view.Path(key)) {
			t.Errorf("the start page does not lead to %s", key)
		}
	}
}

func testSwitchKeepsThePage(t *testing.T, w *world) {
	link := regexp.MustCompile(`href="([^"]+)" hreflang="en"`)
	for path, want := range map[string]string{view.Path(w.story.Safe): view.Path(w.story.Safe) + "?lang=en", "/search?q=abc": "/search?lang=en&amp;q=abc", "/": "/?lang=en"} {
		m := link.FindStringSubmatch(w.ask(http.MethodGet, path, "", "Accept-Language", "zh", "Accept", "text/html").Body.String())
		if m == nil || m[1] != want {
			t.Errorf("%s: %v, want %s", path, m, want)
		}
	}
}

func testDigitalLink(t *testing.T, w *world) {
	lot := view.Path(w.story.Safe)
	escaped := url.PathEscape(w.story.Safe)
	short := strings.NewReplacer("/01/", "/gtin/", "/10/", "/lot/").Replace(lot)
	for _, c := range []struct {
		path, accept string
		status       int
		media, to    string
	}{
		{lot, "text/html", 200, "text/html; charset=utf-8", ""},
		{lot, "application/json", 200, "application/json", ""},
		{lot, "application/ld+json", 200, "application/json", ""},
		{lot, "application/linkset+json", 200, "application/linkset+json", ""},
		{lot + "?linkType=all", "text/html", 200, "application/linkset+json", ""},
		{lot + "?linkType=gs1:epcis", "text/html", 307, "", "/api/v1/lots/" + escaped},
		{lot + "?linkType=gs1:traceability", "", 307, "", "/api/v1/lots/" + escaped + "/trace"},
		{lot + "?linkType=gs1:pip", "text/html", 200, "text/html; charset=utf-8", ""},
		{lot + "?linkType=gs1:recipeInfo", "text/html", 404, "application/problem+json", ""},
		{lot, "image/png", 406, "application/problem+json", ""},
		{short + "?lang=zh", "text/html", 308, "", lot + "?lang=zh"},
		{strings.Replace(lot, "/01/0", "/01/", 1), "text/html", 308, "", lot},
		{lot + "/21/SERIAL", "text/html", 200, "text/html; charset=utf-8", ""},
		{"/lot/" + escaped, "text/html", 308, "", lot},
		{"/01/06900112000018", "application/json", 200, "application/json", ""},
		{"/01/06900112000018/10/NOPE", "application/json", 404, "application/problem+json", ""},
		{"/01/09506000134352", "application/json", 404, "application/problem+json", ""},
		{"/01/12", "application/json", 404, "application/problem+json", ""},
		{"/00/369001120000020024", "text/html", 200, "text/html; charset=utf-8", ""},
		{"/lot/nocolon", "application/json", 404, "application/problem+json", ""},
	} {
		res := w.ask(http.MethodGet, c.path, "", "Accept", c.accept)
		if res.Code != c.status || c.media != "" && res.Header().Get("Content-Type") != c.media || c.to != "" && res.Header().Get("Location") != c.to {
			t.Errorf("%s %q: %d %s %s, want %d %s %s", c.path, c.accept, res.Code, res.Header().Get("Content-Type"), res.Header().Get("Location"), c.status, c.media, c.to)
		}
		if res.Code == 200 && !strings.Contains(res.Header().Get("Link"), `rel="linkset"`) {
			t.Errorf("%s: no link to the linkset", c.path)
		}
	}
}

// The shape is that of RFC 9264, section 4.2, with what GS1's schema of linksets asks for: a description, and link types as web addresses.
func testLinkset(t *testing.T, w *world) {
	var got struct {
		Linkset []map[string]json.RawMessage
	}
	res := w.ask(http.MethodGet, view.Path(w.story.Safe)+"?linkType=linkset", "")
	if err := json.Unmarshal(res.Body.Bytes(), &got); err != nil || len(got.Linkset) != 1 {
		t.Fatalf("%v: %s", err, res.Body)
	}
	if string(got.Linkset[0]["anchor"]) != `"`+w.story.Safe+`"` {
		t.Errorf("anchor %s", got.Linkset[0]["anchor"])
	}
	if string(got.Linkset[0]["itemDescription"]) != `"Spinach salad with sesame dressing, 250 g"` {
		t.Errorf("description %s", got.Linkset[0]["itemDescription"])
	}
	other := w.ask(http.MethodGet, "/lot/urn%3Ax%3Ay?linkType=all", "").Body.String()
	if !strings.Contains(other, `"anchor":"`+publicURL+`/lot/urn:x:y"`) || !strings.Contains(other, `"itemDescription":"urn:x:y"`) {
		t.Errorf("not a GS1 item: %s", other)
	}
	for _, name := range []string{"defaultLink", "pip", "epcis", "traceability", "certificationInfo"} {
		var to []struct{ Href, Title, Type string }
		if err := json.Unmarshal(got.Linkset[0]["https://gs1.org/voc/"+name], &to); err != nil || len(to) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		path, ours := strings.CutPrefix(to[0].Href, publicURL)
		if !ours || to[0].Title == "" {
			t.Errorf("%s: %v", name, to[0])
		}
		answer := w.ask(http.MethodGet, path, "")
		if answer.Code != http.StatusOK || !strings.HasPrefix(answer.Header().Get("Content-Type"), to[0].Type) {
			t.Errorf("%s leads to %d %s, not %s", name, answer.Code, answer.Header().Get("Content-Type"), to[0].Type)
		}
	}
}

func testQRLeadsToThePage(t *testing.T, w *world) {
	for _, uri := range []string{w.story.Safe, "urn:gdst:example.org:product:lot:class:processor.2u.v1-0122-2022"} {
		res := w.ask(http.MethodGet, "/qr.png?uri="+url.QueryEscape(uri), "")
		picture, err := png.Decode(bytes.NewReader(res.Body.Bytes()))
		if err != nil {
			t.Fatalf("%v: %s", err, res.Body)
		}
		bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
		if err != nil {
			t.Fatal(err)
		}
		text, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
		if err != nil || text.GetText() != publicURL+view.Path(uri) {
			t.Errorf("read %v %v, want %s", text, err, publicURL+view.Path(uri))
		}
		if svg := w.ask(http.MethodGet, "/qr.svg?uri="+url.QueryEscape(uri), ""); svg.Header().Get("Content-Type") != "image/svg+xml" {
			t.Errorf("SVG: %d %s", svg.Code, svg.Body)
		}
	}
}

// What is on hold does not wait for the index: here it is stopped.
func TestHoldIsSeenBeforeTheIndexHasIt(t *testing.T) {
	w := newWorld(t)
	page := view.Path(w.story.Safe) + "?lang=en"
	if body := w.ask(http.MethodGet, page, "").Body.String(); !strings.Contains(body, "Safe: no problem") {
		t.Fatal("it is not safe to begin with")
	}
	w.stopIndex()
	hold := contract.Record{Hold: &contract.Hold{Item: w.story.Released, Scope: contract.ScopeDownstream, Reason: contract.Text{EN: "test"}, Time: eventTime(storyTime)}}
	if o := w.submit(w.story.Inspector, hold).Outcomes[0]; o.Status != contract.Accepted {
		t.Fatal(o)
	}
	if body := w.ask(http.MethodGet, page, "").Body.String(); !strings.Contains(body, "On hold: not to be sold") {
		t.Error("a descendant of a held lot is shown as safe")
	}
}
