package fabric

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/foodtrace-ledger/foodtrace/chaincode/protocol"
)

// TestMain also sees to it that no transaction is left hanging by any test.
func TestMain(m *testing.M) {
	// The shim leaves a goroutine that reports on a last message behind when its connection ends first: nobody waits for the report.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/hyperledger/fabric-chaincode-go/v2/shim.(*Handler).serialSendAsync.func1"))
}

// holdAnswers makes the peer keep its answers to reads until the returned function is called.
func (p *testPeer) holdAnswers() (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	hold := make(chan struct{})
	p.hold = hold
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.hold = nil
		close(hold)
	}
}

func waitFor(t testing.TB, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatal(what, "not within 20 s")
	}
}

// TestConcurrent: transactions of several peers run at the same time without mixing up their answers.
func TestConcurrent(t *testing.T) {
	address, _ := startService(t, quiet(atNoon), nil)
	var wg sync.WaitGroup
	for range 3 {
		p := connect(t, address, nil, nil)
		who := identity(t, "Authority", "li", "")
		data := registration(t)
		for i := range 2 * maxConcurrent {
			wg.Go(func() {
				if c := p.propose(submission(txID(i), who, data)); c.response.Status != shim.OK || len(c.writes) != 2 {
					t.Errorf("%d: %d %s, %d writes", i, c.response.Status, c.response.Message, len(c.writes))
				}
			})
		}
	}
	wg.Wait()
}

// TestPeerGoesAway: what waits for a peer that is gone ends, all of it, and another peer is served on.
func TestPeerGoesAway(t *testing.T) {
	address, stop := startService(t, quiet(atNoon), nil)
	gone, stays := connect(t, address, nil, nil), connect(t, address, nil, nil)
	who := identity(t, "Authority", "li", "")
	release := gone.holdAnswers()
	defer release()
	for i := range 2 * maxConcurrent {
		c := gone.begin(submission(txID(i), who, registration(t)))
		if i < maxConcurrent/2 { // the rest is at any other point
			waitFor(t, "a read", c.asked)
		}
	}
	gone.close()
	waitFor(t, "the stream's end", gone.ended)
	for i := range 2 * maxConcurrent { // each slot is free again
		if c := stays.propose(submission(txID(i), who, registration(t))); c.response.Status != shim.OK {
			t.Fatalf("%d %s", c.response.Status, c.response.Message)
		}
	}
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	waitFor(t, "the service's end", stopped)
}

// TestStop: a service that is stopped turns new transactions away, and open ones end as if nothing were.
func TestStop(t *testing.T) {
	address, stop := startService(t, quiet(atNoon), nil)
	p := connect(t, address, nil, nil)
	who := identity(t, "Authority", "li", "")
	release := p.holdAnswers()
	open := p.begin(submission("open", who, registration(t)))
	waitFor(t, "a read", open.asked)
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	turnedAway := false
	for i := 0; !turnedAway && i < 1000; i++ { // until the service has noticed
		c := p.begin(submission(fmt.Sprint("new", i), who, registration(t)))
		select {
		case <-c.done:
			wantRefusal(t, "new", c, protocol.StatusFailed, protocol.CodeStopping)
			turnedAway = true
		case <-c.asked:
		}
	}
	select {
	case <-stopped:
		t.Error("the service stopped with a transaction open")
	default:
	}
	release()
	waitFor(t, "the open transaction", open.done)
	if !turnedAway || open.response.Status != shim.OK || len(open.writes) != 2 {
		t.Errorf("turned away %t; %d %s, %d writes", turnedAway, open.response.Status, open.response.Message, len(open.writes))
	}
	waitFor(t, "the service's end", stopped)
	waitFor(t, "the stream's end", p.ended)
}

// TestTLS: a service with client authorities serves their peers and no others.
func TestTLS(t *testing.T) {
	server, pool := selfSigned(t)
	client, clients := selfSigned(t)
	stranger, _ := selfSigned(t)
	address, _ := startService(t, quiet(atNoon), &tls.Config{Certificates: []tls.Certificate{server}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert})
	p := connect(t, address, &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{client}}, nil)
	if c := p.propose(submission("x", identity(t, "Authority", "li", ""), registration(t))); c.response.Status != shim.OK {
		t.Errorf("%d %s", c.response.Status, c.response.Message)
	}
	for name, config := range map[string]*tls.Config{"no certificate": {RootCAs: pool}, "another's": {RootCAs: pool, Certificates: []tls.Certificate{stranger}}} {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		stream, err := peer.NewChaincodeClient(conn).Connect(ctx)
		if err == nil {
			_, err = stream.Recv()
		}
		if err == nil {
			t.Errorf("%s: served", name)
		}
		cancel()
		conn.Close()
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
