// Package simulate makes supply chains whose right answers it knows: spinach to salad, pork, and shrimp by sea, with
// the mess of real records. Everything follows from a seed; the clock is simulated. The auditor of the rules is in
// package audit.
package simulate

import (
	"container/heap"
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// EventIDs says what stands in the eventID of the events.
type EventIDs int

const (
	NoIDs   EventIDs = iota // none
	HashIDs                 // the CBV 2.0 event hash
	UUIDs                   // a random UUID
)

// Options of a world. Rates are probabilities from 0 to 1; the zero Options make an orderly world.
type Options struct {
	Lots  int       // stop after the campaign in which this many lots have been made; 0: DefaultLots
	Start time.Time // of the first harvest; zero: DefaultStart
	// Every is the time between two campaigns; zero: DefaultEvery. Memory grows with the campaigns that overlap.
	Every time.Duration
	// Spinach, Pork and Shrimp are the shares of the chains, in any unit; all zero: 6, 3, 1.
	Spinach, Pork, Shrimp int

	Rework     float64 // of leftovers that go into a later campaign
	Late       float64 // of events reported days later than those after them
	Duplicate  float64 // of events sent again
	Erroneous  float64 // of events that are preceded by a wrong one, which is then declared an error
	Contradict float64 // of events that another record contradicts: a wrong clock, another place, another amount
	Retell     float64 // of departures and of arrivals that a second business step tells of: departing after shipping, arriving before receiving
	Inspect    float64 // of lots that are inspected
	Hold       float64 // of lots that are held at some moment, while their movements are reported nevertheless
	Release    float64 // of holds that end

	EventIDs EventIDs
	URNs     bool // some members write EPC URNs, the others Digital Link URIs
}

const (
	DefaultLots  = 100
	DefaultEvery = time.Hour
)

// DefaultStart is a morning in the spinach season.
var DefaultStart = time.Date(2026, 3, 2, 22, 0, 0, 0, time.UTC)

// Messy are options with some of everything.
func Messy() Options {
	return Options{
		Rework: 0.4, Late: 0.04, Duplicate: 0.03, Erroneous: 0.01, Contradict: 0.02, Retell: 0.3, Inspect: 0.1, Hold: 0.03, Release: 0.6,
		EventIDs: UUIDs, URNs: true,
	}
}

// Submission is one record and the member that sends it.
type Submission struct {
	By       string    // MSP ID
	Captured time.Time // when it is sent
	Record   contract.Record
	// Ends is set for a release: the Reference of the hold that it ends. The ledger gives a hold its ID, so whoever
	// submits fills in Record.Release.Hold (a copy of it).
	Ends string

	flow, index int // where it stands among those captured at the same time
}

// World is a simulated world. It is not changed by use: each call of Records tells the same story from the start.
type World struct {
	seed uint64
	opt  Options
	net  *network
}

// New makes the world of a seed.
func New(seed uint64, opt Options) *World {
	if opt.Lots == 0 {
		opt.Lots = DefaultLots
	}
	if opt.Start.IsZero() {
		opt.Start = DefaultStart
	}
	if opt.Every == 0 {
		opt.Every = DefaultEvery
	}
	if opt.Spinach+opt.Pork+opt.Shrimp == 0 {
		opt.Spinach, opt.Pork, opt.Shrimp = 6, 3, 1
	}
	return &World{seed: seed, opt: opt, net: newNetwork(nil)}
}

// Registration is everybody and everything that takes part: what a regulator registers before the first record.
func (w *World) Registration() contract.Registration { return w.net.registration() }

// Records tells what is sent to the ledger, in the order in which it is sent.
func (w *World) Records() iter.Seq[Submission] {
	return func(yield func(Submission) bool) { w.tell(nil, yield) }
}

// Truth is what really happens in the world. It is kept in memory, so it is for small worlds.
func (w *World) Truth() *Truth {
	t := newTruth()
	w.tell(t, func(Submission) bool { return true })
	return t
}

// tell runs campaign after campaign and merges what they send by the time of sending: when a campaign begins,
// nothing earlier can come any more.
func (w *World) tell(truth *Truth, yield func(Submission) bool) {
	var waiting queue
	var left carryOver
	for seq, lots := 0, 0; lots < w.opt.Lots; seq++ {
		start := w.opt.Start.Add(time.Duration(seq) * w.opt.Every)
		if !waiting.drain(start, yield) {
			return
		}
		f := &flow{net: w.net, opt: w.opt, seq: seq, rng: rand.New(rand.NewPCG(w.seed, uint64(seq))), clock: start, truth: truth}
		f.campaign(&left)
		f.mess()
		f.acts()
		lots += len(f.lots)
		if truth != nil {
			truth.Lots = append(truth.Lots, f.lots...)
		}
		for _, s := range f.out {
			heap.Push(&waiting, s)
		}
	}
	waiting.drain(End, yield)
}

// carryOver is what one campaign leaves to later ones.
type carryOver struct {
	leaves   goods     // for rework, at the salad plant
	free     time.Time // when they may be used
	dressing goods     // a pail lasts several campaigns
}

// campaign chooses a chain and runs it.
func (f *flow) campaign(left *carryOver) {
	switch n := int(f.between(1, int64(f.opt.Spinach+f.opt.Pork+f.opt.Shrimp))); {
	case n <= f.opt.Spinach:
		f.spinachCampaign(left)
	case n <= f.opt.Spinach+f.opt.Pork:
		f.porkCampaign()
	default:
		f.shrimpCampaign()
	}
}

// queue orders submissions by the time of sending.
type queue []Submission

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(Submission)) }
func (q queue) Less(i, j int) bool {
	return before(q[i], q[j]) < 0
}

func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	(*q)[len(*q)-1] = Submission{}
	*q = (*q)[:len(*q)-1]
	return last
}

// drain yields what is sent before a time; false when the reader has had enough.
func (q *queue) drain(until time.Time, yield func(Submission) bool) bool {
	for len(*q) > 0 && (*q)[0].Captured.Before(until) {
		if !yield(heap.Pop(q).(Submission)) {
			return false
		}
	}
	return true
}

func before(a, b Submission) int {
	if c := a.Captured.Compare(b.Captured); c != 0 {
		return c
	}
	if a.flow != b.flow {
		return a.flow - b.flow
	}
	return a.index - b.index
}

// pick is one of a list.
func pick[T any](f *flow, list []T) T { return list[f.rng.IntN(len(list))] }

// choose is n different ones of a list, in the order of the list.
func choose[T any](f *flow, list []T, n int) []T {
	at := f.rng.Perm(len(list))[:n]
	slices.Sort(at)
	chosen := make([]T, n)
	for i, k := range at {
		chosen[i] = list[k]
	}
	return chosen
}
