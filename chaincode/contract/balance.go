package contract

import (
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// change is what an event says of how much of an item was made or used, in one unit.
type change struct {
	item, place, unit string
	made, used        event.Decimal
	unknown           bool
}

// counted says whether an item stands in a quantity list: a class or lot, of which a number may or may not be stated.
func counted(item *event.Item) bool { return strings.Contains(item.Place, "uantityList/") }

// effect says whether an event makes an item, and whether it uses it up (docs/rules.md, section 4).
func effect(e *event.Event, item *event.Item) (makes, uses bool) {
	switch item.Role {
	case event.RoleOutput:
		return true, false
	case event.RoleInput:
		return false, true
	}
	step := e.Step()
	uses = step == "destroying" || step == "retail_selling" || e.Type == event.Object && e.Action == event.Delete
	return e.Type == event.Object && e.Action == event.Add && !uses, uses
}

// changes collects what an event makes and uses, one for each item and unit.
func changes(e *event.Event) (all []change) {
	index := map[[2]string]int{}
	items := e.Items()
	for i := range items {
		item := &items[i]
		makes, uses := effect(e, item)
		if !makes && !uses || item.Kind == gs1.Class {
			continue
		}
		amount := item.Quantity
		if !amount.Stated && !counted(item) {
			amount = event.Int(1)
		}
		at, ok := index[[2]string{item.Key, item.UOM}]
		if !ok {
			at = len(all)
			index[[2]string{item.Key, item.UOM}] = at
			all = append(all, change{item: item.Key, place: item.Place, unit: item.UOM})
		}
		c := &all[at]
		if makes {
			c.made, c.unknown = plus(c.made, amount, c.unknown)
		} else {
			c.used, c.unknown = plus(c.used, amount, c.unknown)
		}
	}
	return all
}

// plus adds amounts; what was not stated, or is beyond what a number holds, makes the sum unknown.
func plus(a, b event.Decimal, unknown bool) (event.Decimal, bool) {
	if !b.Stated {
		return a, true
	}
	if !a.Stated {
		return b, unknown
	}
	sum, ok := a.Add(b)
	if !ok {
		return a, true
	}
	return sum, unknown
}

// plus is the balance after a change.
func (b balance) plus(c change) balance {
	b.unknown = b.unknown || c.unknown
	if c.made.Stated {
		b.made, b.unknown = plus(b.made, c.made, b.unknown)
	}
	if c.used.Stated {
		b.used, b.unknown = plus(b.used, c.used, b.unknown)
	}
	return b
}

// minus takes a change back.
func (b balance) minus(c change) balance {
	c.made, c.used, c.unknown = c.made.Neg(), c.used.Neg(), false
	return b.plus(c)
}

func (b balance) exceeded() bool {
	return !b.unknown && b.made.Stated && b.used.Stated && b.used.Cmp(b.made) > 0
}

func (n *node) balance(unit string) (balance, int) {
	for i, b := range n.balances {
		if b.unit == unit {
			return b, i
		}
	}
	return balance{unit: unit}, len(n.balances)
}

func (n *node) setBalance(i int, b balance) {
	if i == len(n.balances) {
		n.balances = append(n.balances, b)
		return
	}
	n.balances[i] = b
}

// checkBalances remarks where an event uses more than was made.
func (d *decision) checkBalances(all []change, o *Outcome) error {
	for _, c := range all {
		if !c.used.Stated {
			continue
		}
		n, err := d.node(prefixItem + c.item)
		if err != nil {
			return err
		}
		b, _ := n.balance(c.unit)
		if b = b.plus(c); b.exceeded() {
			o.refuseUnless(!d.policy.RefuseOverBalance, CodeBalanceExceeded, "/event"+c.place, c.item,
				"of "+c.item+" "+b.used.String()+" "+unitName(c.unit)+" were used, but only "+b.made.String()+" made")
		}
	}
	return nil
}

func unitName(unit string) string {
	if unit == "" {
		return "pieces"
	}
	return unit
}
