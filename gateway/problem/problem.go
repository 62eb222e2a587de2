// Package problem is how every error leaves the gateway: application/problem+json (RFC 9457) with a code for machines
// and a sentence for people, and nothing of the program's insides.
package problem

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
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
	// RetryAfter is how many seconds to wait before it is worth sending again, the answer's header of this name; 0: none.
	RetryAfter int `json:"-"`
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
	StorageFull   = "STORAGE_FULL"
	InternalError = "INTERNAL"
	TooSlow       = "TOO_SLOW"
)

// New returns a problem of the type that its status is.
func New(status int, code, detail string, errs ...Item) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code, Errors: errs}
}

// How many seconds clients wait.
const (
	retrySoon = 2  // some blocks of the ledger; what was away is back
	retryWork = 10 // some documents are through
	retryRoom = 60 // somebody has made room on a disk
)

// Later is 503: nothing is wrong with the request, it can be sent again in a moment.
func Later(detail string) *Problem {
	p := New(http.StatusServiceUnavailable, Unavailable, detail)
	p.RetryAfter = retrySoon
	return p
}

// Often is 429: who asks has so much under way that it has to wait for some of it.
func Often(detail string) *Problem {
	p := New(http.StatusTooManyRequests, TooMany, detail)
	p.RetryAfter = retryWork
	return p
}

// Slow is 408: the body did not come in time.
func Slow() *Problem {
	return New(http.StatusRequestTimeout, TooSlow, "The body came too slowly, and nothing of it was kept. Send it again; a large document can be cut into several.")
}

// Error is "CODE: detail".
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus and ContentType let huma write the problem as it is.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is MediaType, whatever was negotiated.
func (p *Problem) ContentType(string) string { return MediaType }

// Of returns the problem in err's chain. What is away or full is said so; any other error is an internal one. Their texts
// go to the log only.
func Of(ctx context.Context, err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	internal := Internal(ctx, err)
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		p = New(http.StatusInsufficientStorage, StorageFull, "There is no room left on a disk here. Nothing was kept. Send it again when somebody has made room.")
		p.RetryAfter = retryRoom
	case errors.Is(err, index.ErrUnavailable), errors.Is(err, evidence.ErrUnavailable), errors.Is(err, ledger.ErrNoSuchTx):
		p = Later("A part that this gateway stands on does not answer just now. Send it again in a moment.")
	case errors.Is(err, os.ErrDeadlineExceeded): // of the connection; the parts above have deadlines of their own
		p = Slow()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		p = Later("It took too long, or was broken off. Send it again in a moment.")
	default:
		return internal
	}
	p.Instance = internal.Instance
	return p
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

// SetRetry sets the header that says when it is worth sending again.
func (p *Problem) SetRetry(h http.Header) {
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
}

// Write answers with err as a problem.
func Write(w http.ResponseWriter, r *http.Request, err error) {
	p := Of(r.Context(), err).valid()
	form, ok := r.Context().Value(formKey{}).(Form)
	if !ok {
		form = asJSON
	}
	mediaType, body, err := form(r, p)
	if err != nil { // only strings and numbers: it does not happen
		p = New(http.StatusInternalServerError, InternalError, "")
		mediaType, body = MediaType, []byte(`{"type":"about:blank","title":"Internal Server Error","status":500,"code":"INTERNAL"}`)
	}
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Cache-Control", "no-store")
	h.Del("ETag")
	p.SetRetry(h)
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // a client that left is not an error
}

// valid is the problem in UTF-8: a field can be named as a client named it, in any bytes.
func (p *Problem) valid() *Problem {
	clean := func(s string) string { return strings.ToValidUTF8(s, string(utf8.RuneError)) }
	v := *p
	v.Detail, v.Errors = clean(p.Detail), slices.Clone(p.Errors)
	for i, e := range v.Errors {
		v.Errors[i] = Item{Code: e.Code, Detail: clean(e.Detail), Field: clean(e.Field)}
	}
	return &v
}

// Form writes a problem as an interface of its own has it. The status stays.
type Form func(r *http.Request, p *Problem) (mediaType string, body []byte, err error)

type formKey struct{}

// WithForm returns a context in which Write uses the form.
func WithForm(ctx context.Context, f Form) context.Context {
	return context.WithValue(ctx, formKey{}, f)
}

func asJSON(_ *http.Request, p *Problem) (string, []byte, error) {
	body, err := json.Marshal(p)
	return MediaType, body, err
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
