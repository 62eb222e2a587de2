// Package fabricnet runs a real Hyperledger Fabric network on this machine: fabric-ca-server, three orderers (etcdraft), a
// peer and a chaincode service for each member, TLS between all of them, without Docker. It is there for trying things out
// and for tests; docs/operations.md says how the same network is laid out over several hosts.
package fabricnet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/tools"
)

// Options say what network it is. Those of a network that exists already are kept, apart from Progress and Detach.
type Options struct {
	Dir       string            // everything of the network is in here
	Progress  io.Writer         // what is done, a line for each step; nil: nowhere
	Chaincode string            // the chaincode service, an executable; it is copied
	Members   []contract.Member // who is on it, the first a regulator; nil: DefaultMembers
	Detach    bool              // the network outlives this process; else it ends with it (on Linux)
	Proxy     bool              // put a proxy before each orderer, for Partition; not with Detach
	HighS     bool              // sign the authorities' certificates in the way that other software than Fabric's does half of the time
}

// Network is a network on this machine. Its methods may be called from several goroutines.
type Network struct {
	dir     string
	options Options
	state   *state
	bin     string // Fabric's programs
	caBin   string // fabric-ca-server
	proxies *proxies
	started time.Time
}

// DefaultMembers are a regulator, two producers and a retailer.
func DefaultMembers() []contract.Member {
	text := func(zh, en string) contract.Text { return contract.Text{ZH: zh, EN: en} }
	return []contract.Member{
		{MSP: "regulator", Name: text("市场监督管理局", "Market Regulator"), Roles: []contract.Role{contract.Regulator}},
		{MSP: "producer-a", Name: text("甲食品生产企业", "Producer A"), Roles: []contract.Role{contract.Producer, contract.Processor}},
		{MSP: "producer-b", Name: text("乙食品生产企业", "Producer B"), Roles: []contract.Role{contract.Producer, contract.Processor}},
		{MSP: "retailer", Name: text("零售企业", "Retailer"), Roles: []contract.Role{contract.Retailer, contract.Wholesaler, contract.Carrier}},
	}
}

// Dir is the network's directory.
func (n *Network) Dir() string { return n.dir }

// Up makes the network in a directory run: it builds it in an empty one, and starts in another what does not run. Errors that
// mean that nothing was begun: ErrDirectory, ErrBusy.
func Up(ctx context.Context, o Options) (*Network, error) {
	if o.Proxy && o.Detach {
		return nil, errors.New("fabricnet: the proxies end with this process, so they cannot serve a network that outlives it")
	}
	if err := prepare(o.Dir); err != nil {
		return nil, err
	}
	unlock, err := lock(o.Dir)
	if err != nil {
		return nil, err
	}
	defer unlock()
	n, err := at(o)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := n.needTools(ctx); err != nil {
		return nil, err
	}
	if n.state != nil && n.state.Ready {
		return n, n.startMissing(ctx)
	}
	return n, n.build(ctx)
}

// Open returns the network in a directory, running or not. fs.ErrNotExist: there is none.
func Open(ctx context.Context, o Options) (*Network, error) {
	n, err := at(o)
	if err != nil {
		return nil, err
	}
	return n, n.needTools(ctx)
}

// Down stops the network in a directory and removes it; with keep, the directory stays and Up continues the network.
// fs.ErrNotExist: there is none. ErrBusy.
func Down(dir string, keep bool) error {
	n, err := at(Options{Dir: dir})
	if err != nil {
		return err
	}
	return n.Down(keep)
}

// at is the network in a directory, without a state where there is none (fs.ErrNotExist).
func at(o Options) (*Network, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	n := &Network{dir: dir, options: o, started: time.Now()}
	n.state, err = load(dir)
	return n, err
}

// needTools finds Fabric's programs, and builds them where they are not there yet.
func (n *Network) needTools(ctx context.Context) (err error) {
	if n.bin, err = tools.Build(ctx, tools.Fabric, n.options.Progress); err != nil {
		return err
	}
	n.caBin, err = tools.Build(ctx, tools.FabricCA, n.options.Progress)
	return err
}

// step says what is done next, and the time since the beginning.
func (n *Network) step(format string, args ...any) {
	fmt.Fprintf(n.options.Progress, "%5.1f s  %s\n", time.Since(n.started).Seconds(), fmt.Sprintf(format, args...))
}

// build makes a new network. One that was not finished is worth nothing: it begins anew.
func (n *Network) build(ctx context.Context) error {
	if err := n.stop(); err != nil {
		return err
	}
	if err := empty(n.dir); err != nil {
		return err
	}
	n.state = &state{Members: n.options.Members, CASecret: rand.Text(), Proxy: n.options.Proxy}
	if n.state.Members == nil {
		n.state.Members = DefaultMembers()
	}
	if err := n.state.choosePorts(); err != nil {
		return err
	}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"writing the configuration", n.configure},
		{"starting the certificate authorities", func(ctx context.Context) error { return n.Start(ctx, "ca") }},
		{"issuing the certificates of all organisations", n.enrollAll},
		{"making the channel's first block", n.makeGenesis},
		{"starting three orderers and a peer of each member", n.startNodes},
		{"joining the channel", n.joinAll},
		{"deploying the chaincode: install, approve, commit", n.deployFirst},
		{"registering the members on the ledger", n.registerMembers},
	} {
		n.step("%s", step.what)
		if err := step.do(ctx); err != nil {
			return err
		}
	}
	n.state.Ready = true
	if err := n.writeMembers(); err != nil {
		return err
	}
	n.step("the network runs")
	return nil
}

func (n *Network) configure(context.Context) error {
	for _, dir := range []string{"log", "tmp"} {
		if err := os.MkdirAll(n.path(dir), 0o700); err != nil {
			return fmt.Errorf("fabricnet: %w", err)
		}
	}
	if err := writeFiles(n.path("builder"), builder); err != nil {
		return err
	}
	for _, msp := range n.organisations() {
		if err := n.writeCA(msp, nil); err != nil {
			return err
		}
	}
	if err := n.writeCAServer(); err != nil {
		return err
	}
	for _, name := range orderers {
		if err := n.writeOrderer(name); err != nil {
			return err
		}
	}
	for _, m := range n.state.Members {
		if err := n.writePeer(m.MSP); err != nil {
			return err
		}
	}
	return n.save()
}

func (n *Network) startNodes(ctx context.Context) error {
	if n.options.Proxy {
		if err := n.startProxies(); err != nil {
			return err
		}
	}
	_, err := n.startAll(ctx)
	return err
}

// startAll starts what does not run, all at once, and returns the names.
func (n *Network) startAll(ctx context.Context) ([]string, error) {
	found, err := n.find()
	if err != nil {
		return nil, err
	}
	var names []string
	g, gctx := errgroup.WithContext(ctx)
	for _, p := range n.processes() {
		if _, runs := found[p.id]; !runs {
			names = append(names, p.name)
			g.Go(func() error { return n.start(gctx, p) })
		}
	}
	return names, g.Wait()
}

// startMissing starts what does not run of a network that was complete once.
func (n *Network) startMissing(ctx context.Context) error {
	if n.options.Proxy {
		if err := n.startProxies(); err != nil {
			return err
		}
	}
	names, err := n.startAll(ctx)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		n.step("the network runs already")
		return nil
	}
	n.step("started: %v", names)
	if err := n.awaitLeader(ctx); err != nil {
		return err
	}
	adopted, err := n.finishUpgrade(ctx)
	if adopted {
		_, err = n.startAll(ctx)
	}
	return err
}

func (n *Network) deployFirst(ctx context.Context) error {
	return n.deploy(ctx, n.options.Chaincode, chaincode{Version: "1", Sequence: 1})
}

// Down stops the network and removes it; with keep, its directory stays and Up continues it. ErrBusy.
func (n *Network) Down(keep bool) error {
	unlock, err := lock(n.dir)
	switch {
	case err == nil:
		defer unlock()
	case !errors.Is(err, fs.ErrNotExist): // else it was removed before, but for what may still run
		return err
	}
	if n.proxies != nil {
		n.proxies.close()
	}
	if err := n.stop(); keep || err != nil {
		return err
	}
	if err := os.RemoveAll(n.dir); err != nil {
		return fmt.Errorf("fabricnet: %w", err)
	}
	return nil
}
