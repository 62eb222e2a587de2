package trace

import (
	"cmp"
	"math/bits"
	"slices"
)

// moment is an event in the order of events: by event time, then in record order.
type moment struct {
	time  int64
	event EventID
}

func (m moment) compare(o moment) int {
	if c := cmp.Compare(m.time, o.time); c != 0 {
		return c
	}
	return cmp.Compare(m.event, o.event)
}

// inOrder returns the events in order, each once. The moments are sorted in place.
func inOrder(moments []moment) []EventID {
	moments = slices.Compact(sortMoments(moments))
	ids := make([]EventID, len(moments))
	for i, m := range moments {
		ids[i] = m.event
	}
	return ids
}

// fewMoments are sorted faster by comparing them.
const fewMoments = 500

// sortMoments sorts by digits, because a large trace has millions: by event, and then, unless that is the order of event
// times already, as it mostly is, by time.
func sortMoments(list []moment) []moment {
	if len(list) < fewMoments {
		slices.SortFunc(list, moment.compare)
		return list
	}
	list, spare := byDigits(list, make([]moment, len(list)), func(m moment) int64 { return int64(m.event) })
	if !slices.IsSortedFunc(list, moment.compare) {
		list, _ = byDigits(list, spare, func(m moment) int64 { return m.time })
	}
	return list
}

// byDigits sorts by a key, keeping the order of equal ones: from the lowest digit of the key to the highest. It returns
// the sorted list and the other one.
func byDigits(list, spare []moment, key func(moment) int64) (sorted, other []moment) {
	const digit = 11 // bits: its counters fit in the first cache
	lowest, highest := key(list[0]), key(list[0])
	for _, m := range list {
		lowest, highest = min(lowest, key(m)), max(highest, key(m))
	}
	for shift := 0; shift < bits.Len64(uint64(highest)-uint64(lowest)); shift += digit {
		var starts [1 << digit]int
		at := func(m moment) *int { return &starts[(uint64(key(m))-uint64(lowest))>>shift%(1<<digit)] }
		for _, m := range list {
			*at(m)++
		}
		next := 0
		for i, n := range starts {
			starts[i] = next
			next += n
		}
		for _, m := range list {
			place := at(m)
			spare[*place] = m
			*place++
		}
		list, spare = spare, list
	}
	return list, spare
}
