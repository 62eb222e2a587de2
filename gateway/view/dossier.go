package view

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// State of an item, in one word.
type State string

// The states. Recalled is a hold whose order says that consumers bring the item back.
const (
	Safe     State = "safe"    // no hold is in force on it or on what it was made of
	Caution  State = "caution" // likewise, but an inspection of it was failed, and none of this kind was passed since
	OnHold   State = "on_hold" // it may not be moved or sold
	Recalled State = "recalled"
)

// Status is an item's state and why.
type Status struct {
	State State        `json:"state"`
	Holds []index.Hold `json:"holds,omitempty"` // in force on it, by name or through what it was made of
}

// Status asks the ledger what is on hold, as of its last block. A hold that the index does not have yet counts, with its
// ID and without its reason. While a hold is spreading and it is not known whether it reaches the item, the item is on hold.
func (v *View) Status(ctx context.Context, item string) (Status, error) {
	var ids []string
	err := v.src.ledger.View(ctx, func(s contract.State) (err error) {
		ids, err = contract.HoldsOn(s, item)
		return err
	})
	if err != nil && strings.Contains(err.Error(), string(contract.CodeHoldUndecided)) {
		return Status{State: OnHold}, nil
	}
	if err != nil {
		return Status{}, err
	}
	status := Status{State: Safe}
	for _, id := range ids {
		hold, err := v.Hold(ctx, id)
		if errors.Is(err, index.ErrNotFound) {
			hold, err = index.Hold{ID: id}, nil
		}
		if err != nil {
			return Status{}, err
		}
		status.Holds = append(status.Holds, hold)
		if status.State != Recalled {
			status.State = OnHold
		}
		if hold.Recall {
			status.State = Recalled
		}
	}
	if status.State == Safe {
		status.State, err = v.inspected(ctx, item)
	}
	return status, err
}

// inspected is Caution if the newest inspection of some kind was failed, else Safe: before an authority has decided, nobody
// reads that a lot which failed is safe.
func (v *View) inspected(ctx context.Context, item string) (State, error) {
	list, _, err := v.Inspections(ctx, index.ActFilter{Item: item}, index.Page{Limit: maxDossierActs})
	if err != nil {
		return "", err
	}
	newest := map[string]index.Inspection{}
	for _, i := range list {
		if have, ok := newest[i.Kind]; i.Result != contract.Inconclusive && (!ok || i.Time.After(have.Time.Time)) {
			newest[i.Kind] = i
		}
	}
	for _, i := range newest {
		if i.Result == contract.Fail {
			return Caution, nil
		}
	}
	return Safe, nil
}

// Limits of what a dossier lists itself; the lists have pages of their own.
const (
	maxDossierEvents = 500
	maxDossierActs   = 100
)

// Dossier is what is known of an item.
type Dossier struct {
	Item        index.Item               `json:"item"`
	Status      Status                   `json:"status"`
	Inspections []index.Inspection       `json:"inspections,omitempty"` // newest first
	Events      []index.Event            `json:"events"`                // oldest first
	NextEvents  string                   `json:"nextEvents,omitzero"`   // cursor, if there are more
	Violations  []index.Violation        `json:"violations,omitempty"`
	Product     *contract.Product        `json:"product,omitempty"`
	Sites       map[string]contract.Site `json:"sites,omitempty"` // of all places named
}

// Dossier collects what is known of an item, or ErrNotFound. A hold on something that has no events yet is a dossier too.
func (v *View) Dossier(ctx context.Context, key, after string) (Dossier, error) {
	item, missing := v.Item(ctx, key)
	if missing != nil && !errors.Is(missing, index.ErrNotFound) {
		return Dossier{}, missing
	}
	status, err := v.Status(ctx, key)
	if err != nil {
		return Dossier{}, err
	}
	if missing != nil && len(status.Holds) == 0 {
		return Dossier{}, missing
	}
	item.Key = key
	d := Dossier{Item: item, Status: status}
	acts, first := index.ActFilter{Item: key}, index.Page{Limit: maxDossierActs}
	if d.Inspections, _, err = v.Inspections(ctx, acts, first); err != nil {
		return Dossier{}, err
	}
	if d.Events, d.NextEvents, err = v.EventsOf(ctx, key, index.Page{After: after, Limit: maxDossierEvents}); err != nil {
		return Dossier{}, err
	}
	d.Violations, _, err = v.Violations(ctx, acts, first)
	if err != nil && !errors.Is(err, ErrForbidden) {
		return Dossier{}, err
	}
	return d, v.names(ctx, &d)
}

// names adds the master data of everything that the dossier names.
func (v *View) names(ctx context.Context, d *Dossier) (err error) {
	var events []*event.Event
	for _, e := range d.Events {
		events = append(events, e.Event)
	}
	if d.Sites, err = v.SitesOf(ctx, events); err != nil {
		return err
	}
	if d.Item.Product == "" {
		return nil
	}
	products, err := v.Products(ctx, []string{d.Item.Product})
	if p, ok := products[d.Item.Product]; ok {
		d.Product = &p
	}
	return err
}

// SitesOf returns the sites of all places that the events name.
func (v *View) SitesOf(ctx context.Context, events []*event.Event) (map[string]contract.Site, error) {
	var ids []string
	for _, e := range events {
		ids = append(ids, Places(e)...)
	}
	slices.Sort(ids)
	return v.Sites(ctx, slices.Compact(ids))
}
