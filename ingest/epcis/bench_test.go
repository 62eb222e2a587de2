package epcis_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
)

// shipment is a document of n shipping events of about 1 KB, as a packer's system sends them.
func shipment(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"ex":"https://ns.example.com/epcis/"}],` +
		`"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-04-20T08:30:00Z","epcisBody":{"eventList":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"ObjectEvent","eventID":"urn:uuid:00000000-0000-4000-8000-%012d","eventTime":"2026-04-20T08:30:%02d.%03d+02:00",`+
			`"eventTimeZoneOffset":"+02:00","action":"OBSERVE","bizStep":"shipping","disposition":"in_transit",`+
			`"epcList":["https://id.gs1.org/00/006141411234567890"],`+
			`"quantityList":[{"epcClass":"https://id.gs1.org/01/09521141012345/10/LOT-%d","quantity":%d.5,"uom":"KGM"},`+
			`{"epcClass":"urn:epc:class:lgtin:9521141.001234.LOT-%d","quantity":12}],`+
			`"readPoint":{"id":"https://id.gs1.org/414/9521141111116/254/dock-3"},"bizLocation":{"id":"urn:epc:id:sgln:9521141.11111.0"},`+
			`"bizTransactionList":[{"type":"bol","bizTransaction":"urn:epcglobal:cbv:bt:9521141111116:BOL-%d"}],`+
			`"sourceList":[{"type":"owning_party","source":"urn:epc:id:pgln:9521141.11111"}],`+
			`"destinationList":[{"type":"location","destination":"https://id.gs1.org/414/9521141222225"},`+
			`{"type":"owning_party","destination":"urn:epc:id:pgln:9521141.22222"}],"ex:carrier":"Road & Sons"}`,
			i, i%60, i%1000, i, i%900+1, i, i)
	}
	b.WriteString(`]}}`)
	return b.Bytes()
}

// BenchmarkDecodeHash is what a machine can do before anything is decided or stored: the measure of capture.
func BenchmarkDecodeHash(b *testing.B) {
	const events = 1000
	decodeHash(b, shipment(events), events)
}

func decodeHash(b *testing.B, doc []byte, events int) {
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		r := epcis.NewReader(bytes.NewReader(doc), epcis.Limits{})
		for {
			e, problems, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil || e == nil || len(problems) > 0 {
				b.Fatal(err, problems)
			}
			e.Hash()
		}
	}
	b.ReportMetric(float64(b.N)*float64(events)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkDecodeHashXML is BenchmarkDecodeHash of the same events in XML.
func BenchmarkDecodeHashXML(b *testing.B) {
	const n = 1000
	var doc bytes.Buffer
	begin, end, _ := strings.Cut(xmlDocument("|"), "|")
	doc.WriteString(begin)
	for i := range n {
		fmt.Fprintf(&doc, `<ObjectEvent><eventTime>2026-04-20T08:30:%02d.%03d+02:00</eventTime><eventTimeZoneOffset>+02:00</eventTimeZoneOffset>`+
			`<eventID>urn:uuid:00000000-0000-4000-8000-%012d</eventID><epcList><epc>https://id.gs1.org/00/006141411234567890</epc></epcList><action>OBSERVE</action>`+
			`<bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep><disposition>urn:epcglobal:cbv:disp:in_transit</disposition>`+
			`<readPoint><id>https://id.gs1.org/414/9521141111116/254/dock-3</id></readPoint><bizLocation><id>urn:epc:id:sgln:9521141.11111.0</id></bizLocation>`+
			`<bizTransactionList><bizTransaction type="urn:epcglobal:cbv:btt:bol">urn:epcglobal:cbv:bt:9521141111116:BOL-%d</bizTransaction></bizTransactionList>`+
			`<quantityList><quantityElement><epcClass>https://id.gs1.org/01/09521141012345/10/LOT-%d</epcClass><quantity>%d.5</quantity><uom>KGM</uom></quantityElement>`+
			`<quantityElement><epcClass>urn:epc:class:lgtin:9521141.001234.LOT-%d</epcClass><quantity>12</quantity></quantityElement></quantityList>`+
			`<sourceList><source type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:pgln:9521141.11111</source></sourceList>`+
			`<destinationList><destination type="urn:epcglobal:cbv:sdt:location">https://id.gs1.org/414/9521141222225</destination>`+
			`<destination type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:pgln:9521141.22222</destination></destinationList>`+
			`<ex:carrier>Road &amp; Sons</ex:carrier></ObjectEvent>`, i%60, i%1000, i, i, i, i%900+1, i)
	}
	doc.WriteString(end)
	decodeHash(b, doc.Bytes(), n)
}
