package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/gateway/api"
	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/fabricnet"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/fabric"
	"github.com/foodtrace-ledger/foodtrace/internal/services"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
)

// The story of the demo, told by four members through their own gateways, which keep what they keep in different places: each
// gives the answers that the others give, and that the demo gives on one machine.
func TestStoryOfTheDemo(t *testing.T) {
	n := fabricnet.ForTest(t, fabricnet.Options{})
	s3, pg := services.S3(t), services.PostgresFor(t)
	database := func() string {
		dsn, err := pg.Database(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return onPostgres(dsn)
	}
	all := gateways{}
	for msp, more := range map[string]string{
		"regulator":  database() + onS3(s3, "regulator"),
		"producer-a": database(),
		"producer-b": onS3(s3, "producer-b"),
		"retailer":   "",
	} {
		all[msp] = serveGateway(t, n, msp, more)
	}
	story := simulate.Demo(time.Now(), simulate.FourMembers())
	register(t, n, story.Registration)
	last, err := tell(t.Context(), story, all.submit)
	if err != nil {
		t.Fatal(err)
	}

	alone := serveAlone(t, story)
	for _, g := range all {
		all.await(t, g, last)
	}
	for _, lot := range []string{story.Safe, story.Held, story.Recalled, story.Released, story.Shrimp} {
		first := ""
		for msp, g := range all {
			page := get(t, g.url+view.Path(lot), "", "Accept", "application/json")
			if first == "" {
				first = page
			}
			if page != first {
				t.Errorf("%s is another one at %s:\n%s", lot, msp, cmp.Diff(first, page))
			}
		}
		if diff := cmp.Diff(facts(t, get(t, alone.url+view.Path(lot), "", "Accept", "application/json")), facts(t, first)); diff != "" {
			t.Errorf("%s is not what it is on one machine:\n%s", lot, diff)
		}
		for _, question := range [][]string{{"trace", "back", "--format", "json"}, {"trace", "forward", "--format", "json"}, {"scope", "-o", "json"}} {
			question = append(question, lot)
			want := must(t, append(question, alone.as()...)...)
			got := must(t, append(question, all["regulator"].as()...)...)
			if diff := cmp.Diff(facts(t, want), facts(t, got)); diff != "" {
				t.Errorf("%v is not what it is on one machine:\n%s", question, diff)
			}
		}
	}
	for _, g := range all {
		must(t, "verify", "--config", g.file)
		g.stop()
	}
	for msp, files := range map[string]bool{"producer-a": true, "retailer": false, "regulator": false, "producer-b": false} {
		kept, err := filepath.Glob(filepath.Join(all[msp].data, "evidence", "*", "*", "*"))
		if err != nil || msp != "retailer" && len(kept) > 0 != files {
			t.Errorf("%s keeps %d files in its directory, %v", msp, len(kept), err)
		}
	}
}

// serveAlone tells the story on one machine.
func serveAlone(t *testing.T, story *simulate.Story) *gatewayOf {
	t.Helper()
	n, err := openEmbedded(dataDir(t.TempDir()), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.close(); err != nil {
			t.Error(err)
		}
	})
	if err := n.tell(t.Context(), story); err != nil {
		t.Fatal(err)
	}
	token, err := n.tokens.Create(t.Context(), story.Inspector, contract.Regulator)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := n.handler(gateway.Config{PublicURL: "http://alone.example"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &gatewayOf{msp: "alone", url: server.URL, token: token}
}

// facts is an answer without what says where on the ledger it stands.
func facts(t *testing.T, answer string) any {
	t.Helper()
	var strip func(v any) any
	strip = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range []string{"where", "since", "releasedAt", "block", "tx"} {
				delete(v, key)
			}
			for key := range v {
				v[key] = strip(v[key])
			}
		case []any:
			for i := range v {
				v[i] = strip(v[i])
			}
		}
		return v
	}
	return strip(decode[any](t, answer))
}

// gateways are those of some members, by MSP ID.
type gateways map[string]*gatewayOf

// submit sends a batch as the member's systems do: events as a document to be captured, acts one by one.
func (all gateways) submit(ctx context.Context, msp string, batch *contract.Batch) (done ledger.Receipt, err error) {
	var events []*event.Event
	flush := func() error {
		if len(events) == 0 {
			return nil
		}
		outcomes, block, err := all[msp].send(ctx, events)
		done.Outcomes, done.Block, events = append(done.Outcomes, outcomes...), max(done.Block, block), nil
		return err
	}
	for _, r := range batch.Records {
		if r.Event != nil {
			events = append(events, r.Event)
			continue
		}
		if err := flush(); err != nil {
			return done, err
		}
		path, body := act(r)
		var written api.Written
		if err := all[msp].remote().post(ctx, api.Base+path, body, &written); err != nil {
			return done, fmt.Errorf("%s at %s: %w", path, msp, err)
		}
		done.Outcomes, done.Block = append(done.Outcomes, written.Outcome), max(done.Block, written.Block)
	}
	return done, flush()
}

// act is an act as the API takes it.
func act(r contract.Record) (path string, body any) {
	switch {
	case r.Inspection != nil:
		i := r.Inspection
		return "/inspections", api.NewInspection{Item: i.Item, Site: i.Site, Kind: i.Kind, Result: i.Result, Time: i.Time.Time, Inspector: i.Inspector, Reference: i.Reference, Note: i.Note}
	case r.Hold != nil:
		h := r.Hold
		return "/holds", api.NewHold{Item: h.Item, Scope: h.Scope, Recall: h.Recall, Reason: h.Reason, Time: h.Time.Time, Reference: h.Reference}
	}
	return "/holds/" + url.PathEscape(r.Release.Hold) + "/release", api.NewRelease{Reason: r.Release.Reason, Time: r.Release.Time.Time}
}

// send captures events as one document and returns what became of each, and the last block.
func (g *gatewayOf) send(ctx context.Context, events []*event.Event) (outcomes []contract.Outcome, block uint64, err error) {
	var doc bytes.Buffer
	if err := epcis.Write(&doc, epcis.Header{CreationDate: events[0].Time}, events); err != nil {
		return nil, 0, err
	}
	c := captureCmd{remote: g.remote()}
	var job epcisrest.Job
	header := http.Header{"Content-Type": {"application/ld+json"}, "GS1-Capture-Error-Behaviour": {"proceed"}}
	if err := c.do(ctx, http.MethodPost, "/epcis/capture", nil, header, &doc, &job); err != nil {
		return nil, 0, err
	}
	if err := c.wait(ctx, nil, &job); err != nil {
		return nil, 0, err
	}
	for o, err := range c.outcomes(ctx, job.ID) {
		if err != nil {
			return nil, 0, err
		}
		outcomes, block = append(outcomes, o.Outcome), max(block, o.Block)
	}
	if len(outcomes) != len(events) {
		err = fmt.Errorf("%d outcomes of %d events at %s", len(outcomes), len(events), g.msp)
	}
	return outcomes, block, err
}

// await waits until a gateway answers with a block.
func (all gateways) await(t *testing.T, g *gatewayOf, block uint64) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s has block %d", g.msp, block), func() bool {
		var at struct {
			Index uint64 `json:"index"`
		}
		err := remote{Server: g.url}.get(t.Context(), "/readyz", nil, &at)
		return err == nil && at.Index > block
	})
}

// register writes a registration in the name of the regulator.
func register(t *testing.T, n *fabricnet.Network, r contract.Registration) {
	t.Helper()
	by, err := n.Signer("regulator", "gateway")
	if err != nil {
		t.Fatal(err)
	}
	l, err := fabric.Open(fabric.Options{Config: n.Config("regulator"), Identity: by, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	receipt, err := l.Submit(t.Context(), by, &contract.Batch{Records: []contract.Record{{Registration: &r}}})
	if err != nil || receipt.Outcomes[0].Status == contract.Refused {
		t.Fatalf("%v, %+v", err, receipt)
	}
}
