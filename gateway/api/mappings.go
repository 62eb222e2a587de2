package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/mapping"
	"github.com/foodtrace-ledger/foodtrace/ingest/mapping/library"
)

// Mappings keeps the mapping files by which sheets are read.
type Mappings interface {
	Add(ctx context.Context, member string, file []byte) (library.Entry, []ingest.Problem, error)
	List(ctx context.Context, member string) ([]library.Entry, error)
	File(ctx context.Context, member, id string) ([]byte, error)
	Remove(ctx context.Context, member, id string) error
}

func (s *service) mappings() {
	add := created(operation("addMapping", http.MethodPost, "/mappings", "Keep a mapping file that says what the columns of a sheet mean", "Mappings"))
	add.Description = "The body is the YAML file. Its samples are tried; a file with problems is not kept, and they are listed with their lines. A file that is there is kept once. " +
		"POST /epcis/capture reads a sheet by it when the header Foodtrace-Mapping names its ID."
	add.MaxBodyBytes = mapping.MaxFile
	route(s, add, s.addMapping)
	route(s, operation("listMappings", http.MethodGet, "/mappings", "The member's mapping files, newest first", "Mappings"), s.listMappings)
	route(s, operation("getMapping", http.MethodGet, "/mappings/{id}", "A mapping file, as it was sent", "Mappings"), s.getMapping)
	remove := operation("removeMapping", http.MethodDelete, "/mappings/{id}", "Take a mapping file from the list; what was read by it stays as it is", "Mappings")
	remove.DefaultStatus = http.StatusNoContent
	route(s, remove, s.removeMapping)
}

type mappingInput struct {
	RawBody []byte `contentType:"application/yaml"`
}

type mappingOutput struct {
	Location string `header:"Location"`
	Body     library.Entry
}

func (s *service) addMapping(ctx context.Context, in *mappingInput) (*mappingOutput, error) {
	if err := auth.Require(ctx); err != nil {
		return nil, err
	}
	e, problems, err := s.Mappings.Add(ctx, auth.From(ctx).Member, in.RawBody)
	if errors.Is(err, library.ErrTooMany) {
		return nil, problem.New(http.StatusConflict, problem.Refused, "The member keeps as many mapping files as it may. Remove some that are not used.")
	}
	if len(problems) > 0 {
		items := make([]problem.Item, 0, len(problems))
		for _, p := range problems {
			items = append(items, problem.Item{Code: string(p.Code), Detail: p.Message, Field: p.Pointer})
		}
		return nil, problem.New(http.StatusUnprocessableEntity, problem.InvalidField, "The mapping file is wrong and was not kept.", items...)
	}
	return &mappingOutput{Location: Base + "/mappings/" + e.ID, Body: e}, err
}

func (s *service) listMappings(ctx context.Context, _ *struct{}) (*listOutput[library.Entry], error) {
	if err := auth.Require(ctx); err != nil {
		return nil, err
	}
	list, err := s.Mappings.List(ctx, auth.From(ctx).Member)
	return listOf(list, "", same), err
}

type fileOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte `contentType:"application/yaml"`
}

func (s *service) getMapping(ctx context.Context, in *IDPath) (*fileOutput, error) {
	if err := auth.Require(ctx); err != nil {
		return nil, err
	}
	file, err := s.Mappings.File(ctx, auth.From(ctx).Member, in.ID)
	return &fileOutput{ContentType: "application/yaml; charset=utf-8", Body: file}, unknownMapping(err)
}

func (s *service) removeMapping(ctx context.Context, in *IDPath) (*struct{}, error) {
	if err := auth.Require(ctx); err != nil {
		return nil, err
	}
	return nil, unknownMapping(s.Mappings.Remove(ctx, auth.From(ctx).Member, in.ID))
}

func unknownMapping(err error) error {
	if errors.Is(err, library.ErrNotFound) {
		return problem.New(http.StatusNotFound, problem.NotFound, "The member has no mapping file with this ID.")
	}
	return err
}
