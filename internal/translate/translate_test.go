package translate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/translate"
)

// spelt has every identifier and word that can be spelt in several ways. Each is given in the order URN, link; bare, URN, web URI; words without URN: bare, web URI.
func spelt(id, word, measure int) string {
	ids := func(urn, link string) string { return []string{urn, link}[id] }
	words := func(bare, urn, web string) string {
		stems := []string{"", "urn:epcglobal:cbv:" + urn + ":", "https://ref.gs1.org/cbv/" + web + "-"}
		return stems[word] + bare
	}
	vocabulary := func(bare string) string { return []string{"", "https://gs1.org/voc/"}[measure] + bare }
	lot := ids("urn:epc:class:lgtin:9521141.012345.A%2F1", "https://id.gs1.org/01/09521141123454/10/A%2F1")
	item := ids("urn:epc:id:sgtin:9521141.012345.7", "https://id.gs1.org/01/09521141123454/21/7")
	unit := ids("urn:epc:id:sscc:9521141.1234567890", "https://id.gs1.org/00/195211412345678900")
	place := ids("urn:epc:id:sgln:9521141.11111.12", "https://id.gs1.org/414/9521141111116/254/12")
	firm := ids("urn:epc:id:pgln:9521141.11111", "https://id.gs1.org/417/9521141111116")
	paper := ids("urn:epc:id:gdti:9521141.12345.006", "https://id.gs1.org/253/9521141123454006")
	device := ids("urn:epc:id:giai:9521141.401", "https://id.gs1.org/8004/9521141401")
	quantity := `[{"epcClass":"` + lot + `","quantity":2,"uom":"KGM"}]`
	sensor := `"deviceID":"` + device + `","deviceMetadata":"` + device + `","rawData":"` + paper + `","dataProcessingMethod":"` + paper + `","bizRules":"` + paper + `"`
	return `{"@context":{"ex":"https://ns.example.com/"},"type":"ObjectEvent","eventID":"urn:epc:id:giai:9521141.1","eventTime":"2026-04-20T08:30:00Z","eventTimeZoneOffset":"+08:00",
		"errorDeclaration":{"declarationTime":"2026-04-20T08:30:00Z","reason":"` + words("incorrect_data", "er", "ER") + `","correctiveEventIDs":["urn:epc:id:giai:9521141.2"]},
		"action":"ADD","parentID":"` + unit + `","epcList":["` + item + `","urn:my:own"],"quantityList":` + quantity + `,"childEPCs":["` + item + `"],"childQuantityList":` + quantity + `,
		"inputEPCList":["` + item + `"],"inputQuantityList":` + quantity + `,"outputEPCList":["` + item + `"],"outputQuantityList":` + quantity + `,"transformationID":"` + paper + `",
		"bizStep":"` + words("shipping", "bizstep", "BizStep") + `","disposition":"` + words("in_transit", "disp", "Disp") + `",
		"persistentDisposition":{"set":["` + words("recalled", "disp", "Disp") + `"],"unset":["https://my.example/own"]},
		"readPoint":{"id":"` + place + `"},"bizLocation":{"id":"` + place + `"},
		"bizTransactionList":[{"type":"` + words("po", "btt", "BTT") + `","bizTransaction":"` + paper + `"}],
		"sourceList":[{"type":"` + words("location", "sdt", "SDT") + `","source":"` + place + `"}],"destinationList":[{"type":"` + words("owning_party", "sdt", "SDT") + `","destination":"` + firm + `"}],
		"sensorElementList":[{"sensorMetadata":{` + sensor + `},"sensorReport":[{"type":"` + vocabulary("Temperature") + `","exception":"` + vocabulary("ALARM_CONDITION") + `",` + sensor + `,
		"component":"` + words("x", "comp", "Comp") + `"}]}],"ilmd":{"ex:a":"urn:epc:id:sgtin:9521141.012345.7"},"ex:b":"https://id.gs1.org/01/09521141123454"}`
}

func read(t *testing.T, text string) *event.Event {
	t.Helper()
	e, err := event.Unmarshal([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var ignore = cmpopts.IgnoreUnexported(event.Event{})

// Every spelling becomes every other, nothing else changes, and the original stays.
func TestEvent(t *testing.T) {
	epcs := map[translate.EPCFormat]int{translate.EPCURN: 0, translate.EPCDigitalLink: 1}
	cbvs := map[translate.CBVFormat]int{translate.CBVURN: 1, translate.CBVWebURI: 2}
	for from := range 2 {
		for word := range 3 {
			e, before := read(t, spelt(from, word, word/2)), read(t, spelt(from, word, word/2))
			for epc, to := range epcs {
				for cbv, toWord := range cbvs {
					got := translate.Event(e, epc, cbv, "9521141", "https://9521141.example/")
					if d := cmp.Diff(read(t, spelt(to, toWord, max(word, toWord)/2)), got, ignore); d != "" {
						t.Errorf("%d %d to %s %s:\n%s", from, word, epc, cbv, d)
					}
					if got.Hash() != e.Hash() {
						t.Errorf("%d %d to %s %s hashes otherwise:\n%s\n%s", from, word, epc, cbv, got.PreHash(), e.PreHash())
					}
				}
			}
			for _, same := range []*event.Event{
				translate.Event(e, translate.EPCNever, translate.CBVNever, "9521141"),
				translate.Event(e, translate.EPCNoPreference, translate.CBVNoPreference, "9521141"),
			} {
				if same != e {
					t.Error("nothing was asked for, and it is another event")
				}
			}
			if d := cmp.Diff(before, e, ignore); d != "" {
				t.Errorf("the original has changed:\n%s", d)
			}
		}
	}
}

// What has no other form stays as it is.
func TestUntranslatable(t *testing.T) {
	for name, test := range map[string]struct {
		id       string
		epc      translate.EPCFormat
		prefixes []string
	}{
		"prefix not known":            {"https://id.gs1.org/01/09521141123454/21/7", translate.EPCURN, []string{"0614141", "95", "4012345678901"}},
		"no prefixes":                 {"https://id.gs1.org/01/09521141123454/21/7", translate.EPCURN, nil},
		"two prefixes":                {"https://id.gs1.org/01/09521141123454/21/7", translate.EPCURN, []string{"9521141", "952114"}},
		"check digit":                 {"https://id.gs1.org/01/09521141123455/21/7", translate.EPCURN, []string{"9521141"}},
		"extension 0":                 {"https://id.gs1.org/414/9521141111116/254/0", translate.EPCURN, []string{"9521141"}},
		"serial too long":             {"https://id.gs1.org/01/09521141123454/21/123456789012345678901", translate.EPCURN, []string{"9521141"}},
		"no URN":                      {"https://id.gs1.org/8013/9521141ABCDEF", translate.EPCURN, []string{"9521141"}},
		"web page":                    {"https://example.com/9521141", translate.EPCURN, []string{"9521141"}},
		"own URN":                     {"urn:my:lot:7", translate.EPCURN, []string{"9521141"}},
		"link on another domain":      {"https://shop.example/01/09521141123454/10/A/21/7?x=y", translate.EPCDigitalLink, nil},
		"not a GS1 key":               {"urn:epc:id:gid:952056.2.7", translate.EPCDigitalLink, nil},
		"URN with faulty prefix":      {"urn:epc:id:sgtin:95.012345.7", translate.EPCDigitalLink, nil},
		"URN with faulty serial":      {"urn:epc:id:sgtin:9521141.012345.123456789012345678901", translate.EPCDigitalLink, nil},
		"business transaction of GLN": {"urn:epcglobal:cbv:bt:9521141111116:7", translate.EPCDigitalLink, nil},
	} {
		e := &event.Event{Type: event.Object, EPCs: []string{test.id}}
		if got := translate.Event(e, test.epc, translate.CBVNever, test.prefixes...); got.EPCs[0] != test.id || got.Hash() != e.Hash() {
			t.Errorf("%s: %s became %s", name, test.id, got.EPCs[0])
		}
	}
	e := read(t, `{"@context":{"urn":"https://ns.example.com/"},"type":"ObjectEvent","eventTime":"2026-04-20T08:30:00Z","eventTimeZoneOffset":"+08:00","epcList":["urn:epc:id:sgtin:9521141.012345.7"]}`)
	if got := translate.Event(e, translate.EPCDigitalLink, translate.CBVNever); got.Hash() != e.Hash() {
		t.Error("urn is a prefix of names there")
	}
}

// A link on any domain, with short names or more than a URN can say, becomes the URN of what it names.
func TestLinksToURN(t *testing.T) {
	for link, want := range map[string]string{
		"https://shop.example/p/01/09521141123454/10/A/21/7?x=y": "urn:epc:id:sgtin:9521141.012345.7",
		"https://id.gs1.org/gtin/9521141123454":                  "urn:epc:idpat:sgtin:9521141.012345.*",
		"https://id.gs1.org/414/9521141111116":                   "urn:epc:id:sgln:9521141.11111.0",
	} {
		e := &event.Event{Type: event.Object, EPCs: []string{link}}
		got := translate.Event(e, translate.EPCURN, translate.CBVNever, "9521141")
		if got.EPCs[0] != want || got.Hash() != e.Hash() {
			t.Errorf("%s became %s", link, got.EPCs[0])
		}
	}
}

// FuzzEvent: whatever an event says, in another spelling it is the same event, and spelt so twice is spelt so once.
func FuzzEvent(f *testing.F) {
	for id := range 2 {
		for word := range 3 {
			f.Add([]byte(spelt(id, word, word/2)), "9521141")
		}
	}
	f.Add([]byte(`{"@context":{"urn":"x:","https":"y:"},"type":"ObjectEvent","eventTime":"2026-04-20T08:30:00Z","eventTimeZoneOffset":"Z","epcList":["urn:epc:id:sgtin:9521141.012345.7"]}`), "952114")
	f.Fuzz(func(t *testing.T, text []byte, prefix string) {
		e, err := event.Unmarshal(text)
		if err != nil {
			return
		}
		for _, epc := range []translate.EPCFormat{translate.EPCDigitalLink, translate.EPCURN} {
			for _, cbv := range []translate.CBVFormat{translate.CBVURN, translate.CBVWebURI} {
				got := translate.Event(e, epc, cbv, prefix)
				if got.Hash() != e.Hash() {
					t.Fatalf("%s %s:\n got %s\nwant %s", epc, cbv, got.PreHash(), e.PreHash())
				}
				if d := cmp.Diff(got, translate.Event(got, epc, cbv, prefix), ignore); d != "" {
					t.Fatalf("%s %s twice:\n%s", epc, cbv, d)
				}
			}
		}
	})
}

func TestParseFormats(t *testing.T) {
	for header, want := range map[string]translate.EPCFormat{"": translate.EPCDigitalLink, "No_Preference": translate.EPCNoPreference,
		"Always_GS1_Digital_Link": translate.EPCDigitalLink, "Always_EPC_URN": translate.EPCURN, "Never_Translates": translate.EPCNever} {
		if got, ok := translate.ParseEPCFormat(header); got != want || !ok {
			t.Errorf("%q is %q, %v", header, got, ok)
		}
	}
	for header, want := range map[string]translate.CBVFormat{"": translate.CBVNoPreference, "No_Preference": translate.CBVNoPreference,
		"Always_Web_URI": translate.CBVWebURI, "Always_URN": translate.CBVURN, "Never_Translates": translate.CBVNever} {
		if got, ok := translate.ParseCBVFormat(header); got != want || !ok {
			t.Errorf("%q is %q, %v", header, got, ok)
		}
	}
	if _, ok := translate.ParseEPCFormat("always_epc_urn"); ok {
		t.Error("a value that the standard does not have was read")
	}
	if _, ok := translate.ParseCBVFormat("URN"); ok {
		t.Error("a value that the standard does not have was read")
	}
}
