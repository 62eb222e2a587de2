package epcisrest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/translate"
)

// Headers in which clients ask for a spelling of identifiers and words, and servers name the one used.
const (
	epcFormat = "GS1-EPC-Format"
	cbvFormat = "GS1-CBV-XML-Format"
)

// version is a version of EPCIS or CBV: major, minor, patch.
type version [3]int

func (v version) String() string {
	return strconv.Itoa(v[0]) + "." + strconv.Itoa(v[1]) + "." + strconv.Itoa(v[2])
}

// parseVersion reads "2.0" or "2.0.0".
func parseVersion(text string) (v version, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) > len(v) {
		return v, false
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return v, false
		}
		v[i] = int(n)
	}
	return v, true
}

// The versions: answers are of EPCIS 2.0 and CBV 2.0; documents of all earlier ones are captured.
var (
	spoken = version{2, 0, 0}
	oldest = version{1, 0, 0}
)

// standards are what has a version, as the names of headers spell it.
var standards = []string{"EPCIS", "CBV"}

// announce names what is spoken, in every answer.
func announce(vendor string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			for _, standard := range standards {
				h.Set("GS1-"+standard+"-Version", spoken.String())
				h.Set("GS1-"+standard+"-Min", spoken.String())
				h.Set("GS1-"+standard+"-Max", spoken.String())
			}
			h.Set("GS1-Extensions", "") // none that a client would have to know: all that it sends are kept
			h.Set("GS1-Vendor-Version", vendor)
			next.ServeHTTP(w, r)
		})
	}
}

// from lets resources be asked in versions from least to the one that is spoken, and refuses others with 406.
func from(least version) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var items []problem.Item
			for _, standard := range standards {
				w.Header().Set("GS1-"+standard+"-Min", least.String())
				items = append(items, mismatches(r.Header, standard, least)...)
			}
			if len(items) > 0 {
				fail(w, r, notAcceptable("This is spoken from version "+least.String()+" to "+spoken.String()+".", items...))
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// mismatches are the headers of a request that leave no version of a standard from least to the one that is spoken.
func mismatches(h http.Header, standard string, least version) (items []problem.Item) {
	for _, bound := range []struct {
		name string
		fits func(version) bool
	}{
		{"Version", func(v version) bool { return atMost(least, v) && atMost(v, spoken) }},
		{"Min", func(v version) bool { return atMost(v, spoken) }},
		{"Max", func(v version) bool { return atMost(least, v) }},
	} {
		name := "GS1-" + standard + "-" + bound.name
		text := h.Get(name)
		if v, ok := parseVersion(text); text != "" && (!ok || !bound.fits(v)) {
			items = append(items, problem.Item{Code: problem.NotAcceptable, Detail: "Leave it out, or send a version in this range, such as 2.0.0.", Field: name})
		}
	}
	return items
}

func atMost(a, b version) bool { return slices.Compare(a[:], b[:]) <= 0 }

// maxURI bounds the address of a request, in bytes: a query of some hundred identifiers. A longer one can be kept as a named query.
const maxURI = 16 << 10

func limitURI(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.RawQuery)+len(r.URL.EscapedPath()) > maxURI {
			fail(w, r, exception(http.StatusRequestURITooLong, "URITooLongException", problem.TooLarge, "The address is longer than "+strconv.Itoa(maxURI)+
				" bytes. Send the query to /queries under a name, and ask for its events."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// resource adds what a path answers by method, and OPTIONS, which says so (EPCIS 2.0 REST, discovery). Other methods are told the same.
func resource(r chi.Router, path string, methods methods) {
	allow := []string{http.MethodOptions}
	for method := range methods {
		allow = append(allow, method)
		if method == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	slices.Sort(allow)
	known := strings.Join(allow, ", ")
	r.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { // all methods, but for those below
		w.Header().Set("Allow", known)
		fail(w, r, problem.New(http.StatusMethodNotAllowed, problem.Method, "This resource does not know this method."))
	})
	r.Options(path, func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Allow", known)
		h.Set(epcFormat, string(translate.EPCNoPreference)) // any can be asked for
		h.Set(cbvFormat, string(translate.CBVNoPreference))
		w.WriteHeader(http.StatusNoContent)
	})
	for method, handler := range methods {
		r.Method(method, path, handler)
		if method == http.MethodGet {
			r.Head(path, handler)
		}
	}
}

// capturing names, on every OPTIONS of capture, how and how much can be captured.
func capturing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			w.Header().Set("GS1-Capture-Error-Behaviour", "all") // both rollback and proceed
			setLimits(w.Header())
		}
		next.ServeHTTP(w, r)
	})
}

func setLimits(h http.Header) {
	h.Set("GS1-EPCIS-Capture-Limit", strconv.Itoa(capture.MaxAtomic)) // events in a document with rollback
	h.Set("GS1-EPCIS-Capture-File-Size-Limit", strconv.FormatInt(capture.MaxDocument, 10))
}

// extensions are the namespaces that a request declares for the names of extension fields (header GS1-Extensions: prefix=namespace, …).
func extensions(r *http.Request) (list []event.Namespace) {
	for _, line := range r.Header.Values("GS1-Extensions") {
		for part := range strings.SplitSeq(line, ",") {
			if prefix, uri, ok := strings.Cut(strings.TrimSpace(part), "="); ok {
				list = append(list, event.Namespace{Prefix: strings.TrimSpace(prefix), URI: strings.TrimSpace(uri)})
			}
		}
	}
	return list
}
