package contract_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/contract/contracttest"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// The network of the tests: a regulator, a laboratory, and two firms with a site each.
const (
	regulator = "AuthorityMSP"
	lab       = "LabMSP"
	farm      = "FarmMSP"
	shop      = "ShopMSP"
	farmSite  = "https://id.gs1.org/414/6901234500004"
	shopSite  = "https://id.gs1.org/414/6907654300002"
	freeSite  = "https://id.gs1.org/414/9521321000001"
	shopParty = "https://id.gs1.org/417/6907654300002"
)

var day = time.Date(2026, 4, 20, 8, 0, 0, 0, time.UTC)

func at(hours int) event.Time { return event.Time{Time: day.Add(time.Duration(hours) * time.Hour)} }

func members() contract.Record {
	return contract.Record{Registration: &contract.Registration{
		Members: []contract.Member{
			{MSP: regulator, Roles: []contract.Role{contract.Regulator}},
			{MSP: lab, Roles: []contract.Role{contract.Laboratory}},
			{MSP: farm, Roles: []contract.Role{contract.Producer}, Prefixes: []string{"69012345"}},
			{MSP: shop, Roles: []contract.Role{contract.Retailer}, Prefixes: []string{"69076543"}, Parties: []string{"urn:test:party:shop"}},
		},
		Sites: []contract.Site{{ID: farmSite, Owner: farm}, {ID: shopSite, Owner: shop}, {ID: freeSite}},
	}}
}

// network is a bench on which the members are registered.
func network(t testing.TB) *contracttest.Bench {
	b := contracttest.New(t)
	b.Accept(regulator, members())
	return b
}

func lot(n any) string { return fmt.Sprintf("https://id.gs1.org/01/06901234500011/10/%v", n) }
func inst(n any) string {
	return fmt.Sprintf("https://id.gs1.org/01/06901234500011/21/%v", n)
}

// sscc is a logistic unit with a right check digit.
func sscc(n int) string {
	digits := fmt.Sprintf("0690123450%07d", n)
	sum := 0
	for i, c := range digits {
		sum += int(c-'0') * (3 - 2*(i%2))
	}
	return fmt.Sprintf("https://id.gs1.org/00/%s%d", digits, (10-sum%10)%10)
}

// ev is an event at the farm that is changed by with.
func ev(typ event.Type, step string, hour int, with ...func(*event.Event)) contract.Record {
	e := &event.Event{Type: typ, Time: at(hour), TimeZoneOffset: "+00:00", BizStep: step, ReadPoint: &event.Place{ID: farmSite}}
	if typ != event.Transformation {
		e.Action = event.Observe
	}
	for _, f := range with {
		f(e)
	}
	return contract.Record{Event: e}
}

func action(a event.Action) func(*event.Event) { return func(e *event.Event) { e.Action = a } }
func site(id string) func(*event.Event) {
	return func(e *event.Event) { e.ReadPoint = &event.Place{ID: id} }
}
func eventID(id string) func(*event.Event) { return func(e *event.Event) { e.ID = id } }
func parent(p string) func(*event.Event)   { return func(e *event.Event) { e.ParentID = p } }
func process(id string) func(*event.Event) { return func(e *event.Event) { e.TransformationID = id } }
func ilmd(json string) func(*event.Event)  { return func(e *event.Event) { e.ILMD = []byte(json) } }
func wrong(e *event.Event) {
	e.ErrorDeclaration = &event.ErrorDeclaration{DeclarationTime: at(1000)}
}

// amount is a quantity of a lot; n < 0: not stated.
func amount(item string, n int64, uom string) event.Quantity {
	q := event.Quantity{EPCClass: item, UOM: uom}
	if n >= 0 {
		q.Quantity = event.Int(n)
	}
	return q
}

func quantities(items []string) (all []event.Quantity) {
	for _, item := range items {
		all = append(all, amount(item, -1, ""))
	}
	return all
}

// objects, children, inputs and outputs name items: lots in quantity lists, others in EPC lists.
func objects(items ...string) func(*event.Event) {
	return func(e *event.Event) { l, i := split(items); e.Quantities, e.EPCs = quantities(l), i }
}
func children(items ...string) func(*event.Event) {
	return func(e *event.Event) { l, i := split(items); e.ChildQuantities, e.ChildEPCs = quantities(l), i }
}
func inputs(items ...string) func(*event.Event) {
	return func(e *event.Event) { l, i := split(items); e.InputQuantities, e.InputEPCs = quantities(l), i }
}
func outputs(items ...string) func(*event.Event) {
	return func(e *event.Event) { l, i := split(items); e.OutputQuantities, e.OutputEPCs = quantities(l), i }
}

func split(items []string) (lots, others []string) {
	for _, item := range items {
		if strings.Contains(item, "/10/") {
			lots = append(lots, item)
		} else {
			others = append(others, item)
		}
	}
	return lots, others
}

func ship(hour int, items ...string) contract.Record {
	return ev(event.Object, "shipping", hour, objects(items...))
}

func pack(hour int, p string, items ...string) contract.Record {
	return ev(event.Aggregation, "", hour, action(event.Add), parent(p), children(items...))
}

func unpack(hour int, p string, items ...string) contract.Record {
	return ev(event.Aggregation, "unpacking", hour, action(event.Delete), parent(p), children(items...))
}

func made(hour int, from, to []string, with ...func(*event.Event)) contract.Record {
	return ev(event.Transformation, "", hour, append(with, inputs(from...), outputs(to...))...)
}

func hold(item string, scope contract.Scope, hour int) contract.Record {
	return contract.Record{Hold: &contract.Hold{Item: item, Scope: scope, Reason: contract.Text{EN: "Salmonella"}, Time: at(hour)}}
}

func release(id string, hour int) contract.Record {
	return contract.Record{Release: &contract.Release{Hold: id, Reason: contract.Text{EN: "tested clean"}, Time: at(hour)}}
}

func spread(id string, limit int) contract.Record {
	return contract.Record{Spread: &contract.Spread{Hold: id, Limit: limit}}
}

// spreadAll spreads every hold to its end.
func spreadAll(b *contracttest.Bench) {
	b.T.Helper()
	for {
		holds := spreading(b)
		if len(holds) == 0 {
			return
		}
		for _, id := range holds {
			b.Accept(farm, spread(id, 3))
		}
	}
}

func spreading(b *contracttest.Bench) []string {
	b.T.Helper()
	holds, err := contract.HoldSpreading(b.State)
	if err != nil {
		b.T.Fatal(err)
	}
	return holds
}

func holdsOn(b *contracttest.Bench, item string) []string {
	b.T.Helper()
	ids, err := contract.HoldsOn(b.State, item)
	if err != nil {
		b.T.Fatal(err)
	}
	return ids
}

func codes(o contract.Outcome) (all []contract.Code) {
	for _, f := range o.Findings {
		all = append(all, f.Code)
	}
	return all
}

// wantCode fails unless the outcome has the status and the code.
func wantCode(t testing.TB, o contract.Outcome, status contract.Status, code contract.Code) {
	t.Helper()
	if o.Status != status || code != "" && !slices.Contains(codes(o), code) {
		t.Errorf("%s with %v, want %s with %s", o.Status, o.Findings, status, code)
	}
}
