// Package view decides who sees what. Handlers get a View, never the index, so that the decision is made in one place
// and before a handler sees a row. There are three:
//
//   - public: where a lot comes from (its own events and those of what it was made of: what, when, where and which step),
//     inspections, holds. No quantities, parties, documents or extensions, no files of the senders, and nothing of where it went.
//   - member: what the public sees, and in full the events that the member sent, that happened at its sites, or that name it
//     as a party; of what came of its lots, one step.
//   - regulator: everything.
package view

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// ErrForbidden: this view has no such answer.
var ErrForbidden = errors.New("view: not for this principal")

// Index is what a view reads of the read model.
type Index interface {
	index.Reader
	trace.Graph
	trace.EventReader
	Position(ctx context.Context) (height uint64, hash [32]byte, err error)
}

// Ledger is what a view asks the ledger itself: what is on hold does not wait for the index.
type Ledger interface {
	Height(ctx context.Context) (uint64, error)
	View(ctx context.Context, f func(contract.State) error) error
}

// Source makes views.
type Source struct {
	index  Index
	ledger Ledger
	known  atomic.Uint64 // a height that the index has reached
}

// NewSource returns a source of views of an index and its ledger.
func NewSource(ix Index, ledger Ledger) *Source { return &Source{index: ix, ledger: ledger} }

// For returns what a principal sees.
func (s *Source) For(p auth.Principal) *View { return &View{src: s, who: p} }

// Version is the state that an answer is made from. Equal versions, equal answers.
type Version struct {
	Ledger uint64 // blocks that are final
	Index  uint64 // blocks that the index has
}

// Lag is how many blocks the index is behind.
func (v Version) Lag() uint64 { return max(v.Ledger, v.Index) - v.Index }

// Version returns the state now. The index is only asked while it is behind: it cannot be ahead of the ledger.
func (s *Source) Version(ctx context.Context) (Version, error) {
	ledger, err := s.ledger.Height(ctx)
	if err != nil {
		return Version{}, err
	}
	if known := s.known.Load(); known >= ledger {
		return Version{Ledger: known, Index: known}, nil
	}
	height, _, err := s.index.Position(ctx)
	if err != nil {
		return Version{}, err
	}
	for known := s.known.Load(); known < height && !s.known.CompareAndSwap(known, height); known = s.known.Load() {
	}
	return Version{Ledger: max(ledger, height), Index: height}, nil
}

// awaitPoll is how often Await looks: a small part of what a block takes.
const awaitPoll = 2 * time.Millisecond

// Await returns once the index has the block, so that a writer reads what he wrote, or when ctx ends. It reports whether it has.
func (s *Source) Await(ctx context.Context, block uint64) bool {
	tick := time.NewTicker(awaitPoll)
	defer tick.Stop()
	for {
		if v, err := s.Version(ctx); err == nil && v.Index > block {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// View answers one principal. Its methods are those of index.Reader and fail alike; ErrForbidden where the view has no answer.
type View struct {
	src  *Source
	who  auth.Principal
	mine *ownership // of a member; read when it is first needed
}

func (v *View) all() bool { return v.who.Role == contract.Regulator }

// Event returns an event by its hash or event ID.
func (v *View) Event(ctx context.Context, id string) (index.Event, error) {
	e, err := v.src.index.Event(ctx, id)
	if err != nil {
		return index.Event{}, err
	}
	list, err := v.show(ctx, []index.Event{e})
	if err != nil {
		return index.Event{}, err
	}
	return list[0], nil
}

// Events returns events by their graph numbers, which come from a trace of this view.
func (v *View) Events(ctx context.Context, ids []trace.EventID) ([]index.Event, error) {
	list, err := v.src.index.Events(ctx, ids)
	if err != nil {
		return nil, err
	}
	return v.show(ctx, list)
}

// EventsOf lists the events that name an item, oldest first.
func (v *View) EventsOf(ctx context.Context, key string, page index.Page) ([]index.Event, string, error) {
	list, next, err := v.src.index.EventsOf(ctx, key, page)
	if err != nil {
		return nil, "", err
	}
	list, err = v.show(ctx, list)
	return list, next, err
}

// Item returns an item: that it exists is no secret to who knows its identifier.
func (v *View) Item(ctx context.Context, key string) (index.Item, error) {
	return v.src.index.Item(ctx, key)
}

// minSearch is the shortest text the public can search: a list of everything is a list of a firm's customers.
const minSearch = 3

// Items searches. Only a regulator can list everything.
func (v *View) Items(ctx context.Context, text string, page index.Page) ([]index.Item, string, error) {
	if !v.all() && len([]rune(text)) < minSearch && !wide(text) {
		return nil, "", nil
	}
	return v.src.index.Items(ctx, text, page)
}

// wide reports whether text is a word in a script that needs few letters for one.
func wide(text string) bool {
	letters := 0
	for _, r := range text {
		if r >= 0x2E80 {
			letters++
		}
	}
	return letters >= 2
}

// Inspections lists inspections: all are public.
func (v *View) Inspections(ctx context.Context, f index.ActFilter, page index.Page) ([]index.Inspection, string, error) {
	return v.src.index.Inspections(ctx, f, page)
}

// Inspection returns an inspection by its ID.
func (v *View) Inspection(ctx context.Context, id string) (index.Inspection, error) {
	return v.src.index.Inspection(ctx, id)
}

// Holds lists holds: all are public, but for their files and how often they were broken.
func (v *View) Holds(ctx context.Context, f index.ActFilter, page index.Page) ([]index.Hold, string, error) {
	list, next, err := v.src.index.Holds(ctx, f, page)
	if !v.all() {
		for i := range list {
			list[i] = publicHold(list[i])
		}
	}
	return list, next, err
}

// Hold returns a hold by its ID.
func (v *View) Hold(ctx context.Context, id string) (index.Hold, error) {
	h, err := v.src.index.Hold(ctx, id)
	if !v.all() {
		h = publicHold(h)
	}
	return h, err
}

func publicHold(h index.Hold) index.Hold {
	h.Violations, h.Evidence = 0, nil
	return h
}

// Violations lists refused movements: a member sees its own.
func (v *View) Violations(ctx context.Context, f index.ActFilter, page index.Page) ([]index.Violation, string, error) {
	if v.who.Public() {
		return nil, "", ErrForbidden
	}
	if !v.all() {
		if f.Member != "" && f.Member != v.who.Member {
			return nil, "", ErrForbidden
		}
		f.Member = v.who.Member
	}
	return v.src.index.Violations(ctx, f, page)
}

// Member returns a member.
func (v *View) Member(ctx context.Context, msp string) (contract.Member, error) {
	return v.src.index.Member(ctx, msp)
}

// Members lists the members: who takes part is public.
func (v *View) Members(ctx context.Context) ([]contract.Member, error) {
	return v.src.index.Members(ctx)
}

// Sites returns sites by their canonical URIs.
func (v *View) Sites(ctx context.Context, ids []string) (map[string]contract.Site, error) {
	sites, err := v.src.index.Sites(ctx, ids)
	for id, s := range sites {
		if !v.all() && (v.who.Public() || s.Owner != v.who.Member) {
			s.Phone, s.Ext = "", nil
			sites[id] = s
		}
	}
	return sites, err
}

// Products returns product classes by their canonical URIs.
func (v *View) Products(ctx context.Context, ids []string) (map[string]contract.Product, error) {
	products, err := v.src.index.Products(ctx, ids)
	for id, p := range products {
		if !v.all() && (v.who.Public() || p.Owner != v.who.Member) {
			p.Ext = nil
			products[id] = p
		}
	}
	return products, err
}

// Public returns what everybody sees.
func (s *Source) Public() *View { return s.For(auth.Principal{}) }
