// Package pages is what people see: the page of a lot, the start page and the search, in Chinese and English, as HTML that
// needs no script.
package pages

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
)

// MediaType of the pages.
const MediaType = "text/html; charset=utf-8"

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed style.css
var style string

// Config is what the pages stand on.
type Config struct {
	Views      *view.Source
	Highlights []string // canonical keys of lots that the start page names
	Files      Files
}

// Files says whether a file is kept here: those of other members' records mostly are not. evidence.ErrNotFound.
type Files interface {
	Stat(ctx context.Context, sha256 string) (size int64, err error)
}

// Pages renders.
type Pages struct {
	Config
	cache     *Cache
	policy    string // Content-Security-Policy
	languages map[Lang]*language
}

// language is the texts and templates of one language.
type language struct {
	lang      Lang
	text      catalogue
	templates map[string]*template.Template
}

// New reads texts and templates.
func New(c Config) (*Pages, error) {
	sum := sha256.Sum256([]byte(style))
	p := &Pages{Config: c, cache: NewCache(), languages: map[Lang]*language{},
		// Nothing but this style and pictures of our own: no script can run, whatever a record says.
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	}
	for _, l := range []Lang{Chinese, English} {
		lang, err := newLanguage(l)
		if err != nil {
			return nil, err
		}
		p.languages[l] = lang
	}
	return p, nil
}

func newLanguage(l Lang) (*language, error) {
	text, err := readCatalogue(l)
	if err != nil {
		return nil, err
	}
	lang := &language{lang: l, text: text, templates: map[string]*template.Template{}}
	for _, name := range []string{"lot", "start", "search", "unknown", "error"} {
		t, err := template.New("frame.html").Funcs(template.FuncMap{"t": text.say, "find": newFind}).ParseFS(templateFiles, "templates/frame.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("pages: %w", err)
		}
		lang.templates[name] = t
	}
	return lang, nil
}

// frame is what every page has around its content.
type frame struct {
	Tag       string // language
	Title     string
	Style     template.CSS
	Switch    string // address of this page in the other language
	SwitchTag string
	Home      string
	Lang      Lang
	Blocks    uint64 // of the record that the page is made from; 0: none
}

func (l *language) frame(title string, r *http.Request) frame {
	return frame{Tag: l.lang.Tag(), Title: title, Style: template.CSS(style), Switch: inLanguage(r.URL, l.lang.other()), SwitchTag: l.lang.other().Tag(),
		Home: "/" + chosen(r), Lang: l.lang}
}

// chosen is the query that keeps a language that the reader chose on the pages that a page leads to: "" if the browser chose it.
func chosen(r *http.Request) string {
	l := Of(r)
	if r.URL.Query().Get("lang") != string(l) {
		return ""
	}
	return "?lang=" + string(l)
}

// find is what the search form needs.
type find struct {
	Lang  Lang
	Query string
}

// newFind takes the data of any page.
func newFind(page interface{ language() Lang }, query string) find {
	return find{page.language(), query}
}

func (f frame) language() Lang { return f.Lang }

// inLanguage is the address of the same page in another language: path, search words and language, nothing else.
func inLanguage(u *url.URL, l Lang) string {
	query := url.Values{"lang": {string(l)}}
	if q := u.Query().Get("q"); q != "" {
		query.Set("q", q)
	}
	return u.EscapedPath() + "?" + query.Encode()
}

// render fills a template in.
func (l *language) render(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := l.templates[name].Execute(&b, data); err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	return b.Bytes(), nil
}

// setPolicy sets the headers of a page.
func (p *Pages) setPolicy(h http.Header) { h.Set("Content-Security-Policy", p.policy) }

// write answers with a page that is not kept.
func (p *Pages) write(w http.ResponseWriter, r *http.Request, l *language, status int, name string, data any) {
	body, err := l.render(name, data)
	if err != nil {
		problem.Write(w, r, err)
		return
	}
	h := w.Header()
	p.setPolicy(h)
	h.Set("Content-Type", MediaType)
	h.Set("Cache-Control", "no-cache")
	h["Vary"] = vary
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that left is not an error
	}
}

// Error shows an error to a person.
func (p *Pages) Error(w http.ResponseWriter, r *http.Request, err error) {
	l := p.languages[Of(r)]
	pr := problem.Of(r.Context(), err)
	pr.SetRetry(w.Header())
	data := struct {
		frame
		Head, Lead, Instance string
	}{l.frame(l.text.say("error.title"), r), l.text.say("error.title"), l.text.say("error.lead"), pr.Instance}
	if pr.Status == http.StatusNotFound {
		data.Head, data.Lead = l.text.say("error.notfound.title"), l.text.say("error.notfound.lead")
		data.Title = data.Head
	}
	p.write(w, r, l, pr.Status, "error", data)
}
