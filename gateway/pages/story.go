package pages

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// Limits of what is read for a page. What lies beyond is counted and said.
const (
	maxStoryItems  = 300
	maxStoryDepth  = 60
	maxStoryEvents = 1000
)

// story is where an item came from, as far as everybody may see it.
type story struct {
	key         string
	trace       view.Trace
	events      []index.Event // oldest first
	unread      int           // events left out
	inspections []index.Inspection
	sites       map[string]contract.Site
	products    map[string]contract.Product
}

func readStory(ctx context.Context, v *view.View, d view.Dossier) (*story, error) {
	s := &story{key: d.Item.Key}
	t, err := v.Trace(ctx, trace.Query{Item: s.key, Direction: trace.Back, Limits: trace.Limits{MaxItems: maxStoryItems, MaxDepth: maxStoryDepth}})
	if errors.Is(err, trace.ErrUnknownItem) { // an inspection or a hold names it, no event does
		t, err = view.Trace{Result: &trace.Result{}}, nil
	}
	if err != nil {
		return nil, err
	}
	s.trace = t
	ids := t.Events
	if len(ids) > maxStoryEvents { // the beginning and the end
		s.unread = len(ids) - maxStoryEvents
		ids = slices.Concat(ids[:maxStoryEvents/2], ids[len(ids)-maxStoryEvents/2:])
	}
	for e, err := range v.EventsOfTrace(ctx, ids) {
		if err != nil {
			return nil, err
		}
		s.events = append(s.events, e)
	}
	if err := s.readInspections(ctx, v, d); err != nil {
		return nil, err
	}
	return s, s.readNames(ctx, v, d)
}

// readInspections gathers the inspections of the item and of what it was made of, newest first, those of the item before the others.
func (s *story) readInspections(ctx context.Context, v *view.View, d view.Dossier) error {
	s.inspections = slices.Clone(d.Inspections)
	own := len(s.inspections)
	items := 0
	for _, n := range s.trace.Nodes {
		if n.Key == s.key || n.Carrier || items == maxInspected {
			continue
		}
		items++
		list, _, err := v.Inspections(ctx, index.ActFilter{Item: n.Key}, index.Page{Limit: maxInspections})
		if err != nil {
			return err
		}
		s.inspections = append(s.inspections, list...)
	}
	slices.SortStableFunc(s.inspections[own:], func(a, b index.Inspection) int { return b.Time.Compare(a.Time.Time) })
	return nil
}

// readNames reads the master data of all that the story names.
func (s *story) readNames(ctx context.Context, v *view.View, d view.Dossier) (err error) {
	var sites, products []string
	for _, e := range s.events {
		sites = append(sites, e.Event.Site())
		for _, item := range e.Event.Items() {
			products = append(products, productKey(item.Key))
		}
	}
	for _, i := range s.inspections {
		sites, products = append(sites, canonical(i.Site)), append(products, productKey(canonical(i.Item)))
	}
	for _, h := range d.Status.Holds {
		products = append(products, productKey(canonical(h.Item)))
	}
	if s.sites, err = v.Sites(ctx, distinct(sites)); err != nil {
		return err
	}
	s.products, err = v.Products(ctx, distinct(products))
	return err
}

func distinct(list []string) []string {
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(s string) bool { return s == "" })
}

func productKey(key string) string {
	id, _ := gs1.Parse(key)
	return gs1.ProductKey(id)
}

// nameOf is the name of an item's product, "" if it has none.
func (l *language) nameOf(s *story, key string) string {
	if p, ok := s.products[productKey(key)]; ok {
		return l.product(&p, "")
	}
	return ""
}

// place is the name of a site; of one that nobody registered, its number, so that two of them can be told apart.
func (l *language) place(s *story, id string) string {
	if id == "" {
		return ""
	}
	site := s.sites[id]
	number, _ := gs1.Parse(id)
	unknown := strings.TrimSpace(l.text.say("way.place.unknown") + " " + number.GLN)
	return cmp.Or(pick(site.Name, l.lang), pick(site.Address, l.lang), unknown)
}

// region is where a site is.
func (l *language) region(s *story, id string) string {
	site := s.sites[id]
	if pick(site.Name, l.lang) == "" {
		return ""
	}
	return pick(site.Address, l.lang)
}

// bilingual picks the part of a text that is written "中文 / English".
func (l *language) bilingual(text string) string {
	zh, en, ok := strings.Cut(text, " / ")
	if !ok {
		return text
	}
	return pick(contract.Text{ZH: zh, EN: en}, l.lang)
}

// stepWord says in plain words what happened in an event: by its step and the kind of place, its step, or what type it is of.
func (l *language) stepWord(s *story, e index.Event) string {
	step := e.Event.Step()
	if i := strings.LastIndexAny(step, ":/#"); i >= 0 { // a word of another vocabulary, such as urn:gdst:bizStep:landing
		step = step[i+1:]
	}
	step = strings.TrimPrefix(step, "BizStep-")
	typ := string(e.Event.Type)
	return l.text.first(l.text.say("step.other"), "step."+step+"."+s.sites[e.Event.Site()].Kind, "step."+step+"."+typ, "step."+step,
		"event."+typ+"."+string(e.Event.Action))
}

// subjects are the items that an event is about: what was made, else what was handled, else what was used.
func subjects(e *event.Event) []string {
	for _, roles := range [][]event.Role{{event.RoleOutput}, {event.RoleObject, event.RoleChild}, {event.RoleParent}, {event.RoleInput}} {
		var keys []string
		for _, item := range e.Items() {
			if slices.Contains(roles, item.Role) {
				keys = append(keys, item.Key)
			}
		}
		if len(keys) > 0 {
			return keys
		}
	}
	return nil
}

// shortHash is the part of an event hash that tells events apart at a glance.
func shortHash(id string) string {
	hash := strings.TrimPrefix(id, "ni:///sha-256;")
	hash, _, _ = strings.Cut(hash, "?")
	return hash
}
