package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

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
