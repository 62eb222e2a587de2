package trace

// numbers gives the items that a query finds numbers without gaps, in the order in which they are found, so that what is
// known of them is kept in lists instead of maps. The graph's own numbers are looked up in pages, of which a small answer
// from a large graph has few.
type numbers struct {
	pages []*[pageSize]uint32 // by the graph's number: ours + 1
	items []ItemID            // by our number
}

const pageSize = 512 // 2 KB a page, 8 bytes for one that is not there

func (n *numbers) of(item ItemID) uint32 {
	page := pageOf(&n.pages, uint64(item)/pageSize)
	place := &page[uint64(item)%pageSize]
	if *place == 0 {
		n.items = append(n.items, item)
		*place = uint32(len(n.items))
	}
	return *place - 1
}

func (n *numbers) itemsOf(list []uint32) []ItemID {
	items := make([]ItemID, len(list))
	for i, number := range list {
		items[i] = n.items[number]
	}
	return items
}

// eventSet is a set of events.
type eventSet struct{ pages []*[pageSize / 8]uint64 } // a bit an event

// add adds an event and reports whether it is new.
func (s *eventSet) add(e EventID) bool {
	const perPage = pageSize * 8
	page := pageOf(&s.pages, uint64(e)/perPage)
	word, bit := &page[uint64(e)%perPage/64], uint64(1)<<(uint64(e)%64)
	isNew := *word&bit == 0
	*word |= bit
	return isNew
}

// pageOf returns a page, a new one the first time.
func pageOf[P any](pages *[]*P, i uint64) *P {
	if i >= uint64(len(*pages)) {
		*pages = append(*pages, make([]*P, i+1-uint64(len(*pages)))...)
	}
	if (*pages)[i] == nil {
		(*pages)[i] = new(P)
	}
	return (*pages)[i]
}
