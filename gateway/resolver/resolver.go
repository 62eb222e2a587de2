// Package resolver answers at GS1 Digital Link addresses (GS1 Digital Link: URI Syntax and Resolution 1.x): a page for
// people, JSON or a linkset for machines, and the QR codes that lead there.
package resolver

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/gateway/accept"
	"github.com/foodtrace-ledger/foodtrace/gateway/pages"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// Resolver serves the addresses of items.
type Resolver struct {
	views *view.Source
	pages *pages.Pages
	base  string // where people reach this server, without a slash at the end
	cache *pages.Cache
}

// New returns a resolver. publicURL is where people reach this server: what QR codes and linksets name.
func New(views *view.Source, p *pages.Pages, publicURL string) *Resolver {
	return &Resolver{views: views, pages: p, base: strings.TrimRight(publicURL, "/"), cache: pages.NewCache()}
}

// keys are the primary keys of things that events name, and their short names (GS1 Digital Link: URI Syntax 1.1).
var keys = []string{"01", "00", "253", "255", "401", "402", "8003", "8004", "8006", "8010", "8017", "8018",
	"gtin", "sscc", "gdti", "gcn", "ginc", "gsin", "grai", "giai", "itip", "cpi", "gsrnp", "gsrn"}

// Register adds the addresses to a router.
func (s *Resolver) Register(r chi.Router) {
	for _, key := range keys {
		r.Get("/"+key+"/*", s.digitalLink)
		r.Head("/"+key+"/*", s.digitalLink)
	}
	r.Get(view.LotPath+"*", s.otherURI)
	r.Head(view.LotPath+"*", s.otherURI)
	r.Get("/qr.svg", s.qr)
	r.Get("/qr.png", s.qr)
}

// target is what an address names.
type target struct {
	key        string // canonical
	class      bool   // a product, no lot
	checkDigit bool   // the check digit is wrong
}

// maxPath bounds an address: no identifier is longer.
const maxPath = 2000 // bytes

func (s *Resolver) digitalLink(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	id, err := gs1.Parse("https://id.gs1.org" + path)
	if len(path) > maxPath || id.Kind == gs1.Other {
		s.refuse(w, r, err)
		return
	}
	t := target{key: id.Canonical, class: id.Kind == gs1.Class, checkDigit: gs1.IsCheckDigit(err)}
	lot, both := lotOf(path)
	if !both && path != view.Path(t.key) {
		redirect(w, r, view.Path(t.key), http.StatusPermanentRedirect)
		return
	}
	if both { // a pack that has a serial number: where only its lot is known, the lot's page
		if _, err := s.views.Public().Item(r.Context(), t.key); errors.Is(err, index.ErrNotFound) {
			t.key = lot
		}
	}
	s.answer(w, r, t)
}

// lotOf returns the key of the lot in a path that names a lot and a serial number in it.
func lotOf(path string) (key string, ok bool) {
	for _, serial := range []string{"/21/", "/ser/"} {
		if i := strings.LastIndex(path, serial); i > 0 {
			id, _ := gs1.Parse("https://id.gs1.org" + path[:i])
			return id.Canonical, id.Kind == gs1.Lot
		}
	}
	return "", false
}

// otherURI answers at the address of an item that is not GS1's. One that is, is sent to its Digital Link.
func (s *Resolver) otherURI(w http.ResponseWriter, r *http.Request) {
	escaped := strings.TrimPrefix(r.URL.EscapedPath(), view.LotPath)
	uri, err := url.PathUnescape(escaped)
	if err != nil || len(escaped) > maxPath || !strings.Contains(uri, ":") {
		s.refuse(w, r, nil)
		return
	}
	key, _ := gs1.Canonical(uri) // one that cannot be read stands for itself
	if path := view.Path(key); !strings.HasPrefix(path, view.LotPath) {
		redirect(w, r, path, http.StatusPermanentRedirect)
		return
	}
	s.answer(w, r, target{key: key})
}

// redirect sends the client to a path of this server, with the query that it came with.
func redirect(w http.ResponseWriter, r *http.Request, path string, status int) {
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	http.Redirect(w, r, path, status)
}

const (
	html    = "text/html"
	plain   = "application/json"
	linked  = "application/ld+json"
	linkset = "application/linkset+json"
)

// refuse answers to an address that cannot be read: as a page or as a problem, whichever is wanted.
func (s *Resolver) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.New(http.StatusNotFound, problem.NotFound, "This address does not name a product, a lot or a logistic unit.")
	var fault *gs1.Error
	if errors.As(err, &fault) {
		p.Errors = []problem.Item{{Code: string(fault.Code), Detail: fault.Msg, Field: fault.Part}}
	}
	if accept.Choose(r.Header.Get("Accept"), html, plain) == html {
		s.pages.Error(w, r, p)
		return
	}
	problem.Write(w, r, p)
}

// answer finds out what is wanted: a link of a type, or a representation.
func (s *Resolver) answer(w http.ResponseWriter, r *http.Request, t target) {
	w.Header().Set("Link", "<"+s.base+view.Path(t.key)+`?linkType=all>; rel="linkset"; type="`+linkset+`"`)
	switch link := linkName(r.URL.Query().Get("linkType")); link {
	case "", "defaultLink", "pip":
	case "all", "linkset":
		s.linkset(w, r, t)
		return
	default:
		for _, l := range s.links(t.key, t.class) {
			if l.name == link {
				http.Redirect(w, r, l.path, http.StatusTemporaryRedirect)
				return
			}
		}
		problem.Write(w, r, problem.New(http.StatusNotFound, problem.NotFound, "There is no link of this type.",
			problem.Item{Code: problem.InvalidField, Detail: "Ask for linkType=all to see those that there are.", Field: "linkType"}))
		return
	}
	switch accept.Choose(r.Header.Get("Accept"), html, plain, linked, linkset) {
	case html:
		if t.class {
			s.pages.Product(w, r, t.key)
			return
		}
		s.pages.Lot(w, r, t.key, t.checkDigit)
	case plain, linked:
		s.json(w, r, t)
	case linkset:
		s.linkset(w, r, t)
	default:
		problem.Write(w, r, problem.New(http.StatusNotAcceptable, problem.NotAcceptable, "There is text/html, application/json and application/linkset+json here."))
	}
}

// json answers with what everybody may know of an item.
func (s *Resolver) json(w http.ResponseWriter, r *http.Request, t target) {
	version, err := s.views.Version(r.Context())
	if err != nil {
		problem.Write(w, r, err)
		return
	}
	k := pages.Key{Item: t.key, Form: plain}
	a := s.cache.Get(k, version)
	if a == nil {
		body, err := s.publicJSON(r, t)
		if errors.Is(err, index.ErrNotFound) {
			err = problem.New(http.StatusNotFound, problem.NotFound, "Nothing on the record has this name.")
		}
		if err != nil {
			problem.Write(w, r, err)
			return
		}
		a = pages.NewAnswer(version, plain, body)
		s.cache.Put(k, a)
	}
	a.Serve(w, r)
}

// maxLots is how many lots the answer for a product lists.
const maxLots = 50

func (s *Resolver) publicJSON(r *http.Request, t target) ([]byte, error) {
	v := s.views.Public()
	if !t.class {
		d, err := v.Dossier(r.Context(), t.key, "")
		if err != nil {
			return nil, err
		}
		return json.Marshal(d, json.Deterministic(true))
	}
	items, _, err := v.Items(r.Context(), t.key, index.Page{Limit: maxLots})
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, index.ErrNotFound
	}
	return json.Marshal(struct {
		Product string       `json:"product"`
		Lots    []index.Item `json:"lots"`
	}{t.key, items})
}
