package epcis_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/testdata"
)

// vocabulary wraps master data elements in a document without events.
func vocabulary(typ, elements string) string {
	return head + `"epcisHeader":{"epcisMasterData":{"vocabularyList":[{"type":"` + typ + `","vocabularyElementList":[` + elements + `]}]}},"epcisBody":{"eventList":[]}}`
}

func TestMasterData(t *testing.T) {
	doc, problems := epcis.Parse([]byte(vocabulary("urn:epcglobal:epcis:vtype:Location",
		`{"id":"urn:epc:id:sgln:9521141.11111.0","attributes":[{"id":"urn:epcglobal:cbv:mda#name","attribute":"Farm"},{"id":"cbvmda:streetAddressOne","attribute":"1 Field Road"},`+
			`{"id":"cbvmda:city","attribute":"Shouguang"},{"id":"urn:epcglobal:cbv:mda#countryCode","attribute":"CN"},{"id":"https://gs1.org/voc/latitude","attribute":"36.850"},`+
			`{"id":"https://gs1.org/voc/longitude","attribute":118.74},{"id":"urn:x:crop","attribute":{"b":[1.50],"a":"spinach"}},{"id":"urn:epcglobal:cbv:mda#name","attribute":"Second name"}]},`+
			`{"id":"urn:gdst:x:location:1"}`)), epcis.Limits{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	number := func(s string) event.Decimal {
		d, err := event.ParseDecimal(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	want := &contract.Registration{Sites: []contract.Site{{ID: "https://id.gs1.org/414/9521141111116", Name: contract.Text{EN: "Farm"},
		Address: contract.Text{EN: "1 Field Road, Shouguang"}, Country: "CN", Lat: number("36.85"), Lon: number("118.74"),
		Ext: []contract.MasterAttr{{ID: "urn:x:crop", Value: `{"a":"spinach","b":[1.50]}`}, {ID: "urn:epcglobal:cbv:mda#name", Value: "Second name"}}},
		{ID: "urn:gdst:x:location:1"}}}
	if d := cmp.Diff(want, doc.MasterData); d != "" {
		t.Error(d)
	}

	doc, problems = epcis.Parse([]byte(vocabulary("urn:epcglobal:epcis:vtype:EPCClass",
		`{"id":"urn:epc:idpat:sgtin:9521141.001234.*","attributes":[{"id":"urn:epcglobal:cbv:mda#descriptionShort","attribute":"Spinach"},{"id":"urn:foodtrace:mda#nameZh","attribute":"菠菜"}]}`)), epcis.Limits{})
	want = &contract.Registration{Products: []contract.Product{{ID: "https://id.gs1.org/01/09521141012345", Name: contract.Text{EN: "Spinach", ZH: "菠菜"}}}}
	if d := cmp.Diff(want, doc.MasterData); d != "" || len(problems) > 0 {
		t.Error(d, problems)
	}
}

func TestMasterDataProblems(t *testing.T) {
	const list = "/epcisHeader/epcisMasterData/vocabularyList/0"
	for _, test := range []struct {
		doc  string
		want []string
	}{
		{vocabulary("urn:x:other", `{"id":"urn:x:y"}`), []string{"finding MASTER_DATA_OTHER " + list}},
		{vocabulary("urn:epcglobal:epcis:vtype:Location", `{},{"id":1,"attributes":{}},{"id":"a b","attributes":[1,{"attribute":[]}],"children":[7]}`),
			[]string{"error MISSING " + list + "/vocabularyElementList/0/id", "error MISSING " + list + "/vocabularyElementList/2/attributes/1/id",
				"error TYPE_MISMATCH " + list + "/vocabularyElementList/1/attributes", "error TYPE_MISMATCH " + list + "/vocabularyElementList/1/id",
				"error TYPE_MISMATCH " + list + "/vocabularyElementList/2/attributes/0", "error TYPE_MISMATCH " + list + "/vocabularyElementList/2/attributes/1/attribute",
				"error TYPE_MISMATCH " + list + "/vocabularyElementList/2/children/0", "finding URI " + list + "/vocabularyElementList/2/id"}},
		{head + `"epcisHeader":{"epcisMasterData":[],"other":1},"epcisBody":{"eventList":[]}}`,
			[]string{"error TYPE_MISMATCH /epcisHeader/epcisMasterData", "finding UNEXPECTED /epcisHeader/other"}},
		{head + `"epcisHeader":1,"epcisBody":{"eventList":[]}}`, []string{"error TYPE_MISMATCH /epcisHeader"}},
	} {
		_, problems := epcis.Parse([]byte(test.doc), epcis.Limits{})
		if d := cmp.Diff(test.want, found(problems)); d != "" {
			t.Errorf("%s: %s", test.doc, d)
		}
		for _, p := range problems {
			if p.Code == epcis.CodeType && strings.HasSuffix(p.Pointer, "/children/0") && !strings.HasPrefix(test.doc[p.Offset:], "7") {
				t.Errorf("offset of %s is at %.10q", p.Pointer, test.doc[p.Offset:])
			}
		}
	}
}

// A chain of custody of a farmed fish with its master data, as the GDST's reference code has it.
func TestMasterDataOfGDST(t *testing.T) {
	b, err := os.ReadFile(testdata.Shared(t, "gdst-opentraceability", "CSharp", "OpenTraceability.Tests", "Data", "traceback_tests.jsonld"))
	if err != nil {
		t.Fatal(err)
	}
	doc, problems := epcis.Parse(b, epcis.Limits{})
	if epcis.HasErrors(problems) || doc.MasterData == nil {
		t.Fatal(problems)
	}
	m := doc.MasterData
	t.Logf("%d events, %d sites, %d products", len(doc.Events), len(m.Sites), len(m.Products))
	if len(m.Sites) == 0 || len(m.Products) == 0 {
		t.Error("the master data registers nothing")
	}
	for _, s := range m.Sites {
		if s.Name.EN == "" {
			t.Errorf("%s has no name: %v", s.ID, s.Ext)
		}
	}
	for _, p := range m.Products {
		if p.Name.EN == "" {
			t.Errorf("%s has no name: %v", p.ID, p.Ext)
		}
	}
}
