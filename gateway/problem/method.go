package problem

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"
)

// SetAllow names the methods that a chi route knows in the answer to one that it does not (RFC 9110, section 15.5.6).
func SetAllow(w http.ResponseWriter, r *http.Request) {
	routes := chi.RouteContext(r.Context()).Routes
	path := r.URL.RawPath
	if path == "" {
		path = r.URL.Path
	}
	var allowed []string
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete, http.MethodOptions} {
		get := m == http.MethodHead && slices.Contains(allowed, http.MethodGet) // what answers GET answers HEAD
		if get || routes.Match(chi.NewRouteContext(), m, path) {
			allowed = append(allowed, m)
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
}
