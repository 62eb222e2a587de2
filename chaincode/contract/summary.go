package contract

import (
	"cmp"
	"math"
	"slices"
)

// summary lets a question about a container that is used again and again begin near its end: without it, all statements that were ever
// made about the container are read to know what is inside it now. It is made where [Policy].Summaries says so.
type summary struct {
	due   int      // chunks of the container's statements at which the next is made
	parts []prefix // the latest, and the one before it for what is told a little late
}

// prefix is what the statements about a container come to, up to one of them.
type prefix struct {
	contents, cleared place  // in the container's lists: where the statements after it begin
	last              link   // the latest of these statements; its time and order alone count
	open              []link // those that put in what is still inside after it
}

// whole is the prefix of nothing, after which come all statements.
var whole = prefix{last: link{time: math.MinInt64}}

func (s *summary) encode() ([]byte, error) {
	w := writer{b: []byte{version}}
	w.uint(s.due)
	w.uint(len(s.parts))
	for _, p := range s.parts {
		for _, v := range [...]int{p.contents.chunk, p.contents.entry, p.cleared.chunk, p.cleared.entry} {
			w.uint(v)
		}
		w.link(&p.last)
		w.links(p.open)
	}
	return w.b, nil
}

func (s *summary) decode(data []byte) error {
	r := newReader(data)
	s.due = r.uint()
	s.parts = make([]prefix, r.count())
	for i := range s.parts {
		p := &s.parts[i]
		for _, v := range [...]*int{&p.contents.chunk, &p.contents.entry, &p.cleared.chunk, &p.cleared.entry} {
			*v = r.uint()
		}
		r.link(&p.last)
		p.open = r.links()
	}
	return r.end()
}

// inOrder compares statements: by event time, and where that is equal in the order of the record.
func inOrder(a, b link) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.tx, b.tx), cmp.Compare(a.pos, b.pos))
}

// prefixes lists the prefixes of the statements about what is inside a node, the longest first, the last that of nothing.
func (d *decision) prefixes(key string, n *node) ([]prefix, error) {
	if n.contents.full+n.cleared.full == 0 {
		return []prefix{whole}, nil
	}
	s, err := get[summary](d.store, keySummary(key))
	if err != nil || s == nil {
		return []prefix{whole}, err
	}
	return append(slices.Clone(s.parts), whole), nil
}

// tells says whether a prefix and the statements after it answer what is asked: not about a time that the prefix covers, and not where
// something was told after it that happened before its end.
func (p *prefix) tells(asked when, later []link) bool {
	before := func(l link) bool { return inOrder(l, p.last) <= 0 }
	return asked.after(p.last.time) && !slices.ContainsFunc(later, before)
}

// statementsFor lists the statements about what is inside a node that answer what is asked, in a slice of their own, and the prefix that
// they go on from: it leaves out those that it covers, but for what is still inside.
func (d *decision) statementsFor(key string, n *node, asked when) ([]link, prefix, error) {
	prefixes, err := d.prefixes(key, n)
	for _, p := range prefixes {
		later, err := d.statementsAfter(key, n, &p)
		if err != nil || p.tells(asked, later) {
			return slices.Concat(p.open, later), p, err
		}
	}
	return nil, whole, err
}

// statementsAfter lists the statements about what is inside a node after a prefix, in a slice of their own.
func (d *decision) statementsAfter(key string, n *node, p *prefix) ([]link, error) {
	contents, err := d.from(&n.contents, owner(key, listContents), p.contents)
	if err != nil {
		return nil, err
	}
	cleared, err := d.from(&n.cleared, owner(key, listCleared), p.cleared)
	return slices.Concat(contents, cleared), err
}

// summarize makes the next summary of a node if it is due: the rarer, the more is inside, so that it costs no more than the statements.
func (d *decision) summarize(key string, n *node) error {
	chunks := n.contents.full + n.cleared.full
	if chunks == 0 || !d.policy.Summaries {
		return nil
	}
	s, err := get[summary](d.store, keySummary(key))
	if err != nil {
		return err
	}
	if s == nil {
		s = &summary{}
	}
	if chunks < s.due {
		return nil
	}
	statements, p, err := d.statementsFor(key, n, when{now: true})
	if err != nil {
		return err
	}
	next := prefix{contents: n.contents.end(), cleared: n.cleared.end(), last: slices.MaxFunc(append(statements, p.last), inOrder)}
	next.last.node = ""
	for _, s := range stays(statements) {
		if s.open {
			next.open = append(next.open, link{node: s.node, action: 'A', time: s.from})
		}
	}
	s.due = chunks + 1 + len(next.open)/chunkLen
	if len(next.open) <= min(len(statements)/2, maxLook) { // else there is too little that it spares
		s.parts = append([]prefix{next}, s.parts[:min(1, len(s.parts))]...)
	}
	d.set(keySummary(key), s)
	return nil
}

// forgetSummary does away with the summary of a node, a statement having been taken back.
func (d *decision) forgetSummary(key string, n *node) error {
	if n.contents.full+n.cleared.full == 0 {
		return nil
	}
	s, err := get[summary](d.store, keySummary(key))
	if s != nil {
		d.set(keySummary(key), nil)
	}
	return err
}
