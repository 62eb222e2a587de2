package contract

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
)

// store is the state as the records decided so far leave it. Each key is read at most once and written at most once in
// a transaction, because on Fabric both are network round trips and a read does not see the transaction's own writes.
type store struct {
	state State
	cells map[string]*cell
}

type cell struct {
	read  bool
	base  []byte // as read; nil: absent
	value codec  // decoded or set; nil: absent, or not decoded yet
	dirty bool   // set
}

// codec is a value of the state.
type codec interface {
	encode() ([]byte, error)
	decode([]byte) error
}

func newStore(s State) *store { return &store{state: s, cells: map[string]*cell{}} }

func (s *store) cell(key string) (*cell, error) {
	if c, ok := s.cells[key]; ok {
		return c, nil
	}
	base, err := s.state.Get(key)
	if err != nil {
		return nil, fmt.Errorf("contract: reading %q: %w", key, err)
	}
	c := &cell{read: true, base: base}
	s.cells[key] = c
	return c, nil
}

// get returns the value of a key, or nil. It may be changed, followed by set.
func get[T any, P interface {
	*T
	codec
}](s *store, key string) (P, error) {
	c, err := s.cell(key)
	if err != nil {
		return nil, err
	}
	if c.value == nil {
		if c.base == nil || c.dirty {
			return nil, nil
		}
		v := P(new(T))
		if err := v.decode(c.base); err != nil {
			return nil, fmt.Errorf("contract: value of %q: %w", key, err)
		}
		c.value = v
	}
	v, ok := c.value.(P)
	if !ok {
		return nil, fmt.Errorf("contract: value of %q: %w", key, errDamaged)
	}
	return v, nil
}

// set gives a key a value; nil deletes it. A key that was not read before is written blindly.
func (s *store) set(key string, v codec) {
	c, ok := s.cells[key]
	if !ok {
		c = &cell{}
		s.cells[key] = c
	}
	c.value, c.dirty = v, true
}

// effects are the writes that make the state what it is now.
func (s *store) effects() (Effects, error) {
	keys := make([]string, 0, len(s.cells))
	for key, c := range s.cells { // sorted below
		if c.dirty {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	effects := make(Effects, 0, len(keys))
	for _, key := range keys {
		c := s.cells[key]
		if c.value == nil {
			if c.base != nil || !c.read {
				effects = append(effects, KV{Key: key})
			}
			continue
		}
		value, err := c.value.encode()
		if err != nil {
			return nil, fmt.Errorf("contract: value of %q: %w", key, err)
		}
		if c.base == nil || !bytes.Equal(value, c.base) {
			effects = append(effects, KV{key, value})
		}
	}
	return effects, nil
}

// present is the value of a key that only says that something is there.
type present struct{}

func (*present) encode() ([]byte, error) { return []byte{version}, nil }
func (*present) decode(b []byte) error   { return newReader(b).end() }

// text is a value that is one string.
type text string

func (t *text) encode() ([]byte, error) {
	w := writer{b: []byte{version}}
	w.text(string(*t))
	return w.b, nil
}

func (t *text) decode(b []byte) error {
	r := newReader(b)
	*t = text(r.text())
	return r.end()
}

func encodeJSON(v any) ([]byte, error)         { return json.Marshal(v, json.Deterministic(true)) }
func decodeJSON(b []byte, v any) error         { return json.Unmarshal(b, v) }
func (m *Member) encode() ([]byte, error)      { return encodeJSON(m) }
func (m *Member) decode(b []byte) error        { return decodeJSON(b, m) }
func (s *Site) encode() ([]byte, error)        { return encodeJSON(s) }
func (s *Site) decode(b []byte) error          { return decodeJSON(b, s) }
func (p *Product) encode() ([]byte, error)     { return encodeJSON(p) }
func (p *Product) decode(b []byte) error       { return decodeJSON(b, p) }
func (p *Policy) encode() ([]byte, error)      { return encodeJSON(p) }
func (p *Policy) decode(b []byte) error        { return decodeJSON(b, p) }
func (h *heldRecord) encode() ([]byte, error)  { return encodeJSON(h) }
func (h *heldRecord) decode(b []byte) error    { return decodeJSON(b, h) }
func (e *epochRecord) encode() ([]byte, error) { return encodeJSON(e) }
func (e *epochRecord) decode(b []byte) error   { return decodeJSON(b, e) }
