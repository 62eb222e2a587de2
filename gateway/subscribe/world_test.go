package subscribe

import (
	"context"
	"fmt"
	"io"
	"log/slog"
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

	"github.com/go-chi/chi/v5"
	"github.com/go-json-experiment/json"
	"go.uber.org/goleak"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/translate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source is a ledger of events in memory, one a block: Source and Blocks. Queries are named by the prefix of the event IDs
// that they select.
type source struct {
	mu       sync.Mutex
	events   []index.Event
	changed  chan struct{}
	failure  error
	gone     bool // the queries were removed
	searches int
}

func newSource() *source { return &source{changed: make(chan struct{})} }

func (s *source) write(ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		at := event.Time{Time: time.Now()}
		s.events = append(s.events, index.Event{ID: id, Event: &event.Event{Type: "ObjectEvent", ID: id}, Where: index.Where{Block: uint64(len(s.events)), Time: at}})
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *source) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *source) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.searches
}

func (s *source) Known(_ context.Context, who auth.Principal, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone || who.Member == "" || name == "none" {
		return ErrNoSuchQuery
	}
	return nil
}

// Since looks at no more than a bounded piece of the ledger, as an index does.
func (s *source) Since(_ context.Context, _ auth.Principal, query string, after index.Cursor, limit int) (events []index.Event, next index.Cursor, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.searches++
	if s.gone {
		return nil, after, ErrNoSuchQuery
	}
	if s.failure != nil {
		return nil, after, s.failure
	}
	i := int(after.Tx)
	for end := min(i+piece, len(s.events)); i < end && len(events) < limit; i++ {
		if e := s.events[i]; strings.HasPrefix(e.ID, query) {
			events = append(events, e)
		}
	}
	return events, index.Cursor{Tx: int64(i)}, nil
}

// piece of the ledger that is looked at at a time.
const piece = 1000

func (s *source) Start(_ context.Context, t time.Time) (index.Cursor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.events, func(e index.Event) bool { return !t.IsZero() && !e.Where.Time.Before(t) })
	if i < 0 {
		i = len(s.events)
	}
	return index.Cursor{Tx: int64(i)}, nil
}

func (s *source) Height() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint64(len(s.events))
}

func (s *source) WaitFor(ctx context.Context, block uint64) error {
	for {
		s.mu.Lock()
		height, changed := uint64(len(s.events)), s.changed
		s.mu.Unlock()
		if height > block {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// received is a document as a receiver reads it.
type received struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	ID    string `json:"id"`
	Body  struct {
		Results struct {
			Query        string                  `json:"queryName"`
			Subscription string                  `json:"subscriptionID"`
			Results      struct{ List []string } `json:"resultsBody"`
		} `json:"queryResults"`
	} `json:"epcisBody"`
}

// render is enough of a document to see what is in it. epcisrest writes real ones.
func render(_ context.Context, d Document) ([]byte, error) {
	r := received{Type: "EPCISQueryDocument", ID: d.ID}
	r.Body.Results.Query, r.Body.Results.Subscription = d.Query, d.Subscription
	for _, e := range d.Events {
		r.Body.Results.Results.List = append(r.Body.Results.Results.List, e.ID)
	}
	return json.Marshal(r)
}

// world is a service with its interface, whose clock can be moved.
type world struct {
	*testing.T
	source *source
	path   string
	tokens *auth.Tokens

	mu      sync.Mutex
	ahead   time.Duration // of the clock
	invalid bool          // principals
	service *Service
	stop    func()
	base    *httptest.Server
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, source: newSource(), path: filepath.Join(t.TempDir(), "subscriptions.db")}
	var err error
	if w.tokens, err = auth.Open(filepath.Join(t.TempDir(), "tokens.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.tokens.Close(); err != nil {
			t.Error(err)
		}
	})
	w.open()
	w.base = httptest.NewServer(auth.Middleware(w.tokens)(w.routes()))
	t.Cleanup(func() {
		w.close()
		w.base.Close()
	})
	return w
}

func (w *world) routes() http.Handler {
	r := chi.NewRouter()
	answer := func(f func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
		return func(out http.ResponseWriter, r *http.Request) {
			if err := f(out, r); err != nil {
				problem.Write(out, r, err)
			}
		}
	}
	r.Get("/queries/{name}/subscriptions", answer(func(out http.ResponseWriter, r *http.Request) error {
		return w.service.List(out, r, chi.URLParam(r, "name"))
	}))
	r.Post("/queries/{name}/subscriptions", answer(func(out http.ResponseWriter, r *http.Request) error {
		return w.service.Create(out, r, chi.URLParam(r, "name"), translate.EPCDigitalLink)
	}))
	r.Get("/queries/{name}/subscriptions/{id}", answer(func(out http.ResponseWriter, r *http.Request) error {
		return w.service.Get(out, r, chi.URLParam(r, "name"), chi.URLParam(r, "id"))
	}))
	r.Delete("/queries/{name}/subscriptions/{id}", answer(func(out http.ResponseWriter, r *http.Request) error {
		return w.service.Delete(out, r, chi.URLParam(r, "name"), chi.URLParam(r, "id"))
	}))
	r.Get("/queries/{name}/events", answer(func(out http.ResponseWriter, r *http.Request) error {
		return w.service.Socket(out, r, chi.URLParam(r, "name"), translate.EPCDigitalLink)
	}))
	return r
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ahead)
}

// later moves the clock.
func (w *world) later(d time.Duration) {
	w.mu.Lock()
	w.ahead += d
	w.mu.Unlock()
	w.service.look()
}

func (w *world) setInvalid(invalid bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.invalid = invalid
}

// open opens the service, and runs it.
func (w *world) open() {
	w.Helper()
	s, err := Open(Config{Path: w.path, Source: w.source, Blocks: w.source, Render: render, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Now: w.now,
		Log: slog.New(slog.DiscardHandler), Valid: func(ctx context.Context, who auth.Principal, token auth.ID) (bool, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.invalid {
				return false, nil
			}
			return w.tokens.Stands(ctx, who, token)
		}})
	if err != nil {
		w.Fatal(err)
	}
	s.retry = time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	w.service, w.stop = s, func() { cancel(); running.Wait() }
}

// close ends the service like an end of its process: what is under way is broken off.
func (w *world) close() {
	w.Helper()
	w.stop()
	if err := w.service.Close(); err != nil {
		w.Error(err)
	}
}

func (w *world) token(member string) string {
	w.Helper()
	token, err := w.tokens.Create(context.Background(), member, contract.Producer)
	if err != nil {
		w.Fatal(err)
	}
	return token
}

// ask asks and returns the status, the header and the answer.
func (w *world) ask(token, method, path, body string) (int, http.Header, string) {
	w.Helper()
	r, err := http.NewRequest(method, w.base.URL+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(text)
}

// subscribe makes a subscription to the query named "" + prefix, and returns its path.
func (w *world) subscribe(token, query, format string, args ...any) string {
	w.Helper()
	status, header, body := w.ask(token, http.MethodPost, "/queries/"+query+"/subscriptions", fmt.Sprintf(format, args...))
	if status != http.StatusCreated {
		w.Fatalf("%d: %s", status, body)
	}
	return header.Get("Location")
}

func (w *world) status(token, path string) (st status) {
	w.Helper()
	code, _, body := w.ask(token, http.MethodGet, path, "")
	if code != http.StatusOK {
		w.Fatalf("%d: %s", code, body)
	}
	if err := json.Unmarshal([]byte(body), &st); err != nil {
		w.Fatal(err)
	}
	return st
}

// until waits for something to become true.
func (w *world) until(what string, is func() bool) {
	w.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			w.Fatalf("it never came to this: %s", what)
		}
	}
}

// receiver takes deliveries as docs/operations.md says that one should.
type receiver struct {
	*httptest.Server
	token  string
	answer func(n, events int) int // status of the nth call; 0: it is kept and the connection is cut

	mu       sync.Mutex
	calls    int
	last     int // sequence
	events   []string
	empty    int // documents without events
	problems []string
	wrong    []string
}

func newReceiver(t *testing.T, token string, answer func(n, events int) int) *receiver {
	r := &receiver{token: token, answer: answer}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func always(status int) func(int, int) int { return func(int, int) int { return status } }

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	var d received
	if err := json.Unmarshal(body, &d); err != nil {
		r.wrong = append(r.wrong, err.Error())
	}
	if q.Header.Get("Content-Type") == problem.MediaType {
		r.problems = append(r.problems, d.Title)
		return
	}
	if err != nil {
		r.wrong = append(r.wrong, err.Error())
	}
	list := d.Body.Results.Results.List
	status := r.answer(r.calls, len(list))
	if status == 0 || status/100 == 2 {
		r.keep(q.Header, body, d)
	}
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
}

// keep checks a delivery and takes it, unless it was taken before.
func (r *receiver) keep(h http.Header, body []byte, d received) {
	sequence, err := strconv.Atoi(h.Get(SequenceHeader))
	seconds, _, _ := strings.Cut(strings.TrimPrefix(h.Get(SignatureHeader), "t="), ",")
	sent, _ := strconv.ParseInt(seconds, 10, 64)
	id := d.Body.Results.Subscription
	switch {
	case err != nil || d.ID != fmt.Sprintf("urn:uuid:%s#%d", id, sequence) || h.Get(SubscriptionHeader) != id:
		r.wrong = append(r.wrong, fmt.Sprintf("sequence %q, document %s", h.Get(SequenceHeader), d.ID))
	case r.token != "" && h.Get(SignatureHeader) != Sign(r.token, time.Unix(sent, 0), body):
		r.wrong = append(r.wrong, "the signature "+h.Get(SignatureHeader))
	case sequence > r.last+1:
		r.wrong = append(r.wrong, fmt.Sprintf("sequence %d after %d", sequence, r.last))
	case sequence == r.last+1:
		r.last = sequence
		r.events = append(r.events, d.Body.Results.Results.List...)
		if len(d.Body.Results.Results.List) == 0 {
			r.empty++
		}
	}
}

func (r *receiver) read(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func (r *receiver) got() (list []string) {
	r.read(func() { list = append(list, r.events...) })
	return list
}
