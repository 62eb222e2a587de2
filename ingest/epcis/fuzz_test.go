package epcis_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// FuzzParse: no panic; every problem has a place; what is accepted is read the same after it was written.
func FuzzParse(f *testing.F) {
	f.Add([]byte(document(object(`,"ex:a":{"ex:b":[1.50,"x",null]},"ilmd":{"cbvmda:lotNumber":"007"}`))))
	f.Add([]byte(document(object(`,"quantityList":[{"epcClass":"urn:x:y","quantity":1.250E1,"uom":"KGM"}],"persistentDisposition":{"set":["active"]}`))))
	f.Add([]byte(document(`{"type":"TransformationEvent",` + common + `,"inputEPCList":["urn:x:a"],"outputEPCList":["urn:x:b"],` +
		`"sensorElementList":[{"sensorReport":[{"type":"Temperature","value":-1e-3,"stringValue":"","booleanValue":false}]}]}`)))
	f.Add([]byte(document(`{"type":"AggregationEvent",` + common + `,"action":"DELETE","errorDeclaration":{"declarationTime":"2026-04-20T24:00:00+14:00"}}`)))
	f.Add([]byte(document(`{"type":"TransactionEvent",` + common + `,"action":"ADD","epcList":[],"bizTransactionList":[{"bizTransaction":"urn:x:t"}]}`)))
	f.Add([]byte(`[` + object(`,"@context":{"ex":"urn:x:"}`) + `]`))
	f.Add([]byte(head + `"epcisHeader":{"epcisMasterData":{"vocabularyList":[{"type":"urn:epcglobal:epcis:vtype:Location","vocabularyElementList":` +
		`[{"id":"urn:epc:id:sgln:9521141.11111.0","attributes":[{"id":"urn:epcglobal:cbv:mda#name","attribute":"Farm"},{"id":"urn:x:y","attribute":{"a":1}}]}]}]}},` +
		`"epcisBody":{"eventList":[]}}`))
	f.Add([]byte(`{"a":[[[[[`))
	ignore := cmpopts.IgnoreUnexported(event.Event{})
	f.Fuzz(func(t *testing.T, b []byte) {
		doc, problems := epcis.Parse(b, epcis.Limits{})
		checkPlaces(t, "input", b, problems)
		if len(doc.Events) == 0 && doc.MasterData == nil {
			return
		}
		h := epcis.Header{CreationDate: event.Time{Time: time.Date(2026, 4, 20, 8, 30, 0, 0, time.UTC)}, MasterData: doc.MasterData}
		var out bytes.Buffer
		if err := epcis.Write(&out, h, doc.Events); err != nil {
			t.Fatal(err)
		}
		again, problems := epcis.Parse(out.Bytes(), epcis.Limits{})
		if len(again.Events) != len(doc.Events) {
			t.Fatalf("%d events, then %d: %v\n%s", len(doc.Events), len(again.Events), problems, out.Bytes())
		}
		if d := cmp.Diff(doc.Events, again.Events, ignore); d != "" {
			t.Fatalf("events differ:\n%s", d)
		}
		if d := cmp.Diff(doc.MasterData, again.MasterData); d != "" {
			t.Fatalf("master data differ:\n%s", d)
		}
		for i, e := range doc.Events {
			if e.Hash() != again.Events[i].Hash() {
				t.Fatalf("hash differs:\n%s\n%s", e.PreHash(), again.Events[i].PreHash())
			}
		}
	})
}
