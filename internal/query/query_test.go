package query_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
)

var namespaces = []event.Namespace{{Prefix: "ex", URI: "https://example.org/ext/"}}

// parse reads a query string that has no problem.
func parse(t *testing.T, s string) query.Query {
	t.Helper()
	values, err := url.ParseQuery(s)
	if err != nil {
		t.Fatal(err)
	}
	q, problems := query.Parse(values, namespaces)
	if len(problems) > 0 {
		t.Fatalf("%s: %v", s, problems)
	}
	return q
}

func decode(t *testing.T, text string) *event.Event {
	t.Helper()
	e, err := event.Unmarshal([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const made = `{"@context":[{"e":"https://example.org/ext#"}],"type":"ObjectEvent","eventID":"urn:uuid:1","eventTime":"2026-03-01T10:00:00.000+08:00","eventTimeZoneOffset":"+08:00",
	"errorDeclaration":{"declarationTime":"2026-03-02T00:00:00Z","reason":"incorrect_data","correctiveEventIDs":["urn:uuid:9"],"e:by":"Li"},
	"action":"ADD","epcList":["urn:epc:id:sgtin:9506000.013435.7"],
	"quantityList":[{"epcClass":"https://example.com/01/09506000134369?17=270101","quantity":12.50,"uom":"KGM"},{"epcClass":"urn:epc:class:lgtin:9506000.013435.L1","quantity":3}],
	"bizStep":"urn:epcglobal:cbv:bizstep:commissioning","disposition":"https://ref.gs1.org/cbv/Disp-active","persistentDisposition":{"set":["completeness_verified"],"unset":["urn:epcglobal:cbv:disp:reserved"]},
	"readPoint":{"id":"urn:epc:id:sgln:9506000.13436.D1","e:dock":"7"},"bizLocation":{"id":"https://id.gs1.org/414/9506000134369"},
	"bizTransactionList":[{"type":"urn:epcglobal:cbv:btt:po","bizTransaction":"urn:epc:id:gdti:9506000.13436.PO1"}],
	"sourceList":[{"type":"owning_party","source":"urn:epc:id:pgln:9506000.13436"}],"destinationList":[{"type":"location","destination":"https://id.gs1.org/414/9506000134376"}],
	"sensorElementList":[{"sensorMetadata":{"time":"2026-03-01T01:00:00Z","startTime":"2026-03-01T00:00:00Z","endTime":"2026-03-01T02:00:00Z","deviceID":"urn:epc:id:giai:9506000.D1","bizRules":"https://example.org/rules","e:shift":"night"},
		"sensorReport":[{"type":"gs1:Temperature","value":-18.5,"minValue":-20,"maxValue":-17,"meanValue":-18.4,"sDev":0.3,"percRank":95,"percValue":-17.5,"uom":"CEL","e:probe":{"e:depth":4}},
			{"type":"Count","microorganism":"https://example.org/listeria","chemicalSubstance":"urn:x:lead","stringValue":"bad","booleanValue":true,"hexBinaryValue":"f0a0","uriValue":"urn:x:1","dataProcessingMethod":"https://example.org/method"}],"e:box":2}],
	"ilmd":{"e:grade":"A","e:made":{"#text":"2026-02-28T00:00:00Z","e:by":["Wang",["Zhou"]]},"e:weight":"12.0","e:lot":"007"},"e:score":7}`

func TestMatch(t *testing.T) {
	e, recorded := decode(t, made), event.Time{}
	recorded, err := event.ParseTime("2026-03-03T00:00:00Z")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"":                                       true,
		"eventType=ObjectEvent|AggregationEvent": true, "eventType=AggregationEvent": false, "eventType=https://example.org/MyEvent": false,
		"GE_eventTime=2026-03-01T02:00:00Z": true, "LT_eventTime=2026-03-01T02:00:00Z": false, "LT_eventTime=2026-03-01T02:00:00.001Z": true,
		"GE_recordTime=2026-03-03T00:00:00Z": true, "LT_recordTime=2026-03-03T00:00:00Z": false,
		"EQ_action=ADD|DELETE": true, "EQ_action=OBSERVE": false,
		"EQ_bizStep=commissioning": true, "EQ_bizStep=urn:epcglobal:cbv:bizstep:commissioning": true, "EQ_bizStep=cbv:BizStep-commissioning": true, "EQ_bizStep=shipping": false,
		"EQ_disposition=active": true, "EQ_disposition=in_transit": false,
		"EQ_persistentDisposition_set=completeness_verified": true, "EQ_persistentDisposition_set=reserved": false, "EQ_persistentDisposition_unset=reserved": true,
		"EQ_readPoint=https://id.gs1.org/414/9506000134369/254/D1": true, "EQ_readPoint=https://id.gs1.org/414/9506000134369": false, "WD_readPoint=urn:epc:id:sgln:9506000.13436.0": true,
		"EQ_bizLocation=urn:epc:id:sgln:9506000.13436.0": true, "WD_bizLocation=https://id.gs1.org/414/9506000134369": true, "WD_bizLocation=https://id.gs1.org/414/9506000134376": false,
		"EQ_transformationID=urn:x":                           false,
		"MATCH_epc=https://id.gs1.org/01/09506000134352/21/7": true, "MATCH_epc=urn:epc:idpat:sgtin:9506000.013435.*": true, "MATCH_epc=urn:epc:idpat:sgtin:9506000.*.*": true,
		"MATCH_epc=urn:epc:idpat:sgtin:*.*.*": true, "MATCH_epc=urn:epc:idpat:sgtin:9506001.*.*": false, "MATCH_epc=https://example.com/01/09506000134352": true,
		"MATCH_epc=urn:epc:class:lgtin:9506000.013435.L1": false, "MATCH_parentID=urn:epc:id:sgtin:9506000.013435.7": false, "MATCH_anyEPC=urn:epc:id:sgtin:9506000.013435.7": true,
		"MATCH_epcClass=https://id.gs1.org/01/09506000134369": true, "MATCH_epcClass=urn:epc:class:lgtin:9506000.013435.L1": true, "MATCH_epcClass=urn:epc:class:lgtin:9506000.013435.*": true,
		"MATCH_epcClass=https://id.gs1.org/01/09506000134352": true, "MATCH_epcClass=https://id.gs1.org/01/09506000134352/10/L2": false, "MATCH_anyEPCClass=urn:x|https://id.gs1.org/01/09506000134352/10/L1": true,
		"MATCH_inputEPCClass=https://id.gs1.org/01/09506000134369": false, "MATCH_outputEPC=urn:epc:id:sgtin:9506000.013435.7": false,
		"EQ_quantity=12.5": true, "EQ_quantity=12": false, "GT_quantity=12.4": true, "GE_quantity=12.5": true, "LT_quantity=3": false, "LE_quantity=3": true,
		"EQ_quantity_KGM=12.5": true, "EQ_quantity_LBR=12.5": false, "LT_quantity_KGM=10": false,
		"EQ_eventID=urn:uuid:1|urn:uuid:2": true, "EQ_eventID=urn:uuid:2": false, "EQ_eventID=" + url.QueryEscape(e.Hash()): true,
		"EXISTS_errorDeclaration=true": true, "EXISTS_errorDeclaration=false": true, "GE_errorDeclarationTime=2026-03-02T00:00:00Z": true, "LT_errorDeclaration_Time=2026-03-02T00:00:00Z": false,
		"EQ_errorReason=incorrect_data": true, "EQ_errorReason=did_not_occur": false, "EQ_correctiveEventID=urn:uuid:9": true, "EQ_correctiveEventID=urn:uuid:1": false,
		"EQ_bizTransaction_po=https://id.gs1.org/253/9506000134369PO1": true, "EQ_bizTransaction_inv=https://id.gs1.org/253/9506000134369PO1": false,
		"EQ_source_owning_party=https://id.gs1.org/417/9506000134369": true, "EQ_source_location=https://id.gs1.org/417/9506000134369": false, "EQ_destination_location=urn:epc:id:sgln:9506000.13437.0": true,
		"EXISTS_sensorElementList=true": true, "GE_time=2026-03-01T01:00:00Z": true, "LT_time=2026-03-01T01:00:00Z": false, "GE_startTime=2026-03-01T00:00:01Z": false, "LT_endTime=2026-03-01T03:00:00Z": true,
		"EQ_type=Temperature": true, "EQ_type=https://gs1.org/voc/Temperature": true, "EQ_type=Mass": false, "EQ_deviceID=https://id.gs1.org/8004/9506000D1": true, "EQ_bizRules=https://example.org/rules": true,
		"EQ_dataProcessingMethod=https://example.org/method": true, "EQ_microorganism=https://example.org/listeria": true, "EQ_chemicalSubstance=urn:x:lead": true, "EQ_chemicalSubstance=urn:x:zinc": false,
		"EQ_stringValue=bad": true, "EQ_stringValue=BAD": false, "EQ_booleanValue=true": true, "EQ_booleanValue=false": false, "EQ_hexBinaryValue=F0A0": true, "EQ_uriValue=urn:x:1": true,
		"EQ_value_CEL=-18.50": true, "EQ_value_KEL=-18.5": false, "GT_value_CEL=-18.5": false, "GE_minValue_CEL=-20": true, "LT_maxValue_CEL=-17": false, "LE_meanValue_CEL=-18": true, "LT_sDev_CEL=1": true,
		"GE_percValue_CEL=-17.5": true, "GE_percRank=95": true, "GT_percRank=95": false,
		"EQ_ex:score=7": true, "EQ_ex:score=7.0": true, "GT_ex:score=7": false, "GE_ex:score=6.9": true, "EQ_other:score=7": false, "EQ_e:score=7": true, "EXISTS_ex:score=true": true, "EXISTS_ex:none=true": false,
		"EQ_ILMD_ex:grade=B|A": true, "EQ_ILMD_ex:grade=a": false, "EQ_ILMD_ex:weight=12": true, "EQ_ILMD_ex:lot=7": false, "EQ_ILMD_ex:lot=007": true,
		"GE_ILMD_ex:made=2026-02-28T08:00:00%2B08:00": true, "LT_ILMD_ex:made=2026-02-28T00:00:00Z": false,
		"EQ_INNER_ILMD_ex:by=Zhou": true, "EQ_INNER_ILMD_ex:grade=A": false, "EQ_ILMD_ex:by=Wang": false, "EXISTS_INNER_ILMD_ex:by=true": true, "EQ_ILMD_https://example.org/ext%23grade=A": true,
		"EQ_ERROR_DECLARATION_ex:by=Li": true, "EQ_SENSORELEMENT_ex:box=2": true, "EQ_SENSORMETADATA_ex:shift=night": true, "EXISTS_SENSORREPORT_ex:probe=true": true,
		"LT_INNER_SENSORREPORT_ex:depth=5": true, "EQ_readPoint_ex:dock=7": true, "EQ_bizLocation_ex:dock=7": false,
		"HASATTR_bizLocation=urn:epcglobal:cbv:mda:city": true, "HASATTR_readPoint=urn:epcglobal:cbv:mda:city": false, "EQATTR_bizLocation_urn:epcglobal:cbv:mda:city=Lyon|Shanghai": true,
		"EQ_ATTR_bizLocation_urn:epcglobal:cbv:mda:city=Paris": false, "EQATTR_epcClass_name=Spinach": true, "WD_readPoint=urn:site:plant": true, "WD_bizLocation=urn:site:plant": false,
		"EQ_action=ADD&EQ_bizStep=shipping": false, "EQ_action=ADD&EQ_bizStep=commissioning": true,
	} {
		q := parse(t, text)
		if got := q.Match(e, recorded, masters{}); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
		body, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		again, problems := query.ParseJSON(body)
		if len(problems) > 0 || again.String() != q.String() {
			t.Errorf("%s: as JSON %s it is read as %s, %v", text, body, again, problems)
		}
		if got := again.Match(e, recorded, masters{}); got != want {
			t.Errorf("%s as JSON: %v, want %v", body, got, want)
		}
	}
}

// masters know one city, one product name and one child.
type masters struct{}

func (masters) Attribute(key, name string) []string {
	switch key + " " + name {
	case "https://id.gs1.org/414/9506000134369 urn:epcglobal:cbv:mda:city":
		return []string{"Shanghai"}
	case "https://id.gs1.org/01/09506000134352 name":
		return []string{"Spinach"}
	}
	return nil
}

func (masters) Within(place, ancestor string) bool {
	return place == "https://id.gs1.org/414/9506000134369/254/D1" && ancestor == "urn:site:plant"
}

func TestProblems(t *testing.T) {
	for text, want := range map[string]string{
		"EQ_nothing=1": "EQ_nothing UNKNOWN_PARAMETER", "nothing=": "nothing UNKNOWN_PARAMETER", "GT_eventTime=2026-01-01T00:00:00Z": "GT_eventTime UNKNOWN_PARAMETER",
		"MATCH_bizStep=x": "MATCH_bizStep UNKNOWN_PARAMETER", "EQ_value_celsius=1": "EQ_value_celsius UNKNOWN_PARAMETER", "WD_ex:a=1": "WD_ex:a UNKNOWN_PARAMETER", "EQ_=1": "EQ_ UNKNOWN_PARAMETER",
		"EQ_INNER_=1": "EQ_INNER_ UNKNOWN_PARAMETER", "HASATTR_bizStep=x": "HASATTR_bizStep UNKNOWN_PARAMETER", "EQATTR_readPoint=x": "EQATTR_readPoint UNKNOWN_PARAMETER",
		"GE_eventTime=2026-01-01": "GE_eventTime VALUE", "GE_eventTime=2026-01-01T00:00:00Z|2026-01-01T00:00:00Z": "GE_eventTime VALUE", "EQ_action=add": "EQ_action VALUE", "EQ_bizStep=": "EQ_bizStep VALUE",
		"EQ_quantity=x": "EQ_quantity VALUE", "EQ_booleanValue=1": "EQ_booleanValue VALUE", "EXISTS_errorDeclaration=x": "EXISTS_errorDeclaration VALUE", "GT_ex:a=x": "GT_ex:a VALUE",
		"orderBy=bizStep": "orderBy VALUE", "orderDirection=UP": "orderDirection VALUE", "perPage=0": "perPage VALUE", "perPage=1|2": "perPage VALUE", "perPage=x": "perPage VALUE",
		"eventCountLimit=5": "eventCountLimit CONFLICT", "orderBy=eventTime&eventCountLimit=5&maxEventCount=6": "maxEventCount CONFLICT",
		"EQ_stringValue=%FF": "EQ_stringValue VALUE", "EQ_stringValue=" + strings.Repeat("x", query.MaxValue+1): "EQ_stringValue TOO_MANY",
		"EQ_stringValue=" + strings.Repeat("|", query.MaxValues): "EQ_stringValue TOO_MANY",
		"EQ_action=x&GE_eventTime=y&bad=1":                       "EQ_action VALUE, GE_eventTime VALUE, bad UNKNOWN_PARAMETER",
	} {
		values, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		q, problems := query.Parse(values, namespaces)
		if got := inWords(problems); got != want {
			t.Errorf("%.60s: %s, want %s", text, got, want)
		}
		if diff := cmp.Diff(0, len(q.Criteria)); diff != "" {
			t.Errorf("%.60s: a query comes with its problems", text)
		}
	}
	values := url.Values{}
	for i := range query.MaxParameters + 1 {
		values.Set("EQ_ex:"+strings.Repeat("x", i+1), "1")
	}
	if _, problems := query.Parse(values, namespaces); inWords(problems) != " TOO_MANY" {
		t.Errorf("too many parameters: %v", problems)
	}
}

func TestJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "", `[]`: " VALUE", `{`: " VALUE", `{} x`: " VALUE", `{"EQ_action":["ADD"],"EQ_action":["ADD"]}`: " VALUE",
		`{"EQ_action":"ADD"}`: "", `{"EQ_action":[["ADD"]]}`: "EQ_action VALUE", `{"EQ_action":{"a":1}}`: "EQ_action VALUE", `{"EQ_action":null}`: "EQ_action VALUE", `{"EQ_action":[]}`: "EQ_action VALUE",
		`{"EXISTS_errorDeclaration":null,"GE_quantity":5,"EQ_value_CEL":[1,2.5],"perPage":30}`:                          "",
		`{"@context":{"a":"urn:a:"},"EQ_a:b":[1,"x"],"orderBy":"eventTime","orderDirection":"ASC","eventCountLimit":5}`: "",
	} {
		q, problems := query.ParseJSON([]byte(text))
		if got := inWords(problems); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
		if len(problems) > 0 {
			continue
		}
		var again query.Query
		if err := json.Unmarshal([]byte(q.String()), &again); err != nil || again.String() != q.String() {
			t.Errorf("%s: %s is read again as %s, %v", text, q, again, err)
		}
	}
}

func inWords(problems []query.Problem) string {
	var list []string
	for _, p := range problems {
		list = append(list, p.Parameter+" "+string(p.Code))
	}
	return strings.Join(list, ", ")
}

func TestWith(t *testing.T) {
	q := parse(t, "EQ_action=ADD")
	more, problems := q.With("EQ_bizStep", "a|b")
	if len(problems) > 0 || len(q.Criteria) != 1 || len(more.Criteria) != 2 || more.Criteria[1].Values[0].Text != "a|b" {
		t.Errorf("%s, %s, %v", q, more, problems)
	}
	if _, problems := q.With("EQ_action", "x"); inWords(problems) != "EQ_action VALUE" {
		t.Error(problems)
	}
	if again, _ := more.With("EQ_bizStep", "c"); !strings.Contains(again.String(), `"c"`) {
		t.Errorf("%s", again)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"EQ_action=ADD|DELETE&GE_eventTime=2026-03-01T02:00:00Z", "MATCH_anyEPC=urn:epc:idpat:sgtin:9506000.*.*", "EQ_INNER_ILMD_ex:by=Zhou&EXISTS_ex:a=",
		"EQ_value_CEL=1&orderBy=eventTime&eventCountLimit=3&perPage=5", "EQATTR_bizLocation_a:b=c&HASATTR_ex:a=b", "EQ_ex:a=%2B01&EQ_quantity=%2B01", `{"@context":{"a":"urn:a:"},"EQ_a:b":[1,"x",true]}`} {
		f.Add(s)
	}
	e, err := event.Unmarshal([]byte(made))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, problems := query.ParseJSON([]byte(s))
		if values, err := url.ParseQuery(s); err == nil && len(problems) > 0 {
			q, problems = query.Parse(values, namespaces)
		}
		if len(problems) > 0 {
			return
		}
		again, problems := query.ParseJSON([]byte(q.String()))
		if len(problems) > 0 || again.String() != q.String() {
			t.Fatalf("%s is read again as %s: %v", q, again, problems)
		}
		if q.Match(e, e.Time, masters{}) != again.Match(e, e.Time, masters{}) {
			t.Fatalf("%s is another query as JSON", q)
		}
	})
}
