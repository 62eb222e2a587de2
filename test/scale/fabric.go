package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/foodtrace-ledger/foodtrace/internal/fabricnet"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/fabric"
)

// openFabric starts a network and opens the ledger at its first member's gateway. The network is removed with it.
func (s *system) openFabric(ctx context.Context, c *closers) error {
	chaincode, err := fabricnet.BuildChaincode(ctx, s.dir)
	if err != nil {
		return err
	}
	home := filepath.Join(s.dir, "network")
	n, err := fabricnet.Up(ctx, fabricnet.Options{Dir: home, Progress: os.Stderr, Chaincode: chaincode})
	if n != nil {
		c.add(func() error { return n.Down(false) })
	}
	if err != nil {
		return err
	}
	signers := map[string]ledger.Signer{}
	for _, msp := range n.Members() {
		if signers[msp], err = n.Signer(msp, user); err != nil {
			return err
		}
	}
	first := n.Members()[0]
	options := fabric.Options{Config: n.Config(first), Identity: signers[first], Dir: filepath.Join(s.dir, "replica")}
	l, err := fabric.Open(options)
	if err != nil {
		return err
	}
	c.add(l.Close)
	s.ledger, s.signer = l, spread(n.Members(), signers)
	s.sizes = networkSizes(home, first, options.Dir)
	options.Dir = filepath.Join(s.dir, "replica2")
	s.catchUp = func(ctx context.Context) error { return catchUp(ctx, options, s.next) }
	return nil
}

// networkSizes are what grows at a member's peer, an orderer and a gateway.
func networkSizes(home, member, replica string) []stored {
	peer := filepath.Join(home, "organisations", member, "peer", "data", "ledgersData")
	orderer := filepath.Join(home, "organisations", "orderers", "orderer1", "data")
	return []stored{
		{name: "a gateway: replica", path: replica},
		{name: "a peer: blocks", path: filepath.Join(peer, "chains", "chains")},
		{name: "a peer: index of blocks", path: filepath.Join(peer, "chains", "index")},
		{name: "a peer: state database", path: filepath.Join(peer, "stateLeveldb")},
		{name: "a peer: all", path: peer},
		{name: "an orderer: blocks", path: filepath.Join(orderer, "ledger")},
		{name: "an orderer: log of the consensus", path: filepath.Join(orderer, "wal")},
	}
}

// catchUp makes a replica with so many blocks.
func catchUp(ctx context.Context, options fabric.Options, height uint64) (err error) {
	l, err := fabric.Open(options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	for b, err := range l.Blocks(ctx, height-1) {
		if b != nil || err != nil {
			return err
		}
	}
	return ctx.Err()
}

// authorities are the members of the simulated world that write acts.
var authorities = map[string]bool{"shandong-amr": true, "qingdao-customs": true, "qilu-lab": true}

// spread has the first member, a regulator, sign for all authorities, and the others in turn for the firms of the world.
func spread(members []string, signers map[string]ledger.Signer) func(string) (ledger.Signer, error) {
	turn := map[string]string{}
	return func(msp string) (ledger.Signer, error) {
		if authorities[msp] {
			return signers[members[0]], nil
		}
		if turn[msp] == "" {
			turn[msp] = members[1+len(turn)%(len(members)-1)]
		}
		return signers[turn[msp]], nil
	}
}
