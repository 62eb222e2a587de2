package contract_test

import (
	"slices"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/contract/contracttest"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

func status(t testing.TB, o contract.Outcome, want contract.Status) {
	t.Helper()
	if o.Status != want {
		t.Errorf("%s, want %s: %v", o.Status, want, o.Findings)
	}
}

func TestGenesis(t *testing.T) {
	b := contracttest.New(t)
	wantCode(t, b.Refuse(farm, ship(0, lot("A"))), contract.Refused, contract.CodeNotRegistered)
	wantCode(t, b.Refuse(farm, members()), contract.Refused, contract.CodeNotRegistered) // farm is no regulator in it
	if b.State.Len() != 0 {
		t.Fatalf("%d keys after refusals", b.State.Len())
	}
	if m, begun, err := contract.MemberOn(b.State, farm); m != nil || begun || err != nil {
		t.Errorf("member of an empty ledger: %v, %v, %v", m, begun, err)
	}
	b.Accept(regulator, members())
	if m, begun, err := contract.MemberOn(b.State, farm); err != nil || !begun || m == nil || m.MSP != farm || !slices.Equal(m.Roles, []contract.Role{contract.Producer}) {
		t.Errorf("member: %v, %v, %v", m, begun, err)
	}
	if m, begun, err := contract.MemberOn(b.State, "NobodyMSP"); m != nil || !begun || err != nil {
		t.Errorf("no member: %v, %v, %v", m, begun, err)
	}
	b.Accept(farm, ship(0, lot("A")))
	other := contract.Record{Registration: &contract.Registration{Members: []contract.Member{{MSP: "LateMSP", Roles: []contract.Role{contract.Regulator}}}}}
	wantCode(t, b.Refuse("LateMSP", other), contract.Refused, contract.CodeNotRegistered) // only once
	b.Accept(regulator, other)
	b.Accept("LateMSP", policy(true, false))
}

func TestGenesisInOneBatch(t *testing.T) {
	b := contracttest.New(t)
	for _, o := range b.Send(everything,
		contract.Record{Registration: &contract.Registration{
			Members: []contract.Member{{MSP: everything, Roles: []contract.Role{contract.Regulator}}},
			Sites:   []contract.Site{{ID: farmSite, Owner: everything}},
		}},
		ship(0, lot("A"))) {
		status(t, o, contract.Accepted)
	}
}

func TestRegistration(t *testing.T) {
	b := network(t)
	status(t, b.Send(regulator, members())[0], contract.Duplicate) // changes nothing
	for _, lenient := range []bool{true, false, true} {
		b.Accept(regulator, policy(lenient, false)) // what was said before may be said again
	}
	b.Accept(farm, sites(contract.Site{ID: "urn:epc:id:sgln:69012345.0001.0", Owner: farm, Name: contract.Text{EN: "North field"}}))
	b.Accept(farm, ev(event.Object, "", 0, objects(lot("A")), site("https://id.gs1.org/414/6901234500011")))
	b.Accept(farm, sites(contract.Site{ID: "urn:epc:id:sgln:69012345.0001.0", Owner: farm, Name: contract.Text{EN: "South field"}}))
}

func TestInspection(t *testing.T) {
	b := network(t)
	b.Accept(lab, inspection(lot("A")))
	status(t, b.Send(lab, inspection(lot("A")))[0], contract.Duplicate)
	b.Accept(regulator, inspection(lot("A"))) // another says the same
}

func TestDuplicates(t *testing.T) {
	b := network(t)
	e := ev(event.Object, "shipping", 0, objects(lot("A")), eventID("urn:uuid:1"))
	first := b.Accept(farm, e)
	status(t, b.Send(farm, e)[0], contract.Duplicate)
	again := b.Send(farm, ev(event.Object, "shipping", 0, objects(lot("A")), eventID("urn:uuid:2")))[0]
	if again.Status != contract.Duplicate || again.ID != first.ID {
		t.Errorf("same content with another ID: %+v", again)
	}
	twice := b.Send(farm, ship(1, lot("A")), ship(1, lot("A")))
	status(t, twice[0], contract.Accepted)
	status(t, twice[1], contract.Duplicate)
	b.Accept(farm, ev(event.Object, "", 0, func(e *event.Event) { // no items: kept by site
		e.SensorElements = []event.SensorElement{{Reports: []event.SensorReport{{Type: "Temperature", Value: event.Int(4), UOM: "CEL"}}}}
	}))
	hold := hold(lot("Z"), contract.ScopeLot, 0)
	id := b.Accept(regulator, hold).ID
	status(t, b.Send(regulator, hold)[0], contract.Duplicate)
	b.Accept(regulator, release(id, 1))
	status(t, b.Send(regulator, release(id, 1))[0], contract.Duplicate)
	status(t, b.Send(farm, spread(id, 1))[0], contract.Duplicate)
}

func TestParties(t *testing.T) {
	b := network(t)
	to := func(typ, id string) func(*event.Event) {
		return func(e *event.Event) { e.Destinations = []event.Destination{{Type: typ, Destination: id}} }
	}
	from := func(typ, id string) func(*event.Event) {
		return func(e *event.Event) { e.Sources = []event.Source{{Type: typ, Source: id}} }
	}
	for _, who := range []func(*event.Event){
		to("owning_party", shopParty), to("urn:epcglobal:cbv:sdt:possessing_party", "urn:test:party:shop"), to("location", shopSite),
		from("owning_party", shopParty), from("location", shopSite),
	} {
		b.Accept(shop, ev(event.Object, "shipping", 0, objects(lot("A")), who)) // at the farm's site
	}
	wantCode(t, b.Refuse(shop, ev(event.Object, "shipping", 1, objects(lot("A")), to("location", freeSite))), contract.Refused, contract.CodeNotYourSite)
	b.Accept(regulator, policy(true, false))
	b.Accept(shop, ev(event.Object, "storing", 0, objects(lot("A")), site(freeSite))) // nobody's
}

func TestErrorDeclaration(t *testing.T) {
	b := network(t)
	make := made(0, []string{lot("A")}, []string{lot("B")})
	b.Accept(farm, make)
	id := b.Accept(regulator, hold(lot("A"), contract.ScopeDownstream, 1)).ID
	spreadAll(b)
	stopped(b, 2, []string{id}, lot("B"))
	wantCode(t, b.Refuse(farm, declared(made(0, []string{lot("A")}, []string{lot("B")}))), contract.Refused, contract.CodeLotHeld)
	stopped(b, 2, []string{id}, lot("B"))
	o := b.Accept(regulator, declared(made(0, []string{lot("A")}, []string{lot("B")}))) // a movement, and held
	if !o.Voids {
		t.Errorf("not void: %+v", o)
	}
	free(b, 2, lot("B"))
	status(t, b.Send(farm, declared(made(0, []string{lot("A")}, []string{lot("B")})))[0], contract.Duplicate)
	status(t, b.Send(farm, make)[0], contract.Duplicate) // it stays void
	free(b, 3, lot("B"))

	b.Accept(shop, ev(event.Object, "storing", 4, objects(lot("S")), site(shopSite)))
	b.Accept(regulator, declared(ev(event.Object, "storing", 4, objects(lot("S")), site(shopSite)))) // a regulator may

	unknown := declared(ship(9, lot("B")))
	b.Accept(farm, unknown)
	status(t, b.Send(farm, ship(9, lot("B")))[0], contract.Duplicate) // the original comes late and is void
}

func TestErrorDeclarationOfContainmentAndBalance(t *testing.T) {
	b := network(t)
	b.Accept(farm, pack(0, sscc(1), lot("A")))
	b.Accept(farm, weigh("commissioning", 0, event.Add, 10))
	b.Accept(farm, weigh("destroying", 1, event.Delete, 10))
	b.Accept(farm, declared(weigh("destroying", 1, event.Delete, 10)))
	if o := b.Accept(farm, weigh("destroying", 2, event.Delete, 9)); len(o.Findings) > 0 {
		t.Errorf("the voided amount counts: %v", o.Findings)
	}
	id := b.Accept(regulator, hold(lot("A"), contract.ScopeLot, 3)).ID
	stopped(b, 4, []string{id}, sscc(1))
	b.Accept(farm, declared(pack(0, sscc(1), lot("A"))))
	free(b, 4, sscc(1))
}

func TestBalances(t *testing.T) {
	b := network(t)
	use := func(unit string, n int64) contract.Record {
		return ev(event.Transformation, "", 5, func(e *event.Event) {
			e.InputQuantities = []event.Quantity{amount(lot("A"), n, unit)}
			e.OutputEPCs = []string{inst(n)}
		})
	}
	b.Accept(farm, weigh("commissioning", 0, event.Add, 10))
	for _, c := range []struct {
		r    contract.Record
		over bool
	}{
		{use("KGM", 4), false}, {use("KGM", 6), false},
		{use("", 100), false}, // pieces are not converted
		{use("KGM", 1), true},
		{use("KGM", -1), false}, // not stated: from here on nobody knows
		{use("KGM", 2), false},
	} {
		o := b.Accept(farm, c.r)
		if got := slices.Contains(codes(o), contract.CodeBalanceExceeded); got != c.over {
			t.Errorf("%+v: exceeded %v", c.r.Event.InputQuantities, got)
		}
	}
	sold := func(hour int) contract.Record { return ev(event.Object, "retail_selling", hour, objects(inst(4))) }
	b.Accept(farm, sold(6))
	wantCode(t, b.Accept(farm, sold(7)), contract.Accepted, contract.CodeBalanceExceeded) // one piece is sold twice
}

func TestAtomic(t *testing.T) {
	b := network(t)
	id := b.Accept(regulator, hold(lot("H"), contract.ScopeLot, 0)).ID
	before := b.State.Len()
	outcomes := b.Submit(farm, &contract.Batch{Atomic: true, Records: []contract.Record{
		ship(1, lot("A")), ship(1, lot("H")), ship(1, lot("A")), made(1, []string{lot("A")}, []string{lot("B")}),
	}})
	for i, code := range []contract.Code{contract.CodeRolledBack, contract.CodeLotHeld, contract.CodeRolledBack, contract.CodeRolledBack} {
		wantCode(t, outcomes[i], contract.Refused, code)
	}
	if !slices.Equal(outcomes[1].Violations, []string{id}) {
		t.Errorf("violations %v", outcomes[1].Violations)
	}
	if b.State.Len() != before {
		t.Errorf("%d keys, before %d", b.State.Len(), before)
	}
	b.Accept(farm, ship(1, lot("A")))
	outcomes = b.Submit(farm, &contract.Batch{Atomic: true, Records: []contract.Record{ship(1, lot("A")), ship(2, lot("A"))}})
	status(t, outcomes[0], contract.Duplicate) // no reason to refuse the rest
	status(t, outcomes[1], contract.Accepted)
}

// TestClass: a product class without a lot connects nothing; with the lot number of the ILMD it is the lot.
func TestClass(t *testing.T) {
	b := network(t)
	const class = "https://id.gs1.org/01/06901234500011"
	use := func(hour int, to string) contract.Record {
		return ev(event.Transformation, "", hour, func(e *event.Event) {
			e.InputQuantities, e.OutputQuantities = quantities([]string{lot("A")}), quantities([]string{class})
			if to != "" {
				e.ILMD = []byte(`{"cbvmda:lotNumber":"` + to + `"}`)
			}
		})
	}
	b.Accept(farm, use(0, ""))
	b.Accept(farm, use(1, "N"))
	b.Accept(farm, made(2, []string{lot("X")}, []string{lot("Y")}))
	id := b.Accept(regulator, hold(lot("A"), contract.ScopeDownstream, 3)).ID
	stopped(b, 4, []string{id}, lot("N"))
	free(b, 4, lot("Y"))
	b.Accept(farm, ev(event.Object, "shipping", 4, func(e *event.Event) { e.Quantities = quantities([]string{class}) }))
	if got := holdsOn(b, class); got != nil {
		t.Errorf("HoldsOn(class) = %v", got)
	}
}

func TestIsMovement(t *testing.T) {
	dest := func(e *event.Event) {
		e.Destinations = []event.Destination{{Type: "location", Destination: shopSite}}
	}
	for i, c := range []struct {
		r    contract.Record
		want bool
	}{
		{made(0, []string{lot("A")}, nil), true},
		{pack(0, sscc(1), lot("A")), true},
		{unpack(0, sscc(1)), false},
		{ev(event.Association, "", 0, action(event.Add)), true},
		{ev(event.Association, "shipping", 0), true},
		{ev(event.Association, "storing", 0), false},
		{ev(event.Object, "urn:epcglobal:cbv:bizstep:shipping", 0), true},
		{ev(event.Object, "https://ref.gs1.org/cbv/BizStep-retail_selling", 0, action(event.Delete)), true},
		{ev(event.Object, "urn:epcglobal:cbv:bizstep:Shipping", 0), true},
		{ev(event.Object, "http://ref.gs1.org/cbv/BizStep-shipping", 0), true},
		{ev(event.Object, "urn:test:step:my_own", 0), false},
		{ev(event.Transaction, "picking", 0), true},
		{ev(event.Aggregation, "loading", 0), true},
		{ev(event.Object, "storing", 0, dest), true},
		{ev(event.Object, "receiving", 0, dest), false},
		{ev(event.Aggregation, "receiving", 0, action(event.Add)), true},
		{ev(event.Object, "inspecting", 0), false},
		{ev(event.Object, "destroying", 0, action(event.Delete)), false},
		{ev(event.Object, "commissioning", 0, action(event.Add)), false},
		{declared(ship(0, lot("A"))), false},
	} {
		if got := contract.IsMovement(c.r.Event); got != c.want {
			t.Errorf("case %d: %v", i, got)
		}
	}
}

func TestEmptyBatch(t *testing.T) {
	b := network(t)
	for _, batch := range []*contract.Batch{nil, {}} {
		effects, outcomes, err := contract.Decide(b.State, b.Tx(farm, batch))
		if err != nil || len(effects)+len(outcomes) > 0 {
			t.Errorf("%v, %v, %v", effects, outcomes, err)
		}
	}
}
