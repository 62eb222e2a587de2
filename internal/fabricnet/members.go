package fabricnet

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/fabric"
)

// Members returns the MSP IDs of the members.
func (n *Network) Members() []string { return n.organisations()[1:] }

// Config says how a member's client reaches the channel: its own peer first.
func (n *Network) Config(msp string) fabric.Config {
	c := fabric.Config{Channel: channel, Chaincode: chaincodeTerm, Genesis: n.genesis()}
	for _, m := range n.Members() {
		c.Peers = append(c.Peers, fabric.Node{MSP: m, Address: n.state.address(peerName(m)), TLSCA: n.org(m, "msp", "cacerts", "ca.pem")})
	}
	slices.SortStableFunc(c.Peers, func(a, b fabric.Node) int {
		switch {
		case a.MSP == b.MSP:
			return 0
		case a.MSP == msp:
			return -1
		case b.MSP == msp:
			return 1
		}
		return 0
	})
	for _, name := range orderers {
		c.Orderers = append(c.Orderers, fabric.Node{MSP: ordering, Address: n.state.address(n.entrance(name)), TLSCA: n.org(ordering, "msp", "cacerts", "ca.pem")})
	}
	return c
}

// Signer returns the identity of a user of a member: "gateway" signs in all roles of the member, "inspector" in its first.
func (n *Network) Signer(msp, user string) (ledger.Signer, error) {
	cert, key := n.userFiles(msp, user)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return ledger.Signer{}, fmt.Errorf("fabricnet: the identity of %s at %s: %w", user, msp, err)
	}
	return ledger.Signer{MSP: msp, Cert: pair.Leaf.Raw, Key: pair.PrivateKey.(crypto.Signer)}, nil
}

// Stranger returns an identity that no authority of the network issued, of an organisation that is not on it.
func (n *Network) Stranger() (ledger.Signer, error) {
	key, err := newKey()
	if err != nil {
		return ledger.Signer{}, err
	}
	const msp = "stranger"
	t := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		Subject: pkix.Name{Organization: []string{msp}, OrganizationalUnit: []string{"client"}, CommonName: gatewayUser}}
	cert, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	return ledger.Signer{MSP: msp, Cert: cert, Key: key}, err
}

// writeMember writes the configuration of a member's gateway, the file that `foodtrace serve --config` reads.
func (n *Network) writeMember(msp string) error {
	cert, key := n.userFiles(msp, gatewayUser)
	config, err := render("foodtrace.yaml", struct {
		Member, File, Listen, Data, Cert, Key string
		Fabric                                fabric.Config
	}{Member: msp, File: n.MemberFile(msp), Listen: n.state.address("gateway." + msp), Data: n.memberData(msp), Cert: cert, Key: key, Fabric: n.Config(msp)})
	if err != nil {
		return err
	}
	return writeFiles("", map[string][]byte{n.MemberFile(msp): config})
}

// MemberFile is the configuration of a member's gateway.
func (n *Network) MemberFile(msp string) string { return n.path("members", msp, "foodtrace.yaml") }

// memberData is the data directory of a member's gateway.
func (n *Network) memberData(msp string) string { return n.path("members", msp, "data") }

// Gateways returns the members of which a gateway runs on the data directory that the network made for it: removing the
// network would take their jobs, tokens and evidence from under them. Gateways of this process are not seen.
// fs.ErrNotExist: there is no network.
func Gateways(dir string) (members []string, err error) {
	n, err := at(Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	for _, msp := range n.Members() {
		runs, err := locked(filepath.Join(n.memberData(msp), "replica", "replica.lock"))
		if err != nil {
			return nil, err
		}
		if runs {
			members = append(members, msp)
		}
	}
	return members, nil
}

// locked says whether another process holds the lock on a file.
func locked(file string) (bool, error) {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("fabricnet: %w", err)
	}
	defer f.Close()
	l := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &l); err != nil {
		return false, fmt.Errorf("fabricnet: %s: %w", file, err)
	}
	return l.Type != syscall.F_UNLCK, nil
}

// ShellQuote is a text as one word of a command line that a shell reads.
func ShellQuote(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:=@%,", r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// writeMembers writes the configuration of each member's gateway.
func (n *Network) writeMembers() error {
	for _, msp := range n.Members() {
		if err := n.writeMember(msp); err != nil {
			return err
		}
	}
	return n.save()
}
