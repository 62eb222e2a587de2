package gateway_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// TestREST is the EPCIS REST interface on one world; docs/conformance.md says which requirement is shown where. What writes comes last.
func TestREST(t *testing.T) {
	w := newWorld(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, clients)
	}{
		{"Discovery", testRESTDiscovery},
		{"Versions", testRESTVersions},
		{"Forms", testRESTForms},
		{"Formats", testRESTFormats},
		{"Views", testRESTViews},
		{"Parameters", testRESTParameters},
		{"Paging", testRESTPaging},
		{"Tokens", testRESTTokens},
		{"Facets", testRESTFacets},
		{"NamedQueries", testRESTNamedQueries},
		{"QueriesThatCannotBeKept", testRESTQueriesThatCannotBeKept},
		{"Problems", testRESTProblems},
		{"Subscriptions", testRESTSubscriptions},
		{"WebSocket", testRESTWebSocket},
		{"CreateEvent", testRESTCreateEvent},
		{"ErrorDeclaration", testRESTErrorDeclaration},
		{"CaptureInXML", testRESTCaptureInXML},
	} {
		t.Run(test.name, func(t *testing.T) {
			mine := *w
			mine.t = t
			test.run(t, clients{agency: rest{&mine, mine.as(w.story.Inspector)}, farm: rest{&mine, mine.as(w.story.Producer)}, market: rest{&mine, mine.as("haojia-market")},
				public: rest{&mine, nil}})
		})
	}
}

// clients are who asks.
type clients struct{ agency, farm, market, public rest }

// events reads a query document in JSON or XML, and refuses any other answer.
func events(t *testing.T, res *httptest.ResponseRecorder) []*event.Event {
	t.Helper()
	doc, problems := epcis.Parse(res.Body.Bytes(), epcis.Limits{})
	if res.Code != http.StatusOK || epcis.HasErrors(problems) || doc.Type != "EPCISQueryDocument" || doc.QueryName == "" {
		t.Fatalf("%d %v %+v: %.500s", res.Code, problems, doc, res.Body)
	}
	return doc.Events
}

// members are those of a collection.
func members(t *testing.T, res *httptest.ResponseRecorder) []string {
	t.Helper()
	c := decode[struct {
		Context []string `json:"@context"`
		Type    string   `json:"type"`
		Member  []string `json:"member"`
	}](t, res, http.StatusOK)
	if c.Type != "Collection" || len(c.Context) == 0 {
		t.Errorf("%s", res.Body)
	}
	return c.Member
}

// hashes are those of events, but for what has master data of lots: in XML, where its prefix is always declared, that is hashed in full
// (docs/divergences.md).
func hashes(list []*event.Event) (all []string) {
	for _, e := range list {
		if len(e.ILMD) == 0 {
			all = append(all, e.Hash())
		}
	}
	slices.Sort(all)
	return all
}

// resources of the interface, as in the OpenAPI document, with an address and what it allows.
var resources = []struct{ resource, path, allow string }{
	{"/", "/", "GET, HEAD, OPTIONS"},
	{"/capture", "/capture", "GET, HEAD, OPTIONS, POST"},
	{"/capture/{captureID}", "/capture/x", "GET, HEAD, OPTIONS"},
	{"/events", "/events", "GET, HEAD, OPTIONS, POST"},
	{"/events/{eventID}", "/events/urn:uuid:1", "GET, HEAD, OPTIONS"},
	{"/eventTypes", "/eventTypes", "GET, HEAD, OPTIONS"},
	{"/eventTypes/{eventType}", "/eventTypes/ObjectEvent", "GET, HEAD, OPTIONS"},
	{"/eventTypes/{eventType}/events", "/eventTypes/ObjectEvent/events", "GET, HEAD, OPTIONS"},
	{"/epcs", "/epcs", "GET, HEAD, OPTIONS"},
	{"/epcs/{epc}", "/epcs/urn:x:y", "GET, HEAD, OPTIONS"},
	{"/epcs/{epc}/events", "/epcs/urn:x:y/events", "GET, HEAD, OPTIONS"},
	{"/bizSteps", "/bizSteps", "GET, HEAD, OPTIONS"},
	{"/bizSteps/{bizStep}", "/bizSteps/shipping", "GET, HEAD, OPTIONS"},
	{"/bizSteps/{bizStep}/events", "/bizSteps/shipping/events", "GET, HEAD, OPTIONS"},
	{"/bizLocations", "/bizLocations", "GET, HEAD, OPTIONS"},
	{"/bizLocations/{bizLocation}", "/bizLocations/urn:x:y", "GET, HEAD, OPTIONS"},
	{"/bizLocations/{bizLocation}/events", "/bizLocations/urn:x:y/events", "GET, HEAD, OPTIONS"},
	{"/readPoints", "/readPoints", "GET, HEAD, OPTIONS"},
	{"/readPoints/{readPoint}", "/readPoints/urn:x:y", "GET, HEAD, OPTIONS"},
	{"/readPoints/{readPoint}/events", "/readPoints/urn:x:y/events", "GET, HEAD, OPTIONS"},
	{"/dispositions", "/dispositions", "GET, HEAD, OPTIONS"},
	{"/dispositions/{disposition}", "/dispositions/in_transit", "GET, HEAD, OPTIONS"},
	{"/dispositions/{disposition}/events", "/dispositions/in_transit/events", "GET, HEAD, OPTIONS"},
	{"/queries", "/queries", "GET, HEAD, OPTIONS, POST"},
	{"/queries/{queryName}", "/queries/SimpleEventQuery", "DELETE, GET, HEAD, OPTIONS"},
	{"/queries/{queryName}/events", "/queries/SimpleEventQuery/events", "GET, HEAD, OPTIONS"},
	{"/queries/{queryName}/subscriptions", "/queries/SimpleEventQuery/subscriptions", "GET, HEAD, OPTIONS, POST"},
	{"/queries/{queryName}/subscriptions/{subscriptionID}", "/queries/SimpleEventQuery/subscriptions/x", "DELETE, GET, HEAD, OPTIONS"},
	{"/nextPageToken/{token}", "/nextPageToken/x", "DELETE, OPTIONS"},
}

// Every resource answers OPTIONS with what it allows, and any other method with 405 and the same.
func testRESTDiscovery(t *testing.T, c clients) {
	for _, r := range resources {
		res := c.public.world.ask(http.MethodOptions, "/epcis"+r.path, "")
		if r.resource != "/nextPageToken/{token}" { // of which the OpenAPI document has no OPTIONS
			checkStandard(t, http.MethodOptions, r.resource, r.path, res)
		}
		if res.Code != http.StatusNoContent || res.Header().Get("Allow") != r.allow || res.Body.Len() > 0 || res.Header().Get("GS1-Vendor-Version") == "" {
			t.Errorf("OPTIONS %s: %d %v", r.path, res.Code, res.Header())
		}
		limited := res.Header().Get("GS1-EPCIS-Capture-Limit") != "" && res.Header().Get("GS1-EPCIS-Capture-File-Size-Limit") != "" && res.Header().Get("GS1-Capture-Error-Behaviour") == "all"
		if limited != strings.HasPrefix(r.path, "/capture") {
			t.Errorf("OPTIONS %s: limits of capture: %v", r.path, res.Header())
		}
		res = c.agency.ask(http.MethodPatch, r.resource, r.path, "")
		checkProblem(t, "/epcis"+r.path, res, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "")
		if sorted(res.Header().Get("Allow")) != r.allow {
			t.Errorf("PATCH %s: Allow %q", r.path, res.Header().Get("Allow"))
		}
	}
	want := []string{"bizLocations", "bizSteps", "capture", "dispositions", "epcs", "eventTypes", "events", "queries", "readPoints"}
	if got := members(t, c.public.ask(http.MethodGet, "/", "/", "")); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	xml := c.public.ask(http.MethodGet, "/", "", "", "Accept", "application/xml").Body.String()
	if strings.Count(xml, "<member>") != 9 || !strings.Contains(xml, "<member>queries</member>") {
		t.Error(xml)
	}
}

func sorted(list string) string {
	parts := strings.Split(list, ", ")
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func testRESTVersions(t *testing.T, c clients) {
	for _, v := range []struct {
		path, header, value string
		ok                  bool
	}{
		{"/events", "GS1-EPCIS-Version", "2.0", true},
		{"/events", "GS1-EPCIS-Version", "2.0.0", true},
		{"/events", "GS1-EPCIS-Version", "1.2", false},
		{"/events", "GS1-EPCIS-Version", "2.1", false},
		{"/events", "GS1-EPCIS-Version", "two", false},
		{"/events", "GS1-EPCIS-Min", "1.0.0", true},
		{"/events", "GS1-EPCIS-Min", "2.0.1", false},
		{"/events", "GS1-EPCIS-Max", "2.0.0", true},
		{"/events", "GS1-EPCIS-Max", "3.0.0", true},
		{"/events", "GS1-EPCIS-Max", "1.2.0", false},
		{"/events", "GS1-CBV-Min", "2.0.0", true},
		{"/events", "GS1-CBV-Min", "2.1.0", false},
		{"/events", "GS1-CBV-Max", "1.2.2", false},
		{"/bizSteps", "GS1-CBV-Max", "1.9", false},
		{"/queries", "GS1-EPCIS-Max", "1.9.9.9", false},
		{"/capture", "GS1-EPCIS-Max", "1.2.0", true}, // what is captured may be of any version
		{"/capture", "GS1-EPCIS-Max", "0.9", false},
	} {
		res := c.agency.ask(http.MethodGet, v.path, v.path, "", v.header, v.value)
		if v.ok && res.Code != http.StatusOK {
			t.Errorf("%s, %s %s: %d %s", v.path, v.header, v.value, res.Code, res.Body)
		}
		if !v.ok {
			checkProblem(t, "/epcis"+v.path, res, http.StatusNotAcceptable, "NOT_ACCEPTABLE", v.header)
		}
	}
	both := c.agency.ask(http.MethodGet, "/events", "/events", "", "GS1-EPCIS-Max", "1.0", "GS1-CBV-Min", "3.0")
	if p := decode[problemBody](t, both, http.StatusNotAcceptable); len(p.Errors) != 2 {
		t.Errorf("not all is said: %+v", p)
	}
}

// Answers come as the client wants them most; XML and JSON say the same.
func testRESTForms(t *testing.T, c clients) {
	lot := "/events?MATCH_anyEPCClass=" + url.QueryEscape(c.agency.story.Safe)
	for accept, want := range map[string]string{
		"":                                      "application/json",
		"*/*":                                   "application/json",
		"application/json":                      "application/json",
		"application/ld+json":                   "application/ld+json",
		"application/xml":                       "application/xml",
		"text/xml":                              "text/xml",
		"application/xml;q=0.9, text/xml;q=0.8": "application/xml",
		"application/json;q=0.1, application/xml": "application/xml",
		"application/json, application/xml;q=0.9": "application/json",
		"application/json;q=0, */*":               "application/ld+json",
	} {
		res := c.agency.ask(http.MethodGet, "/events", lot, "", "Accept", accept)
		if res.Header().Get("Content-Type") != want || !strings.Contains(res.Header().Get("Vary"), "Accept") || res.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%q: %v", accept, res.Header())
		}
		events(t, res)
	}
	for _, accept := range []string{"text/html", "image/png", "*/*;q=0", "application/json;q=x"} {
		checkProblem(t, "/epcis "+accept, c.agency.ask(http.MethodGet, "/events", lot, "", "Accept", accept), http.StatusNotAcceptable, "NOT_ACCEPTABLE", "Accept")
	}
	checkProblem(t, "/epcis/queries", c.agency.world.ask(http.MethodGet, "/epcis/queries", "", append(c.agency.who, "Accept", "application/xml, application/problem+json")...), http.StatusNotAcceptable, "NOT_ACCEPTABLE", "Accept")
	plain := events(t, c.agency.ask(http.MethodGet, "/events", lot, ""))
	inXML := events(t, c.agency.ask(http.MethodGet, "/events", lot, "", "Accept", "application/xml"))
	if diff := cmp.Diff(hashes(plain), hashes(inXML)); diff != "" || len(plain) == 0 {
		t.Errorf("%d events; XML and JSON differ: %s", len(plain), diff)
	}
	for i, e := range plain {
		if e.RecordTime.IsZero() || !e.RecordTime.Equal(inXML[i].RecordTime) || e.ID == "" {
			t.Errorf("event %d: recordTime %v, eventID %q", i, e.RecordTime, e.ID)
		}
	}
}

// Identifiers and words come in the spelling that the client asks for.
func testRESTFormats(t *testing.T, c clients) {
	const all = "/events?perPage=1000"
	for _, f := range []struct {
		epc, cbv, accept string
		has, hasNot      string // expressions
	}{
		{"", "", "", `https://id\.gs1\.org/`, `urn:epc:`},
		{"Always_GS1_Digital_Link", "", "", `https://id\.gs1\.org/`, `urn:epc:`},
		{"Always_EPC_URN", "", "", `urn:epc:class:lgtin:`, `https://id\.gs1\.org/0[01]/`},
		{"Never_Translates", "", "", `urn:epc:`, `^$`},
		{"No_Preference", "", "", `urn:epc:`, `^$`},
		{"", "Always_Web_URI", "", `"bizStep":"shipping"`, `cbv/BizStep`}, // JSON has bare words
		{"", "Always_Web_URI", "application/xml", `<bizStep>https://ref\.gs1\.org/cbv/BizStep-shipping<`, `urn:epcglobal:cbv:bizstep`},
		{"", "Always_URN", "application/xml", `<bizStep>urn:epcglobal:cbv:bizstep:shipping<`, `cbv/BizStep`},
		{"Always_EPC_URN", "Never_Translates", "application/xml", `<epcClass>urn:epc:class:lgtin:`, `cbv/BizStep`},
	} {
		res := c.agency.ask(http.MethodGet, "/events", all, "", "GS1-EPC-Format", f.epc, "GS1-CBV-XML-Format", f.cbv, "Accept", f.accept)
		body := res.Body.String()
		if res.Code != 200 || !regexp.MustCompile(f.has).MatchString(body) || regexp.MustCompile(f.hasNot).MatchString(body) {
			t.Errorf("%+v: %d %.300s; %q", f, res.Code, body, regexp.MustCompile(f.hasNot).FindString(body))
		}
		if got := res.Header().Get("GS1-EPC-Format"); f.epc != "" && got != f.epc || f.epc == "" && got != "Always_GS1_Digital_Link" {
			t.Errorf("%+v: answered as %s", f, got)
		}
	}
	res := c.agency.ask(http.MethodGet, "/events", all, "", "GS1-EPC-Format", "Sometimes", "GS1-CBV-XML-Format", "maybe")
	checkProblem(t, "/epcis/events", res, http.StatusNotAcceptable, "NOT_ACCEPTABLE", "GS1-EPC-Format")
	if p := decode[problemBody](t, res, http.StatusNotAcceptable); len(p.Errors) != 2 {
		t.Errorf("%+v", p)
	}
	link := events(t, c.agency.ask(http.MethodGet, "/events", all, ""))
	urn := events(t, c.agency.ask(http.MethodGet, "/events", all, "", "GS1-EPC-Format", "Always_EPC_URN", "Accept", "application/xml"))
	if diff := cmp.Diff(hashes(link), hashes(urn)); diff != "" {
		t.Errorf("a spelling changes hashes: %s", diff)
	}
}

// The public asks for single events only; a member sees its own; a regulator all.
func testRESTViews(t *testing.T, c clients) {
	for _, r := range resources {
		if strings.HasPrefix(r.path, "/events/") || r.path == "/" || !strings.Contains(r.allow, "GET") {
			continue
		}
		checkProblem(t, "/epcis"+r.path, c.public.ask(http.MethodGet, r.resource, r.path, ""), http.StatusUnauthorized, "UNAUTHORISED", "")
	}
	res := rest{c.public.world, []string{"Authorization", "Bearer nonsense"}}.ask(http.MethodGet, "/events", "/events", "")
	checkProblem(t, "/epcis/events", res, http.StatusUnauthorized, "UNAUTHORISED", "")
	all := events(t, c.agency.ask(http.MethodGet, "/events", "/events?perPage=1000", ""))
	mine := events(t, c.farm.ask(http.MethodGet, "/events", "/events?perPage=1000", ""))
	told := 0
	for _, s := range c.agency.story.Records {
		if s.Record.Event != nil {
			told++
		}
	}
	if len(all) != told-c.agency.refused() || len(mine) == 0 || len(mine) >= len(all) {
		t.Errorf("%d events are told; a regulator sees %d, a member %d", told, len(all), len(mine))
	}
	for _, h := range hashes(mine) {
		if !slices.Contains(hashes(all), h) {
			t.Errorf("a regulator does not see %s", h)
		}
	}
	hidden := slices.DeleteFunc(hashes(all), func(h string) bool { return slices.Contains(hashes(mine), h) })
	if got := events(t, c.farm.ask(http.MethodGet, "/events", "/events?EQ_eventID="+url.QueryEscape(hidden[0]), "")); len(got) != 0 {
		t.Error("a member finds another's event")
	}
	one := events(t, c.public.ask(http.MethodGet, "/events/{eventID}", "/events/"+url.PathEscape(hidden[0]), ""))
	if len(one) != 1 || len(one[0].BizTransactions)+len(one[0].Sources)+len(one[0].ILMD)+len(one[0].Ext) > 0 {
		t.Errorf("the public sees %+v", one)
	}
}

// refused is how many events of the story the ledger refused: movements under a hold.
func (w *world) refused() int {
	var list struct{ Violations []any }
	res := w.ask(http.MethodGet, "/api/v1/violations?limit=100", "", w.as(w.story.Inspector)...)
	var body map[string]json.RawMessage
	if err := json.Unmarshal(res.Body.Bytes(), &body); err != nil {
		w.t.Fatal(err)
	}
	for _, v := range body {
		if err := json.Unmarshal(v, &list.Violations); err == nil {
			return len(list.Violations)
		}
	}
	return 0
}

// Problems come in JSON or XML, with the standard's type and all that is wrong.
func testRESTProblems(t *testing.T, c clients) {
	for accept, want := range map[string]string{
		"":                        "application/problem+json",
		"application/json":        "application/problem+json",
		"application/xml":         "application/problem+xml",
		"application/problem+xml": "application/problem+xml",
		"text/xml":                "application/problem+xml",
		"image/png":               "application/problem+json",
		"application/problem+xml;q=0.5, application/problem+json": "application/problem+json",
	} {
		for _, res := range []*httptest.ResponseRecorder{
			c.agency.ask(http.MethodGet, "/events/{eventID}", "/events/nope%3C%00", "", "Accept", accept),
			c.agency.world.ask(http.MethodGet, "/epcis/nowhere", "", "Accept", accept),
			c.public.world.ask(http.MethodGet, "/epcis/events", "", "Accept", accept, "Authorization", "Bearer x"),
		} {
			if res.Header().Get("Content-Type") != want || res.Code < 400 {
				t.Errorf("%q: %d %s", accept, res.Code, res.Header().Get("Content-Type"))
			}
			if strings.HasSuffix(want, "xml") && !strings.Contains(res.Body.String(), "<epcis:EPCISException") {
				t.Errorf("%q: %s", accept, res.Body)
			}
		}
	}
	body := c.agency.ask(http.MethodGet, "/events", "/events?EQ_no=1&EQ_none=2", "", "Accept", "application/xml").Body.String()
	for _, want := range []string{"<type>epcisException:QueryParameterException</type>", "<status>400</status>", "<foodtrace:field>EQ_no</foodtrace:field>", "<foodtrace:field>EQ_none</foodtrace:field>"} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
}
