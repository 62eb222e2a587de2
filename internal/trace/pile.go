package trace

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

// parts are the entries in the order in which they came.
func (p *pile[T]) parts() [][]T { return append(p.full, p.last) }
