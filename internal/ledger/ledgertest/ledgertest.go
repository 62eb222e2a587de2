// Package ledgertest is the suite that says what a ledger is. Every implementation passes it unchanged.
package ledgertest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// Network is a ledger and those who use it. The ledger may hold blocks already: the suite names its items anew in each
// run. The three members are of three organisations, of which Regulator begins the ledger or is a regulator on it already.
type Network struct {
	Ledger    ledger.Ledger
	Regulator ledger.Signer
	Farm      ledger.Signer
	Shop      ledger.Signer
	// Stranger has a certificate of an authority that the ledger does not trust.
	Stranger ledger.Signer
}

// patience is how long the suite waits for what must happen: enough for a real network on a loaded machine.
const patience = 2 * time.Minute

// Run runs the suite on one ledger, which open makes and closes with the test.
func Run(t *testing.T, open func(t *testing.T) Network) {
	b := begin(t, open(t))
	for name, test := range map[string]func(*bench){
		"Submit":               (*bench).testSubmit,
		"RefusedByContract":    (*bench).testRefusedByContract,
		"Duplicate":            (*bench).testDuplicate,
		"ConcurrentDuplicates": (*bench).testConcurrentDuplicates,
		"NoLostUpdate":         (*bench).testNoLostUpdate,
		"HoldStopsMovements":   (*bench).testHoldStopsMovements,
		"RefusedSigners":       (*bench).testRefusedSigners,
		"EmptyBatch":           (*bench).testEmptyBatch,
		"UnknownReceipt":       (*bench).testUnknownReceipt,
		"CancelledSubmit":      (*bench).testCancelledSubmit,
		"BlocksFromAnyHeight":  (*bench).testBlocksFromAnyHeight,
		"BlocksWait":           (*bench).testBlocksWait,
		"BlocksEnd":            (*bench).testBlocksEnd,
		"View":                 (*bench).testView,
		"ManySubmitters":       (*bench).testManySubmitters,
	} {
		t.Run(name, func(t *testing.T) { test(b.in(t)) })
	}
}

// bench is a network with the members registered.
type bench struct {
	*testing.T
	Network
	ctx context.Context
	run string // names of this run
}

func begin(t *testing.T, n Network) *bench {
	var id [4]byte
	rand.Read(id[:])
	b := (&bench{Network: n, run: hex.EncodeToString(id[:])}).in(t)
	b.submit(n.Regulator, contract.Record{Registration: &contract.Registration{
		Members: []contract.Member{
			{MSP: n.Regulator.MSP, Name: contract.Text{EN: "Regulator"}, Roles: []contract.Role{contract.Regulator}},
			{MSP: n.Farm.MSP, Name: contract.Text{EN: "Farm"}, Roles: []contract.Role{contract.Producer}},
			{MSP: n.Shop.MSP, Name: contract.Text{EN: "Shop"}, Roles: []contract.Role{contract.Retailer}},
		},
		Policy: &contract.Policy{Lenient: true},
	}})
	return b
}

// in is the bench for a subtest.
func (b *bench) in(t *testing.T) *bench {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return &bench{T: t, Network: b.Network, ctx: ctx, run: b.run}
}

// submit sends records that must be ordered.
func (b *bench) submit(by ledger.Signer, records ...contract.Record) ledger.Receipt {
	b.Helper()
	r, err := b.Ledger.Submit(b.ctx, by, &contract.Batch{Records: records})
	if err != nil {
		b.Fatal(err)
	}
	if len(r.Outcomes) != len(records) {
		b.Fatalf("%d outcomes for %d records", len(r.Outcomes), len(records))
	}
	return r
}

// accept sends a record that must be accepted, and returns its ID.
func (b *bench) accept(by ledger.Signer, r contract.Record) string {
	b.Helper()
	o := b.submit(by, r).Outcomes[0]
	if o.Status != contract.Accepted {
		b.Fatalf("%s: %+v", o.Status, o.Findings)
	}
	return o.ID
}

// lot names a lot of this subtest.
func (b *bench) lot(n int) string {
	return fmt.Sprintf("urn:example:lot:%s:%s:%d", b.run, b.Name(), n)
}

var day = time.Date(2026, 4, 20, 8, 0, 0, 0, time.UTC)

// object is an event that names lots, each with a quantity; the minute makes it another event.
func object(action event.Action, step string, minute int, quantity int64, lots ...string) contract.Record {
	e := &event.Event{
		Type: event.Object, Action: action, BizStep: step, TimeZoneOffset: "+00:00",
		Time:      event.Time{Time: day.Add(time.Duration(minute) * time.Minute)},
		ReadPoint: &event.Place{ID: "urn:example:site"},
	}
	for _, lot := range lots {
		e.Quantities = append(e.Quantities, event.Quantity{EPCClass: lot, Quantity: event.Int(quantity)})
	}
	return contract.Record{Event: e}
}

func made(quantity int64, lots ...string) contract.Record {
	return object(event.Add, "commissioning", 0, quantity, lots...)
}

func ship(minute int, lots ...string) contract.Record {
	return object(event.Observe, "shipping", minute, 1, lots...)
}

func hold(lot string, n int) contract.Record {
	return contract.Record{Hold: &contract.Hold{
		Item: lot, Scope: contract.ScopeLot, Reason: contract.Text{EN: fmt.Sprint("reason ", n)}, Time: event.Time{Time: day},
	}}
}

func has(o contract.Outcome, code contract.Code) bool {
	for _, f := range o.Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}

func height(b *bench) uint64 {
	b.Helper()
	h, err := b.Ledger.Height(b.ctx)
	if err != nil {
		b.Fatal(err)
	}
	return h
}

func (b *bench) holdsOn(lot string) (holds []string) {
	b.Helper()
	err := b.Ledger.View(b.ctx, func(s contract.State) (err error) {
		holds, err = contract.HoldsOn(s, lot)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return holds
}
