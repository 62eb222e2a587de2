package fabric

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

const (
	// maxMessage is Fabric's own limit of a message between peer and chaincode.
	maxMessage = 100 << 20
	// connectTimeout is how long a peer may take to shake hands.
	connectTimeout = 5 * time.Second
	// stopTimeout is how long transactions in progress get when the service is stopped: peers wait no longer for one by default.
	stopTimeout = 30 * time.Second
	// idlePing is after how long without a message the service asks whether the peer is still there.
	idlePing = time.Minute
	// minPing is how often a peer may ask: peers do so once a minute by default.
	minPing = 30 * time.Second
)

// Service offers a chaincode to peers, which connect to it.
type Service struct {
	shim *shim.ChaincodeServer
	log  *slog.Logger

	mu       sync.Mutex
	stopping bool
	open     sync.WaitGroup // transactions; Add only under mu and not while stopping
	drained  chan struct{}  // closed when the service is stopping and no transaction is open
}

// NewService makes the service of one chaincode package. The ID is the one that the peer gave the package at its installation.
func NewService(packageID string, cc shim.Chaincode, log *slog.Logger) *Service {
	return &Service{shim: &shim.ChaincodeServer{CCID: packageID, CC: cc}, log: log, drained: make(chan struct{})}
}

// Serve answers peers until ctx is done; then it turns new transactions away, lets open ones end, and returns. Without a
// TLS configuration it speaks plain text. It closes the listener. A service serves once.
func (s *Service) Serve(ctx context.Context, listener net.Listener, secure *tls.Config) error {
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage), grpc.ConnectionTimeout(connectTimeout),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: idlePing}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
	}
	if secure != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(secure)))
	}
	server := grpc.NewServer(options...)
	peer.RegisterChaincodeServer(server, s)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	if !s.drain(stopTimeout) {
		s.log.Warn("stopping with transactions open", "waited", stopTimeout)
		server.Stop()
	}
	server.GracefulStop()
	if err := <-ended; !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

// Connect implements the chaincode side of the stream that a peer opens.
func (s *Service) Connect(stream peer.Chaincode_ConnectServer) error {
	c := newConversation(s, stream)
	defer c.abandon()
	s.log.Info("a peer has connected")
	err := s.shim.Connect(c)
	s.log.Info("a peer's stream has ended", "reason", err)
	return err
}

// begin counts a transaction as open, unless the service is stopping.
func (s *Service) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopping {
		s.open.Add(1)
	}
	return !s.stopping
}

// drain lets open transactions end and says whether they did in time.
func (s *Service) drain(within time.Duration) bool {
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	go func() {
		s.open.Wait()
		close(s.drained)
	}()
	select {
	case <-s.drained:
		return true
	case <-time.After(within):
		return false
	}
}
