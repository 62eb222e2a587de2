package main

import (
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/gateway/api"
	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/internal/fabricnet"
	"github.com/foodtrace-ledger/foodtrace/internal/services"
)

// What one member captures the others trace; what the regulator holds nobody ships.
func TestTwoGateways(t *testing.T) {
	n := network.Get(t)
	producer, regulator := serveGateway(t, n, "producer-a", ""), serveGateway(t, n, "regulator", "")

	// A gateway signs for its own member only.
	code, _, errOut := run(t, "token", "create", "--config", producer.file, "--member", "regulator", "--role", "regulator")
	if code != exitError || !strings.Contains(errOut, "signs for member producer-a only") {
		t.Errorf("exit %d: %s", code, errOut)
	}

	file, made := chainFile(t, 1)
	if out := must(t, slices.Concat([]string{"capture", file}, producer.as())...); !strings.Contains(out, " accepted ni:///sha-256;") {
		t.Errorf("no record was accepted:\n%s", out)
	}
	eventually(t, "the regulator sees the lot", func() bool {
		code, out, _ := run(t, slices.Concat([]string{"trace", "back", made.output}, regulator.as())...)
		return code == 0 && strings.Contains(out, made.input)
	})

	out := must(t, slices.Concat([]string{"hold", made.input, "--scope", "downstream", "--reason", "Salmonella found", "--reason-zh", "检出沙门氏菌"}, regulator.as())...)
	hold := strings.Fields(out)[0]
	sale := writeFile(t, "sale.json", made.sale)
	code, out, _ = run(t, slices.Concat([]string{"capture", sale}, producer.as())...)
	if code != exitNo || !strings.Contains(out, "LOT_HELD") {
		t.Errorf("what was made from a held lot was sold: exit %d\n%s", code, out)
	}
	for _, g := range []*gatewayOf{producer, regulator} {
		eventually(t, "the violation is shown at "+g.msp, func() bool { return strings.Contains(get(t, g.url+api.Base+"/violations", g.token), hold) })
	}
	code, _, errOut = run(t, slices.Concat([]string{"hold", made.output, "--reason", "mine"}, producer.as())...)
	if code == 0 || !strings.Contains(errOut, "FORBIDDEN") {
		t.Errorf("a producer held a lot: exit %d %s", code, errOut)
	}
	must(t, slices.Concat([]string{"release", hold, "--reason", "second sample clean", "--reason-zh", "复检合格"}, regulator.as())...)
	must(t, slices.Concat([]string{"capture", sale}, producer.as())...)
	for _, g := range []*gatewayOf{producer, regulator} {
		if page := get(t, g.url+"/readyz", ""); !strings.Contains(page, "ready") {
			t.Errorf("%s: %s", g.msp, page)
		}
		must(t, "verify", "--config", g.file) // beside the running gateway
		g.stop()
	}
}

// A gateway waits for what is away when it starts, and lives on when it goes away later: what nobody can have is 503, what was
// acknowledged is done when all is back.
func TestWhatIsAway(t *testing.T) {
	n := fabricnet.ForTest(t, fabricnet.Options{})
	s3, pg := services.S3(t), services.PostgresFor(t)
	dsn, err := pg.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(s3.Kill())
	do(pg.Kill())
	g := &gatewayOf{msp: "producer-b"}
	g.file, g.data = memberConfig(t, n, g.msp, onPostgres(dsn)+onS3(s3, "away"))
	listen := freeAddress(t)
	g.url = "http://" + listen
	g.token = strings.TrimSpace(must(t, "token", "create", "--config", g.file, "--member", g.msp, "--role", "producer"))
	out, errOut, _ := begin(t, "serve", "--config", g.file, "--listen", listen)
	waits := func(what string) {
		t.Helper()
		eventually(t, "it waits for "+what, func() bool {
			status, answer := ask(t, http.MethodGet, g.url+"/readyz", "", "")
			alive, _ := ask(t, http.MethodGet, g.url+"/healthz", "", "")
			return status == http.StatusServiceUnavailable && strings.Contains(answer, what) && alive == http.StatusOK
		})
	}
	waits("the evidence store")
	do(s3.Restart(t.Context()))
	waits("the index's database")
	do(pg.Restart(t.Context()))
	await(t, out, servingLine, errOut.String)

	file, made := chainFile(t, 2)
	must(t, slices.Concat([]string{"capture", "-q", file}, g.as())...)
	lots := g.url + lotPath(made.output, "")
	eventually(t, "the lot is found", func() bool {
		status, _ := ask(t, http.MethodGet, lots, g.token, "")
		return status == http.StatusOK
	})
	file, _ = chainFile(t, 3)
	document := readFile(t, file)

	do(pg.Kill())
	if status, answer := ask(t, http.MethodGet, lots, g.token, ""); status != http.StatusServiceUnavailable || strings.Contains(answer, "postgres") {
		t.Errorf("without the database: %d %s", status, answer)
	}
	status, answer := ask(t, http.MethodPost, g.url+"/epcis/capture", g.token, document)
	if status != http.StatusAccepted {
		t.Errorf("capture without the database: %d %s", status, answer)
	}
	do(s3.Kill())
	if status, answer := ask(t, http.MethodPost, g.url+"/epcis/capture", g.token, document); status != http.StatusServiceUnavailable {
		t.Errorf("capture without the evidence store: %d %s", status, answer)
	}
	waits("The evidence store does not answer.")
	do(s3.Restart(t.Context()))
	do(pg.Restart(t.Context()))
	eventually(t, "all is well", func() bool {
		status, _ := ask(t, http.MethodGet, g.url+"/readyz", "", "")
		return status == http.StatusOK
	})
	job := decode[epcisrest.Job](t, answer)
	if err := (&captureCmd{remote: g.remote()}).wait(t.Context(), nil, &job); err != nil || !job.Success || job.Foodtrace.Refused > 0 {
		t.Errorf("what was acknowledged: %+v, %v", job, err)
	}
	must(t, "verify", "--config", g.file)
}

// ask sends a request and returns the answer, whatever it is.
func ask(t *testing.T, method, url, token, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/ld+json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	if res.StatusCode >= http.StatusInternalServerError && res.Header.Get("Retry-After") == "" {
		t.Errorf("%s %s: %d without Retry-After: %s", method, url, res.StatusCode, all)
	}
	return res.StatusCode, string(all)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
