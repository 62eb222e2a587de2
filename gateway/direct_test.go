package gateway_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/s3"
	"github.com/foodtrace-ledger/foodtrace/internal/services"
)

// TestDirectDownload: with a real S3 server, who may see a file and asks for it gets an address of the server that gives it;
// nobody else gets one. Who does not ask gets the file from the gateway.
func TestDirectDownload(t *testing.T) {
	server := services.S3(t)
	files := must(s3.New(t.Context(), s3.Config{Endpoint: server.Endpoint, Bucket: "evidence", AccessKey: server.AccessKey, SecretKey: server.SecretKey,
		PublicURL: "http://" + server.Endpoint}, t.TempDir(), slog.New(slog.DiscardHandler)))
	w := newWorld(t, func(c *gateway.Config) { c.Evidence = files })
	agency := append(w.as(w.story.Inspector), "Content-Type", "application/json")
	const text = "%PDF-1.7 报告"
	report := decode[contract.Evidence](t, w.ask(http.MethodPost, "/api/v1/evidence?name=report.pdf", text, append(w.as(w.story.Inspector), "Content-Type", "application/pdf")...), 201)
	list := must(json.Marshal([]contract.Evidence{report}))
	inspection := decode[written](t, w.ask(http.MethodPost, "/api/v1/inspections", `{"item":"`+w.story.Safe+`","kind":"pathogen","result":"pass","inspector":"Lab","reference":"R-1","time":"2026-04-23T09:00:00Z","evidence":`+string(list)+`}`, agency...), 201)

	path := "/api/v1/evidence/" + report.SHA256
	named := path + "?record=" + url.QueryEscape(inspection.ID)
	for _, c := range []struct {
		path   string
		who    []string
		status int
	}{
		{path + "?direct=true", nil, http.StatusUnauthorized},
		{path + "?direct=true", w.as("qilu-lab"), http.StatusForbidden},
		{path + "?direct=true&record=another", w.as("qilu-lab"), http.StatusNotFound},
		{"/api/v1/evidence/" + strings.Repeat("0", 64) + "?direct=true", w.as(w.story.Inspector), http.StatusNotFound},
		{named, nil, http.StatusOK},
		{named + "&direct=false", nil, http.StatusOK},
		{named + "&direct=true", nil, http.StatusTemporaryRedirect},
		{path + "?direct=true", w.as(w.story.Inspector), http.StatusTemporaryRedirect},
	} {
		res := w.ask(http.MethodGet, c.path, "", c.who...)
		address := res.Header().Get("Location")
		if res.Code != c.status || (address != "") != (c.status == http.StatusTemporaryRedirect) {
			t.Errorf("%s: %d, %q; want %d", c.path, res.Code, address, c.status)
		}
		switch res.Code {
		case http.StatusOK:
			if res.Body.String() != text {
				t.Errorf("%s: %q", c.path, res.Body)
			}
		case http.StatusTemporaryRedirect:
			if cache := res.Header().Get("Cache-Control"); cache != "private, no-store" {
				t.Errorf("an address may be kept: %q", cache)
			}
			direct := must(http.Get(address))
			body := must(io.ReadAll(direct.Body))
			if err := direct.Body.Close(); err != nil {
				t.Error(err)
			}
			if direct.StatusCode != http.StatusOK || string(body) != text || !strings.HasPrefix(direct.Header.Get("Content-Disposition"), "attachment") {
				t.Errorf("%s: %s %v %q", address, direct.Status, direct.Header, body)
			}
		}
	}
	if strings.Contains(w.log.String(), "X-Amz-Signature") {
		t.Error("an address is in the log")
	}
}
