package subscribe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
)

// dial opens a WebSocket, or returns the status of the refusal.
func (w *world) dial(token, path string, header ...string) (*websocket.Conn, int) {
	w.Helper()
	h := http.Header{}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	conn, answer, err := websocket.Dial(w.Context(), w.base.URL+path, &websocket.DialOptions{HTTPHeader: h})
	if err != nil {
		if answer == nil {
			w.Fatal(err)
		}
		return nil, answer.StatusCode
	}
	w.Cleanup(func() { _ = conn.CloseNow() })
	return conn, http.StatusSwitchingProtocols
}

// read reads one document.
func (w *world) read(conn *websocket.Conn) (d received) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 20*time.Second)
	defer cancel()
	kind, body, err := conn.Read(ctx)
	if err != nil || kind != websocket.MessageText {
		w.Fatal(kind, err)
	}
	if err := json.Unmarshal(body, &d); err != nil {
		w.Fatal(err)
	}
	return d
}

// closed reads until the other side closes, and returns how.
func (w *world) closed(conn *websocket.Conn) (code websocket.StatusCode, reason string, documents []received) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 20*time.Second)
	defer cancel()
	for {
		_, body, err := conn.Read(ctx)
		var end websocket.CloseError
		if errors.As(err, &end) {
			return end.Code, end.Reason, documents
		}
		if err != nil {
			w.Fatal(err)
		}
		var d received
		if err := json.Unmarshal(body, &d); err != nil {
			w.Fatal(err)
		}
		documents = append(documents, d)
	}
}

// TestSocketStream: events come in order, as soon as they are there, and all of them.
func TestSocketStream(t *testing.T) {
	w := newWorld(t)
	token := w.token("firm")
	w.source.write("a-before")
	conn, _ := w.dial(token, "/queries/a/events?stream=true")
	w.source.write("a1", "b1", "a2")
	w.source.write(names("a", 3, 500)...)
	var got []string
	for len(got) < 500 {
		d := w.read(conn)
		if d.Type != "EPCISQueryDocument" || d.Body.Results.Query != "a" || d.Body.Results.Subscription != "" {
			t.Fatalf("%+v", d)
		}
		got = append(got, d.Body.Results.Results.List...)
	}
	if diff := cmp.Diff(names("a", 1, 500), got); diff != "" {
		t.Error(diff)
	}
}

func TestSocketSince(t *testing.T) {
	w := newWorld(t)
	w.source.write("a1", "a2")
	conn, _ := w.dial(w.token("firm"), "/queries/a/events?stream=true&initialRecordTime=2020-04-04T20:33:31.116-06:00")
	if diff := cmp.Diff([]string{"a1", "a2"}, w.read(conn).Body.Results.Results.List); diff != "" {
		t.Error(diff)
	}
}

func TestSocketSchedule(t *testing.T) {
	w := newWorld(t)
	conn, _ := w.dial(w.token("firm"), "/queries/a/events?second=[0-59]&reportIfEmpty=true")
	w.source.write("a1")
	first, second := w.read(conn), w.read(conn)
	if diff := cmp.Diff([]string{"a1"}, first.Body.Results.Results.List); diff != "" || len(second.Body.Results.Results.List) > 0 {
		t.Error(diff, second)
	}
}

func TestSocketRefused(t *testing.T) {
	w := newWorld(t)
	token := w.token("firm")
	for _, c := range []struct {
		token, path string
		header      []string
		want        int
	}{
		{"", "/queries/a/events?stream=true", nil, http.StatusUnauthorized},
		{token, "/queries/none/events?stream=true", nil, http.StatusNotFound},
		{token, "/queries/a/events", nil, http.StatusBadRequest},
		{token, "/queries/a/events?stream=true&stream=true", nil, http.StatusBadRequest},
		{token, "/queries/a/events?stream=true&hour=1", nil, http.StatusBadRequest},
		{token, "/queries/a/events?hour=25", nil, http.StatusBadRequest},
		{token, "/queries/a/events?stream=true&EQ_bizStep=shipping", nil, http.StatusBadRequest},
		{token, "/queries/a/events?stream=true", []string{"Origin", "https://elsewhere.example"}, http.StatusForbidden},
	} {
		if _, status := w.dial(c.token, c.path, c.header...); status != c.want {
			t.Errorf("%s %v: %d, want %d", c.path, c.header, status, c.want)
		}
	}
	_, err := readParameters(map[string][]string{"hour": {"25"}, "second": {"x"}, "colour": {"blue"}, "reportIfEmpty": {"maybe"}, "initialRecordTime": {"now"}})
	if diff := cmp.Diff([]string{"colour", "hour", "initialRecordTime", "reportIfEmpty", "second"}, wrongOf(err)); diff != "" {
		t.Error(diff)
	}
	for i := range MaxSockets + 1 {
		if _, status := w.dial(token, "/queries/a/events?stream=true"); (status == http.StatusSwitchingProtocols) != (i < MaxSockets) {
			t.Fatal(i, status)
		}
	}
	if _, status := w.dial(w.token("other"), "/queries/a/events?stream=true", "Origin", w.base.URL); status != http.StatusSwitchingProtocols {
		t.Error("another member, from a page of this site:", status)
	}
}

// TestSocketEnds: each end has its close code, and what is wrong with the query is sent before.
func TestSocketEnds(t *testing.T) {
	w := newWorld(t)
	token := w.token("firm")
	for _, c := range []struct {
		name   string
		end    func()
		code   websocket.StatusCode
		reason string
		titles []string
	}{
		{"the query is removed", func() {
			if err := w.service.Drop(t.Context(), "firm", "a"); err != nil {
				t.Error(err)
			}
		}, websocket.StatusPolicyViolation, "removed", nil},
		{"the rights are gone", func() { w.setInvalid(true); w.source.write("a1") }, websocket.StatusPolicyViolation, problem.Forbidden, []string{"SecurityException"}},
		{"the query fails", func() {
			w.setInvalid(false)
			w.source.set(func() { w.source.failure = fmt.Errorf("a disk is broken") })
			w.source.write("a1")
		}, websocket.StatusPolicyViolation, problem.InternalError, []string{"ImplementationException"}},
		{"the gateway stops", func() {
			w.source.set(func() { w.source.failure = nil })
			go w.service.sockets.close()
		}, websocket.StatusGoingAway, "stops", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.source.set(func() { w.source.failure = nil })
			w.setInvalid(false)
			conn, _ := w.dial(token, "/queries/a/events?stream=true")
			c.end()
			code, reason, documents := w.closed(conn)
			var titles []string
			for _, d := range documents {
				titles = append(titles, d.Title)
			}
			if code != c.code || !strings.Contains(reason, c.reason) || !slices.Equal(titles, c.titles) {
				t.Errorf("%v %q after %v, want %v %q after %v", code, reason, titles, c.code, c.reason, c.titles)
			}
		})
	}
	if _, status := w.dial(token, "/queries/a/events?stream=true"); status != http.StatusServiceUnavailable {
		t.Error("a socket of a gateway that stops:", status)
	}
}

// TestRevoked: a WebSocket ends with the token that opened it, without a single event more, also while nothing happens; one of
// another token goes on. A subscription is its member's, and rests only when the last of its tokens is gone.
func TestRevoked(t *testing.T) {
	w := newWorld(t)
	lost, kept := w.token("firm"), w.token("firm")
	leaked, _ := w.dial(lost, "/queries/a/events?stream=true")
	other, _ := w.dial(kept, "/queries/a/events?stream=true")
	w.until("both are open", func() bool { return w.service.sockets.count() == 2 })
	revoke := func(token string) {
		t.Helper()
		if err := w.tokens.Revoke(t.Context(), auth.IDOf(token)); err != nil {
			t.Fatal(err)
		}
	}
	hook := newReceiver(t, "", always(http.StatusNoContent))
	at := w.subscribe(lost, "a", `{"dest": %q, "stream": true}`, hook.URL)
	revoke(lost)
	w.source.write("a1")
	code, reason, documents := w.closed(leaked)
	if code != websocket.StatusPolicyViolation || reason != problem.Forbidden || len(documents) != 1 || documents[0].Title != "SecurityException" {
		t.Errorf("%v %q after %v", code, reason, documents)
	}
	if diff := cmp.Diff([]string{"a1"}, w.read(other).Body.Results.Results.List); diff != "" {
		t.Error("the WebSocket of the other token:", diff)
	}
	w.until("the member's subscription goes on", func() bool { return len(hook.got()) == 1 })
	if status, _, _ := w.ask(lost, http.MethodGet, at, ""); status != http.StatusUnauthorized {
		t.Error("a request with the revoked token:", status)
	}
	revoke(kept)
	w.source.write("a2")
	w.until("it rests", func() bool {
		sub, err := w.service.store.get(t.Context(), at[strings.LastIndex(at, "/")+1:])
		return err == nil && sub.Failures > 0
	})
	if got := hook.got(); len(got) != 1 {
		t.Error("without a token the receiver got", got)
	}
	w.token("firm")
	w.until("it goes on when there is a token again", func() bool { return len(hook.got()) == 2 })
}

// TestSocketSlow: a client that takes nothing is let go, and no more than a document is kept for it.
func TestSocketSlow(t *testing.T) {
	w := newWorld(t)
	w.service.patience = 100 * time.Millisecond
	rendered := 0
	w.service.Render = func(context.Context, Document) ([]byte, error) {
		rendered++
		return make([]byte, 4<<20), nil // more than a connection holds
	}
	w.source.write(names("a", 1, 10*socketDocs)...)
	_, _ = w.dial(w.token("firm"), "/queries/a/events?stream=true&initialRecordTime=2020-04-04T00:00:00Z")
	w.until("it is let go", func() bool { return w.service.sockets.count() == 0 })
	if w.service.sockets.close(); rendered > 5 {
		t.Errorf("%d documents for a client that takes none", rendered)
	}
}

// TestSocketLeft: a client that leaves, or sends something, frees its place.
func TestSocketLeft(t *testing.T) {
	w := newWorld(t)
	token := w.token("firm")
	open := w.service.sockets.count
	left, _ := w.dial(token, "/queries/a/events?stream=true")
	talks, _ := w.dial(token, "/queries/a/events?stream=true")
	w.until("both are open", func() bool { return open() == 2 })
	_ = left.CloseNow()
	w.until("one has left", func() bool { return open() == 1 })
	if err := talks.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := w.closed(talks); code != websocket.StatusPolicyViolation {
		t.Error(code)
	}
	w.until("both have left", func() bool { return open() == 0 })
}

// TestRevokedWhileIdle: a WebSocket in which nothing happens ends as well with the token that opened it.
func TestRevokedWhileIdle(t *testing.T) {
	w := newWorld(t)
	w.service.ping = time.Millisecond
	token := w.token("firm")
	idle, _ := w.dial(token, "/queries/a/events?stream=true")
	if err := w.tokens.Revoke(t.Context(), auth.IDOf(token)); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := w.closed(idle); code != websocket.StatusPolicyViolation {
		t.Error(code)
	}
}
