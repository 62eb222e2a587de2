package epcisrest

import (
	"encoding/xml"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/gateway/accept"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
)

// Problems has problems leave as the standard says: with its types, in XML for who wants XML.
func Problems(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(problem.WithForm(r.Context(), problemForm)))
	})
}

// problemXML is the media type of a problem in XML (RFC 9457, section 3).
const problemXML = "application/problem+xml"

func problemForm(r *http.Request, p *problem.Problem) (mediaType string, body []byte, err error) {
	p = typed(p)
	switch accept.Choose(r.Header.Get("Accept"), problem.MediaType, jsonMedia, ldMedia, problemXML, xmlMedia, textXML) {
	case problemXML, xmlMedia, textXML:
		x := exceptionXML{spaces: bothSpaces, errorXML: errorXML{Type: p.Type, Title: p.Title, Status: p.Status, Detail: p.Detail, Instance: p.Instance, Code: p.Code}}
		for _, item := range p.Errors {
			x.Errors = append(x.Errors, itemXML(item))
		}
		body, err = xml.Marshal(x)
		return problemXML, append([]byte(xml.Header), body...), err
	}
	body, err = json.Marshal(p)
	return problem.MediaType, body, err
}

// spaces declares the namespaces of a root element: the standard's, and ours for what the standard has no element for.
type spaces struct {
	Epcis string `xml:"xmlns:epcis,attr"`
	Own   string `xml:"xmlns:foodtrace,attr"`
}

var bothSpaces = spaces{"urn:epcglobal:epcis:xsd:2", "urn:foodtrace:epcis"}

// exceptionXML is a problem in XML (EPCglobal-epcis-2_0.xsd, EPCISException).
type exceptionXML struct {
	XMLName xml.Name `xml:"epcis:EPCISException"`
	spaces
	errorXML
	Errors []itemXML `xml:"foodtrace:error"`
}

type itemXML struct {
	Code   string `xml:"foodtrace:code"`
	Detail string `xml:"foodtrace:detail"`
	Field  string `xml:"foodtrace:field,omitempty"`
}

// errorXML is RFC7807ProblemResponseBodyType of the schema.
type errorXML struct {
	Type     string `xml:"type"`
	Title    string `xml:"title"`
	Status   int    `xml:"status,omitempty"`
	Detail   string `xml:"detail,omitempty"`
	Instance string `xml:"instance,omitempty"`
	Code     string `xml:"foodtrace:code,omitempty"`
}

// exception is a problem of a type of the standard.
func exception(status int, name, code, detail string, errs ...problem.Item) *problem.Problem {
	p := problem.New(status, code, detail, errs...)
	p.Type, p.Title = "epcisException:"+name, name
	return p
}

// typed gives a problem from elsewhere the standard's type. The standard has none for what may be sent again later (429, 503, 507).
func typed(p *problem.Problem) *problem.Problem {
	names := map[int]string{
		http.StatusBadRequest: "ValidationException", http.StatusUnauthorized: "SecurityException", http.StatusForbidden: "SecurityException",
		http.StatusNotFound: "NoSuchResourceException", http.StatusMethodNotAllowed: "ImplementationException", http.StatusNotAcceptable: "NotAcceptableException",
		http.StatusConflict: "ResourceAlreadyExistsException", http.StatusRequestEntityTooLarge: "CaptureLimitExceededException",
		http.StatusUnsupportedMediaType: "UnsupportedMediaTypeException", http.StatusInternalServerError: "ImplementationException",
	}
	name, ok := names[p.Status]
	if !ok || p.Type != "about:blank" {
		return p
	}
	copied := *p
	copied.Type, copied.Title = "epcisException:"+name, name
	return &copied
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.Of(r.Context(), err)
	if p.Status == http.StatusUnauthorized {
		auth.Challenge(w)
	}
	problem.Write(w, r, p)
}

// signedIn refuses the public.
func signedIn(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := auth.Require(r.Context()); err != nil {
			fail(w, r, err)
			return
		}
		next(w, r)
	}
}

func notFound(w http.ResponseWriter, r *http.Request) {
	fail(w, r, problem.New(http.StatusNotFound, problem.NotFound, "There is no such resource here."))
}
