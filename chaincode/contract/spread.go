package contract

import (
	"errors"
	"fmt"
	"strconv"
)

var errUndecided = errors.New("contract: " + string(CodeHoldUndecided) + ": too much is inside the item, or went into it, to find out whether it is held")

// queueRecord says how far the marks of a hold have spread: the nodes whose links are still to be followed, first in, first
// out, so that parents come before children.
type queueRecord struct {
	gen   int  // of the hold; a queue of an earlier one does not count
	nodes list // marked nodes in the order in which they were marked
	chunk int  // the first node not done: its chunk
	entry int  // … its place in the chunk
	part  int  // how far its links are followed: the chunk of its list
	link  int  // … the place in the chunk
}

func (q *queueRecord) encode() ([]byte, error) {
	w := writer{b: []byte{version}}
	for _, v := range [...]int{q.gen, q.chunk, q.entry, q.part, q.link} {
		w.uint(v)
	}
	w.list(&q.nodes)
	return w.b, nil
}

func (q *queueRecord) decode(data []byte) error {
	r := newReader(data)
	for _, v := range [...]*int{&q.gen, &q.chunk, &q.entry, &q.part, &q.link} {
		*v = r.uint()
	}
	r.list(&q.nodes)
	return r.end()
}

func (q *queueRecord) owner(hold string) string {
	return prefixQueue + hold + sep + strconv.Itoa(q.gen) + sep
}

// queue returns the queue of a hold's present generation.
func (d *decision) queue(hold string, h *heldRecord) (*queueRecord, error) {
	q, err := get[queueRecord](d.store, prefixQueue+hold)
	if err != nil {
		return nil, err
	}
	if q == nil || q.gen != h.Gen {
		q = &queueRecord{gen: h.Gen}
	}
	return q, nil
}

// enqueue notes that the links of a marked node are to be followed.
func (d *decision) enqueue(hold, key string) error {
	h, err := get[heldRecord](d.store, prefixHold+hold)
	if err != nil || h == nil {
		return err
	}
	q, err := d.queue(hold, h)
	if err != nil {
		return err
	}
	d.push(&q.nodes, q.owner(hold), link{node: key})
	d.set(prefixQueue+hold, q)
	epoch, err := d.epoch()
	if err != nil {
		return err
	}
	for _, id := range epoch.Spread {
		if id == hold {
			return nil
		}
	}
	return d.changeEpoch(func(e *epochRecord) { e.spreading(hold, true) })
}

// restart begins the spreading of a hold anew, because a link that its marks went through is gone.
func (d *decision) restart(hold string, h *heldRecord) error {
	h.Gen++
	d.set(prefixHold+hold, h)
	root, err := d.node(h.Node)
	if err != nil {
		return err
	}
	if err := d.changeEpoch(func(e *epochRecord) { e.spreading(hold, false) }); err != nil {
		return err
	}
	return d.mark(h.Node, root, hold)
}

// spread decides a spread: it follows at most Limit links from marked nodes and marks what they lead to.
func (d *decision) spread(s *Spread, o *Outcome) error {
	if s.Limit < 1 || s.Limit > MaxSpread {
		o.refuse(CodeFieldInvalid, "/spread/limit", "", fmt.Sprintf("the limit of a spread lies between 1 and %d", MaxSpread))
	}
	require(s.Hold, "/spread/hold", o)
	checkKey(s.Hold, "/spread/hold", o)
	if o.Status == Refused {
		return nil
	}
	h, err := get[heldRecord](d.store, prefixHold+s.Hold)
	if err != nil {
		return err
	}
	if h == nil {
		o.refuse(CodeHoldUnknown, "/spread/hold", s.Hold, "there is no hold "+s.Hold)
		return nil
	}
	epoch, err := d.epoch()
	if err != nil {
		return err
	}
	spreading := false
	for _, id := range epoch.Spread {
		spreading = spreading || id == s.Hold
	}
	if !spreading {
		o.Status = Duplicate
		return nil
	}
	return d.follow(s.Hold, h, s.Limit)
}

// follow is the work of a spread.
func (d *decision) follow(hold string, h *heldRecord, limit int) error {
	q, err := d.queue(hold, h)
	if err != nil {
		return err
	}
	for limit > 0 {
		nodes, err := d.part(&q.nodes, q.owner(hold), q.chunk)
		if err != nil {
			return err
		}
		if q.entry == len(nodes) {
			if q.chunk == q.nodes.full { // the end
				d.set(prefixQueue+hold, nil)
				return d.changeEpoch(func(e *epochRecord) { e.spreading(hold, false) })
			}
			d.set(keyChunk(q.owner(hold), q.chunk), nil)
			q.chunk, q.entry = q.chunk+1, 0
			continue
		}
		if limit, err = d.followNode(hold, q, nodes[q.entry].node, limit); err != nil {
			return err
		}
	}
	d.set(prefixQueue+hold, q)
	return nil
}

// followNode follows the links of one node as far as the limit allows, and returns what is left of it.
func (d *decision) followNode(hold string, q *queueRecord, key string, limit int) (int, error) {
	n, err := d.node(key)
	if err != nil {
		return 0, err
	}
	for ; q.part <= n.down.full; q.part, q.link = q.part+1, 0 {
		links, err := d.part(&n.down, owner(key, listDown), q.part)
		if err != nil {
			return 0, err
		}
		for ; q.link < len(links); q.link++ {
			if limit == 0 {
				return 0, nil
			}
			limit--
			to := links[q.link].node
			child, err := d.node(to)
			if err != nil {
				return 0, err
			}
			if err := d.mark(to, child, hold); err != nil {
				return 0, err
			}
		}
	}
	q.entry, q.part, q.link = q.entry+1, 0, 0
	return limit, nil
}
