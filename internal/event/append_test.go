package event_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/testdata"
)

// full is an event with a value in every part that Marshal writes by hand.
var full = []string{string(typical), `{"type":"AggregationEvent","eventID":"urn:uuid:1","eventTime":"2026-04-20T08:30:00Z","eventTimeZoneOffset":"+00:00",
	"recordTime":"2026-04-20T08:31:00Z","errorDeclaration":{"declarationTime":"2026-04-21T00:00:00Z","reason":"incorrect_data","correctiveEventIDs":["urn:uuid:2"],"ex:why":"é\u2028<"},
	"certificationInfo":["https://example.org/c"],"action":"ADD","parentID":"urn:ex:p","childEPCs":["urn:ex:a","urn:ex:b"],
	"childQuantityList":[{"epcClass":"urn:ex:c","quantity":0.50,"uom":"KGM","ex:n":1.50}],"persistentDisposition":{"set":["completeness_verified"],"unset":["expired"]},
	"readPoint":{"id":"urn:ex:r","ex:dock":{"b":1,"a":[]}},"bizLocation":{"id":"urn:ex:l"},"bizTransactionList":[{"bizTransaction":"urn:ex:t"},{"type":"po","bizTransaction":"urn:ex:u"}],
	"sourceList":[{"type":"location","source":"urn:ex:s"}],"destinationList":[{"type":"location","destination":"urn:ex:d"}],
	"sensorElementList":[{"sensorMetadata":{"time":"2026-04-20T08:30:00Z"},"sensorReport":[{"type":"Temperature","value":1.5,"uom":"CEL","booleanValue":false,"stringValue":""}]}],
	"ilmd":{"ex:b":1e400,"ex:a":{}},"ex:z":null,"ex:a":"quote \" and \\"}`,
	`{"type":"TransformationEvent","eventTime":"2026-04-20T08:30:00.5+08:00","eventTimeZoneOffset":"+08:00","transformationID":"urn:ex:x","inputEPCList":["urn:ex:1"],
	"inputQuantityList":[{"epcClass":"urn:ex:2"}],"outputEPCList":["urn:ex:3"],"outputQuantityList":[{"epcClass":"urn:ex:4","quantity":-3}]}`,
	`{"type":"ObjectEvent","action":"OBSERVE","eventTime":"2026-04-20T08:30:00Z","eventTimeZoneOffset":"+00:00","epcList":[]}`}

func TestMarshalAsTheLibraryDoes(t *testing.T) {
	for _, text := range full {
		e, err := event.Unmarshal([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		same(t, text[:40], e)
	}
}

func TestMarshalPublishedEventsAsTheLibraryDoes(t *testing.T) {
	n := 0
	err := filepath.WalkDir(testdata.Shared(t), func(path string, d fs.DirEntry, err error) error {
		if ext := filepath.Ext(path); err != nil || d.IsDir() || ext != ".json" && ext != ".jsonld" {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if doc, _ := epcis.Parse(b, epcis.Limits{}); doc != nil {
			for _, e := range doc.Events {
				same(t, path, e)
				n++
			}
		}
		return nil
	})
	if err != nil || n < 500 {
		t.Fatal(n, err)
	}
}

func same(t *testing.T, name string, e *event.Event) {
	t.Helper()
	want, err := event.MarshalByLibrary(e)
	if err != nil {
		t.Fatal(name, err)
	}
	got, err := event.Marshal(e)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %v\n%s\n%s", name, err, got, want)
	}
}
