package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
)

type problemBody struct {
	Type, Title, Detail, Instance, Code string
	Status                              int
	Errors                              []struct{ Code, Detail, Field string }
}

func checkProblem(t *testing.T, name string, res *httptest.ResponseRecorder, status int, code, field string) {
	t.Helper()
	var p problemBody
	if err := json.Unmarshal(res.Body.Bytes(), &p); err != nil {
		t.Errorf("%s: %v: %s", name, err, res.Body)
		return
	}
	if res.Header().Get("Content-Type") != "application/problem+json" || res.Code != status || p.Status != status || p.Code != code || p.Title == "" || p.Type == "" {
		t.Errorf("%s: %d %s %+v, want %d %s", name, res.Code, res.Header().Get("Content-Type"), p, status, code)
	}
	if field != "" && (len(p.Errors) == 0 || p.Errors[0].Field != field) {
		t.Errorf("%s: fields %+v, want %s", name, p.Errors, field)
	}
	if strings.HasPrefix(name, "/epcis") != strings.HasPrefix(p.Type, "epcisException:") {
		t.Errorf("%s: type %s", name, p.Type)
	}
	if status == 401 && res.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("%s: 401 without a challenge", name)
	}
}

func testProblems(t *testing.T, w *world) {
	agency, shop := w.as(w.story.Inspector), w.as("haojia-market")
	asJSON := []string{"Content-Type", "application/json"}
	for _, c := range []struct {
		method, path, body string
		headers            []string
		status             int
		code, field        string
	}{
		{"GET", "/nowhere", "", nil, 404, "NOT_FOUND", ""},
		{"GET", "/api/v1/nowhere", "", nil, 404, "NOT_FOUND", ""},
		{"DELETE", "/api/v1/holds", "", nil, 405, "METHOD_NOT_ALLOWED", ""},
		{"POST", "/", "", nil, 405, "METHOD_NOT_ALLOWED", ""},
		{"GET", "/api/v1/members", "", []string{"Authorization", "Bearer nonsense"}, 401, "UNAUTHORISED", ""},
		{"GET", "/api/v1/lots/nocolon", "", nil, 400, "BAD_REQUEST", "lot"},
		{"GET", "/api/v1/lots/" + url.PathEscape("https://id.gs1.org/01/12/10/A"), "", nil, 404, "NOT_FOUND", ""}, // may be on the record as it is
		{"GET", "/api/v1/lots/urn%3Ax%3Ay", "", nil, 404, "NOT_FOUND", ""},
		{"GET", "/api/v1/lots/urn%3Ax%3Ay/trace", "", nil, 404, "NOT_FOUND", ""},
		{"GET", "/api/v1/lots?limit=0", "", nil, 422, "INVALID_FIELD", "limit"},
		{"GET", "/api/v1/lots?limit=abc", "", nil, 422, "INVALID_FIELD", "limit"},
		{"GET", lotPath(w.story.Safe) + "/trace?direction=up", "", nil, 422, "INVALID_FIELD", "direction"},
		{"GET", lotPath(w.story.Safe) + "/trace?maxItems=9999999", "", nil, 422, "INVALID_FIELD", "maxItems"},
		{"GET", "/api/v1/inspections/nope", "", nil, 404, "NOT_FOUND", ""},
		{"GET", "/api/v1/holds/nope", "", nil, 404, "NOT_FOUND", ""},
		{"GET", "/api/v1/holds?item=x", "", nil, 400, "BAD_REQUEST", "item"},
		{"GET", "/api/v1/members/nope", "", nil, 404, "NOT_FOUND", ""},
		{"GET", "/api/v1/sites", "", nil, 422, "INVALID_FIELD", "id"},
		{"GET", "/api/v1/violations", "", nil, 401, "UNAUTHORISED", ""},
		{"POST", "/api/v1/holds", `{"item":"urn:x:y","scope":"lot","reason":{}}`, asJSON, 401, "UNAUTHORISED", ""},
		{"POST", "/api/v1/holds", `{"item":"urn:x:y","scope":"lot","reason":{}}`, append(shop, asJSON...), 403, "FORBIDDEN", ""},
		{"POST", "/api/v1/holds", `{"item":"nocolon","scope":"lot","reason":{"en":"x"}}`, append(agency, asJSON...), 400, "BAD_REQUEST", "/item"},
		{"POST", "/api/v1/holds", `{"item":"urn:x:y","scope":"everything","reason":{"en":"x"}}`, append(agency, asJSON...), 422, "INVALID_FIELD", "/scope"},
		{"POST", "/api/v1/holds", `{"item":"urn:x:y","reason":{"en":"x"}}`, append(agency, asJSON...), 422, "INVALID_FIELD", ""},
		{"POST", "/api/v1/holds", `{"item":"urn:x:y","scope":"lot","reason":{"en":"x"},"extra":1}`, append(agency, asJSON...), 422, "INVALID_FIELD", "/extra"},
		{"POST", "/api/v1/holds", `{"item":`, append(agency, asJSON...), 400, "BAD_REQUEST", ""},
		{"POST", "/api/v1/holds", ``, append(agency, asJSON...), 400, "BAD_REQUEST", ""},
		{"POST", "/api/v1/holds", `<x/>`, append(agency, "Content-Type", "application/xml"), 415, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"POST", "/api/v1/holds", `{"item":"https://id.gs1.org/01/06900112000018","scope":"lot","reason":{"en":"x"}}`, append(agency, asJSON...), 422, "REFUSED", ""},
		{"POST", "/api/v1/holds", `{"item":"urn:x:y","scope":"lot","reason":{"en":"x"},"evidence":[{"sha256":"00","size":1}]}`, append(agency, asJSON...), 422, "INVALID_FIELD", "/evidence/0/sha256"},
		{"POST", "/api/v1/holds", `{"item":"urn:x:y","scope":"lot","reason":{"en":"` + strings.Repeat("x", 2<<20) + `"}}`, append(agency, asJSON...), 413, "TOO_LARGE", ""},
		{"POST", "/api/v1/holds/nope/release", `{"reason":{"en":"x"}}`, append(agency, asJSON...), 404, "NOT_FOUND", ""},
		{"POST", "/api/v1/inspections", `{"item":"urn:x:y","kind":"k","result":"good","inspector":"i"}`, append(agency, asJSON...), 422, "INVALID_FIELD", "/result"},
		{"POST", "/api/v1/evidence", "x", nil, 401, "UNAUTHORISED", ""},
		{"POST", "/api/v1/evidence", "", agency, 400, "BAD_REQUEST", ""},
		{"POST", "/api/v1/evidence?name=" + strings.Repeat("n", 300), "x", agency, 400, "BAD_REQUEST", "name"},
		{"POST", "/api/v1/evidence", "--x--", append(agency, "Content-Type", "multipart/form-data; boundary=x"), 400, "BAD_REQUEST", "file"},
		{"GET", "/qr.svg", "", nil, 400, "BAD_REQUEST", "uri"},
		{"GET", "/qr.png?uri=urn:" + strings.Repeat("x", 2000), "", nil, 400, "BAD_REQUEST", "uri"},
		{"GET", "/epcis/nowhere", "", nil, 404, "NOT_FOUND", ""},
		{"DELETE", "/epcis/capture", "", nil, 405, "METHOD_NOT_ALLOWED", ""},
		{"POST", "/epcis/capture", "{}", asJSON, 401, "UNAUTHORISED", ""},
		{"GET", "/epcis/capture", "", nil, 401, "UNAUTHORISED", ""},
		{"GET", "/epcis/capture/nope", "", shop, 404, "NOT_FOUND", ""},
		{"GET", "/epcis/capture/nope/outcomes", "", shop, 404, "NOT_FOUND", ""},
		{"GET", "/epcis/capture?perPage=x", "", shop, 400, "BAD_REQUEST", "perPage"},
		{"POST", "/epcis/capture", "{}", append(shop, "Content-Type", "text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type"},
		{"POST", "/epcis/capture", "{}", append(shop, "Content-Type", "application/json", "GS1-EPCIS-Version", "3.0"), 406, "NOT_ACCEPTABLE", "GS1-EPCIS-Version"},
		{"POST", "/epcis/capture", "{}", append(shop, "Content-Type", "application/json", "GS1-Capture-Error-Behaviour", "maybe"), 400, "BAD_REQUEST", "GS1-Capture-Error-Behaviour"},
		{"POST", "/epcis/capture", "no JSON at all", append(shop, "Content-Type", "application/json"), 415, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"GET", "/epcis/events/nope", "", nil, 404, "NOT_FOUND", ""},
		{"GET", "/epcis/events/nope", "", []string{"Accept", "image/png"}, 406, "NOT_ACCEPTABLE", ""},
	} {
		res := w.ask(c.method, c.path, c.body, c.headers...)
		name := c.path
		if c.code == "METHOD_NOT_ALLOWED" && !strings.Contains(res.Header().Get("Allow"), "GET") {
			t.Errorf("%s %s names no methods", c.method, c.path)
		}
		checkProblem(t, name+" "+c.method+" "+c.body[:min(len(c.body), 60)], res, c.status, c.code, c.field)
	}
}

const document = `{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"ex":"https://example.org/ns/"}],"type":"EPCISDocument","schemaVersion":"2.0",
"creationDate":"2026-04-23T10:00:00Z","epcisBody":{"eventList":[{"type":"ObjectEvent","action":"ADD","eventID":"urn:uuid:4f1b7a4e-1111-4c7e-9d9b-000000000001","eventTime":"2026-04-23T09:00:00Z",
"eventTimeZoneOffset":"+00:00","quantityList":[{"epcClass":"https://id.gs1.org/01/06900101000012/10/NEW%2F1","quantity":5,"uom":"KGM"}],"bizStep":"commissioning",
"readPoint":{"id":"SITE"},"ex:field":"x"}]}}`

func TestCapture(t *testing.T) {
	w := newWorld(t)
	farm := w.as(w.story.Producer)
	site := w.story.Registration.Sites[slices.IndexFunc(w.story.Registration.Sites, func(s contract.Site) bool { return s.Owner == w.story.Producer })].ID
	res := w.ask(http.MethodPost, "/epcis/capture", strings.Replace(document, "SITE", site, 1), append(farm, "Content-Type", "application/ld+json", "GS1-Capture-Error-Behaviour", "proceed")...)
	location := res.Header().Get("Location")
	if res.Code != http.StatusAccepted || !strings.HasPrefix(location, "/epcis/capture/") || res.Header().Get("GS1-EPCIS-Version") != "2.0.0" {
		t.Fatalf("%d %v %s", res.Code, res.Header(), res.Body)
	}
	job := w.waitForJob(location, farm)
	if !job.Success || job.Foodtrace.Accepted != 1 || job.Foodtrace.Refused != 0 || job.ErrorBehaviour != "proceed" || job.Finished == "" {
		t.Fatalf("%+v", job)
	}
	if other := w.ask(http.MethodGet, location, "", w.as("haojia-market")...); other.Code != http.StatusNotFound {
		t.Errorf("another member sees the job: %d", other.Code)
	}
	decode[epcisrest.Job](t, w.ask(http.MethodGet, location, "", w.as(w.story.Inspector)...), 200)
	if jobs := decode[[]epcisrest.Job](t, w.ask(http.MethodGet, "/epcis/capture?perPage=1", "", farm...), 200); len(jobs) != 1 || jobs[0].ID != job.ID {
		t.Errorf("%+v", jobs)
	}
	outcomes := decode[struct {
		Outcomes []struct {
			ID, Status, Tx string
			Findings       []any
		}
	}](t, w.ask(http.MethodGet, location+"/outcomes", "", farm...), 200).Outcomes
	if len(outcomes) != 1 || outcomes[0].Status != "accepted" || outcomes[0].Tx == "" {
		t.Fatalf("%+v", outcomes)
	}
	w.settle()
	for _, id := range []string{outcomes[0].ID, "urn:uuid:4f1b7a4e-1111-4c7e-9d9b-000000000001"} {
		e := w.ask(http.MethodGet, "/epcis/events/"+url.PathEscape(id), "", farm...)
		doc, problems := epcis.Parse(e.Body.Bytes(), epcis.Limits{})
		if e.Code != 200 || epcis.HasErrors(problems) || doc.Type != "EPCISQueryDocument" || len(doc.Events) != 1 || !strings.Contains(string(doc.Events[0].Ext), "ex:field") {
			t.Errorf("%s: %d %v %s", id, e.Code, problems, e.Body)
		}
		if public := w.ask(http.MethodGet, "/epcis/events/"+url.PathEscape(id), ""); public.Code != 200 || strings.Contains(public.Body.String(), "ex:field") || strings.Contains(public.Body.String(), "KGM") {
			t.Errorf("the public sees %s", public.Body)
		}
	}
	// A lot with a slash in it has one address.
	if page := w.ask(http.MethodGet, "/01/06900101000012/10/NEW%2F1?lang=en", "", "Accept", "text/html"); page.Code != 200 || !strings.Contains(page.Body.String(), "NEW/1") {
		t.Errorf("page: %d", page.Code)
	}
	for _, path := range []string{"/epcis/capture", location} {
		res := w.ask(http.MethodOptions, path, "")
		if res.Code != http.StatusNoContent || res.Header().Get("Allow") == "" || res.Header().Get("GS1-EPCIS-Capture-Limit") == "" || res.Header().Get("GS1-EPCIS-Capture-File-Size-Limit") == "" {
			t.Errorf("OPTIONS %s: %d %v", path, res.Code, res.Header())
		}
	}
}

func (w *world) waitForJob(location string, who []string) (job epcisrest.Job) {
	w.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for job.Running = true; job.Running; <-tick.C {
		if time.Now().After(deadline) {
			w.t.Fatalf("the job is still running: %+v", job)
		}
		if err := json.Unmarshal(w.ask(http.MethodGet, location, "", who...).Body.Bytes(), &job); err != nil {
			w.t.Fatal(err)
		}
	}
	return job
}

func TestHealth(t *testing.T) {
	w := newWorld(t, func(c *gateway.Config) {
		c.Counters = func() map[string]float64 { return map[string]float64{"foodtrace_ledger_transactions": 42} }
	})
	w.ask(http.MethodGet, view.Path(w.story.Safe), "")
	if res := w.ask(http.MethodGet, "/healthz", ""); res.Code != 200 {
		t.Errorf("%d %s", res.Code, res.Body)
	}
	if res := w.ask(http.MethodGet, "/readyz", ""); res.Code != 200 || !strings.Contains(res.Body.String(), `"status":"ready"`) {
		t.Errorf("%d %s", res.Code, res.Body)
	}
	metrics := w.ask(http.MethodGet, "/metrics", "").Body.String()
	for _, want := range []string{`foodtrace_http_request_seconds_count{method="GET",route="/01/*",status="200"} 1`, "foodtrace_ledger_blocks 5", "foodtrace_index_blocks 5", "foodtrace_ledger_transactions 42"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

// ahead is a ledger that is far ahead of the index, or does not answer.
type ahead struct {
	gateway.Ledger
	err error
}

func (a ahead) Height(ctx context.Context) (uint64, error) {
	height, err := a.Ledger.Height(ctx)
	return height + 5000, errors.Join(err, a.err)
}

func TestNotReady(t *testing.T) {
	for _, cause := range []error{nil, errors.New("secret detail")} {
		w := newWorld(t, func(c *gateway.Config) { c.Ledger = ahead{c.Ledger, cause} })
		res := w.ask(http.MethodGet, "/readyz", "")
		checkProblem(t, "/readyz", res, 503, "UNAVAILABLE", "")
		if strings.Contains(res.Body.String(), "secret") || cause != nil && !strings.Contains(w.log.String(), "secret detail") {
			t.Errorf("the cause is not where it belongs: %s", res.Body)
		}
	}
}

func testHeadersOfEveryAnswer(t *testing.T, w *world) {
	for _, path := range []string{"/", "/healthz", "/api/v1/members", "/nowhere", view.Path(w.story.Safe), "/epcis/capture", "/qr.svg?uri=urn:x:y"} {
		h := w.ask(http.MethodGet, path, "").Header()
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Strict-Transport-Security": "max-age=31536000"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: policy %q", path, h.Get("Content-Security-Policy"))
		}
	}
}

func testLogHasOneLinePerRequestAndNoToken(t *testing.T, w *world) {
	before := strings.Count(w.log.String(), `"msg":"request"`)
	w.ask(http.MethodGet, "/api/v1/members?secret=in-the-query", "", w.as(w.story.Inspector)...)
	text := w.log.String()
	if strings.Count(text, `"msg":"request"`) != before+1 {
		t.Errorf("log: %s", text)
	}
	if strings.Contains(text, w.tokens[w.story.Inspector]) || strings.Contains(text, "in-the-query") {
		t.Error("the log has a token or a query")
	}
}

// panicking is a capturer that is broken.
type panicking struct{ epcisrest.Capturer }

func (panicking) Jobs(context.Context, string, string, int) ([]capture.Job, string, error) {
	panic("secret detail")
}

func TestPanicsDoNotReachTheClient(t *testing.T) {
	w := newWorld(t, func(c *gateway.Config) { c.Capture = panicking{} })
	res := w.ask(http.MethodGet, "/epcis/capture", "", w.as(w.story.Inspector)...)
	var p problemBody
	if err := json.Unmarshal(res.Body.Bytes(), &p); err != nil || res.Code != 500 || p.Code != "INTERNAL" || !strings.HasPrefix(p.Instance, "urn:foodtrace:request:") {
		t.Fatalf("%d %s", res.Code, res.Body)
	}
	if strings.Contains(res.Body.String(), "secret detail") || strings.Contains(res.Body.String(), ".go") {
		t.Errorf("it leaks: %s", res.Body)
	}
	id := strings.TrimPrefix(p.Instance, "urn:foodtrace:request:")
	if log := w.log.String(); !strings.Contains(log, id) || !strings.Contains(log, "secret detail") {
		t.Error("the log does not have it")
	}
}

func TestRateLimit(t *testing.T) {
	w := newWorld(t, func(c *gateway.Config) { c.RatePerMinute, c.ClientHeader = 3, "X-Real-IP" })
	var last *httptest.ResponseRecorder
	for range 4 {
		last = w.ask(http.MethodGet, "/", "")
	}
	checkProblem(t, "rate", last, 429, "TOO_MANY_REQUESTS", "")
	if last.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if res := w.ask(http.MethodGet, "/healthz", ""); res.Code != 200 {
		t.Error("health is limited too")
	}
	if res := w.ask(http.MethodGet, "/", "", "X-Real-IP", "192.0.2.7"); res.Code != 200 {
		t.Error("another client is limited too")
	}
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := gateway.New(gateway.Config{}); err == nil {
		t.Error("an empty configuration made a gateway")
	}
}

// No address, however odd, makes the gateway fail or answer with anything but a page, JSON or a problem.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"01/06900112000018/10/A", "01/%2F/10/%ff", "gtin/0/lot/%00", "lot/urn%3Ax%25", "00/..%2F..", "01/06900112000018/10/A/21/%F0%9F%90%9F", "api/v1/lots/%3A/trace", "epcis/events/%0a", "epcis/epcs/%zz/events", "epcis/queries/%2F", "epcis/nextPageToken/x",
		"epcis/events?perPage=2&nextPageToken=AAAA", "api/v1/lots?q=%E7%8C%AA&after=1.2&limit=-1", "qr.svg?uri=%00", "search?q=%ff", "01/06900112000018/10/A?linkType=gs1:all&lang=zh"} {
		f.Add(seed, "text/html", "zh")
		f.Add(seed, "application/json;q=0.1", "")
		f.Add(seed, "application/xml", "")
	}
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, path, accept, language string) {
		r, err := http.NewRequest(http.MethodGet, "http://x/"+path, bytes.NewReader(nil))
		if err != nil {
			return // no client can send it
		}
		r.RequestURI = r.URL.RequestURI()
		r.Header["Accept"], r.Header["Accept-Language"] = []string{accept}, []string{language}
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		media := rec.Header().Get("Content-Type")
		if rec.Code >= 500 || rec.Code >= 400 && media != "application/problem+json" && media != "application/problem+xml" && !strings.HasPrefix(media, "text/html") {
			t.Errorf("%q %q: %d %s", path, accept, rec.Code, media)
		}
	})
}

// FuzzRequest: no request of a member makes the gateway fail. It is the bytes of one, as a connection brings them (RFC 9112). What would go on
// after its answer (jobs, deliveries, WebSockets) is left out: its parsers have targets of their own.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{
		"GET /epcis/events?EQ_action=ADD&MATCH_anyEPC=urn:x:*&perPage=1 HTTP/1.1\nHost: x\nGS1-EPCIS-Version: 2.0\nGS1-Extensions: a=b,c\nGS1-EPC-Format: Always_EPC_URN\n\n",
		"GET /epcis/events?EQ_bizStep=shipping&eventCountLimit=1 HTTP/1.1\nHost: x\nAccept: application/xml;q=1\nGS1-CBV-Max: 1.2.3.4\n\n",
		"PUT /epcis/queries HTTP/1.1\nHost: x\nContent-Type: text/plain\n\n",
		post("/epcis/queries", `{"name":"a","query":{"@context":[{"a":"urn:a:"}],"EQ_a:b":["x"]}}`),
		post("/api/v1/inspections", `{"item":"urn:x:1","kind":"a","result":"pass","inspector":"b","time":"2026-04-20T08:30:00Z","evidence":[{"sha256":"00"}]}`),
		post("/api/v1/holds", `{"item":"https://id.gs1.org/01/06900112000018/10/A","scope":"downstream","reason":{"en":"a","zh":"b"}}`),
		post("/api/v1/holds/x/release", `{"reason":{"en":"a"}}`),
		post("/api/v1/mappings?name=a", "foodtrace: mapping/1\nname: a\n"),
		post("/api/v1/evidence", "%PDF-1.7"),
	} {
		f.Add([]byte(s))
	}
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
		if err != nil || strings.Contains(r.URL.Path, "capture") || strings.Contains(r.URL.Path, "subscriptions") {
			return
		}
		r.Header.Del("Upgrade")
		if r.Header.Get("Authorization") == "" {
			r.Header.Set("Authorization", w.as(w.story.Inspector)[1])
		}
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		if rec.Code >= 500 {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}

// post is a request with a body of JSON.
func post(path, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: %d\n\n%s", path, len(body), body)
}
