package gateway_test

import (
	"bytes"
	"hash/crc32"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// shot is a picture, with a comment in it that may be anything.
func shot(t *testing.T, comment string) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	if comment == "" {
		return b.String()
	}
	chunk := "tEXtComment\x00" + comment
	sum := crc32.ChecksumIEEE([]byte(chunk))
	at := b.Len() - 12 // before the last chunk
	return b.String()[:at] + string([]byte{0, 0, 0, byte(len(chunk) - 4)}) + chunk + string([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}) + b.String()[at:]
}

// TestEvidenceIsShownOnlyIfItIsHarmless: whatever an uploader calls a file, a browser shows pictures and PDF documents, and runs nothing.
func TestEvidenceIsShownOnlyIfItIsHarmless(t *testing.T) {
	w := newWorld(t)
	agency := w.as(w.story.Inspector)
	files := []struct{ name, content, label, media, shown string }{
		{"现场 1.png", shot(t, ""), "text/html", "image/png", "image/png"},
		{"report.pdf", "%PDF-1.7\n1 0 obj << >>\n%%EOF\n", "", "application/pdf", "application/pdf"},
		{"polyglot.png", shot(t, "<html><script>alert(1)</script>"), "image/png", "image/png", ""},
		{"active.pdf", "%PDF-1.7\n<< /S /JavaScript /JS (app.alert(1)) >>\n%%EOF\n", "application/pdf", "application/pdf", ""},
		{"drawing.svg", `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, "image/png", "image/svg+xml", ""},
		{"page.png", "<!DOCTYPE html><script>alert(1)</script>", "image/png", "text/html", ""},
		{"../../etc/virus.pdf", `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + "EICAR-STANDARD-ANTIVIRUS-TEST-" + "FILE!$H+H*", "application/pdf", "text/plain", ""},
		{"setup.exe", "MZ\x90\x00\x03\x00\x00\x00", "image/jpeg", "application/octet-stream", ""},
		{"macro.xlsm", "PK\x03\x04\x14\x00", "", "application/zip", ""},
	}
	var refs []contract.Evidence
	for _, f := range files {
		ref := decode[contract.Evidence](t, w.ask(http.MethodPost, "/api/v1/evidence?name="+url.QueryEscape(f.name), f.content, append(w.as(w.story.Inspector), "Content-Type", f.label)...), 201)
		if ref.MediaType != f.media {
			t.Errorf("%s is called %s", f.name, ref.MediaType)
		}
		refs = append(refs, ref)
	}
	list := must(json.Marshal(refs))
	done := decode[written](t, w.ask(http.MethodPost, "/api/v1/inspections", `{"item":"`+w.story.Safe+`","kind":"pathogen","result":"pass","inspector":"Lab","time":"2026-04-23T09:00:00Z","evidence":`+string(list)+`}`,
		append(agency, "Content-Type", "application/json")...), 201)
	for i, f := range files {
		address := "/api/v1/evidence/" + refs[i].SHA256 + "?record=" + url.QueryEscape(done.ID)
		for _, inline := range []bool{false, true} {
			if inline {
				address += "&inline=true"
			}
			res := w.ask(http.MethodGet, address, "")
			h := res.Header()
			media, how := "application/octet-stream", "attachment; "
			if inline && f.shown != "" {
				media, how = f.shown, "inline; "
			}
			if res.Code != 200 || res.Body.String() != f.content || h.Get("Content-Type") != media || !strings.HasPrefix(h.Get("Content-Disposition"), how) {
				t.Errorf("%s, inline %v: %d %v", f.name, inline, res.Code, h)
			}
			policy := h.Get("Content-Security-Policy")
			if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script") {
				t.Errorf("%s, inline %v: %v", f.name, inline, h)
			}
			if strings.Contains(h.Get("Content-Disposition"), "/") && !strings.Contains(h.Get("Content-Disposition"), "UTF-8''") || strings.Contains(h.Get("Content-Disposition"), "%2F") {
				t.Errorf("%s has a folder in its name: %s", f.name, h.Get("Content-Disposition"))
			}
		}
	}
	if res := w.ask(http.MethodGet, "/api/v1/evidence/"+refs[0].SHA256+"?inline=perhaps&record="+url.QueryEscape(done.ID), ""); res.Code != 400 {
		t.Error(res.Code)
	}
	path := strings.TrimPrefix(w.story.Safe, "https://id.gs1.org")
	for lang, words := range map[string][]string{"en": {"PDF document", "Picture", "File to download"}, "zh": {"PDF 文件", "图片", "文件下载"}} {
		page := w.ask(http.MethodGet, path+"?lang="+lang, "", "Accept", "text/html").Body.String()
		for _, word := range append(words, "现场 1.png", `<img src="/api/v1/evidence/`+refs[0].SHA256) {
			if !strings.Contains(page, word) {
				t.Errorf("%s: the page does not have %q", lang, word)
			}
		}
	}
}

// TestEvidenceOfEvents: an event names a certificate by its digest. Who sees the event in full may have the file, nobody else.
func TestEvidenceOfEvents(t *testing.T) {
	w := newWorld(t)
	farm := w.as(w.story.Producer)
	ref := decode[contract.Evidence](t, w.ask(http.MethodPost, "/api/v1/evidence?name=cert.pdf", "%PDF-1.7 certificate %%EOF", farm...), 201)
	site := w.siteOf(w.story.Producer)
	body := strings.Replace(strings.Replace(document, "SITE", site, 1), `"type":"ObjectEvent",`, `"type":"ObjectEvent","certificationInfo":["ni:///sha-256;`+ref.SHA256+`"],`, 1)
	if body == strings.Replace(document, "SITE", site, 1) {
		t.Fatal("the document has another form now")
	}
	location, job := w.send(body, "Content-Type", "application/json")
	if job.Foodtrace.Accepted == 0 {
		t.Fatalf("%+v", job)
	}
	outcomes := decode[struct {
		Outcomes []struct {
			ID string `json:"id"`
		} `json:"outcomes"`
	}](t, w.ask(http.MethodGet, location+"/outcomes", "", farm...), 200)
	path := "/api/v1/evidence/" + ref.SHA256 + "?record=" + url.QueryEscape(outcomes.Outcomes[0].ID)
	for who, c := range map[string]struct {
		as     []string
		status int
	}{"owner": {farm, 200}, "regulator": {w.as(w.story.Inspector), 200}, "public": {nil, 404}, "another": {w.as("qilu-lab"), 404}} {
		if res := w.ask(http.MethodGet, path, "", c.as...); res.Code != c.status {
			t.Errorf("%s: %d, want %d", who, res.Code, c.status)
		}
	}
}
