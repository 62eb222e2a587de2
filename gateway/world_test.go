package gateway_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/gateway/subscribe"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/ingest/mapping/library"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/fs"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/embedded"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
)

const publicURL = "https://trace.example.org"

// world is a whole gateway on real parts, with the story of the demo on its ledger.
type world struct {
	t         testing.TB
	story     *simulate.Story
	handler   http.Handler
	ledger    *embedded.Ledger
	index     *sqlite.Index
	projector *index.Projector
	signers   signers
	log       *lockedBuffer
	tokens    map[string]string // by MSP ID
	stopIndex func()            // and wait until it has stopped
}

// signers makes the identity of every member that is asked for.
type signers struct{ store *identity.Store }

func (s signers) Signer(msp string) (ledger.Signer, error) { return s.store.Signer(msp, "gateway") }

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// storyTime is when the story ends: fixed, so that pages are always the same.
var storyTime = time.Date(2026, 4, 23, 12, 0, 0, 0, time.UTC)

func newWorld(t testing.TB, change ...func(*gateway.Config)) *world {
	t.Helper()
	dir := t.TempDir()
	clock := func() time.Time { return storyTime.Add(time.Hour) }
	w := &world{t: t, story: simulate.Demo(storyTime, nil), signers: signers{identity.Open(dir, clock)}, log: &lockedBuffer{}, tokens: map[string]string{}}
	logger := slog.New(slog.NewJSONHandler(w.log, nil))
	w.ledger = must(embedded.Open(embedded.Options{Dir: dir, Clock: clock}))
	w.index = must(sqlite.Open(filepath.Join(dir, "index.db"), sqlite.Options{CacheMB: 8}))
	files := must(fs.New(filepath.Join(dir, "evidence")))
	tokens := must(auth.Open(filepath.Join(dir, "tokens.db")))
	queries := must(epcisrest.OpenStore(filepath.Join(dir, "queries.db"), clock))
	mappings := must(library.Open(filepath.Join(dir, "mappings.db"), clock))
	jobs := must(capture.Open(capture.Config{Ledger: w.ledger, Evidence: files, Signer: w.signers.Signer, Path: filepath.Join(dir, "jobs.db"), Now: clock, Log: logger}))

	w.projector = index.NewProjector(w.ledger, w.index)
	asked := epcisrest.Queries{Views: view.NewSource(w.index, w.ledger), Store: queries}
	standing := must(subscribe.Open(subscribe.Config{Path: filepath.Join(dir, "subscriptions.db"), Source: asked, Blocks: w.projector, Render: asked.Render,
		Valid: func(context.Context, auth.Principal, auth.ID) (bool, error) { return true, nil }, Now: clock, Log: logger}))
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := w.projector.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	w.stopIndex = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(func() {
		w.stopIndex()
		for _, c := range []io.Closer{standing, jobs, queries, mappings, tokens, w.index, w.ledger} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	w.tell()
	for _, m := range w.story.Registration.Members {
		w.tokens[m.MSP] = must(tokens.Create(context.Background(), m.MSP, m.Roles[0]))
	}
	c := gateway.Config{Index: w.index, Ledger: w.ledger, Evidence: files, Signers: w.signers, Capture: jobs, Mappings: mappings, Queries: queries, Standing: standing, Tokens: tokens, Logger: logger,
		PublicURL: publicURL, Highlights: []string{w.story.Safe, w.story.Held, w.story.Recalled}, RatePerMinute: -1}
	for _, f := range change {
		f(&c)
	}
	w.handler = must(gateway.New(c))
	return w
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// tell puts the story on the ledger, what one member sends in a row in one batch.
func (w *world) tell() {
	w.t.Helper()
	for _, m := range w.story.Registration.Members {
		must(w.signers.store.Ensure(m.MSP, "gateway"))
	}
	w.submit(w.story.Inspector, contract.Record{Registration: &w.story.Registration})
	holds := map[string]string{} // by reference
	var batch []contract.Record
	by := ""
	flush := func() {
		if len(batch) == 0 {
			return
		}
		for i, o := range w.submit(by, batch...).Outcomes {
			if h := batch[i].Hold; h != nil {
				holds[h.Reference] = o.ID
			}
		}
		batch = nil
	}
	for _, s := range w.story.Records {
		if s.By != by || s.Ends != "" {
			flush()
		}
		by = s.By
		record := s.Record
		if s.Ends != "" {
			release := *record.Release
			release.Hold = holds[s.Ends]
			record.Release = &release
		}
		batch = append(batch, record)
	}
	flush()
	w.settle()
}

func (w *world) submit(msp string, records ...contract.Record) ledger.Receipt {
	w.t.Helper()
	receipt, err := w.ledger.Submit(context.Background(), must(w.signers.Signer(msp)), &contract.Batch{Records: records})
	if err != nil {
		w.t.Fatal(err)
	}
	return receipt
}

// settle waits until the index has every block.
func (w *world) settle() {
	w.t.Helper()
	height := must(w.ledger.Height(context.Background()))
	if err := w.projector.WaitFor(context.Background(), height-1); err != nil {
		w.t.Fatal(err)
	}
}

// ask sends a request; headers come in pairs.
func (w *world) ask(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec
}

func eventTime(t time.Time) event.Time { return event.Time{Time: t} }

func (w *world) as(msp string) []string { return []string{"Authorization", "Bearer " + w.tokens[msp]} }

// TestReading is every test that writes nothing, on one world.
func TestReading(t *testing.T) {
	w := newWorld(t)
	for name, test := range map[string]func(*testing.T, *world){
		"LotPages":                               testLotPages,
		"PagesThatAreNotLots":                    testPagesThatAreNotLots,
		"SwitchKeepsThePage":                     testSwitchKeepsThePage,
		"DigitalLink":                            testDigitalLink,
		"Linkset":                                testLinkset,
		"QRLeadsToThePage":                       testQRLeadsToThePage,
		"DossierInThreeViews":                    testDossierInThreeViews,
		"TraceInThreeViews":                      testTraceInThreeViews,
		"Lists":                                  testLists,
		"EvidenceIsServedToThoseWhoSeeItsRecord": testEvidenceIsServedToThoseWhoSeeItsRecord,
		"OpenAPI":                                testOpenAPI,
		"Problems":                               testProblems,
		"HeadersOfEveryAnswer":                   testHeadersOfEveryAnswer,
		"LogHasOneLinePerRequestAndNoToken":      testLogHasOneLinePerRequestAndNoToken,
		"ScopeInThreeViews":                      testScopeInThreeViews,
	} {
		t.Run(name, func(t *testing.T) {
			mine := *w
			mine.t = t
			test(t, &mine)
		})
	}
}
