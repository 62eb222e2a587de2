package api

import (
	"context"
	"io"
	"math"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

func (s *service) traces() {
	op := operation("traceLot", http.MethodGet, "/lots/{lot}/trace", "Where a lot came from and what came of it", "Lots")
	s.streams(&op, typeOf[Trace]())
	route(s, op, s.trace)
	op = operation("scopeLot", http.MethodGet, "/lots/{lot}/scope", "Who holds a lot and what came of it, how much, where, since when", "Lots")
	s.streams(&op, typeOf[Scope]())
	route(s, op, s.scope)
}

// Trace is the answer to a trace. It is written as it is read, so it can be large.
type Trace struct {
	Item        string          `json:"item"`
	Direction   trace.Direction `json:"direction"`
	Truncated   bool            `json:"truncated" doc:"A limit cut the answer: ask again with larger ones"`
	NotFollowed int             `json:"notFollowed" doc:"Known items that a limit left out"`
	Hidden      int             `json:"hidden" doc:"Items beyond what this principal sees"`
	Nodes       []Node          `json:"nodes" doc:"The item asked about first"`
	Links       []Link          `json:"links"`
	Events      []Event         `json:"events,omitempty" doc:"In order of event time, with block and transaction"`
}

// Node is an item of a trace.
type Node struct {
	ID      trace.ItemID  `json:"id" doc:"Number that the links use"`
	Key     string        `json:"key"`
	Depth   int           `json:"depth" doc:"Links from the item asked about; negative for back"`
	Carrier bool          `json:"carrier,omitzero" doc:"Only carried another item"`
	Name    contract.Text `json:"name,omitzero" doc:"Of its product"`
	Lot     string        `json:"lot,omitzero"`
	Serial  string        `json:"serial,omitzero"`
	From    time.Time     `json:"from,omitzero" doc:"Earliest event time that concerns the trace"`
	Until   time.Time     `json:"until,omitzero" doc:"Latest event time that concerns the trace"`
	Page    string        `json:"page"`
}

// Link leads from what was there before to what came of it.
type Link struct {
	Kind trace.LinkKind `json:"kind" enum:"made,inside,member"`
	From trace.ItemID   `json:"from"`
	To   trace.ItemID   `json:"to"`
	// Events prove the link: their hashes, where the events are part of the answer.
	Events []string `json:"events"`
}

type traceInput struct {
	LotPath
	Direction trace.Direction `query:"direction" enum:"back,forward,both" default:"back"`
	MaxItems  int             `query:"maxItems" minimum:"1" maximum:"200000" default:"5000" doc:"In each direction"`
	MaxDepth  int             `query:"maxDepth" minimum:"1" maximum:"200" default:"200"`
	NoEvents  bool            `query:"noEvents" doc:"Leave the events out"`
}

func (s *service) trace(ctx context.Context, in *traceInput) (*huma.StreamResponse, error) {
	key, err := itemKey(in.Lot, "lot")
	if err != nil {
		return nil, err
	}
	v := s.views(ctx)
	result, err := v.Trace(ctx, trace.Query{Item: key, Direction: in.Direction, Limits: trace.Limits{MaxItems: in.MaxItems, MaxDepth: in.MaxDepth}})
	if err != nil {
		return nil, err
	}
	return stream(func(w io.Writer) error {
		return writeTrace(ctx, w, v, result, !in.NoEvents)
	}), nil
}

// streams declares an answer that is written as it is read.
func (s *service) streams(op *huma.Operation, t reflect.Type) {
	schema := s.api.OpenAPI().Components.Schemas.Schema(t, true, "")
	op.Responses = map[string]*huma.Response{statusText(http.StatusOK): {Description: http.StatusText(http.StatusOK),
		Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}}
}

// stream answers with what write writes. If that fails midway the connection is cut off, so that nobody takes a part for the whole.
func stream(write func(io.Writer) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "application/json")
		ctx.SetHeader("Cache-Control", "no-store")
		ctx.SetStatus(http.StatusOK)
		if err := write(ctx.BodyWriter()); err != nil {
			panic(http.ErrAbortHandler)
		}
	}}
}

// writeTrace writes a Trace a part at a time.
func writeTrace(ctx context.Context, w io.Writer, v *view.View, t view.Trace, events bool) error {
	o := objectWriter{enc: jsontext.NewEncoder(w)}
	o.begin()
	o.member("item", t.Query.Item)
	o.member("direction", t.Query.Direction)
	o.member("truncated", t.Truncated)
	o.member("notFollowed", t.NotFollowed)
	o.member("hidden", t.Hidden)
	o.array("nodes", func() error { return writeNodes(ctx, &o, v, t.Nodes) })
	hashes, err := eventHashes(ctx, v, t.Links)
	if err != nil {
		return err
	}
	o.array("links", func() error {
		for _, l := range t.Links {
			o.value(wireLink(l, hashes))
		}
		return nil
	})
	if events {
		o.array("events", func() error { return writeEvents(ctx, &o, v, t.Events) })
	}
	o.end()
	return o.err
}

func wireLink(l trace.Link, hashes map[trace.EventID]string) Link {
	w := Link{Kind: l.Kind, From: l.From, To: l.To, Events: []string{}}
	for _, id := range l.Events {
		w.Events = append(w.Events, hashes[id])
	}
	return w
}

// eventHashes returns the hashes of the events that prove the links.
func eventHashes(ctx context.Context, v *view.View, links []trace.Link) (map[trace.EventID]string, error) {
	var ids []trace.EventID
	for _, l := range links {
		ids = append(ids, l.Events...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	hashes := make(map[trace.EventID]string, len(ids))
	i := 0
	for e, err := range v.EventsOfTrace(ctx, ids) {
		if err != nil {
			return nil, err
		}
		hashes[ids[i]] = e.ID
		i++
	}
	return hashes, nil
}

// nodeChunk is for how many nodes names are read at once.
const nodeChunk = 500

func writeNodes(ctx context.Context, o *objectWriter, v *view.View, nodes []trace.Node) error {
	for chunk := range slices.Chunk(nodes, nodeChunk) {
		ids := make([]gs1.ID, len(chunk))
		var products []string
		for i, n := range chunk {
			ids[i], _ = gs1.Parse(n.Key) // a key that is not GS1's has no parts
			products = append(products, gs1.ProductKey(ids[i]))
		}
		known, err := v.Products(ctx, products)
		if err != nil {
			return err
		}
		for i, n := range chunk {
			o.value(Node{ID: n.ID, Key: n.Key, Depth: n.Depth, Carrier: n.Carrier, Name: known[products[i]].Name, Lot: ids[i].Lot, Serial: ids[i].Serial,
				From: bound(n.From), Until: bound(n.Until), Page: view.Path(n.Key)})
		}
	}
	return nil
}

// bound is the time of a bound in microseconds; zero if it is open.
func bound(micros int64) time.Time {
	if micros == math.MinInt64 || micros == math.MaxInt64 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// objectWriter writes one JSON object member by member and keeps the first error.
type objectWriter struct {
	enc *jsontext.Encoder
	err error
}

func (o *objectWriter) token(t jsontext.Token) {
	if o.err == nil {
		o.err = o.enc.WriteToken(t)
	}
}

func (o *objectWriter) begin() { o.token(jsontext.BeginObject) }

func (o *objectWriter) end() { o.token(jsontext.EndObject) }

func (o *objectWriter) value(v any) {
	if o.err == nil {
		o.err = json.MarshalEncode(o.enc, v)
	}
}

func (o *objectWriter) member(name string, v any) {
	o.token(jsontext.String(name))
	o.value(v)
}

func (o *objectWriter) array(name string, values func() error) {
	o.token(jsontext.String(name))
	o.token(jsontext.BeginArray)
	if o.err == nil {
		if err := values(); err != nil {
			o.err = err
		}
	}
	o.token(jsontext.EndArray)
}
