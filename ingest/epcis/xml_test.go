package epcis_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

const (
	xmlHead = `<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" xmlns:ex="https://ns.example.com/epcis/" ` +
		`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" schemaVersion="2.0" creationDate="2026-04-20T08:30:00Z">`
	xmlTail = `</epcis:EPCISDocument>`
	when    = `<eventTime>2026-04-20T08:30:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>`
	body    = "/epcis:EPCISDocument/EPCISBody"
	events  = body + "/EventList"
)

// xmlDocument wraps events in a document.
func xmlDocument(events ...string) string {
	return xmlHead + "<EPCISBody><EventList>" + strings.Join(events, "\n") + "</EventList></EPCISBody>" + xmlTail
}

// xmlObject is an ObjectEvent with further elements.
func xmlObject(elements string) string {
	return "<ObjectEvent>" + when + "<epcList><epc>urn:epc:id:sgtin:9521141.012345.1</epc></epcList><action>ADD</action>" + elements + "</ObjectEvent>"
}

// results are query results as a web service answers them, without a document around them.
var results = `<q:QueryResults xmlns:q="urn:epcglobal:epcis-query:xsd:1"><queryName>all</queryName><resultsBody><EventList>` + xmlObject("") +
	`</EventList></resultsBody></q:QueryResults>`

func envelope(body string) string {
	return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><own>1</own></s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
}

// twins are events in JSON, in XML of EPCIS 2.0, and where it could say as much in XML of EPCIS 1.x.
var twins = []struct{ name, json, xml, old string }{
	{"object",
		object(`,"bizStep":"shipping","disposition":"in_transit","eventID":"urn:x:e","recordTime":"2026-04-20T08:31:00Z","certificationInfo":"urn:x:cert",` +
			`"readPoint":{"id":"urn:epc:id:sgln:9521141.11111.0","ex:gate":"3"},"bizLocation":{"id":"geo:1,2"},` +
			`"bizTransactionList":[{"type":"po","bizTransaction":"urn:x:1"},{"bizTransaction":"urn:x:2"}],` +
			`"quantityList":[{"epcClass":"urn:x:c","quantity":10.50,"uom":"KGM"},{"epcClass":"urn:x:d","quantity":0.5},{"epcClass":"urn:x:e"}],` +
			`"sourceList":[{"type":"location","source":"urn:x:s"}],"destinationList":[{"type":"owning_party","destination":"urn:x:t"}],` +
			`"persistentDisposition":{"set":["active","recalled"],"unset":["expired"]},` +
			`"ilmd":{"ex:lot":"007","ex:part":["1","2"],"ex:weight":{"unit":"KGM","#text":"3.5"},"ex:box":{"ex:a":"x","ex:b":{"ex:c":""}}},` +
			`"ex:carrier":"Road & Sons","ex:note":["a","b","c"]`),
		xmlObject(`<bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep><disposition> https://ref.gs1.org/cbv/Disp-in_transit </disposition>` +
			`<eventID>urn:x:e</eventID><recordTime>2026-04-20T08:31:00Z</recordTime><certificationInfo>urn:x:cert</certificationInfo>` +
			`<readPoint><id>urn:epc:id:sgln:9521141.11111.0</id><ex:gate>3</ex:gate></readPoint><bizLocation><id>geo:1,2</id></bizLocation>` +
			`<bizTransactionList><bizTransaction type="urn:epcglobal:cbv:btt:po">urn:x:1</bizTransaction><bizTransaction>urn:x:2</bizTransaction></bizTransactionList>` +
			`<quantityList><quantityElement><epcClass>urn:x:c</epcClass><quantity>+010.50</quantity><uom>KGM</uom></quantityElement>` +
			`<quantityElement><epcClass>urn:x:d</epcClass><quantity>.5</quantity></quantityElement>` +
			`<quantityElement><epcClass>urn:x:e</epcClass><quantity xsi:nil="true"/></quantityElement></quantityList>` +
			`<sourceList><source type="urn:epcglobal:cbv:sdt:location">urn:x:s</source></sourceList>` +
			`<destinationList><destination type="urn:epcglobal:cbv:sdt:owning_party">urn:x:t</destination></destinationList>` +
			`<persistentDisposition><unset>urn:epcglobal:cbv:disp:expired</unset><set>urn:epcglobal:cbv:disp:active</set>` +
			`<set>urn:epcglobal:cbv:disp:recalled</set></persistentDisposition>` +
			`<ilmd><ex:lot xsi:type="xsd:string">007</ex:lot><ex:part>1</ex:part><ex:part>2</ex:part><ex:weight unit="KGM">3.5</ex:weight>` +
			`<ex:box><ex:a>x</ex:a><ex:b><ex:c/></ex:b></ex:box></ilmd>` +
			`<ex:carrier>Road &amp; <![CDATA[Sons]]></ex:carrier><ex:note>a</ex:note><!-- between --><ex:note>b</ex:note><ex:note>c</ex:note>`), ""},
	{"object of EPCIS 1.2",
		object(`,"eventID":"urn:x:e","bizStep":"shipping","errorDeclaration":{"declarationTime":"2026-04-21T08:30:00Z","reason":"incorrect_data",` +
			`"correctiveEventIDs":["urn:x:f"],"ex:by":"me"},"quantityList":[{"epcClass":"urn:x:c","quantity":2}],` +
			`"sourceList":[{"type":"location","source":"urn:x:s"}],"ilmd":{"ex:lot":"007","ex:grade":"A"},"ex:a":"1"`),
		xmlObject(`<eventID>urn:x:e</eventID><errorDeclaration><declarationTime>2026-04-21T08:30:00Z</declarationTime>` +
			`<reason>urn:epcglobal:cbv:er:incorrect_data</reason><correctiveEventIDs><correctiveEventID>urn:x:f</correctiveEventID></correctiveEventIDs>` +
			`<ex:by>me</ex:by></errorDeclaration><bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep>` +
			`<quantityList><quantityElement><epcClass>urn:x:c</epcClass><quantity>2</quantity></quantityElement></quantityList>` +
			`<sourceList><source type="urn:epcglobal:cbv:sdt:location">urn:x:s</source></sourceList><ilmd><ex:lot>007</ex:lot><ex:grade>A</ex:grade></ilmd><ex:a>1</ex:a>`),
		xmlObject(`<baseExtension><eventID>urn:x:e</eventID><errorDeclaration><declarationTime>2026-04-21T08:30:00Z</declarationTime>` +
			`<reason>urn:epcglobal:cbv:er:incorrect_data</reason><correctiveEventIDs><correctiveEventID>urn:x:f</correctiveEventID></correctiveEventIDs>` +
			`<extension><ex:by>me</ex:by></extension></errorDeclaration></baseExtension><bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep>` +
			`<extension><quantityList><quantityElement><epcClass>urn:x:c</epcClass><quantity>2</quantity></quantityElement></quantityList>` +
			`<extension><sourceList><source type="urn:epcglobal:cbv:sdt:location">urn:x:s</source></sourceList></extension>` +
			`<ilmd><extension><ex:lot>007</ex:lot></extension><ex:grade>A</ex:grade></ilmd></extension><ex:a>1</ex:a>`)},
	{"aggregation",
		`{"type":"AggregationEvent",` + common + `,"action":"DELETE","parentID":"urn:x:p","childEPCs":[],"childQuantityList":[{"epcClass":"urn:x:c","quantity":7}]}`,
		`<AggregationEvent>` + when + `<parentID>urn:x:p</parentID><childEPCs/><action>DELETE</action>` +
			`<childQuantityList><quantityElement><epcClass>urn:x:c</epcClass><quantity>7</quantity></quantityElement></childQuantityList></AggregationEvent>`,
		`<AggregationEvent>` + when + `<parentID>urn:x:p</parentID><childEPCs/><action>DELETE</action>` +
			`<extension><childQuantityList><quantityElement><epcClass>urn:x:c</epcClass><quantity>7</quantity></quantityElement></childQuantityList></extension></AggregationEvent>`},
	{"transaction",
		`{"type":"TransactionEvent",` + common + `,"action":"ADD","epcList":["urn:x:a"],"bizTransactionList":[{"bizTransaction":"urn:x:1"}]}`,
		`<TransactionEvent>` + when + `<bizTransactionList><bizTransaction>urn:x:1</bizTransaction></bizTransactionList>` +
			`<epcList><epc>urn:x:a</epc></epcList><action>ADD</action></TransactionEvent>`, ""},
	{"transformation with sensors",
		`{"type":"TransformationEvent",` + common + `,"inputEPCList":["urn:x:a"],"outputQuantityList":[{"epcClass":"urn:x:b","quantity":1}],"transformationID":"urn:x:t",` +
			`"sensorElementList":[{"sensorMetadata":{"time":"2026-04-20T08:30:00Z","deviceID":"urn:x:1","ex:m":"x"},"sensorReport":[{"type":"Temperature","value":-1.5e1,` +
			`"uom":"CEL","booleanValue":true,"stringValue":"","component":"x","ex:r":"y"},{"type":"gs1:Own","exception":"ALARM_CONDITION","hexBinaryValue":"f0","time":"2026-04-20T08:30:00Z"}],` +
			`"ex:s":{"ex:t":"1"}}]}`,
		`<TransformationEvent>` + when + `<inputEPCList><epc>urn:x:a</epc></inputEPCList>` +
			`<outputQuantityList><quantityElement><epcClass>urn:x:b</epcClass><quantity>1</quantity></quantityElement></outputQuantityList>` +
			`<transformationID>urn:x:t</transformationID><sensorElementList><sensorElement>` +
			`<sensorMetadata time="2026-04-20T08:30:00Z" deviceID="urn:x:1" ex:m="x"/>` +
			`<sensorReport type="gs1:Temperature" value="-1.5E+1" uom="CEL" booleanValue="1" stringValue="" component="cbv:Comp-x" ex:r="y"/>` +
			`<sensorReport type="gs1:Own" exception="gs1:ALARM_CONDITION" hexBinaryValue="f0" time="2026-04-20T08:30:00Z"/>` +
			`<ex:s><ex:t>1</ex:t></ex:s></sensorElement></sensorElementList></TransformationEvent>`,
		`<extension><TransformationEvent>` + when + `<inputEPCList><epc>urn:x:a</epc></inputEPCList>` +
			`<outputQuantityList><quantityElement><epcClass>urn:x:b</epcClass><quantity>1</quantity></quantityElement></outputQuantityList>` +
			`<transformationID>urn:x:t</transformationID><extension><sensorElementList><sensorElement>` +
			`<sensorMetadata time="2026-04-20T08:30:00Z" deviceID="urn:x:1" ex:m="x"/>` +
			`<sensorReport type="https://gs1.org/voc/Temperature" value="-1.5E+1" uom="CEL" booleanValue="true" stringValue="" component="x" ex:r="y"/>` +
			`<sensorReport type="gs1:Own" exception="gs1:ALARM_CONDITION" hexBinaryValue="f0" time="2026-04-20T08:30:00Z"/>` +
			`<extension><ex:s><ex:t>1</ex:t></ex:s></extension></sensorElement></sensorElementList></extension></TransformationEvent></extension>`},
	{"association",
		`{"type":"AssociationEvent",` + common + `,"action":"ADD","parentID":"urn:x:p","childEPCs":["urn:x:c"]}`,
		`<AssociationEvent>` + when + `<parentID>urn:x:p</parentID><childEPCs><epc>urn:x:c</epc></childEPCs><action>ADD</action></AssociationEvent>`,
		`<extension><extension><AssociationEvent>` + when + `<parentID>urn:x:p</parentID><childEPCs><epc>urn:x:c</epc></childEPCs><action>ADD</action>` +
			`</AssociationEvent></extension></extension>`},
	{"quantity event",
		`{"type":"ObjectEvent",` + common + `,"action":"OBSERVE","epcList":[],"bizStep":"stock_taking","quantityList":[{"epcClass":"urn:x:c","quantity":200}]}`, "",
		`<QuantityEvent>` + when + `<epcClass>urn:x:c</epcClass><quantity>200</quantity><bizStep>urn:epcglobal:cbv:bizstep:stock_taking</bizStep></QuantityEvent>`},
}

// An event is the same in JSON and in XML of any version.
func TestTwins(t *testing.T) {
	for _, twin := range twins {
		want, problems := epcis.Parse([]byte(strings.Replace(document(twin.json), `{"ex":`, `{"gs1":"https://gs1.org/voc/","ex":`, 1)), epcis.Limits{})
		if len(problems) > 0 {
			t.Fatalf("%s: %v", twin.name, problems)
		}
		for version, text := range map[string]string{"2": twin.xml, "1": twin.old} {
			if text == "" {
				continue
			}
			name := twin.name + " in EPCIS " + version
			doc := strings.Replace(xmlDocument(text), "xsd:2", "xsd:"+version, 1)
			got, problems := epcis.Parse([]byte(doc), epcis.Limits{})
			if epcis.HasErrors(problems) {
				t.Errorf("%s: %v", name, problems)
				continue
			}
			if d := diffEvents(want.Events, got.Events); d != "" {
				t.Errorf("%s: %s", name, d)
				continue
			}
			if w, g := want.Events[0].PreHash(), got.Events[0].PreHash(); w != g {
				t.Errorf("%s:\n got %s\nwant %s", name, g, w)
			}
		}
	}
}

func TestXMLProblems(t *testing.T) {
	const one = events + "/ObjectEvent[1]"
	inner := func(elements string) string { return xmlDocument(xmlObject(elements)) }
	for _, test := range []struct {
		name, doc string
		want      []string
	}{
		{"good", inner(""), nil},
		{"declaration, comments and blanks", "\ufeff<?xml version=\"1.0\"?>\n<!-- a -->\n<!DOCTYPE epcis>\n" + inner("<!-- b -->") + "\n<!-- c -->\n", nil},
		{"no events", xmlDocument(), nil},
		{"another document", `<html/>`, []string{"error DOCUMENT_TYPE /html"}},
		{"another namespace", strings.Replace(inner(""), "urn:epcglobal:epcis:xsd:2", "urn:x:y", 1), []string{"error DOCUMENT_TYPE /epcis:EPCISDocument"}},
		{"no element", "<!-- only this -->", []string{"error DOCUMENT_TYPE "}},
		{"attributes of the root", `<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1"/>`, []string{"error MISSING /e:EPCISDocument/@creationDate",
			"error MISSING /e:EPCISDocument/@schemaVersion", "error MISSING /e:EPCISDocument/EPCISBody"}},
		{"values of the root", strings.NewReplacer(`"2.0"`, `"two"`, "T08:30:00Z\">", " 08:30\">").Replace(xmlDocument()),
			[]string{"error VALUE /epcis:EPCISDocument/@schemaVersion", "finding TIME /epcis:EPCISDocument/@creationDate"}},
		{"unknown elements", xmlHead + "<other/><ex:other><b/></ex:other><EPCISHeader><x/></EPCISHeader><EPCISBody><y/></EPCISBody>" + xmlTail,
			[]string{"error UNEXPECTED " + body + "/y", "error UNEXPECTED /epcis:EPCISDocument/EPCISHeader/x", "error UNEXPECTED /epcis:EPCISDocument/other"}},
		{"a question", `<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:2" schemaVersion="2.0" creationDate="2026-04-20T08:30:00Z"><EPCISBody><q:Poll>` +
			`<queryName>a</queryName></q:Poll></EPCISBody></q:EPCISQueryDocument>`, []string{"error DOCUMENT_TYPE /q:EPCISQueryDocument/EPCISBody/q:Poll",
			"error MISSING /q:EPCISQueryDocument/EPCISBody/QueryResults"}},
		{"soap", envelope(xmlDocument(xmlObject("<bizStep>a b</bizStep>"))), []string{"finding WORD /s:Envelope/s:Body" + one + "/bizStep"}},
		{"soap with results", envelope(strings.ReplaceAll(results, "</resultsBody>", "<no/></resultsBody>")),
			[]string{"error UNEXPECTED /s:Envelope/s:Body/q:QueryResults/resultsBody/no"}},
		{"soap without query name", envelope(strings.ReplaceAll(results, "<queryName>all</queryName>", "")),
			[]string{"error MISSING /s:Envelope/s:Body/q:QueryResults/queryName"}},
		{"soap with a fault", envelope("<s:Fault><faultcode>s:Server</faultcode></s:Fault>"), []string{"error DOCUMENT_TYPE /s:Envelope/s:Body/s:Fault"}},
		{"soap with a question", envelope("<q:Poll xmlns:q='urn:epcglobal:epcis-query:xsd:1'/>"), []string{"error DOCUMENT_TYPE /s:Envelope/s:Body/q:Poll"}},
		{"soap with nothing", envelope(""), []string{"error DOCUMENT_TYPE "}},
		{"soap with two documents", envelope(xmlDocument() + xmlDocument()), []string{"error DOCUMENT_TYPE /s:Envelope/s:Body/epcis:EPCISDocument"}},
		{"all in an event", xmlDocument("<ObjectEvent/>", xmlObject("")), []string{"error MISSING " + one + "/action", "error MISSING " + one + "/eventTime",
			"error MISSING " + one + "/eventTimeZoneOffset", "error NO_OBJECT " + one}},
		{"values", inner("<quantityList><quantityElement><epcClass>urn:x:a</epcClass><quantity>many</quantity><uom>kg</uom></quantityElement>" +
			"<quantityElement><epcClass>a b</epcClass><quantity>1e99</quantity></quantityElement></quantityList>" +
			"<sensorElementList><sensorElement><sensorReport type='gs1:Mass' booleanValue='yes' time='noon'/></sensorElement></sensorElementList>" +
			"<bizStep>cooking</bizStep><disposition>urn:epcglobal:cbv:disp:boiled</disposition>"),
			[]string{"error NUMBER_RANGE " + one + "/quantityList/quantityElement[2]/quantity", "error TIME " + one + "/sensorElementList/sensorElement/sensorReport/@time",
				"error TYPE_MISMATCH " + one + "/quantityList/quantityElement[1]/quantity",
				"error TYPE_MISMATCH " + one + "/sensorElementList/sensorElement/sensorReport/@booleanValue",
				"error URI " + one + "/quantityList/quantityElement[2]/epcClass", "error VALUE " + one + "/quantityList/quantityElement[1]/uom",
				"finding WORD " + one + "/bizStep"}},
		{"shape", inner("text<action>ADD</action><madeUp/><epcList/><bizStep a='b'>urn:x:a<b/></bizStep><sourceList>x<source>urn:x:s</source><sink/></sourceList>" +
			"<disposition/><ilmd>x</ilmd><quantityList><quantityElement><epcClass>urn:x:c</epcClass><ex:a/></quantityElement></quantityList>"),
			[]string{"error MISSING " + one + "/sourceList/source/@type", "error REPEATED " + one + "/action[2]", "error REPEATED " + one + "/epcList[2]",
				"error UNEXPECTED " + one, "error UNEXPECTED " + one + "/bizStep/@a", "error UNEXPECTED " + one + "/bizStep/b", "error UNEXPECTED " + one + "/ilmd",
				"error UNEXPECTED " + one + "/madeUp", "error UNEXPECTED " + one + "/sourceList", "error UNEXPECTED " + one + "/sourceList/sink",
				"finding EMPTY " + one + "/disposition", "finding UNEXPECTED " + one + "/quantityList/quantityElement/ex:a"}},
		{"without namespace in a wrapper", inner("<extension><own>1</own></extension>"), []string{"finding UNEXPECTED " + one + "/extension/own"}},
		{"prefix that is not declared", inner("<no:name>1</no:name>"), []string{"finding PREFIX_UNKNOWN " + one + "/no:name"}},
		{"unknown type", xmlDocument("<ex:Event>"+when+"</ex:Event>", "<SaleEvent/>", xmlObject("")),
			[]string{"error EVENT_TYPE " + events + "/SaleEvent[1]", "error EVENT_TYPE " + events + "/ex:Event[1]"}},
		{"wrapped", xmlDocument("<extension><ObjectEvent/></extension>", "<extension><ObjectEvent/></extension>")[:0] +
			xmlDocument("<extension>"+xmlObject("")+"</extension>", "<extension>"+xmlObject("<bizStep>a b</bizStep>")+"</extension>"),
			[]string{"finding WORD " + events + "/extension[2]/ObjectEvent[1]/bizStep"}},
		{"deep", inner("<ex:a>" + strings.Repeat("<ex:b>", 40) + strings.Repeat("</ex:b>", 40) + "</ex:a>"), []string{"error DEPTH " + one}},
	} {
		_, problems := epcis.Parse([]byte(test.doc), epcis.Limits{})
		if d := cmp.Diff(test.want, found(problems)); d != "" {
			t.Errorf("%s: %s", test.name, d)
		}
		checkPlaces(t, test.name, []byte(test.doc), problems)
	}
}

// A document in a SOAP envelope is the document, and query results are a query document.
func TestEnvelopes(t *testing.T) {
	soap12 := strings.NewReplacer("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")
	for _, text := range []string{envelope(xmlDocument(xmlObject(""))), soap12.Replace(envelope(results)), results} {
		doc, problems := epcis.Parse([]byte(text), epcis.Limits{})
		if len(problems) > 0 || len(doc.Events) != 1 {
			t.Errorf("%d events, %v: %s", len(doc.Events), problems, text)
		}
		if query := doc.Type == "EPCISQueryDocument"; query != strings.Contains(text, "QueryResults") || query && doc.QueryName != "all" {
			t.Errorf("%+v: %s", doc.Header, text)
		}
	}
}

// The offset of a problem is where the tag begins.
func TestXMLOffsets(t *testing.T) {
	doc := "\xef\xbb\xbf" + xmlDocument(xmlObject(""), xmlObject(" <bizStep>a b</bizStep>"), "<ObjectEvent> <action>MOVE</action></ObjectEvent>")
	_, problems := epcis.Parse([]byte(doc), epcis.Limits{})
	want := map[string]string{"/ObjectEvent[2]/bizStep": "<bizStep", "/ObjectEvent[3]/action": "<action>MOVE", "/ObjectEvent[3]": "<ObjectEvent> <action",
		"/ObjectEvent[3]/eventTime": "<ObjectEvent> <action", "/ObjectEvent[3]/eventTimeZoneOffset": "<ObjectEvent> <action"}
	for _, p := range problems {
		place := strings.TrimPrefix(p.Pointer, events)
		if w := want[place]; w == "" || !strings.HasPrefix(doc[p.Offset:], w) {
			t.Errorf("%v: at %.20q, want %q", p.Error(), doc[p.Offset:], w)
		}
		delete(want, place)
	}
	if len(want) > 0 {
		t.Errorf("not reported: %v", want)
	}
}

// What could make a reader open files, run for ever or take all memory ends the document with a reason.
func TestXMLAttacks(t *testing.T) {
	bomb := `<!DOCTYPE e [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>` + xmlDocument(xmlObject("<ex:a>&b;</ex:a>"))
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for _, test := range []struct{ name, doc, want string }{
		{"entities", bomb, "error XML_DTD "},
		{"external subset", `<!DOCTYPE e SYSTEM "file:///etc/passwd">` + xmlDocument(), "error XML_DTD "},
		{"entity that is not declared", xmlDocument(xmlObject("<ex:a>&b;</ex:a>")), "error XML_SYNTAX " + events + "/ObjectEvent[1]/ex:a"},
		{"deep", xmlHead + strings.Repeat("<a>", 1_000_000), "error LIMIT /epcis:EPCISDocument" + strings.Repeat("/a", 99)},
		{"deep in an event", xmlDocument(xmlObject("<ex:a>" + strings.Repeat("<ex:b>", 200) + strings.Repeat("</ex:b>", 200) + "</ex:a>")),
			"error LIMIT " + events + "/ObjectEvent[1]/ex:a" + strings.Repeat("/ex:b", 95)},
		{"attributes", xmlDocument(xmlObject("<ex:a " + many(300, ` a%d=""`) + "/>")), "error LIMIT " + events + "/ObjectEvent[1]"},
		{"namespaces", xmlDocument(xmlObject("<ex:a " + many(200, ` xmlns:a%d=""`) + "><ex:a " + many(200, ` xmlns:b%d=""`) + "/></ex:a>")),
			"error LIMIT " + events + "/ObjectEvent[1]/ex:a/ex:a"},
		{"long text", xmlDocument(xmlObject("<ex:a>" + strings.Repeat("x", 2<<20) + "</ex:a>")), "error LIMIT " + events + "/ObjectEvent[1]/ex:a"},
		{"long comment", xmlHead + "<!--" + strings.Repeat("x", 2<<20) + "-->", "error LIMIT /epcis:EPCISDocument"},
		{"long tag", xmlHead + "<a" + strings.Repeat("x", 2<<20) + "/>", "error LIMIT /epcis:EPCISDocument"},
		{"long header text", xmlHead + `<EPCISHeader><StandardBusinessDocumentHeader><Sender><Identifier>` + strings.Repeat("x<!-- -->", 70_000),
			"error LIMIT /epcis:EPCISDocument/EPCISHeader/StandardBusinessDocumentHeader/Sender/Identifier"},
		{"attribute twice", xmlDocument(`<ObjectEvent a="1" a="2"/>`), "error XML_SYNTAX " + events + "/ObjectEvent[1]"},
		{"tags that do not match", xmlDocument("<ObjectEvent></AggregationEvent>"), "error XML_SYNTAX " + events + "/ObjectEvent[1]"},
		{"end too much", xmlDocument() + "</a>", "error XML_SYNTAX "},
		{"two roots", xmlDocument() + xmlDocument(), "error XML_SYNTAX "},
		{"text after the end", xmlDocument() + "x", "error XML_SYNTAX "},
		{"not UTF-8", xmlDocument(xmlObject("<ex:a>\xff</ex:a>")), "error XML_ENCODING " + events + "/ObjectEvent[1]/ex:a"},
		{"encoding that is not known", `<?xml version="1.0" encoding="EBCDIC-CP-US"?>` + xmlDocument(), "error XML_ENCODING "},
		{"control character", xmlDocument(xmlObject("<ex:a>\x01</ex:a>")), "error XML_SYNTAX " + events + "/ObjectEvent[1]/ex:a"},
	} {
		_, problems := epcis.Parse([]byte(test.doc), epcis.Limits{})
		if got := found(problems); !slices.Contains(got, test.want) {
			t.Errorf("%s: %.500q, want %q", test.name, got, test.want)
		}
	}
}

// An event that is too large is refused, and the next one is read.
func TestXMLLimits(t *testing.T) {
	large := xmlObject("<ex:a>" + strings.Repeat("x", 3000) + "</ex:a>")
	doc, problems := epcis.Parse([]byte(xmlDocument(xmlObject(""), large, xmlObject(""))), epcis.Limits{EventBytes: 2000})
	if d := cmp.Diff([]string{"error LIMIT " + events + "/ObjectEvent[2]"}, found(problems)); d != "" || len(doc.Events) != 2 {
		t.Error(len(doc.Events), d)
	}
	nodes := xmlObject(strings.Repeat("<ex:a/>", 210_000))
	doc, problems = epcis.Parse([]byte(xmlDocument(nodes, xmlObject(""))), epcis.Limits{})
	if d := cmp.Diff([]string{"error LIMIT " + events + "/ObjectEvent[1]"}, found(problems)); d != "" || len(doc.Events) != 1 {
		t.Error(len(doc.Events), d)
	}
	_, problems = epcis.Parse([]byte(xmlDocument(xmlObject(""), xmlObject(""), xmlObject(""))), epcis.Limits{Events: 2})
	if got := found(problems); !slices.Contains(got, "error LIMIT "+events+"/ObjectEvent[3]") {
		t.Error(got)
	}
	_, problems = epcis.Parse([]byte(xmlDocument(xmlObject(""), xmlObject(""))), epcis.Limits{DocumentBytes: 500})
	if len(problems) != 1 || problems[0].Code != epcis.CodeLimit {
		t.Error(problems)
	}
}

// A document that is cut off gives the events before the cut and says where it ends.
func TestXMLCutOff(t *testing.T) {
	doc := xmlDocument(xmlObject("<ex:a>1</ex:a>"), xmlObject("<ex:a>2</ex:a>"))
	second := strings.LastIndex(doc, "</ObjectEvent>") + len("</ObjectEvent>")
	first := strings.Index(doc, "</ObjectEvent>") + len("</ObjectEvent>")
	for i := range len(doc) - 1 {
		parsed, problems := epcis.Parse([]byte(doc[:i]), epcis.Limits{})
		want := 0
		if i >= first {
			want++
		}
		if i >= second {
			want++
		}
		if len(parsed.Events) != want || !epcis.HasErrors(problems) {
			t.Fatalf("cut at %d: %d events, want %d; %v", i, len(parsed.Events), want, problems)
		}
		checkPlaces(t, doc[:i], []byte(doc[:i]), problems)
	}
}

func TestXMLEncodings(t *testing.T) {
	doc := xmlDocument(xmlObject("<ex:名称>菠菜</ex:名称>"))
	latin := xmlDocument(xmlObject("<ex:name>Müller</ex:name>"))
	for _, test := range []struct {
		name, declared string
		enc            encoding.Encoding
		doc            string
	}{
		{"GBK", "GBK", simplifiedchinese.GBK, doc},
		{"GB2312", "gb2312", simplifiedchinese.GBK, doc},
		{"GB18030", "GB18030", simplifiedchinese.GB18030, strings.Replace(doc, "菠菜", "菠菜𠮷", 1)},
		{"Big5", "Big5", traditionalchinese.Big5, strings.Replace(doc, "菠菜", "蔬菜", 1)[:0] + xmlDocument(xmlObject("<ex:name>蔬菜</ex:name>"))},
		{"UTF-16, little-endian, with mark", "UTF-16", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), doc},
		{"UTF-16, big-endian, with mark", "UTF-16", unicode.UTF16(unicode.BigEndian, unicode.UseBOM), doc},
		{"UTF-16, little-endian", "UTF-16LE", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), doc},
		{"UTF-16, big-endian", "UTF-16BE", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), doc},
		{"declared UTF-16, is UTF-8", "utf-16", unicode.UTF8, doc},
		{"UTF-8 with mark", "UTF-8", unicode.UTF8BOM, doc},
		{"Latin 1", "ISO-8859-1", charmap.ISO8859_1, latin},
	} {
		b, err := test.enc.NewEncoder().Bytes([]byte(`<?xml version="1.0" encoding="` + test.declared + `"?>` + test.doc))
		if err != nil {
			t.Fatal(test.name, err)
		}
		if f := epcis.Sniff(b); f != epcis.XML {
			t.Errorf("%s: format %v", test.name, f)
		}
		want, _ := epcis.Parse([]byte(test.doc), epcis.Limits{})
		got, problems := epcis.Parse(b, epcis.Limits{})
		if len(problems) > 0 || len(want.Events) != 1 {
			t.Errorf("%s: %v", test.name, problems)
		} else if d := diffEvents(want.Events, got.Events); d != "" {
			t.Errorf("%s: %s", test.name, d)
		}
	}
	_, problems := epcis.Parse([]byte(`<?xml version="1.0" encoding="GBK"?>`+xmlDocument(xmlObject("<ex:a>\x80\xff</ex:a>"))), epcis.Limits{})
	if d := cmp.Diff([]string{"error XML_ENCODING " + events + "/ObjectEvent[1]/ex:a"}, found(problems)); d != "" {
		t.Error(d)
	}
}

// A name has the prefix that it is written with, unless that means something else in JSON.
func TestXMLPrefixes(t *testing.T) {
	for _, test := range []struct{ name, xml, members, context string }{
		{"as written", `<ex:a>1</ex:a>`, `"ex:a":"1"`, `{"ex":"https://ns.example.com/epcis/"}`},
		{"default namespace", `<a xmlns="https://ns.example.com/epcis/"><b>1</b></a>`, `"ex:a":{"ex:b":"1"}`, `{"ex":"https://ns.example.com/epcis/"}`},
		{"default namespace of its own", `<a xmlns="urn:own"><b>1</b></a>`, `"ns1:a":{"ns1:b":"1"}`, `{"ns1":"urn:own"}`},
		{"redeclared inside", `<ex:a>1</ex:a><ex:b xmlns:ex="urn:own">2</ex:b>`, `"ex:a":"1","ns1:b":"2"`, `{"ex":"https://ns.example.com/epcis/","ns1":"urn:own"}`},
		{"declared inside", `<o:b xmlns:o="urn:own" o:c="2"/>`, `"o:b":{"o:c":"2"}`, `{"o":"urn:own"}`},
		{"language", `<ex:a xml:lang="zh">菜</ex:a><bizStep xml:lang="en">shipping</bizStep>`, `"ex:a":{"#text":"菜","xml:lang":"zh"}`,
			`{"ex":"https://ns.example.com/epcis/","xml":"http://www.w3.org/XML/1998/namespace"}`},
		{"no prefix of JSON", `<_食:b xmlns:_食="urn:own">2</_食:b>`, `"ns1:b":"2"`, `{"ns1":"urn:own"}`},
		{"a value begins with it", `<ex:a>ex:b</ex:a>`, `"ns1:a":"ex:b"`, `{"ns1":"https://ns.example.com/epcis/"}`},
	} {
		doc, problems := epcis.Parse([]byte(xmlDocument(xmlObject(test.xml))), epcis.Limits{})
		if len(problems) > 0 || len(doc.Events) != 1 {
			t.Errorf("%s: %v", test.name, problems)
			continue
		}
		e := doc.Events[0]
		if got := string(e.Ext); got != "{"+test.members+"}" || string(e.Context) != test.context {
			t.Errorf("%s: %s with %s", test.name, got, e.Context)
		}
	}
}

func TestXMLHeader(t *testing.T) {
	header := `<EPCISHeader><s:StandardBusinessDocumentHeader xmlns:s="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader">` +
		`<s:HeaderVersion>1.0</s:HeaderVersion><s:Sender><s:Identifier Authority="GLN"> urn:x:<!-- -->s </s:Identifier><s:ContactInformation><s:Contact>A</s:Contact>` +
		`</s:ContactInformation></s:Sender><s:Receiver><s:Identifier>urn:x:r</s:Identifier></s:Receiver><s:DocumentIdentification><s:Standard>EPCglobal</s:Standard>` +
		`<s:InstanceIdentifier>17</s:InstanceIdentifier></s:DocumentIdentification></s:StandardBusinessDocumentHeader></EPCISHeader>`
	doc, problems := epcis.Parse([]byte(strings.Replace(xmlDocument(xmlObject("")), "<EPCISBody>", header+"<EPCISBody>", 1)), epcis.Limits{})
	if len(problems) > 0 || len(doc.Events) != 1 {
		t.Fatal(problems)
	}
	h := doc.Header
	created, _ := event.ParseTime("2026-04-20T08:30:00Z")
	want := epcis.Header{Type: "EPCISDocument", SchemaVersion: "2.0", CreationDate: created, Sender: "urn:x:s", Receiver: "urn:x:r", InstanceIdentifier: "17",
		At: "/epcis:EPCISDocument/EPCISHeader"}
	if d := cmp.Diff(want, h); d != "" {
		t.Error(d)
	}
	query := `<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:1" schemaVersion="1.2" creationDate="2026-04-20T08:30:00Z"><EPCISBody><q:QueryResults>` +
		`<queryName>SimpleEventQuery</queryName><subscriptionID>7</subscriptionID><resultsBody><EventList>` + xmlObject("") + `</EventList></resultsBody>` +
		`</q:QueryResults></EPCISBody></q:EPCISQueryDocument>`
	doc, problems = epcis.Parse([]byte(query), epcis.Limits{})
	if len(problems) > 0 || len(doc.Events) != 1 || doc.QueryName != "SimpleEventQuery" || doc.SubscriptionID != "7" {
		t.Error(problems, doc.Header)
	}
}

const xmlVocabularies = `<VocabularyList><Vocabulary type="urn:epcglobal:epcis:vtype:BusinessLocation"><VocabularyElementList>` +
	`<VocabularyElement id="urn:epc:id:sgln:9521141.11111.0"><attribute id="urn:epcglobal:cbv:mda#name">Farm</attribute>` +
	`<attribute id="urn:epcglobal:cbv:mda#countryCode">CN</attribute><attribute id="urn:x:crop"><b>1.50</b><b>2</b><a>spinach</a></attribute>` +
	`<children><id>urn:x:c</id></children></VocabularyElement></VocabularyElementList></Vocabulary>` +
	`<Vocabulary type="urn:epcglobal:epcis:vtype:EPCClass"><VocabularyElementList><VocabularyElement id="urn:epc:idpat:sgtin:9521141.001234.*">` +
	`<attribute id="urn:epcglobal:cbv:mda#descriptionShort">Spinach</attribute></VocabularyElement></VocabularyElementList></Vocabulary></VocabularyList>`

// Master data are the same in a header, in query results, in a document of their own, and in JSON.
func TestXMLMasterData(t *testing.T) {
	json := vocabulary("urn:epcglobal:epcis:vtype:BusinessLocation", `{"id":"urn:epc:id:sgln:9521141.11111.0","attributes":[{"id":"urn:epcglobal:cbv:mda#name","attribute":"Farm"},`+
		`{"id":"urn:epcglobal:cbv:mda#countryCode","attribute":"CN"},{"id":"urn:x:crop","attribute":{"b":["1.50","2"],"a":"spinach"}}],"children":["urn:x:c"]}`)
	json = strings.Replace(json, `]}},"epcisBody"`, `,{"type":"urn:epcglobal:epcis:vtype:EPCClass","vocabularyElementList":[{"id":"urn:epc:idpat:sgtin:9521141.001234.*",`+
		`"attributes":[{"id":"urn:epcglobal:cbv:mda#descriptionShort","attribute":"Spinach"}]}]}]}},"epcisBody"`, 1)
	want, problems := epcis.Parse([]byte(json), epcis.Limits{})
	if len(problems) > 0 || len(want.MasterData.Sites)+len(want.MasterData.Products) != 2 {
		t.Fatal(problems)
	}
	for _, doc := range []string{
		strings.Replace(xmlDocument(), "<EPCISBody>", "<EPCISHeader><extension><EPCISMasterData>"+xmlVocabularies+"</EPCISMasterData></extension></EPCISHeader><EPCISBody>", 1),
		`<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:1" schemaVersion="1" creationDate="2026-04-20T08:30:00Z"><EPCISBody><q:QueryResults>` +
			`<queryName>SimpleMasterDataQuery</queryName><resultsBody>` + xmlVocabularies + `</resultsBody></q:QueryResults></EPCISBody></q:EPCISQueryDocument>`,
		`<m:EPCISMasterDataDocument xmlns:m="urn:epcglobal:epcis-masterdata:xsd:1" schemaVersion="1" creationDate="2026-04-20T08:30:00Z"><EPCISBody>` +
			xmlVocabularies + `</EPCISBody></m:EPCISMasterDataDocument>`,
	} {
		got, problems := epcis.Parse([]byte(doc), epcis.Limits{})
		if d := cmp.Diff(want.MasterData, got.MasterData); d != "" || len(problems) > 0 {
			t.Errorf("%.60s: %v %s", doc, problems, d)
		}
	}
	wrong := strings.NewReplacer(`<VocabularyElement id="urn:epc:id:sgln:9521141.11111.0">`, `<VocabularyElement>`, ` id="urn:epcglobal:cbv:mda#descriptionShort"`, ``,
		`type="urn:epcglobal:epcis:vtype:EPCClass"`, `type="urn:x:other"`).Replace(xmlVocabularies)
	_, problems = epcis.Parse([]byte(`<m:EPCISMasterDataDocument xmlns:m="urn:epcglobal:epcis-masterdata:xsd:1" schemaVersion="1" creationDate="2026-04-20T08:30:00Z">`+
		`<EPCISBody>`+wrong+`</EPCISBody></m:EPCISMasterDataDocument>`), epcis.Limits{})
	const list = "/m:EPCISMasterDataDocument/EPCISBody/VocabularyList/Vocabulary"
	if d := cmp.Diff([]string{"error MISSING " + list + "[1]/VocabularyElementList/VocabularyElement[1]/@id",
		"error MISSING " + list + "[2]/VocabularyElementList/VocabularyElement[1]/attribute/@id", "finding MASTER_DATA_OTHER " + list + "[2]"}, found(problems)); d != "" {
		t.Error(d)
	}
}

// A reader never has more than an event in memory: the document here is larger than what it may keep.
func TestXMLReaderStreams(t *testing.T) {
	const n = 5_000
	begin, end, _ := strings.Cut(xmlDocument("|"), "|")
	r := epcis.NewReader(io.MultiReader(strings.NewReader(begin), &repeated{part: []byte(xmlObject("<ex:a>1</ex:a>")), left: n}, strings.NewReader(end)), epcis.Limits{})
	read := 0
	for {
		e, problems, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || e == nil || len(problems) > 0 {
			t.Fatal(err, problems)
		}
		read++
	}
	if want := events + fmt.Sprintf("/ObjectEvent[%d]", n); read != n || r.Pointer() != want {
		t.Errorf("%d events, the last at %s", read, r.Pointer())
	}
	if _, _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Error("after the end:", err)
	}
}
