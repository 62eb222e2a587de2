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

// openFabric starts a network and makes an empty system at its first member's gateway. done stops and removes the network.
func openFabric(ctx context.Context, dir string) (s *system, done func() error, err error) {
	chaincode, err := fabricnet.BuildChaincode(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	home := filepath.Join(dir, "network")
	n, err := fabricnet.Up(ctx, fabricnet.Options{Dir: home, Progress: os.Stderr, Chaincode: chaincode})
	if err != nil {
		if n != nil {
			err = errors.Join(err, n.Down(false))
		}
		return nil, nil, err
	}
	signers := map[string]ledger.Signer{}
	for _, msp := range n.Members() {
		if signers[msp], err = n.Signer(msp, user); err != nil {
			return nil, nil, errors.Join(err, n.Down(false))
		}
	}
	first := n.Members()[0]
	replica := filepath.Join(dir, "replica")
	options := fabric.Options{Config: n.Config(first), Identity: signers[first], Dir: replica}
	l, err := fabric.Open(options)
	if err != nil {
		return nil, nil, errors.Join(err, n.Down(false))
	}
	s, done, err = around(dir, l, func() error { return errors.Join(l.Close(), n.Down(false)) })
	if err != nil {
		return nil, nil, err
	}
	s.signer = spread(n.Members(), signers)
	s.catchUp = func(ctx context.Context) error {
		options.Dir = filepath.Join(dir, "replica2")
		return catchUp(ctx, options, s.next)
	}
	peer := filepath.Join(home, "organisations", first, "peer", "data", "ledgersData")
	orderer := filepath.Join(home, "organisations", "orderers", "orderer1", "data")
	s.sizes = []stored{
		{name: "gateway: replica", path: replica},
		{name: "a peer: blocks", path: filepath.Join(peer, "chains", "chains")},
		{name: "a peer: index of blocks", path: filepath.Join(peer, "chains", "index")},
		{name: "a peer: state database", path: filepath.Join(peer, "stateLeveldb")},
		{name: "a peer: all", path: peer},
		{name: "an orderer: blocks", path: filepath.Join(orderer, "ledger")},
		{name: "an orderer: log of the consensus", path: filepath.Join(orderer, "wal")},
	}
	return s, done, nil
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
