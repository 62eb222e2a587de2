package fabric

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"
)

// Names in a channel's configuration.
const (
	groupApplication = "Application"
	valueMSP         = "MSP"

	policyBlocks    = "/Channel/Orderer/BlockValidation"
	policyEndorse   = "/Channel/Application/Endorsement"
	policyLifecycle = "/Channel/Application/LifecycleEndorsement"
)

// maxIdentities bounds the certificates remembered with a configuration; beyond it they are forgotten and checked anew.
const maxIdentities = 4096

// channel is a channel's configuration in force: who is a member, and which signatures are enough for what.
type channel struct {
	sequence    uint64 // grows by one with each change
	authorities map[string]*authority
	policies    map[string]policy // by path
	members     map[string]string // MSP ID of an application organisation → its group's name

	mu    sync.Mutex
	known map[[sha256.Size]byte]*identity // by SHA-256 of the serialized identity
}

// newChannel reads a configuration.
func newChannel(conf *common.Config) (*channel, error) {
	if conf.GetChannelGroup() == nil {
		return nil, errors.New("the configuration is empty")
	}
	c := &channel{
		sequence:    conf.Sequence,
		authorities: map[string]*authority{},
		policies:    map[string]policy{},
		members:     map[string]string{},
		known:       map[[sha256.Size]byte]*identity{},
	}
	return c, c.readGroup("/Channel", conf.ChannelGroup)
}

// readGroup reads what is below first, because the policies above refer to it.
func (c *channel) readGroup(path string, g *common.ConfigGroup) error {
	for name, sub := range g.Groups {
		if err := c.readGroup(path+"/"+name, sub); err != nil {
			return err
		}
		if path == "/Channel/"+groupApplication {
			c.members[readMSP(sub).id] = name
		}
	}
	if g.Values[valueMSP] != nil {
		a := readMSP(g)
		c.authorities[a.id] = a
	}
	for name, p := range g.Policies {
		read, err := c.readPolicy(path, g, p.GetPolicy())
		if err != nil {
			return fmt.Errorf("policy %s/%s: %w", path, name, err)
		}
		c.policies[path+"/"+name] = read
	}
	return nil
}

// readMSP reads an organisation's membership service. One that cannot be read here, and that peers have accepted, speaks for nobody: its
// organisation changes it alone, and is to stop nobody else by that.
func readMSP(g *common.ConfigGroup) *authority {
	var conf msp.MSPConfig
	var fabricConf msp.FabricMSPConfig
	err := unmarshal(g.Values[valueMSP].GetValue(), &conf)
	if err == nil {
		err = unmarshal(conf.Config, &fabricConf) // the name is in the same place, whatever the type
	}
	if err == nil && conf.Type != 0 {
		err = fmt.Errorf("it is of the type %d and not X.509", conf.Type)
	}
	var a *authority
	if err == nil {
		a, err = newAuthority(&fabricConf)
	}
	if err != nil {
		return &authority{id: fabricConf.Name, unread: &unproven{fmt.Sprintf("the membership service of %q cannot be read: %v", fabricConf.Name, err)}}
	}
	return a
}

func (c *channel) readPolicy(path string, g *common.ConfigGroup, p *common.Policy) (policy, error) {
	switch common.Policy_PolicyType(p.GetType()) {
	case common.Policy_SIGNATURE:
		var envelope common.SignaturePolicyEnvelope
		if err := unmarshal(p.Value, &envelope); err != nil {
			return nil, err
		}
		return newSignaturePolicy(&envelope)
	case common.Policy_IMPLICIT_META:
		var meta common.ImplicitMetaPolicy
		if err := unmarshal(p.Value, &meta); err != nil {
			return nil, err
		}
		var subs []policy
		for name := range g.Groups {
			subs = append(subs, c.policy(path+"/"+name+"/"+meta.SubPolicy))
		}
		return newMetaPolicy(meta.Rule, subs)
	}
	return nil, fmt.Errorf("it is of the unknown type %d", p.GetType())
}

// policy returns the policy at a path; where there is none, one that nobody satisfies.
func (c *channel) policy(path string) policy {
	if p, ok := c.policies[path]; ok {
		return p
	}
	return nobody{}
}

// identity reads a serialized identity. Whether its organisation stands for it is written in it.
func (c *channel) identity(serialized []byte) (*identity, error) {
	sum := sha256.Sum256(serialized)
	c.mu.Lock()
	id, ok := c.known[sum]
	c.mu.Unlock()
	if ok {
		return id, nil
	}
	var s msp.SerializedIdentity
	if err := unmarshal(serialized, &s); err != nil {
		return nil, fmt.Errorf("the identity cannot be read: %w", err)
	}
	a, ok := c.authorities[s.Mspid]
	if !ok {
		return nil, fmt.Errorf("%q is no organisation of the channel", s.Mspid)
	}
	if a.unread != nil {
		return nil, a.unread
	}
	id, err := a.identity(s.IdBytes)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxIdentities {
		clear(c.known)
	}
	c.known[sum] = id
	return id, nil
}

// signed is a message with an identity's signature.
type signed struct {
	identity  []byte // serialized
	message   []byte
	signature []byte
}

// signers returns those whose signatures are right, each once.
func (c *channel) signers(set []signed) (signers []signer) {
	seen := map[string]bool{}
	for _, s := range set {
		id, err := c.identity(s.identity)
		if err != nil {
			continue
		}
		name := id.authority.id + "\x00" + string(id.cert.RawTBSCertificate)
		if seen[name] || id.verify(s.message, s.signature) != nil {
			continue
		}
		seen[name] = true
		signers = append(signers, id)
	}
	return signers
}

// readConfig returns the configuration that a block carries as its one transaction, or nil when it is no configuration block.
func readConfig(block *common.Block) (*common.Config, error) {
	if len(block.GetData().GetData()) != 1 {
		return nil, nil
	}
	var envelope common.Envelope
	var payload common.Payload
	var header common.ChannelHeader
	if unmarshal(block.Data.Data[0], &envelope) != nil || unmarshal(envelope.Payload, &payload) != nil ||
		unmarshal(payload.GetHeader().GetChannelHeader(), &header) != nil || header.Type != int32(common.HeaderType_CONFIG) {
		return nil, nil
	}
	var conf common.ConfigEnvelope
	if err := unmarshal(payload.Data, &conf); err != nil {
		return nil, fmt.Errorf("the configuration cannot be read: %w", err)
	}
	return conf.Config, nil
}
