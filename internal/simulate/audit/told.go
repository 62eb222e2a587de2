package audit

import "github.com/foodtrace-ledger/foodtrace/internal/event"

// report is what an event told of a departure to a place, or of an arrival there.
type report struct {
	to     place
	step   string
	unit   string
	amount event.Decimal
}

// uncounted is the unit in which reports of amounts that nobody stated are counted.
const uncounted = "some"

// told sums up, by unit and step, all that was reported so far.
func (b *Books) told(item string, to place) map[string]map[string]event.Decimal {
	sums := map[string]map[string]event.Decimal{}
	for _, r := range b.reports[item] {
		if r.to == to {
			if sums[r.unit] == nil {
				sums[r.unit] = map[string]event.Decimal{}
			}
			sums[r.unit][r.step] = sum(sums[r.unit][r.step], r.amount)
		}
	}
	return sums
}

func largest(sums map[string]event.Decimal) (most event.Decimal) {
	for _, s := range sums {
		if s.Cmp(most) > 0 {
			most = s
		}
	}
	return most
}

// report notes an amount and says by how much the largest sum has grown.
func (b *Books) report(item string, r report) (more event.Decimal) {
	before := largest(b.told(item, r.to)[r.unit])
	b.reports[item] = append(b.reports[item], r)
	return sum(largest(b.told(item, r.to)[r.unit]), before.Neg())
}

// carry moves what other steps have not told yet. A thing exists once: it needs no sums.
func (b *Books) carry(n *entry, item string, s share, to, from place) {
	step := word(n.event.BizStep)
	switch {
	case s.thing:
		b.shift(n, item, s, to, from)
	case s.unknown:
		b.carryAll(n, item, step, to, from)
	default:
		if s.amount = b.report(item, report{to, step, s.unit, s.amount}); s.amount.Sign() > 0 {
			b.shift(n, item, s, to, from)
		}
	}
}

// carryAll: a step that states no amount tells of what the others told more than it, and only if that is nothing of all
// that is there.
func (b *Books) carryAll(n *entry, item, step string, to, from place) {
	again := false
	for unit, sums := range b.told(item, to) {
		if missing := sum(largest(sums), sums[step].Neg()); missing.Sign() > 0 {
			b.report(item, report{to, step, unit, missing})
			again = true
		}
	}
	if again {
		return
	}
	for _, s := range b.shiftAll(n, item, to, from, place{id: sourceLocation(n.event)}) {
		if s.unknown {
			s.unit, s.amount = uncounted, event.Int(1)
		}
		b.report(item, report{to, step, s.unit, s.amount})
	}
}

// shiftAll moves all that the first of some places has which has any; if none has, an unknown amount appears. It returns what
// it moved.
func (b *Books) shiftAll(n *entry, item string, to place, from ...place) (moved []share) {
	for _, at := range from {
		units := b.stock[item][at]
		delete(b.stock[item], at)
		for unit, held := range units {
			moved = append(moved, share{amount: held.amount, unit: unit, unknown: held.unknown})
		}
		if len(moved) > 0 {
			break
		}
	}
	if len(moved) == 0 && (to.transit || len(b.stock[item][to]) == 0) {
		moved = []share{{unknown: true}}
	}
	for _, s := range moved {
		b.put(n, item, to, s)
	}
	return moved
}

// shift moves an amount; what is not where it should come from is taken from the source location, if that has it.
func (b *Books) shift(n *entry, item string, s share, to, from place) {
	rest := b.take(item, from, s)
	if source := sourceLocation(n.event); source != "" {
		b.take(item, place{id: source}, rest)
	}
	b.put(n, item, to, s)
}
