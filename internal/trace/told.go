package trace

import "github.com/foodtrace-ledger/foodtrace/internal/event"

// told is what business steps have told of departures to one destination, or of arrivals at one site, in one unit: several
// steps may tell of the same (docs/rules.md, section 4).
type told struct {
	sums map[string]event.Decimal // by step
	most event.Decimal            // the largest sum so far
}

// moveNews moves what other steps have not told of already.
func (a *account) moveNews(step string, list []amount, from []slot, to slot, party string, at moment) {
	for _, x := range list {
		switch {
		case x.one:
			a.transfer(x, from, to, party, at)
		case !x.unit.unstated:
			a.transfer(a.tell(step, to, x), from, to, party, at)
		case !a.catchUp(step, to):
			for _, moved := range a.transfer(x, from, to, party, at) {
				a.tell(step, to, moved)
			}
		}
	}
}

// tell counts an amount for a step and returns how much of it is news: that by which its sum exceeds all sums so far. An
// amount that is not stated counts as one.
func (a *account) tell(step string, to slot, x amount) amount {
	n := x.quantity
	if x.unit.unstated {
		n = event.Int(1)
	}
	if n.Sign() <= 0 {
		return x
	}
	t := a.toldOf(to, x.unit)
	sum, ok := t.sums[step].Add(n)
	news, ok2 := sum.Sub(t.most)
	if !ok || !ok2 { // sums that cannot be kept rather count goods twice than lose some
		return x
	}
	t.sums[step] = sum
	if news.Sign() > 0 {
		t.most = sum
	}
	x.quantity = news
	return x
}

func (a *account) toldOf(to slot, u unit) *told {
	if a.told == nil {
		a.told = map[slot]map[unit]*told{}
	}
	if a.told[to] == nil {
		a.told[to] = map[unit]*told{}
	}
	if a.told[to][u] == nil {
		a.told[to][u] = &told{sums: map[string]event.Decimal{}}
	}
	return a.told[to][u]
}

// catchUp makes a step that states no amount tell as much as the other steps did, and reports whether that was more.
func (a *account) catchUp(step string, to slot) (behind bool) {
	for _, t := range a.told[to] {
		if t.sums[step].Cmp(t.most) < 0 {
			t.sums[step], behind = t.most, true
		}
	}
	return behind
}
