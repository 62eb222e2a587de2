package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
)

type principalKey struct{}

func withPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// From returns who asks; the public if nobody has signed in.
func From(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}

// Middleware puts the principal of the request's bearer token (RFC 6750) in its context. A request without a token is the
// public's; one with a token that is not known is refused with 401, so that nobody takes the public's answer for his own.
func Middleware(tokens *Tokens) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header := r.Header.Get("Authorization")
			if header == "" {
				next.ServeHTTP(w, r)
				return
			}
			p, err := authenticate(r.Context(), tokens, header)
			if err != nil {
				Challenge(w)
				problem.Write(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(withPrincipal(r.Context(), p)))
		})
	}
}

func authenticate(ctx context.Context, tokens *Tokens, header string) (Principal, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Principal{}, problem.New(http.StatusUnauthorized, problem.Unauthorised, "Only bearer tokens are accepted here.")
	}
	p, err := tokens.Lookup(ctx, strings.TrimSpace(token))
	if errors.Is(err, ErrUnknownToken) {
		return Principal{}, problem.New(http.StatusUnauthorized, problem.Unauthorised, "The token is not known here.")
	}
	return p, err
}

// Scheme is the challenge that a 401 carries.
const Scheme = `Bearer realm="foodtrace"`

// Challenge tells the client how to sign in (RFC 9110, section 11.6.1).
func Challenge(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", Scheme)
}

// Require returns nil if the principal has signed in and, if roles are given, has one of them.
func Require(ctx context.Context, roles ...contract.Role) error {
	p := From(ctx)
	if p.Public() {
		return problem.New(http.StatusUnauthorized, problem.Unauthorised, "Sign in with a token: Authorization: Bearer TOKEN.")
	}
	for _, role := range roles {
		if p.Role == role {
			return nil
		}
	}
	if len(roles) == 0 {
		return nil
	}
	return problem.New(http.StatusForbidden, problem.Forbidden, "The role of this token may not do that.")
}
