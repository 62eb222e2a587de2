package epcis_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/testdata"
)

type hashVector struct {
	File     string `json:"file"`
	Event    int    `json:"event"`
	Hash     string `json:"hash"`
	PreHash  string `json:"prehash"`
	AllEqual bool   `json:"all_equal"`
}

// hashedEvents reads the events of a vector's document, valid or not as a document.
func hashedEvents(t *testing.T, path string) []*event.Event {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, problems := epcis.Parse(b, epcis.Limits{})
	if epcis.HasErrors(problems) {
		t.Fatalf("%s: %v", path, problems)
	}
	return doc.Events
}

func TestEventHashVectors(t *testing.T) {
	rows := readLines[hashVector](t, "vectors-split", "dev", "event-hash-ralphtro__vectors.jsonl")
	equal := map[string]string{}
	for _, v := range rows {
		path := testdata.Shared(t, "event-hash-ralphtro", filepath.FromSlash(v.File))
		events := hashedEvents(t, path)
		if v.Event >= len(events) {
			t.Errorf("%s has only %d events", v.File, len(events))
			continue
		}
		e := events[v.Event]
		if got := e.PreHash(); got != v.PreHash {
			t.Errorf("%s event %d:\n got %s\nwant %s", v.File, v.Event, got, v.PreHash)
		}
		if got := e.Hash(); got != v.Hash {
			t.Errorf("%s event %d: got %s, want %s", v.File, v.Event, got, v.Hash)
		}
		if v.AllEqual {
			if other, seen := equal[v.File]; seen && other != e.Hash() {
				t.Errorf("%s event %d is not equal to the others", v.File, v.Event)
			}
			equal[v.File] = e.Hash()
		}
	}
	if len(rows) != 53 || len(equal) == 0 {
		t.Errorf("%d vectors, %d files of equal events", len(rows), len(equal))
	}
}

// The reference implementation's hashes of events in XML that are ours too. The others differ by what docs/divergences.md names: it hashes
// xsi:type, puts parentID elsewhere, takes texts for numbers, and reads wrappers of EPCIS 1.x and qualified elements as extensions.
func TestReferenceHashesOfXML(t *testing.T) {
	type row struct {
		File  string `json:"file"`
		Event int    `json:"event"`
		Hash  string `json:"ralphtro_head"`
	}
	events := map[string][]*event.Event{}
	same, others := 0, 0
	for _, v := range readLines[row](t, "vectors-split", "dev", "event-hash-derived__all.jsonl") {
		if !isXML(v.File) || v.Hash == "" {
			continue
		}
		if _, seen := events[v.File]; !seen {
			b, err := os.ReadFile(testdata.Shared(t, filepath.FromSlash(v.File)))
			if err != nil {
				t.Fatal(err)
			}
			doc, problems := epcis.Parse(b, epcis.Limits{})
			if epcis.HasErrors(problems) {
				doc.Events = nil // their indexes are not those of the document
			}
			events[v.File] = doc.Events
		}
		switch list := events[v.File]; {
		case v.Event >= len(list):
		case list[v.Event].Hash() == v.Hash:
			same++
		default:
			others++
		}
	}
	if same != 88 || others != 29 {
		t.Errorf("%d are the same, %d are not", same, others)
	}
}

// Where two public implementations agree on the hash of an event that we accept, ours is the same.
func TestDerivedEventHashes(t *testing.T) {
	type row struct {
		File      string `json:"file"`
		Event     int    `json:"event"`
		Hash      string `json:"ralphtro_head"`
		PreHash   string `json:"ralphtro_prehash"`
		Consensus bool   `json:"consensus"`
	}
	documents := map[string]*epcis.Document{}
	same := 0
	for _, v := range readLines[row](t, "vectors-split", "dev", "event-hash-derived__all.jsonl") {
		if !v.Consensus || !isJSON(v.File) {
			continue
		}
		doc := documents[v.File]
		if doc == nil {
			b, err := os.ReadFile(testdata.Shared(t, filepath.FromSlash(v.File)))
			if err != nil {
				t.Fatal(err)
			}
			var problems []epcis.Problem
			doc, problems = epcis.Parse(b, epcis.Limits{})
			documents[v.File] = doc
			if epcis.HasErrors(problems) {
				doc.Events = nil // their indexes are not those of the document
			}
		}
		if len(doc.Events) == 0 {
			continue
		}
		e := doc.Events[v.Event]
		if e.Hash() == v.Hash {
			same++
			continue
		}
		t.Errorf("%s event %d:\n got %s\nwant %s", v.File, v.Event, e.PreHash(), v.PreHash)
	}
	if same == 0 {
		t.Error("no event was compared")
	}
}
