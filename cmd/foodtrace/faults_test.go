package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/fabricnet"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/fabric"
	"github.com/foodtrace-ledger/foodtrace/internal/services"
)

// Under load at two gateways, one part after another fails: no acknowledged record is lost or doubled, verify is clean at the
// end, and how long nobody was served is printed. FOODTRACE_SOAK goes through all faults many times, in any order.
func TestFaults(t *testing.T) {
	services.Enabled(t)
	rounds, seed := 1, uint64(20261124)
	if os.Getenv("FOODTRACE_SOAK") != "" {
		rounds, seed = 10, uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d, %d rounds", seed, rounds)
	c := newCampaign(t, seed)
	faults := c.faults()
	only := regexp.MustCompile(os.Getenv("FOODTRACE_FAULT")) // to look at some of them
	rng := rand.New(rand.NewPCG(seed, 0))
	t.Log("longest times: none acknowledged at gateway a, at b, none final anywhere, from acknowledged to final")
	t.Logf("%-42s %9s %7s %7s %7s %7s %7s", "fault", "documents", "events", "ack a", "ack b", "final", "until")
	for round := range rounds {
		if round > 0 {
			rng.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
		}
		for _, f := range faults {
			if only.MatchString(f.name) {
				c.endure(f)
			}
		}
		c.verify()
	}
}

// mishap is something that goes wrong, and how it ends.
type mishap struct {
	name   string
	strike func()
	mend   func()
}

// How a fault is lived through.
const (
	calm  = 2 * time.Second // of load before it
	away  = 6 * time.Second // it lasts
	after = 3 * time.Minute // until all is well again, on a loaded machine
	pace  = time.Second     // between two documents of a client: what two cores do under the race detector, with some to spare
)

// campaign is a network under load.
type campaign struct {
	*testing.T
	net   *fabricnet.Network
	pg    *services.PostgresServer
	s3    *services.S3Server
	small string // a file system of its own with little room; "": there is none
	a, b  *process
	loads []*load
	audit *audit
}

func newCampaign(t *testing.T, seed uint64) *campaign {
	c := &campaign{T: t, net: fabricnet.ForTest(t, fabricnet.Options{Proxy: true}), pg: services.PostgresFor(t), s3: services.S3(t)}
	dsn, err := c.pg.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.a = newProcess(t, c.net, "producer-a", onPostgres(dsn)+onS3(c.s3, "producer-a"))
	c.b = newProcess(t, c.net, "producer-b", "")
	c.smallDisk()
	c.a.start(0)
	c.b.start(0)
	for i, p := range []*process{c.a, c.b, c.a, c.b} {
		c.loads = append(c.loads, &load{T: t, gateway: p, client: i, seed: seed})
	}
	c.audit = newAudit(t, c.net)
	return c
}

// smallDisk puts gateway b's data on a file system with little room.
func (c *campaign) smallDisk() {
	dir := c.b.data
	if err := os.MkdirAll(dir, 0o700); err != nil {
		c.Fatal(err)
	}
	if err := mountSmall(dir); err != nil {
		c.Logf("no file system can be mounted here, so no disk will be full: %v", err)
		return
	}
	c.small = dir
	c.Cleanup(func() {
		c.b.kill() // it has files open there
		if err := unmount(dir); err != nil {
			c.Error(err)
		}
	})
}

func (c *campaign) faults() []mishap {
	must := func(err error) {
		c.Helper()
		if err != nil {
			c.Fatal(err)
		}
	}
	killed := func(what string) mishap {
		return mishap{"kill -9 of " + what, func() { must(c.net.Kill(what)) }, func() { must(c.net.Start(c.Context(), what)) }}
	}
	leader := ""
	ofLeader := func() string {
		eventually(c.T, "an orderer leads", func() bool {
			name, err := c.net.Leader(c.Context())
			leader = name
			return err == nil && name != ""
		})
		return leader
	}
	list := []mishap{
		{"kill -9 of the orderers' leader", func() { must(c.net.Kill(ofLeader())) }, func() { must(c.net.Start(c.Context(), leader)) }},
		killed(c.processOf("peer", "producer-a")),
		killed(c.processOf("chaincode", "producer-b")),
		{"kill -9 of gateway a", c.a.kill, func() { c.a.start(0) }},
		{"kill -9 of PostgreSQL (gateway a's index)", func() { must(c.pg.Kill()) }, func() { must(c.pg.Restart(c.Context())) }},
		{"kill -9 of the S3 server (a's evidence)", func() { must(c.s3.Kill()) }, func() { must(c.s3.Restart(c.Context())) }},
		{"partition of the orderers' leader", func() { must(c.net.Partition(ofLeader())) }, func() { must(c.net.Heal(leader)) }},
		{"clock of gateway b five minutes ahead", func() { c.b.kill(); c.b.start(5 * time.Minute) }, func() { c.b.kill(); c.b.start(0) }},
		{"clock of gateway b five minutes behind", func() { c.b.kill(); c.b.start(-5 * time.Minute) }, func() { c.b.kill(); c.b.start(0) }},
	}
	if c.small != "" {
		list = append(list, mishap{"full disk at gateway b", func() { must(fillDisk(c.small)) }, func() { must(makeRoom(c.small)) }})
	}
	return list
}

// processOf is the name of a member's process of a kind.
func (c *campaign) processOf(kind, msp string) string {
	for _, name := range c.net.Names() {
		if strings.Contains(name, kind) && strings.Contains(name, msp) {
			return name
		}
	}
	c.Fatalf("there is no %s of %s among %v", kind, msp, c.net.Names())
	return ""
}

// endure puts the network under load, lets a fault strike, and looks whether all that was acknowledged is there, once.
func (c *campaign) endure(f mishap) {
	began := time.Now()
	for _, l := range c.loads {
		l.begin()
	}
	time.Sleep(calm)
	f.strike()
	time.Sleep(away)
	f.mend()
	mended := time.Now()
	for _, l := range c.loads { // served again, to the end
		l.await("a document that was sent after the fault is final", func() bool {
			return slices.ContainsFunc(l.acknowledged, func(d *sent) bool { return d.at.After(mended) && !d.final.IsZero() })
		})
	}
	time.Sleep(calm)
	ended := time.Now()
	served := map[*process][]time.Time{}
	var finals []time.Time
	docs, events, slowest := 0, 0, time.Duration(0)
	for _, l := range c.loads {
		l.end()
		for _, d := range l.acknowledged {
			served[l.gateway], finals = append(served[l.gateway], d.at), append(finals, d.final)
			docs, events, slowest = docs+1, events+len(d.hashes), max(slowest, d.final.Sub(d.at))
		}
		c.audit.expect(l.acknowledged)
		l.acknowledged = nil
	}
	c.audit.check()
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
	longest := func(moments []time.Time) string { return seconds(gap(began.Add(calm), ended, moments)) }
	c.Logf("%-42s %9d %7d %7s %7s %7s %7s", f.name, docs, events, longest(served[c.a]), longest(served[c.b]), longest(finals), seconds(slowest))
	if c.Failed() {
		c.Log(c.a.tail(), c.b.tail())
		c.FailNow()
	}
}

// verify looks at the whole channel, and at the evidence and the index of both gateways.
func (c *campaign) verify() {
	for _, p := range []*process{c.a, c.b} {
		code, out, errOut := run(c.T, "verify", "--config", p.file)
		c.Logf("verify of %s: %s", p.msp, strings.TrimSpace(out))
		if code != 0 {
			c.Errorf("exit %d: %s", code, errOut)
		}
	}
}

// process is a member's gateway as a process of its own, on a fixed address.
type process struct {
	*testing.T
	gatewayOf
	listen string
	log    string
	wait   func() error // nil: it does not run
	signal func(os.Signal) error
}

func newProcess(t *testing.T, n *fabricnet.Network, msp, more string) *process {
	p := &process{T: t, listen: freeAddress(t)}
	p.msp = msp
	p.file, p.data = memberConfig(t, n, msp, more)
	p.url, p.log = "http://"+p.listen, filepath.Join(filepath.Dir(p.file), "log")
	t.Cleanup(p.kill)
	return p
}

// start starts it on a clock that is off, and returns when it serves.
func (p *process) start(clock time.Duration) {
	p.Helper()
	if p.token == "" {
		p.token = strings.TrimSpace(must(p.T, "token", "create", "--config", p.file, "--member", p.msp, "--role", roleOf(p.msp)))
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.Fatal(err)
	}
	defer log.Close()
	cmd := start(p.T, clock, log, log, "serve", "--config", p.file, "--listen", p.listen)
	p.wait, p.signal = cmd.Wait, cmd.Process.Signal
	eventually(p.T, p.msp+" serves", func() bool {
		var answer struct{ Status string }
		return remote{Server: p.url}.get(p.Context(), "/readyz", nil, &answer) == nil
	})
}

// kill is kill -9.
func (p *process) kill() {
	if p.wait == nil {
		return
	}
	_ = p.signal(syscall.SIGKILL)
	_ = p.wait() // it was killed
	p.wait = nil
}

func (p *process) tail() string {
	b, _ := os.ReadFile(p.log)
	var lines []string
	for line := range strings.Lines(string(b)) {
		if !strings.Contains(line, "msg=request") || !strings.Contains(line, "level=INFO") {
			lines = append(lines, line)
		}
	}
	return p.msp + ":\n" + strings.Join(lines[max(0, len(lines)-40):], "")
}

// audit reads the ledger for itself.
type audit struct {
	*testing.T
	ledger   *fabric.Ledger
	next     uint64         // height up to which it has read
	accepted map[string]int // event hash → how often the ledger has it
	promised map[string]bool
}

func newAudit(t *testing.T, n *fabricnet.Network) *audit {
	by, err := n.Signer("retailer", "gateway")
	if err != nil {
		t.Fatal(err)
	}
	l, err := fabric.Open(fabric.Options{Config: n.Config("retailer"), Identity: by, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return &audit{T: t, ledger: l, accepted: map[string]int{}, promised: map[string]bool{}}
}

func (a *audit) expect(docs []*sent) {
	for _, d := range docs {
		for _, h := range d.hashes {
			a.promised[h] = true
		}
	}
}

// check reads all new blocks: each event that was promised is there exactly once, and none is there twice.
func (a *audit) check() {
	a.Helper()
	eventually(a.T, "the audit has all blocks", func() bool {
		behind, err := a.ledger.Lag(a.Context())
		return err == nil && behind == 0
	})
	height, err := a.ledger.Height(a.Context())
	if err != nil {
		a.Fatal(err)
	}
	ctx, cancel := context.WithCancel(a.Context())
	defer cancel()
	for b, err := range a.ledger.Blocks(ctx, a.next) {
		if err != nil {
			a.Fatal(err)
		}
		for _, tx := range b.Txs {
			for _, o := range tx.Outcomes {
				if o.Status == contract.Accepted && strings.HasPrefix(o.ID, "ni:") {
					a.accepted[o.ID]++
				}
			}
		}
		if a.next = b.Height + 1; a.next == height {
			break
		}
	}
	lost, doubled := 0, 0
	for h := range a.promised {
		if a.accepted[h] == 0 {
			lost++
		}
	}
	for _, n := range a.accepted {
		if n > 1 {
			doubled++
		}
	}
	if lost+doubled > 0 {
		a.Errorf("%d acknowledged events are lost, %d events are there more than once", lost, doubled)
	}
}
