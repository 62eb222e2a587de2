package epcis_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/testdata"
)

// Why a document in XML is judged otherwise than by GS1's XML schemas.
const (
	noEvents    = "a question, or an answer that is no query result: nothing to read"
	order       = "the order of elements says nothing"
	unqualified = "an element has a namespace of the standard where the schema wants none, or the other way round: it means the same"
	version     = "the schema was chosen by schemaVersion, and the namespace is that of the other version"
	noType      = "GS1's JSON schema wants a type in every sensor report, and an event that is accepted can be written in JSON"
	noList      = "the schema of 1.2 wants an empty epcList beside a quantityList"
	anyXSI      = "xsi:type says how to check a text, not what it says"
)

// divergences are the documents that we judge otherwise than GS1's schemas: docs/divergences.md, sections EPCIS JSON and EPCIS XML.
var divergences = map[string]string{
	"gs1-epcis/JSON-Schema/test/Extended-Event.json":                                                                                  "an event type of one's own says nothing that can be traced",
	"openepcis-test-resources/2.0/EPCIS/JSON/Query/Invalid/QueryDocument_with_invalid_eventType.json":                                 "the same; its folder says that it is invalid",
	"epcis12-fastnt/test/FasTnT.IntegrationTests/Requests/Capture/CaptureInvalidUri.xml":                                              "what names an object must be a URI",
	"epcis2-fastnt/tests/FasTnT.Host.Tests/Features/v1_2/Communication/Resources/CallbackRequests/ImplementationExceptionRequest.xml": noEvents,
	"epcis2-fastnt/tests/FasTnT.Host.Tests/Features/v1_2/Communication/Resources/CallbackRequests/QueryTooLargeRequest.xml":           noEvents,
	"openepcis-test-resources/2.0/EPCIS/XML/Query/Queries/SimpleEventQuery.xml":                                                       noEvents,
	"gs1-epcis/XML/WithSensorData/SensorDataExamples.xml":                                                                             noType,
	"openepcis-test-resources/2.0/EPCIS/XML/Capture/Documents/SensorData_with_combined_events.xml":                                    noType,
	"event-hash-ralphtro/tests/examples/SensorDataExamples.xml":                                                                       order,
	"event-hash-ralphtro/tests/examples/epcisXmlDocHavingEventWithIgnoreFields.xml":                                                   order,
	"event-hash-ralphtro/tests/examples/epcisQueryDocument.xml":                                                                       unqualified,
	"event-hash-ralphtro/tests/expected_equal/numberPrecision.xml":                                                                    version,
	"event-hash-ralphtro/tests/expected_equal/timestampPrecision.xml":                                                                 version,
	"event-hash-ralphtro/tests/expected_equal/timestampTimeZone.xml":                                                                  version,
	"event-hash-ralphtro/tests/expected_equal/timestampTimeZone2.xml":                                                                 version,
	"gdst-opentraceability/CSharp/OpenTraceability.Tests/Data/querydoc_fail_schemacheck.xml":                                          noList,
	"openepcis-test-resources/1.2/EPCIS/XML/Capture/Documents/AssociationEvent_all_possible_fields.xml":                               anyXSI,
	"openepcis-test-resources/1.2/EPCIS/XML/Capture/Documents/TransformationEvent_all_possible_fields.xml":                            anyXSI,
	"openepcis-test-resources/1.2/EPCIS/XML/Capture/Documents/Document_with_namespace.xml":                                            unqualified,
	"openepcis-test-resources/2.0/EPCIS/XML/Capture/Documents/Namespace_document.xml":                                                 unqualified,
	"openepcis-test-resources/1.2/EPCIS/XML/Capture/Documents/Jumbled_attributes_order.xml":                                           order,
	"openepcis-test-resources/2.0/EPCIS/XML/Capture/Documents/JumbledFieldsOrder.xml":                                                 order,
	"openepcis-test-resources/2.0/EPCIS/XML/Capture/Invalid/ObjectEvent_with_wrong_element_order.xml":                                 order,
}

func readLines[T any](t testing.TB, elem ...string) (rows []T) {
	t.Helper()
	f, err := os.Open(testdata.Shared(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 4<<20)
	for s.Scan() {
		var row T
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	if err := s.Err(); err != nil || len(rows) == 0 {
		t.Fatalf("no rows: %v", err)
	}
	return rows
}

func isJSON(name string) bool {
	return strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".jsonld")
}

func isXML(name string) bool { return strings.HasSuffix(name, ".xml") }

func TestVerdictOfEveryDocument(t *testing.T) {
	type row struct {
		File  string `json:"f"`
		Valid *bool  `json:"valid"`
	}
	documents := 0
	for _, row := range readLines[row](t, "validity.jsonl") {
		if !isJSON(row.File) && !isXML(row.File) {
			continue
		}
		documents++
		b, err := os.ReadFile(testdata.Shared(t, filepath.FromSlash(row.File)))
		if err != nil {
			t.Fatal(err)
		}
		doc, problems := epcis.Parse(b, epcis.Limits{})
		valid := !epcis.HasErrors(problems)
		checkPlaces(t, row.File, b, problems)
		why, listed := divergences[row.File]
		switch {
		case row.Valid == nil: // real documents whose version is none, so that no schema is theirs
			if !valid {
				t.Errorf("%s: %v", row.File, problems)
			}
		case listed && valid == *row.Valid:
			t.Errorf("%s: agrees with the schema now; remove it from the list (%s)", row.File, why)
		case !listed && valid != *row.Valid:
			t.Errorf("%s: valid is %v, want %v: %v", row.File, valid, *row.Valid, problems)
		}
		if valid {
			roundTrip(t, row.File, doc)
		}
	}
	t.Logf("%d documents", documents)
}

// Why a published document in XML and its twin in JSON are not the same events.
const (
	curie    = "the JSON has cbv:Comp-latitude, which is no word of JSON and hashed as it is"
	prefixed = "a value begins with a prefix, which means something in JSON only (published hashes)"
	unknown  = "the measurement type is no word of the vocabulary, so the JSON does not say whose word it is"
	cbvmda   = "the XML declares the prefix cbvmda and the JSON has it of the standard's context (published hashes)"
	content  = "they say different things"
	remote   = "the JSON has its prefixes of a context that is named by URI, and nothing is fetched"
)

// unequal are the events of published twins that are not the same: document, and reason by the number of the event.
var unequal = map[string]map[int]string{
	"openepcis-test-resources/2.0/EPCIS/XML/Capture/Documents/Combination_of_different_event":           {0: curie, 2: prefixed, 5: curie},
	"openepcis-test-resources/2.0/EPCIS/XML/Capture/Documents/SensorData_and_extension":                 {0: prefixed},
	"openepcis-test-resources/2.0/EPCIS/XML/Capture/Documents/SensorData_with_combined_events":          combined,
	"openepcis-test-resources/2.0/EPCIS/XML/Capture/Documents/TransformationEvent_with_sensorData":      {0: prefixed},
	"openepcis-test-resources/2.0/EPCIS/XML/Capture/Documents/TransformationEvent_with_userExtensions":  {0: prefixed + "; " + cbvmda},
	"openepcis-test-resources/2.0/EPCIS/XML/Query/Combination_of_different_event":                       {0: curie, 2: prefixed, 5: curie},
	"openepcis-test-resources/2.0/EPCIS/XML/Query/SensorData_with_combined_events":                      combined,
	"openepcis-test-resources/2.0/EPCIS/XML/Query/queryDocument":                                        {0: content},
	"gs1-epcis/XML/WithFullCombinationOfFields/association_event_all_possible_fields":                   {0: content},
	"gs1-epcis/XML/WithFullCombinationOfFields/transaction_event_all_possible_fields":                   {0: content},
	"gs1-epcis/XML/WithFullCombinationOfFields/transformation_event_all_possible_fields":                {0: content},
	"gdst-opentraceability/CSharp/OpenTraceability.Tests/Data/association_event_all_possible_fields":    {0: content},
	"gdst-opentraceability/CSharp/OpenTraceability.Tests/Data/transformation_event_all_possible_fields": {0: content},
	"openepcis-converter/extensions/src/test/resources/2. GS1_Eg_EPCIS_Document":                        {0: remote},
}

var combined = map[int]string{5: prefixed, 6: prefixed, 7: prefixed, 8: prefixed, 9: unknown, 10: prefixed + "; " + cbvmda, 11: curie}

// checkPlaces checks that every problem has a code, a sentence and a place that is in the document.
func checkPlaces(t *testing.T, name string, b []byte, problems []epcis.Problem) {
	t.Helper()
	checkPlacesBefore(t, name, int64(len(b)), problems)
}

func checkPlacesBefore(t *testing.T, name string, end int64, problems []epcis.Problem) {
	t.Helper()
	for _, p := range problems {
		if p.Code == "" || !strings.HasSuffix(p.Message, ".") || p.Offset < 0 || p.Offset > end ||
			p.Pointer != "" && p.Pointer[0] != '/' {
			t.Errorf("%s: problem without code, sentence or place: %+v", name, p)
		}
	}
}

// The published documents that are there in both formats are the same events, but for what is listed. (Some others have a name in common by chance, and say
// different things.)
func TestPublishedTwins(t *testing.T) {
	same := 0
	for _, in := range [][2]string{
		{"openepcis-test-resources/2.0/EPCIS/XML/Capture/Documents", "openepcis-test-resources/2.0/EPCIS/JSON/Capture/Documents"},
		{"openepcis-test-resources/2.0/EPCIS/XML/Query", "openepcis-test-resources/2.0/EPCIS/JSON/Query"},
		{"event-hash-ralphtro/tests/examples", "event-hash-ralphtro/tests/examples"},
		{"gs1-epcis/XML/WithFullCombinationOfFields", "gs1-epcis/JSON/WithFullCombinationOfFields"},
		{"gdst-opentraceability/CSharp/OpenTraceability.Tests/Data", "gdst-opentraceability/CSharp/OpenTraceability.Tests/Data"},
		{"openepcis-converter/extensions/src/test/resources", "openepcis-converter/extensions/src/test/resources"},
	} {
		files, err := filepath.Glob(filepath.Join(testdata.Shared(t, filepath.FromSlash(in[0])), "*.xml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".xml")
			jsons, err := filepath.Glob(filepath.Join(testdata.Shared(t, filepath.FromSlash(in[1])), name+".json*"))
			if err != nil || len(jsons) == 0 {
				continue
			}
			a, b := parseFile(t, file), parseFile(t, jsons[0])
			if len(a) != len(b) {
				t.Errorf("%s: %d events in XML, %d in JSON", name, len(a), len(b))
				continue
			}
			for i := range a {
				why, listed := unequal[in[0]+"/"+name][i]
				switch equal := a[i].Hash() == b[i].Hash(); {
				case equal && listed:
					t.Errorf("%s event %d: is the same now; remove it from the list (%s)", name, i, why)
				case !equal && !listed:
					t.Errorf("%s event %d:\n XML %s\nJSON %s", name, i, a[i].PreHash(), b[i].PreHash())
				case equal:
					same++
				}
			}
		}
	}
	t.Logf("%d events are the same", same)
}

func parseFile(t *testing.T, path string) []*event.Event {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, _ := epcis.Parse(b, epcis.Limits{})
	return doc.Events
}

// roundTrip writes a document in every form and compares what is read from that. Events in XML are compared by TestXMLWriterOnEveryDocument.
func roundTrip(t *testing.T, name string, doc *epcis.Document) {
	t.Helper()
	for _, typ := range []string{"EPCISDocument", "EPCISQueryDocument"} {
		for format := range writers {
			out := written(t, format, typ, doc)
			again, problems := epcis.Parse(out, epcis.Limits{})
			if epcis.HasErrors(problems) {
				t.Fatalf("%s as %s in %s: %v\n%s", name, typ, format, problems, out)
			}
			if d := cmp.Diff(doc.MasterData, again.MasterData); d != "" {
				t.Fatalf("%s as %s in %s: master data differ:\n%s", name, typ, format, d)
			}
			if format == "JSON" {
				sameEvents(t, name+" as "+typ, doc.Events, again.Events)
			}
		}
	}
}

func sameEvents(t *testing.T, name string, want, got []*event.Event) {
	t.Helper()
	if d := diffEvents(want, got); d != "" {
		t.Fatalf("%s: events differ:\n%s", name, d)
	}
	for i, e := range want {
		if e.Hash() != got[i].Hash() {
			t.Fatalf("%s: event %d hashes otherwise:\n%s\n%s", name, i, e.PreHash(), got[i].PreHash())
		}
	}
}

// diffEvents compares what events are when written, which is quick, and says how they differ as values.
func diffEvents(want, got []*event.Event) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d events, want %d", len(got), len(want))
	}
	for i := range want {
		a, err := event.Marshal(want[i])
		b, err2 := event.Marshal(got[i])
		if err != nil || err2 != nil || !bytes.Equal(a, b) {
			return fmt.Sprintf("event %d: %v %v\n%s", i, err, err2, cmp.Diff(want[i], got[i], cmpopts.IgnoreUnexported(event.Event{})))
		}
	}
	return ""
}

// Every JSON or XML file there is, of whatever kind, is read without a panic, and what is refused has a place.
func TestEveryFile(t *testing.T) {
	root := testdata.Shared(t)
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isJSON(path) && !isXML(path) {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		doc, problems := epcis.Parse(b, epcis.Limits{})
		if !epcis.HasErrors(problems) && len(doc.Events) == 0 && doc.Type == "" {
			return errors.New(path + ": neither events nor a problem")
		}
		checkPlaces(t, path, b, problems)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files", files)
}
