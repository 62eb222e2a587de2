package epcis_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// samples have every member of the standard between them.
var samples = []string{
	document(object(`,"ex:a":{"ex:b":[1.50,"x",null]},"ilmd":{"cbvmda:lotNumber":"007","ex:c":{"d":"e"}},"certificationInfo":"urn:x:cert"`)),
	document(object(`,"quantityList":[{"epcClass":"urn:x:y","quantity":1.250E1,"uom":"KGM"}],"persistentDisposition":{"set":["active"],"unset":["recalled"]},` +
		`"eventID":"urn:x:e","recordTime":"2026-04-20T08:30:00.1234567+00:00","sourceList":[{"type":"location","source":"urn:x:s"}],"destinationList":[{"type":"owning_party","destination":"urn:x:d"}]`)),
	document(`{"type":"TransformationEvent",` + common + `,"inputEPCList":["urn:x:a"],"inputQuantityList":[{"epcClass":"urn:x:q"}],"outputEPCList":["urn:x:b"],` +
		`"outputQuantityList":[{"epcClass":"urn:x:r","quantity":3}],"transformationID":"urn:x:t","bizStep":"commissioning","disposition":"active",` +
		`"sensorElementList":[{"sensorMetadata":{"time":"2026-04-20T08:30:00Z","startTime":"2026-04-20T08:30:00Z","endTime":"2026-04-20T08:30:00Z","deviceID":"urn:x:1",` +
		`"deviceMetadata":"urn:x:1","rawData":"urn:x:1","dataProcessingMethod":"urn:x:1","bizRules":"urn:x:1","ex:m":1},"sensorReport":[{"type":"Temperature","value":-1e-3,` +
		`"stringValue":"","booleanValue":false,"time":"2026-04-20T08:30:00Z","exception":"ALARM_CONDITION","component":"x","hexBinaryValue":"fF","uriValue":"urn:x:y","minValue":1,` +
		`"maxValue":2,"meanValue":1.5,"sDev":0.1,"percRank":50,"percValue":12.7,"uom":"CEL","coordinateReferenceSystem":"urn:x:c","microorganism":"urn:x:o",` +
		`"chemicalSubstance":"urn:x:c","bizRules":"urn:x:r","ex:r":[]}],"ex:s":true}]}`),
	document(`{"type":"AggregationEvent",`+common+`,"action":"DELETE","parentID":"urn:x:p","errorDeclaration":{"declarationTime":"2026-04-20T24:00:00+14:00",`+
		`"reason":"did_not_occur","correctiveEventIDs":["urn:x:z"],"ex:e":1}}`, `{"type":"AssociationEvent",`+common+`,"action":"ADD","parentID":"urn:x:p",`+
		`"childEPCs":["urn:x:c"],"childQuantityList":[{"epcClass":"urn:x:y"}],"readPoint":{"id":"urn:x:r","ex:p":"geo:1,2"},"bizLocation":{"id":"urn:x:l"}}`),
	document(`{"@context":[{"own":"https://own.example/"}],"type":"TransactionEvent",` + common + `,"action":"ADD","epcList":[],"bizTransactionList":[{"type":"po","bizTransaction":"urn:x:t"}],"own:a":"own:b"}`),
	`{"@context":{"ex":"urn:x:"},` + object("")[1:],
	head + `"ex:ignoreFields":["ex:i"],"epcisHeader":{"epcisMasterData":{"vocabularyList":[{"type":"urn:epcglobal:epcis:vtype:Location","vocabularyElementList":` +
		`[{"id":"urn:epc:id:sgln:9521141.11111.0","attributes":[{"id":"urn:epcglobal:cbv:mda#name","attribute":"Farm"},{"id":"urn:x:y","attribute":{"a":1}},` +
		`{"id":"urn:epcglobal:cbv:mda#city","attribute":"Shouguang"},{"id":"urn:x:latitude","attribute":36.85}],"children":["urn:x:c"]}]},` +
		`{"type":"urn:epcglobal:epcis:vtype:EPCClass","vocabularyElementList":[{"id":"urn:epc:idpat:sgtin:9521141.012345.*","attributes":[{"id":"urn:epcglobal:cbv:mda#descriptionShort","attribute":"Spinach"}]}]}]}},` +
		`"epcisBody":{"eventList":[` + object(`,"ex:i":1,"ex:j":2`) + `]}}`,
}

// FuzzParse: no panic; every problem has a place; what is accepted is read the same after it was written.
func FuzzParse(f *testing.F) {
	for _, s := range samples {
		f.Add([]byte(s))
	}
	f.Add([]byte(`{"a":[[[[[`))
	f.Fuzz(checkParse)
}

func checkParse(t *testing.T, b []byte) {
	doc, problems := epcis.Parse(b, epcis.Limits{})
	checkPlacesBefore(t, string(b), 2*int64(len(b)), problems) // UTF-8 is at most twice as long as the encodings that are read
	if len(doc.Events) == 0 && doc.MasterData == nil {
		return
	}
	h := epcis.Header{CreationDate: event.Time{Time: time.Date(2026, 4, 20, 8, 30, 0, 0, time.UTC)}, MasterData: doc.MasterData}
	var out bytes.Buffer
	if err := epcis.Write(&out, h, doc.Events); err != nil {
		t.Fatal(err)
	}
	again, problems := epcis.Parse(out.Bytes(), epcis.Limits{})
	if d := diffEvents(doc.Events, again.Events); d != "" {
		t.Fatalf("%s\n%v\n%s\n%s", d, problems, b, out.Bytes())
	}
	if d := cmp.Diff(doc.MasterData, again.MasterData); d != "" {
		t.Fatalf("master data differ:\n%s\n%s", d, b)
	}
	for i, e := range doc.Events {
		if e.Hash() != again.Events[i].Hash() {
			t.Fatalf("hash differs:\n%s\n%s", e.PreHash(), again.Events[i].PreHash())
		}
	}
}

// FuzzXML: no panic; every problem has a place; what is accepted is read the same after it was written.
func FuzzXML(f *testing.F) {
	for _, twin := range twins {
		f.Add([]byte(xmlDocument(twin.xml, twin.old)))
	}
	f.Add([]byte(strings.Replace(xmlDocument(), "<EPCISBody>", "<EPCISHeader><extension><EPCISMasterData>"+xmlVocabularies+"</EPCISMasterData></extension></EPCISHeader><EPCISBody>", 1)))
	f.Add([]byte(`<m:EPCISMasterDataDocument xmlns:m="urn:epcglobal:epcis-masterdata:xsd:1"><EPCISBody>` +
		strings.ReplaceAll(xmlVocabularies, "vtype", "other") + `</EPCISBody></m:EPCISMasterDataDocument>`))
	f.Add([]byte(xmlHead + `<ex:ignoreFields><ex:i/></ex:ignoreFields><EPCISBody><EventList>` + xmlObject(`<ex:i>1</ex:i>`) + `</EventList></EPCISBody>` + xmlTail))
	f.Add([]byte(envelope(results)))
	f.Add([]byte(envelope(xmlDocument(xmlObject("<quantityList><quantityElement><epcClass>urn:x:c</epcClass><ex:a/></quantityElement></quantityList>")))))
	f.Add([]byte("\xff\xfe<\x00a\x00>\x00"))
	f.Add([]byte(`<?xml version="1.0" encoding="GBK"?>` + xmlDocument(xmlObject("<ex:a>\xb2\xa4\xb2\xcb</ex:a>"))))
	f.Add([]byte(`<!DOCTYPE a>` + xmlDocument(xmlObject(`<a xmlns="urn:b" c="d">e<f>&#x83dc;</f></a>`))))
	f.Fuzz(func(t *testing.T, b []byte) {
		if epcis.Sniff(b) != epcis.XML {
			return
		}
		checkParse(t, b)
		doc, _ := epcis.Parse(b, epcis.Limits{})
		for i, e := range writeXML(t, string(b), epcis.Header{CreationDate: event.Time{Time: time.Date(2026, 4, 20, 8, 30, 0, 0, time.UTC)}}, doc.Events) {
			if e != nil && e.Hash() != doc.Events[i].Hash() {
				t.Fatalf("hash differs in XML:\n%s\n%s", e.PreHash(), doc.Events[i].PreHash())
			}
		}
	})
}

// encodingNames are those that a document may declare, and some that it may not.
var encodingNames = []string{"UTF-8", "utf8", "US-ASCII", "UTF-16", "UTF-16LE", "UTF-16BE", "GB18030", "GBK", "GB2312", "cp936", "Big5", "ISO-8859-1", "latin1", "ISO-8859-15",
	"Windows-1252", "cp1252", "UTF-7", "UTF-32", ""}

// FuzzEncodings: whatever bytes are in a document of whatever declared encoding, what is read is UTF-8, or the problem has a place.
func FuzzEncodings(f *testing.F) {
	for i := range encodingNames {
		f.Add(i, "", []byte("\xb2\xa4\xb2\xcb"))
		f.Add(i, "\ufeff", []byte("菠菜 &#x83dc; &#xd83d;"))
	}
	f.Add(1, "\xff\xfe", []byte("\x00\xd8"))
	f.Fuzz(func(t *testing.T, name int, before string, text []byte) {
		declared := encodingNames[uint(name)%uint(len(encodingNames))]
		b := slices.Concat([]byte(before+`<?xml version="1.0" encoding="`+declared+`"?>`), []byte(xmlDocument(xmlObject("<ex:a>TEXT</ex:a>"))))
		b = bytes.Replace(b, []byte("TEXT"), text, 1)
		doc, problems := epcis.Parse(b, epcis.Limits{})
		checkPlacesBefore(t, string(b), 2*int64(len(b)), problems)
		for _, e := range doc.Events {
			if !utf8.Valid(e.Ext) || bytes.Contains(e.Ext, []byte("\ufffd")) && !bytes.Contains(text, []byte("\ufffd")) && !bytes.Contains(text, []byte("&#")) {
				t.Fatalf("%q was read as %q", b, e.Ext)
			}
		}
		checkParse(t, b)
	})
}

// FuzzMutated makes well-formed but wrong documents of the samples: a few values replaced, removed, or moved.
func FuzzMutated(f *testing.F) {
	for seed := range uint64(500) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		dec := json.NewDecoder(bytes.NewReader([]byte(samples[r.IntN(len(samples))])))
		dec.UseNumber()
		var tree any
		if err := dec.Decode(&tree); err != nil {
			t.Fatal(err)
		}
		for range 1 + r.IntN(3) {
			tree = mutate(r, tree)
		}
		b, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		checkParse(t, b)
	})
}

var odd = strings.Split(`null|""|"x"|"urn:x:y"|"2026-04-20T08:30:00Z"|"ex:a"|0|-1.5|1e30|0.10|true|false|[]|{}|[null]|["urn:x:y","urn:x:y"]|{"ex:a":1}|`+
	`{"a":[1,"b"]}|"ä~/\"\\\u0001"|"https://id.gs1.org/01/09521141012345/10/A"`, "|")

func oddValue(r *rand.Rand) json.RawMessage { return json.RawMessage(odd[r.IntN(len(odd))]) }

// mutate changes one value somewhere in the tree.
func mutate(r *rand.Rand, tree any) any {
	switch v := tree.(type) {
	case map[string]any:
		if len(v) == 0 {
			break
		}
		key := slices.Sorted(maps.Keys(v))[r.IntN(len(v))]
		switch r.IntN(12) {
		case 0:
			delete(v, key)
		case 1:
			v[[]string{"ex:new", "new", "parentID", "type", "@context", "a/b~c"}[r.IntN(6)]] = oddValue(r)
		case 2:
			v[key] = oddValue(r)
		default:
			v[key] = mutate(r, v[key])
		}
		return v
	case []any:
		if len(v) == 0 {
			break
		}
		i := r.IntN(len(v))
		if r.IntN(6) == 0 {
			return append(v, v[i])
		}
		v[i] = mutate(r, v[i])
		return v
	}
	return oddValue(r)
}
