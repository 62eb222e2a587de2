package epcis_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
)

const head = `{"@context":["` + epcis.ContextURI + `",{"ex":"https://ns.example.com/epcis/"}],"type":"EPCISDocument",` +
	`"schemaVersion":"2.0","creationDate":"2026-04-20T08:30:00Z",`

// document wraps events, given as JSON, in a document.
func document(events ...string) string {
	return head + `"epcisBody":{"eventList":[` + strings.Join(events, ",") + `]}}`
}

const common = `"eventTime":"2026-04-20T08:30:00Z","eventTimeZoneOffset":"+00:00"`

// object is an ObjectEvent with further members.
func object(members string) string {
	return `{"type":"ObjectEvent",` + common + `,"action":"ADD","epcList":["urn:epc:id:sgtin:9521141.012345.1"]` + members + `}`
}

// found lists problems as "severity CODE pointer".
func found(problems []epcis.Problem) (all []string) {
	for _, p := range problems {
		all = append(all, fmt.Sprintf("%s %s %s", p.Severity, p.Code, p.Pointer))
	}
	slices.Sort(all)
	return all
}

func TestProblems(t *testing.T) {
	const list = "/epcisBody/eventList/0"
	tests := []struct {
		name, doc string
		want      []string
	}{
		{"good", document(object("")), nil},
		{"byte order mark", "\xef\xbb\xbf" + document(object("")), nil},
		{"no events", document(), nil},
		{"not JSON", `hello`, []string{"error JSON_SYNTAX "}},
		{"empty", ``, []string{"error DOCUMENT_TYPE "}},
		{"number", `7`, []string{"error DOCUMENT_TYPE "}},
		{"comment", head + "// no\n" + `"epcisBody":{"eventList":[]}}`, []string{"error JSON_SYNTAX "}},
		{"trailing comma", document(object("") + ","), []string{"error JSON_SYNTAX /epcisBody/eventList"}},
		{"duplicate", document(object(`,"action":"ADD"`)), []string{"error JSON_DUPLICATE " + list + "/action"}},
		{"not UTF-8", document(object(`,"ex:a":"` + "\xff" + `"`)), []string{"error JSON_ENCODING " + list + "/ex:a"}},
		{"more after the end", document() + "{}", []string{"error JSON_SYNTAX "}},
		{"no type", `{}`, []string{"error DOCUMENT_TYPE /type"}},
		{"XML's type", `{"type":"Other"}`, []string{"error DOCUMENT_TYPE /type"}},
		{"bare document", `{"type":"EPCISDocument"}`, []string{"error MISSING /@context", "error MISSING /creationDate",
			"error MISSING /epcisBody", "error MISSING /schemaVersion"}},
		{"schemaVersion", strings.Replace(document(), `"2.0"`, `"two"`, 1), []string{"error VALUE /schemaVersion"}},
		{"creationDate", strings.Replace(document(), "T08", " 08", 1), []string{"error TIME /creationDate"}},
		{"body", head + `"epcisBody":[]}`, []string{"error TYPE_MISMATCH /epcisBody"}},
		{"eventList", head + `"epcisBody":{"eventList":{}}}`, []string{"error TYPE_MISMATCH /epcisBody/eventList"}},
		{"context", `{"@context":7,"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-04-20T08:30:00Z","epcisBody":{"eventList":[]}}`,
			[]string{"error TYPE_MISMATCH /@context"}},
		{"query", `{"@context":"` + epcis.ContextURI + `","type":"EPCISQueryDocument","epcisBody":{"queryResults":{"resultsBody":{"eventList":[` +
			object("") + `]}}}}`, []string{"error MISSING /epcisBody/queryResults/queryName"}},
		{"event is text", document(`"x"`), []string{"error TYPE_MISMATCH " + list}},
		{"event without anything", document(`{}`), []string{"error MISSING " + list + "/type"}},
		{"unknown type", document(`{"type":"ex:Event",` + common + `}`), []string{"error EVENT_TYPE " + list + "/type"}},
		{"required", document(`{"type":"ObjectEvent"}`), []string{"error MISSING " + list + "/action", "error MISSING " + list + "/eventTime",
			"error MISSING " + list + "/eventTimeZoneOffset", "error NO_OBJECT " + list}},
		{"all forms wrong", document(object(`,"quantityList":[{"epcClass":7,"quantity":"1","uom":"KG/"}],"bizStep":[],"readPoint":"x",` +
			`"ilmd":1,"sensorElementList":[{"sensorReport":[{"type":"Temperature","value":true,"booleanValue":"no","time":"now"}]}]`)),
			[]string{"error TIME " + list + "/sensorElementList/0/sensorReport/0/time", "error TYPE_MISMATCH " + list + "/bizStep",
				"error TYPE_MISMATCH " + list + "/ilmd", "error TYPE_MISMATCH " + list + "/quantityList/0/epcClass",
				"error TYPE_MISMATCH " + list + "/quantityList/0/quantity", "error TYPE_MISMATCH " + list + "/readPoint",
				"error TYPE_MISMATCH " + list + "/sensorElementList/0/sensorReport/0/booleanValue",
				"error TYPE_MISMATCH " + list + "/sensorElementList/0/sensorReport/0/value",
				"error VALUE " + list + "/quantityList/0/uom"}},
		{"null and empty", document(object(`,"bizStep":null,"disposition":"","ex:a":null,"ex:b":""`)),
			[]string{"error TYPE_MISMATCH " + list + "/bizStep", "error VALUE " + list + "/disposition"}},
		{"null in extensions only", document(object(`,"ex:a":null,"ex:b":""`)), nil},
		{"number too long", document(object(`,"quantityList":[{"epcClass":"urn:x:y","quantity":12345678901234567890123}]`)),
			[]string{"error NUMBER_RANGE " + list + "/quantityList/0/quantity"}},
		{"extra in closed elements", document(object(`,"persistentDisposition":{"set":["active"],"ex:a":1},"sourceList":[{"type":"location","source":"urn:x:y","ex:a":1}]`)),
			[]string{"error UNEXPECTED " + list + "/persistentDisposition/ex:a", "error UNEXPECTED " + list + "/sourceList/0/ex:a"}},
		{"extra in a source", document(object(`,"sourceList":[{"type":"location","source":"urn:x:y","ex:a":1}]`)),
			[]string{"error UNEXPECTED " + list + "/sourceList/0/ex:a"}},
		{"words", document(object(`,"bizStep":"cooking","disposition":"urn:epcglobal:cbv:disp:active"`)),
			[]string{"error WORD " + list + "/disposition", "finding WORD " + list + "/bizStep"}},
		{"identifiers", document(strings.Replace(object(`,"readPoint":{"id":"urn:epc:id:sgln:9521141.1111111.0"}`), "urn:epc:id:sgtin:9521141.012345.1",
			`LOT 1","https://id.gs1.org/01/09521141012346/21/1`, 1)),
			[]string{"error URI " + list + "/epcList/0", "finding CHECK_DIGIT " + list + "/epcList/1", "finding GS1_IDENTIFIER " + list + "/readPoint/id"}},
		{"repeated", document(strings.Replace(object(""), `"urn:epc:id:sgtin:9521141.012345.1"`, `"urn:x:a","urn:x:b","urn:x:a"`, 1)),
			[]string{"error REPEATED " + list + "/epcList/2"}},
		{"ilmd of an observation", document(strings.Replace(object(`,"ilmd":{"ex:a":1}`), "ADD", "OBSERVE", 1)), []string{"error UNEXPECTED " + list + "/ilmd"}},
		{"another type's lists", document(object(`,"inputEPCList":["urn:x:a"],"parentID":"urn:x:b"`)),
			[]string{"error UNEXPECTED " + list + "/inputEPCList", "error UNEXPECTED " + list + "/parentID"}},
		{"names", document(object(`,"note":1,"other:x":2,"other:y":3`)),
			[]string{"finding PREFIX_UNKNOWN " + list + "/other:x", "finding UNEXPECTED " + list + "/note"}},
		{"aggregation", document(`{"type":"AggregationEvent",` + common + `,"action":"ADD","parentID":"urn:x:p"}`), []string{"error NO_OBJECT " + list}},
		{"association", document(`{"type":"AssociationEvent",` + common + `,"action":"DELETE"}`), []string{"error MISSING " + list + "/parentID"}},
		{"transaction", document(`{"type":"TransactionEvent",` + common + `,"action":"ADD","epcList":[]}`), []string{"error MISSING " + list + "/bizTransactionList"}},
		{"transformation", document(`{"type":"TransformationEvent",` + common + `,"inputEPCList":["urn:x:a"]}`), []string{"error NO_OBJECT " + list}},
		{"redefined term", strings.Replace(document(object("")), `{"ex":`, `{"action":"https://x.example/a","ex":`, 1), []string{"finding TERM_REDEFINED /@context"}},
		{"two events, each problem", document(object(`,"eventTime2":1`), `{"type":"ObjectEvent",`+common+`,"action":"MOVE","epcList":[]}`),
			[]string{"error VALUE /epcisBody/eventList/1/action", "finding UNEXPECTED " + list + "/eventTime2"}},
		{"deep", document(object(`,"ex:a":` + strings.Repeat(`{"ex:a":`, 40) + "1" + strings.Repeat("}", 40))), []string{"error DEPTH " + list}},
		{"empty persistent disposition", document(object(`,"persistentDisposition":{}`), object(`,"persistentDisposition":{"set":[ ]}`)),
			[]string{"error VALUE " + list + "/persistentDisposition", "error VALUE /epcisBody/eventList/1/persistentDisposition/set"}},
		{"long", document(object(`,"disposition":"urn:x:` + strings.Repeat("a", 3000) + `"`)), []string{"error LIMIT " + list + "/disposition"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, problems := epcis.Parse([]byte(test.doc), epcis.Limits{})
			if d := cmp.Diff(test.want, found(problems)); d != "" {
				t.Error(d)
			}
			checkPlaces(t, test.name, []byte(test.doc), problems)
		})
	}
}

// The offset of a problem is where the value begins.
func TestOffsets(t *testing.T) {
	doc := "\xef\xbb\xbf" + document(object(""), object(` , "bizStep" :  7, "readPoint":{"id":"x y"}`), `{"type":"ObjectEvent", "action": "MOVE",`+common+`}`)
	_, problems := epcis.Parse([]byte(doc), epcis.Limits{})
	want := map[string]string{"/epcisBody/eventList/1/bizStep": "7,", "/epcisBody/eventList/1/readPoint/id": `"x y"`,
		"/epcisBody/eventList/2/action": `"MOVE"`, "/epcisBody/eventList/2": `{"type"`}
	for _, p := range problems {
		if w := want[p.Pointer]; w == "" || !strings.HasPrefix(doc[p.Offset:], w) {
			t.Errorf("%v: at %.20q, want %q", p.Error(), doc[p.Offset:], w)
		}
		delete(want, p.Pointer)
	}
	if len(want) > 0 {
		t.Errorf("not reported: %v", want)
	}
}

func TestEventOutsideOfADocument(t *testing.T) {
	withContext := strings.Replace(object(`,"ex:a":1`), "{", `{"@context":[{"ex":"https://ns.example.com/epcis/"}],`, 1)
	for _, test := range []struct {
		doc    string
		events int
		want   []string
	}{
		{withContext, 1, nil},
		{"[" + withContext + "," + withContext + "]", 2, nil},
		{"[]", 0, nil},
		{object(""), 0, []string{"error MISSING /@context"}},
		{"[" + object("") + "]", 0, []string{"error MISSING /0/@context"}},
	} {
		doc, problems := epcis.Parse([]byte(test.doc), epcis.Limits{})
		if d := cmp.Diff(test.want, found(problems)); d != "" || len(doc.Events) != test.events {
			t.Errorf("%s: %d events: %s", test.doc, len(doc.Events), d)
		}
	}
}

// onlyReader hides that the source can be read again.
type onlyReader struct{ io.Reader }

func TestContextAfterTheEvents(t *testing.T) {
	doc := `{"type":"EPCISDocument","epcisBody":{"eventList":[` + object(`,"ex:a":"1"`) + `]},"schemaVersion":"2.0","creationDate":"2026-04-20T08:30:00Z",` +
		`"@context":["` + epcis.ContextURI + `",{"ex":"https://ns.example.com/epcis/"}]}`
	parsed, problems := epcis.Parse([]byte(doc), epcis.Limits{})
	if len(problems) > 0 || len(parsed.Events) != 1 {
		t.Fatalf("%v", problems)
	}
	if got := string(parsed.Events[0].Context); got != `{"ex":"https://ns.example.com/epcis/"}` {
		t.Errorf("context is %s", got)
	}
	r := epcis.NewReader(onlyReader{strings.NewReader(doc)}, epcis.Limits{})
	for {
		_, _, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := found(r.Problems()); !slices.Contains(got, "error CONTEXT_LATE /@context") {
		t.Errorf("problems are %v", got)
	}
}

func TestLimits(t *testing.T) {
	doc := document(object(""), object(""), object(""))
	for _, test := range []struct {
		limits epcis.Limits
		want   string
	}{
		{epcis.Limits{Events: 2}, "error LIMIT /epcisBody/eventList/2"},
		{epcis.Limits{EventBytes: 50}, "error LIMIT /epcisBody/eventList/0"},
		{epcis.Limits{DocumentBytes: 400}, "error LIMIT /epcisBody/eventList/1"},
	} {
		_, problems := epcis.Parse([]byte(doc), test.limits)
		if got := found(problems); !slices.Contains(got, test.want) {
			t.Errorf("%+v: %v, want %s", test.limits, got, test.want)
		}
	}
}

// A fault that is everywhere is not listed without end, and the list says so.
func TestManyProblems(t *testing.T) {
	_, problems := epcis.Parse([]byte(document(object(`,"childEPCs":[`+strings.Repeat("1,", 500)+`1]`), object(""))), epcis.Limits{})
	if n := len(problems); n < 100 || n > 110 || problems[100].Code != epcis.CodeLimit {
		t.Errorf("%d problems: %v", n, problems[len(problems)-1])
	}
}

// A reader never has more than an event in memory: the document here is larger than what it may keep.
func TestReaderStreams(t *testing.T) {
	const events = 20_000
	r := epcis.NewReader(io.MultiReader(strings.NewReader(head+`"epcisBody":{"eventList":[`),
		&repeated{part: []byte(object("") + ","), left: events - 1}, strings.NewReader(object("")+`]}}`)), epcis.Limits{})
	n := 0
	for {
		e, problems, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || e == nil || len(problems) > 0 {
			t.Fatal(err, problems)
		}
		n++
	}
	if n != events || len(r.Problems()) > 0 || r.Header.Type != "EPCISDocument" {
		t.Errorf("%d events, %v", n, r.Problems())
	}
}

type repeated struct {
	part []byte
	rest []byte
	left int
}

func (r *repeated) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.left == 0 {
			return 0, io.EOF
		}
		r.left--
		r.rest = r.part
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// An event keeps of its document what its extensions and its hash need, and nothing else.
func TestEventIsItselfOutsideOfItsDocument(t *testing.T) {
	doc := strings.Replace(document(object(`,"ex:kept":"1","repo:id":"7"`), object("")), head,
		strings.Replace(head, `{"ex":`, `{"unused":"https://unused.example/","repo":"https://repo.example/","ex":`, 1)+`"repo:ignoreFields":["repo:id"],`, 1)
	parsed, problems := epcis.Parse([]byte(doc), epcis.Limits{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	e := parsed.Events[0]
	if got, want := string(e.Context), `{"ex":"https://ns.example.com/epcis/","repo":"https://repo.example/"}`; got != want {
		t.Errorf("context is %s, want %s", got, want)
	}
	if !strings.HasSuffix(e.PreHash(), "{https://ns.example.com/epcis/}kept=1") {
		t.Errorf("the ignored field is hashed: %s", e.PreHash())
	}
	if plain := parsed.Events[1]; plain.Context != nil || plain.Ext != nil {
		t.Errorf("an event without extensions got %s %s", plain.Context, plain.Ext)
	}
	var out bytes.Buffer
	if err := epcis.Write(&out, parsed.Header, parsed.Events[:1]); err != nil {
		t.Fatal(err)
	}
	again, _ := epcis.Parse(out.Bytes(), epcis.Limits{})
	if again.Events[0].Hash() != e.Hash() {
		t.Errorf("hashes otherwise alone: %s", again.Events[0].PreHash())
	}
}
