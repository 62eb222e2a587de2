package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// load is a client that sends a document every moment to one gateway, and follows what was acknowledged to its end.
type load struct {
	*testing.T
	gateway *process
	client  int // its number
	seed    uint64
	number  int // of the next document

	mu           sync.Mutex // guards what follows
	acknowledged []*sent
	running      sync.WaitGroup
	stop         context.CancelFunc // of sending
}

// sent is a document that was acknowledged.
type sent struct {
	job    string
	hashes []string
	at     time.Time // of the acknowledgement
	final  time.Time // zero: not yet
}

func (l *load) begin() {
	ctx, cancel := context.WithCancel(l.Context())
	l.stop = cancel
	l.running.Go(func() { l.send(ctx) })
	l.running.Go(func() { l.follow(ctx) })
}

// end stops sending and returns when all that was acknowledged is final.
func (l *load) end() {
	l.Helper()
	l.stop()
	l.running.Wait()
}

// chains is how many lots a document makes of two others each.
const chains = 10

// document is one of many that name different lots: harvests, what is made of them, and its shipment.
func (l *load) document() (doc []byte, hashes []string, err error) {
	l.number++
	when := time.Date(2026, 5, 1, 6, 0, 0, 0, time.UTC).Add(time.Duration(l.number) * time.Minute)
	var events []*event.Event
	add := func(typ event.Type, action event.Action, step string, change func(*event.Event)) {
		when = when.Add(time.Second)
		e := &event.Event{Type: typ, Action: action, BizStep: step, Time: event.Time{Time: when}, TimeZoneOffset: "+08:00"}
		change(e)
		e.ID = e.Hash()
		events, hashes = append(events, e), append(hashes, e.ID)
	}
	some := func(kind string, i int) []event.Quantity { return []event.Quantity{{EPCClass: l.lot(kind, i)}} }
	for i := range chains {
		for _, kind := range []string{"a", "b"} {
			add(event.Object, event.Add, "commissioning", func(e *event.Event) { e.Quantities = some(kind, i) })
		}
		add(event.Transformation, "", "commissioning", func(e *event.Event) {
			e.InputQuantities, e.OutputQuantities = append(some("a", i), some("b", i)...), some("c", i)
		})
		add(event.Object, event.Observe, "shipping", func(e *event.Event) { e.Quantities = some("c", i) })
	}
	var out bytes.Buffer
	err = epcis.Write(&out, epcis.Header{CreationDate: events[0].Time}, events)
	return out.Bytes(), hashes, err
}

// lot is one of the last document: a and b are harvests, c is made of them.
func (l *load) lot(kind string, i int) string {
	return fmt.Sprintf("urn:example:load:%d:%s:%d:%d:%d", l.seed, kind, l.client, l.number, i)
}

// chainFile writes a document that names no place, so that any member may send it, and returns a lot, what was made of it, and a
// document that sells that.
func chainFile(t *testing.T, seed uint64) (file string, made madeFrom) {
	t.Helper()
	l := &load{T: t, seed: seed}
	doc, _, err := l.document()
	if err != nil {
		t.Fatal(err)
	}
	made = madeFrom{input: l.lot("a", 0), output: l.lot("c", 0)}
	made.sale = saleOf(made.output)
	return writeFile(t, "chain.json", string(doc)), made
}

// maxWaiting is how many of a client's documents may be on their way: a slow machine is loaded, not buried.
const maxWaiting = 8

func (l *load) waiting() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range l.acknowledged {
		if d.final.IsZero() {
			n++
		}
	}
	return n
}

// requestTime is how long a client waits for an answer before it takes the gateway for dead.
const requestTime = 10 * time.Second

func (l *load) send(ctx context.Context) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		doc, hashes, err := l.document()
		if err != nil {
			l.Error(err)
			return
		}
		for { // until it is acknowledged: a sender keeps what nobody has taken
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if l.waiting() >= maxWaiting {
				continue
			}
			if job, ok := l.post(ctx, doc); ok {
				l.mu.Lock()
				l.acknowledged = append(l.acknowledged, &sent{job: job, hashes: hashes, at: time.Now()})
				l.mu.Unlock()
				break
			}
		}
	}
}

func (l *load) post(ctx context.Context, doc []byte) (job string, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	var answer epcisrest.Job
	header := http.Header{"Content-Type": {"application/ld+json"}, "GS1-Capture-Error-Behaviour": {"proceed"}}
	err := l.gateway.remote().do(ctx, http.MethodPost, "/epcis/capture", nil, header, bytes.NewReader(doc), &answer)
	return answer.ID, err == nil && answer.ID != ""
}

// follow asks after the oldest jobs until sending has ended and all are final.
func (l *load) follow(sending context.Context) {
	var end time.Time
	for ; ; time.Sleep(pace) {
		l.mu.Lock()
		waiting := slices.DeleteFunc(slices.Clone(l.acknowledged), func(d *sent) bool { return !d.final.IsZero() })
		l.mu.Unlock()
		if sending.Err() != nil {
			if end.IsZero() {
				end = time.Now().Add(after)
			}
			if len(waiting) == 0 {
				return
			}
			if time.Now().After(end) {
				l.Errorf("%d of the documents acknowledged by %s are not final, job %s first", len(waiting), l.gateway.msp, waiting[0].job)
				return
			}
		}
		for _, d := range waiting[:min(4, len(waiting))] {
			l.ask(d)
		}
	}
}

// ask looks whether a job has ended well.
func (l *load) ask(d *sent) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.Context()), requestTime)
	defer cancel()
	var job epcisrest.Job
	if err := l.gateway.remote().get(ctx, "/epcis/capture/"+url.PathEscape(d.job), nil, &job); err != nil || job.Running {
		return
	}
	if !job.Success || job.Foodtrace.Refused > 0 || job.Foodtrace.Accepted+job.Foodtrace.Duplicates != len(d.hashes) {
		l.Errorf("an acknowledged job of %d events of %s: %+v", len(d.hashes), l.gateway.msp, job)
	}
	l.mu.Lock()
	d.final = time.Now()
	l.mu.Unlock()
}

// await waits until something is so of the documents.
func (l *load) await(what string, is func() bool) {
	l.Helper()
	for end := time.Now().Add(after); time.Now().Before(end); time.Sleep(pace) {
		l.mu.Lock()
		ok := is()
		l.mu.Unlock()
		if ok || l.Failed() {
			return
		}
	}
	l.Errorf("%s: not at %s after %v", what, l.gateway.msp, after)
}

// gap is the longest time between two of some moments.
func gap(from, to time.Time, moments []time.Time) (longest time.Duration) {
	slices.SortFunc(moments, time.Time.Compare)
	last := from
	for _, m := range moments {
		if m.After(from) && m.Before(to) {
			longest, last = max(longest, m.Sub(last)), m
		}
	}
	return max(longest, to.Sub(last))
}

// freeAddress is an address on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
