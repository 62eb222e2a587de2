package fabricnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

const (
	channel       = "foodtrace"
	chaincodeTerm = "foodtrace" // name of the chaincode on the channel
	// endorsementPolicy of the chaincode is the channel's, so that it goes along when organisations come and go: a majority.
	endorsementPolicy = "/Channel/Application/Endorsement"
	leaderTimeout     = time.Minute // an election takes some seconds
)

// makeGenesis makes the channel's first block.
func (n *Network) makeGenesis(ctx context.Context) error {
	return n.makeBlock(ctx, n.dir, n.genesis(), n.state.Members)
}

// makeBlock makes a first block of the channel with some members, and leaves what it was made from in dir.
func (n *Network) makeBlock(ctx context.Context, dir, file string, members []contract.Member) error {
	type node struct {
		Host, Cert string
		Port       int
	}
	type organisation struct{ MSP, Dir string }
	data := struct {
		Ordering organisation
		Members  []organisation
		Orderers []node
	}{Ordering: organisation{ordering, n.org(ordering, "msp")}}
	for _, m := range members {
		data.Members = append(data.Members, organisation{m.MSP, n.org(m.MSP, "msp")})
	}
	for _, name := range orderers {
		data.Orderers = append(data.Orderers, node{host, n.org(ordering, name, "tls", "cert.pem"), n.state.port(n.entrance(name))})
	}
	config, err := render("configtx.yaml", data)
	if err != nil {
		return err
	}
	if err := writeFiles(dir, map[string][]byte{"configtx.yaml": config}); err != nil {
		return err
	}
	_, err = n.run(ctx, nil, "configtxgen", "-configPath", dir, "-profile", "foodtrace", "-channelID", channel, "-outputBlock", file)
	return err
}

func (n *Network) genesis() string { return n.path("genesis.block") }

// entrance is the purpose of the port under which all others know an orderer.
func (n *Network) entrance(orderer string) string {
	if n.state.Proxy {
		return orderer + "/proxy"
	}
	return orderer + "/listen"
}

// joinAll has the orderers and the peers join the channel, and waits until the orderers have elected a leader.
func (n *Network) joinAll(ctx context.Context) error {
	for _, name := range orderers {
		if err := n.joinOrderer(ctx, name, n.genesis()); err != nil {
			return err
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	for _, m := range n.state.Members {
		g.Go(func() error { return n.joinPeer(gctx, m.MSP) })
	}
	g.Go(func() error { return n.awaitLeader(gctx) })
	return g.Wait()
}

// joinOrderer has an orderer join the channel, of which the block has the configuration.
func (n *Network) joinOrderer(ctx context.Context, name, block string) error {
	tls := n.org(ordering, admin, "tls")
	_, err := n.run(ctx, nil, "osnadmin", "channel", "join", "--channelID", channel, "--config-block", block, "-o", n.state.address(name+"/admin"),
		"--ca-file", n.org(ordering, "msp", "cacerts", "ca.pem"), "--client-cert", filepath.Join(tls, "cert.pem"), "--client-key", filepath.Join(tls, "key.pem"))
	return err
}

func (n *Network) joinPeer(ctx context.Context, msp string) error {
	_, err := n.peer(ctx, msp, "channel", "join", "-b", n.genesis())
	if err != nil && strings.Contains(err.Error(), "already exists with state [ACTIVE]") {
		return nil
	}
	return err
}

func (n *Network) awaitLeader(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, leaderTimeout)
	defer cancel()
	for {
		leader, err := n.Leader(ctx)
		if err == nil && leader != "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("fabricnet: the orderers elected no leader: %w", errors.Join(err, ctx.Err()))
		case <-time.After(5 * poll):
		}
	}
}

// peer runs Fabric's command line client as the administrator of an organisation: against the member's peer, or, for the
// ordering organisation, which has none, for what goes to the orderers.
func (n *Network) peer(ctx context.Context, msp string, args ...string) ([]byte, error) {
	config := n.org(msp, "peer")
	if msp == ordering {
		config = n.org(n.Members()[0], "peer")
	}
	return n.run(ctx, []string{"FABRIC_CFG_PATH=" + config, "CORE_PEER_LOCALMSPID=" + msp, "CORE_PEER_MSPCONFIGPATH=" + n.org(msp, admin, "msp"), "FABRIC_LOGGING_SPEC=warn"}, "peer", args...)
}

// orderer are the arguments that tell the client which orderer to use: the leader, which nobody has to forward to.
func (n *Network) orderer(ctx context.Context) ([]string, error) {
	leader, err := n.Leader(ctx)
	if err != nil {
		return nil, err
	}
	if leader == "" {
		return nil, errors.New("fabricnet: the orderers have no leader")
	}
	return []string{"--orderer", n.state.address(n.entrance(leader)), "--tls", "--cafile", n.org(ordering, "msp", "cacerts", "ca.pem")}, nil
}

// run runs one of Fabric's tools and returns what it printed. An error has what it complained of.
func (n *Network) run(ctx context.Context, env []string, tool string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(n.bin, tool), args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + n.dir}, env...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &complaints, n.dir
	if err := cmd.Run(); err != nil {
		all, _, _ := strings.Cut(strings.TrimSpace(complaints.String()+"\n"+out.String()), "\nUsage:")
		return nil, fmt.Errorf("fabricnet: %s %s: %w: %s", tool, strings.Join(args[:min(3, len(args))], " "), err, all[max(0, len(all)-logTail):])
	}
	return out.Bytes(), nil
}
