package gateway_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// decode reads an answer of a status.
func decode[T any](t *testing.T, res *httptest.ResponseRecorder, status int) (v T) {
	t.Helper()
	if res.Code != status {
		t.Fatalf("status %d, want %d: %s", res.Code, status, res.Body)
	}
	if err := json.Unmarshal(res.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v: %s", err, res.Body)
	}
	return v
}

func lotPath(key string) string { return "/api/v1/lots/" + url.PathEscape(key) }

type wireEvent struct {
	ID    string
	Event map[string]any
	Where struct {
		Block uint64
		Tx    string
	}
}

type dossier struct {
	Key, Lot, Page string
	Name           contract.Text
	Status         struct {
		State string
		Holds []struct{ ID string }
	}
	Inspections []contract.Inspection
	Events      []wireEvent
	Violations  []struct{ ID string }
	ProductInfo *struct{ ID string }
	Sites       map[string]contract.Text
}

func testDossierInThreeViews(t *testing.T, w *world) {
	path := lotPath(w.story.Recalled)
	agency := w.ask(http.MethodGet, path, "", w.as(w.story.Inspector)...)
	public := w.ask(http.MethodGet, path, "")
	maker := w.ask(http.MethodGet, path, "", w.as("qingyuan-salad")...)
	stranger := w.ask(http.MethodGet, path, "", w.as("pacifico-pack")...)
	a, p := decode[dossier](t, agency, 200), decode[dossier](t, public, 200)
	if a.Status.State != "recalled" || p.Status.State != "recalled" || len(a.Status.Holds) != 1 || a.Lot == "" || a.Page != view.Path(w.story.Recalled) || a.ProductInfo == nil {
		t.Errorf("%+v", a)
	}
	if len(a.Events) == 0 || len(a.Events) != len(p.Events) || len(a.Violations) == 0 || len(p.Violations) != 0 {
		t.Errorf("events %d and %d, violations %d and %d", len(a.Events), len(p.Events), len(a.Violations), len(p.Violations))
	}
	for i, e := range a.Events {
		if e.Where.Tx == "" || e.Where.Block == 0 || e.ID == "" || e.ID != p.Events[i].ID {
			t.Errorf("event %d without proof: %+v", i, e)
		}
	}
	secrets := []string{`"quantity":`, `"sourceList"`, `"destinationList"`, `"bizTransactionList"`, `"ilmd"`, `"phone"`}
	for _, s := range secrets[:3] {
		if !strings.Contains(agency.Body.String(), s) {
			t.Errorf("the regulator does not see %s", s)
		}
	}
	for _, s := range secrets {
		if strings.Contains(public.Body.String(), s) || strings.Contains(stranger.Body.String(), s) {
			t.Errorf("somebody who has nothing to do with it sees %s", s)
		}
	}
	if !strings.Contains(maker.Body.String(), `"quantity":`) {
		t.Error("the maker does not see its own quantities")
	}
	shipper := w.ask(http.MethodGet, path, "", w.as("qilu-wholesale")...)
	if !strings.Contains(shipper.Body.String(), `"destinationList"`) || strings.Contains(maker.Body.String(), `"destinationList"`) {
		t.Error("a shipper does not see its own shipments, or others do")
	}
	urn := strings.Replace(path, url.PathEscape(w.story.Recalled), url.PathEscape("urn:epc:class:lgtin:6900112.000001.260417204"), 1)
	if d := decode[dossier](t, w.ask(http.MethodGet, urn, ""), 200); d.Key != w.story.Recalled {
		t.Errorf("by URN: %s", d.Key)
	}
}

type traceAnswer struct {
	Direction string
	Truncated bool
	Hidden    int
	Nodes     []struct {
		ID    int64
		Key   string
		Depth int
	}
	Links []struct {
		Kind     string
		From, To int64
		Events   []string
	}
	Events []wireEvent
}

func testTraceInThreeViews(t *testing.T, w *world) {
	back := decode[traceAnswer](t, w.ask(http.MethodGet, lotPath(w.story.Safe)+"/trace", ""), 200)
	if back.Direction != "back" || back.Nodes[0].Key != w.story.Safe || len(back.Links) == 0 || len(back.Events) == 0 {
		t.Fatalf("%+v", back)
	}
	hashes := map[string]bool{}
	for _, e := range back.Events {
		hashes[e.ID] = e.Where.Tx != ""
	}
	for _, l := range back.Links {
		if len(l.Events) == 0 || !hashes[l.Events[0]] {
			t.Errorf("link %+v is not proved", l)
		}
	}
	forward := lotPath(w.story.Released) + "/trace?direction=forward"
	all := decode[traceAnswer](t, w.ask(http.MethodGet, forward, "", w.as(w.story.Inspector)...), 200)
	if all.Hidden != 0 || !slices.ContainsFunc(all.Nodes, func(n struct {
		ID    int64
		Key   string
		Depth int
	}) bool {
		return n.Key == w.story.Safe
	}) {
		t.Errorf("the regulator's trace does not reach %s", w.story.Safe)
	}
	packer := decode[traceAnswer](t, w.ask(http.MethodGet, forward, "", w.as("luzhong-packing")...), 200)
	if packer.Hidden == 0 || len(packer.Nodes)+packer.Hidden != len(all.Nodes) || len(packer.Nodes) < 2 {
		t.Errorf("the packer sees %d of %d items, %d are hidden", len(packer.Nodes), len(all.Nodes), packer.Hidden)
	}
	if res := w.ask(http.MethodGet, forward, ""); res.Code != http.StatusUnauthorized {
		t.Errorf("the public sees where it went: %d", res.Code)
	}
	cut := decode[traceAnswer](t, w.ask(http.MethodGet, lotPath(w.story.Safe)+"/trace?maxItems=2&noEvents=true", ""), 200)
	if !cut.Truncated || len(cut.Nodes) != 2 || cut.Events != nil {
		t.Errorf("%+v", cut)
	}
}

func testScopeInThreeViews(t *testing.T, w *world) {
	type answer struct {
		Items, Hidden int
		Holdings      []struct {
			Item, Site, Member, Quantity, Event string
			Where                               struct{ Tx string }
		}
		Outflows []struct{ Fate string }
		Events   []wireEvent
	}
	path := lotPath(w.story.Recalled) + "/scope"
	all := decode[answer](t, w.ask(http.MethodGet, path, "", w.as(w.story.Inspector)...), 200)
	if len(all.Holdings) == 0 || len(all.Outflows) == 0 || len(all.Events) == 0 {
		t.Fatalf("%+v", all)
	}
	for _, h := range all.Holdings {
		if h.Where.Tx == "" || h.Event == "" {
			t.Errorf("holding without proof: %+v", h)
		}
	}
	maker := decode[answer](t, w.ask(http.MethodGet, path, "", w.as("qingyuan-salad")...), 200)
	if len(maker.Holdings) == 0 || maker.Hidden == 0 || len(maker.Holdings)+maker.Hidden != len(all.Holdings) || len(maker.Outflows) != 0 {
		t.Errorf("the maker sees %d of %d holdings, %d are hidden", len(maker.Holdings), len(all.Holdings), maker.Hidden)
	}
	if res := w.ask(http.MethodGet, path, ""); res.Code != http.StatusUnauthorized || res.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("the public: %d %v", res.Code, res.Header())
	}
}

func testLists(t *testing.T, w *world) {
	type list struct {
		Items []map[string]any
		Next  string
	}
	for path, least := range map[string]int{
		"/api/v1/lots?q=" + url.QueryEscape("spinach"):              2,
		"/api/v1/lots?q=260417204":                                  1,
		"/api/v1/inspections":                                       5,
		"/api/v1/inspections?item=" + url.QueryEscape(w.story.Safe): 1,
		"/api/v1/holds":                                             3,
		"/api/v1/holds?inForce=true":                                2,
		"/api/v1/members":                                           5,
		"/api/v1/products?id=" + url.QueryEscape("https://id.gs1.org/01/06900112000018"):               1,
		"/api/v1/sites?id=" + url.QueryEscape("urn:epc:id:sgln:690011200001..0") + "&id=urn:x:unknown": 0,
	} {
		if got := decode[list](t, w.ask(http.MethodGet, path, ""), 200); len(got.Items) < least {
			t.Errorf("%s: %d items, want at least %d", path, len(got.Items), least)
		}
	}
	if got := decode[list](t, w.ask(http.MethodGet, "/api/v1/lots?q=2", ""), 200); len(got.Items) != 0 {
		t.Error("the public can list everything")
	}
	agency := w.as(w.story.Inspector)
	seen := map[any]bool{}
	for next, pages := "", 0; ; pages++ {
		page := decode[list](t, w.ask(http.MethodGet, "/api/v1/lots?limit=7&after="+url.QueryEscape(next), "", agency...), 200)
		for _, i := range page.Items {
			if seen[i["key"]] {
				t.Errorf("%v is listed twice", i["key"])
			}
			seen[i["key"]] = true
		}
		if next = page.Next; next == "" || pages > 100 {
			break
		}
	}
	if !seen[w.story.Safe] || len(seen) < 20 {
		t.Errorf("%d items in all pages", len(seen))
	}
	violations := decode[list](t, w.ask(http.MethodGet, "/api/v1/violations", "", agency...), 200)
	own := decode[list](t, w.ask(http.MethodGet, "/api/v1/violations", "", w.as("haojia-market")...), 200)
	if len(violations.Items) == 0 || len(own.Items) > len(violations.Items) {
		t.Errorf("%d violations, %d of the shop", len(violations.Items), len(own.Items))
	}
	if res := w.ask(http.MethodGet, "/api/v1/violations?member=qilu-wholesale", "", w.as("haojia-market")...); res.Code != http.StatusForbidden {
		t.Errorf("a member sees another's violations: %d", res.Code)
	}
}

type written struct {
	ID, Status, Tx string
	Block          uint64
}

// An inspection with its report, then a hold, a movement that breaks it, and its release.
func TestActs(t *testing.T) {
	w := newWorld(t)
	agency := append(w.as(w.story.Inspector), "Content-Type", "application/json")
	report := decode[contract.Evidence](t, w.ask(http.MethodPost, "/api/v1/evidence?name=report.pdf", "%PDF-1.7 report", append(w.as(w.story.Inspector), "Content-Type", "application/pdf")...), 201)
	if report.Size != 15 || report.Name != "report.pdf" || report.MediaType != "application/pdf" || len(report.SHA256) != 64 {
		t.Fatalf("%+v", report)
	}
	evidence, _ := json.Marshal([]contract.Evidence{report})
	res := w.ask(http.MethodPost, "/api/v1/inspections", `{"item":"`+w.story.Safe+`","kind":"pathogen","result":"fail","inspector":"Lab","reference":"R-1","time":"2026-04-23T09:00:00Z","evidence":`+string(evidence)+`}`, agency...)
	inspection := decode[written](t, res, 201)
	if got := decode[contract.Inspection](t, w.ask(http.MethodGet, res.Header().Get("Location"), ""), 200); got.Reference != "R-1" || got.Result != contract.Fail {
		t.Errorf("%+v", got)
	}
	file := w.ask(http.MethodGet, "/api/v1/evidence/"+report.SHA256+"?record="+url.QueryEscape(inspection.ID), "")
	if file.Body.String() != "%PDF-1.7 report" || !strings.HasPrefix(file.Header().Get("Content-Disposition"), "attachment") || file.Header().Get("X-Content-Type-Options") != "nosniff" || file.Header().Get("Content-Type") != "application/octet-stream" {
		t.Errorf("file: %d %v %s", file.Code, file.Header(), file.Body)
	}

	res = w.ask(http.MethodPost, "/api/v1/holds", `{"item":"`+w.story.Safe+`","scope":"downstream","recall":true,"reason":{"en":"Listeria <b>"},"time":"2026-04-23T10:00:00Z","reference":"H-1"}`, agency...)
	hold := decode[written](t, res, 201)
	if again := w.ask(http.MethodPost, "/api/v1/holds", `{"item":"`+w.story.Safe+`","scope":"downstream","recall":true,"reason":{"en":"Listeria <b>"},"time":"2026-04-23T10:00:00Z","reference":"H-1"}`, agency...); again.Code != 200 && again.Code != 422 {
		t.Errorf("the same hold again: %d %s", again.Code, again.Body)
	}
	page := w.ask(http.MethodGet, view.Path(w.story.Safe)+"?lang=en", "").Body.String()
	if !strings.Contains(page, "Recalled: do not eat it") || !strings.Contains(page, "Listeria &lt;b&gt;") || strings.Contains(page, "<b>") {
		t.Error("the page does not show the recall, or does not escape its reason")
	}
	move := &event.Event{Type: event.Object, Action: event.Observe, Time: eventTime(storyTime), TimeZoneOffset: "+00:00", BizStep: "retail_selling",
		Quantities: []event.Quantity{{EPCClass: w.story.Safe}}, ReadPoint: &event.Place{ID: "https://id.gs1.org/414/6900402000018"}}
	if o := w.submit("haojia-market", contract.Record{Event: move}).Outcomes[0]; o.Status != contract.Refused {
		t.Errorf("a recalled lot was sold: %+v", o)
	}
	w.settle()
	if v := w.ask(http.MethodGet, "/api/v1/violations?item="+url.QueryEscape(w.story.Safe), "", w.as("haojia-market")...); !strings.Contains(v.Body.String(), hold.ID) {
		t.Errorf("no violation of %s: %s", hold.ID, v.Body)
	}

	release := "/api/v1/holds/" + hold.ID + "/release"
	if res := w.ask(http.MethodPost, release, `{"reason":{"en":"second test passed"}}`, append(w.as("haojia-market"), "Content-Type", "application/json")...); res.Code != http.StatusForbidden {
		t.Errorf("a shop released a hold: %d", res.Code)
	}
	decode[written](t, w.ask(http.MethodPost, release, `{"reason":{"en":"second test passed"}}`, agency...), 201)
	if res := w.ask(http.MethodPost, release, `{"reason":{"en":"again"}}`, agency...); res.Code != http.StatusConflict {
		t.Errorf("released twice: %d %s", res.Code, res.Body)
	}
	// The failed inspection stands until one of its kind is passed.
	if body := w.ask(http.MethodGet, view.Path(w.story.Safe)+"?lang=en", "").Body.String(); !strings.Contains(body, "Take care: it failed an inspection") {
		t.Error("the page shows the hold, or that a lot which failed is safe")
	}
	decode[written](t, w.ask(http.MethodPost, "/api/v1/inspections", `{"item":"`+w.story.Safe+`","kind":"pathogen","result":"pass","inspector":"Lab","reference":"R-2"}`, agency...), 201)
	if body := w.ask(http.MethodGet, view.Path(w.story.Safe)+"?lang=en", "").Body.String(); !strings.Contains(body, "Safe: no problem") {
		t.Error("the page does not show that the second test was passed")
	}
	got := decode[struct{ Release *contract.Release }](t, w.ask(http.MethodGet, "/api/v1/holds/"+hold.ID, ""), 200)
	if got.Release == nil {
		t.Error("the hold has no release")
	}
}

func testEvidenceIsServedToThoseWhoSeeItsRecord(t *testing.T, w *world) {
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part := must(m.CreateFormFile("file", "照片.jpg"))
	must(part.Write([]byte("photo")))
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	ref := decode[contract.Evidence](t, w.ask(http.MethodPost, "/api/v1/evidence", form.String(), append(w.as("qilu-lab"), "Content-Type", m.FormDataContentType())...), 201)
	if ref.Name != "照片.jpg" || ref.Size != 5 {
		t.Errorf("%+v", ref)
	}
	path := "/api/v1/evidence/" + ref.SHA256
	for _, c := range []struct {
		path   string
		who    []string
		status int
	}{
		{path, w.as(w.story.Inspector), 200},
		{path, w.as("qilu-lab"), 403},
		{path, nil, 401},
		{path + "?record=nothing", w.as("qilu-lab"), 404},
		{path + "?direct=true", w.as(w.story.Inspector), 200}, // a directory has no address for clients
		{path + "?direct=perhaps", w.as(w.story.Inspector), 400},
		{"/api/v1/evidence/" + strings.Repeat("0", 64), w.as(w.story.Inspector), 404},
		{"/api/v1/evidence/..%2f..%2fetc", w.as(w.story.Inspector), 400},
	} {
		if res := w.ask(http.MethodGet, c.path, "", c.who...); res.Code != c.status {
			t.Errorf("%s: %d, want %d", c.path, res.Code, c.status)
		}
	}
}

func testOpenAPI(t *testing.T, w *world) {
	doc := decode[struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Responses   map[string]struct{ Content map[string]any }
		}
		Components struct{ Schemas map[string]any }
	}](t, w.ask(http.MethodGet, "/api/v1/openapi.json", ""), 200)
	if !strings.HasPrefix(doc.OpenAPI, "3.1") || doc.Components.Schemas["Problem"] == nil || doc.Components.Schemas["ErrorModel"] != nil {
		t.Errorf("%s %v", doc.OpenAPI, doc.Components.Schemas)
	}
	seen := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if op.OperationID == "" || seen[op.OperationID] {
				t.Errorf("%s %s: operation ID %q", method, path, op.OperationID)
			}
			seen[op.OperationID] = true
			if op.Responses["default"].Content["application/problem+json"] == nil {
				t.Errorf("%s %s does not declare its problems", method, path)
			}
			// Whatever is declared is served: never the router's own answer.
			res := w.ask(strings.ToUpper(method), strings.NewReplacer("{", "%7B", "}", "%7D").Replace(path), "")
			if strings.Contains(res.Body.String(), "nothing at this address") || res.Code == http.StatusMethodNotAllowed {
				t.Errorf("%s %s is declared and not served", method, path)
			}
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d operations", len(seen))
	}
}
