package simulate

import (
	"fmt"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// inspect records an official inspection or a laboratory's result.
func (f *flow) inspect(by *firm, where *place, item, kind string, result contract.Result) {
	f.clock = f.clock.Add(time.Duration(f.between(20, 90)) * time.Minute)
	f.inspectAt(by, where, item, kind, result, f.clock)
}

func (f *flow) inspectAt(by *firm, where *place, item, kind string, result contract.Result, when time.Time) {
	i := contract.Inspection{
		Item: item, Kind: kind, Result: result, Time: beijing(when), Inspector: by.name.ZH + " / " + by.name.EN,
		Reference: fmt.Sprintf("%s-%s-%05d", by.msp, kind, f.seq*100+len(f.out)),
	}
	if where != nil {
		i.Site = where.id
	}
	f.submit(by, contract.Record{Inspection: &i}, when.Add(time.Minute))
}

func beijing(t time.Time) event.Time {
	return event.Time{Time: t.In(time.FixedZone("", 8*3600))}
}

// acts are the authorities' part: inspections, and holds on lots whose movements are reported nevertheless.
func (f *flow) acts() {
	kinds := []string{"pesticide-residue", "pathogen", "temperature"}
	for i, id := range f.lots {
		if f.chance(f.opt.Inspect) {
			result := contract.Pass
			if f.chance(0.1) {
				result = contract.Fail
			}
			f.inspectAt(f.net.lab, nil, id, pick(f, kinds), result, f.soon(f.born[i]))
		}
		if f.chance(f.opt.Hold) {
			f.holdAndRelease(id, f.soon(f.born[i]))
		}
	}
}

// soon is a moment within five days.
func (f *flow) soon(t time.Time) time.Time {
	return t.Add(time.Duration(f.between(1, 5*24*60)) * time.Minute)
}

func (f *flow) holdAndRelease(item string, when time.Time) {
	h := contract.Hold{Item: item, Scope: contract.ScopeLot, Time: beijing(when),
		Reason:    contract.Text{ZH: "待复检", EN: "Awaiting a second test"},
		Reference: fmt.Sprintf("SD-HOLD-%d-%d", f.seq, len(f.out)),
	}
	if f.chance(0.6) {
		h.Scope = contract.ScopeDownstream
		h.Recall = f.chance(0.3)
	}
	f.hold(h, when)
	if f.chance(f.opt.Release) {
		f.release(h, contract.Text{ZH: "复检合格", EN: "The second test was passed"}, f.soon(when))
	}
}

func (f *flow) hold(h contract.Hold, when time.Time) {
	f.submit(f.net.regulator, contract.Record{Hold: &h}, when)
}

func (f *flow) release(h contract.Hold, why contract.Text, when time.Time) {
	f.submit(f.net.regulator, contract.Record{Release: &contract.Release{Reason: why, Time: beijing(when)}}, when)
	f.out[len(f.out)-1].Ends = h.Reference
}
