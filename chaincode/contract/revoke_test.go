package contract_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// TestUnlinkingUnderHold: who recorded that an instance is of a lot cannot take it back while the lot is held.
func TestUnlinkingUnderHold(t *testing.T) {
	b := network(t)
	b.Accept(farm, commission(0, "A", inst("x")))
	b.Accept(farm, made(0, []string{lot("C")}, []string{lot("D")}))
	id := b.Accept(regulator, hold(lot("A"), contract.ScopeLot, 1)).ID
	wantCode(t, b.Refuse(farm, declared(commission(0, "A", inst("x")))), contract.Refused, contract.CodeLotHeld)
	stopped(b, 2, []string{id}, inst("x"))
	b.Accept(farm, declared(made(0, []string{lot("C")}, []string{lot("D")}))) // nothing to do with the hold
	b.Accept(regulator, release(id, 3))
	b.Accept(farm, declared(commission(0, "A", inst("x"))))
}

// TestDeclarationOfOtherContent: a declaration that has the hash of an event of its sender, but other content where the hash does
// not see it, does not take back what somebody else recorded.
func TestDeclarationOfOtherContent(t *testing.T) {
	b := network(t)
	b.Accept(farm, commission(0, "A", inst("x")))
	ignoring := func(n string) contract.Record {
		return ev(event.Object, "commissioning", 1, action(event.Add), objects(inst("x")), ilmd(`{"cbvmda:lotNumber":"`+n+`"}`), site(shopSite),
			func(e *event.Event) { e.Ext = []byte(`{"x:ignoreFields":["cbvmda:lotNumber"]}`) })
	}
	if ignoring("A").Event.Hash() != ignoring("Z").Event.Hash() {
		t.Fatal("the hashes should be the same")
	}
	b.Accept(shop, ignoring("Z"))
	wantCode(t, b.Refuse(shop, declared(ignoring("A"))), contract.Refused, contract.CodeEventIDConflict)

	absorbing := made(2, nil, nil, process("urn:test:PbizStep=https://ref.gs1.org/cbv/BizStep-other"), site(shopSite), inputs(inst("x")))
	real := made(2, nil, nil, process("urn:test:P"), site(shopSite), inputs(inst("x")))
	real.Event.BizStep = "other"
	if absorbing.Event.Hash() != real.Event.Hash() {
		t.Fatal("the hashes should be the same")
	}
	b.Accept(shop, absorbing)
	wantCode(t, b.Refuse(shop, declared(real)), contract.Refused, contract.CodeEventIDConflict)

	id := b.Accept(regulator, hold(lot("A"), contract.ScopeDownstream, 3)).ID
	stopped(b, 4, []string{id}, inst("x"))
}

// TestDeclarationInAnotherForm: the same content in another form takes the event back.
func TestDeclarationInAnotherForm(t *testing.T) {
	b := network(t)
	in := func(process string, nanos int) contract.Record {
		r := made(0, []string{lot("A")}, []string{lot("B")})
		r.Event.TransformationID, r.Event.Time = process, event.Time{Time: day.Add(time.Duration(nanos))}
		return r
	}
	gdti, err := gs1.Canonical("urn:epc:id:gdti:6901234.50000.7")
	if err != nil {
		t.Fatal(err)
	}
	b.Accept(farm, in("urn:epc:id:gdti:6901234.50000.7", 0))
	if o := b.Accept(farm, declared(in(gdti, 400_000))); !o.Voids {
		t.Errorf("%+v", o)
	}
	b.Accept(regulator, hold(lot("A"), contract.ScopeDownstream, 1))
	free(b, 2, lot("B"))
}

// TestNestedInputs: things inside each other, all of them inputs, do not make the peers write millions of links.
func TestNestedInputs(t *testing.T) {
	b := network(t)
	var records []contract.Record
	var all []string
	for i := range 400 {
		all = append(all, sscc(i))
		records = append(records, pack(0, sscc(i), sscc(i+1)))
	}
	b.Send(farm, records...)
	wantCode(t, b.Refuse(farm, made(1, all, []string{lot("B")})), contract.Refused, contract.CodeTooLarge)
}

// TestLongIdentifier: what is said of an identifier that is too long is still text.
func TestLongIdentifier(t *testing.T) {
	b := network(t)
	o := b.Refuse(farm, ship(0, "urn:a:"+strings.Repeat("批", 300)))
	wantCode(t, o, contract.Refused, contract.CodeKeyInvalid)
	for _, f := range o.Findings {
		if f.Subject != strings.ToValidUTF8(f.Subject, "?") {
			t.Errorf("%q", f.Subject)
		}
	}
}

// TestLotBesideSerial: an instance whose own Digital Link says that it is of a held lot is not moved.
func TestLotBesideSerial(t *testing.T) {
	b := network(t)
	id := b.Accept(regulator, hold(lot("A"), contract.ScopeLot, 0)).ID
	for _, uri := range []string{
		"https://id.gs1.org/01/06901234500011/10/A/21/x", "https://farm.example/gtin/6901234500011/lot/A/ser/x?17=270101",
		"https://id.gs1.org/01/06901234500011/22/v/10/A/21/x",
	} {
		r := ship(1)
		r.Event.EPCs = []string{uri}
		if o := b.Refuse(farm, r); !slices.Equal(o.Violations, []string{id}) {
			t.Errorf("%s: %v", uri, o)
		}
	}
	r := ship(1)
	r.Event.EPCs = []string{"https://id.gs1.org/01/06901234500011/10/B/21/x"}
	b.Accept(farm, r)
}

// TestWorkOfBatch: many movements of much in one batch do not keep the peers busy for minutes; what is refused can be sent again.
func TestWorkOfBatch(t *testing.T) {
	b := network(t)
	var contents []string
	for i := range 5000 {
		contents = append(contents, inst(i))
	}
	b.Accept(farm, pack(0, sscc(1), contents...))
	b.Accept(regulator, hold(lot("Q"), contract.ScopeLot, 0))
	var records []contract.Record
	for i := range 1000 {
		records = append(records, ship(i+1, sscc(1)))
	}
	outcomes := b.Send(farm, records...)
	status(t, outcomes[0], contract.Accepted)
	wantCode(t, outcomes[999], contract.Refused, contract.CodeTooLarge)
	b.Accept(farm, records[999])
}
