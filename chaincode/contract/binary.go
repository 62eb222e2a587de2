package contract

import (
	"encoding/binary"
	"errors"
)

// version is the first byte of every binary value; a reader refuses one it does not know.
const version = 1

var errDamaged = errors.New("the stored value is damaged")

// writer builds a binary value.
type writer struct{ b []byte }

func (w *writer) uint(v int)    { w.b = binary.AppendUvarint(w.b, uint64(v)) }
func (w *writer) int(v int64)   { w.b = binary.AppendVarint(w.b, v) }
func (w *writer) byte(v byte)   { w.b = append(w.b, v) }
func (w *writer) text(s string) { w.uint(len(s)); w.b = append(w.b, s...) }

// reader takes a binary value apart. Strings share the memory of s. After a fault everything reads as zero.
type reader struct {
	s   string
	bad bool
}

func newReader(data []byte) *reader {
	r := &reader{s: string(data)}
	if r.byte() != version {
		r.bad = true
	}
	return r
}

func (r *reader) byte() byte {
	if r.bad || r.s == "" {
		r.bad = true
		return 0
	}
	c := r.s[0]
	r.s = r.s[1:]
	return c
}

func (r *reader) uvarint() (v uint64) {
	for shift := uint(0); shift < 64; shift += 7 {
		c := r.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	r.bad = true
	return 0
}

func (r *reader) int() int64 {
	u := r.uvarint()
	v := int64(u >> 1)
	if u&1 != 0 {
		v = ^v
	}
	return v
}

// uint reads a number that counts or indexes.
func (r *reader) uint() int {
	v := r.uvarint()
	if v > 1<<40 {
		r.bad = true
		return 0
	}
	return int(v)
}

// count reads the length of a list whose elements take at least one byte each.
func (r *reader) count() int {
	n := r.uint()
	if n > len(r.s) {
		r.bad = true
		return 0
	}
	return n
}

func (r *reader) text() string { return r.bytes(r.count()) }

func (r *reader) bytes(n int) string {
	if r.bad || n > len(r.s) {
		r.bad = true
		return ""
	}
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

// end says whether the value was read to its end without a fault.
func (r *reader) end() error {
	if r.bad || r.s != "" {
		return errDamaged
	}
	return nil
}
