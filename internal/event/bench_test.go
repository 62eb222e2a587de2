package event_test

import (
	"testing"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

var typical = []byte(`{"@context":{"ex":"https://ns.example.com/epcis/"},"type":"ObjectEvent","eventID":"urn:uuid:00000000-0000-4000-8000-000000000001",` +
	`"eventTime":"2026-04-20T08:30:00.123+02:00","eventTimeZoneOffset":"+02:00","action":"OBSERVE","epcList":["https://id.gs1.org/00/006141411234567890"],` +
	`"quantityList":[{"epcClass":"https://id.gs1.org/01/09521141012345/10/LOT-1","quantity":12.5,"uom":"KGM"},` +
	`{"epcClass":"urn:epc:class:lgtin:9521141.001234.LOT-1","quantity":12}],"bizStep":"shipping","disposition":"in_transit",` +
	`"readPoint":{"id":"https://id.gs1.org/414/9521141111116/254/dock-3"},"bizLocation":{"id":"urn:epc:id:sgln:9521141.11111.0"},` +
	`"bizTransactionList":[{"type":"bol","bizTransaction":"urn:epcglobal:cbv:bt:9521141111116:BOL-1"}],` +
	`"sourceList":[{"type":"owning_party","source":"urn:epc:id:pgln:9521141.11111"}],` +
	`"destinationList":[{"type":"location","destination":"https://id.gs1.org/414/9521141222225"},` +
	`{"type":"owning_party","destination":"urn:epc:id:pgln:9521141.22222"}],"ex:carrier":"Road & Sons"}`)

func BenchmarkUnmarshal(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.Unmarshal(typical); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMarshal(b *testing.B) {
	e, err := event.Unmarshal(typical)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.Marshal(e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPreHash(b *testing.B) {
	e, err := event.Unmarshal(typical)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		e.PreHash()
	}
}
