package api

import (
	"context"
	"net/http"

	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
)

func (s *service) views(ctx context.Context) *view.View { return s.Views.For(auth.From(ctx)) }

func (s *service) lots() {
	route(s, operation("listLots", http.MethodGet, "/lots", "Find lots by identifier, lot number or product name", "Lots"), s.findLots)
	route(s, operation("getLot", http.MethodGet, "/lots/{lot}", "Everything known of a lot", "Lots"), s.dossier)
}

type findInput struct {
	Query string `query:"q" maxLength:"200" doc:"Part of an identifier, lot number or product name"`
	Paging
}

func (s *service) findLots(ctx context.Context, in *findInput) (*listOutput[Lot], error) {
	v := s.views(ctx)
	items, next, err := v.Items(ctx, in.Query, in.page())
	if err != nil {
		return nil, err
	}
	var products []string
	for _, i := range items {
		if i.Product != "" {
			products = append(products, i.Product)
		}
	}
	known, err := v.Products(ctx, products)
	if err != nil {
		return nil, err
	}
	list := make([]Lot, len(items))
	for i, item := range items {
		list[i] = Lot{Item: item, Name: known[item.Product].Name, Page: view.Path(item.Key)}
	}
	return listOf(list, next, same), nil
}

// LotPath names an item in the path.
type LotPath struct {
	Lot string `path:"lot" maxLength:"2000" doc:"Percent-encoded URI of a lot, instance or logistic unit" example:"https://id.gs1.org/01/09506000134352/10/ABC123"`
}

type dossierInput struct {
	LotPath
	After string `query:"after" doc:"Cursor of the events"`
}

type dossierOutput struct{ Body Dossier }

func (s *service) dossier(ctx context.Context, in *dossierInput) (*dossierOutput, error) {
	key, err := itemKey(in.Lot, "lot")
	if err != nil {
		return nil, err
	}
	d, err := s.views(ctx).Dossier(ctx, key, in.After)
	if err != nil {
		return nil, err
	}
	return &dossierOutput{Body: wireDossier(d)}, nil
}
