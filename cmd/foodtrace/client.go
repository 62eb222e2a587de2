package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/gateway/api"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// remote are the flags of every command that talks to a server.
type remote struct {
	Server string `default:"http://127.0.0.1:8080" env:"FOODTRACE_SERVER" help:"Address of the server."`
	Token  string `env:"FOODTRACE_TOKEN" help:"API token; better in the environment than in the shell's history."`
}

// output is the flag of every command with an answer.
type output struct {
	Output string `short:"o" enum:"text,json" default:"text" help:"text for people, json for machines."`
}

// get fetches a JSON answer into v.
func (r remote) get(ctx context.Context, path string, query url.Values, v any) error {
	return r.do(ctx, http.MethodGet, path, query, nil, nil, v)
}

// post sends body as JSON and reads the answer into v.
func (r remote) post(ctx context.Context, path string, body, v any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return r.do(ctx, http.MethodPost, path, nil, http.Header{"Content-Type": {"application/json"}}, bytes.NewReader(raw), v)
}

// do sends one request and reads the answer into v. An answer that is a problem becomes a *refusal.
func (r remote) do(ctx context.Context, method, path string, query url.Values, header http.Header, body io.Reader, v any) error {
	res, err := r.request(ctx, method, path, query, header, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := json.UnmarshalRead(res.Body, v); err != nil {
		return fmt.Errorf("the answer of %s cannot be read: %w", res.Request.URL, err)
	}
	return nil
}

// request sends one request, for JSON unless the header says otherwise. The body of the answer is to be closed.
func (r remote) request(ctx context.Context, method, path string, query url.Values, header http.Header, body io.Reader) (*http.Response, error) {
	target := strings.TrimRight(r.Server, "/") + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json, application/problem+json")
	for name, values := range header {
		req.Header[name] = values
	}
	if r.Token != "" {
		req.Header.Set("Authorization", "Bearer "+r.Token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w (is the server running? --server names it)", err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		defer res.Body.Close()
		return nil, readProblem(res)
	}
	return res, nil
}

// refusal is a problem that the server answered with.
type refusal struct{ problem.Problem }

func (p *refusal) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)", p.Detail, p.Code)
	for _, e := range p.Errors {
		fmt.Fprintf(&b, "\n  %s %s %s", e.Code, e.Field, e.Detail)
	}
	if p.Status == http.StatusUnauthorized {
		b.WriteString("\n  a token is needed: --token or FOODTRACE_TOKEN; `foodtrace token create` makes one")
	}
	return b.String()
}

func readProblem(res *http.Response) error {
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("%s, and the answer broke off: %w", res.Status, err)
	}
	var p refusal
	if err := json.Unmarshal(raw, &p.Problem); err != nil || p.Status == 0 {
		return fmt.Errorf("the server answered %s", res.Status)
	}
	p.RetryAfter, _ = strconv.Atoi(res.Header.Get("Retry-After"))
	return &p
}

// notFound reports whether the server said that there is no such thing.
func notFound(err error) bool {
	var p *refusal
	return errors.As(err, &p) && p.Status == http.StatusNotFound
}

// lotPath is the API's path of an item.
func lotPath(lot, rest string) string { return api.Base + "/lots/" + url.PathEscape(lot) + rest }

// canonical is a lot in any form as its key; a faulty check digit is the server's to remark on.
func canonical(lot string) string {
	key, err := gs1.Canonical(lot)
	if err != nil && key == "" {
		return lot
	}
	return key
}

func writeJSON(w io.Writer, v any) error {
	if err := json.MarshalWrite(w, v, json.Deterministic(true)); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
