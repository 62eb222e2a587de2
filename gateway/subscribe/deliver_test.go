package subscribe

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

func names(prefix string, from, to int) (list []string) {
	for i := from; i <= to; i++ {
		list = append(list, fmt.Sprintf("%s%d", prefix, i))
	}
	return list
}

// TestStream: events that match, written after the subscription was made, arrive in order, signed, as soon as they are there.
func TestStream(t *testing.T) {
	w := newWorld(t)
	token := w.token("firm")
	w.source.write("a-before")
	r := newReceiver(t, "secret", always(http.StatusNoContent))
	at := w.subscribe(token, "a", `{"dest": %q, "signatureToken": "secret", "stream": true}`, r.URL)
	w.source.write("a1", "b1", "a2")
	w.source.write(names("a", 3, 700)...) // more than a delivery holds
	w.until("all are there", func() bool { return len(r.got()) == 700 })
	if diff := cmp.Diff(names("a", 1, 700), r.got()); diff != "" {
		t.Error(diff)
	}
	w.until("the delivery is noted", func() bool { return !w.status(token, at).Pending })
	st := w.status(token, at)
	if st.State != "active" || st.LastNotifiedAt < st.CreatedAt || st.MinRecordTime < st.CreatedAt || int(st.Sequence) != r.last {
		t.Errorf("%+v after %d deliveries", st, r.last)
	}
	r.read(func() {
		if len(r.wrong) > 0 || r.calls > 10 {
			t.Errorf("%d calls; wrong: %v", r.calls, r.wrong)
		}
	})
	if status, _, body := w.ask(token, http.MethodDelete, at, ""); status != http.StatusNoContent {
		t.Fatal(status, body)
	}
	w.source.write("a701")
	time.Sleep(3 * gather)
	if len(r.got()) != 700 {
		t.Error("an event came after the subscription had ended")
	}
}

// TestInitialRecordTime: what was recorded from then on is sent too.
func TestInitialRecordTime(t *testing.T) {
	w := newWorld(t)
	token := w.token("firm")
	w.source.write("a1")
	time.Sleep(2 * time.Millisecond)
	since := time.Now()
	w.source.write("a2")
	r := newReceiver(t, "", always(http.StatusOK))
	at := w.subscribe(token, "a", `{"dest": %q, "stream": true, "initialRecordTime": %q}`, r.URL, since.Format(time.RFC3339Nano))
	w.source.write("a3")
	w.until("both are there", func() bool { return len(r.got()) == 2 })
	if diff := cmp.Diff([]string{"a2", "a3"}, r.got()); diff != "" {
		t.Error(diff)
	}
	if st := w.status(token, at); st.InitialRecordTime != stamp(since) || st.Signed {
		t.Errorf("%+v", st)
	}
}

// TestFutureRecordTime: what is recorded before a time that is still to come is not sent.
func TestFutureRecordTime(t *testing.T) {
	w := newWorld(t)
	token := w.token("firm")
	r := newReceiver(t, "", always(http.StatusOK))
	since := time.Now().Add(300 * time.Millisecond)
	w.subscribe(token, "a", `{"dest": %q, "stream": true, "initialRecordTime": %q}`, r.URL, since.Format(time.RFC3339Nano))
	conn, _ := w.dial(token, "/queries/a/events?stream=true&initialRecordTime="+url.QueryEscape(since.Format(time.RFC3339Nano)))
	w.source.write(names("early-a", 1, 3)...)
	w.source.write(names("a", 1, piece+1)...)
	time.Sleep(time.Until(since) + time.Millisecond)
	w.source.write("b1", "a-later", "a-last")
	w.until("both are there", func() bool { return len(r.got()) == 2 })
	want := []string{"a-later", "a-last"}
	if diff := cmp.Diff(want, r.got()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, w.read(conn).Body.Results.Results.List); diff != "" {
		t.Error(diff)
	}
}

// TestExactlyOnce: a receiver that fails in every way, and a service that is ended at any moment: what it takes by sequence
// is every event once, in order.
func TestExactlyOnce(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			w := newWorld(t)
			token := w.token("firm")
			var healthy bool
			r := newReceiver(t, "s", func(_, events int) int { // called under the receiver's lock
				answers := []int{200, 200, 202, 0, 0, 500, 503, 302, 404, http.StatusTooManyRequests}
				switch {
				case events > 40:
					return http.StatusRequestEntityTooLarge
				case healthy:
					return 200
				}
				return answers[random.IntN(len(answers))]
			})
			w.subscribe(token, "a", `{"dest": %q, "signatureToken": "s", "stream": true}`, r.URL)
			const events = 400
			written := 0
			for range 8 {
				for range 5 {
					w.source.write(names("a", written+1, written+10)...)
					w.source.write("b")
					written += 10
					time.Sleep(time.Duration(seed) * time.Millisecond)
				}
				w.close()
				w.open()
			}
			r.read(func() { healthy = true })
			w.until("all are there", func() bool { return len(r.got()) >= events })
			if diff := cmp.Diff(names("a", 1, events), r.got()); diff != "" {
				t.Error(diff)
			}
			if len(r.wrong) > 0 {
				t.Error(r.wrong)
			}
		})
	}
}

// TestRepeatedWhole: a delivery whose answer was lost is made again with the same number and the same events, though there
// are more by then.
func TestRepeatedWhole(t *testing.T) {
	w := newWorld(t)
	w.service.retry = time.Hour
	token := w.token("firm")
	var sizes []int
	r := newReceiver(t, "", func(n, events int) int {
		sizes = append(sizes, events)
		if n == 1 {
			return 0
		}
		return 200
	})
	at := w.subscribe(token, "a", `{"dest": %q, "stream": true}`, r.URL)
	w.source.write("a1", "a2")
	w.until("the failure is noted", func() bool { return w.status(token, at).Failures == 1 })
	w.source.write("a3")
	if f := w.service.Figures(); f["foodtrace_subscriptions"] != 1 || f["foodtrace_subscriptions_failing"] != 1 {
		t.Error(f)
	}
	st := w.status(token, at)
	if st.State != "failing" || !st.Pending || st.Sequence != 1 || !strings.Contains(st.LastError, "cannot be reached") || st.NextAt <= st.ErrorAt {
		t.Errorf("%+v", st)
	}
	w.close() // the back-off outlives the process
	w.open()
	time.Sleep(3 * gather)
	r.read(func() {
		if len(sizes) != 1 {
			t.Errorf("deliveries of %v events before the back-off has ended", sizes)
		}
	})
	w.later(2 * time.Hour)
	w.until("all are there", func() bool { return len(r.got()) == 3 })
	r.read(func() {
		if diff := cmp.Diff([]int{2, 2, 1}, sizes); diff != "" || r.last != 2 || len(r.wrong) > 0 {
			t.Error(diff, r.last, r.wrong)
		}
	})
}

// TestKilledWhileSending: what a delivery holds is kept before it is made, so that it is the same after an end at any moment.
func TestKilledWhileSending(t *testing.T) {
	w := newWorld(t)
	var sizes []int
	calls := make(chan struct{}, 10)
	r := newReceiver(t, "", func(n, events int) int {
		sizes = append(sizes, events)
		calls <- struct{}{}
		if n == 1 {
			time.Sleep(50 * time.Millisecond) // the service is ended meanwhile, and never sees the answer
		}
		return 200
	})
	w.subscribe(w.token("firm"), "a", `{"dest": %q, "stream": true}`, r.URL)
	w.source.write("a1", "a2")
	<-calls
	w.close()
	w.source.write("a3")
	w.open()
	w.until("all are there", func() bool { return len(r.got()) == 3 })
	r.read(func() {
		if diff := cmp.Diff([]int{2, 2, 1}, sizes); diff != "" || r.last != 2 || len(r.wrong) > 0 {
			t.Error(diff, r.last, r.wrong)
		}
	})
}

// TestSmaller: 413 makes deliveries smaller, without a gap in their numbers; a single event that is too large waits.
func TestSmaller(t *testing.T) {
	w := newWorld(t)
	token := w.token("firm")
	room := 7
	r := newReceiver(t, "", func(_, events int) int {
		if events > room {
			return http.StatusRequestEntityTooLarge
		}
		return 200
	})
	at := w.subscribe(token, "a", `{"dest": %q, "stream": true}`, r.URL)
	w.source.write(names("a", 1, 100)...)
	w.until("all are there", func() bool { return len(r.got()) == 100 })
	r.read(func() { room = 0 })
	w.source.write("a101")
	w.until("the failure is noted", func() bool { return w.status(token, at).Failures > 1 })
	if st := w.status(token, at); !strings.Contains(st.LastError, "413") {
		t.Errorf("%+v", st)
	}
	r.read(func() { room = 1 })
	w.until("it is there", func() bool { return len(r.got()) == 101 })
	if diff := cmp.Diff(names("a", 1, 101), r.got()); diff != "" || len(r.wrong) > 0 {
		t.Error(diff, r.wrong)
	}
}

// TestGone: 410 ends a subscription; it can still be read, and is not listed.
func TestGone(t *testing.T) {
	w := newWorld(t)
	token := w.token("firm")
	r := newReceiver(t, "", always(http.StatusGone))
	at := w.subscribe(token, "a", `{"dest": %q, "stream": true}`, r.URL)
	w.source.write("a1")
	w.until("it has ended", func() bool { return w.status(token, at).State == "ended" })
	w.source.write("a2")
	w.close()
	w.open()
	time.Sleep(3 * gather)
	if st := w.status(token, at); r.calls != 1 || st.EndedAt == "" || !strings.Contains(st.LastError, "410") {
		t.Errorf("%d calls; %+v", r.calls, st)
	}
	if _, _, body := w.ask(token, http.MethodGet, "/queries/a/subscriptions", ""); body != "[]" {
		t.Error("listed:", body)
	}
}

// TestSchedule: a scheduled query runs at its times, once, makes up for one that was missed, and reports that there is
// nothing only if that was asked for.
func TestSchedule(t *testing.T) {
	w := newWorld(t)
	token := w.token("firm")
	r := newReceiver(t, "", always(http.StatusOK))
	quiet := newReceiver(t, "", always(http.StatusOK))
	at := w.subscribe(token, "a", `{"dest": %q, "schedule": {"hour": "1", "minute": "5"}, "reportIfEmpty": true}`, r.URL)
	w.subscribe(token, "a", `{"dest": %q, "schedule": {"hour": "1", "minute": "5"}}`, quiet.URL)
	w.source.write("a1")
	time.Sleep(2 * gather)
	if len(r.got()) > 0 {
		t.Fatal("an event came before its time")
	}
	if st := w.status(token, at); st.Stream || !strings.HasSuffix(st.NextAt, "T01:05:00.000Z") || *st.Schedule != (Schedule{Hour: "1", Minute: "5"}) {
		t.Errorf("%+v", st)
	}
	w.later(24 * time.Hour)
	w.until("the event is there", func() bool { return len(r.got()) == 1 && len(quiet.got()) == 1 })
	w.until("its time is set anew", func() bool { return w.status(token, at).NextAt > stamp(w.now()) })
	w.stop()
	w.later(48 * time.Hour) // two times go by while nothing runs
	w.close()
	w.open()
	w.until("there is a report of nothing", func() bool { var n int; r.read(func() { n = r.empty }); return n == 1 })
	time.Sleep(2 * gather)
	if r.calls != 2 || quiet.calls != 1 || len(r.wrong) > 0 {
		t.Errorf("%d and %d calls; wrong: %v", r.calls, quiet.calls, r.wrong)
	}
}

// TestRights: who is no longer what he was gets a problem, once, and nothing else until he is again.
func TestRights(t *testing.T) {
	w := newWorld(t)
	token := w.token("firm")
	r := newReceiver(t, "", always(http.StatusOK))
	at := w.subscribe(token, "a", `{"dest": %q, "stream": true}`, r.URL)
	w.setInvalid(true)
	w.source.write("a1")
	w.until("it fails", func() bool { return w.status(token, at).Failures > 2 })
	r.read(func() {
		if diff := cmp.Diff([]string{"SecurityException"}, r.problems); diff != "" || len(r.events) > 0 {
			t.Error(diff, r.events)
		}
	})
	w.setInvalid(false)
	w.until("the event is there", func() bool { return len(r.got()) == 1 })
}

// TestQueryFails: what is wrong with a query is sent as a problem; one that was removed takes its subscriptions along.
func TestQueryFails(t *testing.T) {
	w := newWorld(t)
	token := w.token("firm")
	r := newReceiver(t, "", always(http.StatusOK))
	at := w.subscribe(token, "a", `{"dest": %q, "stream": true}`, r.URL)
	for _, c := range []struct {
		err  error
		want string
	}{
		{problem.New(http.StatusBadRequest, problem.InvalidField, "no"), "QueryParameterException"},
		{problem.New(http.StatusRequestEntityTooLarge, problem.TooLarge, "no"), "QueryTooLargeException"},
		{fmt.Errorf("a disk is broken"), "ImplementationException"},
	} {
		w.source.set(func() { w.source.failure = c.err })
		w.source.write("b")
		w.until(c.want, func() (is bool) { r.read(func() { is = slices.Contains(r.problems, c.want) }); return is })
		w.until("it has failed", func() bool { return w.status(token, at).Failures > 0 }) // noted after it was told
		w.source.set(func() { w.source.failure = nil })
		w.until("it works again", func() bool { return w.status(token, at).State == "active" })
	}
	w.source.set(func() { w.source.failure = fmt.Errorf("%w: 10.0.0.7:5432", index.ErrUnavailable) })
	w.source.write("b")
	w.until("it fails", func() bool { return w.status(token, at).Failures > 1 })
	if st := w.status(token, at); strings.Contains(st.LastError, "10.0.0.7") {
		t.Errorf("the insides are told: %+v", st)
	}
	r.read(func() {
		if len(r.problems) != 3 {
			t.Errorf("what goes away by itself was reported: %v", r.problems)
		}
	})
	w.source.set(func() { w.source.failure, w.source.gone = nil, true })
	w.source.write("a1")
	w.until("the end is told", func() (is bool) {
		r.read(func() { is = slices.Contains(r.problems, "NoSuchNameException") })
		return is
	})
	w.source.set(func() { w.source.gone = false })
	w.until("it is gone", func() bool {
		status, _, _ := w.ask(token, http.MethodGet, at, "")
		return status == http.StatusNotFound
	})
	if len(r.got()) > 0 {
		t.Error("events of a query that was removed:", r.got())
	}
}

// TestDrop: who removes a query drops its subscriptions, and only those.
func TestDrop(t *testing.T) {
	w := newWorld(t)
	firm, other := w.token("firm"), w.token("other")
	r, kept := newReceiver(t, "", always(http.StatusOK)), newReceiver(t, "", always(http.StatusOK))
	w.subscribe(firm, "a", `{"dest": %q, "stream": true}`, r.URL)
	w.subscribe(other, "a", `{"dest": %q, "stream": true}`, kept.URL)
	if err := w.service.Drop(t.Context(), "firm", "a"); err != nil {
		t.Fatal(err)
	}
	w.source.write("a1")
	w.until("the other one's is there", func() bool { return len(kept.got()) == 1 })
	if _, _, body := w.ask(firm, http.MethodGet, "/queries/a/subscriptions", ""); body != "[]" || len(r.got()) > 0 {
		t.Error("not dropped:", body, r.got())
	}
}

// TestIdle: many subscriptions that wait cost nothing while there is no block, and one search each for many blocks.
func TestIdle(t *testing.T) {
	w := newWorld(t)
	r := newReceiver(t, "", always(http.StatusOK))
	const many = MaxPerMember
	token := w.token("firm")
	for range many {
		w.subscribe(token, "a", `{"dest": %q, "stream": true}`, r.URL)
	}
	settled := func() (n int) {
		for before := -1; n != before; n = w.source.count() {
			before = n
			time.Sleep(2 * gather)
		}
		return n
	}
	idle := settled()
	time.Sleep(3 * gather)
	if now := w.source.count(); now != idle {
		t.Errorf("%d searches while nothing happened", now-idle)
	}
	w.source.write(names("b", 1, 50)...)
	if n := settled() - idle; n < many || n > 3*many {
		t.Errorf("%d searches of %d subscriptions for 50 blocks that were written at once", n, many)
	}
	if r.calls > 0 {
		t.Error("somebody was called")
	}
}

// TestSlowReceivers: those of one member do not keep the others waiting.
func TestSlowReceivers(t *testing.T) {
	w := newWorld(t)
	slow, fast := w.token("slow"), w.token("fast")
	var free sync.WaitGroup
	free.Add(1)
	stuck := newReceiver(t, "", always(http.StatusOK))
	var waiting atomic.Int32
	stuck.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { waiting.Add(1); free.Wait() })
	defer free.Done() // before the receivers are closed
	r := newReceiver(t, "", always(http.StatusOK))
	for range 3 * slots {
		w.subscribe(slow, "a", `{"dest": %q, "stream": true}`, stuck.URL)
	}
	w.source.write("a1")
	w.until("deliveries wait", func() bool { return waiting.Load() >= memberSlots })
	time.Sleep(2 * gather) // more would have begun by now
	w.subscribe(fast, "a", `{"dest": %q, "stream": true}`, r.URL)
	w.source.write("a2")
	w.until("the fast one has it", func() bool { return len(r.got()) == 1 })
	if n := waiting.Load(); n != memberSlots {
		t.Errorf("%d deliveries of one member at a time", n)
	}
}

// TestWaits: the receiver says when it wants to be called again, within bounds; without that, each failure doubles the time.
func TestWaits(t *testing.T) {
	w := newWorld(t)
	token := w.token("firm")
	for retryAfter, want := range map[string]time.Duration{"120": 2 * time.Minute, "86400": maxRetry, "soon": 0, "-5": 0} {
		busy := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			out.Header().Set("Retry-After", retryAfter)
			http.Redirect(out, r, "/elsewhere", http.StatusSeeOther)
		}))
		at := w.subscribe(token, "a", `{"dest": %q, "stream": true}`, busy.URL)
		w.source.write("a1")
		w.until("it fails", func() bool { return w.status(token, at).Failures > 0 })
		st := w.status(token, at)
		failed, _ := time.Parse(time.RFC3339Nano, st.ErrorAt)
		next, _ := time.Parse(time.RFC3339Nano, st.NextAt)
		if wait := next.Sub(failed); wait < want || wait > want+time.Second || !strings.Contains(st.LastError, "303") {
			t.Errorf("Retry-After: %s: again after %v, want %v (%s)", retryAfter, wait, want, st.LastError)
		}
		busy.Close()
	}
	s := Service{retry: minRetry}
	for failures, want := range map[int]time.Duration{1: minRetry, 2: 2 * minRetry, 5: 16 * minRetry, 20: maxRetry, 1000: maxRetry} {
		if wait := s.backoff(failures); wait < want*3/4 || wait > want*5/4 {
			t.Errorf("after %d failures: %v, want about %v", failures, wait, want)
		}
	}
}
