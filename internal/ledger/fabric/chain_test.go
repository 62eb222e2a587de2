package fabric

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-protos-go/peer"
	"github.com/hyperledger/fabric-protos-go/peer/lifecycle"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/protocol"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

var testConfig = Config{Channel: testChannel, Chaincode: testChaincode}

var discard = slog.New(slog.DiscardHandler)

const (
	testChannel   = "channel"
	testChaincode = "foodtrace"
	ordering      = "orderers"
)

// org is an organisation with its authority.
type org struct {
	t    testing.TB
	msp  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	conf *msp.FabricMSPConfig
}

func newOrg(t testing.TB, name string) *org {
	t.Helper()
	o := &org{t: t, msp: name}
	tmpl := template(name + " authority")
	tmpl.IsCA, tmpl.BasicConstraintsValid, tmpl.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	o.cert, o.key = issue(t, tmpl, nil, nil)
	ca := pemOf(o.cert)
	unit := func(name string) *msp.FabricOUIdentifier {
		return &msp.FabricOUIdentifier{OrganizationalUnitIdentifier: name, Certificate: ca}
	}
	o.conf = &msp.FabricMSPConfig{Name: name, RootCerts: [][]byte{ca}, FabricNodeOus: &msp.FabricNodeOUs{
		Enable: true, ClientOuIdentifier: unit("client"), PeerOuIdentifier: unit("peer"), AdminOuIdentifier: unit("admin"), OrdererOuIdentifier: unit("orderer"),
	}}
	return o
}

func template(name string, units ...string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		panic(err)
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name, OrganizationalUnit: units},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}
}

// issue makes a key and a certificate; without an issuer it signs itself.
func issue(t testing.TB, tmpl, issuer *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	if issuer == nil {
		issuer, by = tmpl, key
	}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, tmpl, issuer, key.Public(), by)))), key
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// account issues an identity.
func (o *org) account(name string, units ...string) *account {
	cert, key := issue(o.t, template(name, units...), o.cert, o.key)
	return must(newAccount(ledger.Signer{MSP: o.msp, Cert: cert.Raw, Key: key}))
}

// chain makes blocks of a channel with these members, as orderers and peers would.
type chain struct {
	t       testing.TB
	orgs    map[string]*org
	peers   map[string]*account
	client  *account // of the first member
	orderer *account
	config  *common.Config
	genesis *common.Block
	replica *replica
}

// newChain is a channel whose chaincode is defined, in block 1.
func newChain(t testing.TB, members ...string) *chain {
	t.Helper()
	c := &chain{t: t, orgs: map[string]*org{}, peers: map[string]*account{}}
	for _, m := range members {
		c.orgs[m] = newOrg(t, m)
		c.peers[m] = c.orgs[m].account("peer", "peer")
	}
	c.orgs[ordering] = newOrg(t, ordering)
	c.orderer = c.orgs[ordering].account("orderer", "orderer")
	c.client = c.orgs[members[0]].account("gateway", "client")
	c.config = &common.Config{ChannelGroup: c.group(members)}
	c.genesis = &common.Block{Header: &common.BlockHeader{}, Data: &common.BlockData{Data: [][]byte{c.configTx(c.config)}}}
	c.seal(c.genesis)
	var err error
	if c.replica, err = openReplica(t.TempDir(), testConfig, c.genesis, discard); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.replica.db.Close() })
	c.accept(c.genesis)
	info := encode(&lifecycle.ChaincodeValidationInfo{ValidationPlugin: "vscc", ValidationParameter: encode(&peer.ApplicationPolicy{
		Type: &peer.ApplicationPolicy_ChannelConfigPolicyReference{ChannelConfigPolicyReference: "/Channel/Application/Endorsement"},
	})})
	definition := encode(&lifecycle.StateData{Type: &lifecycle.StateData_Bytes{Bytes: info}})
	c.accept(c.block(c.envelope(&draft{chaincode: lifecycleNamespace, sets: []*rwset.NsReadWriteSet{
		set(lifecycleNamespace, &kvrwset.KVRWSet{Writes: []*kvrwset.KVWrite{{Key: "namespaces/fields/foodtrace/ValidationInfo", Value: definition}}}),
	}})))
	return c
}

func encode(m protoadapt.MessageV1) []byte { return must(marshal(m)) }

func roleRule(name string, role msp.MSPRole_MSPRoleType) *common.ConfigPolicy {
	return &common.ConfigPolicy{Policy: &common.Policy{Type: int32(common.Policy_SIGNATURE), Value: encode(&common.SignaturePolicyEnvelope{
		Rule:       nOutOf(1, signedBy(0)),
		Identities: []*msp.MSPPrincipal{rolePrincipal(name, role)},
	})}}
}

func rolePrincipal(name string, role msp.MSPRole_MSPRoleType) *msp.MSPPrincipal {
	return &msp.MSPPrincipal{PrincipalClassification: msp.MSPPrincipal_ROLE, Principal: encode(&msp.MSPRole{MspIdentifier: name, Role: role})}
}

func signedBy(i int32) *common.SignaturePolicy {
	return &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: i}}
}

func nOutOf(n int32, rules ...*common.SignaturePolicy) *common.SignaturePolicy {
	return &common.SignaturePolicy{Type: &common.SignaturePolicy_NOutOf_{NOutOf: &common.SignaturePolicy_NOutOf{N: n, Rules: rules}}}
}

func metaRule(rule common.ImplicitMetaPolicy_Rule, name string) *common.ConfigPolicy {
	return &common.ConfigPolicy{Policy: &common.Policy{Type: int32(common.Policy_IMPLICIT_META), Value: encode(&common.ImplicitMetaPolicy{Rule: rule, SubPolicy: name})}}
}

func (c *chain) group(members []string) *common.ConfigGroup {
	orgGroup := func(o *org, policies map[string]*common.ConfigPolicy) *common.ConfigGroup {
		return &common.ConfigGroup{
			Values:   map[string]*common.ConfigValue{"MSP": {Value: encode(&msp.MSPConfig{Config: encode(o.conf)})}},
			Policies: policies,
		}
	}
	application := &common.ConfigGroup{Groups: map[string]*common.ConfigGroup{}, Policies: map[string]*common.ConfigPolicy{
		"Endorsement":          metaRule(common.ImplicitMetaPolicy_MAJORITY, "Endorsement"),
		"LifecycleEndorsement": metaRule(common.ImplicitMetaPolicy_MAJORITY, "Endorsement"),
	}}
	for _, m := range members {
		application.Groups["group of "+m] = orgGroup(c.orgs[m], map[string]*common.ConfigPolicy{"Endorsement": roleRule(m, msp.MSPRole_PEER)})
	}
	return &common.ConfigGroup{Groups: map[string]*common.ConfigGroup{
		"Application": application,
		"Orderer": {
			Groups:   map[string]*common.ConfigGroup{"ordering": orgGroup(c.orgs[ordering], map[string]*common.ConfigPolicy{"Writers": roleRule(ordering, msp.MSPRole_MEMBER)})},
			Policies: map[string]*common.ConfigPolicy{"BlockValidation": metaRule(common.ImplicitMetaPolicy_ANY, "Writers")},
		},
	}}
}

func (c *chain) configTx(conf *common.Config) []byte {
	payload := encode(&common.Payload{
		Header: &common.Header{
			ChannelHeader:   encode(&common.ChannelHeader{Type: int32(common.HeaderType_CONFIG), ChannelId: testChannel}),
			SignatureHeader: encode(&common.SignatureHeader{Creator: c.orderer.serialized, Nonce: []byte("nonce")}),
		},
		Data: encode(&common.ConfigEnvelope{Config: conf}),
	})
	return encode(&common.Envelope{Payload: payload, Signature: must(c.orderer.Sign(payload))})
}

// draft is a transaction in the making; what is nil is what an honest client would put there.
type draft struct {
	by        *account
	channel   string
	chaincode string
	nonce     []byte
	id        string
	time      time.Time
	batch     *contract.Batch
	sets      []*rwset.NsReadWriteSet
	endorsers []*account

	result    func([]byte) []byte   // what is signed as the result in place of the right one
	endorsed  func([]byte) []byte   // changes the result after it was endorsed
	proposed  func([]byte) []byte   // changes the proposal after it was endorsed
	signature func([]byte) []byte   // changes the creator's signature
	header    *common.ChannelHeader // as it was made
	outcomes  []contract.Outcome

	noID     bool // the header says no ID
	function string
	argument []byte // in place of the batch
	response []byte // in place of the outcomes
}

func set(namespace string, s *kvrwset.KVRWSet) *rwset.NsReadWriteSet {
	return &rwset.NsReadWriteSet{Namespace: namespace, Rwset: encode(s)}
}

// writes is a set of our chaincode that writes a key, and read it in a version (nil: it was not there).
func writes(key, value string, read *kvrwset.Version) []*rwset.NsReadWriteSet {
	return []*rwset.NsReadWriteSet{set(testChaincode, &kvrwset.KVRWSet{
		Reads:  []*kvrwset.KVRead{{Key: key, Version: read}},
		Writes: []*kvrwset.KVWrite{{Key: key, Value: []byte(value)}},
	})}
}

func (c *chain) majority() []*account {
	var names []string
	for name := range c.peers {
		names = append(names, name)
	}
	slices.Sort(names)
	var peers []*account
	for _, name := range names[:len(names)/2+1] {
		peers = append(peers, c.peers[name])
	}
	return peers
}

// envelope makes the transaction.
func (c *chain) envelope(d *draft) []byte {
	c.t.Helper()
	c.defaults(d)
	signatureHeader := encode(&common.SignatureHeader{Creator: d.by.serialized, Nonce: d.nonce})
	d.header = &common.ChannelHeader{
		Type: int32(common.HeaderType_ENDORSER_TRANSACTION), ChannelId: d.channel, TxId: d.id, Timestamp: timestamppb.New(d.time),
		Extension: encode(&peer.ChaincodeHeaderExtension{ChaincodeId: &peer.ChaincodeID{Name: d.chaincode}}),
	}
	if d.noID {
		d.header.TxId = ""
	}
	channelHeader := encode(d.header)
	proposed := encode(&peer.ChaincodeProposalPayload{Input: encode(&peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{
		Input: &peer.ChaincodeInput{Args: [][]byte{[]byte(d.function), d.argument}},
	}})})
	result := encode(&peer.ProposalResponsePayload{
		ProposalHash: proposalHash(channelHeader, signatureHeader, proposed),
		Extension: encode(&peer.ChaincodeAction{
			Results:     encode(&rwset.TxReadWriteSet{NsRwset: d.sets}),
			Response:    &peer.Response{Status: 200, Payload: d.response},
			ChaincodeId: &peer.ChaincodeID{Name: d.chaincode, Version: "1"},
		}),
	})
	var endorsements []*peer.Endorsement
	for _, e := range d.endorsers {
		endorsements = append(endorsements, &peer.Endorsement{Endorser: e.serialized, Signature: must(e.Sign(slices.Concat(d.result(result), e.serialized)))})
	}
	action := encode(&peer.ChaincodeActionPayload{
		ChaincodeProposalPayload: d.proposed(proposed),
		Action:                   &peer.ChaincodeEndorsedAction{ProposalResponsePayload: d.endorsed(result), Endorsements: endorsements},
	})
	payload := encode(&common.Payload{
		Header: &common.Header{ChannelHeader: channelHeader, SignatureHeader: signatureHeader},
		Data:   encode(&peer.Transaction{Actions: []*peer.TransactionAction{{Header: signatureHeader, Payload: action}}}),
	})
	return encode(&common.Envelope{Payload: payload, Signature: d.signature(must(d.by.Sign(payload)))})
}

func (c *chain) defaults(d *draft) {
	same := func(b []byte) []byte { return b }
	for _, f := range []*func([]byte) []byte{&d.result, &d.endorsed, &d.proposed, &d.signature} {
		if *f == nil {
			*f = same
		}
	}
	if d.by == nil {
		d.by = c.client
	}
	if d.channel == "" {
		d.channel = testChannel
	}
	if d.chaincode == "" {
		d.chaincode = testChaincode
	}
	if d.nonce == nil {
		d.nonce = []byte(rand.Text())
	}
	if d.id == "" {
		d.id = txID(d.nonce, d.by.serialized)
	}
	if d.time.IsZero() {
		d.time = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	}
	if d.batch == nil {
		d.batch = &contract.Batch{Records: []contract.Record{{Hold: &contract.Hold{Item: "urn:example:lot:1", Scope: contract.ScopeLot}}}}
	}
	if d.outcomes == nil {
		d.outcomes = []contract.Outcome{{ID: "hold-1", Status: contract.Accepted}}
	}
	if d.function == "" {
		d.function = protocol.Submit
	}
	if d.argument == nil {
		d.argument = must(d.batch.Encode())
	}
	if d.response == nil {
		d.response = must(contract.EncodeOutcomes(d.outcomes))
	}
	if d.sets == nil {
		d.sets = writes("of "+d.id, "value", nil)
	}
	if d.endorsers == nil {
		d.endorsers = c.majority()
	}
}

// block makes the next block, in which all transactions are flagged as valid.
func (c *chain) block(envelopes ...[]byte) *common.Block {
	b := &common.Block{
		Header: &common.BlockHeader{Number: c.replica.pos.Height, PreviousHash: c.replica.pos.Hash[:]},
		Data:   &common.BlockData{Data: envelopes},
	}
	c.seal(b)
	return b
}

// seal makes data hash, signature and flags of a block.
func (c *chain) seal(b *common.Block) {
	sum := sha256.Sum256(bytes.Join(b.Data.Data, nil))
	b.Header.DataHash = sum[:]
	b.Metadata = &common.BlockMetadata{Metadata: [][]byte{c.signBlock(b, c.orderer), nil, make([]byte, len(b.Data.Data)), nil, nil}}
}

func (c *chain) signBlock(b *common.Block, by *account) []byte {
	header := encode(&common.SignatureHeader{Creator: by.serialized, Nonce: []byte("nonce")})
	value := []byte("last configuration")
	signature := must(by.Sign(slices.Concat(value, header, headerBytes(b.Header))))
	return encode(&common.Metadata{Value: value, Signatures: []*common.MetadataSignature{{SignatureHeader: header, Signature: signature}}})
}

// flag says what the peer found of a transaction.
func flag(b *common.Block, i int, code peer.TxValidationCode) *common.Block {
	b.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER][i] = byte(code)
	return b
}

func (c *chain) verify(b *common.Block) (*verified, error) {
	return c.replica.verify(b)
}

// accept applies a block that must be right.
func (c *chain) accept(b *common.Block) *verified {
	c.t.Helper()
	v, err := c.verify(b)
	if err == nil {
		err = c.replica.apply(v)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return v
}
