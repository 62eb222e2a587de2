package api

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

func (s *service) masterData() {
	route(s, operation("listMembers", http.MethodGet, "/members", "Who takes part", "Master data"), s.listMembers)
	route(s, operation("getMember", http.MethodGet, "/members/{msp}", "A member", "Master data"), s.getMember)
	route(s, operation("listSites", http.MethodGet, "/sites", "Sites by their URIs", "Master data"), s.listSites)
	route(s, operation("listProducts", http.MethodGet, "/products", "Products by their URIs", "Master data"), s.listProducts)
}

func (s *service) listMembers(ctx context.Context, _ *struct{}) (*listOutput[contract.Member], error) {
	members, err := s.views(ctx).Members(ctx)
	return listOf(members, "", same), err
}

type memberOutput struct{ Body contract.Member }

func (s *service) getMember(ctx context.Context, in *struct {
	MSP string `path:"msp"`
}) (*memberOutput, error) {
	member, err := s.views(ctx).Member(ctx, in.MSP)
	return &memberOutput{Body: member}, err
}

type idsInput struct {
	IDs []string `query:"id,explode" maxItems:"100" required:"true" doc:"URI; may be repeated"`
}

func (in *idsInput) keys() []string {
	keys := make([]string, len(in.IDs))
	for i, id := range in.IDs {
		keys[i], _ = gs1.Canonical(id) // one that cannot be read is looked up as it is
	}
	return keys
}

func (s *service) listSites(ctx context.Context, in *idsInput) (*listOutput[contract.Site], error) {
	sites, err := s.views(ctx).Sites(ctx, in.keys())
	return listOf(sorted(sites), "", same), err
}

func (s *service) listProducts(ctx context.Context, in *idsInput) (*listOutput[contract.Product], error) {
	products, err := s.views(ctx).Products(ctx, in.keys())
	return listOf(sorted(products), "", same), err
}

func sorted[T any](m map[string]T) []T {
	list := make([]T, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, m[k])
	}
	return list
}
