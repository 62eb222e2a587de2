package epcisrest

import (
	"net/http"

	"github.com/foodtrace-ledger/foodtrace/internal/translate"
)

// subscriber has a handler of package subscribe answer; the gateway's problems are written here.
func (h *Handler) subscriber(serve func(w http.ResponseWriter, r *http.Request, query string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := serve(w, r, pathValue(r, "name")); err != nil {
			fail(w, r, err)
		}
	}
}

// subscribe is POST /queries/{name}/subscriptions.
func (h *Handler) subscribe(w http.ResponseWriter, r *http.Request, query string) error {
	epc, err := wantedEPC(r)
	if err != nil {
		return err
	}
	return h.subscriptions.Create(w, r, query, epc)
}

// subscription is GET /queries/{name}/subscriptions/{id}.
func (h *Handler) subscription(w http.ResponseWriter, r *http.Request, query string) error {
	return h.subscriptions.Get(w, r, query, pathValue(r, "id"))
}

// unsubscribe is DELETE /queries/{name}/subscriptions/{id}.
func (h *Handler) unsubscribe(w http.ResponseWriter, r *http.Request, query string) error {
	return h.subscriptions.Delete(w, r, query, pathValue(r, "id"))
}

// socket is GET /queries/{name}/events of a client that wants a WebSocket.
func (h *Handler) socket(w http.ResponseWriter, r *http.Request, query string) error {
	epc, err := wantedEPC(r)
	if err != nil {
		return err
	}
	return h.subscriptions.Socket(w, r, query, epc)
}

// wantedEPC is the format of identifiers in what is sent later.
func wantedEPC(r *http.Request) (translate.EPCFormat, error) {
	epc, ok := translate.ParseEPCFormat(r.Header.Get(epcFormat))
	if !ok {
		return "", notAcceptable("The events cannot be sent in this form.", epcItem)
	}
	return epc, nil
}
