package fabricnet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/resource"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// AddOrganisation brings a further member onto the running network: its authority and certificates, its place in the
// channel's configuration, which the members named sign (none: a majority), its peer and its chaincode service, and its
// registration on the ledger, by the regulator. When those who sign are too few, the orderers refuse it and nothing has changed.
func (n *Network) AddOrganisation(ctx context.Context, m contract.Member, by ...string) error {
	if slices.Contains(n.organisations(), m.MSP) {
		return fmt.Errorf("fabricnet: %s is on the network already", m.MSP)
	}
	if len(by) == 0 {
		by = n.majority("")
	}
	n.step("an authority and certificates for %s", m.MSP)
	if err := n.addAuthority(ctx, m); err != nil {
		return err
	}
	n.step("the channel's configuration, signed by %v", by)
	group, err := n.memberGroup(ctx, m)
	if err != nil {
		return err
	}
	if err := n.reconfigure(ctx, by, func(channel *common.ConfigGroup) error {
		channel.Groups[applicationGroup].Groups[m.MSP] = group
		return nil
	}); err != nil {
		return err
	}
	n.step("its peer and chaincode service")
	n.state.Members = append(n.state.Members, m)
	if err := n.startMember(ctx, m.MSP); err != nil {
		return errors.Join(err, n.stopMember(m.MSP)) // adding it again goes on from here
	}
	if err := n.writeMembers(); err != nil {
		return err
	}
	n.step("its registration on the ledger")
	return n.register(ctx, contract.Registration{Members: []contract.Member{m}})
}

// startMember starts a new member's peer and service, and brings the peer onto the channel.
func (n *Network) startMember(ctx context.Context, msp string) error {
	if err := n.stop(peerName(msp), n.service(msp, n.state.Chaincode).id); err != nil { // of an attempt before
		return err
	}
	if err := n.writePeer(msp); err != nil {
		return err
	}
	if err := n.Start(ctx, peerName(msp)); err != nil {
		return err
	}
	if err := n.joinPeer(ctx, msp); err != nil {
		return err
	}
	return n.joinChaincode(ctx, msp)
}

// stopMember stops a member's peer and service, and forgets it.
func (n *Network) stopMember(msp string) error {
	service := n.service(msp, n.state.Chaincode)
	n.state.Members = slices.DeleteFunc(n.state.Members, func(m contract.Member) bool { return m.MSP == msp })
	delete(n.state.Chaincode.Packages, msp)
	return n.stop(peerName(msp), service.id)
}

// addAuthority adds a member's authority to the server, which has to be started anew for it, and makes its identities.
func (n *Network) addAuthority(ctx context.Context, m contract.Member) error {
	if err := n.writeCA(m.MSP, nil); err != nil {
		return err
	}
	if err := n.writeCAServer(m.MSP); err != nil {
		return err
	}
	if err := n.stop("ca"); err != nil {
		return err
	}
	if err := n.Start(ctx, "ca"); err != nil {
		return err
	}
	return n.enrollMember(ctx, m)
}

// memberGroup is a member's place in the channel's configuration, made as that of the first members was: by configtxgen.
func (n *Network) memberGroup(ctx context.Context, m contract.Member) (*common.ConfigGroup, error) {
	file := n.org(m.MSP, "join.block")
	if err := n.makeBlock(ctx, n.org(m.MSP), file, []contract.Member{m}); err != nil {
		return nil, err
	}
	block, err := readBlock(file)
	if err != nil {
		return nil, err
	}
	config, err := resource.ExtractConfigFromBlock(block)
	if err != nil {
		return nil, err
	}
	return config.ChannelGroup.Groups[applicationGroup].Groups[m.MSP], nil
}

// joinChaincode gives a new member's peer the chaincode that is on the channel.
func (n *Network) joinChaincode(ctx context.Context, msp string) error {
	c := n.state.Chaincode
	file, id, err := n.pack(msp, c)
	if err != nil {
		return err
	}
	c.Packages[msp] = id
	if err := n.start(ctx, n.service(msp, c)); err != nil {
		return err
	}
	orderer, err := n.orderer(ctx)
	if err != nil {
		return err
	}
	return n.installAndApprove(ctx, msp, c, file, orderer)
}

// RemoveOrganisation takes a member off the running network; the members named sign it (none: a majority, the others
// first). Its peer and its service are stopped; its directories stay. When those who sign are too few, nothing has changed.
func (n *Network) RemoveOrganisation(ctx context.Context, msp string, by ...string) error {
	if !slices.Contains(n.Members(), msp) {
		return fmt.Errorf("fabricnet: %s is not on the network", msp)
	}
	if len(by) == 0 {
		by = n.majority(msp)
	}
	n.step("the channel's configuration, signed by %v", by)
	if err := n.reconfigure(ctx, by, func(channel *common.ConfigGroup) error {
		delete(channel.Groups[applicationGroup].Groups, msp)
		return nil
	}); err != nil {
		return err
	}
	n.step("stopping its peer and chaincode service")
	if err := n.stopMember(msp); err != nil {
		return err
	}
	return n.writeMembers()
}
