package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/gateway/subscribe"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/ingest/drop"
	"github.com/foodtrace-ledger/foodtrace/ingest/mapping/library"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/spreader"
)

// paths of a data directory; docs/durability.md says what each is worth.
type dataDir string

func (d dataDir) index() string    { return filepath.Join(string(d), "index.db") }
func (d dataDir) jobs() string     { return filepath.Join(string(d), "jobs.db") }
func (d dataDir) queries() string  { return filepath.Join(string(d), "queries.db") }
func (d dataDir) mappings() string { return filepath.Join(string(d), "mappings.db") }
func (d dataDir) standing() string { return filepath.Join(string(d), "subscriptions.db") }
func (d dataDir) tokens() string   { return filepath.Join(string(d), "tokens.db") }
func (d dataDir) evidence() string { return filepath.Join(string(d), "evidence") }

// parts are what a node stands on: embedded.go and member.go open them.
type parts struct {
	signer   func(msp string) (ledger.Signer, error) // of the members for whom the node signs
	ledger   ledger.Ledger
	index    index.Index
	evidence evidence.Store
	checks   []gateway.Check           // for /readyz
	counters func() map[string]float64 // for /metrics
}

// node is one machine's whole system: it owns what it opened, and closes it in reverse order.
type node struct {
	parts
	dir      dataDir
	log      *slog.Logger
	now      func() time.Time
	blocks   *index.Projector
	capture  *capture.Service
	queries  *epcisrest.Store
	mappings *library.Store
	standing *subscribe.Service
	callable []netip.Prefix // networks that subscriptions may call though they are not public; set before open
	tokens   *auth.Tokens
	feeds    []*drop.Feed
	closers  []func() error
	ctx      context.Context // of what runs in the background
	stop     context.CancelFunc
	running  sync.WaitGroup
}

func newNode(dir dataDir, log *slog.Logger, now func() time.Time) *node {
	n := &node{dir: dir, log: log, now: now}
	n.ctx, n.stop = context.WithCancel(context.Background())
	return n
}

// owns has close called when the node is closed.
func (n *node) owns(close func() error) { n.closers = append(n.closers, close) }

// follow keeps running what brings the index up to the ledger, with the projector.
func (n *node) follow(p *index.Projector, project func(context.Context) error) {
	n.blocks = p
	n.owns(n.stopBackground) // before the ledger and the index are closed
	n.checks = append(n.checks, gateway.Check{Fails: "What brings the index up to the ledger has stopped; it begins again by itself. The log says why.",
		Run: func(context.Context) error { return p.Err() }})
	n.background("the projector", project)
}

// open opens what every node has in its data directory. The parts must be there.
func (n *node) open() (err error) {
	if n.tokens, err = auth.Open(n.dir.tokens()); err != nil {
		return err
	}
	n.owns(n.tokens.Close)
	if n.queries, err = epcisrest.OpenStore(n.dir.queries(), n.now); err != nil {
		return err
	}
	n.owns(n.queries.Close)
	if n.mappings, err = library.Open(n.dir.mappings(), n.now); err != nil {
		return err
	}
	n.owns(n.mappings.Close)
	if err := n.openStanding(); err != nil {
		return err
	}
	n.capture, err = capture.Open(capture.Config{Ledger: n.ledger, Evidence: n.evidence, Signer: n.signer, Path: n.dir.jobs(), Now: n.now, Log: n.log})
	if err != nil {
		return err
	}
	n.owns(n.capture.Close)
	return nil
}

// openStanding opens the subscriptions and begins to make their deliveries.
func (n *node) openStanding() (err error) {
	asked := epcisrest.Queries{Views: view.NewSource(n.index, n.ledger), Store: n.queries}
	n.standing, err = subscribe.Open(subscribe.Config{Path: n.dir.standing(), Source: asked, Blocks: n.blocks, Valid: n.valid, Render: asked.Render,
		Allow: n.callable, Now: n.now, Log: n.log})
	if err != nil {
		return err
	}
	n.owns(n.standing.Close)
	n.owns(n.stopBackground) // before it is closed
	n.background("what sends to subscribers", n.standing.Run)
	return nil
}

// valid reports whether a principal is a member that has the role, and can sign in with it: with a token, or, without an ID, with any.
func (n *node) valid(ctx context.Context, who auth.Principal, token auth.ID) (bool, error) {
	if ok, err := n.tokens.Stands(ctx, who, token); err != nil || !ok {
		return false, err
	}
	m, err := n.index.Member(ctx, who.Member) // not found: the index is made anew, and has not come to it yet
	return err == nil && slices.Contains(m.Roles, who.Role), err
}

// spread keeps carrying the marks of holds to descendants, signing as a member.
func (n *node) spread(msp string) error {
	by, err := n.signer(msp)
	if err != nil {
		return err
	}
	n.background("the spreader", func(ctx context.Context) error { return spreader.Run(ctx, n.ledger, by, n.log) })
	return nil
}

// Signer is the identity with which this machine signs for a member.
func (n *node) Signer(msp string) (ledger.Signer, error) { return n.signer(msp) }

// submit writes a batch in the name of a member.
func (n *node) submit(ctx context.Context, msp string, batch *contract.Batch) (ledger.Receipt, error) {
	by, err := n.signer(msp)
	if err != nil {
		return ledger.Receipt{}, err
	}
	return n.ledger.Submit(ctx, by, batch)
}

// What runs in the background begins again after it stopped, for its disk may be full or its database away: soon at first.
const (
	againSoon = time.Second
	againLate = 30 * time.Second
)

// background runs f until the node is closed. Its errors are logged: /readyz says what does not work.
func (n *node) background(what string, f func(context.Context) error) {
	n.running.Go(func() {
		for wait := againSoon; n.ctx.Err() == nil; wait = min(2*wait, againLate) {
			began := time.Now()
			err := f(n.ctx)
			if n.ctx.Err() != nil {
				return
			}
			if time.Since(began) > againLate {
				wait = againSoon
			}
			n.log.Error(what+" stopped", "err", err, "again", wait)
			select {
			case <-n.ctx.Done():
			case <-time.After(wait):
			}
		}
	})
}

// stopBackground ends what follows the ledger and the index, which are closed after it.
func (n *node) stopBackground() error {
	n.stop()
	n.running.Wait()
	return nil
}

// close closes what was opened, the last first.
func (n *node) close() error {
	n.stop()
	var errs []error
	for _, c := range slices.Backward(n.closers) {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// handler is the node's gateway.
func (n *node) handler(c gateway.Config) (http.Handler, error) {
	c.Index, c.Ledger, c.Evidence, c.Signers, c.Capture, c.Mappings, c.Queries, c.Standing, c.Tokens, c.Logger = n.index, n.ledger, n.evidence, n, n.capture, n.mappings, n.queries, n.standing, n.tokens, n.log
	c.Counters, c.Checks = n.figures, append(slices.Clone(n.checks), gateway.Check{Fails: "The evidence store does not answer.", Run: n.evidenceAnswers})
	return gateway.New(c)
}

// figures are those of the parts, for /metrics.
func (n *node) figures() map[string]float64 {
	figures := n.dropFigures()
	maps.Copy(figures, n.standing.Figures())
	maps.Copy(figures, n.counters())
	return figures
}

// nothing is the SHA-256 of no file.
const nothing = "0000000000000000000000000000000000000000000000000000000000000000"

// evidenceAnswers asks the evidence store for a file that is not there.
func (n *node) evidenceAnswers(ctx context.Context) error {
	if _, err := n.evidence.Stat(ctx, nothing); err != nil && !errors.Is(err, evidence.ErrNotFound) {
		return fmt.Errorf("the evidence store does not answer: %w", err)
	}
	return nil
}
