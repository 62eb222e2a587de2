package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
)

const certified = `{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-04-23T10:00:00Z",
"epcisBody":{"eventList":[{"type":"ObjectEvent","action":"ADD","eventTime":"2026-04-23T09:00:00Z","eventTimeZoneOffset":"+00:00","bizStep":"commissioning",
"quantityList":[{"epcClass":"https://id.gs1.org/01/00860009999923/10/CERT1","quantity":5,"uom":"KGM"}],"readPoint":{"id":"urn:example:site:farm"},"certificationInfo":["URI","ni:///sha-256;` + elsewhere + `"]}]}}`

// elsewhere is the digest of a file that nobody here has.
const elsewhere = "0000000000000000000000000000000000000000000000000000000000000001"

// TestCaptureWithEvidence: a file goes with its document, is on the record of the event that names it, and verify misses it when it is gone, or
// another file is in its place; one that never was here is no fault.
func TestCaptureWithEvidence(t *testing.T) {
	s := serve(t, t.TempDir())
	stopped := false
	defer func() {
		if !stopped {
			s.stop()
		}
	}()
	report := writeFile(t, "检验 1.pdf", "%PDF-1.7 report %%EOF")
	spare := writeFile(t, "spare.txt", "spare")
	uri := strings.TrimSpace(must(t, "hash", "--evidence", report))
	sum := strings.TrimPrefix(uri, "ni:///sha-256;")
	if as := decode[struct {
		URI    string `json:"uri"`
		SHA256 string `json:"sha256"`
	}](t, must(t, "hash", "--evidence", "-o", "json", report)); as.URI != uri || as.SHA256 != sum || len(sum) != 64 {
		t.Fatal(uri, as)
	}
	doc := writeFile(t, "harvest.json", strings.Replace(certified, "URI", uri, 1))
	out := must(t, append([]string{"capture", doc, "--evidence", report, "--evidence", spare}, s.as(s.producer)...)...)
	for _, want := range []string{`kept "检验 1.pdf" application/pdf 21 bytes ` + uri, `kept "spare.txt" text/plain`, "EVIDENCE_MISSING", elsewhere, "EVIDENCE_NOT_NAMED evidence[1]", "1 accepted"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
	if code, _, errOut := run(t, append([]string{"capture", doc, doc, "--evidence", report}, s.as(s.producer)...)...); code != exitError || !strings.Contains(errOut, "one file at a time") {
		t.Error(code, errOut)
	}
	empty := writeFile(t, "none.pdf", "")
	if code, _, errOut := run(t, append([]string{"capture", doc, "--evidence", empty}, s.as(s.producer)...)...); code != exitError || !strings.Contains(errOut, `EVIDENCE_EMPTY evidence[0] The file "none.pdf" is empty`) {
		t.Error(code, errOut)
	}
	s.stop()
	stopped = true

	path := filepath.Join(s.dir, "evidence", sum[:2], sum[2:4], sum)
	check := func(exit int, fault string) {
		t.Helper()
		code, out, errOut := run(t, "verify", "--data", s.dir, "-o", "json")
		v := decode[verdict](t, out)
		if code != exit || len(v.Notes) != 1 || v.Notes[0].Place != elsewhere || v.Notes[0].Block < 0 {
			t.Errorf("exit %d: %s%s", code, out, errOut)
		}
		if fault == "" != (len(v.Faults) == 0) || fault != "" && (len(v.Faults) != 1 || !strings.Contains(v.Faults[0].What, fault) || !strings.Contains(v.Faults[0].Place, sum) || v.Faults[0].Block != v.Notes[0].Block) {
			t.Errorf("%q: %+v", fault, v.Faults)
		}
	}
	check(0, "")
	if out := must(t, "verify", "--data", s.dir); !strings.HasPrefix(out, "note: evidence: block ") || !strings.Contains(out, "\nclean: ") {
		t.Error(out)
	}
	if err := os.WriteFile(path, []byte("%PDF-1.7 forged %%EOF"), 0o600); err != nil {
		t.Fatal(err)
	}
	check(exitNo, "do not match their digest")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	check(exitNo, "the file that a record names is not there")
}

// A server that answers before it has read all is heard, whatever is still to be sent.
func TestCaptureWithEvidenceIsRefusedEarly(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"status":401,"code":"UNAUTHORISED","detail":"No."}`))
	}))
	defer server.Close()
	c := captureCmd{Evidence: []string{writeFile(t, "film.mp4", strings.Repeat("x", 8<<20))}, remote: remote{Server: server.URL}}
	var job epcisrest.Job
	if err := c.send(t.Context(), "a.json", strings.NewReader("{}"), &job); err == nil || !strings.Contains(err.Error(), "UNAUTHORISED") && !strings.Contains(err.Error(), "connection") {
		t.Error(err)
	}
}
