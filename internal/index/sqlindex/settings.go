package sqlindex

import (
	"context"
	"slices"
	"strconv"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// settings gives settings their numbers and adds each event to the timeline.
type settings struct {
	db    db
	known *lru.Cache[string, int64] // over transactions
	here  map[string]int64          // of this transaction
	last  int64

	key     []byte   // of the event at hand
	parties []string // likewise

	rows, places, timeline *Insert
}

func newSettings(ctx context.Context, d db, known *lru.Cache[string, int64]) (*settings, error) {
	s := &settings{
		db: d, known: known, here: map[string]int64{},
		rows:     insertInto("settings", "id, key8, key, member, type, action, step, disposition, read_point, location, declared, block"),
		places:   insertInto("setting_places", "setting, no, place8, place, party, block"),
		timeline: insertInto("timeline", "event, time, setting, block"),
	}
	_, err := d.one(ctx, "SELECT coalesce(max(id), 0) FROM settings", nil, &s.last)
	return s, err
}

// add notes when an event was and of what setting it is.
func (s *settings) add(ctx context.Context, e *event.Event, no int64, member string, at place) error {
	id, err := s.id(ctx, e, member, at)
	if err == nil {
		s.timeline.row(no, e.Time.UnixMicro(), id, int64(at.block))
	}
	return err
}

func (s *settings) id(ctx context.Context, e *event.Event, member string, at place) (int64, error) {
	fields := [...]string{member, string(e.Type), string(e.Action), e.Step(), e.DispositionWord(), e.ReadPointKey(), e.LocationKey()}
	s.parties = appendParties(s.parties[:0], e)
	s.key = s.key[:0]
	declared := int64(0)
	if e.ErrorDeclaration != nil {
		declared, s.key = 1, append(s.key, '!') // other keys begin with a digit
	}
	s.key = appendKey(s.key, fields[:], s.parties)
	if id, ok := s.here[string(s.key)]; ok {
		return id, nil
	}
	key := string(s.key)
	id, ok := s.known.Get(key)
	if ok {
		s.here[key] = id
		return id, nil
	}
	key8 := digest8(key)
	found, err := s.db.one(ctx, "SELECT id FROM settings WHERE key8 = ?1 AND key = ?2", []any{key8, key}, &id)
	if err != nil {
		return 0, err
	}
	if !found {
		s.last++
		id = s.last
		s.rows.row(id, key8, key, member, plain(fields[1]), plain(fields[2]), plain(fields[3]), plain(fields[4]), plain(fields[5]), plain(fields[6]), declared, int64(at.block))
		s.placesOf(id, s.parties, fields[5:], at)
	}
	s.here[key] = id
	s.known.Add(key, id)
	return id, nil
}

// appendKey makes the key of a setting, with the length of each field before it, so that no two settings have one key.
func appendKey(b []byte, fields, parties []string) []byte {
	for _, list := range [...][]string{fields, parties} {
		for _, f := range list {
			f = plain(f)
			b = append(strconv.AppendInt(b, int64(len(f)), 10), ':')
			b = append(b, f...)
		}
	}
	return b
}

// plain is a text that PostgreSQL can hold: what is looked up by it is compared with the event once more.
func plain(s string) string { return strings.ReplaceAll(s, "\x00", "\uFFFD") }

// placesOf notes the places of a new setting. One that is a party as well is noted as that.
func (s *settings) placesOf(id int64, parties, places []string, at place) {
	no := int64(0)
	note := func(place string, party int64) {
		if strings.IndexByte(place, 0) >= 0 {
			return // no site has such an ID
		}
		no++
		s.places.row(id, no, digest8(place), place, party, int64(at.block))
	}
	for _, p := range parties {
		note(p, 1)
	}
	for i, p := range places {
		if p != "" && !slices.Contains(parties, p) && !slices.Contains(places[:i], p) {
			note(p, 0)
		}
	}
}

// appendParties appends the canonical keys of the sources and destinations of an event, in order.
func appendParties(parties []string, e *event.Event) []string {
	for i := range e.Sources {
		parties = append(parties, itemKey(e.Sources[i].Source))
	}
	for i := range e.Destinations {
		parties = append(parties, itemKey(e.Destinations[i].Destination))
	}
	slices.Sort(parties)
	return slices.Compact(parties)
}
