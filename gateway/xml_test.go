package gateway_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// documentXML is the event of document in XML.
const documentXML = `<?xml version="1.0"?><epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" xmlns:ex="https://example.org/ns/" schemaVersion="2.0"
creationDate="2026-04-23T10:00:00Z"><EPCISBody><EventList><ObjectEvent><eventTime>2026-04-23T09:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>
<eventID>urn:uuid:4f1b7a4e-1111-4c7e-9d9b-000000000001</eventID><action>ADD</action><bizStep>urn:epcglobal:cbv:bizstep:commissioning</bizStep><readPoint><id>SITE</id></readPoint>
<quantityList><quantityElement><epcClass>urn:epc:class:lgtin:6900101.000001.NEW%2F1</epcClass><quantity>5.0</quantity><uom>KGM</uom></quantityElement></quantityList>
<ex:field>x</ex:field></ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>`

// An event that was captured as JSON is a duplicate as XML, whatever the XML is called.
func TestCaptureXML(t *testing.T) {
	w := newWorld(t)
	farm := w.as(w.story.Producer)
	site := w.story.Registration.Sites[slices.IndexFunc(w.story.Registration.Sites, func(s contract.Site) bool { return s.Owner == w.story.Producer })].ID
	for i, try := range []struct{ media, doc string }{
		{"application/xml; charset=utf-8", documentXML}, {"text/xml", documentXML}, {"application/json", document},
	} {
		res := w.ask(http.MethodPost, "/epcis/capture", strings.Replace(try.doc, "SITE", site, 1), append(farm, "Content-Type", try.media)...)
		if res.Code != http.StatusAccepted {
			t.Fatalf("%s: %d %s", try.media, res.Code, res.Body)
		}
		job := w.waitForJob(res.Header().Get("Location"), farm)
		if first := i == 0; !job.Success || job.Foodtrace.Accepted == 1 != first || job.Foodtrace.Duplicates == 1 == first {
			t.Errorf("%s: %+v", try.media, job)
		}
	}
}
