package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/fs"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/s3"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/postgres"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/fabric"
)

func (d dataDir) replica() string { return filepath.Join(string(d), "replica") }
func (d dataDir) spool() string   { return filepath.Join(string(d), "spool") }

// warnBefore is how long before its certificate expires a gateway begins to say so: time to have another one issued.
const warnBefore = 30 * 24 * time.Hour

// loadIdentity reads the identity with which a member's gateway signs.
func loadIdentity(a *app, c *config) (by ledger.Signer, until time.Time, err error) {
	by, until, err = identity.Load(c.Member, c.Identity.Cert, c.Identity.Key, a.now())
	if err == nil && until.Sub(a.now()) < warnBefore {
		a.log.Warn("the certificate of this gateway expires soon: have the organisation's authority issue another", "file", c.Identity.Cert, "expires", until)
	}
	return by, until, err
}

// checkIssuer refuses the identity of another member, with which a gateway would wait for ever for peers that refuse it.
func checkIssuer(a *app, c *config, by ledger.Signer) error {
	issuers, err := c.Fabric.Issuers(by.Cert)
	switch {
	case err != nil:
		return err
	case len(issuers) == 0: // it may have come later than the first block, or have another authority since
		a.log.Warn("no authority in the channel's first block issued the certificate of this gateway; peers refuse it unless the channel has learned of its authority since", "file", c.Identity.Cert, "member", c.Member)
	case !slices.Contains(issuers, c.Member):
		return fmt.Errorf("the certificate %s was issued by the authority of %s and not by that of %s, the member of this gateway: correct `member` or `identity` in its configuration",
			c.Identity.Cert, strings.Join(issuers, ", "), c.Member)
	}
	return nil
}

// serveMember serves a member's gateway. What is wrong with its own configuration ends it; what is away is waited for.
func (c *serveCmd) serveMember(a *app) error {
	if c.Drop != "" {
		return errors.New("--drop is for --data: name the places in `drops` of the configuration")
	}
	conf, err := readConfig(c.Config, a.getenv)
	if err == nil {
		err = readMappings(conf.Drops, func(i int) string { return fmt.Sprintf("drops[%d].mapping", i) })
	}
	if err != nil {
		return err
	}
	c.overrides(conf)
	by, until, err := loadIdentity(a, conf)
	if err == nil {
		err = checkIssuer(a, conf, by)
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(conf.Data, 0o700); err != nil {
		return err
	}
	listener, err := c.listen()
	if err != nil {
		return err
	}
	var front gateway.Front
	m := &member{config: conf, by: by, until: until, log: a.log, now: a.now, waiting: front.Wait}
	var opened *node
	err = serveHTTP(a, listener, &front, func(ctx context.Context) (err error) {
		if opened, err = m.open(ctx); err != nil {
			if ctx.Err() != nil { // interrupted while it waited
				return nil
			}
			return err
		}
		handler, err := opened.handler(c.config(gateway.Config{}, listener))
		if err != nil {
			return err
		}
		front.Open(handler)
		_, err = fmt.Fprintf(a.out, "serving member %s on %s\n", conf.Member, c.url(listener))
		return err
	})
	if opened != nil {
		err = errors.Join(err, opened.close())
	}
	return err
}

// overrides has flags override the file, and the file the defaults.
func (c *serveCmd) overrides(conf *config) {
	for _, o := range []struct{ flag, file *string }{{&c.Listen, &conf.Listen}, {&c.PublicURL, &conf.PublicURL}, {&c.ClientHeader, &conf.ClientHeader}} {
		if *o.flag == "" {
			*o.flag = *o.file
		}
	}
	for _, network := range c.SubscriptionsAllow {
		conf.Subscriptions.Allow = append(conf.Subscriptions.Allow, network.String())
	}
}

// member is what a member's gateway is opened from.
type member struct {
	*config
	by      ledger.Signer
	until   time.Time // when the certificate of by expires
	log     *slog.Logger
	now     func() time.Time
	waiting func(what string) // is told what is waited for
}

func (m *member) dir() dataDir { return dataDir(m.Data) }

// open opens the node, and starts what runs in the background. What is away is waited for until ctx ends.
func (m *member) open(ctx context.Context) (_ *node, err error) {
	n := newNode(m.dir(), m.log, m.now)
	n.callable = m.Subscriptions.networks()
	defer func() {
		if err != nil {
			err = errors.Join(err, n.close())
		}
	}()
	own, err := fabric.Open(fabric.Options{Config: m.Fabric, Identity: m.by, Dir: m.dir().replica(), Log: m.log, Now: m.now})
	if err != nil {
		return nil, err
	}
	n.owns(own.Close)
	files, err := waitFor(ctx, m, "the evidence store", evidence.ErrUnavailable, m.openEvidence)
	if err != nil {
		return nil, err
	}
	rows, err := waitFor(ctx, m, "the index's database", index.ErrUnavailable, m.openIndex)
	if err != nil {
		return nil, err
	}
	n.owns(rows.Close)
	n.parts = parts{signer: m.signer, ledger: own, index: rows, evidence: files, counters: m.counters(own),
		checks: []gateway.Check{{Fails: "The ledger's peers do not answer.", Run: reached(own)}}}
	projector := index.NewProjector(own, rows)
	n.follow(projector, func(ctx context.Context) error {
		if err := m.readAgain(ctx, own, rows); err != nil {
			return err
		}
		return projector.Run(ctx)
	})
	registered, err := waitFor(ctx, m, "the ledger's first registration", errNotBegun, func(ctx context.Context) (*contract.Member, error) { return m.registered(ctx, own) })
	if err != nil {
		return nil, err
	}
	switch {
	case registered == nil:
		m.log.Warn("this member is not registered on the ledger: what it sends is refused until a regulator registers it", "member", m.Member)
	case slices.Contains(registered.Roles, contract.Regulator):
		if err := n.spread(m.Member); err != nil {
			return nil, err
		}
	}
	if err := n.open(); err != nil {
		return nil, err
	}
	return n, n.takeDrops(m.Drops, m.Member)
}

// signer signs for the gateway's own member only.
func (m *member) signer(msp string) (ledger.Signer, error) {
	if msp != m.Member {
		return ledger.Signer{}, fmt.Errorf("this gateway signs for %s only, not for %s", m.Member, msp)
	}
	return m.by, nil
}

// replicated is a ledger that is read from others: what is asked of the client of Fabric while it reads.
type replicated interface {
	View(context.Context, func(contract.State) error) error
	Height(context.Context) (uint64, error)
	Lag(context.Context) (behind uint64, err error)
}

// errNotBegun: the ledger, as far as it is known here, has no members.
var errNotBegun = errors.New("no members are on the ledger yet")

// errReading is errNotBegun while blocks are still to come.
type errReading struct{ have, all uint64 }

func (e errReading) Error() string {
	return fmt.Sprintf("the ledger is being read again (%d of %d blocks)", e.have, e.all)
}
func (errReading) Is(target error) bool { return target == errNotBegun }

// registered is the gateway's member as it is on the ledger, nil if it is not. errNotBegun.
func (m *member) registered(ctx context.Context, l replicated) (own *contract.Member, err error) {
	begun := false
	err = l.View(ctx, func(s contract.State) (err error) {
		own, begun, err = contract.MemberOn(s, m.Member)
		return err
	})
	if err != nil || begun {
		return own, err
	}
	have, err := l.Height(ctx)
	if err != nil {
		return nil, err
	}
	switch behind, err := l.Lag(ctx); {
	case err != nil:
		return nil, fmt.Errorf("%w, as far as it is known here, and no peer says more: %w", errNotBegun, err)
	case behind > 0:
		return nil, errReading{have, have + behind}
	}
	return nil, fmt.Errorf("%w: nobody has written the first registration; `foodtrace network up` does, in the name of a regulator", errNotBegun)
}

// readAgain waits until the replica, of which a crash may have cost the newest blocks, is once as far as the index or as the peers.
func (m *member) readAgain(ctx context.Context, l replicated, rows index.Writer) error {
	height, _, err := rows.Position(ctx)
	if err != nil {
		return err
	}
	for wait := againSoon; ; wait = min(2*wait, againLate) {
		have, err := l.Height(ctx)
		if err != nil || have >= height {
			return err
		}
		behind, err := l.Lag(ctx)
		switch {
		case err != nil:
			m.log.Warn("the index waits for this gateway's copy of the ledger, which lost its newest blocks, and no peer sends them", "have", have, "index", height, "err", err, "again", wait)
		case behind == 0:
			return nil
		default:
			m.log.Info(errReading{have, have + behind}.Error())
			wait = againSoon
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// waitFor opens something that may be away, which is what an error that is one of away says: again and again, until ctx ends.
func waitFor[T any](ctx context.Context, m *member, what string, away error, open func(context.Context) (T, error)) (T, error) {
	for wait := againSoon; ; wait = min(2*wait, againLate) {
		v, err := open(ctx)
		if err == nil || !errors.Is(err, away) {
			return v, err
		}
		m.waiting(what)
		if reading := (errReading{}); errors.As(err, &reading) {
			m.log.Info(reading.Error())
			wait = againSoon
		} else {
			m.log.Warn("waiting for "+what, "err", err, "again", wait)
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (m *member) openEvidence(ctx context.Context) (evidenceFiles, error) {
	if m.Evidence.S3 == nil {
		return fs.New(m.dir().evidence())
	}
	return s3.New(ctx, *m.Evidence.S3, m.dir().spool(), m.log)
}

func (m *member) openIndex(ctx context.Context) (index.Index, error) {
	if m.Index.Postgres == "" {
		return openIndex(m.dir().index(), m.log)
	}
	return postgres.Open(ctx, m.Index.Postgres, postgres.Options{})
}

// maxBehind is how many blocks the replica may be behind the peers before clients are sent elsewhere: some seconds of full load.
const maxBehind = 1000

// reached returns a check that fails when no peer answers, or the replica is far behind the peers or stays behind them.
func reached(l replicated) func(context.Context) error {
	var progress gateway.Progress
	return func(ctx context.Context) error {
		height, err := l.Height(ctx)
		if err != nil {
			return err
		}
		behind, err := l.Lag(ctx)
		if err != nil {
			return err
		}
		if progress.Stuck(height, behind) || behind > maxBehind {
			return problem.Later(fmt.Sprintf("This gateway's copy of the ledger is %d blocks behind the peers.", behind))
		}
		return nil
	}
}

// counters are the ledger client's figures for /metrics, and when the certificate expires.
func (m *member) counters(l *fabric.Ledger) func() map[string]float64 {
	return func() map[string]float64 {
		c := &l.Metrics
		return map[string]float64{
			"foodtrace_identity_expires_seconds":       float64(m.until.Unix()),
			"foodtrace_ledger_blocks_total":            float64(c.Blocks.Load()),
			"foodtrace_ledger_transactions_total":      float64(c.Txs.Load()),
			"foodtrace_ledger_records_total":           float64(c.Records.Load()),
			"foodtrace_ledger_bytes_total":             float64(c.Bytes.Load()),
			"foodtrace_ledger_conflicts_total":         float64(c.Conflicts.Load()),
			"foodtrace_ledger_failovers_total":         float64(c.Failovers.Load()),
			"foodtrace_ledger_distrusted_blocks_total": float64(c.Distrusted.Load()),
		}
	}
}
