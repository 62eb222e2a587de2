package fabric

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"
)

// TestSignaturePolicy: n of m, one signer for one principal.
func TestSignaturePolicy(t *testing.T) {
	principals := []*msp.MSPPrincipal{
		rolePrincipal("a", msp.MSPRole_PEER), rolePrincipal("b", msp.MSPRole_PEER), rolePrincipal("c", msp.MSPRole_MEMBER), rolePrincipal("a", msp.MSPRole_ADMIN),
	}
	peers := func(msps ...string) (all []signer) {
		for _, m := range msps {
			all = append(all, anyPeer(m))
		}
		return all
	}
	for name, test := range map[string]struct {
		rule *common.SignaturePolicy
		by   []signer
		want bool
	}{
		"one":                {signedBy(0), peers("a"), true},
		"another":            {signedBy(0), peers("b", "c"), false},
		"nobody":             {signedBy(0), nil, false},
		"a peer is member":   {signedBy(2), peers("c"), true},
		"a peer is no admin": {signedBy(3), peers("a"), false},
		"none of none":       {nOutOf(0), nil, true},
		"two of three":       {nOutOf(2, signedBy(0), signedBy(1), signedBy(2)), peers("c", "a"), true},
		"one of three":       {nOutOf(2, signedBy(0), signedBy(1), signedBy(2)), peers("c"), false},
		"one counts once":    {nOutOf(2, signedBy(0), signedBy(0)), peers("a"), false},
		"two of one":         {nOutOf(2, signedBy(0), signedBy(0)), peers("a", "a"), true},
		"nested":             {nOutOf(2, nOutOf(1, signedBy(0), signedBy(1)), signedBy(2)), peers("b", "c"), true},
		"nested gives back":  {nOutOf(1, nOutOf(2, signedBy(0), signedBy(1)), signedBy(0)), peers("a"), true},
	} {
		p, err := newSignaturePolicy(&common.SignaturePolicyEnvelope{Rule: test.rule, Identities: principals})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.satisfiedBy(test.by); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	for name, envelope := range map[string]*common.SignaturePolicyEnvelope{
		"no rule":                {},
		"a rule without a type":  {Rule: &common.SignaturePolicy{}},
		"an identity too high":   {Rule: signedBy(4), Identities: principals},
		"a negative identity":    {Rule: signedBy(-1), Identities: principals},
		"one of these in a list": {Rule: nOutOf(1, signedBy(0), signedBy(9)), Identities: principals},
	} {
		if _, err := newSignaturePolicy(envelope); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

type yes struct{}

func (yes) satisfiedBy([]signer) bool { return true }

func TestMetaPolicy(t *testing.T) {
	for n, want := range map[[2]int][3]bool{ // satisfied, of → any, all, majority
		{0, 0}: {true, true, true},
		{0, 1}: {false, false, false},
		{1, 1}: {true, true, true},
		{1, 2}: {true, false, false},
		{2, 2}: {true, true, true},
		{2, 3}: {true, false, true},
		{2, 4}: {true, false, false},
		{3, 4}: {true, false, true},
		{4, 4}: {true, true, true},
	} {
		var subs []policy
		for i := range n[1] {
			subs = append(subs, map[bool]policy{true: yes{}, false: nobody{}}[i >= n[1]-n[0]])
		}
		for i, rule := range []common.ImplicitMetaPolicy_Rule{common.ImplicitMetaPolicy_ANY, common.ImplicitMetaPolicy_ALL, common.ImplicitMetaPolicy_MAJORITY} {
			if got := must(newMetaPolicy(rule, subs)).satisfiedBy(nil); got != want[i] {
				t.Errorf("%d of %d, %s: %t", n[0], n[1], rule, got)
			}
		}
	}
	if _, err := newMetaPolicy(9, []policy{yes{}}); err == nil {
		t.Error("an unknown rule: no error")
	}
}

// TestPrincipals: an identity is what its certificate says, and nothing more.
func TestPrincipals(t *testing.T) {
	c := newChain(t, members()...)
	peer := must(c.replica.conf.identity(c.peers["a"].serialized))
	client := must(c.replica.conf.identity(c.client.serialized))
	stranger := must(c.replica.conf.identity(newOrg(t, "a").account("peer", "peer").serialized))
	named := func(a *account) *msp.MSPPrincipal {
		return &msp.MSPPrincipal{PrincipalClassification: msp.MSPPrincipal_IDENTITY, Principal: a.serialized}
	}
	combined := func(all ...*msp.MSPPrincipal) *msp.MSPPrincipal {
		return &msp.MSPPrincipal{PrincipalClassification: msp.MSPPrincipal_COMBINED, Principal: encode(&msp.CombinedPrincipal{Principals: all})}
	}
	inUnit := func(id, unit string, certifiers []byte) *msp.MSPPrincipal {
		return &msp.MSPPrincipal{PrincipalClassification: msp.MSPPrincipal_ORGANIZATION_UNIT, Principal: encode(&msp.OrganizationUnit{
			MspIdentifier: id, OrganizationalUnitIdentifier: unit, CertifiersIdentifier: certifiers,
		})}
	}
	root := c.orgs["a"].cert
	authority := sha256.Sum256(lowS(root, root))
	member, isPeer := rolePrincipal("a", msp.MSPRole_MEMBER), rolePrincipal("a", msp.MSPRole_PEER)
	for i, test := range []struct {
		id   *identity
		p    *msp.MSPPrincipal
		want bool
	}{
		{peer, member, true}, {peer, isPeer, true}, {peer, rolePrincipal("a", msp.MSPRole_CLIENT), false}, {peer, rolePrincipal("b", msp.MSPRole_PEER), false},
		{client, member, true}, {client, isPeer, false}, {client, rolePrincipal("a", msp.MSPRole_CLIENT), true}, {client, rolePrincipal("a", msp.MSPRole_ADMIN), false},
		{stranger, member, false}, {stranger, isPeer, false},
		{peer, named(c.peers["a"]), true}, {client, named(c.peers["a"]), false}, {peer, named(c.peers["b"]), false},
		{peer, combined(member, isPeer), true}, {client, combined(member, isPeer), false}, {peer, combined(), false},
		{peer, &msp.MSPPrincipal{PrincipalClassification: msp.MSPPrincipal_ANONYMITY}, true},
		{peer, &msp.MSPPrincipal{PrincipalClassification: msp.MSPPrincipal_ANONYMITY, Principal: encode(&msp.MSPIdentityAnonymity{AnonymityType: msp.MSPIdentityAnonymity_ANONYMOUS})}, false},
		{peer, inUnit("a", "peer", authority[:]), true}, {client, inUnit("a", "peer", authority[:]), false}, {peer, inUnit("b", "peer", authority[:]), false},
		{peer, inUnit("a", "peer", nil), false}, {peer, inUnit("a", "another", authority[:]), false}, {stranger, inUnit("a", "peer", authority[:]), false},
		{peer, &msp.MSPPrincipal{Principal: []byte("nonsense")}, false},
	} {
		if got := test.id.satisfies(test.p); got != test.want {
			t.Errorf("test %d: %s is %v: %t", i, test.id.name(), test.p, got)
		}
	}
}

func TestUnreadableConfigurations(t *testing.T) {
	c := newChain(t, members()...)
	service := func(m *msp.MSPConfig) func(g *common.ConfigGroup) {
		return func(g *common.ConfigGroup) {
			g.Groups["Application"].Groups["group of a"].Values["MSP"].Value = encode(m)
		}
	}
	for name, spoil := range map[string]func(g *common.ConfigGroup){
		"a certificate that is none": service(&msp.MSPConfig{Config: encode(&msp.FabricMSPConfig{Name: "a", RootCerts: [][]byte{[]byte("x")}})}),
		"a service of another type":  service(&msp.MSPConfig{Type: 1, Config: encode(&msp.IdemixMSPConfig{Name: "a"})}),
		"a service without a name":   service(&msp.MSPConfig{Type: 1}),
		"a member without a service": func(g *common.ConfigGroup) { delete(g.Groups["Application"].Groups["group of a"].Values, "MSP") },
	} {
		g := c.group(members())
		spoil(g)
		read, err := newChannel(&common.Config{ChannelGroup: g})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := read.identity(c.client.serialized); err == nil {
			t.Errorf("%s: its members are known", name)
		}
		if _, err := read.identity(c.peers["b"].serialized); err != nil {
			t.Errorf("%s: another's member: %v", name, err)
		}
	}
	g := c.group(members())
	g.Groups["Orderer"].Policies["x"] = &common.ConfigPolicy{Policy: &common.Policy{Type: 7}}
	if _, err := newChannel(&common.Config{ChannelGroup: g}); err == nil {
		t.Error("a policy of another type: no error")
	}
	if _, err := newChannel(nil); err == nil {
		t.Error("nothing: no error")
	}
	for _, junk := range [][]byte{nil, []byte("x"), encode(&msp.SerializedIdentity{Mspid: "a"}), encode(&msp.SerializedIdentity{Mspid: "a", IdBytes: []byte("x")})} {
		if _, err := c.replica.conf.identity(junk); err == nil {
			t.Errorf("the identity %q: no error", fmt.Sprint(junk))
		}
	}
}

// TestLowS: a chain of certificates has one identifier, in whichever form they are signed.
func TestLowS(t *testing.T) {
	root := newOrg(t, "a").cert
	other := otherForm(t, root)
	if bytes.Equal(root.Raw, other.Raw) || !bytes.Equal(lowS(root, root), lowS(other, other)) {
		t.Error("the two forms of a certificate are not taken for the same")
	}
}
