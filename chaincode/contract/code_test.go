package contract_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/contract/contracttest"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

func policy(lenient, refuseOverBalance bool) contract.Record {
	return contract.Record{Registration: &contract.Registration{Policy: &contract.Policy{Lenient: lenient, RefuseOverBalance: refuseOverBalance}}}
}

func inspection(item string) contract.Record {
	return contract.Record{Inspection: &contract.Inspection{Item: item, Kind: "pathogen", Result: contract.Pass, Time: at(0), Inspector: "Li Na"}}
}

func sites(all ...contract.Site) contract.Record {
	return contract.Record{Registration: &contract.Registration{Sites: all}}
}

// weigh is an event with an amount of a lot in kilograms.
func weigh(step string, hour int, a event.Action, kg int64) contract.Record {
	return ev(event.Object, step, hour, action(a), func(e *event.Event) { e.Quantities = []event.Quantity{amount(lot("A"), kg, "KGM")} })
}

type codeCase struct {
	code   contract.Code
	name   string
	status contract.Status
	run    func(b *contracttest.Bench) contract.Outcome
}

// byCode has one or more ways to get each code: on a network with the strict policy, the last outcome has it.
var byCode = []codeCase{
	{contract.CodeRecordShape, "nothing", contract.Refused, sends(farm, contract.Record{})},
	{contract.CodeRecordShape, "two things", contract.Refused, sends(regulator, contract.Record{Event: ship(0, lot("A")).Event, Hold: hold(lot("A"), contract.ScopeLot, 0).Hold})},
	{contract.CodeRecordShape, "event type", contract.Refused, sends(farm, ev("LunchEvent", "", 0))},
	{contract.CodeRecordShape, "text that is not UTF-8", contract.Refused, sends(regulator, hold("\xff", contract.ScopeLot, 0))},
	{contract.CodeFieldInvalid, "action", contract.Refused, sends(farm, ev(event.Object, "", 0, action("")))},
	{contract.CodeFieldInvalid, "scope", contract.Refused, sends(regulator, hold(lot("A"), "upstream", 0))},
	{contract.CodeFieldInvalid, "result", contract.Refused, sends(lab, contract.Record{Inspection: &contract.Inspection{Item: lot("A"), Kind: "k", Time: at(0), Inspector: "i", Result: "so-so"}})},
	{contract.CodeFieldInvalid, "limit", contract.Refused, sends(farm, spread("hold-1", 0))},
	{contract.CodeFieldInvalid, "digest", contract.Refused, sends(farm, withEvidence(ship(0, lot("A")), contract.Evidence{SHA256: strings.Repeat("G", 64), Size: -1}))},
	{contract.CodeFieldInvalid, "role", contract.Refused, sends(regulator, contract.Record{Registration: &contract.Registration{Members: []contract.Member{{MSP: "X", Roles: []contract.Role{"king"}}}}})},
	{contract.CodeFieldInvalid, "country", contract.Refused, sends(farm, sites(contract.Site{ID: farmSite, Owner: farm, Country: "China"}))},
	{contract.CodeFieldInvalid, "degrees", contract.Refused, sends(farm, sites(contract.Site{ID: farmSite, Owner: farm, Lat: event.Int(91)}))},
	{contract.CodeFieldMissing, "event time", contract.Refused, sends(farm, ev(event.Object, "", 0, func(e *event.Event) { e.Time = event.Time{} }))},
	{contract.CodeFieldMissing, "reason", contract.Refused, sends(regulator, contract.Record{Hold: &contract.Hold{Item: lot("A"), Scope: contract.ScopeLot, Time: at(0)}})},
	{contract.CodeFieldMissing, "item", contract.Refused, sends(regulator, hold("", contract.ScopeLot, 0))},
	{contract.CodeFieldMissing, "empty registration", contract.Refused, sends(regulator, contract.Record{Registration: &contract.Registration{}})},
	{contract.CodeKeyInvalid, "long", contract.Refused, sends(farm, ship(0, "urn:test:"+strings.Repeat("x", contract.MaxKey)))},
	{contract.CodeKeyInvalid, "control character", contract.Refused, sends(farm, ship(0, "urn:test:\x1fx"))},
	{contract.CodeKeyInvalid, "not UTF-8", contract.Refused, sends(farm, ship(0, "urn:test:\xff"))},
	{contract.CodeTooLarge, "records", contract.Refused, sends(farm, make([]contract.Record, contract.MaxRecords+1)...)},
	{contract.CodeTooLarge, "items", contract.Refused, sends(farm, ship(0, many(contract.MaxItems+1)...))},
	{contract.CodeTooLarge, "evidence", contract.Refused, sends(farm, withEvidence(ship(0, lot("A")), make([]contract.Evidence, contract.MaxEvidence+1)...))},
	{contract.CodeTooLarge, "text", contract.Refused, sends(regulator, contract.Record{Hold: &contract.Hold{Item: lot("A"), Scope: contract.ScopeLot, Time: at(0), Reason: contract.Text{ZH: strings.Repeat("长", contract.MaxText)}}})},
	{contract.CodeTooLarge, "registration", contract.Refused, sends(regulator, sites(make([]contract.Site, contract.MaxRegistered+1)...))},
	{contract.CodeTooLarge, "attributes", contract.Refused, sends(farm, sites(contract.Site{ID: farmSite, Owner: farm, Ext: make([]contract.MasterAttr, contract.MaxAttrs+1)}))},
	{contract.CodeTooLarge, "prefixes", contract.Refused, sends(regulator, contract.Record{Registration: &contract.Registration{Members: []contract.Member{{MSP: "X", Prefixes: make([]string, contract.MaxAttrs+1)}}}})},
	{contract.CodeTooLarge, "lots", contract.Refused, func(b *contracttest.Bench) (o contract.Outcome) {
		for i := range contract.MaxLots + 1 {
			o = b.Send(farm, commission(i, fmt.Sprint(i), inst("i")))[0]
		}
		return o
	}},
	{contract.CodeNotRegistered, "stranger", contract.Refused, sends("StrangerMSP", ship(0, lot("A")))},
	{contract.CodeRoleRequired, "hold", contract.Refused, sends(farm, hold(lot("A"), contract.ScopeLot, 0))},
	{contract.CodeRoleRequired, "release", contract.Refused, sends(lab, release("hold-1", 0))},
	{contract.CodeRoleRequired, "inspection", contract.Refused, sends(farm, inspection(lot("A")))},
	{contract.CodeRoleRequired, "members", contract.Refused, sends(farm, members())},
	{contract.CodeRoleRequired, "policy", contract.Refused, sends(farm, policy(true, false))},
	{contract.CodeLastRegulator, "", contract.Refused, sends(regulator, contract.Record{Registration: &contract.Registration{Members: []contract.Member{{MSP: regulator}}}})},
	{contract.CodeMemberUnknown, "", contract.Refused, sends(regulator, sites(contract.Site{ID: freeSite, Owner: "NobodyMSP"}))},
	{contract.CodeNotYourSite, "another's", contract.Refused, sends(farm, ev(event.Object, "storing", 0, objects(lot("A")), site(shopSite)))},
	{contract.CodeNotYourSite, "another's business location", contract.Refused, sends(farm, ev(event.Object, "storing", 0, objects(lot("A")), func(e *event.Event) { e.BizLocation = &event.Place{ID: shopSite} }))},
	{contract.CodeNotYourSite, "nobody's, strict", contract.Refused, sends(farm, ev(event.Object, "storing", 0, objects(lot("A")), site(freeSite)))},
	{contract.CodeNotYourSite, "part of another's", contract.Refused, sends(farm, ev(event.Object, "storing", 0, objects(lot("A")), site(shopSite+"/254/dock")))},
	{contract.CodeNotYours, "site", contract.Refused, sends(farm, sites(contract.Site{ID: shopSite, Owner: farm}))},
	{contract.CodeNotYours, "for another", contract.Refused, sends(farm, sites(contract.Site{ID: farmSite, Owner: shop}))},
	{contract.CodeNotYours, "product", contract.Refused, func(b *contracttest.Bench) contract.Outcome {
		p := contract.Record{Registration: &contract.Registration{Products: []contract.Product{{ID: "https://id.gs1.org/01/06901234500011", Owner: farm}}}}
		b.Accept(farm, p)
		p.Registration = &contract.Registration{Products: []contract.Product{{ID: "https://id.gs1.org/01/06901234500011", Owner: shop}}}
		return b.Send(shop, p)[0]
	}},
	{contract.CodeNotYourPrefix, "strict", contract.Refused, sends(farm, sites(contract.Site{ID: "https://id.gs1.org/414/9521321000018", Owner: farm}))},
	{contract.CodeNotYourPrefix, "lenient, nobody's", contract.Accepted, after(policy(true, false), farm, sites(contract.Site{ID: "https://id.gs1.org/414/9521321000018"}))},
	{contract.CodeNotYourPrefix, "lenient, claimed", contract.Refused, after(policy(true, false), farm, sites(contract.Site{ID: "https://id.gs1.org/414/9521321000018", Owner: farm}))},
	{contract.CodeNotYourEvent, "", contract.Refused, func(b *contracttest.Bench) contract.Outcome {
		b.Accept(farm, ship(0, lot("A")))
		return b.Send(shop, declared(ship(0, lot("A"))))[0]
	}},
	{contract.CodeEventIDConflict, "", contract.Refused, func(b *contracttest.Bench) contract.Outcome {
		b.Accept(farm, ev(event.Object, "shipping", 0, objects(lot("A")), eventID("urn:uuid:1")))
		return b.Send(farm, ev(event.Object, "shipping", 0, objects(lot("B")), eventID("urn:uuid:1")))[0]
	}},
	{contract.CodeEventIDConflict, "of an error declaration", contract.Refused, func(b *contracttest.Bench) contract.Outcome {
		b.Accept(farm, ev(event.Object, "shipping", 0, objects(lot("A")), eventID("urn:uuid:1")))
		return b.Send(farm, declared(ev(event.Object, "shipping", 0, objects(lot("B")), eventID("urn:uuid:1"))))[0]
	}},
	{contract.CodeItemIsClass, "hold", contract.Refused, sends(regulator, hold("https://id.gs1.org/01/06901234500011", contract.ScopeLot, 0))},
	{contract.CodeHoldUnknown, "release", contract.Refused, sends(regulator, release("hold-1", 0))},
	{contract.CodeHoldUnknown, "spread", contract.Refused, sends(farm, spread("hold-1", 1))},
	{contract.CodeHoldReleased, "", contract.Refused, func(b *contracttest.Bench) contract.Outcome {
		id := b.Accept(regulator, hold(lot("A"), contract.ScopeLot, 0)).ID
		b.Accept(regulator, release(id, 1))
		return b.Send(regulator, release(id, 2))[0]
	}},
	{contract.CodeLotHeld, "", contract.Refused, func(b *contracttest.Bench) contract.Outcome {
		b.Accept(regulator, hold(lot("A"), contract.ScopeLot, 0))
		return b.Send(farm, ship(1, lot("A")))[0]
	}},
	{contract.CodeHoldUndecided, "", contract.Refused, tooManyContents},
	{contract.CodeRolledBack, "", contract.Refused, func(b *contracttest.Bench) contract.Outcome {
		return b.Submit(farm, &contract.Batch{Atomic: true, Records: []contract.Record{ship(0, lot("A")), {}}})[0]
	}},
	{contract.CodeItemUnknown, "hold", contract.Accepted, sends(regulator, hold(lot("MISTYPED"), contract.ScopeLot, 0))},
	{contract.CodeItemUnknown, "inspection", contract.Accepted, sends(lab, inspection(lot("MISTYPED")))},
	{contract.CodeSiteUnknown, "strict", contract.Refused, sends(farm, ev(event.Object, "", 0, site("https://id.gs1.org/414/9521321000018")))},
	{contract.CodeSiteUnknown, "lenient", contract.Accepted, after(policy(true, false), farm, ev(event.Object, "", 0, site("https://id.gs1.org/414/9521321000018")))},
	{contract.CodeSiteMissing, "strict", contract.Refused, sends(farm, ev(event.Object, "", 0, func(e *event.Event) { e.ReadPoint = nil }))},
	{contract.CodeSiteMissing, "lenient", contract.Accepted, after(policy(true, false), farm, ev(event.Object, "", 0, func(e *event.Event) { e.ReadPoint = nil }))},
	{contract.CodeBalanceExceeded, "remark", contract.Accepted, func(b *contracttest.Bench) contract.Outcome {
		b.Accept(farm, weigh("commissioning", 0, event.Add, 10))
		return b.Send(farm, weigh("destroying", 1, event.Delete, 11))[0]
	}},
	{contract.CodeBalanceExceeded, "refused", contract.Refused, func(b *contracttest.Bench) contract.Outcome {
		b.Accept(regulator, policy(false, true))
		b.Accept(farm, weigh("commissioning", 0, event.Add, 10))
		return b.Send(farm, weigh("destroying", 1, event.Delete, 11))[0]
	}},
	{contract.CodeErrorUnknown, "", contract.Accepted, sends(farm, declared(ship(0, lot("A"))))},
	{contract.CodeTimeContradicted, "used before made", contract.Accepted, func(b *contracttest.Bench) contract.Outcome {
		b.Accept(farm, weigh("commissioning", 50, event.Add, 10))
		return b.Send(farm, weigh("destroying", 25, event.Delete, 1))[0]
	}},
	{contract.CodeTimeContradicted, "made after used", contract.Accepted, func(b *contracttest.Bench) contract.Outcome {
		b.Accept(farm, made(0, []string{lot("A")}, nil))
		return b.Send(farm, made(25, nil, []string{lot("A")}))[0]
	}},
	{contract.CodeTimeContradicted, "process", contract.Accepted, func(b *contracttest.Bench) contract.Outcome {
		b.Accept(farm, made(50, []string{lot("A")}, nil, process("urn:test:run")))
		return b.Send(farm, made(25, nil, []string{lot("B")}, process("urn:test:run")))[0]
	}},
	{contract.CodeTimeFuture, "", contract.Accepted, sends(farm, ship(24*365, lot("A")))},
	{contract.CodeCheckDigit, "", contract.Accepted, sends(farm, ship(0, "https://id.gs1.org/01/06901234500012/10/A"))},
	{contract.CodeIdentifier, "", contract.Accepted, sends(farm, ship(0, "urn:epc:id:sgtin:nonsense"))},
}

func sends(msp string, records ...contract.Record) func(*contracttest.Bench) contract.Outcome {
	return func(b *contracttest.Bench) contract.Outcome { return b.Send(msp, records...)[0] }
}

func after(first contract.Record, msp string, r contract.Record) func(*contracttest.Bench) contract.Outcome {
	return func(b *contracttest.Bench) contract.Outcome {
		b.Accept(regulator, first)
		return b.Send(msp, r)[0]
	}
}

func withEvidence(r contract.Record, e ...contract.Evidence) contract.Record {
	r.Evidence = e
	return r
}

func declared(r contract.Record) contract.Record {
	wrong(r.Event)
	return r
}

func commission(hour int, number string, items ...string) contract.Record {
	return ev(event.Object, "commissioning", hour, action(event.Add), objects(items...), ilmd(`{"cbvmda:lotNumber":"`+number+`"}`))
}

func many(n int) (items []string) {
	for i := range n {
		items = append(items, lot(i))
	}
	return items
}

// tooManyContents moves a unit with more inside than one movement may look through, while something is held.
func tooManyContents(b *contracttest.Bench) contract.Outcome {
	const half = contract.MaxItems - 1
	for i := range 6 {
		var items []string
		for j := range half {
			items = append(items, fmt.Sprintf("urn:test:%d.%d", i, j))
		}
		b.Accept(farm, pack(0, sscc(1), items...))
	}
	b.Accept(regulator, hold(lot("A"), contract.ScopeLot, 1))
	if _, err := contract.HoldsOn(b.State, sscc(1)); err == nil || !strings.Contains(err.Error(), string(contract.CodeHoldUndecided)) {
		b.T.Errorf("HoldsOn: %v, want %s", err, contract.CodeHoldUndecided)
	}
	return b.Send(farm, ship(2, sscc(1)))[0]
}

func TestCodes(t *testing.T) {
	for _, c := range byCode {
		t.Run(string(c.code)+"/"+c.name, func(t *testing.T) {
			b := network(t)
			o := c.run(b)
			wantCode(t, o, c.status, c.code)
			for _, f := range o.Findings {
				if f.Message == "" || strings.Contains(f.Message, "%!") {
					t.Errorf("message %q", f.Message)
				}
			}
		})
	}
}

// TestEveryCode: the table above has every code there is.
func TestEveryCode(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		lit, ok := node.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		code, _ := strconv.Unquote(lit.Value)
		n++
		if !slices.ContainsFunc(byCode, func(c codeCase) bool { return string(c.code) == code }) {
			t.Errorf("no test gets the code %s", code)
		}
		return true
	})
	if n < 25 {
		t.Errorf("code.go has %d codes", n)
	}
}
