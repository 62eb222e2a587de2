package capture_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
)

// harvestXML is harvest, as EPCIS 1.2 has it in XML.
func harvestXML(lot string) string {
	return `<ObjectEvent><eventTime>2026-05-01T06:00:00Z</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset><epcList/><action>ADD</action>` +
		`<bizStep>urn:epcglobal:cbv:bizstep:commissioning</bizStep><extension><quantityList><quantityElement><epcClass>urn:example:lot:` + lot +
		`</epcClass><quantity>5</quantity><uom>KGM</uom></quantityElement></quantityList></extension></ObjectEvent>`
}

func documentXML(events ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2"
		creationDate="2026-05-02T00:00:00Z"><EPCISBody><EventList>` + strings.Join(events, "\n") + `</EventList></EPCISBody></epcis:EPCISDocument>`
}

// A document is captured by its content, and what was sent in one format is a duplicate in the other.
func TestXML(t *testing.T) {
	b := newBench(t)
	wrong := strings.Replace(harvestXML("3"), "<action>ADD</action>", "", 1)
	job := b.capture(true, documentXML(harvestXML("1"), wrong, harvestXML("2")))
	if job.Accepted != 2 || job.Refused != 1 || job.Evidence.MediaType != "application/xml" {
		t.Error(brief(job), job.Evidence.MediaType)
	}
	missing := func(p capture.Problem) bool {
		return p.Code == "MISSING" && p.Pointer == "/epcis:EPCISDocument/EPCISBody/EventList/ObjectEvent[2]/action"
	}
	if !slices.ContainsFunc(job.Problems, missing) {
		t.Error(brief(job))
	}
	if job = b.capture(true, document(harvest("2"), harvest("1"), harvest("4"))); job.Accepted != 1 || job.Duplicates != 2 {
		t.Error(brief(job))
	}
	if job = b.capture(false, documentXML(harvestXML("4"), harvestXML("5"))); job.Accepted != 1 || job.Duplicates != 1 {
		t.Error(brief(job))
	}
	cut, _, _ := strings.Cut(documentXML(harvestXML("6"), harvestXML("7")), "urn:example:lot:7")
	if job = b.capture(true, cut); job.Accepted != 1 || !hasRefusal(job, "XML_SYNTAX") {
		t.Error(brief(job))
	}
	if job = b.capture(true, "<html></html>"); job.Success || !hasRefusal(job, "DOCUMENT_TYPE") {
		t.Error(brief(job))
	}
}
