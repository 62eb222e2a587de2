package fabricnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/orderer"
	"github.com/hyperledger/fabric-protos-go/orderer/etcdraft"
)

const (
	ordererGroup   = "Orderer"       // of a channel's configuration: the orderers
	consensusValue = "ConsensusType" // who they are
)

// ReplaceOrderer puts a new orderer in the place of one that lost its data. It cannot simply begin anew: the others remember
// what it had acknowledged, and Raft takes the loss for damage. So the channel's configuration lets it go and takes it on
// again, with a new key, as somebody new; it then gets all blocks from the others. The other two have to run.
func (n *Network) ReplaceOrderer(ctx context.Context, name string) error {
	if !slices.Contains(orderers[:], name) {
		return fmt.Errorf("fabricnet: there is no orderer %q", name)
	}
	n.step("taking %s out of the channel's configuration", name)
	if err := n.stop(name); err != nil {
		return err
	}
	if err := n.awaitLeader(ctx); err != nil {
		return err
	}
	if err := n.changeConsenters(ctx, func(all []*etcdraft.Consenter) ([]*etcdraft.Consenter, error) {
		return slices.DeleteFunc(all, func(c *etcdraft.Consenter) bool { return int(c.Port) == n.state.port(n.entrance(name)) }), nil
	}); err != nil {
		return err
	}
	n.step("new certificates, and no data")
	for _, dir := range []string{"data", "tls"} {
		if err := os.RemoveAll(n.org(ordering, name, dir)); err != nil {
			return fmt.Errorf("fabricnet: %w", err)
		}
	}
	a, err := n.authority(ordering)
	if err != nil {
		return err
	}
	if err := n.enrollNode(ctx, a, name, "orderer"); err != nil {
		return err
	}
	n.step("taking it on again, and starting it")
	if err := n.changeConsenters(ctx, func(all []*etcdraft.Consenter) ([]*etcdraft.Consenter, error) {
		cert, err := os.ReadFile(n.org(ordering, name, "tls", "cert.pem"))
		return append(all, &etcdraft.Consenter{Host: host, Port: uint32(n.state.port(n.entrance(name))), ClientTlsCert: cert, ServerTlsCert: cert}), err
	}); err != nil {
		return err
	}
	if err := n.Start(ctx, name); err != nil {
		return err
	}
	block := n.org(ordering, name, "join.block")
	if err := n.fetchConfig(ctx, n.Members()[0], block); err != nil {
		return err
	}
	if err := n.joinOrderer(ctx, name, block); err != nil {
		return err
	}
	return errors.Join(os.Remove(block), n.awaitBlocks(ctx, name))
}

// changeConsenters changes who the orderers are, which the ordering organisation may do, one at a time.
func (n *Network) changeConsenters(ctx context.Context, change func([]*etcdraft.Consenter) ([]*etcdraft.Consenter, error)) error {
	return n.reconfigure(ctx, []string{ordering}, func(channel *common.ConfigGroup) error {
		value := channel.Groups[ordererGroup].Values[consensusValue]
		var consensus orderer.ConsensusType
		var raft etcdraft.ConfigMetadata
		if err := unmarshal(value.Value, &consensus); err != nil {
			return err
		}
		if err := unmarshal(consensus.Metadata, &raft); err != nil {
			return err
		}
		var err error
		if raft.Consenters, err = change(raft.Consenters); err != nil {
			return err
		}
		if consensus.Metadata, err = marshal(&raft); err != nil {
			return err
		}
		value.Value, err = marshal(&consensus)
		return err
	})
}
