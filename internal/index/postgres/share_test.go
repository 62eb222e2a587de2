package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/indextest"
	"github.com/foodtrace-ledger/foodtrace/internal/index/postgres"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/services"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
	"github.com/foodtrace-ledger/foodtrace/internal/trace/tracetest"
)

// patience is for what takes a moment on a machine of one's own, and a minute on one that does ten other things.
const patience = 3 * time.Minute

// grow adds n blocks in which lots are made of lots, moved, packed and declared wrong; it says the same every time.
func grow(t testing.TB, c *indextest.Chain, n int) {
	for range n {
		i := len(c.All())
		text := fmt.Sprintf("1 make L%d:5KGM -> L%d:5KGM @farm\n2 pack L%d:5KGM in P%d\n3 obs P%d ^farm >shop !shipping", i, i+1, i+1, i, i)
		if i%7 == 6 {
			text += "\nvoid 2"
		}
		var entries []indextest.Entry
		for _, e := range tracetest.Parse(t, text) {
			entries = append(entries, indextest.Event(e))
		}
		c.Add("M", entries...)
	}
}

// slow is a ledger from which a block comes every few milliseconds.
type slow struct{ *indextest.Chain }

func (s slow) Blocks(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for b, err := range s.Chain.Blocks(ctx, from) {
			select {
			case <-time.After(5 * time.Millisecond):
			case <-ctx.Done():
				return
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

// gateway is an index and the projector that keeps it.
type gateway struct {
	*postgres.Index
	*index.Projector
	stop func() error // returns what the projector did
}

func start(t *testing.T, source index.Source, dsn string) *gateway {
	ix := open(t, dsn, postgres.Options{})
	g := &gateway{Index: ix, Projector: index.NewProjector(source, ix)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	g.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := g.stop(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// await waits until a gateway has all blocks, and asks it for the newest lot's whole past.
func (g *gateway) await(t *testing.T, c *indextest.Chain) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	n := len(c.All())
	if err := g.WaitFor(ctx, uint64(n-1)); err != nil {
		t.Fatalf("block %d: %v (at %d)", n-1, err, g.Height())
	}
	r, err := trace.Run(ctx, g.Index, trace.Query{Item: tracetest.Key(fmt.Sprintf("L%d", n)), Direction: trace.Back, Limits: trace.Limits{MaxItems: 1e5, MaxDepth: 1e5}})
	if err != nil {
		t.Fatal(err)
	}
	lots := 0
	for _, node := range r.Nodes {
		if strings.HasPrefix(tracetest.Name(node.Key), "L") { // else a pallet
			lots++
		}
	}
	if lots != n+1 {
		t.Errorf("%d lots in the trace, want %d", lots, n+1)
	}
}

// admin asks the database what no gateway would.
type admin struct {
	t    *testing.T
	conn *pgx.Conn
}

func administer(t *testing.T, dsn string) admin {
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return admin{t, conn}
}

const lockHolder = "FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()"

// leader is the application name of who leads, "" while nobody does.
func (a admin) leader() (name string) {
	a.t.Helper()
	err := a.conn.QueryRow(a.t.Context(), "SELECT a.application_name "+lockHolder).Scan(&name)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		a.t.Fatal(err)
	}
	return name
}

// newLeader waits for one that is none of these.
func (a admin) newLeader(not ...string) string {
	a.t.Helper()
	for began := time.Now(); time.Since(began) < patience; time.Sleep(20 * time.Millisecond) {
		name := a.leader()
		for _, n := range append(not, "") {
			if name == n {
				name = ""
			}
		}
		if name != "" {
			return name
		}
	}
	a.t.Fatalf("nobody but %v leads", not)
	return ""
}

// TestFollowers: three gateways have every block as soon as they say so, whoever applies it, also one that comes late.
func TestFollowers(t *testing.T) {
	dsn, c := services.Postgres(t), indextest.NewChain()
	grow(t, c, 20)
	gateways := []*gateway{start(t, c, dsn), start(t, c, dsn), start(t, c, dsn)}
	for range 20 {
		grow(t, c, 1)
		for _, g := range gateways {
			g.await(t, c)
		}
	}
	start(t, c, dsn).await(t, c)
	same(t, gateways[1], c)
}

// TestLostConnections: connections of whoever leads or applies are cut, again and again.
func TestLostConnections(t *testing.T) {
	dsn, c := services.Postgres(t), indextest.NewChain()
	a := administer(t, dsn)
	gateways := []*gateway{start(t, slow{c}, dsn), start(t, slow{c}, dsn)}
	for i := range 10 {
		grow(t, c, 40)
		query := "SELECT pg_terminate_backend(a.pid) " + lockHolder
		if i%2 == 1 {
			query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
		}
		if _, err := a.conn.Exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
	}
	for _, g := range gateways {
		g.await(t, c)
	}
	same(t, gateways[0], c)
}

// TestServerKilled: PostgreSQL is killed. Readers are told so, and the gateways go on when it is back.
func TestServerKilled(t *testing.T) {
	server := services.PostgresFor(t)
	dsn, err := server.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := indextest.NewChain()
	gateways := []*gateway{start(t, slow{c}, dsn), start(t, slow{c}, dsn)}
	for range 3 {
		grow(t, c, 60)
		time.Sleep(200 * time.Millisecond)
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if _, err := gateways[0].Item(t.Context(), tracetest.Key("L1")); !errors.Is(err, index.ErrUnavailable) {
			t.Errorf("a read while the server is away: %v", err)
		}
		grow(t, c, 10)
		began := time.Now()
		if err := server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, g := range gateways {
			g.await(t, c)
		}
		t.Logf("the server was started again and everything read %v later", time.Since(began).Round(time.Millisecond))
	}
	same(t, gateways[1], c)
}

// stuck is a ledger that gives no more blocks after some, as when a gateway's peer is out of reach.
type stuck struct {
	*indextest.Chain
	after uint64
}

func (s stuck) Blocks(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for b, err := range s.Chain.Blocks(ctx, from) {
			if b.Height >= s.after {
				<-ctx.Done()
				return
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

// TestStuckLeader: one that gets no blocks loses the lead to one that does.
func TestStuckLeader(t *testing.T) {
	dsn, c := services.Postgres(t), indextest.NewChain()
	grow(t, c, 10)
	a := administer(t, dsn)
	first := start(t, stuck{c, 10}, dsn+"&application_name=stuck")
	first.await(t, c)
	if name := a.newLeader(); name != "stuck" {
		t.Fatalf("%s leads", name)
	}
	start(t, c, dsn+"&application_name=well")
	grow(t, c, 10)
	began := time.Now()
	first.await(t, c)
	t.Logf("taken over after %v", time.Since(began).Round(time.Millisecond))
	if name := a.newLeader(); name != "well" {
		t.Errorf("%s leads", name)
	}
}

// The name of the variable that makes the test binary a gateway process, and how many blocks its ledger has.
const (
	gatewayProcess = "FOODTRACE_TEST_GATEWAY"
	processBlocks  = 1500
)

// TestGatewayProcess is not a test: it is a gateway in a process of its own, which somebody kills.
func TestGatewayProcess(t *testing.T) {
	dsn := os.Getenv(gatewayProcess)
	if dsn == "" {
		t.Skip("TestKilledLeader runs this, in processes of its own")
	}
	c := indextest.NewChain()
	grow(t, c, processBlocks)
	ix := open(t, dsn, postgres.Options{})
	if err := index.NewProjector(slow{c}, ix).Run(t.Context()); err != nil {
		t.Error(err)
	}
}

func spawn(t *testing.T, dsn, name string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestGatewayProcess$")
	cmd.Env = append(os.Environ(), gatewayProcess+"="+dsn+"&application_name="+name)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// TestKilledLeader: of three processes whoever leads is killed again and again, and one is frozen while it leads: it wakes up
// when another one has gone on.
func TestKilledLeader(t *testing.T) {
	dsn, c := services.Postgres(t), indextest.NewChain()
	grow(t, c, processBlocks)
	// The observer has no block to apply: when it gets the lead, it loses it again after twenty seconds.
	observer := start(t, stuck{c, 0}, dsn+"&application_name=observer")
	a := administer(t, dsn)
	processes := map[string]*exec.Cmd{}
	add := func(i int) {
		name := fmt.Sprintf("process-%d", i)
		processes[name] = spawn(t, dsn, name)
	}
	for i := range 3 {
		add(i)
	}
	for i := range 6 {
		name := a.newLeader("observer")
		at := observer.Height()
		for began := time.Now(); observer.Height() < min(at+50, processBlocks) && time.Since(began) < patience; {
			time.Sleep(10 * time.Millisecond)
		}
		p := processes[name]
		if i == 2 {
			if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			other := a.newLeader(name, "observer")
			t.Logf("%s froze at block %d, %s leads %v later", name, at, other, time.Since(began).Round(time.Millisecond))
			if err := p.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			continue
		}
		began := time.Now()
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		add(3 + i)
		other := a.newLeader(name, "observer")
		t.Logf("%s killed at block %d, %s leads %v later", name, observer.Height(), other, time.Since(began).Round(time.Millisecond))
	}
	observer.await(t, c)
	same(t, observer, c)
}
