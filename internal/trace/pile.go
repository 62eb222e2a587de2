package trace

import "slices"

// pile is a list that grows without being copied: those of a large trace have millions of entries.
type pile[T any] struct {
	full [][]T
	last []T
}

const (
	minPile = 16
	maxPile = 1 << 16
)

func (p *pile[T]) add(v T) {
	if len(p.last) == cap(p.last) {
		size := minPile
		if len(p.last) > 0 {
			p.full = append(p.full, p.last)
			size = min(2*len(p.last), maxPile)
		}
		p.last = make([]T, 0, size)
	}
	p.last = append(p.last, v)
}

// appendTo appends the entries to a list, in the order in which they came.
func (p *pile[T]) appendTo(list []T) []T {
	n := len(p.last)
	for _, part := range p.full {
		n += len(part)
	}
	list = slices.Grow(list, n)
	for _, part := range p.full {
		list = append(list, part...)
	}
	return append(list, p.last...)
}
