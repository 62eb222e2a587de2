package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/gateway/subscribe"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// projected is a projector that is known later than what waits for it.
type projected struct{ *index.Projector }

// told is what a subscriber has been told of: the IDs of events, by delivery.
type told struct {
	mu   sync.Mutex
	last int
	ids  []string
	bad  []string
}

// take reads a document, and keeps its events unless it has them.
func (d *told) take(sequence int, body []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	doc, problems := epcis.Parse(body, epcis.Limits{})
	if epcis.HasErrors(problems) || doc.Type != "EPCISQueryDocument" || doc.QueryName != "ships" {
		d.bad = append(d.bad, fmt.Sprintf("%v: %s", problems, body))
	}
	if sequence <= d.last {
		return
	}
	d.last = sequence
	for _, e := range doc.Events {
		if e.RecordTime.IsZero() {
			d.bad = append(d.bad, e.ID+" has no record time")
		}
		d.ids = append(d.ids, e.ID)
	}
}

func (d *told) list() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.ids)
}

// ServeHTTP implements http.Handler.
func (d *told) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	sequence, _ := strconv.Atoi(r.Header.Get(subscribe.SequenceHeader))
	if err == nil {
		d.take(sequence, body)
	}
}

// TestSubscriptions: on a real ledger and index, events that match a named query come by webhook and WebSocket, in the order
// of the ledger, all of them once, and to each member its own only.
func TestSubscriptions(t *testing.T) {
	var blocks projected
	var standing *subscribe.Service
	w := newWorld(t, func(c *gateway.Config) {
		asked := epcisrest.Queries{Views: view.NewSource(c.Index, c.Ledger), Store: c.Queries}
		standing = must(subscribe.Open(subscribe.Config{Path: filepath.Join(t.TempDir(), "subscriptions.db"), Source: asked, Blocks: &blocks, Render: asked.Render,
			Valid: func(context.Context, auth.Principal, auth.ID) (bool, error) { return true, nil }, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
			Now: time.Now, Log: c.Logger}))
		c.Standing = standing
	})
	blocks.Projector = w.projector
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = standing.Run(ctx) })
	server := httptest.NewServer(w.handler)
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if err := standing.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})

	const market = "haojia-market"
	var farm, other, agency, fresh told
	for member, receiver := range map[string]*told{w.story.Producer: &farm, market: &other, w.story.Inspector: &agency} {
		hook := httptest.NewServer(receiver)
		t.Cleanup(hook.Close)
		w.want(http.StatusCreated, member, "/epcis/queries", `{"name": "ships", "query": {"EQ_bizStep": ["shipping"]}}`)
		w.want(http.StatusCreated, member, "/epcis/queries/ships/subscriptions", fmt.Sprintf(`{"dest": %q, "stream": true}`, hook.URL))
	}
	conn, _, err := websocket.Dial(ctx, server.URL+"/epcis/queries/ships/events?stream=true", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + w.tokens[w.story.Producer]}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()

	site := ""
	for _, s := range w.story.Registration.Sites {
		if s.Owner == w.story.Producer {
			site = s.ID
		}
	}
	var want []string
	for i := range 30 {
		step := "shipping"
		if i%3 == 1 {
			step = "inspecting"
		}
		id := fmt.Sprintf("urn:uuid:4f1b7a4e-3333-4c7e-9d9b-%012d", i)
		w.want(http.StatusCreated, w.story.Producer, "/epcis/events", fmt.Sprintf(`{"@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
			"type": "ObjectEvent", "eventID": %q, "action": "OBSERVE", "bizStep": %q, "eventTime": "2026-04-23T10:%02d:00Z", "eventTimeZoneOffset": "+08:00",
			"quantityList": [{"epcClass": "https://id.gs1.org/01/09521234567896/10/STREAM%d"}], "readPoint": {"id": %q}}`, id, step, 59-i, i, site))
		if step == "shipping" {
			want = append(want, id)
		}
	}
	for len(fresh.list()) < len(want) {
		_, body, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		fresh.take(fresh.last+1, body)
	}
	for end := time.Now().Add(time.Minute); len(farm.list()) < len(want) || len(agency.list()) < len(want); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d and %d of %d events have come", len(farm.list()), len(agency.list()), len(want))
		}
	}
	for name, d := range map[string]*told{"the sender": &farm, "the agency": &agency, "the sender's WebSocket": &fresh} {
		if diff := cmp.Diff(want, d.list()); diff != "" || len(d.bad) > 0 {
			t.Errorf("%s: %s %v", name, diff, d.bad)
		}
	}
	if len(other.list()) > 0 {
		t.Error("another member was told of", other.list())
	}
	// Who removes the query ends what stands on it.
	if res := w.ask(http.MethodDelete, "/epcis/queries/ships", "", w.as(w.story.Producer)...); res.Code != http.StatusNoContent {
		t.Error(res.Code, res.Body)
	}
	if _, _, err := conn.Read(ctx); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Error("the WebSocket:", err)
	}
	res := w.ask(http.MethodGet, "/epcis/queries/ships/subscriptions", "", w.as(w.story.Producer)...)
	if res.Code != http.StatusNotFound || !strings.Contains(res.Body.String(), "NoSuchNameException") {
		t.Error("the subscriptions:", res.Code, res.Body)
	}
}

// want sends JSON and fails if the status is another one.
func (w *world) want(status int, member, path, body string) {
	w.t.Helper()
	if res := w.ask(http.MethodPost, path, body, append(w.as(member), "Content-Type", "application/json")...); res.Code != status {
		w.t.Fatalf("POST %s: %d %s", path, res.Code, res.Body)
	}
}
