package pages

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// Limits of a page, so that it stays one that a telephone loads at once.
const (
	maxInspections = 12 // the newest
	maxInspected   = 40 // items whose inspections are looked for
	maxProofs      = 25
)

// lotPage is the page of an item.
type lotPage struct {
	frame
	State           view.State
	Reasons         []reason
	Name            string
	Kind            string // key of the text that says what it is
	Inspections     []inspection
	MoreInspections int
	Way             way
	Picture         *picture
	Identity        []fact
	QR              string
	Proofs          []proof
	MoreProofs      int
	Full            string // address of the whole record
}

type reason struct{ Text, Since, By, Reference, Of string }

type inspection struct {
	Result                                      contract.Result
	Kind, Date, ISO, By, Place, Reference, Note string
	Of                                          string // product, where it is not the lot itself that was inspected
	Files                                       []attached
}

type fact struct {
	Label, Value string
	Code         bool // a number to be read letter by letter
}

type proof struct {
	What, When, Hash, Link, Tx string
	Block                      uint64
	Remarks                    []string
}

// Lot answers with the page of an item, or with one that says that nobody knows it. checkDigit says that the item's
// number has a wrong check digit.
func (p *Pages) Lot(w http.ResponseWriter, r *http.Request, key string, checkDigit bool) {
	version, err := p.Views.Version(r.Context())
	if err != nil {
		p.Error(w, r, err)
		return
	}
	l := p.languages[Of(r)]
	k := Key{Item: key, Lang: l.lang, Form: "html" + chosen(r)}
	answer := p.cache.Get(k, version)
	if answer == nil {
		body, err := p.renderLot(r.Context(), l, r, key, version)
		if errors.Is(err, index.ErrNotFound) {
			p.unknown(w, r, l, key, checkDigit)
			return
		}
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

func (p *Pages) unknown(w http.ResponseWriter, r *http.Request, l *language, key string, checkDigit bool) {
	p.write(w, r, l, http.StatusNotFound, "unknown", struct {
		frame
		Key        string
		CheckDigit bool
	}{l.frame(l.text.say("unknown.title"), r), key, checkDigit})
}

func (p *Pages) renderLot(ctx context.Context, l *language, r *http.Request, key string, version view.Version) ([]byte, error) {
	v := p.Views.Public()
	d, err := v.Dossier(ctx, key, "")
	if err != nil {
		return nil, err
	}
	s, err := readStory(ctx, v, d)
	if err != nil {
		return nil, err
	}
	page := lotPage{frame: l.frame("", r), State: d.Status.State, Kind: kindText(key), Name: l.product(d.Product, "")}
	page.Switch, page.Blocks = view.Path(key)+"?lang="+string(l.lang.other()), version.Index
	if page.Name == "" {
		page.Name = l.text.say(page.Kind)
	}
	page.Title = l.text.say("badge."+string(page.State)) + " · " + page.Name
	if page.Reasons, err = l.reasons(ctx, v, d, s); err != nil {
		return nil, err
	}
	page.Way = l.way(s)
	page.Picture = l.picture(s, key)
	page.Identity = l.identity(d)
	page.QR = "/qr.svg?uri=" + url.QueryEscape(key)
	page.Inspections, page.MoreInspections = l.inspections(s, key)
	if err := p.linkFiles(ctx, page.Inspections); err != nil {
		return nil, err
	}
	page.Proofs, page.MoreProofs = l.proofs(s)
	page.Full = "/api/v1/lots/" + url.PathEscape(key) + "/trace"
	return l.render("lot", page)
}

// kindText is the key of the text that says what an item is.
func kindText(key string) string {
	id, _ := gs1.Parse(key)
	switch id.Kind {
	case gs1.Lot:
		return "unit.lot"
	case gs1.Instance:
		return "unit.instance"
	case gs1.LogisticUnit:
		return "unit.logistic"
	}
	return "unit.other"
}

// product is a product's name for people; fallback where it has none.
func (l *language) product(p *contract.Product, fallback string) string {
	if p == nil {
		return fallback
	}
	return cmp.Or(pick(p.Name, l.lang), fallback)
}

func (l *language) reasons(ctx context.Context, v *view.View, d view.Dossier, s *story) ([]reason, error) {
	var list []reason
	for _, h := range d.Status.Holds {
		item := reason{Text: pick(h.Reason, l.lang), Reference: h.Reference}
		if !h.Time.IsZero() {
			item.Since = l.lang.date(h.Time.Time)
		}
		by, err := v.Member(ctx, h.Where.Member)
		if err != nil && !errors.Is(err, index.ErrNotFound) {
			return nil, err
		}
		item.By = pick(by.Name, l.lang)
		if h.Item != "" && canonical(h.Item) != d.Item.Key {
			item.Of = cmp.Or(l.nameOf(s, canonical(h.Item)), h.Item)
		}
		list = append(list, item)
	}
	return list, nil
}

func canonical(uri string) string {
	c, _ := gs1.Canonical(uri)
	return c
}

func (l *language) inspections(s *story, key string) (list []inspection, more int) {
	all := s.inspections
	if len(all) > maxInspections {
		all, more = all[:maxInspections], len(all)-maxInspections
	}
	for _, i := range all {
		row := inspection{Result: i.Result, Kind: l.text.first(i.Kind, "kind."+i.Kind), Date: l.lang.date(i.Time.Time), ISO: i.Time.Format("2006-01-02"),
			By: l.bilingual(i.Inspector), Reference: i.Reference, Note: pick(i.Note, l.lang)}
		if i.Site != "" {
			row.Place = l.place(s, canonical(i.Site))
		}
		row.Files = l.files(i)
		if item := canonical(i.Item); item != key {
			row.Of = cmp.Or(l.nameOf(s, item), item)
		}
		list = append(list, row)
	}
	return list, more
}

func (l *language) identity(d view.Dossier) []fact {
	id, _ := gs1.Parse(d.Item.Key)
	facts := []fact{{l.text.say("identity.product"), l.product(d.Product, ""), false}}
	if d.Product != nil {
		facts = append(facts, fact{l.text.say("identity.unit"), pick(d.Product.Unit, l.lang), false})
	}
	facts = append(facts,
		fact{l.text.say("identity.lot"), cmp.Or(id.Lot, d.Item.Lot), true},
		fact{l.text.say("identity.serial"), cmp.Or(id.Serial, d.Item.Serial), true},
		fact{l.text.say("identity.gtin"), id.GTIN, true},
	)
	switch id.Kind {
	case gs1.LogisticUnit:
		facts = append(facts, fact{l.text.say("identity.sscc"), id.Key, true})
	case gs1.Other:
		facts = append(facts, fact{l.text.say("identity.uri"), d.Item.Key, true})
	}
	return slices.DeleteFunc(facts, func(f fact) bool { return f.Value == "" })
}

func (l *language) proofs(s *story) (list []proof, more int) {
	events := s.events
	if len(events) > maxProofs { // the last ones are closest to the pack
		more = len(events) - maxProofs
		events = events[more:]
	}
	for _, e := range events {
		row := proof{What: l.stepWord(s, e), When: l.lang.dateTime(e.Event.Time.Time), Hash: shortHash(e.ID), Link: "/epcis/events/" + url.PathEscape(e.ID),
			Tx: e.Where.Tx, Block: e.Where.Block}
		for _, f := range e.Findings {
			row.Remarks = append(row.Remarks, l.text.first(string(f.Code), "finding."+string(f.Code)))
		}
		list = append(list, row)
	}
	return list, more + s.unread
}
