package main

import (
	"context"
	"encoding/csv"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
)

// A client whose document was accepted waits while the server is started again, and says how to ask when it waits no longer.
func TestCaptureOutlivesAnOutage(t *testing.T) {
	s := serve(t, t.TempDir())
	defer s.stop()
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	var down atomic.Int32 // requests for a job that get no answer
	through := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/epcis/capture/") && down.Add(-1) >= 0 {
			panic(http.ErrAbortHandler)
		}
		through.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	file := writeFile(t, "chain.json", must(t, "simulate", "--lots", "3", "--seed", "1"))

	down.Store(2)
	if out := must(t, "capture", "-q", "--server", proxy.URL, "--token", s.producer, file); !strings.Contains(out, "captured") || down.Load() >= 0 {
		t.Errorf("after an outage: %s", out)
	}
	down.Store(1 << 20)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	var out, errOut buffer
	a := &app{ctx: ctx, in: strings.NewReader(""), out: &out, err: &errOut, getenv: func(string) string { return "" }}
	code := a.run([]string{"capture", "-q", "--server", proxy.URL, "--token", s.producer, file})
	if code != exitError || !strings.Contains(errOut.String(), "accepted as job ") || !strings.Contains(errOut.String(), proxy.URL+"/epcis/capture/") {
		t.Errorf("in an outage: exit code %d, %s", code, errOut.String())
	}
}

// A client that is asked to wait waits as long as it was told, sends the whole file again, and nothing is lost or written twice; what
// sending again does not help is said at once.
func TestCaptureWaitsAsTold(t *testing.T) {
	s := serve(t, t.TempDir())
	defer s.stop()
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan *problem.Problem, 10) // to documents, before they get through
	through := httputil.NewSingleHostReverseProxy(target)
	var mu sync.Mutex
	var refused []time.Time
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case p := <-answers:
			mu.Lock()
			refused = append(refused, time.Now())
			mu.Unlock()
			problem.Write(w, r, p)
		default:
			through.ServeHTTP(w, r)
		}
	}))
	defer proxy.Close()
	file := writeFile(t, "chain.json", must(t, "simulate", "--lots", "3", "--seed", "1"))
	mapping, sheet := writeFile(t, "stock.yaml", stockMapping), writeFile(t, "stock.csv", "批次,日期\nA,2026-05-01\n")
	soon := *problem.Often("Wait.")
	soon.RetryAfter = 1
	answers <- &soon
	answers <- &soon
	began := time.Now()
	code, out, errOut := run(t, "capture", "-q", "--server", proxy.URL, "--token", s.producer, file)
	if code != 0 || !strings.Contains(out, "captured") || strings.Contains(out, " 0 accepted") || strings.Count(errOut, "sent again in 1s") != 2 {
		t.Errorf("exit code %d, %s%s", code, out, errOut)
	}
	mu.Lock()
	if len(refused) != 2 || refused[1].Sub(refused[0]) < time.Second || time.Since(began) < 2*time.Second {
		t.Errorf("it did not wait as told: %v", refused)
	}
	mu.Unlock()
	answers <- &soon
	if out := must(t, "capture", "-q", "--server", proxy.URL, "--token", s.producer, "--mapping", mapping, sheet); !strings.Contains(out, "1 accepted") {
		t.Error("a form:", out)
	}
	for name, p := range map[string]*problem.Problem{
		"nothing to wait for": problem.New(http.StatusUnprocessableEntity, problem.Refused, "No."),
		"too long":            {Type: "about:blank", Title: "x", Status: http.StatusServiceUnavailable, Detail: "Come tomorrow.", Code: problem.Unavailable, RetryAfter: 86400},
	} {
		answers <- p
		if code, _, errOut := run(t, "capture", "-q", "--server", proxy.URL, "--token", s.producer, file); code != exitError || !strings.Contains(errOut, p.Detail) {
			t.Errorf("%s: exit code %d, %s", name, code, errOut)
		}
	}
}

const stockMapping = `foodtrace: mapping/1
name: stock
zone: Asia/Shanghai
columns: {lot: 批次, day: 日期}
records:
  - event:
      type: ObjectEvent
      action: ADD
      bizStep: commissioning
      eventTime: "{day|time:08:00}"
      readPoint: {id: "urn:example:site:store"}
      quantityList: [{epcClass: "urn:example:lot:{lot}", quantity: 5, uom: KGM}]
`

// A sheet with a mapping is captured, and comes back with what became of each row.
func TestCaptureASheet(t *testing.T) {
	s := serve(t, t.TempDir())
	defer s.stop()
	sheet := writeFile(t, "库存.csv", "批次,日期\nA,2026-05-01\n=B,不详\nC,2026-05-02\n")
	mapping := writeFile(t, "stock.yaml", stockMapping)
	checked, all := filepath.Join(t.TempDir(), "checked.csv"), filepath.Join(t.TempDir(), "all.json")
	args := func(file string) []string {
		return append([]string{"capture", "--mapping", mapping, "--outcomes", file, sheet}, s.as(s.producer)...)
	}
	code, out, errOut := run(t, args(checked)...)
	if code != exitNo || !strings.Contains(out, "2 accepted, 0 duplicates, 1 refused") {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	got, err := os.ReadFile(checked)
	if err != nil {
		t.Fatal(err)
	}
	text, bom := strings.CutPrefix(string(got), "\ufeff")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || !bom || len(rows) != 4 || !strings.HasPrefix(rows[0][2], "Outcome") || !strings.HasPrefix(rows[1][2], "accepted") || !strings.HasPrefix(rows[2][2], "refused\n") || rows[2][0] != "=B" {
		t.Errorf("%v %q", err, rows)
	}
	if code, out, errOut := run(t, args(all)...); code != exitNo || !strings.Contains(out, "0 accepted, 2 duplicates, 1 refused") {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	var whole struct {
		Job      epcisrest.Job       `json:"job"`
		Outcomes []epcisrest.Outcome `json:"outcomes"`
	}
	if got, err = os.ReadFile(all); err == nil {
		err = json.Unmarshal(got, &whole)
	}
	if err != nil || len(whole.Outcomes) != 3 || whole.Job.Foodtrace.Name != "库存.csv" {
		t.Errorf("%v %s", err, got)
	}
	wrong := filepath.Join(t.TempDir(), "checked.xlsx")
	if code, _, errOut := run(t, args(wrong)...); code != exitError || !strings.Contains(errOut, ".xlsx") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if _, err := os.Stat(wrong); err == nil {
		t.Error("a file is there that is not what its name says")
	}
	if hashes := strings.Fields(must(t, "hash", "--mapping", mapping, writeFile(t, "one.csv", "批次,日期\nA,2026-05-01\n"))); len(hashes) != 1 || !strings.HasPrefix(hashes[0], "ni:///") {
		t.Error(hashes)
	}
}
