package epcis

import (
	"encoding/xml"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// head writes a document up to its first event and returns what closes it after the last.
func (x *xmlText) head(h *Header) (end string) {
	root, space := "epcis:"+docType, `xmlns:epcis="urn:epcglobal:epcis:xsd:2"`
	if h.Type == queryType {
		root, space = "epcisq:"+queryType, `xmlns:epcisq="urn:epcglobal:epcis-query:xsd:2"`
	}
	x.b = append(x.b, xml.Header+"<"+root+" "+space...)
	x.attr("id", h.ID)
	x.attr("schemaVersion", h.version())
	x.attr("creationDate", h.CreationDate.String())
	x.b = append(x.b, '>')
	x.header(h)
	if h.Type != queryType {
		x.b = append(x.b, "<EPCISBody><EventList>\n"...)
		return "</EventList></EPCISBody></" + root + ">\n"
	}
	x.b = append(x.b, "<EPCISBody><epcisq:QueryResults>"...)
	x.element("queryName", h.QueryName)
	if h.SubscriptionID != "" {
		x.element("subscriptionID", h.SubscriptionID)
	}
	x.b = append(x.b, "<resultsBody><EventList>\n"...)
	return "</EventList></resultsBody></epcisq:QueryResults></EPCISBody></" + root + ">\n"
}

// header writes EPCISHeader, if there is something for it. Of query results the master data stand there too: their body holds events or
// vocabularies, not both.
func (x *xmlText) header(h *Header) {
	m := h.MasterData
	described := m != nil && len(m.Sites)+len(m.Products) > 0
	addressed := h.Sender != "" || h.Receiver != "" || h.InstanceIdentifier != ""
	if !described && !addressed {
		return
	}
	x.open("EPCISHeader")
	if addressed {
		x.businessHeader(h)
	}
	if described {
		x.b = append(x.b, "<extension><EPCISMasterData><VocabularyList>"...)
		x.vocabulary(siteType, len(m.Sites), func(i int) (string, []contract.MasterAttr) { return m.Sites[i].ID, siteAttributes(&m.Sites[i]) })
		x.vocabulary(productType, len(m.Products), func(i int) (string, []contract.MasterAttr) {
			return m.Products[i].ID, productAttributes(&m.Products[i])
		})
		x.b = append(x.b, "</VocabularyList></EPCISMasterData></extension>"...)
	}
	x.close("EPCISHeader")
}

// businessHeader writes the Standard Business Document Header (UN/CEFACT), with the constants that EPCIS 1.2, section 9.2 gives it.
func (x *xmlText) businessHeader(h *Header) {
	const sbdh = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
	x.b = append(x.b, `<sbdh:StandardBusinessDocumentHeader xmlns:sbdh="`+sbdh+`"><sbdh:HeaderVersion>1.0</sbdh:HeaderVersion>`...)
	for _, partner := range [...][2]string{{"sbdh:Sender", h.Sender}, {"sbdh:Receiver", h.Receiver}} {
		x.open(partner[0])
		x.element("sbdh:Identifier", partner[1])
		x.close(partner[0])
	}
	x.b = append(x.b, "<sbdh:DocumentIdentification><sbdh:Standard>EPCglobal</sbdh:Standard><sbdh:TypeVersion>1.0</sbdh:TypeVersion>"...)
	x.element("sbdh:InstanceIdentifier", h.InstanceIdentifier)
	x.b = append(x.b, "<sbdh:Type>Events</sbdh:Type>"...)
	x.time("sbdh:CreationDateAndTime", h.CreationDate)
	x.b = append(x.b, "</sbdh:DocumentIdentification></sbdh:StandardBusinessDocumentHeader>"...)
}

// vocabulary writes n elements of master data, if there are any.
func (x *xmlText) vocabulary(typ string, n int, element func(int) (id string, attributes []contract.MasterAttr)) {
	if n == 0 {
		return
	}
	x.b = append(x.b, `<Vocabulary type="`+typ+`"><VocabularyElementList>`...)
	for i := range n {
		id, attributes := element(i)
		x.b = append(x.b, "<VocabularyElement"...)
		x.attr("id", id)
		x.b = append(x.b, '>')
		for _, a := range attributes {
			x.b = append(x.b, "<attribute"...)
			x.attr("id", a.ID)
			x.b = append(x.b, '>')
			if v := jsontext.Value(a.Value); isElements(v) {
				x.object(v)
			} else {
				x.chars(a.Value)
			}
			x.close("attribute")
		}
		x.close("VocabularyElement")
	}
	x.b = append(x.b, "</VocabularyElementList></Vocabulary>"...)
}

// isElements says whether a value is an object that XML has as elements: its names need no namespace and its values are texts. What is read
// of these is the same object; the JSON of another one is written as a text, and read as that.
func isElements(v jsontext.Value) bool {
	if v.Kind() != '{' || !v.IsValid() {
		return false
	}
	for name, value := range members(v) {
		list := []jsontext.Value{value}
		if value.Kind() == '[' {
			list = list[:0]
			for _, e := range elements(value) {
				list = append(list, e)
			}
			if len(list) < 2 { // one element is no array
				return false
			}
		}
		for _, e := range list {
			if !isLocal(name) || e.Kind() != '"' && !isElements(e) {
				return false
			}
		}
	}
	return true
}
