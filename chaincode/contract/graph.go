package contract

import "slices"

// addLink says that to was made from from, and lets the marks of from flow on. direct: from was an input of the process
// to, at a time.
func (d *decision) addLink(from, to string, time int64, direct bool) error {
	f, err := d.node(from)
	if err != nil {
		return err
	}
	t, err := d.node(to)
	if err != nil {
		return err
	}
	d.push(&f.down, owner(from, listDown), link{node: to, time: time, direct: direct})
	d.push(&t.up, owner(to, listUp), link{node: from})
	d.set(from, f)
	d.set(to, t)
	if d.clear[to] && !d.clear[from] {
		clear(d.clear)
	}
	for _, m := range f.marks {
		h, err := d.inForce(m)
		if err != nil {
			return err
		}
		if h != nil && h.Scope == ScopeDownstream {
			if err := d.mark(to, t, m.hold); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeLink takes one addLink back. A downstream hold that reached from may have gone through the link: it starts anew.
func (d *decision) removeLink(from, to string, time int64, direct bool) error {
	f, err := d.node(from)
	if err != nil {
		return err
	}
	t, err := d.node(to)
	if err != nil {
		return err
	}
	same := func(l link) bool { return l.node == to && l.direct == direct && l.time == time }
	if err := d.remove(&f.down, owner(from, listDown), same); err != nil {
		return err
	}
	if err := d.remove(&t.up, owner(to, listUp), func(l link) bool { return l.node == from }); err != nil {
		return err
	}
	d.set(from, f)
	d.set(to, t)
	for _, m := range slices.Clone(f.marks) {
		h, err := d.inForce(m)
		if err != nil {
			return err
		}
		if h != nil && h.Scope == ScopeDownstream {
			if err := d.restart(m.hold, h); err != nil {
				return err
			}
		}
	}
	return nil
}

// stay is a time for which a child was inside a parent.
type stay struct {
	node        string
	from, until int64
	open        bool // not taken out
}

// when says which stays are meant.
type when struct {
	now  bool  // the child is inside, as far as the ledger knows
	then bool  // the child was inside at a time. The moment of an ADD or OBSERVE counts, that of the DELETE does not
	time int64 // of then
}

func at(time int64) when { return when{then: true, time: time} }

// atOrNow: what is moved is looked through by both, because the time is the sender's word, and many records know only the day.
func atOrNow(time int64) when { return when{now: true, then: true, time: time} }

// means says whether a stay is meant.
func (w when) means(s *stay) bool {
	return w.now && s.open || w.then && s.from <= w.time && (s.open || w.time < s.until || w.time == s.from)
}

// after says that no time is meant but later ones.
func (w when) after(time int64) bool { return !w.then || w.time > time }

// stays derives from the statements about one parent when what was inside it: from an ADD until the next DELETE of the child
// or of everything; an OBSERVE outside of that states one moment. Equal times count in the order of the record.
func stays(statements []link) (all []stay) {
	statements = slices.Clone(statements)
	slices.SortStableFunc(statements, inOrder)
	open := map[string]int{} // child → index in all
	since := 0               // all before it are closed
	for _, l := range statements {
		i, isOpen := open[l.node]
		switch {
		case l.action == 'D' && l.node == "":
			for ; since < len(all); since++ {
				if all[since].open {
					all[since].open, all[since].until = false, l.time
				}
			}
			clear(open)
		case l.action == 'D' && isOpen:
			all[i].open, all[i].until = false, l.time
			delete(open, l.node)
		case l.action == 'D' || isOpen:
		case l.action == 'A':
			open[l.node] = len(all)
			all = append(all, stay{node: l.node, from: l.time, open: true})
		default:
			all = append(all, stay{node: l.node, from: l.time, until: l.time})
		}
	}
	return all
}

// stayed is what was directly inside one node: now, and at any time after since.
type stayed struct {
	since int64
	stays []stay
	of    map[string][]int // child → its stays
}

// stayedIn works out what was directly inside a node at the times that are asked for, once until a statement about it changes.
func (d *decision) stayedIn(key string, n *node, asked when) (*stayed, error) {
	if s := d.inside[key]; s != nil && asked.after(s.since) {
		return s, nil
	}
	statements, p, err := d.statementsFor(key, n, asked)
	if err != nil {
		return nil, err
	}
	s := newStayed(statements, p.last.time)
	d.inside[key] = s
	return s, nil
}

func newStayed(statements []link, since int64) *stayed {
	s := &stayed{since: since, stays: stays(statements), of: map[string][]int{}}
	for i := range s.stays {
		child := s.stays[i].node
		s.of[child] = append(s.of[child], i)
	}
	return s
}

// has says whether a child has a stay that is meant.
func (s *stayed) has(child string, meant when) bool {
	for _, i := range s.of[child] {
		if meant.means(&s.stays[i]) {
			return true
		}
	}
	return false
}

// contentsOf lists what is directly inside a node, in order of time; what was put in repeatedly may be there repeatedly.
func (d *decision) contentsOf(key string, n *node, meant when) (inside []string, err error) {
	if n.contents.empty() {
		return nil, nil
	}
	s, err := d.stayedIn(key, n, meant)
	if err != nil {
		return nil, err
	}
	d.work += len(s.stays)
	for i := range s.stays {
		if meant.means(&s.stays[i]) {
			inside = append(inside, s.stays[i].node)
		}
	}
	return inside, nil
}

// carriersOf lists the nodes that a node is directly inside of and that are one thing each.
func (d *decision) carriersOf(key string, n *node, meant when) (carriers []string, err error) {
	parents, err := d.parents(key, n)
	if err != nil {
		return nil, err
	}
	for _, parent := range parents {
		p, err := d.node(parent)
		if err != nil {
			return nil, err
		}
		if p.lot {
			continue
		}
		s, err := d.stayedIn(parent, p, meant)
		if err != nil {
			return nil, err
		}
		if s.has(key, meant) {
			carriers = append(carriers, parent)
		}
	}
	return carriers, nil
}

// parents lists every node that a statement ever put a node into, each once, in the order of the record.
func (d *decision) parents(key string, n *node) (parents []string, err error) {
	statements, err := d.all(&n.carriers, owner(key, listCarriers))
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, l := range statements {
		if !seen[l.node] {
			seen[l.node] = true
			parents = append(parents, l.node)
		}
	}
	return parents, nil
}

// contentsAt lists everything inside a node at a time, at any depth, each once, without the node itself.
func (d *decision) contentsAt(key string, time int64) ([]string, error) {
	seen, queue := map[string]bool{key: true}, []string{key}
	for i := 0; i < len(queue); i++ {
		n, err := d.node(queue[i])
		if err != nil {
			return nil, err
		}
		inside, err := d.contentsOf(queue[i], n, at(time))
		if err != nil {
			return nil, err
		}
		for _, child := range inside {
			if !seen[child] {
				seen[child] = true
				queue = append(queue, child)
			}
		}
	}
	return queue[1:], nil
}

// use is one event's use of an item as input of a process.
type use struct {
	item, process string
	time          int64
	inside        []string // what was inside the item then
}

// usesAround lists the uses of a node, and of everything that it was ever put into, with what was inside, as far as a statement about
// the node with a time changes that: earlier uses may be among them.
// What went into a process inside something is linked to it; when it turns out later what was inside, the links change.
func (d *decision) usesAround(key string, time int64) (uses []use, err error) {
	seen, queue := map[string]bool{key: true}, []string{key}
	for i := 0; i < len(queue); i++ {
		n, err := d.node(queue[i])
		if err != nil {
			return nil, err
		}
		if n.down.empty() && n.carriers.empty() {
			continue
		}
		down, err := d.all(&n.down, owner(queue[i], listDown))
		if err != nil {
			return nil, err
		}
		for _, l := range down {
			if !l.direct || d.policy.Summaries && l.time < time {
				continue
			}
			inside, err := d.contentsAt(queue[i], l.time)
			if err != nil {
				return nil, err
			}
			uses = append(uses, use{queue[i], l.node, l.time, inside})
		}
		parents, err := d.parents(queue[i], n)
		if err != nil {
			return nil, err
		}
		for _, p := range parents {
			if !seen[p] {
				seen[p] = true
				queue = append(queue, p)
			}
		}
	}
	return uses, nil
}

// relink changes the links of uses from what was thought to be inside to what is.
func (d *decision) relink(uses []use) error {
	for _, u := range uses {
		actual, err := d.contentsAt(u.item, u.time)
		if err != nil {
			return err
		}
		before, after := set(u.inside), set(actual)
		for _, item := range u.inside {
			if !after[item] {
				if err := d.removeLink(item, u.process, 0, false); err != nil {
					return err
				}
			}
		}
		for _, item := range actual {
			if !before[item] {
				if err := d.addLink(item, u.process, 0, false); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func set(nodes []string) map[string]bool {
	s := make(map[string]bool, len(nodes))
	for _, n := range nodes {
		s[n] = true
	}
	return s
}
