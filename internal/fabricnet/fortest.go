package fabricnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// TB is what the functions for tests need of a *testing.T or *testing.B.
type TB interface {
	Helper()
	Skip(args ...any)
	Fatal(args ...any)
	Error(args ...any)
	Cleanup(func())
	TempDir() string
	Context() context.Context
}

// ForTest returns a network that ends with the test. Dir and Chaincode need not be given. It skips the test unless
// FOODTRACE_SERVICES=1.
func ForTest(t TB, o Options) *Network {
	t.Helper()
	enabled(t)
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "network")
	}
	n, err := upForTest(t.Context(), o)
	t.Cleanup(func() {
		if n == nil {
			return
		}
		if err := n.Down(false); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func enabled(t TB) {
	t.Helper()
	if os.Getenv("FOODTRACE_SERVICES") != "1" {
		t.Skip("needs a Fabric network: make test-all runs this")
	}
}

// upForTest returns the network also with an error, so that it can be removed.
func upForTest(ctx context.Context, o Options) (*Network, error) {
	if o.Chaincode == "" {
		dir, err := os.MkdirTemp("", "foodtrace-chaincode-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		if o.Chaincode, err = BuildChaincode(ctx, dir); err != nil {
			return nil, err
		}
	}
	return Up(ctx, o)
}

// Shared is a network that the tests of one package share. It is built when the first test asks for it, and removed by Run.
//
//	var network fabricnet.Shared
//
//	func TestMain(m *testing.M) { os.Exit(network.Run(m)) }
type Shared struct {
	Options Options // Dir and Chaincode need not be given
	once    sync.Once
	dir     string
	network *Network
	err     error
}

// Get returns the network. It skips the test unless FOODTRACE_SERVICES=1.
func (s *Shared) Get(t TB) *Network {
	t.Helper()
	enabled(t)
	s.once.Do(func() {
		if s.dir, s.err = os.MkdirTemp("", "foodtrace-network-"); s.err != nil {
			return
		}
		o := s.Options
		o.Dir = filepath.Join(s.dir, "network")
		s.network, s.err = upForTest(context.Background(), o)
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.network
}

// Run runs a package's tests (m is a *testing.M), removes the network, and returns the exit code.
func (s *Shared) Run(m interface{ Run() int }) int {
	code := m.Run()
	if err := s.close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

func (s *Shared) close() error {
	var err error
	if s.network != nil {
		err = s.network.Down(false)
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

const (
	// ChaincodeProgram is the file name of the chaincode service.
	ChaincodeProgram = "foodtrace-chaincode"
	chaincodePackage = "github.com/foodtrace-ledger/foodtrace/chaincode/cmd/" + ChaincodeProgram
)

// BuildChaincode builds the chaincode service into a directory, with the go command, from the module of the working
// directory, and returns the program.
func BuildChaincode(ctx context.Context, dir string) (string, error) {
	file := filepath.Join(dir, ChaincodeProgram)
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", file, chaincodePackage).CombinedOutput(); err != nil {
		return "", fmt.Errorf("fabricnet: the chaincode service cannot be built: %w\n%s", err, out)
	}
	return file, nil
}
