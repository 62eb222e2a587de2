package embedded_test

import (
	"context"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/embedded"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/ledgertest"
)

// TestConformance also shows that verify, which decodes everything from the file, agrees with what was decided on the batches
// as they were submitted.
func TestConformance(t *testing.T) {
	dir := t.TempDir()
	ledgertest.Run(t, func(t *testing.T) ledgertest.Network {
		l, err := embedded.Open(embedded.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			verifyClean(t, dir)
		})
		return ledgertest.Network{
			Ledger:    l,
			Regulator: signer(t, dir, "AuthorityMSP"),
			Farm:      signer(t, dir, "FarmMSP"),
			Shop:      signer(t, dir, "ShopMSP"),
			Stranger:  signer(t, t.TempDir(), "StrangerMSP"),
		}
	})
}

func signer(t testing.TB, dir, msp string) ledger.Signer {
	t.Helper()
	by, err := identity.Open(dir, nil).Ensure(msp, "tester")
	if err != nil {
		t.Fatal(err)
	}
	return by
}

func verifyClean(t testing.TB, dir string) {
	t.Helper()
	report := func(p embedded.Problem) { t.Error(p) }
	sum, err := embedded.Verify(context.Background(), embedded.LogPath(dir), identity.Open(dir, nil).Trust(), report, nil)
	if err != nil || sum.Blocks == 0 || sum.Executed != sum.Blocks {
		t.Errorf("%+v, %v", sum, err)
	}
}
