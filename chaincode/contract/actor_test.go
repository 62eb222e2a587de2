package contract_test

import (
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/contract/contracttest"
)

// as decides one record of a member whose certificate carries roles.
func as(t *testing.T, b *contracttest.Bench, msp string, roles []contract.Role, r contract.Record) contract.Outcome {
	t.Helper()
	tx := b.Tx(msp, &contract.Batch{Records: []contract.Record{r}})
	tx.Actor.Roles = roles
	effects, outcomes, err := contract.Decide(b.State, tx)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.State.Apply(effects); err != nil {
		t.Fatal(err)
	}
	return outcomes[0]
}

// TestCertificateRoles: a certificate can take roles away from its holder, and never add one that the member has not.
func TestCertificateRoles(t *testing.T) {
	inspection := contract.Record{Inspection: &contract.Inspection{Item: lot(1), Kind: "pathogen", Result: contract.Pass, Time: at(1), Inspector: "Li"}}
	hold := contract.Record{Hold: &contract.Hold{Item: lot(1), Scope: contract.ScopeLot, Reason: contract.Text{EN: "salmonella"}, Time: at(1)}}
	site := contract.Record{Registration: &contract.Registration{Sites: []contract.Site{{ID: "https://id.gs1.org/414/6901234500028", Owner: shop}}}}
	member := contract.Record{Registration: &contract.Registration{Members: []contract.Member{{MSP: "NewMSP", Roles: []contract.Role{contract.Carrier}}}}}
	event := ev("ObjectEvent", "inspecting", 1)
	both := []contract.Role{contract.Regulator, contract.Laboratory}
	for _, c := range []struct {
		name  string
		msp   string
		roles []contract.Role
		r     contract.Record
		code  contract.Code // "": accepted
	}{
		{"no attribute", regulator, nil, hold, ""},
		{"the role", regulator, []contract.Role{contract.Regulator}, hold, ""},
		{"one of several", regulator, both, hold, ""},
		{"another role", regulator, []contract.Role{contract.Laboratory}, hold, contract.CodeRoleRequired},
		{"no role", regulator, []contract.Role{}, hold, contract.CodeRoleRequired},
		{"a role that the member has not", farm, both, hold, contract.CodeRoleRequired},
		{"a role in the certificate alone", farm, both, inspection, contract.CodeRoleRequired},
		{"laboratory", lab, both, inspection, ""},
		{"a laboratory's clerk", lab, []contract.Role{contract.Carrier}, inspection, contract.CodeRoleRequired},
		{"registers a member", regulator, []contract.Role{contract.Regulator}, member, ""},
		{"may not register a member", regulator, []contract.Role{contract.Producer}, member, contract.CodeRoleRequired},
		{"may not register another's site", regulator, []contract.Role{contract.Producer}, site, contract.CodeNotYours},
		{"an event needs no role", farm, []contract.Role{}, event, ""},
	} {
		o := as(t, network(t), c.msp, c.roles, c.r)
		if (o.Status == contract.Accepted) != (c.code == "") || c.code != "" && o.Findings[0].Code != c.code {
			t.Errorf("%s: %s %+v, want %q", c.name, o.Status, o.Findings, c.code)
		}
	}
}

// TestCertificateRolesVoid: the regulator's right to declare another member's event wrong is a role's, not an organisation's.
func TestCertificateRolesVoid(t *testing.T) {
	for _, c := range []struct {
		roles []contract.Role
		want  contract.Status
	}{{nil, contract.Accepted}, {[]contract.Role{contract.Regulator}, contract.Accepted}, {[]contract.Role{contract.Laboratory}, contract.Refused}} {
		b := network(t)
		b.Accept(farm, ev("ObjectEvent", "inspecting", 1))
		if o := as(t, b, regulator, c.roles, ev("ObjectEvent", "inspecting", 1, wrong)); o.Status != c.want {
			t.Errorf("%v: %s %+v, want %s", c.roles, o.Status, o.Findings, c.want)
		}
	}
}

// TestCertificateRolesGenesis: nobody begins a ledger in a role that the certificate does not allow.
func TestCertificateRolesGenesis(t *testing.T) {
	b := contracttest.New(t)
	o := as(t, b, regulator, []contract.Role{contract.Laboratory}, members())
	if o.Status != contract.Refused || o.Findings[0].Code != contract.CodeRoleRequired || !strings.Contains(o.Findings[0].Message, "tester of "+regulator) {
		t.Errorf("%s %+v", o.Status, o.Findings)
	}
	if o := as(t, b, regulator, []contract.Role{contract.Regulator}, members()); o.Status != contract.Accepted {
		t.Errorf("%s %+v", o.Status, o.Findings)
	}
}
