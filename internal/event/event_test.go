package event_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

var ignoreMemo = cmpopts.IgnoreUnexported(event.Event{})

func read(t testing.TB, s string) *event.Event {
	t.Helper()
	e, err := event.Unmarshal([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// fill sets every field of a value to something that is not zero, whatever fields there are.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case event.Time:
		v.Set(reflect.ValueOf(event.Time{Time: time.Date(2026, 4, 20, 8, 30, 0, 5e8, time.FixedZone("", 7200))}))
		return
	case event.Decimal:
		v.Set(reflect.ValueOf(event.Int(12)))
		return
	case jsontext.Value:
		v.SetBytes([]byte(`{"ex:a":[1.50,{"b":"ä","c":null}],"ex:b":123456789012345678901234567890}`))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.String:
		v.SetString("urn:x:y")
	case reflect.Bool:
		v.SetBool(true)
	}
}

// Every field of an event, present and future ones, survives.
func TestMarshalKeepsEveryField(t *testing.T) {
	e := new(event.Event)
	fill(reflect.ValueOf(e).Elem())
	b, err := event.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	again, err := event.Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(e, again, ignoreMemo); d != "" {
		t.Error(d)
	}
	if b2, err := event.Marshal(again); err != nil || string(b2) != string(b) {
		t.Errorf("%v: not the same bytes:\n%s\n%s", err, b, b2)
	}
	if !strings.Contains(string(b), `"ex:b":123456789012345678901234567890`) || !strings.Contains(string(b), "1.50") {
		t.Errorf("numbers in extensions were changed: %s", b)
	}
}

// One event has one form, however it was built.
func TestMarshalIsCanonical(t *testing.T) {
	a := read(t, `{"ex:b":{"z":1.0,"a":[ {"y":1,"x":2} ]},"eventTimeZoneOffset":"+02:00","ex:a":"\u00e4","type":"ObjectEvent","eventTime":"2026-04-20T08:30:00.500+02:00","quantityList":[]}`)
	b := &event.Event{Type: event.Object, Time: a.Time, TimeZoneOffset: "+02:00",
		Ext: jsontext.Value(`{ "ex:b":{"a":[{"y":1,"x":2}],"z":1.0}, "ex:a":"ä" }`)}
	const want = `{"type":"ObjectEvent","eventTime":"2026-04-20T08:30:00.5+02:00","eventTimeZoneOffset":"+02:00","ex:a":"ä","ex:b":{"a":[{"x":2,"y":1}],"z":1.0}}`
	for _, e := range []*event.Event{a, b} {
		got, err := event.Marshal(e)
		if err != nil || string(got) != want {
			t.Errorf("%v\n got %s\nwant %s", err, got, want)
		}
	}
	if a.Hash() != b.Hash() {
		t.Errorf("hashes differ:\n%s\n%s", a.PreHash(), b.PreHash())
	}
	if _, err := event.Marshal(&event.Event{Type: event.Object, Ext: jsontext.Value(`{"a":`)}); err == nil {
		t.Error("a broken extension was written")
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	for _, in := range []string{``, `[]`, `{"type":1}`, `{"type":"ObjectEvent","type":"ObjectEvent"}`, `{"eventTime":"yesterday"}`, `{} {}`,
		`{"quantityList":[{"quantity":1e400}]}`, "{\"ex:a\":\"\xff\"}"} {
		if _, err := event.Unmarshal([]byte(in)); err == nil {
			t.Errorf("%q was read", in)
		}
	}
}

const some = `"eventTime":"2026-04-20T08:30:00Z","eventTimeZoneOffset":"+00:00"`

func TestItems(t *testing.T) {
	const class, lotKey = "https://id.gs1.org/01/09521141012345", "https://id.gs1.org/01/09521141012345/10/"
	qty := func(s string) event.Decimal {
		d, err := event.ParseDecimal(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	tests := []struct {
		name, in string
		want     []event.Item
		members  []event.Membership
	}{
		{"object", `{"type":"ObjectEvent","action":"OBSERVE",` + some + `,"epcList":["urn:epc:id:sscc:0614141.1234567890"],` +
			`"quantityList":[{"epcClass":"urn:epc:class:lgtin:9521141.001234.A/1","quantity":2.50,"uom":"KGM"},{"epcClass":"urn:gdst:x:product:lot:class:1"}]}`,
			[]event.Item{{Key: "https://id.gs1.org/00/106141412345678908", Kind: gs1.LogisticUnit, Place: "/epcList/0"},
				{Key: "https://id.gs1.org/01/09521141012345/10/A%2F1", Kind: gs1.Lot, Quantity: qty("2.5"), UOM: "KGM", Place: "/quantityList/0"},
				{Key: "urn:gdst:x:product:lot:class:1", Place: "/quantityList/1"}}, nil},
		{"ilmd lot", `{"type":"ObjectEvent","action":"ADD",` + some + `,"epcList":["` + class + `/21/s1"],"quantityList":[{"epcClass":"` + class + `"}],"ilmd":{"cbvmda:lotNumber":"A/1"}}`,
			[]event.Item{{Key: class + "/21/s1", Kind: gs1.Instance, Place: "/epcList/0"}, {Key: lotKey + "A%2F1", Kind: gs1.Lot, Place: "/quantityList/0"}},
			[]event.Membership{{Instance: class + "/21/s1", Lot: lotKey + "A%2F1"}}},
		{"own prefix", `{"@context":{"md":"urn:epcglobal:cbv:mda"},"type":"ObjectEvent","action":"ADD",` + some + `,"quantityList":[{"epcClass":"` + class + `"}],"ilmd":{"md:lotNumber":"B"}}`,
			[]event.Item{{Key: lotKey + "B", Kind: gs1.Lot, Place: "/quantityList/0"}}, nil},
		{"another's lotNumber", `{"@context":{"md":"https://ns.example.com/"},"type":"ObjectEvent","action":"ADD",` + some + `,"quantityList":[{"epcClass":"` + class + `"}],"ilmd":{"md:lotNumber":"B"}}`,
			[]event.Item{{Key: class, Kind: gs1.Class, Place: "/quantityList/0"}}, nil},
		{"transformation", `{"type":"TransformationEvent",` + some + `,"inputEPCList":["urn:x:a"],"inputQuantityList":[{"epcClass":"` + class + `"}],"outputEPCList":["` + class + `/21/s2"],` +
			`"outputQuantityList":[{"epcClass":"` + class + `"}],"ilmd":{"lotNumber":"C"}}`,
			[]event.Item{{Key: "urn:x:a", Role: event.RoleInput, Place: "/inputEPCList/0"}, {Key: class, Kind: gs1.Class, Role: event.RoleInput, Place: "/inputQuantityList/0"},
				{Key: class + "/21/s2", Kind: gs1.Instance, Role: event.RoleOutput, Place: "/outputEPCList/0"}, {Key: lotKey + "C", Kind: gs1.Lot, Role: event.RoleOutput, Place: "/outputQuantityList/0"}},
			[]event.Membership{{Instance: class + "/21/s2", Lot: lotKey + "C"}}},
		{"aggregation", `{"type":"AggregationEvent","action":"ADD",` + some + `,"parentID":"urn:epc:id:sscc:0614141.1234567890","childEPCs":["urn:x:a"],"childQuantityList":[{"epcClass":"urn:x:b","quantity":3}]}`,
			[]event.Item{{Key: "https://id.gs1.org/00/106141412345678908", Kind: gs1.LogisticUnit, Role: event.RoleParent, Place: "/parentID"},
				{Key: "urn:x:a", Role: event.RoleChild, Place: "/childEPCs/0"}, {Key: "urn:x:b", Role: event.RoleChild, Quantity: qty("3"), Place: "/childQuantityList/0"}}, nil},
	}
	for _, test := range tests {
		e := read(t, test.in)
		if d := cmp.Diff(test.want, e.Items()); d != "" {
			t.Errorf("%s: items: %s", test.name, d)
		}
		if d := cmp.Diff(test.members, e.Memberships()); d != "" {
			t.Errorf("%s: memberships: %s", test.name, d)
		}
	}
}

func TestWordsAndPlaces(t *testing.T) {
	for _, step := range []string{"shipping", "cbv:BizStep-shipping", "urn:epcglobal:cbv:bizstep:shipping", "urn:epcglobal:cbv:bizStep:shipping", "https://ref.gs1.org/cbv/BizStep-shipping"} {
		e := &event.Event{BizStep: step}
		if e.Step() != "shipping" {
			t.Errorf("%s is %s", step, e.Step())
		}
	}
	e := read(t, `{"type":"ObjectEvent",`+some+`,"bizStep":"urn:gdst:bizStep:commingling","disposition":"cbv:Disp-active","bizLocation":{"id":"urn:epc:id:sgln:9521141.11111.0"},`+
		`"sourceList":[{"type":"owning_party","source":"urn:epc:id:pgln:9521141.11111"}],"destinationList":[{"type":"urn:epcglobal:cbv:sdt:location","destination":"urn:x:y"}]}`)
	got := []string{e.Step(), e.DispositionWord(), e.Site(), e.LocationKey(), e.ReadPointKey(), e.SourceOf("owning_party"), e.SourceOf("location"), e.DestinationOf("location")}
	want := []string{"urn:gdst:bizStep:commingling", "active", "https://id.gs1.org/414/9521141111116", "https://id.gs1.org/414/9521141111116", "",
		"https://id.gs1.org/417/9521141111116", "", "urn:x:y"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	e = &event.Event{ReadPoint: &event.Place{ID: "urn:x:gate"}, BizLocation: &event.Place{ID: "urn:x:hall"}}
	if e.Site() != "urn:x:gate" {
		t.Errorf("site is %s", e.Site())
	}
}

// What identifies an event is its content, not what was recorded about it, and nothing of the content is left out.
func TestHash(t *testing.T) {
	base := `{"type":"ObjectEvent",` + some + `,"action":"ADD","epcList":["urn:epc:id:sgtin:9521141.001234.1","urn:x:a"],"ilmd":{"cbvmda:lotNumber":"007"}}`
	of := func(old, new string) string { return read(t, strings.Replace(base, old, new, 1)).Hash() }
	same := map[string][2]string{
		"event ID and record time": {`{"type"`, `{"eventID":"urn:x:y","recordTime":"2026-04-21T00:00:00Z","type"`},
		"error declaration":        {`{"type"`, `{"errorDeclaration":{"declarationTime":"2026-04-21T00:00:00Z"},"type"`},
		"comment":                  {`{"type"`, `{"rdfs:comment":"x","type"`},
		"offset of the instant":    {"08:30:00Z", "10:30:00.0001+02:00"},
		"form of an identifier":    {"urn:epc:id:sgtin:9521141.001234.1", "https://example.com/x/01/9521141012345/21/1?17=270101"},
		"order of a list":          {`"urn:epc:id:sgtin:9521141.001234.1","urn:x:a"`, `"urn:x:a","urn:epc:id:sgtin:9521141.001234.1"`},
		"empty list":               {`"action"`, `"quantityList":[],"action"`},
	}
	for name, change := range same {
		if of(change[0], change[1]) != of("", "") {
			t.Errorf("%s changes the hash", name)
		}
	}
	for name, change := range map[string][2]string{
		"time":       {"08:30:00Z", "08:30:00.001Z"},
		"offset":     {"+00:00", "+01:00"},
		"action":     {"ADD", "OBSERVE"},
		"identifier": {"urn:x:a", "urn:x:b"},
		"lot number": {"007", "7"},
		"extension":  {`{"type"`, `{"ex:a":"1","type"`},
	} {
		if of(change[0], change[1]) == of("", "") {
			t.Errorf("%s does not change the hash", name)
		}
	}
	if got := of("", ""); !strings.HasPrefix(got, "ni:///sha-256;") || !strings.HasSuffix(got, "?ver=CBV2.0") || len(got) != 14+64+11 {
		t.Errorf("hash is %s", got)
	}
}

// FuzzEvent: no panic; what was read is read the same after it was written, and has the same hash.
func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"@context":[{"ex":"https://ns.example.com/"}],"type":"ObjectEvent","eventID":"urn:x:e","eventTime":"2026-04-20T08:30:00.5+02:00","eventTimeZoneOffset":"+02:00",` +
		`"action":"ADD","epcList":["urn:epc:id:sgtin:9521141.012345.7","ex:a"],"quantityList":[{"epcClass":"https://id.gs1.org/01/09521141123454/10/A","quantity":1.50,"uom":"KGM","ex:q":[1,{"a":2}]}],` +
		`"bizStep":"urn:epcglobal:cbv:bizstep:shipping","bizTransactionList":[{"type":"po","bizTransaction":"urn:x:1"}],"ilmd":{"cbvmda:lotNumber":"007"},"ex:ignoreFields":["ex:i"],"ex:i":1,"rdfs:comment":"x"}`))
	f.Add([]byte(`{"type":"TransformationEvent","eventTime":"2026-04-20T08:30:00Z","eventTimeZoneOffset":"Z","certificationInfo":"urn:x:c","persistentDisposition":{"set":["active"]},` +
		`"errorDeclaration":{"declarationTime":"2026-04-20T08:30:00Z","ex:e":null},"readPoint":{"id":"geo:1,2","a":[]},"sensorElementList":[{"sensorMetadata":{"time":"2026-04-20T08:30:00Z"},` +
		`"sensorReport":[{"type":"Temperature","value":-1e-3,"stringValue":"00012345678901234567890","booleanValue":false,"bizRules":"urn:x:r"}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		e, err := event.Unmarshal(text)
		if err != nil {
			return
		}
		hash := e.Hash()
		e.Items()
		e.Memberships()
		written, err := event.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		again, err := event.Unmarshal(written)
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		if again.Hash() != hash {
			t.Fatalf("hash differs:\n%s\n%s", again.PreHash(), e.PreHash())
		}
		twice, err := event.Marshal(again)
		if err != nil || string(twice) != string(written) {
			t.Fatalf("%v\n%s\n%s", err, twice, written)
		}
	})
}
