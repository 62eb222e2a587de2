// Package problem is how every error leaves the gateway: application/problem+json (RFC 9457) with a code for machines
// and a sentence for people, and nothing of the program's insides.
package problem

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json"
)

// MediaType of a problem (RFC 9457, section 3).
const MediaType = "application/problem+json"

// Problem is an error as the client sees it. It is an error itself, so that handlers return it.
type Problem struct {
	Type   string `json:"type"`   // "about:blank", or a name of the standard that the endpoint implements
	Title  string `json:"title"`  // the same for every problem of a type
	Status int    `json:"status"` // HTTP status
	Detail string `json:"detail,omitzero"`
	// Instance names this occurrence; it is in the log too.
	Instance string `json:"instance,omitzero"`
	Code     string `json:"code"`
	Errors   []Item `json:"errors,omitempty"` // every single thing that is wrong
}

// Item is one thing that is wrong.
type Item struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	// Field is where: a JSON pointer into the body (RFC 6901), or the name of a parameter.
	Field string `json:"field,omitzero"`
}

// The codes of the gateway itself. Those of parsers and of the contract pass through as they are.
const (
	BadRequest    = "BAD_REQUEST"
	InvalidField  = "INVALID_FIELD"
	Unauthorised  = "UNAUTHORISED"
	Forbidden     = "FORBIDDEN"
	NotFound      = "NOT_FOUND"
	Method        = "METHOD_NOT_ALLOWED"
	NotAcceptable = "NOT_ACCEPTABLE"
	Conflict      = "CONFLICT"
	TooLarge      = "TOO_LARGE"
	MediaTypeBad  = "UNSUPPORTED_MEDIA_TYPE"
	Refused       = "REFUSED"
	TooMany       = "TOO_MANY_REQUESTS"
	Unavailable   = "UNAVAILABLE"
	InternalError = "INTERNAL"
)

// New returns a problem of the type that its status is.
func New(status int, code, detail string, errs ...Item) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code, Errors: errs}
}

// Error is "CODE: detail".
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus and ContentType let huma write the problem as it is.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is MediaType, whatever was negotiated.
func (p *Problem) ContentType(string) string { return MediaType }

// Of returns the problem in err's chain; any other error is an internal one, whose text goes to the log only.
func Of(ctx context.Context, err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return Internal(ctx, err)
}

// Internal notes err for the log and returns a problem that only names the occurrence.
func Internal(ctx context.Context, err error) *Problem {
	p := New(http.StatusInternalServerError, InternalError, "Something went wrong here. Please quote the instance when you report it.")
	if t, ok := ctx.Value(trailKey{}).(*Trail); ok {
		t.Err = errors.Join(t.Err, err)
		p.Instance = t.Instance()
	}
	return p
}

// Write answers with err as a problem.
func Write(w http.ResponseWriter, r *http.Request, err error) {
	p := Of(r.Context(), err)
	body, err := json.Marshal(p)
	if err != nil { // only strings and numbers: not valid UTF-8
		body = []byte(`{"type":"about:blank","title":"Internal Server Error","status":500,"code":"INTERNAL"}`)
		p = New(http.StatusInternalServerError, InternalError, "")
	}
	h := w.Header()
	h.Set("Content-Type", MediaType)
	h.Set("Cache-Control", "no-store")
	h.Del("ETag")
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // a client that left is not an error
}

// Trail follows one request, for its line in the log.
type Trail struct {
	ID  string // random, lower-case hex
	Err error  // what went wrong inside
}

// Instance is the URI of the request.
func (t *Trail) Instance() string { return "urn:foodtrace:request:" + t.ID }

type trailKey struct{}

// WithTrail returns a context in which Internal notes errors in t.
func WithTrail(ctx context.Context, t *Trail) context.Context {
	return context.WithValue(ctx, trailKey{}, t)
}
