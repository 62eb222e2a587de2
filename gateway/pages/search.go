package pages

import (
	"context"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// maxResults is how many lots a list shows.
const maxResults = 50

// card is a lot in a list.
type card struct {
	Name, Lot, Number, Link string
	State                   view.State
}

// Start answers with the start page.
func (p *Pages) Start(w http.ResponseWriter, r *http.Request) {
	l := p.languages[Of(r)]
	version, err := p.Views.Version(r.Context())
	if err != nil {
		p.Error(w, r, err)
		return
	}
	k := Key{Lang: l.lang, Form: "start" + chosen(r)}
	answer := p.cache.Get(k, version)
	if answer == nil {
		body, err := p.renderStart(r.Context(), l, r, version)
		if err != nil {
			p.Error(w, r, err)
			return
		}
		answer = NewAnswer(version, MediaType, body)
		p.cache.Put(k, answer)
	}
	p.setPolicy(w.Header())
	answer.Serve(w, r)
}

func (p *Pages) renderStart(ctx context.Context, l *language, r *http.Request, version view.Version) ([]byte, error) {
	var items []index.Item
	for _, key := range p.Highlights {
		items = append(items, index.Item{Key: canonical(key), Product: productKey(key)})
	}
	cards, err := p.cards(ctx, l, items, chosen(r))
	if err != nil {
		return nil, err
	}
	f := l.frame(l.text.say("brand"), r)
	f.Switch, f.Blocks = "/?lang="+string(l.lang.other()), version.Index
	return l.render("start", struct {
		frame
		Cards []card
	}{f, cards})
}

// cards looks up the state and names of items. query is added to their links.
func (p *Pages) cards(ctx context.Context, l *language, items []index.Item, query string) ([]card, error) {
	v := p.Views.Public()
	var keys []string
	for _, i := range items {
		keys = append(keys, i.Product)
	}
	products, err := v.Products(ctx, distinct(keys))
	if err != nil {
		return nil, err
	}
	cards := make([]card, len(items))
	for i, item := range items {
		status, err := v.Status(ctx, item.Key)
		if err != nil {
			return nil, err
		}
		product := products[item.Product]
		id, _ := gs1.Parse(item.Key)
		cards[i] = card{Name: l.product(&product, l.text.say(kindText(item.Key))), Lot: firstOf(id.Lot, id.Serial, item.Lot, item.Serial),
			Number: firstOf(id.GTIN, id.Key), Link: view.Path(item.Key) + query, State: status.State}
		if id.Kind == gs1.Other {
			cards[i].Number = item.Key
		}
	}
	return cards, nil
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// maxQuery bounds what is searched for: no identifier is longer.
const maxQuery = 2000 // bytes

// list is the data of the page that lists lots.
type list struct {
	frame
	Head, Query string
	Cards       []card
	Short       bool // the words are too few to search for
	Product     bool // lots of one product, not results
	More        int
}

// Search answers with the lots that match the words of the parameter q. The address in a QR code leads to its page at once.
func (p *Pages) Search(w http.ResponseWriter, r *http.Request) {
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	if len(q) > maxQuery || !utf8.ValidString(q) {
		q = ""
	}
	l := p.languages[Of(r)]
	if id, _ := gs1.Parse(q); id.Kind != gs1.Other && id.Kind != gs1.Class {
		http.Redirect(w, r, view.Path(id.Canonical)+chosen(r), http.StatusSeeOther)
		return
	}
	data := list{frame: l.frame(l.text.say("search.title"), r), Head: l.text.say("search.title"), Query: q, Short: utf8.RuneCountInString(q) < 2}
	if q != "" {
		data.Head = l.text.say("search.for", q)
	}
	p.list(w, r, l, q, data)
}

// Product answers with the lots of a product class.
func (p *Pages) Product(w http.ResponseWriter, r *http.Request, key string) {
	l := p.languages[Of(r)]
	products, err := p.Views.Public().Products(r.Context(), []string{key})
	if err != nil {
		p.Error(w, r, err)
		return
	}
	product := products[key]
	id, _ := gs1.Parse(key)
	name := l.product(&product, "GTIN "+id.GTIN)
	data := list{frame: l.frame(name, r), Head: l.text.say("product.lots", name), Product: true}
	p.list(w, r, l, key, data)
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request, l *language, text string, data list) {
	items, next, err := p.Views.Public().Items(r.Context(), text, index.Page{Limit: maxResults})
	if err == nil && text != "" {
		data.Cards, err = p.cards(r.Context(), l, items, chosen(r))
	}
	if err != nil {
		p.Error(w, r, err)
		return
	}
	if next != "" {
		data.More = maxResults
	}
	status := http.StatusOK
	if data.Product && len(data.Cards) == 0 {
		status = http.StatusNotFound
	}
	p.write(w, r, l, status, "search", data)
}
