package fabric_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go/ledger/rwset/kvrwset"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/protocol"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/fabricnet"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/fabric"
)

const (
	regulator = "regulator"
	producer  = "producer-a"
	other     = "producer-b"
	retailer  = "retailer"
)

// world is a network with a ledger of the regulator's on it, and the members registered.
type world struct {
	*testing.T
	net    *fabricnet.Network
	ledger *fabric.Ledger
	ctx    context.Context
}

func newWorld(t *testing.T, n *fabricnet.Network) *world {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	w := &world{t, n, open(t, n, regulator), ctx}
	w.submit(regulator, contract.Record{Registration: &contract.Registration{Members: fabricnet.DefaultMembers(), Policy: &contract.Policy{Lenient: true}}})
	return w
}

func (w *world) signer(msp string) ledger.Signer { return signer(w, w.net, msp) }

func batch(records ...contract.Record) *contract.Batch { return &contract.Batch{Records: records} }

func (w *world) submit(msp string, records ...contract.Record) ledger.Receipt {
	w.Helper()
	r, err := w.ledger.Submit(w.ctx, w.signer(msp), batch(records...))
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// accept submits a record that must be accepted, and returns its ID.
func (w *world) accept(msp string, r contract.Record) string {
	w.Helper()
	o := w.submit(msp, r).Outcomes[0]
	if o.Status != contract.Accepted {
		w.Fatalf("%+v", o)
	}
	return o.ID
}

func (w *world) forge(msp string, b *contract.Batch, endorsers ...string) *fabric.Forgery {
	w.Helper()
	f, err := w.ledger.Forge(w.ctx, w.signer(msp), b, endorsers...)
	if err != nil {
		w.Fatal(err)
	}
	return f
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// wantCode orders a signed transaction and wants this to become of it.
func (w *world) wantCode(f *fabric.Forgery, again bool, want string) {
	w.Helper()
	code, err := f.Order(w.ctx, again)
	if err != nil || code != want {
		w.Errorf("%s, %v, want %s", code, err, want)
	}
}

// agreed checks that each peer alone tells the same chain as the ledger has verified, and that its blocks are believed.
func (w *world) agreed() {
	w.Helper()
	height, err := w.ledger.Height(w.ctx)
	w.must(err)
	for _, msp := range w.net.Members() {
		c := w.net.Config(msp)
		c.Peers = c.Peers[:1]
		l := openWith(w, fabric.Options{Config: c, Identity: w.signer(msp), Dir: w.TempDir()})
		if err := l.Await(w.ctx, height); err != nil || l.Metrics.Distrusted.Load() != 0 {
			w.Errorf("the peer of %s: %v, %d blocks distrusted", msp, err, l.Metrics.Distrusted.Load())
		}
	}
	if n := w.ledger.Metrics.Distrusted.Load(); n != 0 {
		w.Errorf("%d blocks distrusted", n)
	}
}

func (w *world) holdsOn(lot string) (holds []string) {
	w.Helper()
	w.must(w.ledger.View(w.ctx, func(s contract.State) (err error) {
		holds, err = contract.HoldsOn(s, lot)
		return err
	}))
	return holds
}

var day = time.Date(2026, 4, 20, 8, 0, 0, 0, time.UTC)

func (w *world) lot(n int) string {
	return fmt.Sprintf("urn:example:lot:%s:%d:%d", w.Name(), time.Now().UnixNano(), n)
}

func object(action event.Action, step string, lot string) contract.Record {
	return contract.Record{Event: &event.Event{
		Type: event.Object, Action: action, BizStep: step, TimeZoneOffset: "+00:00", Time: event.Time{Time: day},
		ReadPoint:  &event.Place{ID: "urn:example:site"},
		Quantities: []event.Quantity{{EPCClass: lot, Quantity: event.Int(1)}},
	}}
}

func made(lot string) contract.Record { return object(event.Add, "commissioning", lot) }

func ship(lot string) contract.Record { return object(event.Observe, "shipping", lot) }

func hold(lot string) contract.Record {
	return contract.Record{Hold: &contract.Hold{Item: lot, Scope: contract.ScopeLot, Reason: contract.Text{EN: "test"}, Time: event.Time{Time: day}}}
}

func release(hold string) contract.Record {
	return contract.Record{Release: &contract.Release{Hold: hold, Reason: contract.Text{EN: "test"}, Time: event.Time{Time: day}}}
}

// TestOneEndorsement: what one member's peer alone endorsed is invalid, for all peers and for us, and changes nothing.
func TestOneEndorsement(t *testing.T) {
	w := newWorld(t, network.Get(t))
	lot := w.lot(0)
	f := w.forge(producer, batch(made(lot)), producer)
	w.must(f.Sign())
	w.wantCode(f, false, "ENDORSEMENT_POLICY_FAILURE")
	if _, err := w.ledger.Receipt(w.ctx, f.ID()); !errors.Is(err, ledger.ErrNoSuchTx) || !errors.Is(err, ledger.ErrInvalidated) {
		t.Errorf("its receipt: %v", err)
	}
	two := w.forge(producer, batch(made(lot)), producer, retailer)
	w.must(two.Sign())
	w.wantCode(two, false, "ENDORSEMENT_POLICY_FAILURE")
	w.accept(producer, made(lot)) // not a duplicate: it was not there
	w.agreed()
}

// TestForgedTransactions: whatever is changed after it was endorsed, signed or numbered has no effect.
func TestForgedTransactions(t *testing.T) {
	w := newWorld(t, network.Get(t))
	most := []string{regulator, producer, other}
	first, second := w.lot(0), w.lot(1)

	payload := w.forge(producer, batch(made(first)), most...)
	w.must(payload.Change(batch(made(second))))
	w.must(payload.Sign())
	w.wantCode(payload, false, "INVALID_ENDORSER_TRANSACTION")

	result := w.forge(producer, batch(made(first)), most...)
	w.must(result.ChangeResult())
	w.must(result.Sign())
	w.wantCode(result, false, "ENDORSEMENT_POLICY_FAILURE")

	signature := w.forge(producer, batch(made(first)), most...)
	w.must(signature.Sign())
	w.must(signature.BreakSignature())
	if _, err := signature.Order(w.ctx, false); !errors.Is(err, ledger.ErrRefused) {
		t.Errorf("a transaction with a broken signature: %v, want that no orderer takes it", err)
	}

	original := w.forge(producer, batch(made(first)), most...)
	twin, err := original.Twin(w.ctx, batch(made(second)), most...)
	w.must(err)
	w.must(original.Sign())
	w.must(twin.Sign())
	w.wantCode(original, false, "VALID")
	w.wantCode(twin, true, "DUPLICATE_TXID")

	if o := w.submit(producer, made(first), made(second)).Outcomes; o[0].Status != contract.Duplicate || o[1].Status != contract.Accepted {
		t.Errorf("%+v: the original must be there, and none of the forged ones", o)
	}
	w.agreed()
}

// TestOwnCollection: what a member's peer alone endorses and peers call valid, because it writes that organisation's own collection only,
// is no record that anybody sees, and stops nobody.
func TestOwnCollection(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "network")
	w := newWorld(t, fabricnet.ForTest(t, fabricnet.Options{Dir: dir}))
	lot := w.lot(0)
	b := batch(made(lot))
	encoded, err := b.Encode()
	w.must(err)
	forged := []contract.Outcome{{ID: "forged", Status: contract.Accepted}}
	before, err := w.ledger.Height(w.ctx)
	w.must(err)
	for name, test := range map[string]struct {
		function string
		batch    []byte
		change   func(*kvrwset.HashedRWSet)
	}{
		"a batch":            {protocol.Submit, encoded, nil},
		"another function":   {"another", encoded, nil},
		"no batch":           {protocol.Submit, []byte("no batch"), nil},
		"a policy of a key":  {protocol.Submit, encoded, fabric.SetsPolicy},
		"a batch once again": {protocol.Submit, encoded, nil},
	} {
		f, err := w.ledger.Alone(w.signer(producer), peerKey(w, producer), test.function, test.batch, forged, test.change)
		w.must(err)
		code, err := f.Order(w.ctx, false)
		if err != nil || code != "VALID, of others" {
			t.Errorf("%s: %s, %v", name, code, err)
		}
		if r, err := w.ledger.Receipt(w.ctx, f.ID()); !errors.Is(err, ledger.ErrNoSuchTx) {
			t.Errorf("%s: its receipt: %+v, %v", name, r, err)
		}
	}
	w.accept(producer, made(lot)) // it was not there
	height, err := w.ledger.Height(w.ctx)
	w.must(err)
	for b, err := range w.ledger.Blocks(w.ctx, before) {
		w.must(err)
		if len(b.Txs) > 0 != (b.Height == height-1) {
			t.Errorf("block %d shows %d transactions", b.Height, len(b.Txs))
		}
		if b.Height == height-1 {
			break
		}
	}
	if n := w.ledger.Metrics.Distrusted.Load(); n != 0 {
		t.Errorf("%d blocks distrusted", n)
	}
	verifyClean(t, w.net, regulator)
}

// peerKey is what a member's peer signs with, which its administrator has.
func peerKey(w *world, msp string) ledger.Signer {
	w.Helper()
	dir := filepath.Join(w.net.Dir(), "organisations", msp, "peer", "msp")
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "signcerts", "cert.pem"), filepath.Join(dir, "keystore", "key.pem"))
	w.must(err)
	return ledger.Signer{MSP: msp, Cert: pair.Leaf.Raw, Key: pair.PrivateKey.(crypto.Signer)}
}

// TestHiddenID: a transaction that says no ID is sent with another one's nonce and creator before it. Peers take the right one for a duplicate,
// and so does everybody else.
func TestHiddenID(t *testing.T) {
	w := newWorld(t, network.Get(t))
	lot := w.lot(0)
	f := w.forge(producer, batch(made(lot)), regulator, producer, other)
	w.must(f.Sign())
	height, err := w.ledger.Height(w.ctx)
	w.must(err)
	w.must(f.HideID(w.ctx))
	w.must(w.ledger.Await(w.ctx, height+1))
	w.wantCode(f, false, "DUPLICATE_TXID") // and who waits for it hears that
	w.accept(producer, made(lot))
	w.agreed()
}

// TestReplay: a transaction that is sent again is there once.
func TestReplay(t *testing.T) {
	w := newWorld(t, network.Get(t))
	before := w.lot(0)
	f := w.forge(producer, batch(made(before)), regulator, producer, other)
	w.must(f.Sign())
	w.wantCode(f, false, "VALID")
	receipt, err := w.ledger.Receipt(w.ctx, f.ID())
	w.must(err)
	w.wantCode(f, true, "DUPLICATE_TXID")
	again, err := w.ledger.Receipt(w.ctx, f.ID())
	if err != nil || again.Block != receipt.Block || again.Outcomes[0].Status != contract.Accepted {
		t.Errorf("the receipt is %+v, %v after the replay and %+v before", again, err, receipt)
	}
	height, err := w.ledger.Height(w.ctx)
	w.must(err)
	seen := 0
	for b, err := range w.ledger.Blocks(w.ctx, receipt.Block) {
		w.must(err)
		for _, tx := range b.Txs {
			if tx.ID == f.ID() {
				seen++
			}
		}
		if b.Height == height-1 {
			break
		}
	}
	if seen != 1 {
		t.Errorf("followers see it %d times", seen)
	}
	w.agreed()
}

// TestAlteredChaincode: a producer that runs a chaincode of its own making, to which it is a regulator, releases nothing,
// registers nobody and moves nothing that is held.
func TestAlteredChaincode(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "network")
	w := newWorld(t, fabricnet.ForTest(t, fabricnet.Options{Dir: dir}))
	lot := w.lot(0)
	w.accept(producer, made(lot))
	held := w.accept(regulator, hold(lot))
	runAltered(w, dir, "chaincode."+producer)
	for name, b := range map[string]*contract.Batch{
		"a release":                    batch(release(held)),
		"a movement of a held lot":     batch(release(held), ship(lot)),
		"a registration":               batch(contract.Record{Registration: &contract.Registration{Members: []contract.Member{{MSP: producer, Roles: []contract.Role{contract.Regulator}}}}}),
		"a hold on a competitor's lot": batch(hold(w.lot(1))),
	} {
		f := w.forge(producer, b, producer)
		if !f.AllAccepted() {
			t.Errorf("%s: the altered chaincode does not accept it, so this shows nothing", name)
		}
		w.must(f.Sign())
		w.wantCode(f, false, "ENDORSEMENT_POLICY_FAILURE")
	}
	if _, err := w.ledger.Forge(w.ctx, w.signer(producer), batch(release(held)), producer, regulator, retailer); err == nil || !strings.Contains(err.Error(), "differ") {
		t.Errorf("the altered and the right chaincode: %v, want different results", err)
	}
	if got := w.holdsOn(lot); !slices.Equal(got, []string{held}) {
		t.Errorf("holds %v, want %v", got, held)
	}
	// The others are enough for an honest answer.
	if o := w.submit(producer, ship(lot)).Outcomes[0]; o.Status != contract.Refused {
		t.Errorf("a movement of a held lot: %+v", o)
	}
	w.agreed()
	verifyClean(t, w.net, producer)
}

// runAltered replaces a member's chaincode service.
func runAltered(w *world, dir, name string) {
	w.Helper()
	program := filepath.Join(dir, "altered")
	if out, err := exec.Command("go", "build", "-o", program, "./testdata/altered").CombinedOutput(); err != nil {
		w.Fatalf("%v\n%s", err, out)
	}
	if err := w.net.Kill(name); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log", name+".log"))
		w.Fatalf("%v\n%s", err, log)
	}
	found, err := filepath.Glob(filepath.Join(dir, "chaincode", "*", fabricnet.ChaincodeProgram))
	if err != nil || len(found) != 1 {
		w.Fatalf("%v, %v", found, err)
	}
	w.must(os.Rename(program, found[0])) // the others go on running the one that was there
	w.must(w.net.Start(w.ctx, name))
}

// TestDamagedPeer: a block that was changed on a peer's disk is not believed, by a new client nor by verify, and read elsewhere.
func TestDamagedPeer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "network")
	w := newWorld(t, fabricnet.ForTest(t, fabricnet.Options{Dir: dir, HighS: true}))
	w.accept(producer, made(w.lot(0)))
	changed := w.submit(producer, made(w.lot(1)))
	w.accept(producer, made(w.lot(2)))
	height, err := w.ledger.Height(w.ctx)
	w.must(err)
	w.must(w.net.Kill("peer." + producer))
	flip(w, dir, producer, changed.TxID)
	w.must(w.net.Start(w.ctx, "peer."+producer))

	o := fabric.Options{Config: w.net.Config(producer), Identity: w.signer(producer), Dir: t.TempDir()}
	l := openWith(t, o)
	w.must(l.Await(w.ctx, height))
	if l.Metrics.Distrusted.Load() == 0 {
		t.Error("the damaged block was believed")
	}
	if r, err := l.Receipt(w.ctx, changed.TxID); err != nil || r.Block != changed.Block {
		t.Errorf("%+v, %v, want block %d", r, err, changed.Block)
	}
	var problems []fabric.Problem
	o.Dir = t.TempDir()
	sum, err := fabric.Verify(w.ctx, o, func(p fabric.Problem) { problems = append(problems, p) }, nil)
	if err != nil || sum.Blocks < height || len(problems) != 1 || problems[0].Block != changed.Block || problems[0].Peer != o.Config.Peers[0].Address {
		t.Errorf("verify: %+v, %v, %v, want one problem, in block %d", sum, err, problems, changed.Block)
	}
	verifyClean(t, w.net, retailer)
}

// flip changes one byte of a transaction in a member's block files.
func flip(w *world, dir, msp, txID string) {
	w.Helper()
	done := false
	w.must(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasPrefix(d.Name(), "blockfile_") || !strings.Contains(path, string(filepath.Separator)+msp+string(filepath.Separator)) {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		i := bytes.Index(data, []byte(txID))
		if i < 0 {
			return nil
		}
		done = true
		data[i] ^= 1
		return os.WriteFile(path, data, 0o600)
	}))
	if !done {
		w.Fatal("the transaction is in no block file")
	}
}
