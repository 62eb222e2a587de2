package gateway_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/content"
)

// part is a part of a form.
type part struct{ field, name, content string }

var formKind = []string{"Content-Type", "multipart/form-data; boundary=xyz"}

// open is a form without its end.
func open(parts ...part) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "--xyz\r\nContent-Disposition: %s\r\n\r\n%s\r\n", mime.FormatMediaType("form-data", map[string]string{"name": p.field, "filename": p.name}), p.content)
	}
	return b.String()
}

func form(parts ...part) string { return open(parts...) + "--xyz--\r\n" }

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// naming is the document of one event that names files.
func (w *world) naming(files ...string) string {
	w.t.Helper()
	var uris []string
	for _, f := range files {
		uris = append(uris, `"`+event.FileURI(digestOf(f))+`"`)
	}
	plain := strings.Replace(document, "SITE", w.siteOf(w.story.Producer), 1)
	doc := strings.Replace(plain, `"type":"ObjectEvent",`, `"type":"ObjectEvent","certificationInfo":[`+strings.Join(uris, ",")+`],`, 1)
	if doc == plain {
		w.t.Fatal("the document has another form now")
	}
	return doc
}

// TestFilesWithADocument: files that come with a document are kept before the answer, which says how its events name them; the event then shows them.
func TestFilesWithADocument(t *testing.T) {
	w := newWorld(t)
	farm := w.as(w.story.Producer)
	photo, report, spare, before := shot(t, ""), "%PDF-1.7 report %%EOF", "nobody names this", "uploaded before"
	decode[contract.Evidence](t, w.ask(http.MethodPost, "/api/v1/evidence?name=early.txt", before, farm...), 201)
	doc := w.naming(photo, report, before, "never sent")
	body := form(part{"document", "harvest.json", doc}, part{"evidence", `现场 "1".png`, photo}, part{"evidence", "report.pdf", report}, part{"evidence", "again.pdf", report}, part{"evidence", "spare.txt", spare})
	res := w.ask(http.MethodPost, "/epcis/capture", body, append(farm, formKind...)...)
	taken := decode[epcisrest.Job](t, res, http.StatusAccepted)
	want := []epcisrest.File{
		{Evidence: contract.Evidence{SHA256: digestOf(photo), MediaType: "image/png", Name: `现场 "1".png`, Size: int64(len(photo))}, URI: event.FileURI(digestOf(photo))},
		{Evidence: contract.Evidence{SHA256: digestOf(report), MediaType: "application/pdf", Name: "report.pdf", Size: int64(len(report))}, URI: event.FileURI(digestOf(report))},
		{Evidence: contract.Evidence{SHA256: digestOf(spare), MediaType: "text/plain", Name: "spare.txt", Size: int64(len(spare))}, URI: event.FileURI(digestOf(spare))},
	}
	if !slices.Equal(taken.Foodtrace.Files, want) {
		t.Errorf("%+v", taken.Foodtrace.Files)
	}
	location := res.Header().Get("Location")
	job := w.waitForJob(location, farm)
	if !job.Success || job.Foodtrace.Accepted != 1 || !slices.Equal(job.Foodtrace.Files, want) {
		t.Fatalf("%+v", job)
	}
	remarks := map[string]string{}
	for _, f := range job.Foodtrace.Findings {
		remarks[f.Code] += f.Field + " " + f.Detail
	}
	if r := remarks["EVIDENCE_MISSING"]; !strings.HasPrefix(r, "/epcisBody/eventList/0 ") || strings.Count(r, "ni:///") != 1 || !strings.Contains(r, digestOf("never sent")) {
		t.Error(r)
	}
	if r := remarks["EVIDENCE_NOT_NAMED"]; !strings.HasPrefix(r, "evidence[2] ") || strings.Count(r, "ni:///") != 1 || !strings.Contains(r, `"spare.txt"`) {
		t.Error(r)
	}
	outcome := decode[struct{ Outcomes []epcisrest.Outcome }](t, w.ask(http.MethodGet, location+"/outcomes", "", farm...), 200).Outcomes[0]
	if outcome.Status != contract.Accepted || len(outcome.Findings) != 1 || outcome.Findings[0].Code != "EVIDENCE_MISSING" {
		t.Errorf("%+v", outcome)
	}
	xml := w.ask(http.MethodGet, location, "", append(farm, "Accept", "application/xml")...).Body.String()
	if !strings.Contains(xml, `<foodtrace:file uri="`+event.FileURI(digestOf(report))+`" mediaType="application/pdf" name="report.pdf"`) {
		t.Error(xml)
	}
	if table := w.ask(http.MethodGet, location+"/sheet", "", farm...).Body.String(); !strings.Contains(table, "EVIDENCE_NOT_NAMED") || strings.Contains(table, "refused") {
		t.Error("a remark is shown as a refusal:", table)
	}
	w.checkFilesShown(t, outcome.ID, []contract.Evidence{want[0].Evidence, want[1].Evidence,
		{SHA256: digestOf(before), MediaType: "text/plain", Size: int64(len(before))}, {SHA256: digestOf("never sent")}})
	for content, status := range map[string]int{photo: 200, report: 200, before: 200, "never sent": 404, spare: 404} {
		path := "/api/v1/evidence/" + digestOf(content) + "?inline=true&record=" + url.QueryEscape(outcome.ID)
		if got := w.ask(http.MethodGet, path, "", farm...); got.Code != status || status == 200 && got.Body.String() != content {
			t.Errorf("%.20q: %d", content, got.Code)
		}
		if got := w.ask(http.MethodGet, path, ""); got.Code != 404 {
			t.Errorf("the public gets %.20q: %d", content, got.Code)
		}
	}
}

// checkFilesShown checks which files of an event who sees: its sender and a regulator all, others none.
func (w *world) checkFilesShown(t *testing.T, id string, want []contract.Evidence) {
	t.Helper()
	w.settle()
	for who, c := range map[string]struct {
		as   []string
		want []contract.Evidence
	}{"sender": {w.as(w.story.Producer), want}, "regulator": {w.as(w.story.Inspector), want}, "another": {w.as("qilu-lab"), nil}, "public": {nil, nil}} {
		d := decode[struct {
			Events []struct {
				ID       string
				Evidence []contract.Evidence
			}
		}](t, w.ask(http.MethodGet, "/api/v1/lots/"+url.PathEscape("https://id.gs1.org/01/06900101000012/10/NEW%2F1"), "", c.as...), 200)
		at := slices.IndexFunc(d.Events, func(e struct {
			ID       string
			Evidence []contract.Evidence
		}) bool {
			return e.ID == id
		})
		if at < 0 || !slices.Equal(d.Events[at].Evidence, c.want) {
			t.Errorf("%s sees %+v", who, d.Events)
		}
	}
}

// TestFilesThatCannotBeTaken: all that is wrong with the files of a document is said at once, nothing is captured, and there is no job.
func TestFilesThatCannotBeTaken(t *testing.T) {
	w := newWorld(t)
	farm := w.as(w.story.Producer)
	doc := part{"document", "a.json", w.naming("x")}
	large := strings.Repeat("0", content.MaxFile+1)
	many := []part{doc}
	for i := range 60 {
		many = append(many, part{"evidence", "a", fmt.Sprint("file ", i)})
	}
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
		items  string
	}{
		"all at once": {form(doc, part{"evidence", "good.txt", "good"}, part{"evidence", "none.txt", ""}, part{"mapping", "late.yaml", "x"}, part{"evidence", strings.Repeat("n", 256), "x"}, part{"evidence", "film.mp4", large}),
			413, "TOO_LARGE", "EVIDENCE_EMPTY evidence[1], INVALID_FIELD mapping, EVIDENCE_NAME evidence[2], EVIDENCE_TOO_LARGE evidence[3]"},
		"not large":     {form(doc, part{"evidence", "none.txt", ""}), 400, "BAD_REQUEST", "EVIDENCE_EMPTY evidence[0]"},
		"too many":      {form(many...), 413, "TOO_LARGE", "EVIDENCE_TOO_MANY evidence[50]"},
		"before":        {form(part{"evidence", "a", "x"}, doc), 400, "BAD_REQUEST", "INVALID_FIELD evidence"},
		"no document":   {form(part{"evidence", "a", "x"}), 400, "BAD_REQUEST", "INVALID_FIELD document, INVALID_FIELD evidence"},
		"another field": {form(doc, part{"photo", "a", "x"}), 400, "BAD_REQUEST", "INVALID_FIELD photo"},
		"no end":        {open(doc, part{"evidence", "a", "x"}), 400, "BAD_REQUEST", ""},
		"cut off":       {open(doc, part{"evidence", "a", "xxxx"})[:len(open(doc))+70], 400, "BAD_REQUEST", ""},
	} {
		res := w.ask(http.MethodPost, "/epcis/capture", c.body, append(farm, formKind...)...)
		got := decode[struct {
			Code   string
			Errors []struct{ Code, Field string }
		}](t, res, c.status)
		var items []string
		for _, e := range got.Errors {
			items = append(items, e.Code+" "+e.Field)
		}
		if got.Code != c.code || strings.Join(items, ", ") != c.items {
			t.Errorf("%s: %s %v %.300s", name, got.Code, items, res.Body)
		}
	}
	if jobs := decode[[]epcisrest.Job](t, w.ask(http.MethodGet, "/epcis/capture", "", farm...), 200); len(jobs) != 0 {
		t.Errorf("%+v", jobs)
	}
}
