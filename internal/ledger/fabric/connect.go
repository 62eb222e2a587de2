package fabric

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hyperledger/fabric-protos-go/msp"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/logging"
	sdkcontext "github.com/hyperledger/fabric-sdk-go/pkg/common/providers/context"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/core"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
	sdkmsp "github.com/hyperledger/fabric-sdk-go/pkg/common/providers/msp"
	sdk "github.com/hyperledger/fabric-sdk-go/pkg/context"
	"github.com/hyperledger/fabric-sdk-go/pkg/core/cryptosuite"
	sdkfab "github.com/hyperledger/fabric-sdk-go/pkg/fab"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/orderer"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/peer"
	"github.com/hyperledger/fabric-sdk-go/pkg/fabsdk/provider/fabpvdr"

	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

const (
	// connectTimeout bounds the setting up of a connection: longer than TLS takes on a loaded machine, short enough for
	// another node to be asked while somebody waits.
	connectTimeout = 4 * time.Second
	// keepAlive is how often an idle connection is probed. Peers and orderers refuse to be probed more often than each minute.
	keepAlive = 70 * time.Second
	// probation is for how long a node that failed is asked after the others.
	probation = 30 * time.Second
)

// node is a peer or an orderer with what the SDK needs to reach it. Each trusts only its own authorities for TLS.
type node struct {
	Node
	providers sdkcontext.Providers
	config    fab.NetworkPeer
	peer      fab.Peer     // of a peer
	orderer   fab.Orderer  // of an orderer
	failed    atomic.Int64 // when it failed last, nanoseconds since 1970
}

// network is the nodes and the connections to them.
type network struct {
	infra    *fabpvdr.InfraProvider
	peers    []*node
	orderers []*node
}

// settings are options of the SDK, by their names in its configuration files.
type settings map[string]any

func (s settings) Lookup(key string) (any, bool) {
	v, ok := s[key]
	return v, ok
}

// quietSDK silences the SDK's own log, which it keeps for the whole process: its errors are returned as well, and told by us.
var quietSDK = sync.OnceFunc(func() { logging.SetLevel("", logging.CRITICAL) })

func connect(c Config) (*network, error) {
	quietSDK()
	base, err := sdkfab.ConfigFromBackend(settings{})
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	n := &network{infra: fabpvdr.New(base)}
	for _, p := range c.Peers {
		nd, err := n.node(p)
		if err == nil {
			nd.peer, err = peer.New(nd.providers.EndpointConfig(), peer.FromPeerConfig(&nd.config))
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("ledger: peer %s: %w", p.Address, err), n.close())
		}
		n.peers = append(n.peers, nd)
	}
	for _, o := range c.Orderers {
		nd, err := n.node(o)
		if err == nil {
			conf := fab.OrdererConfig{URL: nd.config.URL, GRPCOptions: nd.config.GRPCOptions, TLSCACert: nd.config.TLSCACert}
			nd.orderer, err = orderer.New(nd.providers.EndpointConfig(), orderer.FromOrdererConfig(&conf))
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("ledger: orderer %s: %w", o.Address, err), n.close())
		}
		n.orderers = append(n.orderers, nd)
	}
	return n, nil
}

func (n *network) close() error {
	n.infra.Close()
	return nil
}

func (n *network) node(conf Node) (*node, error) {
	authorities, err := readCerts(conf.TLSCA)
	if err != nil {
		return nil, err
	}
	endpoint, err := sdkfab.ConfigFromBackend(settings{
		"client.peer.timeout.connection":    connectTimeout,
		"client.orderer.timeout.connection": connectTimeout,
		"client.orderer.timeout.response":   broadcastTimeout,
	})
	if err != nil {
		return nil, err
	}
	endpoint.TLSCACertPool().Add(authorities...)
	options := map[string]any{"keep-alive-time": keepAlive, "keep-alive-permit": true, "fail-fast": true}
	if conf.ServerName != "" {
		options["ssl-target-name-override"] = conf.ServerName
	}
	return &node{
		Node: conf,
		config: fab.NetworkPeer{
			MSPID:      conf.MSP,
			PeerConfig: fab.PeerConfig{URL: "grpcs://" + conf.Address, GRPCOptions: options, TLSCACert: authorities[0]},
		},
		providers: sdk.NewProvider(sdk.WithEndpointConfig(endpoint), sdk.WithInfraProvider(n.infra),
			sdk.WithSigningManager(signatures{}), sdk.WithCryptoSuite(cryptosuite.GetDefault())),
	}, nil
}

func readCerts(file string) (certs []*x509.Certificate, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for len(bytes.TrimSpace(data)) > 0 {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil, fmt.Errorf("%s: it holds something that is not in PEM", file)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		certs = append(certs, c)
	}
	if len(certs) == 0 {
		return nil, fmt.Errorf("%s: it holds no certificate", file)
	}
	return certs, nil
}

// request is a context for one call of the SDK.
func (n *node) request(ctx context.Context, by *account, timeout time.Duration) (context.Context, context.CancelFunc) {
	return sdk.NewRequest(n.client(by), sdk.WithTimeout(timeout), sdk.WithParent(ctx))
}

func (n *node) client(by *account) *sdk.Client {
	return &sdk.Client{Providers: n.providers, SigningIdentity: by}
}

// fails notes that the node did not do what it should: it is asked after the others for a while.
func (n *node) fails(now time.Time) { n.failed.Store(now.UnixNano()) }

func (n *node) works() { n.failed.Store(0) }

// ordered returns nodes in the order in which to ask them: as configured, but those that failed lately come last.
func ordered(nodes []*node, now time.Time) []*node {
	var good, bad []*node
	for _, n := range nodes {
		if now.Sub(time.Unix(0, n.failed.Load())) < probation {
			bad = append(bad, n)
		} else {
			good = append(good, n)
		}
	}
	return append(good, bad...)
}

// account is a signer as the SDK wants one.
type account struct {
	ledger.Signer
	serialized []byte
}

func newAccount(by ledger.Signer) (*account, error) {
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: by.Cert})
	b, err := marshal(&msp.SerializedIdentity{Mspid: by.MSP, IdBytes: certPEM})
	return &account{by, b}, err
}

var _ sdkmsp.SigningIdentity = (*account)(nil)

func (a *account) Identifier() *sdkmsp.IdentityIdentifier {
	return &sdkmsp.IdentityIdentifier{MSPID: a.MSP, ID: string(a.Cert)}
}
func (a *account) Serialize() ([]byte, error)          { return a.serialized, nil }
func (a *account) EnrollmentCertificate() []byte       { return a.Cert }
func (a *account) PublicVersion() sdkmsp.Identity      { return a }
func (a *account) PrivateKey() core.Key                { return key{a.Key} }
func (a *account) Verify(_, _ []byte) error            { return errors.New("ledger: an account signs only") }
func (a *account) Sign(message []byte) ([]byte, error) { return sign(a.Key, message) }

// key is a private key that stays where it is.
type key struct{ crypto.Signer }

func (key) Bytes() ([]byte, error)       { return nil, errors.New("ledger: the key is private") }
func (key) SKI() []byte                  { return nil }
func (key) Symmetric() bool              { return false }
func (key) Private() bool                { return true }
func (key) PublicKey() (core.Key, error) { return nil, errors.New("ledger: the key signs only") }

// signatures implements the SDK's core.SigningManager.
type signatures struct{}

func (signatures) Sign(message []byte, k core.Key) ([]byte, error) {
	signer, ok := k.(key)
	if !ok {
		return nil, fmt.Errorf("ledger: a key of type %T", k)
	}
	return sign(signer, message)
}

// sign makes the signature that Fabric wants: ECDSA over SHA-256, with the lower of the two possible S.
func sign(k crypto.Signer, message []byte) ([]byte, error) {
	public, ok := k.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("ledger: a key of type %T instead of ECDSA", k.Public())
	}
	digest := sha256.Sum256(message)
	der, err := k.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var sig struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &sig); err != nil {
		return nil, fmt.Errorf("ledger: the key made no ECDSA signature: %w", err)
	}
	if sig.S.Cmp(halfOrder(public)) > 0 {
		sig.S.Sub(public.Params().N, sig.S)
	}
	return asn1.Marshal(sig)
}
