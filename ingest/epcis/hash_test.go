package epcis_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

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
			events[v.File] = everyEvent(t, v.File)
		}
		switch list := events[v.File]; {
		case v.Event >= len(list) || list[v.Event] == nil:
		case list[v.Event].Hash() == v.Hash:
			same++
		default:
			others++
		}
	}
	if same != 116 || others != 39 {
		t.Errorf("%d are the same, %d are not", same, others)
	}
}

// refusedHashes are the events that we refuse of those on whose hash two public implementations agree.
var refusedHashes = map[string]int{
	"openepcis-test-resources/2.0/EPCIS/JSON/Capture/Invalid/Combination_of_events_with_missing_mandatory_fields.json": 2,
	"openepcis-test-resources/2.0/EPCIS/JSON/Capture/Invalid/ObjectEvent_without_identifier_list.json":                 1,
	"openepcis-test-resources/2.0/EPCIS/JSON/Query/Invalid/QueryDocument_with_invalid_eventType.json":                  1,
}

// Where two public implementations agree on the hash of an event, ours is the same: as it was published in JSON, and written in XML and read again,
// but for names that only JSON's standard context declares (docs/divergences.md, EPCIS XML).
func TestDerivedEventHashes(t *testing.T) {
	type row struct {
		File      string `json:"file"`
		Event     int    `json:"event"`
		Hash      string `json:"ralphtro_head"`
		PreHash   string `json:"ralphtro_prehash"`
		Consensus bool   `json:"consensus"`
	}
	documents := map[string][]*event.Event{}
	same, inXML, refused := 0, 0, map[string]int{}
	for _, v := range readLines[row](t, "vectors-split", "dev", "event-hash-derived__all.jsonl") {
		if !v.Consensus {
			continue
		}
		list, read := documents[v.File]
		if !read {
			list = everyEvent(t, v.File)
			documents[v.File] = list
		}
		if v.Event >= len(list) || list[v.Event] == nil {
			refused[v.File]++
			continue
		}
		e := list[v.Event]
		if e.Hash() != v.Hash {
			t.Errorf("%s event %d:\n got %s\nwant %s", v.File, v.Event, e.PreHash(), v.PreHash)
			continue
		}
		same++
		again := writeXML(t, v.File, epcis.Header{CreationDate: e.Time}, []*event.Event{e})[0]
		switch {
		case again != nil && again.Hash() == v.Hash:
			inXML++
		case again != nil && !builtinPrefix.MatchString(v.PreHash):
			t.Errorf("%s event %d in XML:\n got %s\nwant %s", v.File, v.Event, again.PreHash(), v.PreHash)
		}
	}
	if d := cmp.Diff(refusedHashes, refused); d != "" || same != 74 {
		t.Errorf("%d are the same; refused: %s", same, d)
	}
	t.Logf("%d are the same, %d of these in XML too", same, inXML)
}

// everyEvent is every event of a document by its number there; one that is refused is nil.
func everyEvent(t *testing.T, file string) (all []*event.Event) {
	t.Helper()
	b, err := os.ReadFile(testdata.Shared(t, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	for r := epcis.NewReader(bytes.NewReader(b), epcis.Limits{}); ; {
		e, _, err := r.Next()
		if err != nil {
			return all
		}
		all = append(all, e)
	}
}
