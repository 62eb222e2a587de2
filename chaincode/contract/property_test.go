package contract_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/contract/contracttest"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// everything is a member that may do everything, so that one batch can mix acts and events.
const everything = "EverythingMSP"

func everythingNetwork(t testing.TB) *contracttest.Bench {
	b := contracttest.New(t)
	b.Accept(everything, contract.Record{Registration: &contract.Registration{
		Members: []contract.Member{{MSP: everything, Roles: []contract.Role{contract.Regulator}}},
		Sites:   []contract.Site{{ID: farmSite, Owner: everything}},
	}})
	return b
}

// record is the event that an op stands for.
func (e *op) record() contract.Record {
	var r contract.Record
	switch e.kind {
	case "make":
		r = made(e.hour, e.from, e.to)
		if e.process[0] == 'T' {
			r.Event.TransformationID = e.process
		}
	case "pack":
		r = pack(e.hour, e.parent, e.children...)
	case "unpack":
		r = unpack(e.hour, e.parent, e.children...)
	case "observe":
		r = ev(event.Aggregation, "", e.hour, parent(e.parent), children(e.children...))
	case "join":
		number := e.to[0][len(e.to[0])-1:]
		r = ev(event.Object, "commissioning", e.hour, action(event.Add), objects(e.from...), ilmd(`{"cbvmda:lotNumber":"`+number+`"}`))
	case "ship":
		r = ship(e.hour, e.children...)
	case "receive":
		r = ev(event.Object, "receiving", e.hour, objects(e.children...))
	}
	r.Event.BizTransactions = []event.BizTransaction{{BizTransaction: fmt.Sprint("urn:test:", e.seq)}} // each is new
	return r
}

var (
	someLots  = []string{lot("A"), lot("B"), lot("C"), lot("D"), lot("E")}
	someInsts = []string{inst(1), inst(2), inst(3)}
	someUnits = []string{sscc(1), sscc(2), sscc(3)}
	someItems = slices.Concat(someLots, someInsts, someUnits)
)

// world runs the contract beside the oracle.
type world struct {
	*rapid.T
	b      *contracttest.Bench
	o      oracle
	seq    int
	checks []func(contract.Outcome)
	batch  []contract.Record
}

func subset(t *rapid.T, name string, of []string, least, most int) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(of), least, most, rapid.ID[string]).Draw(t, name)
}

func (w *world) hour() int { return rapid.IntRange(0, 120).Draw(w.T, "hour") }

// drawEvent makes a random event.
func (w *world) drawEvent() *op {
	w.seq++
	e := &op{seq: w.seq, hour: w.hour(), kind: rapid.SampledFrom([]string{"make", "make", "pack", "pack", "unpack", "observe", "join", "ship", "ship", "receive"}).Draw(w.T, "kind")}
	switch e.kind {
	case "make":
		e.from, e.to = subset(w.T, "from", someItems, 0, 2), subset(w.T, "to", someItems, 0, 2)
		e.process = rapid.SampledFrom([]string{"", "", "T1", "T2"}).Draw(w.T, "process")
		if e.process == "" {
			e.process = fmt.Sprint("own", e.seq)
		}
	case "pack", "observe":
		e.parent, e.children = rapid.SampledFrom(someUnits).Draw(w.T, "parent"), subset(w.T, "children", someItems, 1, 3)
	case "unpack":
		e.parent, e.children = rapid.SampledFrom(someUnits).Draw(w.T, "parent"), subset(w.T, "children", someItems, 0, 2)
	case "join":
		e.from, e.to = subset(w.T, "instances", someInsts, 1, 2), []string{rapid.SampledFrom(someLots).Draw(w.T, "lot")}
	default:
		e.children = subset(w.T, "items", someItems, 1, 2)
	}
	return e
}

// step adds one random record to the batch, with what the oracle expects of it once the records before are decided.
func (w *world) step() {
	switch rapid.IntRange(0, 9).Draw(w.T, "step") {
	case 0:
		w.hold()
	case 1:
		w.release()
	case 2, 3:
		w.spread()
	case 4:
		w.void()
	default:
		e := w.drawEvent()
		w.add(e.record(), func(got contract.Outcome) {
			want := w.o.violates(e)
			if (got.Status == contract.Accepted) != (len(want) == 0) || !slices.Equal(got.Violations, want) {
				w.Fatalf("%+v: %s %v, want violations %v", *e, got.Status, got.Findings, want)
			}
			if len(want) == 0 {
				w.o.events = append(w.o.events, e)
			}
		})
	}
}

func (w *world) add(r contract.Record, check func(contract.Outcome)) {
	w.batch, w.checks = append(w.batch, r), append(w.checks, check)
}

func (w *world) hold() {
	w.seq++
	h := hold(rapid.SampledFrom(someItems).Draw(w.T, "item"), rapid.SampledFrom([]contract.Scope{contract.ScopeLot, contract.ScopeDownstream, contract.ScopeDownstream}).Draw(w.T, "scope"), 0)
	h.Hold.Reference = fmt.Sprint(w.seq)
	w.add(h, func(got contract.Outcome) {
		if got.Status != contract.Accepted {
			w.Fatalf("hold: %+v", got)
		}
		w.o.holds[got.ID] = &heldBy{item: h.Hold.Item, scope: h.Hold.Scope}
	})
}

func (w *world) release() {
	if ids := w.inForce(); len(ids) > 0 {
		id := rapid.SampledFrom(ids).Draw(w.T, "hold")
		w.add(release(id, 0), func(got contract.Outcome) {
			if got.Status == contract.Refused && !w.o.holds[id].released {
				w.Fatalf("release: %+v", got)
			}
			w.o.holds[id].released = true
		})
	}
}

func (w *world) spread() {
	if ids := spreading(w.b); len(ids) > 0 {
		w.add(spread(rapid.SampledFrom(ids).Draw(w.T, "hold"), rapid.IntRange(1, 4).Draw(w.T, "limit")), func(got contract.Outcome) {
			if got.Status == contract.Refused {
				w.Fatalf("spread: %+v", got)
			}
		})
	}
}

func (w *world) void() {
	var all []*op
	for _, e := range w.o.events {
		if !e.void {
			all = append(all, e)
		}
	}
	if len(all) == 0 {
		return
	}
	e := rapid.SampledFrom(all).Draw(w.T, "wrong")
	r := e.record()
	wrong(r.Event)
	w.add(r, func(got contract.Outcome) {
		if !e.void && !(got.Status == contract.Accepted && got.Voids) || e.void && got.Status != contract.Duplicate {
			w.Fatalf("error declaration: %+v", got)
		}
		e.void = true
	})
}

func (w *world) inForce() (ids []string) {
	for id, h := range w.o.holds {
		if !h.released {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// send decides the batch in one transaction.
func (w *world) send() {
	batch, checks := w.batch, w.checks
	w.batch, w.checks = nil, nil
	for i, o := range w.b.Send(everything, batch...) {
		checks[i](o)
	}
}

// TestHoldsAgainstOracle: in random small supply graphs, with holds, releases, spreads and error declarations in any order and any
// batches, no movement of a held item is accepted and none is refused that is not held.
func TestHoldsAgainstOracle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{T: rt, b: everythingNetwork(t), o: oracle{holds: map[string]*heldBy{}}}
		for range rapid.IntRange(1, 12).Draw(rt, "batches") {
			for range rapid.IntRange(1, 4).Draw(rt, "records") {
				w.step()
			}
			w.send()
		}
		for _, finish := range []bool{false, true} {
			if finish {
				w.finishSpreading()
			}
			for _, item := range someItems {
				if got, want := holdsOn(w.b, item), w.o.heldBy(item, -1); !slices.Equal(got, want) {
					rt.Fatalf("HoldsOn(%s) = %v, want %v (spread to the end: %v)", item, got, want, finish)
				}
			}
		}
	})
}

func (w *world) finishSpreading() {
	for range 10_000 {
		ids := spreading(w.b)
		if len(ids) == 0 {
			return
		}
		w.b.Send(everything, spread(ids[0], 2))
	}
	w.Fatal("spreading does not end")
}
