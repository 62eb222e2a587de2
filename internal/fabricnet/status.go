package fabricnet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Status is how a network is.
type Status struct {
	Dir          string        `json:"dir"`
	Channel      string        `json:"channel"`
	Members      []string      `json:"members"`          // MSP IDs
	Leader       string        `json:"leader,omitempty"` // orderer that leads; empty: none, or nobody can tell
	Chaincode    Definition    `json:"chaincode"`
	Nodes        []NodeStatus  `json:"nodes"`
	Certificates []Certificate `json:"certificates"` // the first to expire first
	Problems     []string      `json:"problems"`     // what is wrong, a sentence each; empty: nothing
}

// Definition is the chaincode's on the channel.
type Definition struct {
	Version  string `json:"version"`
	Sequence int    `json:"sequence"`
}

// NodeStatus is how one process is.
type NodeStatus struct {
	Name    string     `json:"name"`
	Address string     `json:"address"`
	Running bool       `json:"running"`
	PID     int        `json:"pid,omitempty"`
	Since   *time.Time `json:"since,omitempty"`  // when it was started
	Height  *uint64    `json:"height,omitempty"` // blocks that a peer or orderer has
	Log     string     `json:"log"`              // file
}

// Certificate is when one of the network's certificates ends.
type Certificate struct {
	Name    string    `json:"name"` // its file, in the network's directory
	Expires time.Time `json:"expires"`
}

const (
	// expirySoon is when a certificate's end becomes a problem: it leaves a month to renew it.
	expirySoon = 30 * 24 * time.Hour
	// lagging is how many blocks behind the others a node is told to be: some are always on their way.
	lagging      = 10
	probeTimeout = 5 * time.Second
	// endorseTimeout is for a transaction that the chaincode refuses at once; a peer that has no connection to it yet makes one.
	endorseTimeout = 10 * time.Second
)

// Status looks at each process, and asks those that run. It fails only where it cannot look; what is wrong with the network
// is among Problems.
func (n *Network) Status(ctx context.Context) (*Status, error) {
	found, err := n.find()
	if err != nil {
		return nil, err
	}
	s := &Status{Dir: n.dir, Channel: channel, Members: n.Members(), Problems: []string{}}
	if !n.state.Ready {
		s.problem("the network was never finished: foodtrace network up builds it anew")
		return s, nil
	}
	ps := n.processes()
	s.Nodes = make([]NodeStatus, len(ps))
	wrong := make([][]string, len(ps))
	var wait sync.WaitGroup
	for i, p := range ps {
		wait.Go(func() { s.Nodes[i], wrong[i] = n.nodeStatus(ctx, p, found) })
	}
	wait.Wait()
	for _, w := range wrong {
		s.Problems = append(s.Problems, w...)
	}
	s.heights()
	n.leaderStatus(ctx, s)
	n.chaincodeStatus(ctx, s)
	n.endorsing(ctx, s)
	return s, n.certificates(s, time.Now())
}

func (s *Status) problem(format string, args ...any) {
	s.Problems = append(s.Problems, fmt.Sprintf(format, args...))
}

func (s *Status) node(name string) *NodeStatus {
	for i := range s.Nodes {
		if s.Nodes[i].Name == name {
			return &s.Nodes[i]
		}
	}
	return &NodeStatus{Name: name}
}

// nodeStatus is how one process is, and what is wrong with it.
func (n *Network) nodeStatus(ctx context.Context, p process, found map[string]running) (s NodeStatus, wrong []string) {
	s = NodeStatus{Name: p.name, Address: p.address, Log: n.log(p.name)}
	r, runs := found[p.id]
	if !runs {
		wrong = append(wrong, fmt.Sprintf("%s does not run; its log is %s, foodtrace network up starts it", p.name, s.Log))
		if conn, err := net.DialTimeout("tcp", p.address, probeTimeout); err == nil {
			conn.Close()
			wrong = append(wrong, fmt.Sprintf("another program listens on %s, the address of %s, which cannot start until that ends", p.address, p.name))
		}
		return s, wrong
	}
	s.Running, s.PID, s.Since = true, r.pid, &r.since
	kind, msp, _ := strings.Cut(p.name, ".")
	switch kind {
	case "chaincode":
		if err := n.probeService(ctx, msp, p.address); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s runs, but its peer cannot connect to it: %v", p.name, err))
		}
		return s, wrong
	case "ca":
		if err := n.probeCA(ctx); err != nil {
			wrong = append(wrong, fmt.Sprintf("ca runs, but does not answer: %v", err))
		}
		return s, wrong
	}
	height, err := n.height(ctx, p.name)
	if err != nil {
		return s, append(wrong, fmt.Sprintf("%s runs, but does not answer: %v", p.name, err))
	}
	s.Height = &height
	return s, wrong
}

// probeService connects to a chaincode service as the member's peer does.
func (n *Network) probeService(ctx context.Context, msp, address string) error {
	dir := n.org(msp, "peer", "tls")
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		return err
	}
	pool, err := certPool(n.org(msp, "msp", "cacerts", "ca.pem"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	d := tls.Dialer{Config: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}}}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// probeCA asks each authority for its name.
func (n *Network) probeCA(ctx context.Context) error {
	for _, msp := range n.organisations() {
		a, err := n.authority(msp)
		if err != nil {
			return err
		}
		if err := a.ping(ctx); err != nil {
			return err
		}
	}
	return nil
}

// heights tells of nodes that are behind the others, or know nothing.
func (s *Status) heights() {
	var most uint64
	for _, node := range s.Nodes {
		if node.Height != nil {
			most = max(most, *node.Height)
		}
	}
	for _, node := range s.Nodes {
		switch {
		case node.Height == nil:
		case *node.Height == 0:
			s.problem("%s has no blocks: it is not on the channel, or has lost its data (docs/operations.md says what to do)", node.Name)
		case *node.Height+lagging < most:
			s.problem("%s is %d blocks behind", node.Name, most-*node.Height)
		}
	}
}

// leaderStatus finds the leader among the orderers that run.
func (n *Network) leaderStatus(ctx context.Context, s *Status) {
	up := 0
	for _, name := range orderers {
		if s.node(name).Running {
			up++
		}
	}
	leader, err := n.Leader(ctx)
	switch s.Leader = leader; {
	case up <= len(orderers)/2:
		s.problem("only %d of %d orderers run: nothing can be written until a majority does", up, len(orderers))
	case err != nil:
		s.problem("no orderer says who leads: %v", err)
	case leader == "":
		s.problem("the orderers have no leader: nothing can be written until they elected one, which takes some seconds")
	}
}

// chaincodeStatus asks the first peer that runs for the chaincode's definition.
func (n *Network) chaincodeStatus(ctx context.Context, s *Status) {
	for _, msp := range n.Members() {
		if s.node(peerName(msp)).Height == nil {
			continue
		}
		d, err := n.committed(ctx, msp)
		if err != nil {
			s.problem("%s does not tell the chaincode's definition: %v", peerName(msp), err)
			continue
		}
		s.Chaincode = d
		if want := n.state.Chaincode.Sequence; d.Sequence != want {
			s.problem("the chaincode on the channel is sequence %d, the services here are for sequence %d", d.Sequence, want)
		}
		return
	}
}

// endorsing tells of peers that do not come by an answer of the chaincode.
func (n *Network) endorsing(ctx context.Context, s *Status) {
	wrong := make([]error, len(n.Members()))
	var wait sync.WaitGroup
	for i, msp := range n.Members() {
		if s.node(peerName(msp)).Height == nil || !s.node(chaincodeName(msp)).Running {
			continue // told already
		}
		wait.Go(func() { wrong[i] = n.probeChaincode(ctx, msp) })
	}
	wait.Wait()
	for i, err := range wrong {
		if err != nil {
			s.problem("%s endorses nothing: %v", peerName(n.Members()[i]), err)
		}
	}
}

// probeChaincode asks a member's peer for something that the chaincode refuses, and nobody else does.
func (n *Network) probeChaincode(ctx context.Context, msp string) error {
	const call, refusal = `{"Args":["ping"]}`, "FUNCTION_UNKNOWN"
	ctx, cancel := context.WithTimeout(ctx, endorseTimeout)
	defer cancel()
	_, err := n.peer(ctx, msp, "chaincode", "query", "--channelID", channel, "--name", chaincodeTerm, "--ctor", call)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("the chaincode does not answer within %v", endorseTimeout)
	case err == nil:
		return errors.New("the chaincode on the channel is not foodtrace's")
	case strings.Contains(err.Error(), refusal):
		return nil
	}
	return err
}

// committed is the definition of the chaincode on the channel, as a member's peer has it.
func (n *Network) committed(ctx context.Context, msp string) (d Definition, err error) {
	out, err := n.peer(ctx, msp, "lifecycle", "chaincode", "querycommitted", "--channelID", channel, "--name", chaincodeTerm, "--output", "json")
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal(out, &d)
}

// certificates lists all certificates in the network's directory, and what is wrong with their dates.
func (n *Network) certificates(s *Status, now time.Time) error {
	for _, top := range []string{"ca", "organisations", "members"} {
		err := filepath.WalkDir(n.path(top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".pem" || strings.HasSuffix(path, "key.pem") || strings.HasSuffix(filepath.Dir(path), "cacerts") {
				return err
			}
			cert, err := readCert(path)
			if err != nil {
				s.problem("%s: %v", path, err)
				return nil
			}
			expires := cert.NotAfter
			name, err := filepath.Rel(n.dir, path)
			s.Certificates = append(s.Certificates, Certificate{Name: name, Expires: expires})
			switch left := expires.Sub(now); {
			case left < 0:
				s.problem("the certificate %s expired on %s", name, expires.Format(time.DateOnly))
			case left < expirySoon:
				s.problem("the certificate %s expires on %s, in %d days", name, expires.Format(time.DateOnly), int(left.Hours()/24))
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("fabricnet: %w", err)
		}
	}
	slices.SortStableFunc(s.Certificates, func(a, b Certificate) int { return a.Expires.Compare(b.Expires) })
	return nil
}

func readCert(file string) (*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("it holds no certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}
