package resolver

import (
	"net/http"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
	"github.com/foodtrace-ledger/foodtrace/internal/qrcode"
)

// qr answers with the QR code of an item's page: GET /qr.svg?uri=… and /qr.png?uri=…. It only draws addresses of this
// server, so that nobody uses it to send people elsewhere.
func (s *Resolver) qr(w http.ResponseWriter, r *http.Request) {
	uri := r.URL.Query().Get("uri")
	if !strings.Contains(uri, ":") {
		problem.Write(w, r, problem.New(http.StatusBadRequest, problem.BadRequest, "Send the URI of a lot in the parameter uri.",
			problem.Item{Code: problem.InvalidField, Detail: "This is not a URI.", Field: "uri"}))
		return
	}
	key, _ := gs1.Canonical(uri) // one that cannot be read stands for itself
	draw, media := qrcode.SVG, "image/svg+xml"
	if strings.HasSuffix(r.URL.Path, ".png") {
		draw, media = qrcode.PNG, "image/png"
	}
	picture, err := draw(s.base + view.Path(key))
	if err != nil { // too long is all that can be wrong
		problem.Write(w, r, problem.New(http.StatusBadRequest, problem.BadRequest, "The URI is too long for a QR code.",
			problem.Item{Code: problem.InvalidField, Detail: "At most about 900 bytes.", Field: "uri"}))
		return
	}
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Cache-Control", "public, max-age=86400") // seconds: the address of a lot does not change
	_, _ = w.Write(picture)                         // a client that left is not an error
}
