package gateway_test

import (
	"encoding/csv"
	"mime"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
)

// mixed is a document of which the first event is taken, and the second is wrong.
func (w *world) mixed() string {
	site := w.story.Registration.Sites[slices.IndexFunc(w.story.Registration.Sites, func(s contract.Site) bool { return s.Owner == w.story.Producer })].ID
	wrong := `,{"type":"ObjectEvent","eventTime":"2026-04-23T09:00:00Z","eventTimeZoneOffset":"+00:00","epcList":["=1+1"]}]}}`
	return strings.Replace(strings.Replace(document, "SITE", site, 1), "]}}", wrong, 1)
}

// send captures a document and returns the address of its job once it has ended.
func (w *world) send(body string, headers ...string) (location string, job epcisrest.Job) {
	w.t.Helper()
	farm := w.as(w.story.Producer)
	res := w.ask(http.MethodPost, "/epcis/capture", body, append(farm, headers...)...)
	if res.Code != http.StatusAccepted {
		w.t.Fatalf("%d %s", res.Code, res.Body)
	}
	location = res.Header().Get("Location")
	return location, w.waitForJob(location, farm)
}

// All that became of a document can be had as one file of JSON, and as a table.
func TestOutcomesAsFiles(t *testing.T) {
	w := newWorld(t)
	farm := w.as(w.story.Producer)
	doc := w.mixed()
	location, job := w.send(doc, "Content-Type", "application/json", "Content-Disposition", `attachment; filename="harvest 1.json"`, "GS1-Capture-Error-Behaviour", "proceed")
	if p := job.Foodtrace; p.Records != 2 || p.BytesRead != int64(len(doc)) || p.Evidence.Size != p.BytesRead {
		t.Errorf("%+v", p)
	}
	whole := w.ask(http.MethodGet, location+"/outcomes.json", "", farm...)
	got := decode[struct {
		Job      epcisrest.Job
		Outcomes []epcisrest.Outcome
	}](t, whole, http.StatusOK)
	if got.Job.ID != job.ID || len(got.Outcomes) != 2 || got.Outcomes[0].Status != contract.Accepted || got.Outcomes[1].Findings[0].Place != "/epcisBody/eventList/1/action" {
		t.Errorf("%+v", got)
	}
	if name := attachment(t, whole.Header()); name != "harvest 1-outcomes.json" {
		t.Error(name)
	}
	for language, want := range map[string][2]string{"en": {"accepted", "refused"}, "zh": {"已接受", "已拒绝"}} {
		res := w.ask(http.MethodGet, location+"/sheet", "", append(farm, "Accept-Language", language)...)
		text, bom := strings.CutPrefix(res.Body.String(), "\ufeff")
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || !bom || res.Code != http.StatusOK || len(rows) != 3 || rows[1][2] != want[0] || rows[2][2] != want[1] || rows[1][1] != got.Outcomes[0].ID {
			t.Fatalf("%s: %v %d %q", language, err, res.Code, rows)
		}
		if rows[2][5] != "/epcisBody/eventList/1/action" || !strings.Contains(rows[2][3], "MISSING") || (language == "zh") != strings.Contains(rows[2][4], "缺少") {
			t.Errorf("%s: %q", language, rows[2])
		}
		if name := attachment(t, res.Header()); name != "harvest 1-outcomes.csv" || !strings.HasPrefix(res.Header().Get("Content-Language"), language) {
			t.Error(name, res.Header())
		}
	}
	for _, file := range []string{"/outcomes.json", "/sheet"} {
		if res := w.ask(http.MethodGet, location+file, "", w.as("haojia-market")...); res.Code != http.StatusNotFound {
			t.Errorf("another member reads %s: %d", file, res.Code)
		}
		if res := w.ask(http.MethodGet, location+file, ""); res.Code != http.StatusUnauthorized {
			t.Errorf("the public reads %s: %d", file, res.Code)
		}
	}
}

func attachment(t *testing.T, h http.Header) string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	if err != nil || kind != "attachment" {
		t.Error(kind, err)
	}
	return params["filename"]
}

// Of a document that is captured whole or not at all, each record says why it was not; so does one that breaks off.
func TestOutcomesOfWhatWasRolledBack(t *testing.T) {
	w := newWorld(t)
	location, job := w.send(w.mixed(), "Content-Type", "application/json")
	got := decode[struct{ Outcomes []epcisrest.Outcome }](t, w.ask(http.MethodGet, location+"/outcomes", "", w.as(w.story.Producer)...), http.StatusOK).Outcomes
	if job.Success || len(got) != 2 || got[0].Status != contract.Refused || got[0].Findings[0].Code != contract.CodeRolledBack || got[1].Findings[0].Code != "MISSING" {
		t.Errorf("%+v %+v", job, got)
	}
	cut, _, _ := strings.Cut(w.mixed(), `,{"type":"ObjectEvent","eventTime"`)
	location, _ = w.send(cut, "Content-Type", "application/json", "GS1-Capture-Error-Behaviour", "proceed")
	table := w.ask(http.MethodGet, location+"/sheet", "", w.as(w.story.Producer)...).Body.String()
	if !strings.Contains(table, "JSON_SYNTAX") || !strings.Contains(table, "\n1,ni:///") {
		t.Error(table)
	}
}

// A form brings a document, too; what has none, or is too large by its own word, is refused before it is read.
func TestForms(t *testing.T) {
	w := newWorld(t)
	form := func(fields ...string) string {
		var b strings.Builder
		for i := 0; i < len(fields); i += 2 {
			b.WriteString("--x\r\nContent-Disposition: form-data; name=\"" + fields[i] + "\"; filename=\"" + fields[i] + ".json\"\r\n\r\n" + fields[i+1] + "\r\n")
		}
		return b.String() + "--x--\r\n"
	}
	kind := []string{"Content-Type", "multipart/form-data; boundary=x"}
	if _, job := w.send(form("document", w.mixed()), append(kind, "GS1-Capture-Error-Behaviour", "proceed")...); job.Foodtrace.Accepted != 1 || job.Foodtrace.Name != "document.json" {
		t.Errorf("%+v", job)
	}
	farm := w.as(w.story.Producer)
	for name, body := range map[string]string{"no document": form("other", "x"), "cut off": form("document", w.mixed())[:40], "no form": "x"} {
		res := w.ask(http.MethodPost, "/epcis/capture", body, append(farm, kind...)...)
		checkProblem(t, "/epcis "+name, res, http.StatusBadRequest, "BAD_REQUEST", "document")
	}
	large := form("mapping", strings.Repeat("x", 2<<20), "document", "{}")
	checkProblem(t, "/epcis large mapping", w.ask(http.MethodPost, "/epcis/capture", large, append(farm, kind...)...), http.StatusRequestEntityTooLarge, "TOO_LARGE", "")
}
