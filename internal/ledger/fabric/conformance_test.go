package fabric_test

import (
	"context"
	"os"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/internal/fabricnet"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/fabric"
)

// network is shared by the tests that do no harm to it.
var network fabricnet.Shared

func TestMain(m *testing.M) { os.Exit(network.Run(m)) }

func TestConformance(t *testing.T) { conformance(t, network.Get(t)) }

// open opens a member's ledger with a new replica; the test ends with it closed.
func open(t testing.TB, n *fabricnet.Network, msp string) *fabric.Ledger {
	t.Helper()
	return openWith(t, fabric.Options{Config: n.Config(msp), Identity: signer(t, n, msp), Dir: t.TempDir()})
}

func openWith(t testing.TB, o fabric.Options) *fabric.Ledger {
	t.Helper()
	l, err := fabric.Open(o)
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

func signer(t testing.TB, n *fabricnet.Network, msp string) ledger.Signer {
	t.Helper()
	by, err := n.Signer(msp, "gateway")
	if err != nil {
		t.Fatal(err)
	}
	return by
}

// verifyClean verifies the blocks of a member's peer.
func verifyClean(t testing.TB, n *fabricnet.Network, msp string) fabric.Summary {
	t.Helper()
	report := func(p fabric.Problem) { t.Error(p) }
	o := fabric.Options{Config: n.Config(msp), Identity: signer(t, n, msp), Dir: t.TempDir()}
	sum, err := fabric.Verify(context.Background(), o, report, nil)
	if err != nil || sum.Blocks == 0 {
		t.Errorf("%+v, %v", sum, err)
	}
	return sum
}
