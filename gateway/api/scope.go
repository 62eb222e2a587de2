package api

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// Scope says who holds a lot and what came of it. It is written as it is read, so it can be large.
type Scope struct {
	Item        string                   `json:"item"`
	Items       int                      `json:"items" doc:"How many items came of it, itself included"`
	Truncated   bool                     `json:"truncated" doc:"A limit cut the answer: ask again with larger ones"`
	NotFollowed int                      `json:"notFollowed" doc:"Known items that a limit left out"`
	Hidden      int                      `json:"hidden" doc:"Holdings beyond what this principal sees"`
	Sites       map[string]contract.Site `json:"sites" doc:"Of all holdings, by URI"`
	Holdings    []Holding                `json:"holdings"`
	Outflows    []trace.Outflow          `json:"outflows" doc:"What left the chain"`
	Events      []Event                  `json:"events,omitempty" doc:"In order of event time, with block and transaction"`
}

// Holding is how much of an item is where, since when, and what proves it.
type Holding struct {
	Item     string      `json:"item"`
	Site     string      `json:"site"`
	Party    string      `json:"party,omitzero"`
	Member   string      `json:"member,omitzero"`
	Quantity string      `json:"quantity,omitzero" doc:"Exact decimal; absent: not stated"`
	UOM      string      `json:"uom,omitzero" doc:"UN/CEFACT Recommendation 20; absent: pieces"`
	State    string      `json:"state" enum:"held,in_transit"`
	Since    time.Time   `json:"since"`
	Event    string      `json:"event" doc:"Hash of the event that put it there"`
	Where    index.Where `json:"where" doc:"Block and transaction of the event"`
}

type scopeInput struct {
	LotPath
	MaxItems int  `query:"maxItems" minimum:"1" maximum:"200000" default:"200000"`
	MaxDepth int  `query:"maxDepth" minimum:"1" maximum:"200" default:"200"`
	NoEvents bool `query:"noEvents" doc:"Leave the events out; each holding names its own"`
}

func (s *service) scope(ctx context.Context, in *scopeInput) (*huma.StreamResponse, error) {
	key, err := itemKey(in.Lot, "lot")
	if err != nil {
		return nil, err
	}
	v := s.views(ctx)
	result, err := v.Scope(ctx, key, trace.Limits{MaxItems: in.MaxItems, MaxDepth: in.MaxDepth})
	if err != nil {
		return nil, err
	}
	return stream(func(w io.Writer) error { return writeScope(ctx, w, v, result, !in.NoEvents) }), nil
}

// writeScope writes a Scope a part at a time.
func writeScope(ctx context.Context, w io.Writer, v *view.View, r view.Scope, events bool) error {
	var places []string
	for _, h := range r.Holdings {
		places = append(places, h.Site)
	}
	slices.Sort(places)
	sites, err := v.Sites(ctx, slices.Compact(places))
	if err != nil {
		return err
	}
	o := objectWriter{enc: jsontext.NewEncoder(w)}
	o.begin()
	o.member("item", r.Item)
	o.member("items", r.Items)
	o.member("truncated", r.Truncated)
	o.member("notFollowed", r.NotFollowed)
	o.member("hidden", r.Hidden)
	o.member("sites", sites)
	o.array("holdings", func() error { return writeHoldings(ctx, &o, v, r.Holdings) })
	o.array("outflows", func() error {
		for _, f := range r.Outflows {
			o.value(f)
		}
		return nil
	})
	if events {
		o.array("events", func() error { return writeEvents(ctx, &o, v, r.Events) })
	}
	o.end()
	return o.err
}

func writeEvents(ctx context.Context, o *objectWriter, v *view.View, ids []trace.EventID) error {
	for e, err := range v.EventsOfTrace(ctx, ids) {
		if err != nil {
			return err
		}
		o.value(wireEvent(e))
	}
	return nil
}

func writeHoldings(ctx context.Context, o *objectWriter, v *view.View, holdings []trace.Holding) error {
	for chunk := range slices.Chunk(holdings, nodeChunk) {
		ids := make([]trace.EventID, len(chunk))
		for i, h := range chunk {
			ids[i] = h.Event
		}
		proofs, err := v.Events(ctx, ids)
		if err != nil {
			return err
		}
		for i, h := range chunk {
			o.value(Holding{Item: h.Item, Site: h.Site, Party: h.Party, Member: h.Member, Quantity: h.Quantity, UOM: h.UOM, State: h.State,
				Since: time.UnixMicro(h.Since).UTC(), Event: proofs[i].ID, Where: proofs[i].Where})
		}
	}
	return nil
}
