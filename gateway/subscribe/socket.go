package subscribe

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/translate"
)

// Limits of WebSockets.
const (
	// MaxSockets bounds those of a member that are open at a time.
	MaxSockets = 20
	pingEvery  = 30 * time.Second // proxies cut connections that are still for a minute
	pongTime   = 10 * time.Second
	writeTime  = 30 * time.Second // for one document: a reader slower than that is let go
	socketDocs = 100              // events in a document
)

// Why a WebSocket is closed.
var (
	errStopping = errors.New("this gateway stops")
	errDropped  = errors.New("the query has been removed")
	errTalks    = errors.New("nothing is expected from the client")
	errLeft     = errors.New("the client has left")
)

// sockets are the WebSockets that are open. The zero value is ready.
type sockets struct {
	mu      sync.Mutex
	open    map[*socket]bool
	closed  bool
	running sync.WaitGroup
}

// socket is an open WebSocket.
type socket struct {
	who    auth.Principal
	token  auth.ID // with which it was opened: it ends with it
	query  string
	epc    translate.EPCFormat
	terms  Terms
	cursor index.Cursor
	stop   context.CancelCauseFunc
	conn   *websocket.Conn
}

// enter counts a socket in, unless its member has too many or the gateway stops.
func (s *sockets) enter(k *socket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return problem.Later("This gateway stops.")
	}
	mine := 0
	for other := range s.open {
		if other.who.Member == k.who.Member {
			mine++
		}
	}
	if mine >= MaxSockets {
		return problem.New(http.StatusTooManyRequests, problem.TooMany, "The member has as many WebSockets open as it may have.")
	}
	if s.open == nil {
		s.open = map[*socket]bool{}
	}
	s.open[k] = true
	s.running.Add(1)
	return nil
}

func (s *sockets) leave(k *socket) {
	s.mu.Lock()
	delete(s.open, k)
	s.mu.Unlock()
	s.running.Done()
}

// end has the sockets that a function chooses end.
func (s *sockets) end(why error, choose func(*socket) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.open {
		if choose(k) {
			k.stop(why)
		}
	}
}

func (s *sockets) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

func (s *sockets) drop(member, query string) {
	s.end(errDropped, func(k *socket) bool { return k.who.Member == member && k.query == query })
}

// close ends all, and returns when they have.
func (s *sockets) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end(errStopping, func(*socket) bool { return true })
	s.running.Wait()
}

// Wanted reports whether a request asks for a WebSocket.
func Wanted(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// Socket is GET /queries/{name}/events with Upgrade: websocket. It returns when the connection has ended; an error is for a
// request that was not upgraded.
func (s *Service) Socket(w http.ResponseWriter, r *http.Request, query string, epc translate.EPCFormat) error {
	who, err := s.asker(r, query)
	if err != nil {
		return err
	}
	if !sameOrigin(r) {
		return exception(http.StatusForbidden, problem.Forbidden, "SecurityException", "A page of another site cannot open a WebSocket here.")
	}
	k := &socket{who: who, token: auth.TokenFrom(r.Context()).ID, query: query, epc: epc}
	if k.terms, err = readParameters(r.URL.Query()); err != nil {
		return err
	}
	if k.cursor, err = s.Source.Start(r.Context(), k.terms.InitialRecordTime); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(context.WithoutCancel(r.Context())) // the time limit of requests is not for it
	defer stop(nil)
	k.stop = stop
	if err := s.sockets.enter(k); err != nil {
		return err
	}
	defer s.sockets.leave(k)
	w.Header().Set(minRecordTime, k.terms.since(s.Now()))
	if k.conn, err = websocket.Accept(w, r, nil); err != nil {
		return nil // it has answered: no key, another version, HTTP/2
	}
	var listening sync.WaitGroup
	defer listening.Wait()
	defer func() { _ = k.conn.CloseNow() }() // before the wait; after Close, it has nothing to do
	listening.Go(func() { stop(k.listen()) })
	why := s.serve(ctx, k)
	s.explain(ctx, k, why)
	if !errors.Is(why, errLeft) {
		_ = k.conn.Close(closing(why)) // a client that leaves now is not an error
	}
	return nil
}

// listen returns when the client has left or said something; pings are answered meanwhile. (CloseRead of the library does this
// too, but waits for itself for 15 seconds when the client says something.)
func (k *socket) listen() error {
	if _, _, err := k.conn.Reader(context.Background()); err != nil { // until the connection is closed
		return errLeft
	}
	return errTalks
}

// sameOrigin reports whether no page of another site asks: browsers send the origin of a page, programs send none.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	u, err := url.Parse(origin)
	return origin == "" || err == nil && strings.EqualFold(u.Host, r.Host)
}

// closing is the close code (RFC 6455, section 7.4.1) and the sentence for why a socket ends.
func closing(err error) (websocket.StatusCode, string) {
	var refused *refusal
	switch {
	case errors.Is(err, errStopping):
		return websocket.StatusGoingAway, errStopping.Error()
	case errors.Is(err, errTalks):
		return websocket.StatusPolicyViolation, errTalks.Error()
	case errors.Is(err, errDropped), errors.Is(err, ErrNoSuchQuery):
		return websocket.StatusPolicyViolation, errDropped.Error()
	case errors.As(err, &refused):
		return websocket.StatusPolicyViolation, refused.p.Code // the problem itself was sent before
	}
	return websocket.StatusTryAgainLater, "ask again, with initialRecordTime"
}

// serve sends events until something ends it, and returns what.
func (s *Service) serve(ctx context.Context, k *socket) error {
	for {
		_, changed := s.now() // before the search: what comes meanwhile is for the next round
		var due <-chan time.Time
		if !k.terms.Stream() {
			changed = nil
			due = time.After(k.terms.next(s.Now()).Sub(s.Now()))
		} else if err := s.flush(ctx, k); err != nil {
			return err
		}
		if err := s.wait(ctx, k, changed, due); err != nil {
			return err
		}
		if !k.terms.Stream() {
			if err := s.flush(ctx, k); err != nil {
				return err
			}
		}
	}
}

// wait returns nil when there may be something to send. Meanwhile it sees that the other side is there, and has its rights.
func (s *Service) wait(ctx context.Context, k *socket, changed <-chan struct{}, due <-chan time.Time) error {
	ping := time.NewTicker(s.ping)
	defer ping.Stop()
	for {
		select {
		case <-changed:
			return nil
		case <-due:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ping.C:
			pong, cancel := context.WithTimeout(ctx, pongTime)
			err := k.conn.Ping(pong)
			cancel()
			if err == nil {
				err = s.permitted(ctx, k.who, k.token)
			}
			if err != nil {
				return err
			}
		}
	}
}

// flush sends all that there is.
func (s *Service) flush(ctx context.Context, k *socket) error {
	for empty := k.terms.ReportIfEmpty; ; empty = false {
		sent, err := s.next(ctx, k, empty)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil || !sent {
			return err
		}
	}
}

// explain sends as a problem what is wrong on our side. The socket is closed next.
func (s *Service) explain(ctx context.Context, k *socket, why error) {
	var refused *refusal
	if !errors.As(why, &refused) {
		return
	}
	if body, err := json.Marshal(typed(refused.p, exceptionOf(refused.p.Status))); err == nil {
		_ = k.write(ctx, body, s.patience)
	}
}

// next sends the next events, or, if empty, also none.
func (s *Service) next(ctx context.Context, k *socket, empty bool) (sent bool, err error) {
	if err := s.permitted(ctx, k.who, k.token); err != nil {
		return false, err
	}
	events, next, err := s.search(ctx, search{k.who, k.query, k.terms.InitialRecordTime, k.cursor, socketDocs})
	if err != nil {
		return false, err
	}
	if len(events) == 0 && !empty {
		k.cursor = next
		return false, nil
	}
	body, err := s.Render(ctx, Document{Query: k.query, EPC: k.epc, Who: k.who, Events: events})
	if err == nil {
		err = k.write(ctx, body, s.patience)
	}
	if err != nil {
		return false, err
	}
	k.cursor, k.terms.InitialRecordTime = next, time.Time{} // which applies the first time
	return true, nil
}

func (k *socket) write(ctx context.Context, body []byte, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return k.conn.Write(ctx, websocket.MessageText, body)
}
