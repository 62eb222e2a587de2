package fabric_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/protocol"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// stored is an event of one lot of this test.
func stored(t *testing.T, n int, gtin string) contract.Record {
	lot := fmt.Sprintf("https://id.gs1.org/01/%s/10/%s.%d", gtin, t.Name(), n)
	at := event.Time{Time: time.Date(2026, 5, 1, 8, 0, n, 0, time.UTC)}
	return contract.Record{Event: &event.Event{Type: event.Object, Action: event.Observe, Time: at, TimeZoneOffset: "+08:00", BizStep: "storing",
		Quantities: []event.Quantity{{EPCClass: lot, Quantity: event.Int(1), UOM: "KGM"}}}}
}

// TestSharedTransaction: what is submitted at the same time goes into few transactions, each submission with a receipt of its own that
// can be asked for later, and one that is refused, all or nothing, harms no other.
func TestSharedTransaction(t *testing.T) {
	n := network.Get(t)
	l, by := open(t, n, "producer-a"), signer(t, n, "producer-a")
	const submissions = 60
	receipts := make([]ledger.Receipt, submissions)
	var all sync.WaitGroup
	for i := range submissions {
		all.Go(func() {
			batch := &contract.Batch{Records: []contract.Record{stored(t, i, "06901234500011")}}
			if i%10 == 0 {
				batch.Atomic = true
				batch.Records = append(batch.Records, contract.Record{Hold: &contract.Hold{Item: "urn:example:no", Scope: contract.ScopeLot, Time: event.Time{Time: time.Now()}}})
			}
			var err error
			if receipts[i], err = l.Submit(t.Context(), by, batch); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	txs := map[string]bool{}
	for i, r := range receipts {
		want := contract.Accepted
		if i%10 == 0 {
			want = contract.Refused // a producer holds nothing
		}
		if len(r.Outcomes) != 1+map[bool]int{true: 1}[i%10 == 0] || r.Outcomes[0].Status != want {
			t.Errorf("submission %d: %+v, want %s", i, r.Outcomes, want)
		}
		txs[protocol.TxID(r.TxID)] = true
		again, err := l.Receipt(t.Context(), r.TxID)
		if err != nil || again.Block != r.Block || len(again.Outcomes) != len(r.Outcomes) || again.Outcomes[0].ID != r.Outcomes[0].ID {
			t.Errorf("submission %d: its receipt is %+v, %v, and was %+v", i, again, err, r)
		}
	}
	if len(txs) > submissions/2 {
		t.Errorf("%d submissions are in %d transactions", submissions, len(txs))
	}
	for txID := range txs {
		for _, no := range []string{txID + ".999", txID + ".x", txID + "."} {
			if r, err := l.Receipt(t.Context(), no); !errors.Is(err, ledger.ErrNoSuchTx) {
				t.Errorf("%s: %+v, %v", no, r, err)
			}
		}
	}
	verifyClean(t, n, "producer-a")
}

// TestLeaveSharedTransaction: of many that give up at some moment, those that are told that nothing was ordered are not on the ledger,
// and those that are told that it is not known are there under that ID or never will be.
func TestLeaveSharedTransaction(t *testing.T) {
	n := network.Get(t)
	l, by := open(t, n, "producer-a"), signer(t, n, "producer-a")
	if _, err := l.Submit(t.Context(), by, &contract.Batch{Records: []contract.Record{stored(t, -1, "06901234500028")}}); err != nil { // it has caught up
		t.Fatal(err)
	}
	const submissions = 80
	ids := make([]string, submissions) // of those not known
	var all sync.WaitGroup
	for i := range submissions {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(20*i)*time.Millisecond)
			defer cancel()
			_, err := l.Submit(ctx, by, &contract.Batch{Records: []contract.Record{stored(t, i, "06901234500028")}})
			var unknown *ledger.UnknownError
			switch {
			case errors.As(err, &unknown):
				ids[i] = unknown.TxID
			case errors.Is(err, ledger.ErrNotOrdered):
				ids[i] = "none"
			case err != nil:
				t.Error(err)
			}
		})
	}
	all.Wait()
	time.Sleep(3 * time.Second) // what was sent is in a block
	var accepted atomic.Int64
	for i, id := range ids {
		all.Go(func() {
			again, err := l.Submit(t.Context(), by, &contract.Batch{Records: []contract.Record{stored(t, i, "06901234500028")}})
			if err != nil {
				t.Error(err)
				return
			}
			was := again.Outcomes[0].Status == contract.Duplicate
			if !was {
				accepted.Add(1)
			}
			r, err := l.Receipt(t.Context(), id)
			switch {
			case id == "none" && was:
				t.Errorf("submission %d was said not to be ordered, and is there", i)
			case id == "" && !was:
				t.Errorf("submission %d had a receipt, and is not there", i)
			case id == "none" || id == "":
			case errors.Is(err, ledger.ErrNoSuchTx):
				if was {
					t.Errorf("submission %d is there, and not as %s", i, id)
				}
			case err != nil:
				t.Error(err)
			case !was || r.Outcomes[0].ID != again.Outcomes[0].ID:
				t.Errorf("submission %d: %s is %+v, and sent again it is %+v", i, id, r, again)
			}
		})
	}
	all.Wait()
	if n := accepted.Load(); n == 0 || n == submissions {
		t.Errorf("%d of %d were accepted when they were sent again: nothing was tried", n, submissions)
	}
}
