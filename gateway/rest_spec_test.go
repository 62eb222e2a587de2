package gateway_test

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/foodtrace-ledger/foodtrace/internal/testdata"
)

// standard is GS1's OpenAPI document, nil where the optional test data is not here: then answers are checked by the tests alone.
var standard = sync.OnceValue(func() *openapi3.T {
	path, err := testdata.Find("gs1-epcis", "REST Bindings", "openapi.json")
	if err != nil {
		return nil
	}
	spec := must(openapi3.NewLoader().LoadFromFile(path))
	// What is told apart by the format of a URI only is one and the same to the validator: an event of a type of one's own, and any other.
	event := spec.Components.Schemas["EPCISEvent"].Value
	event.OneOf = slices.DeleteFunc(event.OneOf, func(s *openapi3.SchemaRef) bool { return strings.HasSuffix(s.Ref, "/Extended-Event") })
	// Both alternatives of a job's errors fit every job, so exactly one never does.
	job := spec.Components.Schemas["CaptureJob"].Value.AllOf[1].Value
	job.OneOf, job.AnyOf = nil, job.OneOf
	for name, schema := range spec.Components.Schemas { // their patterns, with \g, are of another language than Go's; package subscribe checks them
		if strings.HasPrefix(name, "GS1-Query-") {
			schema.Value.Pattern = ""
		}
	}
	return spec
})

// rest is a member or the public in front of the interface, whose every answer is held against the OpenAPI document.
type rest struct {
	*world
	who []string // headers
}

// ask sends a request to a resource whose path is written as in the OpenAPI document, with values for what is in braces and
// then the query string.
func (c rest) ask(method, resource, rest, body string, headers ...string) *httptest.ResponseRecorder {
	c.t.Helper()
	res := c.world.ask(method, "/epcis"+rest, body, append(slices.Clone(c.who), headers...)...)
	checkStandard(c.t, method, resource, rest, res)
	return res
}

// sometimes are headers that the OpenAPI document lists and that depend on the answer.
var sometimes = []string{"Link", "GS1-Next-Page-Token-Expires", "GS1-Query-Min-Record-Time"}

// undeclared are statuses that the OpenAPI document leaves out of some resources, though its own problems need them.
var undeclared = []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusConflict, http.StatusMethodNotAllowed, http.StatusForbidden, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusRequestURITooLong}

func checkStandard(t testing.TB, method, resource, path string, res *httptest.ResponseRecorder) {
	t.Helper()
	spec := standard()
	if spec == nil {
		return
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	item := spec.Paths.Find(resource)
	if item == nil || item.GetOperation(method) == nil {
		if res.Code != http.StatusNotFound && res.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s %s: %d, of which the standard knows nothing", method, path, res.Code)
		}
		return
	}
	declared := item.GetOperation(method).Responses.Value(strconv.Itoa(res.Code))
	if declared == nil {
		if !slices.Contains(undeclared, res.Code) {
			t.Errorf("%s %s: the standard has no status %d: %s", method, path, res.Code, res.Body)
		}
		return
	}
	for name := range declared.Value.Headers {
		if _, there := res.Header()[http.CanonicalHeaderKey(name)]; !there && !slices.Contains(sometimes, name) {
			t.Errorf("%s %s: %d without %s", method, path, res.Code, name)
		}
	}
	media, _, err := mime.ParseMediaType(res.Header().Get("Content-Type"))
	if res.Body.Len() == 0 || len(declared.Value.Content) == 0 { // the answer to a capture shows the job, which the standard leaves open
		return
	}
	media = strings.Replace(strings.Replace(media, "ld+json", "json", 1), "text/xml", "application/xml", 1)
	content := declared.Value.Content.Get(media)
	if content == nil { // problems of a named query's events are application/json there, and application/problem+json everywhere else
		content = declared.Value.Content.Get(strings.Replace(media, "problem+", "", 1))
	}
	if err != nil || content == nil {
		t.Errorf("%s %s: %d as %s, which the standard does not have", method, path, res.Code, res.Header().Get("Content-Type"))
		return
	}
	if !strings.HasSuffix(media, "json") { // XML is checked by reading it
		return
	}
	var body any
	if err := json.NewDecoder(bytes.NewReader(res.Body.Bytes())).Decode(&body); err != nil {
		t.Errorf("%s %s: %v", method, path, err)
		return
	}
	few(body)
	switch object, _ := body.(map[string]any); res.Code {
	case http.StatusNotFound: // the schema knows NoSuchNameException only; its example is NoSuchResourceException
		object["type"] = "epcisException:NoSuchNameException"
	case http.StatusBadRequest: // of a named query's events it knows only what is wrong with a subscription
		if resource == "/queries/{queryName}/events" {
			object["type"] = "epcisException:ValidationException"
		}
	case http.StatusConflict: // the schema wants the status 406; its example is 409
		object["status"] = 406.0
	}
	if resource == "/queries/{queryName}" && method == http.MethodGet && res.Code == http.StatusOK { // its schema is an array; its example, the query
		body = []any{body}
	}
	if err := content.Schema.Value.VisitJSON(body, openapi3.MultiErrors(), openapi3.VisitAsResponse()); err != nil {
		t.Errorf("%s %s: %d is not as the standard says: %.1500v", method, path, res.Code, err)
	}
}

// few leaves some events of a document: to validate one takes a millisecond.
func few(body any) {
	object, ok := body.(map[string]any)
	if list, isList := object["eventList"].([]any); isList {
		object["eventList"] = list[:min(len(list), 3)]
		return
	}
	for _, member := range []string{"epcisBody", "queryResults", "resultsBody"} {
		if inner, there := object[member]; ok && there {
			few(inner)
		}
	}
}
