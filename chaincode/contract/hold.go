package contract

import (
	"slices"

	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// epochRecord is read by every movement and written by every hold and release, so that a ledger that checks versions
// decides a movement anew when a hold came between its decision and its block.
type epochRecord struct {
	Count   int      `json:"count"`            // of holds, releases, and changes of Spreading
	InForce int      `json:"inForce"`          // holds not released
	Spread  []string `json:"spread,omitempty"` // IDs of downstream holds in force whose marks are still spreading, ascending
}

// heldRecord is a hold as the state keeps it.
type heldRecord struct {
	Node     string `json:"node"` // of the item it names
	Scope    Scope  `json:"scope"`
	Gen      int    `json:"gen,omitzero"`      // marks of earlier generations do not count
	Released string `json:"released,omitzero"` // ID of the release
}

func (d *decision) epoch() (*epochRecord, error) {
	e, err := get[epochRecord](d.store, keyEpoch)
	if e == nil && err == nil {
		e = &epochRecord{}
	}
	return e, err
}

// changeEpoch applies a change to the epoch.
func (d *decision) changeEpoch(change func(*epochRecord)) error {
	e, err := d.epoch()
	if err != nil {
		return err
	}
	change(e)
	e.Count++
	d.set(keyEpoch, e)
	return nil
}

func (e *epochRecord) spreading(hold string, on bool) {
	i, found := slices.BinarySearch(e.Spread, hold)
	if on && !found {
		e.Spread = slices.Insert(e.Spread, i, hold)
	} else if !on && found {
		e.Spread = slices.Delete(e.Spread, i, i+1)
	}
}

// hold decides a hold: it marks the item, and from this block on the item and, by the scope, its descendants stand still.
func (d *decision) hold(h *Hold, o *Outcome) error {
	known, err := get[heldRecord](d.store, prefixHold+o.ID)
	if err != nil {
		return err
	}
	if known != nil {
		o.Status = Duplicate
		return nil
	}
	d.requireRole(o, Regulator)
	item := checkItem(h.Item, "/hold/item", o)
	if h.Scope != ScopeLot && h.Scope != ScopeDownstream {
		o.refuse(CodeFieldInvalid, "/hold/scope", string(h.Scope), "a scope is lot or downstream")
	}
	h.Reason.require("/hold/reason", o)
	checkText(h.Reference, "/hold/reference", o)
	d.requireTime(h.Time, "/hold/time", o)
	if o.Status == Refused {
		return nil
	}
	if err := d.remarkUnknown(item, "/hold/item", o); err != nil {
		return err
	}
	key := prefixItem + item
	n, err := d.node(key)
	if err != nil {
		return err
	}
	id, _ := gs1.Parse(item)
	n.lot = n.lot || id.Kind == gs1.Lot
	d.set(prefixHold+o.ID, &heldRecord{Node: key, Scope: h.Scope})
	if err := d.mark(key, n, o.ID); err != nil {
		return err
	}
	return d.changeEpoch(func(e *epochRecord) { e.InForce++ })
}

// release ends a hold. Its marks count no more; they are taken off where a later record writes the node anyway.
func (d *decision) release(r *Release, o *Outcome) error {
	d.requireRole(o, Regulator)
	r.Reason.require("/release/reason", o)
	d.requireTime(r.Time, "/release/time", o)
	require(r.Hold, "/release/hold", o)
	checkKey(r.Hold, "/release/hold", o)
	if o.Status == Refused {
		return nil
	}
	h, err := get[heldRecord](d.store, prefixHold+r.Hold)
	switch {
	case err != nil:
		return err
	case h == nil:
		o.refuse(CodeHoldUnknown, "/release/hold", r.Hold, "there is no hold "+r.Hold)
		return nil
	case h.Released == o.ID:
		o.Status, o.Findings = Duplicate, nil
		return nil
	case h.Released != "":
		o.refuse(CodeHoldReleased, "/release/hold", r.Hold, "the hold was released by "+h.Released+" before")
		return nil
	}
	h.Released = o.ID
	d.set(prefixHold+r.Hold, h)
	return d.changeEpoch(func(e *epochRecord) {
		e.InForce--
		e.spreading(r.Hold, false)
	})
}

// node returns a node of the graph, an empty one if it is new.
func (d *decision) node(key string) (*node, error) {
	n, err := get[node](d.store, key)
	if n == nil && err == nil {
		n = &node{}
		d.cells[key].value = n // kept without being written until set
	}
	return n, err
}

// inForce returns the hold of a mark that counts, or nil.
func (d *decision) inForce(m mark) (*heldRecord, error) {
	h, err := get[heldRecord](d.store, prefixHold+m.hold)
	if err != nil || h == nil || h.Released != "" || h.Gen != m.gen {
		return nil, err
	}
	return h, nil
}

// mark puts a hold's mark on a node. Where something was made from the node, the mark has to spread on.
//
// The invariant that makes "marked, or below a node in the queue" the same as "below the held item": a link from a marked
// node leads to a marked node, unless the node stands in the hold's queue. addLink and spread keep it.
func (d *decision) mark(key string, n *node, hold string) error {
	h, err := get[heldRecord](d.store, prefixHold+hold)
	if err != nil || h == nil {
		return err
	}
	if err := d.sweep(key, n); err != nil {
		return err
	}
	if slices.Contains(n.marks, mark{hold, h.Gen}) {
		return nil
	}
	n.marks = append(n.marks, mark{hold, h.Gen})
	d.set(key, n)
	clear(d.clear)
	if h.Scope != ScopeDownstream || n.down.empty() {
		return nil
	}
	return d.enqueue(hold, key)
}

// sweep takes marks off a node that count no more, so that old holds do not slow it down for ever.
func (d *decision) sweep(key string, n *node) error {
	kept := n.marks[:0:0]
	for _, m := range n.marks {
		h, err := d.inForce(m)
		if err != nil {
			return err
		}
		if h != nil {
			kept = append(kept, m)
		}
	}
	if len(kept) < len(n.marks) {
		n.marks = kept
		d.set(key, n)
	}
	return nil
}

// stops collects the holds that stop something.
type stops struct {
	holds     []string // ascending
	looked    int      // nodes looked at
	undecided bool     // the limit was reached before the end
}

// look counts a node, and says whether the limit allows it.
func (s *stops) look() bool {
	s.looked++
	s.undecided = s.undecided || s.looked > maxLook
	return !s.undecided
}

func (s *stops) add(hold string) {
	if i, found := slices.BinarySearch(s.holds, hold); !found {
		s.holds = slices.Insert(s.holds, i, hold)
	}
}

// holdsOn finds what stops items (docs/rules.md, section 5): the marks of the items themselves, of the lots they are members of, of
// what is inside them and of what they are inside of, each in turn; and while a hold spreads, the marks of their ancestors.
func (d *decision) holdsOn(items []string, inside when) (s stops, err error) {
	epoch, err := d.epoch()
	if err != nil || epoch.InForce == 0 {
		return s, err
	}
	seen, queue := map[string]bool{}, slices.Clone(items)
	for _, item := range items {
		seen[item] = true
	}
	defer func() { d.work += s.looked }()
	for i := 0; i < len(queue) && s.look(); i++ {
		n, err := d.node(queue[i])
		if err != nil {
			return s, err
		}
		if err := d.holdsAt(queue[i], n, &s); err != nil {
			return s, err
		}
		next, err := d.movesWith(queue[i], n, inside)
		if err != nil {
			return s, err
		}
		for _, key := range next {
			if !seen[key] {
				seen[key] = true
				queue = append(queue, key)
			}
		}
	}
	return s, nil
}

// movesWith lists the nodes whose holds stop a node too.
func (d *decision) movesWith(key string, n *node, inside when) ([]string, error) {
	next := n.lots
	contents, err := d.contentsOf(key, n, inside)
	if err != nil {
		return nil, err
	}
	next = append(next[:len(next):len(next)], contents...)
	if n.lot {
		return next, nil
	}
	carriers, err := d.carriersOf(key, n, inside)
	return append(next, carriers...), err
}

// holdsAt collects the holds whose marks are on a node, or will be once they have spread.
func (d *decision) holdsAt(key string, n *node, s *stops) error {
	for _, m := range n.marks {
		h, err := d.inForce(m)
		if err != nil {
			return err
		}
		if h != nil {
			s.add(m.hold)
		}
	}
	epoch, err := d.epoch()
	if err != nil || len(epoch.Spread) == 0 {
		return err
	}
	return d.lookUp(key, epoch.Spread, s)
}

// lookUp searches the ancestors of a node for marks of spreading holds.
func (d *decision) lookUp(key string, spreading []string, s *stops) error {
	if d.clear[key] {
		return nil
	}
	found := false
	seen, queue := map[string]bool{key: true}, []string{key}
	for i := 0; i < len(queue) && s.look(); i++ {
		n, err := d.node(queue[i])
		if err != nil {
			return err
		}
		for _, m := range n.marks {
			if _, ok := slices.BinarySearch(spreading, m.hold); !ok {
				continue
			}
			h, err := d.inForce(m)
			if err != nil {
				return err
			}
			if h != nil {
				s.add(m.hold)
				found = true
			}
		}
		up, err := d.all(&n.up, owner(queue[i], listUp))
		if err != nil {
			return err
		}
		for _, l := range up {
			if !seen[l.node] {
				seen[l.node] = true
				queue = append(queue, l.node)
			}
		}
	}
	if !found && !s.undecided {
		for _, k := range queue {
			d.clear[k] = true
		}
	}
	return nil
}

// HoldsOn returns the IDs of the holds that stop an item now, ascending. The item is named in any URI form. It fails when
// the state cannot be read, or when there is too much to look through while a hold is spreading ([CodeHoldUndecided]).
func HoldsOn(state State, item string) ([]string, error) {
	id, _ := gs1.Parse(item)
	if id.Kind == gs1.Class {
		return nil, nil // a class without a lot connects nothing
	}
	s, err := newDecision(state, Tx{}).holdsOn([]string{prefixItem + id.Canonical}, when{now: true})
	if err == nil && s.undecided {
		err = errUndecided
	}
	return s.holds, err
}

// HoldSpreading returns the IDs of the downstream holds in force whose marks have not reached every descendant yet,
// ascending: those for which a [Spread] has something to do.
func HoldSpreading(state State) ([]string, error) {
	e, err := newDecision(state, Tx{}).epoch()
	if err != nil {
		return nil, err
	}
	return e.Spread, nil
}
