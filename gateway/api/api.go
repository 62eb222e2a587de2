// Package api is foodtrace's own HTTP interface below /api/v1. Its OpenAPI 3.1 document is made from the handlers.
package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// Base is the path below which the interface is served.
const Base = "/api/v1"

// Ledger takes acts.
type Ledger interface {
	Submit(ctx context.Context, by ledger.Signer, batch *contract.Batch) (ledger.Receipt, error)
}

// Signers holds the identities of the members for whom this gateway signs. An unknown MSP ID is an error.
type Signers interface {
	Signer(msp string) (ledger.Signer, error)
}

// Config is what the interface stands on.
type Config struct {
	Views    *view.Source
	Ledger   Ledger
	Signers  Signers
	Evidence evidence.Store
	Mappings Mappings
}

type service struct {
	Config
	api huma.API
}

// Register adds the interface to a router, which serves it below Base.
func Register(r chi.Router, config Config) error {
	s := &service{Config: config}
	s.api = humachi.New(r, humaConfig())
	s.api.UseMiddleware(unbroken)
	s.lots()
	s.traces()
	s.acts()
	s.masterData()
	s.mappings()
	s.evidence(r)
	for _, name := range []string{"ErrorModel", "ErrorDetail"} { // huma's own form of errors, which none leaves in
		delete(s.api.OpenAPI().Components.Schemas.Map(), name)
	}
	document, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		return err
	}
	r.Get(Base+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(document) // a client that left is not an error
	})
	return nil
}

func humaConfig() huma.Config {
	c := huma.DefaultConfig("foodtrace", "1")
	c.Info.Description = "Where food comes from, where it went, who holds it, and what may not be sold. " +
		"Errors are application/problem+json (RFC 9457) with a code and the field. " +
		"{lot} is the percent-encoded URI of a lot, instance or logistic unit, as GS1 Digital Link, EPC URN or the owner's own."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	c.Components.Schemas.RegisterTypeAlias(typeOf[event.Decimal](), typeOf[float64]()) // a JSON number, exact
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""                              // the document is served as it stands when all is registered
	c.CreateHooks = nil                                                                // no $schema members
	c.Formats = map[string]huma.Format{"application/json": {Marshal: marshal, Unmarshal: unmarshal}, "json": {Marshal: marshal, Unmarshal: unmarshal}}
	c.Transformers = []huma.Transformer{asProblem}
	return c
}

func marshal(w io.Writer, v any) error { return json.MarshalWrite(w, v) }

func unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// maxHeld bounds what unbroken reads ahead: no body of an operation is larger, but for a file.
const maxHeld = 1 << 20 // bytes

// unbroken answers a body that breaks off, which is a problem as it is read; huma takes it for an error of the server.
func unbroken(ctx huma.Context, next func(huma.Context)) {
	r, w := humachi.Unwrap(ctx)
	head, err := io.ReadAll(io.LimitReader(r.Body, maxHeld))
	var p *problem.Problem
	if errors.As(err, &p) {
		problem.Write(w, r, err)
		return
	}
	r.Body = struct { // another error comes again when it is read on
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
	next(ctx)
}

// asProblem gives huma's own errors (a parameter that is missing, a body that cannot be read) our form.
func asProblem(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := problem.New(m.Status, codeOf(m.Status), sentence(m.Detail))
	for _, e := range m.Errors {
		p.Errors = append(p.Errors, problem.Item{Code: problem.InvalidField, Detail: sentence(e.Message), Field: field(e.Location)})
	}
	return p, nil
}

func codeOf(status int) string {
	switch status {
	case http.StatusUnprocessableEntity:
		return problem.InvalidField
	case http.StatusRequestEntityTooLarge:
		return problem.TooLarge
	case http.StatusUnsupportedMediaType:
		return problem.MediaTypeBad
	case http.StatusNotAcceptable:
		return problem.NotAcceptable
	}
	if status >= http.StatusInternalServerError {
		return problem.InternalError
	}
	return problem.BadRequest
}

func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

// field turns huma's "body.evidence[0].size" into a JSON pointer, and "query.limit" into the parameter's name.
func field(location string) string {
	in, path, ok := strings.Cut(location, ".")
	if in != "body" {
		return path
	}
	if !ok {
		return ""
	}
	return "/" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(path)
}

// route registers a handler. Whatever it returns as an error leaves as a problem.
func route[I, O any](s *service, op huma.Operation, handle func(context.Context, *I) (*O, error)) {
	op.Path = Base + op.Path
	s.document(&op)
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, translate(ctx, err)
		}
		return out, nil
	})
}

// document adds what all operations have in common to one: its errors, and whether a token is needed.
func (s *service) document(op *huma.Operation) {
	schema := s.api.OpenAPI().Components.Schemas.Schema(typeOf[problem.Problem](), true, "Problem")
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["default"] = &huma.Response{Description: "A problem (RFC 9457)",
		Content: map[string]*huma.MediaType{problem.MediaType: {Schema: schema}}}
	anonymous := map[string][]string{}
	op.Security = append(op.Security, map[string][]string{"token": {}})
	if op.Method == http.MethodGet {
		op.Security = append(op.Security, anonymous)
	}
}

// translate turns the errors of the parts below into problems.
func translate(ctx context.Context, err error) error {
	var unknown *ledger.UnknownError
	var complete huma.HeadersError
	switch {
	case errors.As(err, &complete):
		return err
	case errors.Is(err, index.ErrNotFound), errors.Is(err, trace.ErrUnknownItem), errors.Is(err, evidence.ErrNotFound):
		return problem.New(http.StatusNotFound, problem.NotFound, "Nothing on the record has this name.")
	case errors.Is(err, index.ErrCursor):
		return problem.New(http.StatusBadRequest, problem.BadRequest, "The cursor does not belong to this list.",
			problem.Item{Code: problem.InvalidField, Detail: "Send the cursor from the answer before, or none.", Field: "after"})
	case errors.Is(err, view.ErrForbidden):
		if err := auth.Require(ctx); err != nil {
			return challenged(err)
		}
		return problem.New(http.StatusForbidden, problem.Forbidden, "This member does not see that.")
	case errors.Is(err, ledger.ErrRefused):
		return problem.New(http.StatusUnprocessableEntity, problem.Refused, "The ledger refused the submission. Sending it again is no use.")
	case errors.Is(err, ledger.ErrFewPeers):
		err = problem.Later("Too few members' peers endorse it just now: nothing was written. Send it again in a moment.")
	case errors.Is(err, ledger.ErrNotOrdered), errors.Is(err, ledger.ErrInvalidated):
		err = problem.Later("The ledger is busy: nothing was written. Send it again.")
	case errors.As(err, &unknown):
		err = problem.Later("It is not known yet whether transaction " + unknown.TxID + " is on the ledger. Look before you send it again: with the same time it is written once.")
	}
	p := problem.Of(ctx, err)
	switch {
	case p.Status == http.StatusUnauthorized:
		return challenged(p)
	case p.RetryAfter > 0:
		return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {strconv.Itoa(p.RetryAfter)}})
	}
	return p
}

func challenged(err error) error {
	return huma.ErrorWithHeaders(err, http.Header{"Www-Authenticate": {auth.Scheme}})
}

// itemKey is the canonical key of an item that a client names. What claims to be a GS1 identifier and cannot be read stands
// for itself, as on the ledger: else it could be on the record and nobody could hold it.
func itemKey(uri, where string) (string, error) {
	if !strings.Contains(uri, ":") {
		return "", problem.New(http.StatusBadRequest, problem.BadRequest, "This is not the URI of a lot, an instance or a logistic unit.",
			problem.Item{Code: problem.InvalidField, Detail: "Send a GS1 Digital Link, an EPC URN or another URI.", Field: where})
	}
	key, _ := gs1.Canonical(encoded(uri)) // the contract remarks what is wrong with it
	return key, nil
}

// encoded is the URI of an IRI (RFC 3987, section 3.1): no record names an item in characters outside of ASCII, because
// capture takes URIs only, so a hold on one would stop nothing.
func encoded(iri string) string {
	var b strings.Builder
	for _, c := range []byte(iri) {
		if c < utf8.RuneSelf {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// Paging is how a client asks for a part of a list.
type Paging struct {
	After string `query:"after" doc:"Cursor from the answer before"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (p Paging) page() index.Page { return index.Page{After: p.After, Limit: p.Limit} }

// List is a part of a list.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitzero" doc:"Cursor of the next part; absent at the end"`
}

type listOutput[T any] struct{ Body List[T] }

func listOf[T, S any](list []S, next string, shape func(S) T) *listOutput[T] {
	out := &listOutput[T]{Body: List[T]{Items: make([]T, len(list)), Next: next}}
	for i, v := range list {
		out.Body.Items[i] = shape(v)
	}
	return out
}

func operation(id, method, path, summary string, tags ...string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: slices.Clone(tags)}
}

func statusText(status int) string { return strconv.Itoa(status) }
