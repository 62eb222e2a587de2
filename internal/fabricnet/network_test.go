package fabricnet

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/fabric"
)

// shared is the network of the tests that leave it as they found it.
var shared Shared

func TestMain(m *testing.M) { os.Exit(shared.Run(m)) }

func contains(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }

// problems are what is wrong with the network now.
func problems(t *testing.T, n *Network) []string {
	t.Helper()
	s, err := n.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Problems
}

// open opens a member's ledger.
func open(t *testing.T, n *Network, msp string) *fabric.Ledger {
	t.Helper()
	l, err := fabric.Open(fabric.Options{Config: n.Config(msp), Identity: signer(t, n, msp, gatewayUser), Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func signer(t *testing.T, n *Network, msp, user string) ledger.Signer {
	t.Helper()
	by, err := n.Signer(msp, user)
	if err != nil {
		t.Fatal(err)
	}
	return by
}

// product is a registration that any member may send while the policy is lenient; the name makes it another one.
func product(name string) *contract.Batch {
	return &contract.Batch{Records: []contract.Record{{Registration: &contract.Registration{
		Products: []contract.Product{{ID: "urn:example:product:" + name, Name: contract.Text{EN: name}}}}}}}
}

// submit sends a product and says what became of it.
func submit(t *testing.T, l ledger.Ledger, by ledger.Signer, name string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := l.Submit(ctx, by, product(name))
	if err == nil && r.Outcomes[0].Status != contract.Accepted {
		t.Errorf("%s: %+v", name, r.Outcomes[0])
	}
	return err
}

func TestRunningNetwork(t *testing.T) {
	n := shared.Get(t)
	s, err := n.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Problems) > 0 || s.Leader == "" || s.Chaincode != (Definition{Version: "1", Sequence: 1}) || !slices.Equal(s.Members, []string{"regulator", "producer-a", "producer-b", "retailer"}) {
		t.Errorf("status %+v", s)
	}
	for _, node := range s.Nodes {
		if kind, _, _ := strings.Cut(node.Name, "."); kind != "ca" && kind != "chaincode" && (node.Height == nil || *node.Height < 3) {
			t.Errorf("%s has %v blocks", node.Name, node.Height)
		}
	}
	if soon := time.Now().Add(360 * 24 * time.Hour); s.Certificates[0].Expires.Before(soon) {
		t.Errorf("a new network has the certificate %+v", s.Certificates[0])
	}
	for _, msp := range n.Members() {
		if _, err := os.Stat(n.MemberFile(msp)); err != nil {
			t.Error(err)
		}
		if first := n.Config(msp).Peers[0].MSP; first != msp {
			t.Errorf("%s asks the peer of %s first", msp, first)
		}
	}
	l := open(t, n, "retailer")
	if err := submit(t, l, signer(t, n, "retailer", gatewayUser), "first"); err != nil { // then it has all blocks before it
		t.Fatal(err)
	}
	err = l.View(t.Context(), func(state contract.State) error {
		for _, m := range DefaultMembers() {
			if have, _, err := contract.MemberOn(state, m.MSP); err != nil || have == nil || !slices.Equal(have.Roles, m.Roles) {
				t.Errorf("%s is registered as %+v: %v", m.MSP, have, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestRolesAreInCertificates(t *testing.T) {
	n := shared.Get(t)
	for user, want := range map[string]string{gatewayUser: "", inspectorUser: `"foodtrace.roles":"producer"`} {
		cert, err := x509.ParseCertificate(signer(t, n, "producer-a", user).Cert)
		if err != nil {
			t.Fatal(err)
		}
		var attributes string
		for _, e := range cert.Extensions {
			if e.Id.Equal(asn1.ObjectIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 1}) {
				attributes = string(e.Value)
			}
		}
		if got := strings.Contains(attributes, rolesAttribute); got != (want != "") || !strings.Contains(attributes, want) {
			t.Errorf("the certificate of %s has the attributes %s", user, attributes)
		}
	}
}

func TestStatusNamesWhatIsDown(t *testing.T) {
	n := shared.Get(t)
	for _, name := range []string{"peer.retailer", "chaincode.producer-b", "orderer2", "ca"} {
		if err := n.Kill(name); err != nil {
			t.Fatal(err)
		}
	}
	all := strings.Join(problems(t, n), "\n")
	for _, name := range []string{"peer.retailer", "chaincode.producer-b", "orderer2", "ca"} {
		if !strings.Contains(all, name+" does not run") {
			t.Errorf("nobody says that %s does not run: %s", name, all)
		}
	}
	taken, err := net.Listen("tcp", n.state.address("peer.retailer"))
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(problems(t, n), "\n"); !strings.Contains(all, "another program listens on "+taken.Addr().String()) {
		t.Errorf("nobody says that the port is taken: %s", all)
	}
	taken.Close()
	if err := n.Kill("peer.retailer"); !contains(err, "does not run") {
		t.Errorf("killing it twice: %v", err)
	}
	again, err := Up(t.Context(), Options{Dir: n.dir})
	if err != nil {
		t.Fatal(err)
	}
	if p := problems(t, again); len(p) > 0 {
		t.Errorf("after up: %v", p)
	}
}

func TestMajority(t *testing.T) {
	n := ForTest(t, Options{})
	l, regulator := open(t, n, "regulator"), signer(t, n, "regulator", gatewayUser)
	carrier := contract.Member{MSP: "carrier", Name: contract.Text{ZH: "冷链物流", EN: "Cold Chain Logistics"}, Roles: []contract.Role{contract.Carrier}}

	const refused = "policy for [Group]  /Channel/Application not satisfied"
	if err := n.AddOrganisation(t.Context(), carrier, "regulator"); !contains(err, refused) {
		t.Fatalf("the regulator alone added an organisation: %v", err)
	}
	if len(n.Members()) != 4 {
		t.Fatalf("members %v", n.Members())
	}
	if err := n.AddOrganisation(t.Context(), carrier); err != nil {
		t.Fatal(err)
	}
	newcomer := open(t, n, "carrier")
	if err := submit(t, newcomer, signer(t, n, "carrier", gatewayUser), "of the newcomer"); err != nil {
		t.Errorf("the new member: %v", err)
	}
	if err := submit(t, l, regulator, "with five members"); err != nil {
		t.Error(err)
	}
	if p := problems(t, n); len(p) > 0 {
		t.Error(p)
	}

	if err := n.RemoveOrganisation(t.Context(), "carrier", "regulator", "carrier"); !contains(err, refused) {
		t.Fatalf("two of five removed an organisation: %v", err)
	}
	if err := n.RemoveOrganisation(t.Context(), "carrier"); err != nil {
		t.Fatal(err)
	}
	if err := submit(t, l, signer(t, n, "carrier", gatewayUser), "of one who left"); !errors.Is(err, ledger.ErrRefused) {
		t.Errorf("a member that was removed: %v", err)
	}
	if err := submit(t, l, regulator, "with four members again"); err != nil {
		t.Error(err)
	}
	if p := problems(t, n); len(p) > 0 {
		t.Error(p)
	}
}

func TestRevoke(t *testing.T) {
	n := ForTest(t, Options{HighS: true})
	root, err := os.ReadFile(n.path("ca", "retailer", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if !hasHighS(t, root) {
		t.Error("the authority's certificate has a low s")
	}
	l := open(t, n, "regulator")
	inspector, gateway := signer(t, n, "producer-a", inspectorUser), signer(t, n, "producer-a", gatewayUser)
	if err := submit(t, l, inspector, "before"); err != nil {
		t.Fatal(err)
	}
	if err := n.Revoke(t.Context(), "producer-a", inspectorUser); err != nil {
		t.Fatal(err)
	}
	if err := submit(t, l, inspector, "after"); !errors.Is(err, ledger.ErrRefused) {
		t.Errorf("a revoked certificate: %v", err)
	}
	if err := submit(t, l, gateway, "by another"); err != nil {
		t.Errorf("another user of the member: %v", err)
	}
	if err := n.Revoke(t.Context(), "producer-a", "nobody"); err == nil {
		t.Error("somebody unknown was revoked")
	}
}

func hasHighS(t *testing.T, pemCert []byte) bool {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(file, pemCert, 0o600); err != nil {
		t.Fatal(err)
	}
	cert, err := readCert(file)
	if err != nil {
		t.Fatal(err)
	}
	var signature struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(cert.Signature, &signature); err != nil {
		t.Fatal(err)
	}
	return isHighS(signature.S)
}

// Everything that is done to a network while it is used, without a submission that fails.
func TestRenewAndUpgradeWhileItIsUsed(t *testing.T) {
	n := ForTest(t, Options{})
	l, by := open(t, n, "regulator"), signer(t, n, "regulator", gatewayUser)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan int)
	go func() {
		var sent int
		for ; ctx.Err() == nil; sent++ {
			err := errors.New("not sent")
			for range 20 { // what was not ordered is sent again, as capture does
				if err = submit(t, l, by, "number "+big.NewInt(int64(sent)).String()); !errors.Is(err, ledger.ErrNotOrdered) {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			if err != nil && ctx.Err() == nil {
				t.Errorf("submission %d: %v", sent, err)
			}
		}
		done <- sent
	}()
	before, err := serial(n, "producer-a")
	if err != nil {
		t.Fatal(err)
	}
	binary, err := BuildChaincode(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := n.UpgradeChaincode(t.Context(), binary, "2"); err != nil {
		t.Error(err)
	}
	for _, msp := range []string{"producer-a", ordering} {
		if err := n.Renew(t.Context(), msp); err != nil {
			t.Errorf("%s: %v", msp, err)
		}
	}
	stop()
	if sent := <-done; sent < 10 {
		t.Errorf("only %d submissions", sent)
	}
	if after, err := serial(n, "producer-a"); err != nil || after.Cmp(before) == 0 {
		t.Errorf("the peer's certificate is the same: %v", err)
	}
	s, err := n.Status(t.Context())
	if err != nil || len(s.Problems) > 0 || s.Chaincode != (Definition{Version: "2", Sequence: 2}) {
		t.Errorf("status %+v: %v", s, err)
	}
}

// serial is the number of the certificate of a member's peer.
func serial(n *Network, msp string) (*big.Int, error) {
	file, _ := n.nodeFiles(msp, "peer")
	cert, err := readCert(file)
	if err != nil {
		return nil, err
	}
	return cert.SerialNumber, nil
}

func TestOrdererThatIsCutOffAndOneThatLosesItsData(t *testing.T) {
	n := ForTest(t, Options{Proxy: true})
	l, by := open(t, n, "regulator"), signer(t, n, "regulator", gatewayUser)
	first, err := n.Leader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Partition(first); err != nil {
		t.Fatal(err)
	}
	if err := retry(t, func() error { return submit(t, l, by, "without the leader") }); err != nil {
		t.Error(err)
	}
	if second, err := n.Leader(t.Context()); err != nil || second == first {
		t.Errorf("%s still leads: %v", second, err)
	}
	behind, err := n.height(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Heal(first); err != nil {
		t.Fatal(err)
	}
	if err := n.awaitBlocks(t.Context(), first); err != nil {
		t.Error(err)
	}
	if now, err := n.height(t.Context(), first); err != nil || now <= behind {
		t.Errorf("the orderer that was cut off had %d blocks and has %d: %v", behind, now, err)
	}

	if err := n.Kill(first); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(n.org(ordering, first, "data")); err != nil {
		t.Fatal(err)
	}
	if err := n.Start(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if p := problems(t, n); len(p) != 1 || !strings.Contains(p[0], first+" has no blocks") {
		t.Errorf("problems of a network of which an orderer lost its data: %v", p)
	}
	if err := n.ReplaceOrderer(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if err := retry(t, func() error { return submit(t, l, by, "with a new orderer") }); err != nil {
		t.Error(err)
	}
	if p := problems(t, n); len(p) > 0 {
		t.Errorf("problems with a new orderer: %v", p)
	}
}

// retry sends again what was not ordered.
func retry(t *testing.T, send func() error) error {
	t.Helper()
	for {
		err := send()
		if !errors.Is(err, ledger.ErrNotOrdered) || t.Context().Err() != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// cutter ends the context when a step begins.
type cutter struct {
	step   string
	cancel context.CancelFunc
}

func (c cutter) Write(line []byte) (int, error) {
	if strings.Contains(string(line), c.step) {
		c.cancel()
	}
	return len(line), nil
}

func TestInterruptedUpAndDown(t *testing.T) {
	enabled(t)
	dir := filepath.Join(t.TempDir(), "network")
	binary, err := BuildChaincode(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	n, err := Up(ctx, Options{Dir: dir, Chaincode: binary, Progress: cutter{"joining", cancel}})
	if err == nil {
		t.Fatal("the network is complete")
	}
	defer func() {
		if err := n.Down(false); err != nil {
			t.Error(err)
		}
	}()
	if p := problems(t, n); len(p) != 1 || !strings.Contains(p[0], "never finished") {
		t.Errorf("problems of a network that was not finished: %v", p)
	}
	if n, err = Up(t.Context(), Options{Dir: dir, Chaincode: binary}); err != nil {
		t.Fatal(err)
	}
	if err := n.Down(true); err != nil {
		t.Fatal(err)
	}
	if found, err := n.find(); err != nil || len(found) > 0 {
		t.Errorf("after a stop there are %v: %v", found, err)
	}
	if n, err = Up(t.Context(), Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if p := problems(t, n); len(p) > 0 {
		t.Errorf("after it was started again: %v", p)
	}
	ports := n.state.Ports
	if err := n.Down(false); err != nil {
		t.Fatal(err)
	}
	if found, err := n.find(); err != nil || len(found) > 0 {
		t.Errorf("processes are left: %v: %v", found, err)
	}
	for purpose, port := range ports {
		if conn, err := net.Dial("tcp", hostPort(port)); err == nil {
			conn.Close()
			t.Errorf("port %d (%s) still answers", port, purpose)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory is still there: %v", err)
	}
	if _, err := Open(t.Context(), Options{Dir: dir}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening it: %v", err)
	}
}
