package fabricnet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Renew gets new certificates for all nodes and users of an organisation, but for those revoked, and starts its nodes again, one after the other.
// The network goes on meanwhile: one orderer or one member's peer may always be away.
func (n *Network) Renew(ctx context.Context, msp string) error {
	n.step("new certificates for %s", msp)
	if msp == ordering {
		if err := n.enrollOrdering(ctx); err != nil {
			return err
		}
		return n.restartOrderers(ctx)
	}
	i := slices.Index(n.Members(), msp)
	if i < 0 {
		return fmt.Errorf("fabricnet: %s is not on the network", msp)
	}
	if err := n.enrollMember(ctx, n.state.Members[i]); err != nil {
		return err
	}
	n.step("starting its peer again")
	if err := n.restart(ctx, peerName(msp)); err != nil {
		return err
	}
	n.step("a package with the new certificates, and the chaincode service for it")
	return n.repack(ctx, msp)
}

// repack gives a member's peer a new package, which holds its new certificate, and starts the service for it.
func (n *Network) repack(ctx context.Context, msp string) error {
	c := n.state.Chaincode
	file, id, err := n.pack(msp, c)
	if err != nil {
		return err
	}
	orderer, err := n.orderer(ctx)
	if err != nil {
		return err
	}
	c.Packages = maps.Clone(c.Packages)
	c.Packages[msp] = id
	if err := n.installAndApprove(ctx, msp, c, file, orderer); err != nil {
		return err
	}
	n.state.Chaincode = c
	if err := n.save(); err != nil {
		return err
	}
	return n.restart(ctx, chaincodeName(msp))
}

func (n *Network) restart(ctx context.Context, name string) error {
	p, err := n.process(name)
	if err != nil {
		return err
	}
	if err := n.stop(p.id); err != nil {
		return err
	}
	return n.start(ctx, p)
}

// restartOrderers starts each orderer again, and goes on to the next when it has all blocks.
func (n *Network) restartOrderers(ctx context.Context) error {
	for _, name := range orderers {
		n.step("starting %s again", name)
		if err := n.restart(ctx, name); err != nil {
			return err
		}
		if err := n.awaitLeader(ctx); err != nil {
			return err
		}
		if err := n.awaitBlocks(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// awaitBlocks waits until an orderer has the blocks that the others have now.
func (n *Network) awaitBlocks(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	var most uint64
	for _, other := range orderers {
		h, err := n.height(ctx, other)
		if err != nil {
			return err
		}
		most = max(most, h)
	}
	for {
		h, err := n.height(ctx, name)
		if err == nil && h >= most {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("fabricnet: %s has %d of %d blocks: %w", name, h, most, errors.Join(err, ctx.Err()))
		case <-time.After(5 * poll):
		}
	}
}
