// Package subscribe sends the events of named queries to those who have subscribed to them (EPCIS 2.0, sections 8.2.5 and
// 12): by HTTP to an address of theirs (webhook), or on a WebSocket that they hold open.
//
// A webhook loses nothing and, but for a crash between the receiver's answer and its note, repeats nothing: deliveries are
// made one at a time and in the ledger's order, numbered, and the cursor moves only when the receiver has answered 2xx. A
// repeated delivery has the same number and content, so that the receiver can tell. A WebSocket has no answers: who loses
// its connection asks anew with initialRecordTime and knows events by their IDs.
package subscribe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/translate"
)

// ErrNoSuchQuery: there is no query of that name, or no longer.
var ErrNoSuchQuery = errors.New("subscribe: there is no such query")

// Source answers named queries, whose names are those of their members.
type Source interface {
	// Known returns nil if the principal can use a query of that name, or ErrNoSuchQuery.
	Known(ctx context.Context, who auth.Principal, name string) error
	// Since returns at most limit events that the query selects and the principal sees, after a cursor and in the ledger's
	// order, and how far it has looked: not further than the cursor if there is no more to look at. Errors: ErrNoSuchQuery,
	// *problem.Problem for what is wrong with the query.
	Since(ctx context.Context, who auth.Principal, name string, after index.Cursor, limit int) (events []index.Event, next index.Cursor, err error)
	// Start is the cursor before what was recorded at a time or later; with no time, behind everything that the index has.
	Start(ctx context.Context, t time.Time) (index.Cursor, error)
}

// Blocks says how far the index is. index.Projector does.
type Blocks interface {
	// Height is how many blocks the index has.
	Height() uint64
	// WaitFor returns nil once the index has the block.
	WaitFor(ctx context.Context, block uint64) error
}

// Config is what a service stands on. All is needed but Allow.
type Config struct {
	Path   string // of the SQLite file; made if it is not there
	Source Source
	Blocks Blocks
	// Valid says whether a principal still is what it was when it subscribed: a member that has the role, and signs in with it:
	// with the token of an ID, or, without one, with any.
	Valid func(context.Context, auth.Principal, auth.ID) (bool, error)
	// Render writes an EPCISQueryDocument as JSON.
	Render func(context.Context, Document) ([]byte, error)
	Allow  []netip.Prefix // networks that may be called though they are not public, and without TLS
	Now    func() time.Time
	Log    *slog.Logger
}

// Document is what an EPCISQueryDocument is made of.
type Document struct {
	ID           string              // a URI, "" for none
	Query        string              // its name
	Subscription string              // ID, "" for a WebSocket
	EPC          translate.EPCFormat // how identifiers are spelled
	Who          auth.Principal
	Events       []index.Event
}

// Limits of the service.
const (
	// MaxPerMember bounds the active subscriptions of a member: each costs a search per block.
	MaxPerMember = 100
	// slots is how many deliveries are made at a time, memberSlots those of one member, so that slow receivers of one do not
	// keep the others waiting.
	slots       = 16
	memberSlots = 4
	// gather is how long blocks are gathered at least before subscriptions are looked at again: under load, one search for
	// many blocks. The searches together take no more than a part of the time (rest), unless that would be longer than
	// mostGather.
	gather     = 50 * time.Millisecond
	rest       = 3 // times as long as the searches took is nothing searched
	mostGather = 2 * time.Second
	// still is how long nothing is looked at if nothing is due. Any time does.
	still = time.Hour
)

// Service keeps subscriptions and makes their deliveries.
type Service struct {
	Config
	store         *store
	guard         guard
	secure, plain *http.Client
	retry         time.Duration // the first back-off
	patience      time.Duration // with a WebSocket that does not take a document
	ping          time.Duration // how often a WebSocket is looked after in which nothing happens
	wake          chan struct{} // something has changed
	sockets       sockets

	mu      sync.Mutex
	jobs    map[string]*job
	height  uint64        // of the index, as far as it was looked at
	spent   time.Duration // in searches since then
	changed chan struct{} // closed when height grows
}

// job is what is remembered of a subscription: enough to know when to look at it.
type job struct {
	id, member string
	query      string
	stream     bool
	due        time.Time // not before
	busy       bool
	failing    bool
	seen       uint64       // a stream's: blocks that the index had when nothing was left to send
	searched   index.Cursor // nothing between the kept cursor and this one matches
}

// Open opens the store, or makes it. Run makes the deliveries; Close it.
func Open(c Config) (*Service, error) {
	kept, err := openStore(c.Path)
	if err != nil {
		return nil, err
	}
	list, err := kept.active(context.Background())
	if err != nil {
		return nil, errors.Join(err, kept.close())
	}
	g := guard{c.Allow}
	s := &Service{Config: c, store: kept, guard: g, secure: g.client(true), plain: g.client(false), retry: minRetry, patience: writeTime, ping: pingEvery,
		wake: make(chan struct{}, 1), jobs: map[string]*job{}, changed: make(chan struct{})}
	for _, sub := range list {
		s.jobs[sub.ID] = newJob(sub)
	}
	return s, nil
}

func newJob(sub *Subscription) *job {
	return &job{id: sub.ID, member: sub.Owner.Member, query: sub.Query, stream: sub.Stream(), failing: sub.Failures > 0, due: sub.Due, searched: sub.Cursor}
}

// Close ends the WebSockets and closes the store. Run must have ended.
func (s *Service) Close() error {
	s.sockets.close()
	s.secure.CloseIdleConnections()
	s.plain.CloseIdleConnections()
	return s.store.close()
}

// Run makes deliveries until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel() // before the wait
	running.Go(func() { s.watch(ctx) })
	for {
		timer := time.NewTimer(s.start(ctx, &running))
		select {
		case <-s.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// watch notes when the index has grown.
func (s *Service) watch(ctx context.Context) {
	for ctx.Err() == nil {
		height := s.Blocks.Height()
		s.reached(height)
		wait := gather
		if err := s.Blocks.WaitFor(ctx, height); err != nil {
			wait = time.Second // what brings the index up has stopped, and begins again by itself
		}
		s.mu.Lock()
		wait, s.spent = max(wait, min(rest*s.spent, mostGather)), 0
		s.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

func (s *Service) reached(height uint64) {
	s.mu.Lock()
	if height != s.height { // less, where the index was made anew
		s.height = height
		close(s.changed)
		s.changed = make(chan struct{})
	}
	s.mu.Unlock()
	s.look()
}

// now returns the height of the index and what is closed when it grows.
func (s *Service) now() (height uint64, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.height, s.changed
}

// look has Run look at the jobs again.
func (s *Service) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// start begins what is due, the longest due first, as far as there are slots, and returns when something is due next.
func (s *Service) start(ctx context.Context, running *sync.WaitGroup) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, wait := s.Now(), still
	var due []*job
	busy, all := map[string]int{}, 0
	for _, j := range s.jobs {
		switch {
		case j.busy:
			busy[j.member]++
			all++
		case j.stream && j.seen >= s.height:
		case j.due.After(now):
			wait = min(wait, j.due.Sub(now))
		default:
			due = append(due, j)
		}
	}
	slices.SortFunc(due, func(a, b *job) int { return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.id, b.id)) })
	for _, j := range due {
		if all < slots && busy[j.member] < memberSlots {
			j.busy = true
			busy[j.member]++
			all++
			running.Go(func() { s.finish(j, s.turn(ctx, *j)) })
		}
	}
	return wait // who has got no slot is looked at when one is free
}

// finish notes what a turn has left; nil: the subscription is no more.
func (s *Service) finish(j *job, left *job) {
	s.mu.Lock()
	if left == nil {
		delete(s.jobs, j.id)
	} else {
		*j = *left
		j.busy = false
	}
	s.mu.Unlock()
	s.look()
}

// add keeps a new subscription and begins to serve it.
func (s *Service) add(ctx context.Context, sub *Subscription) error {
	if err := s.store.add(ctx, sub, MaxPerMember); err != nil {
		return err
	}
	s.mu.Lock()
	s.jobs[sub.ID] = newJob(sub)
	s.mu.Unlock()
	s.look()
	return nil
}

// Figures are for /metrics.
func (s *Service) Figures() map[string]float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	failing := 0
	for _, j := range s.jobs {
		if j.failing {
			failing++
		}
	}
	return map[string]float64{"foodtrace_subscriptions": float64(len(s.jobs)), "foodtrace_subscriptions_failing": float64(failing),
		"foodtrace_websockets": float64(s.sockets.count())}
}

// Drop ends all subscriptions to a query of a member, WebSockets too: it is about to be removed.
func (s *Service) Drop(ctx context.Context, member, query string) error {
	if err := s.store.drop(ctx, member, query); err != nil {
		return fmt.Errorf("subscribe: drop the subscriptions to %s: %w", query, err)
	}
	s.forget(func(j *job) bool { return j.member == member && j.query == query })
	s.sockets.drop(member, query)
	return nil
}

// forget forgets jobs. Turns of theirs that run find out.
func (s *Service) forget(gone func(*job) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.jobs, func(_ string, j *job) bool { return gone(j) })
}
