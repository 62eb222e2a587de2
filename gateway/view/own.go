package view

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// ownership is how a member is named in events.
type ownership struct {
	msp     string
	parties []string
}

// show cuts events down to what the view allows. The events of the index are shared, so they are copied, not changed.
func (v *View) show(ctx context.Context, list []index.Event) ([]index.Event, error) {
	if v.all() {
		return list, nil
	}
	own, err := v.own(ctx, list)
	if err != nil {
		return nil, err
	}
	shown := make([]index.Event, len(list))
	for i, e := range list {
		shown[i] = e
		if !own[i] {
			shown[i] = publicEvent(e)
		}
	}
	return shown, nil
}

// own says which of the events are the principal's: sent by it, at a site of it, or with it as a party.
func (v *View) own(ctx context.Context, list []index.Event) ([]bool, error) {
	own := make([]bool, len(list))
	if v.who.Public() {
		return own, nil
	}
	if err := v.readOwnership(ctx); err != nil {
		return nil, err
	}
	var places []string
	for _, e := range list {
		places = append(places, Places(e.Event)...)
	}
	slices.Sort(places)
	sites, err := v.src.index.Sites(ctx, slices.Compact(places))
	if err != nil {
		return nil, err
	}
	for i, e := range list {
		own[i] = e.Where.Member == v.who.Member || v.mine.party(e.Event) ||
			slices.ContainsFunc(Places(e.Event), func(id string) bool { return sites[id].Owner == v.who.Member })
	}
	return own, nil
}

func (v *View) readOwnership(ctx context.Context) error {
	if v.mine != nil {
		return nil
	}
	m, err := v.src.index.Member(ctx, v.who.Member)
	if err != nil && !errors.Is(err, index.ErrNotFound) {
		return err
	}
	mine := &ownership{msp: v.who.Member}
	for _, p := range m.Parties {
		mine.parties = append(mine.parties, canonical(p))
	}
	v.mine = mine
	return nil
}

// party reports whether the event names the member as owning or possessing party of a source or destination.
func (o *ownership) party(e *event.Event) bool {
	is := func(uri string) bool { return slices.Contains(o.parties, canonical(uri)) }
	return slices.ContainsFunc(e.Sources, func(s event.Source) bool { return is(s.Source) }) ||
		slices.ContainsFunc(e.Destinations, func(d event.Destination) bool { return is(d.Destination) })
}

// Places returns the canonical URIs of the places of an event: where it was read, where the goods are then, and those
// that a source or destination names.
func Places(e *event.Event) []string {
	var list []string
	for _, p := range []*event.Place{e.ReadPoint, e.BizLocation} {
		if p != nil {
			list = append(list, canonical(p.ID))
		}
	}
	for _, s := range e.Sources {
		list = append(list, canonical(s.Source))
	}
	for _, d := range e.Destinations {
		list = append(list, canonical(d.Destination))
	}
	return list
}

// canonical is a URI in the form in which the index keeps it; one that cannot be read stands for itself.
func canonical(uri string) string {
	c, _ := gs1.Canonical(uri)
	return c
}

// publicEvent is what everybody may know of an event: what happened to what, when, and where.
func publicEvent(e index.Event) index.Event {
	full := e.Event
	e.Event = &event.Event{
		Type: full.Type, ID: full.ID, Time: full.Time, TimeZoneOffset: full.TimeZoneOffset, Action: full.Action,
		BizStep: full.BizStep, Disposition: full.Disposition, ReadPoint: bare(full.ReadPoint), BizLocation: bare(full.BizLocation),
	}
	for _, item := range full.Items() {
		name(e.Event, item)
	}
	e.Evidence = nil
	findings := make([]contract.Finding, len(e.Findings))
	for i, f := range e.Findings {
		findings[i] = contract.Finding{Code: f.Code, Place: f.Place}
	}
	e.Findings = findings
	return e
}

// name adds an item to the list of the event that it came from, by its key: the ILMD that made a lot of a class is left out.
func name(e *event.Event, item event.Item) {
	list, _, _ := strings.Cut(strings.TrimPrefix(item.Place, "/"), "/")
	class := event.Quantity{EPCClass: item.Key}
	switch list {
	case "parentID":
		e.ParentID = item.Key
	case "epcList":
		e.EPCs = append(e.EPCs, item.Key)
	case "quantityList":
		e.Quantities = append(e.Quantities, class)
	case "childEPCs":
		e.ChildEPCs = append(e.ChildEPCs, item.Key)
	case "childQuantityList":
		e.ChildQuantities = append(e.ChildQuantities, class)
	case "inputEPCList":
		e.InputEPCs = append(e.InputEPCs, item.Key)
	case "inputQuantityList":
		e.InputQuantities = append(e.InputQuantities, class)
	case "outputEPCList":
		e.OutputEPCs = append(e.OutputEPCs, item.Key)
	case "outputQuantityList":
		e.OutputQuantities = append(e.OutputQuantities, class)
	}
}

func bare(p *event.Place) *event.Place {
	if p == nil {
		return nil
	}
	return &event.Place{ID: p.ID}
}
