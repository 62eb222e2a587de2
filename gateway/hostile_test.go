package gateway_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
)

// A body that is made to do harm is answered with a problem, or its job fails and says why and where; the gateway goes on.
func TestHostileBodies(t *testing.T) {
	w := newWorld(t)
	farm := w.as(w.story.Producer)
	document := strings.Replace(document, "SITE", "urn:x:site", 1)
	start := document[:strings.Index(document, `{"type":"ObjectEvent"`)]
	xmlStart := documentXML[:strings.Index(documentXML, "<ObjectEvent>")]
	for _, test := range []struct{ name, media, body, code, field string }{
		{"JSON that ends in the middle", "application/json", document[:len(document)-20], "JSON_SYNTAX", "/epcisBody/eventList/0"},
		{"deep JSON", "application/json", start + `{"ex:a":` + strings.Repeat("[", 100_000), "JSON_SYNTAX", "/epcisBody/eventList/0"},
		{"a long text", "application/json", start + `{"ex:a":"` + strings.Repeat("x", 17<<20), "LIMIT", "/epcisBody/eventList/0"},
		{"a name twice", "application/json", strings.Replace(document, `"action"`, `"type":"AggregationEvent","action"`, 1), "JSON_DUPLICATE", "/epcisBody/eventList/0"},
		{"a large number", "application/json", strings.Replace(document, `"quantity":5`, `"quantity":1e999999999`, 1), "NUMBER_RANGE", "/epcisBody/eventList/0/quantityList/0/quantity"},
		{"U+0000", "application/json", strings.Replace(document, `"ex:field":"x"`, `"ex:field":"\u0000"`, 1), "VALUE", "/epcisBody/eventList/0/ex:field"},
		{"not UTF-8", "application/json", strings.Replace(document, `"ex:field":"x"`, "\"ex:field\":\"\xb2\xa4\"", 1), "JSON_ENCODING", "/epcisBody/eventList/0"},
		{"UTF-16", "application/json", "\xff\xfe{\x00\"\x00", "JSON_ENCODING", ""},
		{"a billion laughs", "application/xml", `<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>` + documentXML[strings.Index(documentXML, "<epcis:"):], "XML_DTD", ""},
		{"an external entity", "application/xml", `<!DOCTYPE a SYSTEM "file:///etc/passwd"><a>&x;</a>`, "XML_DTD", ""},
		{"deep XML", "application/xml", xmlStart + strings.Repeat("<a>", 100_000), "LIMIT", "/epcis:EPCISDocument"},
		{"XML in UTF-7", "text/xml", `<?xml version="1.0" encoding="UTF-7"?><a/>`, "XML_ENCODING", ""},
		{"XML that declares another encoding", "application/xml", strings.Replace(documentXML, "<ex:field>x", "<ex:field>\xb2\xa4", 1), "XML_ENCODING", "/epcis:EPCISDocument"},
		{"another document", "application/xml", `<html/>`, "DOCUMENT_TYPE", "/html"},
		{"nothing", "application/json", "", "", ""},
		{"noise", "application/json", "\x00\x01\x02\xff", "", ""},
	} {
		for _, behaviour := range []string{"rollback", "proceed"} {
			res := w.ask(http.MethodPost, "/epcis/capture", test.body, append(farm, "Content-Type", test.media, "GS1-Capture-Error-Behaviour", behaviour)...)
			if res.Code != http.StatusAccepted {
				var p problem.Problem
				if err := json.Unmarshal(res.Body.Bytes(), &p); err != nil || res.Code < 400 || res.Code >= 500 || p.Code == "" || p.Detail == "" || test.code != "" {
					t.Errorf("%s: %d %s", test.name, res.Code, res.Body)
				}
				continue
			}
			job := w.waitForJob(res.Header().Get("Location"), farm)
			if job.Success && behaviour == "rollback" || job.Foodtrace.Accepted > 0 || len(job.Errors) == 0 {
				t.Errorf("%s, %s: %+v", test.name, behaviour, job)
				continue
			}
			if e := job.Errors[0]; test.code != "" && e.Code != test.code || !strings.HasPrefix(e.Field, test.field) || e.Detail == "" {
				t.Errorf("%s, %s: %+v", test.name, behaviour, job.Errors)
			}
		}
	}
	if res := w.ask(http.MethodGet, "/healthz", ""); res.Code != http.StatusOK {
		t.Errorf("afterwards: %d", res.Code)
	}
}
