package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/fabricnet"
)

type networkCmd struct {
	Up      networkUpCmd      `cmd:"" help:"Make a Fabric network run: regulator, two producers, a retailer."`
	Status  networkStatusCmd  `cmd:"" help:"Say how the network is, and what is wrong with it."`
	Down    networkDownCmd    `cmd:"" help:"Stop the network and remove it."`
	Add     networkAddCmd     `cmd:"" help:"Bring a further organisation onto the running network."`
	Remove  networkRemoveCmd  `cmd:"" help:"Take an organisation off the running network."`
	Revoke  networkRevokeCmd  `cmd:"" help:"Revoke the certificates of a member's user."`
	Renew   networkRenewCmd   `cmd:"" help:"Get new certificates for a member's users, peer and chaincode service."`
	Replace networkReplaceCmd `cmd:"" help:"Put a new orderer in the place of one that lost its data."`
	Upgrade networkUpgradeCmd `cmd:"" help:"Replace the chaincode of the running network."`
}

// networkDir is where a network is.
type networkDir struct {
	Dir string `default:"network" env:"FOODTRACE_NETWORK" type:"path" help:"Directory of the network."`
}

// open returns the network there. Progress goes to the log's side of the terminal.
func (d networkDir) open(a *app) (*fabricnet.Network, error) {
	n, err := fabricnet.Open(a.ctx, fabricnet.Options{Dir: d.Dir, Progress: a.err, Detach: true})
	return n, d.explain(err)
}

func (d networkDir) explain(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no network in %s; foodtrace network up --dir %s makes one", d.Dir, fabricnet.ShellQuote(d.Dir))
	}
	return err
}

// chaincodeProgram is the flag for the chaincode service.
type chaincodeProgram struct {
	Chaincode string `env:"FOODTRACE_CHAINCODE" type:"path" help:"The chaincode service, foodtrace-chaincode. Default: the one beside this program, else it is built with the go command."`
}

// find returns the program, building it into a temporary directory, which done removes, where there is none.
func (c chaincodeProgram) find(ctx context.Context, a *app) (file string, done func() error, err error) {
	done = func() error { return nil }
	if c.Chaincode != "" {
		return c.Chaincode, done, nil
	}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), fabricnet.ChaincodeProgram)
		if _, err := os.Stat(beside); err == nil {
			return beside, done, nil
		}
	}
	fmt.Fprintln(a.err, "building the chaincode service")
	dir, err := os.MkdirTemp("", "foodtrace-chaincode-")
	if err != nil {
		return "", nil, err
	}
	if file, err = fabricnet.BuildChaincode(ctx, dir); err != nil {
		return "", nil, errors.Join(fmt.Errorf("%w (name the program with --chaincode)", err), os.RemoveAll(dir))
	}
	return file, func() error { return os.RemoveAll(dir) }, nil
}

type networkUpCmd struct {
	networkDir
	chaincodeProgram
	At string `arg:"" optional:"" name:"directory" type:"path" help:"The same as --dir."`
}

func (networkUpCmd) Help() string {
	return "Example:\n  foodtrace network up --dir network\n\n" +
		"Three orderers, a peer and a chaincode service for each of four members, and a certificate authority for each, all on 127.0.0.1. In an empty\n" +
		"directory it builds the network; in another it starts what does not run. The first time, it builds Fabric's programs from their source, which takes\n" +
		"some minutes and needs Go and a C compiler; they are kept in the user's cache directory."
}

func (c *networkUpCmd) Run(a *app) (err error) {
	c.Dir = cmp.Or(c.At, c.Dir)
	file, done, err := c.find(a.ctx, a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	n, err := fabricnet.Up(a.ctx, fabricnet.Options{Dir: c.Dir, Progress: a.err, Chaincode: file, Detach: true})
	dir := fabricnet.ShellQuote(c.Dir)
	if errors.Is(err, fabricnet.ErrBusy) || errors.Is(err, fabricnet.ErrDirectory) {
		return err
	}
	if err != nil {
		return fmt.Errorf("%w\nfoodtrace network up --dir %s goes on; foodtrace network down --dir %s removes what there is", err, dir, dir)
	}
	members := n.Members()
	p := func(format string, args ...any) { fmt.Fprintf(a.out, format, args...) }
	p("\nThe network runs in %s.\n\nServe the gateways of two members, each in a terminal of its own:\n", c.Dir)
	for _, msp := range members[:2] {
		p("  foodtrace serve --config %s\n", fabricnet.ShellQuote(n.MemberFile(msp)))
	}
	p("\nA token for each:\n")
	for i, role := range []contract.Role{contract.Regulator, contract.Producer} {
		p("  foodtrace token create --config %s --member %s --role %s\n", fabricnet.ShellQuote(n.MemberFile(members[i])), members[i], role)
	}
	p("\nfoodtrace network status --dir %s says how it is; foodtrace network down --dir %s stops and removes it.\n", dir, dir)
	return nil
}

type networkStatusCmd struct {
	networkDir
	output
}

func (networkStatusCmd) Help() string {
	return "Example:\n  foodtrace network status --dir network\n\nExit code 1: something is wrong, and was named."
}

func (c *networkStatusCmd) Run(a *app) error {
	n, err := c.open(a)
	if err != nil {
		return err
	}
	s, err := n.Status(a.ctx)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		err = writeJSON(a.out, s)
	} else {
		err = printStatus(a.out, s)
	}
	if err == nil && len(s.Problems) > 0 {
		return errNo
	}
	return err
}

func printStatus(w io.Writer, s *fabricnet.Status) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	p := func(format string, args ...any) { fmt.Fprintf(t, format, args...) }
	p("network\t%s\nchannel\t%s\nchaincode\tversion %s, sequence %d\nleader\t%s\n\n", s.Dir, s.Channel, cmp.Or(s.Chaincode.Version, "unknown"), s.Chaincode.Sequence, cmp.Or(s.Leader, "none"))
	p("PROCESS\tSTATE\tSINCE\tBLOCKS\tADDRESS\n")
	for _, node := range s.Nodes {
		state, since, height := "down", "", ""
		if node.Running {
			state, since = "up", node.Since.Local().Format(time.DateTime)
		}
		if node.Height != nil {
			height = fmt.Sprint(*node.Height)
		}
		p("%s\t%s\t%s\t%s\t%s\n", node.Name, state, since, height, node.Address)
	}
	if len(s.Certificates) > 0 {
		first := s.Certificates[0]
		p("\n%d certificates; the first to expire is %s, on %s\n", len(s.Certificates), first.Name, first.Expires.Format(time.DateOnly))
	}
	p("\n")
	if len(s.Problems) == 0 {
		p("nothing is wrong\n")
	}
	for _, problem := range s.Problems {
		p("WRONG: %s\n", problem)
	}
	return t.Flush()
}

type networkDownCmd struct {
	networkDir
	Keep  bool `help:"Stop it only; foodtrace network up continues it."`
	Force bool `help:"Remove it although gateways run on the data in it."`
}

func (networkDownCmd) Help() string {
	return "Example:\n  foodtrace network down --dir network\n\nIt asks nothing: all that is in the directory is lost, except with --keep. While gateways run on\n" +
		"the data directories in it, it refuses: what their senders were promised would be lost with them."
}

func (c *networkDownCmd) Run(a *app) error {
	if !c.Keep && !c.Force {
		running, err := fabricnet.Gateways(c.Dir)
		if err != nil {
			return c.explain(err)
		}
		if len(running) > 0 {
			return fmt.Errorf("the gateways of %s run on data in %s: stop them first; --force removes it under them, --keep stops the network only", strings.Join(running, ", "), c.Dir)
		}
	}
	if err := fabricnet.Down(c.Dir, c.Keep); err != nil {
		return c.explain(err)
	}
	if c.Keep {
		fmt.Fprintf(a.out, "the network in %s is stopped\n", c.Dir)
	} else {
		fmt.Fprintf(a.out, "the network in %s is stopped and removed\n", c.Dir)
	}
	return nil
}

type networkAddCmd struct {
	networkDir
	MSP    string          `arg:"" help:"MSP ID of the organisation."`
	Role   []contract.Role `required:"" help:"Its roles: producer, processor, carrier, wholesaler, retailer, laboratory, regulator."`
	NameZH string          `name:"name-zh" help:"Its name in Chinese."`
	NameEN string          `name:"name-en" help:"Its name in English."`
	By     []string        `help:"Members that sign the change of the channel. Default: as many as a majority needs."`
}

func (networkAddCmd) Help() string {
	return "Example:\n  foodtrace network add carrier --role carrier --name-zh 冷链物流 --name-en 'Cold Chain Logistics'\n\n" +
		"It gets an authority, a peer and a chaincode service. A majority of the members has to sign; with fewer it is refused."
}

func (c *networkAddCmd) Run(a *app) error {
	n, err := c.open(a)
	if err != nil {
		return err
	}
	m := contract.Member{MSP: c.MSP, Name: contract.Text{ZH: cmp.Or(c.NameZH, c.MSP), EN: cmp.Or(c.NameEN, c.MSP)}, Roles: c.Role}
	if err := n.AddOrganisation(a.ctx, m, c.By...); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s is on the network; its gateway: foodtrace serve --config %s\nGateways that run learn of its peer when they are started again.\n", c.MSP, fabricnet.ShellQuote(n.MemberFile(c.MSP)))
	return nil
}

type networkRemoveCmd struct {
	networkDir
	MSP string   `arg:"" help:"MSP ID of the organisation."`
	By  []string `help:"Members that sign the change of the channel. Default: as many as a majority needs."`
}

func (networkRemoveCmd) Help() string {
	return "Example:\n  foodtrace network remove carrier\n\nA majority of the members has to sign; with fewer it is refused. What the organisation wrote stays on the ledger."
}

func (c *networkRemoveCmd) Run(a *app) error {
	n, err := c.open(a)
	if err != nil {
		return err
	}
	if err := n.RemoveOrganisation(a.ctx, c.MSP, c.By...); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s is off the network\n", c.MSP)
	return nil
}

type networkRevokeCmd struct {
	networkDir
	MSP  string `arg:"" help:"MSP ID of the member."`
	User string `arg:"" help:"Its user: gateway or inspector."`
}

func (networkRevokeCmd) Help() string {
	return "Example:\n  foodtrace network revoke producer-a inspector\n\nFrom the block on that has the revocation list, nothing that the user signs is valid."
}

func (c *networkRevokeCmd) Run(a *app) error {
	n, err := c.open(a)
	if err != nil {
		return err
	}
	if err := n.Revoke(a.ctx, c.MSP, c.User); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "the certificates of %s at %s are revoked\n", c.User, c.MSP)
	return nil
}

type networkRenewCmd struct {
	networkDir
	MSP string `arg:"" help:"MSP ID of the member, or orderers."`
}

func (networkRenewCmd) Help() string {
	return "Example:\n  foodtrace network renew producer-a\n\nIt gets new certificates from its authority and starts its nodes again, one after the other. A gateway has to be started again to use its new one."
}

func (c *networkRenewCmd) Run(a *app) error {
	n, err := c.open(a)
	if err != nil {
		return err
	}
	if err := n.Renew(a.ctx, c.MSP); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s has new certificates\n", c.MSP)
	return nil
}

type networkReplaceCmd struct {
	networkDir
	Orderer string `arg:"" help:"Its name: orderer1, orderer2 or orderer3."`
}

func (networkReplaceCmd) Help() string {
	return "Example:\n  foodtrace network replace orderer2\n\nThe other two have to run. It gets new certificates and all blocks from them."
}

func (c *networkReplaceCmd) Run(a *app) error {
	n, err := c.open(a)
	if err != nil {
		return err
	}
	if err := n.ReplaceOrderer(a.ctx, c.Orderer); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s is a new orderer\n", c.Orderer)
	return nil
}

type networkUpgradeCmd struct {
	networkDir
	chaincodeProgram
	Version string `arg:"" help:"Name of the new version, e.g. 1.1."`
}

func (networkUpgradeCmd) Help() string {
	return "Example:\n  foodtrace network upgrade 1.1 --chaincode ./foodtrace-chaincode\n\nThe new services run before the members approve and one commits; the old ones stop afterwards, so nothing has to wait."
}

func (c *networkUpgradeCmd) Run(a *app) (err error) {
	n, err := c.open(a)
	if err != nil {
		return err
	}
	file, done, err := c.find(a.ctx, a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if err := n.UpgradeChaincode(a.ctx, file, c.Version); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "the network runs chaincode %s\n", c.Version)
	return nil
}
