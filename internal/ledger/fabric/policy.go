package fabric

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"
)

// signer is somebody who signed, as policies see him.
type signer interface {
	// satisfies reports whether he is the principal.
	satisfies(*msp.MSPPrincipal) bool
}

// policy says whether those who signed are enough. Each of them is another identity, and its signature has been checked.
type policy interface {
	satisfiedBy([]signer) bool
}

// newPolicy reads a policy that names identities.
func newSignaturePolicy(envelope *common.SignaturePolicyEnvelope) (policy, error) {
	if envelope.GetRule() == nil {
		return nil, fmt.Errorf("the policy has no rule")
	}
	p := signaturePolicy{envelope.Rule, envelope.Identities}
	return p, p.check(envelope.Rule)
}

type signaturePolicy struct {
	rule       *common.SignaturePolicy
	principals []*msp.MSPPrincipal
}

func (p signaturePolicy) check(rule *common.SignaturePolicy) error {
	switch r := rule.GetType().(type) {
	case *common.SignaturePolicy_SignedBy:
		if r.SignedBy < 0 || int(r.SignedBy) >= len(p.principals) {
			return fmt.Errorf("the policy names identity %d of %d", r.SignedBy, len(p.principals))
		}
	case *common.SignaturePolicy_NOutOf_:
		for _, sub := range r.NOutOf.GetRules() {
			if err := p.check(sub); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("the policy has a rule of an unknown type")
	}
	return nil
}

func (p signaturePolicy) satisfiedBy(signers []signer) bool {
	return p.eval(p.rule, signers, make([]bool, len(signers)))
}

// eval takes each signer for one principal only. Which one is decided greedily, in order, because peers do it so.
func (p signaturePolicy) eval(rule *common.SignaturePolicy, signers []signer, used []bool) bool {
	switch r := rule.Type.(type) {
	case *common.SignaturePolicy_SignedBy:
		for i, s := range signers {
			if !used[i] && s.satisfies(p.principals[r.SignedBy]) {
				used[i] = true
				return true
			}
		}
	case *common.SignaturePolicy_NOutOf_:
		n := int32(0)
		for _, sub := range r.NOutOf.GetRules() {
			trial := append([]bool{}, used...)
			if p.eval(sub, signers, trial) {
				copy(used, trial)
				n++
			}
		}
		return n >= r.NOutOf.GetN()
	}
	return false
}

// metaPolicy is satisfied when enough of the groups below are: the policy of the same name in each.
type metaPolicy struct {
	subs      []policy
	threshold int
}

func newMetaPolicy(rule common.ImplicitMetaPolicy_Rule, subs []policy) (policy, error) {
	p := metaPolicy{subs: subs}
	switch {
	case len(subs) == 0: // nobody to ask: satisfied
	case rule == common.ImplicitMetaPolicy_ANY:
		p.threshold = 1
	case rule == common.ImplicitMetaPolicy_ALL:
		p.threshold = len(subs)
	case rule == common.ImplicitMetaPolicy_MAJORITY:
		p.threshold = len(subs)/2 + 1
	default:
		return nil, fmt.Errorf("the policy has the unknown rule %d", rule)
	}
	return p, nil
}

func (p metaPolicy) satisfiedBy(signers []signer) bool {
	n := 0
	for _, sub := range p.subs {
		if n >= p.threshold {
			break
		}
		if sub.satisfiedBy(signers) {
			n++
		}
	}
	return n >= p.threshold
}

// anyMember is the policy that any member of an organisation satisfies.
type anyMember string

func (id anyMember) satisfiedBy(signers []signer) bool {
	var role msp.MSPRole
	role.MspIdentifier, role.Role = string(id), msp.MSPRole_MEMBER
	principal, err := marshal(&role)
	return err == nil && slices.ContainsFunc(signers, func(s signer) bool {
		return s.satisfies(&msp.MSPPrincipal{PrincipalClassification: msp.MSPPrincipal_ROLE, Principal: principal})
	})
}

// nobody is a policy that is not there.
type nobody struct{}

func (nobody) satisfiedBy([]signer) bool { return false }

// satisfies implements signer.
func (id *identity) satisfies(p *msp.MSPPrincipal) bool {
	switch p.PrincipalClassification {
	case msp.MSPPrincipal_ROLE:
		var role msp.MSPRole
		return unmarshal(p.Principal, &role) == nil && role.MspIdentifier == id.authority.id && id.hasRole(role.Role)
	case msp.MSPPrincipal_IDENTITY:
		var named msp.SerializedIdentity
		if unmarshal(p.Principal, &named) != nil || named.Mspid != id.authority.id {
			return false
		}
		c, err := parseCert(named.IdBytes)
		return err == nil && id.invalid == nil && bytes.Equal(c.RawTBSCertificate, id.cert.RawTBSCertificate)
	case msp.MSPPrincipal_ORGANIZATION_UNIT:
		var named msp.OrganizationUnit
		return unmarshal(p.Principal, &named) == nil && id.hasUnit(&named)
	case msp.MSPPrincipal_ANONYMITY: // whoever signs with X.509 has a name
		var wanted msp.MSPIdentityAnonymity
		return unmarshal(p.Principal, &wanted) == nil && wanted.AnonymityType == msp.MSPIdentityAnonymity_NOMINAL
	case msp.MSPPrincipal_COMBINED:
		var all msp.CombinedPrincipal
		if unmarshal(p.Principal, &all) != nil || len(all.Principals) == 0 {
			return false
		}
		for _, one := range all.Principals {
			if !id.satisfies(one) {
				return false
			}
		}
		return true
	}
	return false
}

// anyPeer stands for a peer of an organisation that has not been asked yet.
type anyPeer string

func (msps anyPeer) satisfies(p *msp.MSPPrincipal) bool {
	var role msp.MSPRole
	return p.PrincipalClassification == msp.MSPPrincipal_ROLE && unmarshal(p.Principal, &role) == nil &&
		role.MspIdentifier == string(msps) && (role.Role == msp.MSPRole_PEER || role.Role == msp.MSPRole_MEMBER)
}
