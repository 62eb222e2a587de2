package epcisrest

import (
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/gateway/accept"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/translate"
)

// The media types of answers.
const (
	jsonMedia = "application/json"
	ldMedia   = "application/ld+json"
	xmlMedia  = "application/xml"
	textXML   = "text/xml"
)

type media string

func (m media) xml() bool { return m == xmlMedia || m == textXML }

// negotiate returns the media type of the answer that the client wants most, JSON of equals, or 406.
func negotiate(r *http.Request) (media, error) {
	m := accept.Choose(strings.Join(r.Header.Values("Accept"), ","), jsonMedia, ldMedia, xmlMedia, textXML)
	if m == "" {
		return "", notAcceptable("The answer can be had as application/json, application/ld+json, application/xml or text/xml.",
			problem.Item{Code: problem.NotAcceptable, Detail: "None of these is among what you accept.", Field: "Accept"})
	}
	return media(m), nil
}

// write answers in a form that was negotiated. What a client may see depends on who it is.
func write(w http.ResponseWriter, status int, m media, body []byte) {
	h := w.Header()
	h.Set("Content-Type", string(m))
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept, Authorization")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that left is not an error
}

// inXML is an answer that has a form in XML.
type inXML interface{ toXML() any }

// answer answers with a value: in JSON, or in XML where it has such a form and the client prefers it.
func answer(w http.ResponseWriter, r *http.Request, status int, v any) {
	m, err := negotiate(r)
	if err != nil {
		fail(w, r, err)
		return
	}
	x, ok := v.(inXML)
	if m.xml() && !ok {
		fail(w, r, notAcceptable("This resource answers in JSON only.",
			problem.Item{Code: problem.NotAcceptable, Detail: "Accept application/json.", Field: "Accept"}))
		return
	}
	var body []byte
	if m.xml() {
		body, err = xml.Marshal(x.toXML())
		body = append([]byte(xml.Header), body...)
	} else {
		body, err = json.Marshal(v)
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	write(w, status, m, body)
}

// Collection lists names (EPCIS 2.0 REST, for example UriCollection).
type Collection struct {
	Context []string `json:"@context"`
	Type    string   `json:"type"`
	Member  []string `json:"member"`
}

func collection(members ...string) Collection {
	if members == nil {
		members = []string{}
	}
	return Collection{Context: []string{epcis.ContextURI}, Type: "Collection", Member: members}
}

func (c Collection) toXML() any {
	return struct {
		XMLName xml.Name `xml:"epcis:Collection"`
		spaces
		Member []string `xml:"member"`
	}{spaces: bothSpaces, Member: c.Member}
}

// form is how events are answered: as what, and with identifiers and words spelled how.
type form struct {
	media
	epc translate.EPCFormat
	cbv translate.CBVFormat
}

// What is wrong with a format that is none.
var (
	epcItem = problem.Item{Code: problem.InvalidField, Detail: "Send No_Preference, Always_GS1_Digital_Link, Always_EPC_URN or Never_Translates.", Field: epcFormat}
	cbvItem = problem.Item{Code: problem.InvalidField, Detail: "Send No_Preference, Always_Web_URI, Always_URN or Never_Translates.", Field: cbvFormat}
)

func notAcceptable(detail string, items ...problem.Item) error {
	return exception(http.StatusNotAcceptable, "NotAcceptableException", problem.NotAcceptable, detail, items...)
}

// formOf negotiates the form of an answer with events, or returns 406 with all that does not fit.
func formOf(r *http.Request) (f form, err error) {
	if f.media, err = negotiate(r); err != nil {
		return f, err
	}
	var items []problem.Item
	var ok bool
	if f.epc, ok = translate.ParseEPCFormat(r.Header.Get(epcFormat)); !ok {
		items = append(items, epcItem)
	}
	if f.cbv, ok = translate.ParseCBVFormat(r.Header.Get(cbvFormat)); !ok {
		items = append(items, cbvItem)
	}
	if len(items) > 0 {
		return f, notAcceptable("The events cannot be answered in this form.", items...)
	}
	if !f.xml() { // the format of words is about XML only
		f.cbv = translate.CBVNever
	}
	return f, nil
}

// announce says in which form the events are.
func (f form) announce(w http.ResponseWriter) {
	w.Header().Set(epcFormat, string(f.epc))
	if f.xml() {
		w.Header().Set(cbvFormat, string(f.cbv))
	}
}
