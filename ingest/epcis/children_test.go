package epcis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
)

// TestChildren: the places within a place are kept with it, as many as there is room for.
func TestChildren(t *testing.T) {
	site := func(children string) (contract.Site, []epcis.Problem) {
		doc, problems := epcis.Parse([]byte(vocabulary("urn:epcglobal:epcis:vtype:BusinessLocation", `{"id":"urn:site:plant","attributes":[{"id":"urn:x:crop","attribute":"spinach"}],"children":[`+children+`]}`)), epcis.Limits{})
		return doc.MasterData.Sites[0], problems
	}
	got, problems := site(`"urn:site:dock","urn:site:silo"`)
	want := []contract.MasterAttr{{ID: "urn:x:crop", Value: "spinach"}, {ID: contract.AttrChild, Value: "urn:site:dock"}, {ID: contract.AttrChild, Value: "urn:site:silo"}}
	if d := cmp.Diff(want, got.Ext); d != "" || len(problems) > 0 {
		t.Error(d, problems)
	}
	var many []string
	for i := range contract.MaxAttrs {
		many = append(many, fmt.Sprintf(`"urn:site:%d"`, i))
	}
	got, problems = site(strings.Join(many, ","))
	if len(got.Ext) != contract.MaxAttrs || len(problems) != 1 || !strings.HasSuffix(problems[0].Pointer, "/children") {
		t.Errorf("%d attributes, %v", len(got.Ext), problems)
	}
}
