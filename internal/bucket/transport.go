package bucket

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// guarded is a transport that lets nobody read the body of a request once it has returned. net/http goes on sending a body
// whose answer came early, and the client rewinds the same body for the next try.
type guarded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return g.RoundTripper.RoundTrip(r)
	}
	body := &guardedBody{ReadCloser: r.Body}
	defer body.end()
	r = r.WithContext(r.Context()) // a copy: the caller's stays as it is
	r.Body, r.GetBody = body, nil
	return g.RoundTripper.RoundTrip(r)
}

type guardedBody struct {
	io.ReadCloser
	mu    sync.Mutex
	ended bool
}

func (b *guardedBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return 0, errors.New("bucket: the request is over")
	}
	return b.ReadCloser.Read(p)
}

// end waits for a Read that has begun; there is none after it.
func (b *guardedBody) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}
