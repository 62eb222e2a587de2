package fabricnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hyperledger/fabric-config/configtx"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/resource"
)

const (
	applicationGroup = "Application" // of a channel's configuration: the members
	mspValue         = "MSP"         // of a member's group: who speaks for it
	// settleTimeout bounds the time until a configuration has reached all peers: a block or two.
	settleTimeout = time.Minute
)

// majority are as many members as a majority needs, the first ones; one that has no wish to sign only if need be.
func (n *Network) majority(unwilling string) []string {
	all := n.Members()
	enough := len(all)/2 + 1
	if i := slices.Index(all, unwilling); i >= 0 {
		all = append(slices.Delete(all, i, i+1), unwilling)
	}
	return all[:enough]
}

// reconfigure changes the channel's configuration: each of the members signs the change, the last one sends it. It returns
// once all peers have it.
func (n *Network) reconfigure(ctx context.Context, by []string, change func(*common.ConfigGroup) error) error {
	if len(by) == 0 {
		return errors.New("fabricnet: a change of the channel's configuration has to be signed by somebody")
	}
	work, err := os.MkdirTemp(n.path("tmp"), "config-")
	if err != nil {
		return fmt.Errorf("fabricnet: %w", err)
	}
	defer os.RemoveAll(work)
	before, err := n.config(ctx, by[0])
	if err != nil {
		return err
	}
	tx := configtx.New(before)
	if err := change(tx.UpdatedConfig().ChannelGroup); err != nil {
		return err
	}
	if equal(before, tx.UpdatedConfig()) {
		return nil // it was done before, by somebody who could not finish
	}
	update, err := tx.ComputeMarshaledUpdate(channel)
	if err != nil {
		return fmt.Errorf("fabricnet: the configuration: %w", err)
	}
	envelope, err := configtx.NewEnvelope(update)
	if err != nil {
		return err
	}
	data, err := marshal(envelope)
	if err != nil {
		return err
	}
	file := filepath.Join(work, "update.pb")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return fmt.Errorf("fabricnet: %w", err)
	}
	last := len(by) - 1
	for _, member := range by[:last] {
		if _, err := n.peer(ctx, member, "channel", "signconfigtx", "-f", file); err != nil {
			return err
		}
	}
	orderer, err := n.orderer(ctx)
	if err != nil {
		return err
	}
	if _, err := n.peer(ctx, by[last], append([]string{"channel", "update", "-f", file, "-c", channel}, orderer...)...); err != nil {
		return err
	}
	return n.settle(ctx, before.Sequence)
}

// config fetches the channel's configuration from the orderers, as a member.
func (n *Network) config(ctx context.Context, member string) (*common.Config, error) {
	block, err := n.configBlock(ctx, member)
	if err != nil {
		return nil, err
	}
	return resource.ExtractConfigFromBlock(block)
}

func (n *Network) configBlock(ctx context.Context, member string) (*common.Block, error) {
	file, err := os.CreateTemp(n.path("tmp"), "config-*.block")
	if err != nil {
		return nil, fmt.Errorf("fabricnet: %w", err)
	}
	defer os.Remove(file.Name())
	if err := file.Close(); err != nil {
		return nil, err
	}
	if err := n.fetchConfig(ctx, member, file.Name()); err != nil {
		return nil, err
	}
	return readBlock(file.Name())
}

// fetchConfig gets the channel's last configuration block from the orderers, as a member.
func (n *Network) fetchConfig(ctx context.Context, member, file string) error {
	orderer, err := n.orderer(ctx)
	if err != nil {
		return err
	}
	_, err = n.peer(ctx, member, append([]string{"channel", "fetch", "config", file, "-c", channel}, orderer...)...)
	return err
}

func readBlock(file string) (*common.Block, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("fabricnet: %w", err)
	}
	block := new(common.Block)
	return block, unmarshal(data, block)
}

// settle waits until all peers have a configuration that is later than the one of a sequence number.
func (n *Network) settle(ctx context.Context, after uint64) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	for {
		err := n.settled(ctx, after)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("fabricnet: the new configuration has not reached all peers: %w", err)
		case <-time.After(5 * poll):
		}
	}
}

func (n *Network) settled(ctx context.Context, after uint64) error {
	block, err := n.configBlock(ctx, n.Members()[0])
	if err != nil {
		return err
	}
	config, err := resource.ExtractConfigFromBlock(block)
	if err != nil {
		return err
	}
	if config.Sequence <= after {
		return fmt.Errorf("the orderers still have configuration %d", after)
	}
	for _, member := range n.Members() {
		if _, stays := config.ChannelGroup.Groups[applicationGroup].Groups[member]; !stays {
			continue // the orderers may not even tell it that it is off
		}
		height, err := n.height(ctx, peerName(member))
		if err != nil {
			return err
		}
		if height <= block.Header.Number {
			return fmt.Errorf("%s has no block %d", peerName(member), block.Header.Number)
		}
	}
	return nil
}

// Revoke ends an identity of a member: its authority revokes its certificates, and the member's administrator puts the
// revocation list into the channel's configuration, which the member may do alone. From that block on, nothing that the
// identity signs is valid.
func (n *Network) Revoke(ctx context.Context, member, user string) error {
	a, err := n.authority(member)
	if err != nil {
		return err
	}
	list, err := a.revoke(ctx, user)
	if err != nil {
		return err
	}
	if err := n.reconfigure(ctx, []string{member}, func(g *common.ConfigGroup) error {
		return changeMSP(g, member, func(c *msp.FabricMSPConfig) { c.RevocationList = [][]byte{list} })
	}); err != nil {
		return err
	}
	n.state.Revoked = append(n.state.Revoked, member+"/"+user)
	return n.save()
}

// changeMSP changes what the channel knows of a member's identities.
func changeMSP(channel *common.ConfigGroup, member string, change func(*msp.FabricMSPConfig)) error {
	group, ok := channel.Groups[applicationGroup].Groups[member]
	if !ok {
		return fmt.Errorf("fabricnet: %s is not on the channel", member)
	}
	var outer msp.MSPConfig
	var inner msp.FabricMSPConfig
	if err := unmarshal(group.Values[mspValue].Value, &outer); err != nil {
		return err
	}
	if err := unmarshal(outer.Config, &inner); err != nil {
		return err
	}
	change(&inner)
	var err error
	if outer.Config, err = marshal(&inner); err != nil {
		return err
	}
	group.Values[mspValue].Value, err = marshal(&outer)
	return err
}
