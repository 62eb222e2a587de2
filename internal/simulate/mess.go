package simulate

import (
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// mess adds to the campaign what real records have: late, repeated, mistaken and contradictory ones. Only
// contradictions change what the record says happened.
func (f *flow) mess() {
	for i, end := 0, len(f.out); i < end; i++ {
		s := f.out[i]
		e := s.Record.Event
		if e == nil {
			continue
		}
		if f.chance(f.opt.Late) {
			f.out[i].Captured = s.Captured.Add(time.Duration(f.between(24, 10*24)) * time.Hour)
		}
		if f.chance(f.opt.Duplicate) {
			f.again(s, clone(e), time.Duration(f.between(1, 3000))*time.Minute)
		}
		if f.chance(f.opt.Erroneous) {
			f.mistake(s, e)
		}
		if f.chance(f.opt.Contradict) {
			f.contradict(s, e)
		}
	}
}

// clone is a copy that may be changed.
func clone(e *event.Event) *event.Event {
	b, err := event.Marshal(e)
	if err == nil {
		e, err = event.Unmarshal(b)
	}
	if err != nil {
		panic("simulate: " + err.Error()) // an event of ours that cannot be written and read: the tests would see it
	}
	return e
}

// again sends an event some time after another one.
func (f *flow) again(s Submission, e *event.Event, after time.Duration) {
	f.submit(f.net.named(s.By), contract.Record{Event: e}, s.Captured.Add(after))
}

// mistake sends a wrong version of an event that names a lot which had no part in it, and later the declaration that it
// is an error.
func (f *flow) mistake(s Submission, e *event.Event) {
	wrong := clone(e)
	wrong.Time.Time = wrong.Time.Add(-time.Millisecond * 500)
	extra := event.Quantity{EPCClass: pick(f, f.lots), Quantity: number(f.between(1, 99), 0), UOM: "KGM"}
	switch e.Type {
	case event.Transformation:
		wrong.InputQuantities = append(wrong.InputQuantities, extra)
	case event.Aggregation:
		wrong.ChildQuantities = append(wrong.ChildQuantities, extra)
	default:
		wrong.Quantities = append(wrong.Quantities, extra)
	}
	f.name(wrong)
	f.again(s, wrong, -time.Minute)
	declared := clone(wrong)
	declared.ErrorDeclaration = &event.ErrorDeclaration{DeclarationTime: event.Time{Time: wrong.Time.Add(5 * time.Hour)}, Reason: "incorrect_data"}
	if e.ID != "" {
		declared.ErrorDeclaration.CorrectiveEventIDs = []string{e.ID}
	}
	f.again(s, declared, time.Duration(f.between(1, 300))*time.Minute)
}

// contradict sends a record beside the true one that cannot be true as well.
func (f *flow) contradict(s Submission, e *event.Event) {
	other := clone(e)
	by := s
	switch f.rng.IntN(3) {
	case 0: // a wrong clock
		other.Time.Time = other.Time.Add(time.Duration(f.between(-72, 72)) * time.Hour)
	case 1: // two places at once
		p := pick(f, f.net.shops)
		other.ReadPoint, other.BizLocation = &event.Place{ID: p.id}, &event.Place{ID: p.id}
		by.By = p.firm.msp
	default: // amounts that do not add up
		for _, list := range [][]event.Quantity{other.Quantities, other.ChildQuantities, other.InputQuantities, other.OutputQuantities} {
			for i := range list {
				list[i].Quantity = number(f.between(1, 9000), 0)
			}
		}
		other.Time.Time = other.Time.Add(time.Second)
	}
	f.name(other)
	f.again(by, other, time.Duration(f.between(1, 300))*time.Minute)
}
