package gateway_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/testdata"
)

// postman is a collection of requests (Postman collection format 2.1), as far as it is needed.
type postman struct {
	Name    string
	Item    []postman
	Request *struct {
		Method string
		URL    struct{ Raw string }
		Header []struct{ Key, Value string }
		Body   struct {
			Raw     string
			Options struct{ Raw struct{ Language string } }
		}
	}
}

// each calls f for every request, with the names of its folders.
func (p postman) each(path string, f func(name string, p postman)) {
	for _, item := range p.Item {
		name := path + item.Name
		if item.Request != nil {
			f(name, item)
		}
		item.each(name+"/", f)
	}
}

// fastnt are the requests of the FasTnT collections, in an order in which they make sense, and what the standard says of each.
// A capture is answered 202; then its job's success is compared.
var fastnt = []struct {
	name    string
	status  int
	success bool // of the capture job
}{
	{"XML/Capture request", 202, true},
	{"XML/Capture event with Masterdata", 202, true},
	{"JSON/Capture/Capture request", 202, true},
	{"JSON/Capture/Capture request with Masterdata", 202, true},
	{"JSON/Capture/Capture single event", 400, false}, // isA instead of type: a draft of the standard had that
	{"JSON/Capture/Get Capture Request", 404, false},  // number 4 of their own server
	{"JSON/Queries/Store Query", 201, false},
	{"JSON/Queries/List Custom Queries", 200, false},
	{"JSON/Queries/Get custom query Details", 404, false}, // it asks for CustomQuery, which none of the requests makes
	{"JSON/Queries/Get CustomQuery Events", 404, false},
	{"JSON/Subscriptions/Subscribe to webhook", 201, false},
	{"JSON/Queries/Delete Custom Query", 204, false},
	{"Get Events", 200, false},
	{"List Object Events", 200, false},
	{"Query All Events", 200, false},
	{"Capture/Capture Event", 202, true}, // of EPCIS 1.2
	{"Capture/Capture Masterdata", 202, true},
}

// The requests that users of another EPCIS server send are answered as the standard says.
func TestFasTnTCollections(t *testing.T) {
	folder := testdata.Shared(t, "epcis2-fastnt", "Documents")
	requests := map[string]postman{}
	for _, name := range []string{"EPCIS 2.0.postman_collection.json", "EPCIS 1.2.postman_collection.json"} {
		var collection postman
		if err := json.Unmarshal(must(os.ReadFile(filepath.Join(folder, name))), &collection); err != nil {
			t.Fatal(err)
		}
		collection.each("", func(name string, p postman) {
			if p.Request.URL.Raw != "" && !strings.HasSuffix(p.Request.URL.Raw, "Query.svc") { // an empty one; SOAP
				requests[name] = p
			}
		})
	}
	w := newWorld(t)
	w.submit(w.story.Inspector, contract.Record{Registration: &contract.Registration{Policy: &contract.Policy{Lenient: true}}}) // their sites are not registered here
	producer := w.as(w.story.Producer)
	for _, want := range fastnt {
		p, ok := requests[want.name]
		if !ok {
			t.Errorf("there is no request %q", want.name)
			continue
		}
		delete(requests, want.name)
		headers := producer
		for _, h := range p.Request.Header {
			headers = append(headers, h.Key, h.Value)
		}
		if language := p.Request.Body.Options.Raw.Language; language != "" { // what Postman makes of it
			headers = append(headers, "Content-Type", "application/"+language)
		}
		_, path, _ := strings.Cut(p.Request.URL.Raw, "_0/")
		if path == "" {
			_, path, _ = strings.Cut(p.Request.URL.Raw, "_2/")
		}
		path = "/epcis/" + strings.Replace(path, "Capture", "capture", 1)
		res := w.ask(p.Request.Method, path, p.Request.Body.Raw, headers...)
		if res.Code != want.status {
			t.Errorf("%s: %s %s: %d, want %d: %.600s", want.name, p.Request.Method, path, res.Code, want.status, res.Body)
			continue
		}
		if res.Code == http.StatusAccepted {
			if job := w.waitForJob(res.Header().Get("Location"), producer); job.Success != want.success {
				t.Errorf("%s: %+v", want.name, job)
			}
		}
	}
	for name := range requests {
		t.Errorf("nothing is said of request %q", name)
	}
}
