package store

import (
	"sync"
	"time"
)

const (
	// seldom is how often the same trouble is told of: what goes on failing may do so thousands of times a second.
	seldom = time.Minute
	// maxTroubles bounds what is remembered; beyond it everything is forgotten, and told again.
	maxTroubles = 64
)

// Seldom keeps the same trouble from being logged again and again. The zero value is ready.
type Seldom struct {
	mu   sync.Mutex
	told map[string]*trouble
}

type trouble struct {
	at      time.Time // when it was told last
	repeats int       // since then
}

// Tell says whether to log a trouble now: the first time, and then once a minute at most. Repeats is how often it has come up
// since it was logged last, without this time.
func (s *Seldom) Tell(what string, now time.Time) (repeats int, tell bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.told[what]
	if ok && now.Sub(known.at) < seldom {
		known.repeats++
		return 0, false
	}
	if ok {
		repeats = known.repeats
	}
	if s.told == nil || len(s.told) >= maxTroubles {
		s.told = map[string]*trouble{}
	}
	s.told[what] = &trouble{at: now}
	return repeats, true
}
