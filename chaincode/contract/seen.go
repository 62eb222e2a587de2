package contract

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"crypto/sha256"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// bucket holds the identities of the events of one anchor item in one hour of event time: few keys, however many events
// (docs/decisions/0002-event-identity.md).
type bucket struct {
	members []string // who sent them
	entries []entry  // ascending by hash
}

// entry is one event.
type entry struct {
	hash   string // 32 bytes
	deed   string // 16 bytes: what it did to the state
	member int    // in bucket.members
	void   bool   // an error declaration says that it is wrong
}

func (b *bucket) encode() ([]byte, error) {
	w := writer{b: make([]byte, 1, 32+50*len(b.entries))}
	w.b[0] = version
	w.uint(len(b.members))
	for _, m := range b.members {
		w.text(m)
	}
	w.uint(len(b.entries))
	for _, e := range b.entries {
		w.b = append(append(w.b, e.hash...), e.deed...)
		w.uint(e.member)
		w.flag(e.void)
	}
	return w.b, nil
}

func (b *bucket) decode(data []byte) error {
	r := newReader(data)
	b.members = make([]string, r.count())
	for i := range b.members {
		b.members[i] = r.text()
	}
	b.entries = make([]entry, r.count())
	for i := range b.entries {
		b.entries[i] = entry{r.bytes(sha256.Size), r.bytes(deedLen), r.uint(), r.byte() == 1}
		r.bad = r.bad || b.entries[i].member >= len(b.members)
	}
	return r.end()
}

func (b *bucket) find(hash string) *entry {
	i, found := slices.BinarySearchFunc(b.entries, hash, func(e entry, h string) int { return strings.Compare(e.hash, h) })
	if !found {
		return nil
	}
	return &b.entries[i]
}

func (b *bucket) add(hash, deed, member string, void bool) {
	m := slices.Index(b.members, member)
	if m < 0 {
		m = len(b.members)
		b.members = append(b.members, member)
	}
	i, _ := slices.BinarySearchFunc(b.entries, hash, func(e entry, h string) int { return strings.Compare(e.hash, h) })
	b.entries = slices.Insert(b.entries, i, entry{hash, deed, m, void})
}

// identity is where the identity of an event is kept.
type identity struct {
	key    string
	bucket *bucket
	hash   string
}

func (d *decision) identity(e *event.Event) (identity, error) {
	id := identity{key: keySeen(anchor(e), hour(e.Time)), hash: hashBytes(e)}
	b, err := get[bucket](d.store, id.key)
	if b == nil && err == nil {
		b = &bucket{}
	}
	id.bucket = b
	return id, err
}

// remember keeps the identity of an accepted event, and its sender's ID for it.
func (d *decision) remember(e *event.Event, id identity, void bool) {
	id.bucket.add(id.hash, deed(e), d.tx.Actor.MSP, void)
	d.set(id.key, id.bucket)
	if key := keyEventID(e); key != "" {
		hash := text(id.hash)
		d.set(key, &hash)
	}
}

const deedLen = 16

// deed is a digest of all of an event that changes the state. The event hash is not enough to take an event back by: it leaves
// out members that the event tells it to ignore, and sets values side by side without a mark between them, so that
// other content can be written that has the same hash and would take back what others recorded.
func deed(e *event.Event) string {
	items := e.Items()
	lines := make([]string, 0, len(items)+len(e.Memberships()))
	var b []byte
	for i := range items {
		item := &items[i]
		b = strconv.AppendBool(strconv.AppendInt(b[:0], int64(item.Role), 10), counted(item))
		lines = append(lines, string(quote(b, item.Key, item.Quantity.String(), item.UOM)))
	}
	for _, m := range e.Memberships() {
		lines = append(lines, string(quote(b[:0], m.Instance, m.Lot)))
	}
	slices.Sort(lines)
	b = quote(b[:0], string(e.Type), string(e.Action), e.Step(), processOf(e))
	b = strconv.AppendInt(b, micros(e.Time), 10)
	for _, line := range lines {
		b = append(b, line...)
	}
	sum := sha256.Sum256(b)
	return string(sum[:deedLen])
}

// quote appends texts so that none runs into the next.
func quote(b []byte, texts ...string) []byte {
	for _, t := range texts {
		b = strconv.AppendQuote(b, t)
	}
	return b
}

// keyEventID is the key of the sender's ID of an event, "" when it has none or it is the event's hash.
func keyEventID(e *event.Event) string {
	if e.ID == "" || e.ID == e.Hash() {
		return ""
	}
	sum := sha256.Sum256([]byte(e.ID))
	return prefixEventID + hex.EncodeToString(sum[:])
}

// conflicts says whether the sender's ID of an event is on the ledger for other content.
func (d *decision) conflicts(e *event.Event, hash string) (bool, error) {
	key := keyEventID(e)
	if key == "" {
		return false, nil
	}
	known, err := get[text](d.store, key)
	return known != nil && string(*known) != hash, err
}

// hour counts the hours since 1970 UTC, rounding down.
func hour(t event.Time) int64 {
	s := t.Unix()
	h := s / 3600
	if s%3600 < 0 {
		h--
	}
	return h
}

const hashStart = len("ni:///sha-256;")

// digits are the 64 hexadecimal digits of the event's hash.
func digits(e *event.Event) string { return e.Hash()[hashStart : hashStart+2*sha256.Size] }

func hashBytes(e *event.Event) string {
	b, _ := hex.DecodeString(digits(e)) // Hash always has them
	return string(b)
}

// anchor is what an event's identity is kept under: the smallest key of its items, or else where or by what it was seen.
func anchor(e *event.Event) string {
	items := e.Items()
	if len(items) == 0 {
		return sensorAnchor(e)
	}
	least := items[0].Key
	for i := range items {
		least = min(least, items[i].Key)
	}
	return least
}

func sensorAnchor(e *event.Event) string {
	if site := e.Site(); site != "" {
		return site
	}
	for i := range e.SensorElements {
		s := &e.SensorElements[i]
		if s.Metadata != nil && s.Metadata.DeviceID != "" {
			return s.Metadata.DeviceID
		}
		for j := range s.Reports {
			if s.Reports[j].DeviceID != "" {
				return s.Reports[j].DeviceID
			}
		}
	}
	return ""
}
