package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

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

// Subscriptions stand below the query that they are to, and end with it.
func testRESTSubscriptions(t *testing.T, c clients) {
	asJSON := []string{"Content-Type", "application/json"}
	c.farm.ask(http.MethodPost, "/queries", "/queries", `{"name":"mine","query":{"EQ_bizStep":["shipping"]}}`, asJSON...)
	const list, one, at = "/queries/{queryName}/subscriptions", "/queries/{queryName}/subscriptions/{subscriptionID}", "/queries/mine/subscriptions"
	const body = `{"dest":"https://client.example.com/callback","signatureToken":"13df38d8275b13f05704629e5f1cf3d45d6132d5","schedule":{"hour":"1","minute":"5"}}`
	res := c.farm.ask(http.MethodPost, list, at, body, append(asJSON, "GS1-EPC-Format", "Always_EPC_URN")...)
	where := strings.TrimPrefix(res.Header().Get("Location"), "/epcis")
	if res.Code != http.StatusCreated || !strings.HasPrefix(where, at+"/") || strings.Contains(res.Body.String(), "13df38d8") {
		t.Fatalf("%d %v %s", res.Code, res.Header(), res.Body)
	}
	got := decode[map[string]any](t, c.farm.ask(http.MethodGet, one, where, ""), http.StatusOK)
	if got["dest"] != "https://client.example.com/callback" || got["epcFormat"] != "Always_EPC_URN" {
		t.Errorf("%v", got)
	}
	if all := decode[[]map[string]any](t, c.farm.ask(http.MethodGet, list, at, ""), http.StatusOK); len(all) != 1 {
		t.Errorf("%v", all)
	}
	checkProblem(t, "/epcis", c.market.ask(http.MethodGet, one, where, ""), http.StatusNotFound, "NOT_FOUND", "")
	checkProblem(t, "/epcis", c.farm.ask(http.MethodPost, list, at, body, append(asJSON, "GS1-EPC-Format", "Sometimes")...), http.StatusNotAcceptable, "NOT_ACCEPTABLE", "GS1-EPC-Format")
	second := c.farm.ask(http.MethodPost, list, at, strings.Replace(body, `"schedule":{"hour":"1","minute":"5"}`, `"stream":true`, 1), asJSON...)
	if res := c.farm.ask(http.MethodDelete, one, strings.TrimPrefix(second.Header().Get("Location"), "/epcis"), ""); res.Code != http.StatusNoContent {
		t.Errorf("%d %s", res.Code, res.Body)
	}
	if res := c.farm.ask(http.MethodDelete, "/queries/{queryName}", "/queries/mine", ""); res.Code != http.StatusNoContent {
		t.Errorf("%d %s", res.Code, res.Body)
	}
	c.farm.ask(http.MethodPost, "/queries", "/queries", `{"name":"mine","query":{}}`, asJSON...)
	checkProblem(t, "/epcis", c.farm.ask(http.MethodGet, one, where, ""), http.StatusNotFound, "NOT_FOUND", "")
}

// A WebSocket opens through the whole gateway.
func testRESTWebSocket(t *testing.T, c clients) {
	server := httptest.NewServer(c.farm.handler)
	defer server.Close()
	header := http.Header{"Authorization": {c.farm.who[1]}}
	conn, res, err := websocket.Dial(t.Context(), server.URL+"/epcis/queries/SimpleEventQuery/events?stream=true", &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("GS1-Query-Min-Record-Time") == "" {
		t.Errorf("%v", res)
	}
	if err := conn.CloseNow(); err != nil {
		t.Error(err)
	}
	if _, res, err = websocket.Dial(t.Context(), server.URL+"/epcis/queries/SimpleEventQuery/events?stream=true", nil); err == nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("the public is let in: %v", err)
	}
}
