package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
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

func testRESTParameters(t *testing.T, c clients) {
	all := events(t, c.agency.ask(http.MethodGet, "/events", "/events?perPage=1000", ""))
	count := func(is func(*event.Event) bool) (n int) {
		for _, e := range all {
			if is(e) {
				n++
			}
		}
		return n
	}
	shipped := count(func(e *event.Event) bool { return e.BizStep == "shipping" })
	moved := count(func(e *event.Event) bool { return e.BizStep == "shipping" || e.BizStep == "receiving" })
	for query, want := range map[string]int{
		"EQ_bizStep=shipping": shipped,
		"EQ_bizStep=urn%3Aepcglobal%3Acbv%3Abizstep%3Ashipping":      shipped,
		"EQ_bizStep=shipping%7Creceiving":                            moved,
		"EQ_bizStep=shipping%7Creceiving&eventType=AggregationEvent": 0,
		"eventType=ObjectEvent&EQ_bizStep=shipping":                  shipped,
		"GE_eventTime=2999-01-01T00:00:00Z":                          0,
		"LT_recordTime=2999-01-01T00:00:00Z&EQ_bizStep=shipping":     shipped,
	} {
		if got := events(t, c.agency.ask(http.MethodGet, "/events", "/events?perPage=1000&"+query, "")); len(got) != want {
			t.Errorf("%s: %d events, want %d", query, len(got), want)
		}
	}
	for query, fields := range map[string][]string{
		"EQ_nonsense=1":                          {"EQ_nonsense"},
		"perpage=3":                              {"perpage"},
		"GE_eventTime=yesterday&EQ_action=STEAL": {"EQ_action", "GE_eventTime"},
		"eventCountLimit=1&maxEventCount=1&orderBy=eventTime": {"maxEventCount"},
		"orderBy=colour": {"orderBy"},
		"perPage=0":      {"perPage"},
		"perPage=many":   {"perPage"},
		"EQ_bizStep=%zz": nil,
	} {
		res := c.agency.ask(http.MethodGet, "/events", "/events?"+query, "")
		p := decode[problemBody](t, res, http.StatusBadRequest)
		var got []string
		for _, e := range p.Errors {
			got = append(got, e.Field)
		}
		if p.Type != "epcisException:QueryParameterException" || !slices.Equal(got, fields) {
			t.Errorf("%s: %+v", query, p)
		}
	}
	large := c.agency.ask(http.MethodGet, "/events", "/events?maxEventCount=3", "")
	if p := decode[problemBody](t, large, http.StatusRequestEntityTooLarge); p.Type != "epcisException:QueryTooLargeException" {
		t.Errorf("%+v", p)
	}
	if got := events(t, c.agency.ask(http.MethodGet, "/events", "/events?eventCountLimit=3&orderBy=eventTime&orderDirection=ASC", "")); len(got) != 3 || got[0].Time.Time.After(got[2].Time.Time) {
		t.Errorf("%d events of 3", len(got))
	}
	long := c.agency.ask(http.MethodGet, "/events", "/events?EQ_bizStep="+strings.Repeat("x", 17<<10), "")
	if p := decode[problemBody](t, long, http.StatusRequestURITooLong); p.Type != "epcisException:URITooLongException" {
		t.Errorf("%+v", p)
	}
}

var nextLink = regexp.MustCompile(`^<([^>]*)>; rel="next"$`)

// next is the address of the next page, "" at the end.
func next(t *testing.T, res *httptest.ResponseRecorder) string {
	t.Helper()
	link, expires := res.Header().Get("Link"), res.Header().Get("GS1-Next-Page-Token-Expires")
	if link == "" && expires == "" {
		return ""
	}
	m := nextLink.FindStringSubmatch(link)
	if m == nil || expires != "2026-04-24T13:00:00.000Z" { // a day after the world's clock
		t.Fatalf("Link %q, expires %q", link, expires)
	}
	return strings.TrimPrefix(m[1], "/epcis")
}

// Pages hold every event once, in order, and the last one says so.
func testRESTPaging(t *testing.T, c clients) {
	all := events(t, c.agency.ask(http.MethodGet, "/events", "/events?perPage=1000&orderBy=eventTime", ""))
	var paged []*event.Event
	pages := 0
	for path := "/events?perPage=17&orderBy=eventTime"; path != ""; pages++ {
		res := c.agency.ask(http.MethodGet, "/events", path, "")
		page := events(t, res)
		if path = next(t, res); path != "" && len(page) != 17 {
			t.Errorf("page %d has %d events", pages, len(page))
		}
		paged = append(paged, page...)
	}
	if len(paged) != len(all) || pages != (len(all)+16)/17 {
		t.Errorf("%d events on %d pages, want %d", len(paged), pages, len(all))
	}
	for i := range paged {
		if paged[i].ID != all[i].ID {
			t.Fatalf("event %d is another one", i)
		}
	}
	if first := events(t, c.agency.ask(http.MethodGet, "/events", "/events", "")); len(first) != 30 {
		t.Errorf("a page has %d events where nothing is asked for", len(first))
	}
	var limited []*event.Event
	for path := "/events?perPage=4&orderBy=eventTime&eventCountLimit=10"; path != ""; {
		res := c.agency.ask(http.MethodGet, "/events", path, "")
		limited = append(limited, events(t, res)...)
		path = next(t, res)
	}
	if len(limited) != 10 {
		t.Errorf("eventCountLimit over pages: %d events", len(limited))
	}
	var steps []string
	for path := "/bizSteps?perPage=2"; path != ""; {
		res := c.agency.ask(http.MethodGet, "/bizSteps", path, "")
		steps = append(steps, members(t, res)...)
		path = next(t, res)
	}
	if !slices.IsSorted(steps) || len(slices.Compact(slices.Clone(steps))) != len(steps) || len(steps) < 5 {
		t.Errorf("%v", steps)
	}
}

// A token is of one question and one asker, cannot be made up, and can be deleted.
func testRESTTokens(t *testing.T, c clients) {
	path := next(t, c.agency.ask(http.MethodGet, "/events", "/events?perPage=2&EQ_bizStep=shipping", ""))
	token := must(url.Parse(path)).Query().Get("nextPageToken")
	events(t, c.agency.ask(http.MethodGet, "/events", path, ""))
	events(t, c.agency.ask(http.MethodGet, "/events", strings.Replace(path, "perPage=2", "perPage=3", 1), ""))
	for name, bad := range map[string]*httptest.ResponseRecorder{
		"another member": c.farm.ask(http.MethodGet, "/events", path, ""),
		"another query":  c.agency.ask(http.MethodGet, "/events", strings.Replace(path, "shipping", "receiving", 1), ""),
		"another list":   c.agency.ask(http.MethodGet, "/epcs", "/epcs?nextPageToken="+token, ""),
		"made up":        c.agency.ask(http.MethodGet, "/events", "/events?nextPageToken=abc", ""),
		"changed":        c.agency.ask(http.MethodGet, "/events", strings.Replace(path, token, "A"+token[1:], 1), ""),
	} {
		checkProblem(t, "/epcis "+name, bad, http.StatusBadRequest, "BAD_REQUEST", "nextPageToken")
	}
	checkProblem(t, "/epcis", c.farm.ask(http.MethodDelete, "/nextPageToken/{token}", "/nextPageToken/"+token, ""), http.StatusNotFound, "NOT_FOUND", "")
	checkProblem(t, "/epcis", c.public.ask(http.MethodDelete, "/nextPageToken/{token}", "/nextPageToken/"+token, ""), http.StatusUnauthorized, "UNAUTHORISED", "")
	for range 2 {
		if res := c.agency.ask(http.MethodDelete, "/nextPageToken/{token}", "/nextPageToken/"+token, ""); res.Code != http.StatusNoContent {
			t.Errorf("%d %s", res.Code, res.Body)
		}
	}
	checkProblem(t, "/epcis deleted", c.agency.ask(http.MethodGet, "/events", path, ""), http.StatusBadRequest, "BAD_REQUEST", "nextPageToken")
}

func testRESTFacets(t *testing.T, c clients) {
	all := events(t, c.agency.ask(http.MethodGet, "/events", "/events?perPage=1000", ""))
	for _, f := range []struct {
		path, name string
		has        func(e *event.Event, value string) bool
	}{
		{"/eventTypes", "{eventType}", func(e *event.Event, v string) bool { return string(e.Type) == v }},
		{"/bizSteps", "{bizStep}", func(e *event.Event, v string) bool { return e.BizStep == v }},
		{"/dispositions", "{disposition}", func(e *event.Event, v string) bool { return e.Disposition == v }},
		{"/bizLocations", "{bizLocation}", func(e *event.Event, v string) bool { return e.BizLocation != nil && e.BizLocation.ID == v }},
		{"/readPoints", "{readPoint}", func(e *event.Event, v string) bool { return e.ReadPoint != nil && e.ReadPoint.ID == v }},
		{"/epcs", "{epc}", func(e *event.Event, v string) bool {
			return slices.ContainsFunc(e.Items(), func(i event.Item) bool { return i.Key == v })
		}},
	} {
		values := members(t, c.agency.ask(http.MethodGet, f.path, f.path+"?perPage=1000", ""))
		if len(values) == 0 {
			t.Errorf("%s is empty", f.path)
		}
		for _, v := range values[:min(len(values), 6)] {
			one := f.path + "/" + url.PathEscape(v)
			if got := members(t, c.agency.ask(http.MethodGet, f.path+"/"+f.name, one, "")); !slices.Equal(got, []string{"events"}) {
				t.Errorf("%s: %v", one, got)
			}
			want := 0
			for _, e := range all {
				if f.has(e, v) {
					want++
				}
			}
			res := c.agency.ask(http.MethodGet, f.path+"/"+f.name+"/events", one+"/events?perPage=1000", "")
			if v == "AssociationEvent" || v == "TransactionEvent" { // the story has none
				want = 0
			}
			if got := events(t, res); len(got) != want {
				t.Errorf("%s/events: %d, want %d", one, len(got), want)
			}
		}
		for _, path := range []string{"", "/events"} {
			res := c.agency.ask(http.MethodGet, f.path+"/"+f.name+path, f.path+"/urn:no:such"+path, "")
			checkProblem(t, "/epcis"+f.path, res, http.StatusNotFound, "NOT_FOUND", "")
		}
		mine := members(t, c.market.ask(http.MethodGet, f.path, f.path+"?perPage=1000", ""))
		if len(mine) > len(values) || len(mine) == 0 || len(mine) == len(values) && strings.HasSuffix(f.path, "s") && len(values) > 20 {
			t.Errorf("%s: a member sees %d of %d", f.path, len(mine), len(values))
		}
	}
	for path, field := range map[string]string{
		"/bizSteps/shipping/events?EQ_bizStep=receiving": "EQ_bizStep",
		"/eventTypes/ObjectEvent/events?eventType=x":     "eventType",
		"/eventTypes?EQ_bizStep=shipping":                "EQ_bizStep",
		"/bizSteps/shipping?colour=red":                  "colour",
		"/?colour=red":                                   "colour",
	} {
		res := c.agency.world.ask(http.MethodGet, "/epcis"+path, "", c.agency.who...)
		checkProblem(t, "/epcis"+path, res, http.StatusBadRequest, "BAD_REQUEST", field)
	}
	urns := members(t, c.agency.ask(http.MethodGet, "/epcs", "/epcs", "", "GS1-EPC-Format", "Always_EPC_URN"))
	if !strings.HasPrefix(urns[0], "urn:epc:id:") {
		t.Errorf("%v", urns)
	}
	words := c.agency.world.ask(http.MethodGet, "/epcis/bizSteps", "", append(c.agency.who, "Accept", "application/xml", "GS1-CBV-XML-Format", "Always_URN")...)
	if !strings.Contains(words.Body.String(), "<member>urn:epcglobal:cbv:bizstep:shipping</member>") {
		t.Errorf("%s", words.Body)
	}
}

type namedQuery struct {
	Name  string
	Query map[string]any
}

func testRESTNamedQueries(t *testing.T, c clients) {
	asJSON := []string{"Content-Type", "application/json"}
	const body = `{"name":"what left/us 出货","query":{"@context":{"ex":"https://example.org/ns/"},"eventType":["ObjectEvent"],"EQ_bizStep":["shipping"],"orderBy":"eventTime","perPage":1}}`
	res := c.farm.ask(http.MethodPost, "/queries", "/queries", body, asJSON...)
	at := res.Header().Get("Location")
	if res.Code != http.StatusCreated || at != "/epcis/queries/"+url.PathEscape("what left/us 出货") {
		t.Fatalf("%d %q %s", res.Code, at, res.Body)
	}
	at = strings.TrimPrefix(at, "/epcis")
	checkProblem(t, "/epcis/queries", c.farm.ask(http.MethodPost, "/queries", "/queries", body, asJSON...), http.StatusConflict, "CONFLICT", "/name")
	got := decode[namedQuery](t, c.farm.ask(http.MethodGet, "/queries/{queryName}", at, ""), http.StatusOK)
	if got.Name != "what left/us 出货" || fmt.Sprint(got.Query["EQ_bizStep"]) != "[shipping]" {
		t.Errorf("%+v", got)
	}
	first := c.farm.ask(http.MethodGet, "/queries/{queryName}/events", at+"/events", "")
	if list := events(t, first); len(list) != 1 || list[0].BizStep != "shipping" || !strings.Contains(first.Body.String(), `"queryName":"what left/us 出货"`) {
		t.Errorf("%s", first.Body)
	}
	if more := events(t, c.farm.ask(http.MethodGet, "/queries/{queryName}/events", next(t, first), "")); len(more) == 0 {
		t.Error("there is no second page")
	}
	direct := events(t, c.farm.ask(http.MethodGet, "/events", "/events?eventType=ObjectEvent&EQ_bizStep=shipping&perPage=1000", ""))
	if named := events(t, c.farm.ask(http.MethodGet, "/queries/{queryName}/events", at+"/events?perPage=1000", "", "Accept", "application/xml")); !slices.Equal(hashes(named), hashes(direct)) {
		t.Errorf("by name %d events, else %d", len(named), len(direct))
	}
	checkProblem(t, "/epcis", c.farm.ask(http.MethodGet, "/queries/{queryName}/events", at+"/events?EQ_bizStep=x", ""), http.StatusBadRequest, "BAD_REQUEST", "EQ_bizStep")

	// A query is its member's alone, also before a regulator.
	for _, other := range []rest{c.market, c.agency} {
		for _, part := range []string{"", "/events"} {
			res := other.ask(http.MethodGet, "/queries/{queryName}"+part, at+part, "")
			if p := decode[problemBody](t, res, http.StatusNotFound); p.Type != "epcisException:NoSuchNameException" {
				t.Errorf("%+v", p)
			}
		}
	}
	if res := c.market.ask(http.MethodPost, "/queries", "/queries", body, asJSON...); res.Code != http.StatusCreated {
		t.Errorf("another member cannot use the name: %d %s", res.Code, res.Body)
	}
	for _, name := range []string{"Z", "A"} {
		c.farm.ask(http.MethodPost, "/queries", "/queries", `{"name":"`+name+`","query":{}}`, asJSON...)
	}
	var names []string
	for path := "/queries?perPage=1"; path != ""; {
		res := c.farm.ask(http.MethodGet, "/queries", path, "")
		for _, q := range decode[[]namedQuery](t, res, http.StatusOK) {
			names = append(names, q.Name)
		}
		path = next(t, res)
	}
	if want := []string{"A", "SimpleEventQuery", "Z", "what left/us 出货"}; !slices.Equal(names, want) {
		t.Errorf("%v", names)
	}
	if res := c.farm.ask(http.MethodDelete, "/queries/{queryName}", at, ""); res.Code != http.StatusNoContent {
		t.Errorf("%d %s", res.Code, res.Body)
	}
	for _, method := range []string{http.MethodDelete, http.MethodGet} {
		if p := decode[problemBody](t, c.farm.ask(method, "/queries/{queryName}", at, ""), http.StatusNotFound); p.Type != "epcisException:NoSuchNameException" {
			t.Errorf("%+v", p)
		}
	}
	// The standard's query takes parameters, and stays.
	if list := events(t, c.agency.ask(http.MethodGet, "/queries/{queryName}/events", "/queries/SimpleEventQuery/events?EQ_bizStep=shipping&perPage=5", "")); len(list) != 5 || list[0].BizStep != "shipping" {
		t.Errorf("%d events", len(list))
	}
	checkProblem(t, "/epcis", c.agency.ask(http.MethodDelete, "/queries/{queryName}", "/queries/SimpleEventQuery", ""), http.StatusForbidden, "FORBIDDEN", "")
	checkProblem(t, "/epcis", c.agency.ask(http.MethodPost, "/queries", "/queries", `{"name":"SimpleEventQuery","query":{}}`, asJSON...), http.StatusConflict, "CONFLICT", "/name")
}

func testRESTQueriesThatCannotBeKept(t *testing.T, c clients) {
	for body, fields := range map[string][]string{
		`{"name":"n","query":{"EQ_nonsense":["x"],"GE_eventTime":"soon"}}`: {"/query/EQ_nonsense", "/query/GE_eventTime"},
		`{"query":{"EQ_action":["STEAL"]},"colour":"red"}`:                 {"/name", "/colour", "/query/EQ_action"},
		`{"name":"n"}`:            {"/query"},
		`{"name":".","query":[]}`: {"/name", "/query"},
		`{"name":"`:               {""},
		`[]`:                      {""},
		`{"name":"` + strings.Repeat("n", 201) + `","query":{}}`: {"/name"},
	} {
		res := c.farm.ask(http.MethodPost, "/queries", "/queries", body, "Content-Type", "application/json")
		p := decode[problemBody](t, res, http.StatusBadRequest)
		var got []string
		for _, e := range p.Errors {
			got = append(got, e.Field)
		}
		if p.Type != "epcisException:QueryValidationException" || !slices.Equal(got, fields) {
			t.Errorf("%s: %+v", body, p)
		}
	}
	checkProblem(t, "/epcis", c.farm.ask(http.MethodPost, "/queries", "/queries", `<q/>`, "Content-Type", "application/xml"), http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "Content-Type")
	large := c.farm.ask(http.MethodPost, "/queries", "/queries", `{"name":"n","query":{"EQ_eventID":["`+strings.Repeat("x", 2<<20)+`"]}}`, "Content-Type", "application/json")
	if p := decode[problemBody](t, large, http.StatusRequestEntityTooLarge); p.Type != "epcisException:QueryTooComplexException" {
		t.Errorf("%+v", p)
	}
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

// single is an event of the farm, to be posted alone.
func single(site, id, lot string) string {
	if id != "" {
		id = `"eventID":"` + id + `",`
	}
	return `{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"ex":"https://example.org/ns/"}],"type":"ObjectEvent",` + id + `"action":"ADD","eventTime":"2026-04-23T09:00:00Z",
"eventTimeZoneOffset":"+00:00","quantityList":[{"epcClass":"https://id.gs1.org/01/06900101000012/10/` + lot + `","quantity":5,"uom":"KGM"}],"bizStep":"commissioning","readPoint":{"id":"` + site + `"},"ex:field":"x"}`
}

func (w *world) siteOf(msp string) string {
	sites := w.story.Registration.Sites
	return sites[slices.IndexFunc(sites, func(s contract.Site) bool { return s.Owner == msp })].ID
}

func testRESTCreateEvent(t *testing.T, c clients) {
	site := c.farm.siteOf(c.farm.story.Producer)
	post := func(who rest, body string, headers ...string) *httptest.ResponseRecorder {
		return who.ask(http.MethodPost, "/events", "/events", body, append([]string{"Content-Type", "application/json"}, headers...)...)
	}
	const id = "urn:uuid:4f1b7a4e-2222-4c7e-9d9b-000000000001"
	res := post(c.farm, single(site, id, "SOLO1"))
	if res.Code != http.StatusCreated || res.Header().Get("Location") != "/epcis/events/"+url.PathEscape(id) {
		t.Fatalf("%d %v %s", res.Code, res.Header(), res.Body)
	}
	made := decode[map[string]any](t, res, http.StatusCreated)
	if made["eventID"] != id || made["recordTime"] == nil || made["ex:field"] != "x" {
		t.Errorf("%v", made)
	}
	// It can be asked for at once.
	if got := events(t, c.farm.ask(http.MethodGet, "/events/{eventID}", strings.TrimPrefix(res.Header().Get("Location"), "/epcis"), "")); len(got) != 1 || got[0].ID != id {
		t.Errorf("%+v", got)
	}
	// Without an ID, the server fills in the hash.
	anonymous := post(c.farm, single(site, "", "SOLO2"))
	if at := must(url.PathUnescape(anonymous.Header().Get("Location"))); anonymous.Code != http.StatusCreated || !strings.HasPrefix(at, "/epcis/events/ni:///sha-256;") {
		t.Errorf("%d %s %s", anonymous.Code, at, anonymous.Body)
	}
	if res := post(c.farm, single(site, "", "SOLO3"), "Accept", "application/xml"); res.Code != http.StatusCreated || res.Body.Len() > 0 {
		t.Errorf("%d %s", res.Code, res.Body)
	}
	checkProblem(t, "/epcis again", post(c.farm, single(site, "", "SOLO1")), http.StatusConflict, "REFUSED", "")
	checkProblem(t, "/epcis other content", post(c.farm, single(site, id, "SOLO4")), http.StatusConflict, "REFUSED", "/eventID")
	checkProblem(t, "/epcis elsewhere", post(c.farm, single(c.farm.siteOf("haojia-market"), "", "SOLO5")), http.StatusBadRequest, "REFUSED", "/readPoint")
	checkProblem(t, "/epcis public", post(c.public, single(site, "", "SOLO6")), http.StatusUnauthorized, "UNAUTHORISED", "")
	checkProblem(t, "/epcis document", post(c.farm, strings.Replace(document, "SITE", site, 1)), http.StatusBadRequest, "BAD_REQUEST", "")
	checkProblem(t, "/epcis XML", c.farm.ask(http.MethodPost, "/events", "/events", "<x/>", "Content-Type", "application/xml"), http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "Content-Type")
	checkProblem(t, "/epcis large", post(c.farm, `{"type":"`+strings.Repeat("x", 9<<20)+`"}`), http.StatusRequestEntityTooLarge, "TOO_LARGE", "")
	checkProblem(t, "/epcis old", post(c.farm, single(site, "", "SOLO7"), "GS1-EPCIS-Version", "1.2"), http.StatusNotAcceptable, "NOT_ACCEPTABLE", "GS1-EPCIS-Version")
	bad := post(c.farm, `{"type":"ObjectEvent","action":"STEAL","eventTime":"now","epcList":["x"]}`)
	if p := decode[problemBody](t, bad, http.StatusBadRequest); p.Type != "epcisException:ValidationException" || len(p.Errors) < 3 {
		t.Errorf("%+v", p)
	}
	for _, body := range []string{"", "{}", "[]", "nonsense"} {
		if res := post(c.farm, body); res.Code != http.StatusBadRequest {
			t.Errorf("%q: %d %s", body, res.Code, res.Body)
		}
	}
}

// An event that was declared wrong is answered together with the declaration.
func testRESTErrorDeclaration(t *testing.T, c clients) {
	site := c.farm.siteOf(c.farm.story.Producer)
	const id = "urn:uuid:4f1b7a4e-3333-4c7e-9d9b-000000000001"
	body := single(site, id, "WRONG1")
	declared := strings.Replace(body, `"action"`, `"errorDeclaration":{"declarationTime":"2026-04-23T10:00:00Z","reason":"incorrect_data"},"action"`, 1)
	for _, b := range []string{body, declared} {
		if res := c.farm.ask(http.MethodPost, "/events", "/events", b, "Content-Type", "application/json"); res.Code != http.StatusCreated {
			t.Fatalf("%d %s", res.Code, res.Body)
		}
	}
	got := events(t, c.farm.ask(http.MethodGet, "/events/{eventID}", "/events/"+url.PathEscape(id), ""))
	if len(got) != 2 || (got[0].ErrorDeclaration == nil) == (got[1].ErrorDeclaration == nil) {
		t.Errorf("%d events", len(got))
	}
}

// A job is shown in XML too.
func testRESTCaptureInXML(t *testing.T, c clients) {
	site := c.farm.siteOf(c.farm.story.Producer)
	res := c.farm.ask(http.MethodPost, "/capture", "/capture", strings.Replace(document, "SITE", site, 1), "Content-Type", "application/json", "GS1-EPCIS-Version", "2.0.0")
	if res.Code != http.StatusAccepted {
		t.Fatalf("%d %s", res.Code, res.Body)
	}
	at := strings.TrimPrefix(res.Header().Get("Location"), "/epcis")
	c.farm.waitForJob("/epcis"+at, c.farm.who)
	xml := c.farm.ask(http.MethodGet, "/capture/{captureID}", at, "", "Accept", "application/xml")
	for _, want := range []string{`<epcis:EPCISCaptureJob`, `running="false"`, `success="true"`, `<captureErrorBehaviour>rollback</captureErrorBehaviour>`, `<createdAt>`} {
		if !strings.Contains(xml.Body.String(), want) {
			t.Errorf("%s is not in %s", want, xml.Body)
		}
	}
	c.farm.ask(http.MethodGet, "/capture/{captureID}", at, "")
	c.farm.ask(http.MethodGet, "/capture", "/capture", "")
}
