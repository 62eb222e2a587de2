package fabricnet

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// Where things are in the directory of a network:
//
//	network.json                          what the network remembers
//	genesis.block                         the channel's first block
//	ca/server, ca/ORG                     fabric-ca-server and its authorities
//	organisations/ORG/msp                 what the channel knows of an organisation
//	organisations/ORG/NODE/{msp,tls,…}    a node: its identity, certificate for TLS, configuration, data
//	organisations/ORG/admin/{msp,tls}     the organisation's administrator
//	members/MSP/                          a member's gateway: its configuration and its identities
//	log/NAME.log                          what each process wrote
const (
	ordering = "orderers" // MSP ID of the ordering organisation
	admin    = "admin"    // its, and each member's, administrator
	// Users of each member.
	gatewayUser   = "gateway"   // signs for the member in all its roles
	inspectorUser = "inspector" // in the one role that its certificate names
)

// nodeOUs has Fabric read the kind of an identity from the organisational unit that the authority put into its certificate.
const nodeOUs = `NodeOUs:
  Enable: true
  ClientOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: client}
  PeerOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: peer}
  AdminOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: admin}
  OrdererOUIdentifier: {Certificate: cacerts/ca.pem, OrganizationalUnitIdentifier: orderer}
`

func (n *Network) org(parts ...string) string {
	return n.path(append([]string{"organisations"}, parts...)...)
}

// enrollAll makes the identities of all organisations.
func (n *Network) enrollAll(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.enrollOrdering(ctx) })
	for _, m := range n.state.Members {
		g.Go(func() error { return n.enrollMember(ctx, m) })
	}
	return g.Wait()
}

func (n *Network) enrollOrdering(ctx context.Context) error {
	a, err := n.begin(ordering)
	if err != nil {
		return err
	}
	if err := n.enrollNode(ctx, a, admin, "admin"); err != nil {
		return err
	}
	for _, o := range orderers {
		if err := n.enrollNode(ctx, a, o, "orderer"); err != nil {
			return err
		}
	}
	return nil
}

// enrollMember makes the identities of a member: its administrator, its peer, its chaincode service and its users.
func (n *Network) enrollMember(ctx context.Context, m contract.Member) error {
	a, err := n.begin(m.MSP)
	if err != nil {
		return err
	}
	for _, node := range []struct{ name, kind string }{{admin, "admin"}, {"peer", "peer"}, {"chaincode", "service"}} { // a kind that Fabric does not know: it can sign nothing
		if err := n.enrollNode(ctx, a, node.name, node.kind); err != nil {
			return err
		}
	}
	if err := n.enrollUser(ctx, a, gatewayUser, ""); err != nil {
		return err
	}
	return n.enrollUser(ctx, a, inspectorUser, string(m.Roles[0]))
}

// begin writes the organisation's MSP as the channel knows it, and returns its authority.
func (n *Network) begin(msp string) (*authority, error) {
	if err := n.writeMSP(msp, n.org(msp, "msp")); err != nil {
		return nil, err
	}
	return n.authority(msp)
}

// enrollNode makes the identity of a node or administrator, and its certificate for TLS.
func (n *Network) enrollNode(ctx context.Context, a *authority, name, kind string) error {
	if err := a.register(ctx, name, kind, ""); err != nil {
		return err
	}
	id, err := a.enroll(ctx, name)
	if err != nil {
		return err
	}
	if err := n.writeMSP(a.name, n.org(a.name, name, "msp")); err != nil {
		return err
	}
	if err := id.write(n.nodeFiles(a.name, name)); err != nil {
		return err
	}
	certFile, keyFile := n.org(a.name, name, "tls", "cert.pem"), n.org(a.name, name, "tls", "key.pem")
	key, err := tlsKey(kind, keyFile)
	if err != nil {
		return err
	}
	secure, err := a.reenrollTLS(ctx, id, name, key)
	if err != nil {
		return err
	}
	return secure.write(certFile, keyFile)
}

// tlsKey is a new key, but for an orderer that has one: the channel's configuration knows the orderers by their keys for TLS.
func tlsKey(kind, file string) (*ecdsa.PrivateKey, error) {
	data, err := os.ReadFile(file)
	if kind != "orderer" || errors.Is(err, fs.ErrNotExist) {
		return newKey()
	}
	if err != nil {
		return nil, fmt.Errorf("fabricnet: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("fabricnet: %s holds no key", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("fabricnet: %s: %w", file, err)
	}
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("fabricnet: %s holds no ECDSA key", file)
	}
	return private, nil
}

// enrollUser makes an identity that signs submissions, in the member's folder, unless it is revoked.
func (n *Network) enrollUser(ctx context.Context, a *authority, name, roles string) error {
	if slices.Contains(n.state.Revoked, a.name+"/"+name) {
		return nil
	}
	if err := a.register(ctx, name, "client", roles); err != nil {
		return err
	}
	id, err := a.enroll(ctx, name)
	if err != nil {
		return err
	}
	return id.write(n.userFiles(a.name, name))
}

// nodeFiles are the files of a node's certificate and key.
func (n *Network) nodeFiles(org, name string) (cert, key string) {
	return n.org(org, name, "msp", "signcerts", "cert.pem"), n.org(org, name, "msp", "keystore", "key.pem")
}

// userFiles are the files of a user's certificate and key.
func (n *Network) userFiles(msp, name string) (cert, key string) {
	return n.path("members", msp, name+".pem"), n.path("members", msp, name+"-key.pem")
}

// writeMSP writes the public part of an MSP: the authority, for identities and for TLS, and how kinds are told apart.
func (n *Network) writeMSP(msp, dir string) error {
	ca, err := os.ReadFile(n.path("ca", msp, "ca.pem"))
	if err != nil {
		return fmt.Errorf("fabricnet: %w", err)
	}
	return writeFiles(dir, map[string][]byte{"cacerts/ca.pem": ca, "tlscacerts/ca.pem": ca, "config.yaml": []byte(nodeOUs)})
}

func (id *identity) write(cert, key string) error {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(id.key)
	if err != nil {
		return err
	}
	if err := writeFiles("", map[string][]byte{cert: id.cert}); err != nil {
		return err
	}
	return writeFiles("", map[string][]byte{key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})})
}

// writeFiles writes files, which only the owner can read: most are secrets or lie beside some.
func writeFiles(dir string, files map[string][]byte) error {
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return fmt.Errorf("fabricnet: %w", err)
		}
		mode := os.FileMode(0o600)
		if strings.HasPrefix(string(data), "#!") {
			mode = 0o700
		}
		if err := os.WriteFile(path, data, mode); err != nil {
			return fmt.Errorf("fabricnet: %w", err)
		}
	}
	return nil
}
