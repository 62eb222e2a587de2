package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
)

type tokenKey struct{}

func withToken(ctx context.Context, t Token) context.Context {
	return context.WithValue(ctx, tokenKey{}, t)
}

// From returns who asks; the public if nobody has signed in.
func From(ctx context.Context) Principal { return TokenFrom(ctx).Principal }

// TokenFrom returns the token with which somebody has signed in, for what outlives the request.
func TokenFrom(ctx context.Context) Token {
	t, _ := ctx.Value(tokenKey{}).(Token)
	return t
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
			token, err := authenticate(r.Context(), tokens, header)
			if err != nil {
				Challenge(w)
				problem.Write(w, r, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(withToken(r.Context(), token)))
		})
	}
}

func authenticate(ctx context.Context, tokens *Tokens, header string) (Token, error) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Token{}, problem.New(http.StatusUnauthorized, problem.Unauthorised, "Only bearer tokens are accepted here.")
	}
	known, err := tokens.Lookup(ctx, strings.TrimSpace(token))
	if errors.Is(err, ErrUnknownToken) {
		return Token{}, problem.New(http.StatusUnauthorized, problem.Unauthorised, "The token is not known here.")
	}
	return known, err
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
