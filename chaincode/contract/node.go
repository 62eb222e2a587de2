package contract

import "github.com/foodtrace-ledger/foodtrace/internal/event"

// node is an item or a process in the graph of what was made from what. Its key in the state is its name in the graph.
// Times are event times in microseconds since 1970; 0 is not stated.
type node struct {
	lot bool // a lot: more than one thing, so parts of it may be elsewhere
	// Item: the earliest event that made it, the earliest that used it up. Process: its latest output, its earliest input.
	made, used int64
	balances   []balance
	lots       []string // nodes of the lots that the instance is a member of, once per event that says so
	marks      []mark

	up       list // nodes this was made from: processes and lots of an item, inputs of a process
	down     list // nodes made from this; those with link.direct are uses as input, with their time
	contents list // statements about what was inside this
	carriers list // statements about what this was inside
	cleared  list // statements that everything was taken out of this
}

// mark says that a hold reached the node. It counts while the hold is in force and of that generation.
type mark struct {
	hold string
	gen  int
}

// balance is how much of an item was made and used, in one unit. Units are never converted.
type balance struct {
	unit       string
	made, used event.Decimal
	unknown    bool // something was made or used without a number, or beyond what a number holds
}

// list is a sequence that only grows (but for voided events). Its last entries are in the node, the others in chunks of
// their own, so that a lot with a hundred thousand links costs no more to add to than one with ten.
type list struct {
	full int // chunks
	tail []link
}

// chunkLen balances the bytes of a node that is written often against the number of keys of a long list.
const chunkLen = 32

// link is an entry of a list; its fields have a meaning as the list says.
type link struct {
	node   string
	direct bool
	action byte  // of a containment statement: 'A', 'O', 'D'
	time   int64 // event time
	tx     int64 // ledger's time of the transaction, and the position in it: the order of equal event times
	pos    int
}

func (w *writer) links(all []link) {
	w.uint(len(all))
	for i := range all {
		w.link(&all[i])
	}
}

func (w *writer) link(l *link) {
	w.text(l.node)
	if l.direct {
		w.byte(1)
	} else {
		w.byte(l.action)
	}
	w.int(l.time)
	w.int(l.tx)
	w.uint(l.pos)
}

func (r *reader) links() []link {
	n := r.count()
	if n == 0 {
		return nil
	}
	all := make([]link, n)
	for i := range all {
		r.link(&all[i])
	}
	return all
}

func (r *reader) link(l *link) {
	l.node = r.text()
	if b := r.byte(); b == 1 {
		l.direct = true
	} else {
		l.action = b
	}
	l.time, l.tx, l.pos = r.int(), r.int(), r.uint()
}

func (w *writer) list(l *list) { w.uint(l.full); w.links(l.tail) }
func (r *reader) list(l *list) { l.full, l.tail = r.uint(), r.links() }

func (w *writer) decimal(d event.Decimal) {
	if !d.Stated {
		w.byte(0)
		return
	}
	w.byte(d.Scale + 1)
	w.int(d.Mantissa)
}

func (r *reader) decimal() event.Decimal {
	scale := r.byte()
	if scale == 0 {
		return event.Decimal{}
	}
	d, ok := event.NewDecimal(r.int(), int(scale)-1)
	r.bad = r.bad || !ok
	return d
}

func (w *writer) flag(b bool) {
	if b {
		w.byte(1)
	} else {
		w.byte(0)
	}
}

func (n *node) encode() ([]byte, error) {
	w := writer{b: make([]byte, 1, 256)}
	w.b[0] = version
	w.flag(n.lot)
	w.int(n.made)
	w.int(n.used)
	w.uint(len(n.balances))
	for _, b := range n.balances {
		w.text(b.unit)
		w.decimal(b.made)
		w.decimal(b.used)
		w.flag(b.unknown)
	}
	w.uint(len(n.lots))
	for _, lot := range n.lots {
		w.text(lot)
	}
	w.uint(len(n.marks))
	for _, m := range n.marks {
		w.text(m.hold)
		w.uint(m.gen)
	}
	for _, l := range n.lists() {
		w.list(l)
	}
	return w.b, nil
}

func (n *node) decode(data []byte) error {
	r := newReader(data)
	n.lot, n.made, n.used = r.byte() == 1, r.int(), r.int()
	if k := r.count(); k > 0 {
		n.balances = make([]balance, k)
	}
	for i := range n.balances {
		n.balances[i] = balance{r.text(), r.decimal(), r.decimal(), r.byte() == 1}
	}
	if k := r.count(); k > 0 {
		n.lots = make([]string, k)
	}
	for i := range n.lots {
		n.lots[i] = r.text()
	}
	if k := r.count(); k > 0 {
		n.marks = make([]mark, k)
	}
	for i := range n.marks {
		n.marks[i] = mark{r.text(), r.uint()}
	}
	for _, l := range n.lists() {
		r.list(l)
	}
	return r.end()
}

func (n *node) lists() [5]*list {
	return [...]*list{&n.up, &n.down, &n.contents, &n.carriers, &n.cleared}
}

// chunk is a full part of a list.
type chunk []link

func (c *chunk) encode() ([]byte, error) {
	w := writer{b: []byte{version}}
	w.links(*c)
	return w.b, nil
}

func (c *chunk) decode(data []byte) error {
	r := newReader(data)
	*c = r.links()
	return r.end()
}

func (l *list) empty() bool { return l.full == 0 && len(l.tail) == 0 }

// push appends to a list. owner is the key of its chunks without their number.
func (s *store) push(l *list, owner string, e link) {
	l.tail = append(l.tail, e)
	if len(l.tail) < chunkLen {
		return
	}
	c := chunk(l.tail)
	s.set(keyChunk(owner, l.full), &c)
	l.full, l.tail = l.full+1, nil
}

// part returns the entries of chunk n; chunk l.full is the tail.
func (s *store) part(l *list, owner string, n int) ([]link, error) {
	if n == l.full {
		return l.tail, nil
	}
	c, err := get[chunk](s, keyChunk(owner, n))
	if err != nil || c == nil {
		return nil, err
	}
	return *c, nil
}

// place is a place in a list: after so many chunks, and entries of the next one.
type place struct{ chunk, entry int }

func (l *list) end() place { return place{l.full, len(l.tail)} }

// all returns the whole list.
func (s *store) all(l *list, owner string) ([]link, error) { return s.from(l, owner, place{}) }

// from returns the entries of a list from a place on.
func (s *store) from(l *list, owner string, p place) ([]link, error) {
	if l.full == p.chunk {
		return l.tail[p.entry:], nil
	}
	all := make([]link, 0, (l.full-p.chunk+1)*chunkLen)
	for n := p.chunk; n <= l.full; n++ {
		part, err := s.part(l, owner, n)
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
	return all[p.entry:], nil
}

// remove takes the last entry that match accepts out of a list.
func (s *store) remove(l *list, owner string, match func(link) bool) error {
	for n := l.full; n >= 0; n-- {
		part, err := s.part(l, owner, n)
		if err != nil {
			return err
		}
		for i := len(part) - 1; i >= 0; i-- {
			if !match(part[i]) {
				continue
			}
			rest := make([]link, 0, chunkLen)
			rest = append(append(rest, part[:i]...), part[i+1:]...)
			if n == l.full {
				l.tail = rest
			} else {
				c := chunk(rest)
				s.set(keyChunk(owner, n), &c)
			}
			return nil
		}
	}
	return nil
}

// Names of a node's lists in the keys of their chunks.
const (
	listUp       = "u"
	listDown     = "d"
	listContents = "c"
	listCarriers = "k"
	listCleared  = "x"
	listSummary  = "s" // no list: the summary of contents and cleared
)

func owner(node, list string) string { return node + sep + list }
