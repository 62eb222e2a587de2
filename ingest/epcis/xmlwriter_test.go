package epcis_test

import (
	"bytes"
	"io"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

type documentWriter interface {
	Write(*event.Event) error
	Close() error
}

var writers = map[string]func(io.Writer, epcis.Header) documentWriter{
	"JSON": func(w io.Writer, h epcis.Header) documentWriter { return epcis.NewWriter(w, h) },
	"XML":  func(w io.Writer, h epcis.Header) documentWriter { return epcis.NewXMLWriter(w, h) },
}

// writeXML writes events one by one and reads them again; nil stands for one that XML cannot have.
func writeXML(t *testing.T, name string, h epcis.Header, events []*event.Event) (again []*event.Event) {
	t.Helper()
	for _, e := range events {
		var out bytes.Buffer
		w := epcis.NewXMLWriter(&out, h)
		failed := w.Write(e)
		if err := w.Close(); err != nil {
			t.Fatal(name, err)
		}
		doc, problems := epcis.Parse(out.Bytes(), epcis.Limits{})
		switch {
		case failed != nil && len(doc.Events) == 0:
			again = append(again, nil)
		case epcis.HasErrors(problems) || len(doc.Events) != 1:
			t.Fatalf("%s: %v\n%s", name, problems, out.Bytes())
		default:
			again = append(again, doc.Events[0])
		}
	}
	return again
}

func TestXMLWriter(t *testing.T) {
	created, _ := event.ParseTime("2026-04-20T08:30:00Z")
	for _, twin := range twins {
		for _, text := range []string{twin.xml, twin.old} {
			if text == "" {
				continue
			}
			doc, problems := epcis.Parse([]byte(xmlDocument(text)), epcis.Limits{})
			if epcis.HasErrors(problems) {
				t.Fatal(problems)
			}
			for _, h := range []epcis.Header{{CreationDate: created}, {Type: "EPCISQueryDocument", QueryName: "a & b", SubscriptionID: "7", CreationDate: created}} {
				if d := diffEvents(doc.Events, writeXML(t, twin.name, h, doc.Events)); d != "" {
					t.Errorf("%s: %s", twin.name, d)
				}
			}
		}
	}
	for name, json := range map[string]string{"name": `,"ex:a b":1`, "prefix": `,"no:a":1`, "URI": `,"https://ns.example.com/a":1`, "character": `,"ex:a":"\u0001"`} {
		doc, problems := epcis.Parse([]byte(document(object(json))), epcis.Limits{})
		if epcis.HasErrors(problems) {
			t.Fatal(name, problems)
		}
		if again := writeXML(t, name, epcis.Header{CreationDate: created}, doc.Events); again[0] != nil {
			t.Errorf("%s: written as %s", name, again[0].Ext)
		}
	}
}

// Header and master data are read again as they were written, in both formats.
func TestWrittenHeader(t *testing.T) {
	created, _ := event.ParseTime("2026-04-20T08:30:00Z")
	doc, problems := epcis.Parse([]byte(samples[6]), epcis.Limits{})
	if epcis.HasErrors(problems) {
		t.Fatal(problems)
	}
	attributes := []contract.MasterAttr{{ID: "urn:x:number", Value: `{"a":1}`}, {ID: "urn:x:prefix", Value: `{"ex:a":"1"}`}, {ID: "urn:x:text", Value: `{"a":["b",{"c":""}]}`},
		{ID: "urn:x:one", Value: `{"a":["b"]}`}, {ID: "urn:x:broken", Value: "{a & <b>}"}, {ID: "urn:x:both", Value: `{"#text":"3","unit":"KGM"}`}, {ID: "urn:x:empty"}}
	h := epcis.Header{ID: "urn:x:doc", SchemaVersion: "1.2", CreationDate: created, Sender: "urn:x:a&b", Receiver: "urn:x:c", InstanceIdentifier: "7", MasterData: &contract.Registration{
		Sites:    append(doc.MasterData.Sites, contract.Site{ID: "urn:x:site", Ext: attributes}),
		Products: append(doc.MasterData.Products, contract.Product{ID: "urn:x:product", Ext: attributes})}}
	want := h
	want.SchemaVersion, want.Type = "2.0", "EPCISDocument"
	query := epcis.Header{Type: "EPCISQueryDocument", QueryName: "q", SubscriptionID: "s", SchemaVersion: "2.0", CreationDate: created, MasterData: h.MasterData}
	for _, test := range []struct{ written, want epcis.Header }{{h, want}, {query, query}, {epcis.Header{CreationDate: created, Receiver: "urn:x:c"},
		epcis.Header{Type: "EPCISDocument", SchemaVersion: "2.0", CreationDate: created, Receiver: "urn:x:c"}}} {
		for format, write := range writers {
			var out bytes.Buffer
			w := write(&out, test.written)
			for _, e := range doc.Events {
				if err := w.Write(e); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(format, err)
			}
			again, problems := epcis.Parse(out.Bytes(), epcis.Limits{})
			if epcis.HasErrors(problems) || len(again.Events) != 1 || again.Events[0].Hash() != doc.Events[0].Hash() {
				t.Errorf("%s: %v\n%s", format, problems, out.Bytes())
			}
			again.At = ""
			if d := cmp.Diff(test.want, again.Header); d != "" {
				t.Errorf("%s: %s\n%s", format, d, out.Bytes())
			}
		}
	}
}

// builtinPrefix is a prefix that only JSON's standard context declares, which is hashed as it is: docs/divergences.md, EPCIS XML.
var builtinPrefix = regexp.MustCompile(`(cbv|cbvmda|gs1):`)

// What was read from a public document has the same hash after it was written in XML.
func TestXMLWriterOnEveryDocument(t *testing.T) {
	created, _ := event.ParseTime("2026-04-20T08:30:00Z")
	same, other, impossible := 0, 0, 0
	for file, doc := range sharedDocuments(t) {
		for i, e := range writeXML(t, file, epcis.Header{CreationDate: created}, doc.Events) {
			switch {
			case e == nil:
				impossible++
			case e.Hash() == doc.Events[i].Hash():
				same++
			case builtinPrefix.MatchString(doc.Events[i].PreHash()):
				other++
			default:
				t.Errorf("%s event %d hashes otherwise:\n got %s\nwant %s", file, i, e.PreHash(), doc.Events[i].PreHash())
			}
		}
	}
	if same == 0 || impossible > 19 {
		t.Errorf("%d events cannot be written", impossible)
	}
	t.Logf("%d the same, %d with a prefix of JSON's own, %d cannot be written", same, other, impossible)
}
