package trace

import "iter"

// label is why and for which times an item is in the trace.
type label struct {
	depth   int
	reached spans   // of the item itself: for which times it was reached; at those its contents concern the trace
	carried spans   // times at which it carried an item of the trace
	first   [1]span // where the first of them is kept: most items have no other
}

// self is the time that concerns the trace for what the item itself is: everything before its bound (back) or after it
// (forward). ok is false for an item that is there only as a carrier.
func (l *label) self(back bool) (s span, ok bool) {
	if len(l.reached) == 0 {
		return span{}, false
	}
	all := l.reached.hull()
	if back {
		return span{always, all.until}, true
	}
	return span{all.from, never}, true
}

// times yields all spans that concern the trace.
func (l *label) times(back bool) iter.Seq[span] {
	return func(yield func(span) bool) {
		if s, ok := l.self(back); ok && !yield(s) {
			return
		}
		for _, s := range l.carried {
			if !yield(s) {
				return
			}
		}
	}
}

func (l *label) has(time int64, back bool) bool {
	for s := range l.times(back) {
		if s.has(time) {
			return true
		}
	}
	return false
}

// joins reports whether the part that an item plays in a process at a time concerns the trace. Of a carrier it matters
// back what it was made of, whenever that was, and forward what it was used for while it carried.
func (l *label) joins(time int64, back bool) bool {
	for s := range l.times(back) {
		if s.has(time) || back && time <= later(s.until) {
			return true
		}
	}
	return false
}

// loosen adds an arrival to a label and reports whether it changed.
func (l *label) loosen(a arrival) (changed bool) {
	set := &l.reached
	if a.carrier {
		set = &l.carried
	}
	if len(l.reached)+len(l.carried) == 0 {
		l.first[0] = a.span
		*set = l.first[:]
		return true
	}
	*set, changed = set.with(a.span)
	return changed
}
