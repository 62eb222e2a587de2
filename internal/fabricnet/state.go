package fabricnet

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// state is what a network has to remember: DIR/network.json. All else in DIR belongs to the programs that run.
type state struct {
	Members   []contract.Member `json:"members"`  // in the order in which they joined
	Ports     map[string]int    `json:"ports"`    // by purpose, e.g. "peer.retailer/operations"
	CASecret  string            `json:"caSecret"` // what all enroll with at the authorities
	Proxy     bool              `json:"proxy,omitzero"`
	Chaincode chaincode         `json:"chaincode"`         // what is committed on the channel
	Next      *chaincode        `json:"next"`              // what may be committed at this moment
	Revoked   []string          `json:"revoked,omitempty"` // users whose certificates are, as MSP/user
	Ready     bool              `json:"ready"`             // the network was complete once; before that it is not worth keeping
}

// chaincode is a definition on the channel, and each member's package for it.
type chaincode struct {
	Name     string            `json:"name,omitempty"` // "": ours
	Version  string            `json:"version"`
	Sequence int               `json:"sequence"`
	Packages map[string]string `json:"packages"` // MSP → package ID on its peer
}

// name is the chaincode's on the channel.
func (c chaincode) name() string { return cmp.Or(c.Name, chaincodeTerm) }

const stateFile = "network.json"

// load reads the state of the network in dir. fs.ErrNotExist: there is none.
func load(dir string) (*state, error) {
	data, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return nil, err
	}
	s := new(state)
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("fabricnet: %s: %w", filepath.Join(dir, stateFile), err)
	}
	return s, nil
}

// save writes the state; a crash leaves the old or the new one.
func (n *Network) save() error {
	data, err := json.MarshalIndent(n.state, "", "  ")
	if err != nil {
		return err
	}
	name := n.path(stateFile)
	if err := os.WriteFile(name+".new", data, 0o600); err != nil {
		return fmt.Errorf("fabricnet: %w", err)
	}
	return os.Rename(name+".new", name)
}

const (
	// Ports come in one block, from below the range that the kernel takes for outgoing connections (Linux: from 32768, others
	// from 49152): a node that is started again must find its port free.
	firstPort  = 20000
	portBlocks = 95
	blockSize  = 128 // 3 an orderer, 6 a member and a few more: enough for a dozen members
)

// choosePorts finds a block of ports of which the kernel says that all are free.
func (s *state) choosePorts() error {
	const tries = 50
	for range tries {
		base := firstPort + blockSize*rand.IntN(portBlocks)
		if allFree(base) {
			s.Ports = map[string]int{"": base}
			return nil
		}
	}
	return errors.New("fabricnet: no block of free ports was found")
}

func allFree(base int) bool {
	for p := base; p < base+blockSize; p++ {
		l, err := net.Listen("tcp", hostPort(p))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}

// port is the port for a purpose, always the same.
func (s *state) port(purpose string) int {
	if p, ok := s.Ports[purpose]; ok {
		return p
	}
	p := s.Ports[""] + len(s.Ports) - 1
	s.Ports[purpose] = p
	return p
}

// address is host:port for a purpose.
func (s *state) address(purpose string) string { return hostPort(s.port(purpose)) }

func hostPort(port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// host is the only address on which anything listens.
const host = "127.0.0.1"

// prepare makes sure that dir can become a network: it holds one, or nothing. ErrDirectory.
func prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("%w: %w", ErrDirectory, err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDirectory, err)
	}
	if _, err := os.Stat(filepath.Join(dir, stateFile)); len(files) > 0 && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s holds other files and no network; give a new or empty directory", ErrDirectory, dir)
	}
	return nil
}

// ErrBusy is returned while another Up or Down works on the directory.
var ErrBusy = errors.New("fabricnet: the network is being started or removed by somebody else at this moment")

// ErrDirectory is returned for a directory that cannot become a network.
var ErrDirectory = errors.New("fabricnet: a network cannot be there")

// lock keeps a second Up or Down from the directory. It ends with the process at the latest.
func lock(dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("fabricnet: %w", err)
	}
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s: %w", ErrBusy, dir, err), d.Close())
	}
	return func() { d.Close() }, nil
}

// empty removes all that is in a directory.
func empty(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("fabricnet: %w", err)
	}
	for _, f := range files {
		if err := os.RemoveAll(filepath.Join(dir, f.Name())); err != nil {
			return fmt.Errorf("fabricnet: %w", err)
		}
	}
	return nil
}

func (n *Network) path(parts ...string) string {
	return filepath.Join(append([]string{n.dir}, parts...)...)
}
