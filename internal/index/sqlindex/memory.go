package sqlindex

import (
	"math"
	"sync"
	"unsafe"

	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// memory is the trace.Graph of the index in memory, because a trace of a large recall asks for millions of rows and a database
// hands out less than a million a second. It is loaded when the index is opened; Apply keeps it current, and Follow does where
// another process applies. Lists of what belongs to one item are chained through the rows, so a row costs its bytes and nothing else.
type memory struct {
	limit int64 // bytes
	mu    sync.RWMutex
	state state
	at    mark // of the rows
	rows
	aside *loaded // read, but not in use
}

// loaded is a whole graph.
type loaded struct {
	rows
	at mark
}

// mark says how much of the database a graph has.
type mark struct {
	height    uint64 // blocks
	hash      [32]byte
	event, tx int64 // the highest numbers
}

type state uint8

const (
	loading  state = iota // the database answers
	current               // the memory answers
	tooLarge              // for good: the database answers
)

type rows struct {
	keys       []string // by item number
	bytes      int64    // of the keys
	uses       []useRow
	stays      []stayRow
	members    []memberRow
	byItem     heads // uses
	byEvent    heads // uses, by the number of a process of one event
	byProcess  heads // uses, by the negated number of a process of several
	byParent   heads // stays
	byChild    heads // stays
	byInstance heads // members
	byLot      heads // members
}

// heads are the first rows (index + 1) of chains by number.
type heads []uint32

// push puts a row in front of a chain and returns the one that was there.
func (h *heads) push(number int64, row int) (next uint32) {
	if missing := number + 1 - int64(len(*h)); missing > 0 {
		*h = append(*h, make([]uint32, missing)...)
	}
	next = (*h)[number]
	(*h)[number] = uint32(row + 1)
	return next
}

func (h heads) first(number int64) uint32 {
	if number < 0 || number >= int64(len(h)) {
		return 0
	}
	return h[number]
}

type useRow struct {
	time                    int64
	item, event             uint32
	process                 int32
	nextOfItem, nextOfOwner uint32 // of the same item, of the same process
	role                    trace.Role
	void                    bool
}

type stayRow struct {
	time                      int64
	parent, child, event      uint32
	nextOfParent, nextOfChild uint32
	action                    byte
	void                      bool
}

type memberRow struct {
	instance, lot, event      uint32
	nextOfInstance, nextOfLot uint32
	void                      bool
}

// delta is what some blocks add to the graph.
type delta struct {
	from         uint64   // the height before
	upTo         mark     // and after
	keys         []string // of new items, in order of their numbers
	uses         []trace.Use
	containments []trace.Containment
	memberships  []trace.Membership
	voids        []voidMark
}

// voidMark says that an event, which names the item, is void.
type voidMark struct {
	event trace.EventID
	item  trace.ItemID
}

func (d *delta) addKey(key string)                    { d.keys = append(d.keys, key) }
func (d *delta) addUse(u trace.Use)                   { d.uses = append(d.uses, u) }
func (d *delta) addContainment(c trace.Containment)   { d.containments = append(d.containments, c) }
func (d *delta) addMembership(s trace.Membership)     { d.memberships = append(d.memberships, s) }
func (d *delta) void(e trace.EventID, i trace.ItemID) { d.voids = append(d.voids, voidMark{e, i}) }

// add takes over what was committed, if it is what comes next; void marks come last, as they may concern rows of the same blocks.
func (m *memory) add(d *delta) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state != current || m.at.height != d.from {
		return
	}
	for _, key := range d.keys {
		m.addKey(key)
	}
	for _, u := range d.uses {
		m.addUse(u)
	}
	for _, c := range d.containments {
		m.addContainment(c)
	}
	for _, s := range d.memberships {
		m.addMembership(s)
	}
	for _, v := range d.voids {
		m.void(v.event, v.item)
	}
	m.at = d.upTo
	m.watch()
}

// watch gives the graph up when it has become too large for memory; the database answers then.
func (m *memory) watch() {
	size := int64(len(m.uses))*int64(unsafe.Sizeof(useRow{})) + int64(len(m.stays))*int64(unsafe.Sizeof(stayRow{})) + int64(len(m.members))*int64(unsafe.Sizeof(memberRow{}))
	chains := 4 * int64(len(m.byItem)+len(m.byEvent)+len(m.byProcess)+len(m.byParent)+len(m.byChild)+len(m.byInstance)+len(m.byLot))
	numbers := int64(max(len(m.keys), len(m.byEvent), len(m.uses), len(m.stays)))
	if size+chains+m.bytes > m.limit || numbers > math.MaxInt32 {
		m.rows, m.at, m.state = rows{}, mark{}, tooLarge
	}
}

func (m *rows) addKey(key string) {
	m.keys = append(m.keys, key)
	m.bytes += int64(len(key)) + int64(unsafe.Sizeof(key))
}

func (m *rows) addUse(u trace.Use) {
	n := len(m.uses)
	row := useRow{time: u.Time, item: uint32(u.Item), event: uint32(u.Event), process: int32(u.Process), role: u.Role, nextOfItem: m.byItem.push(int64(u.Item), n)}
	switch {
	case u.Process > 0:
		row.nextOfOwner = m.byEvent.push(int64(u.Process), n)
	case u.Process < 0:
		row.nextOfOwner = m.byProcess.push(-int64(u.Process), n)
	}
	m.uses = append(m.uses, row)
}

func (m *rows) addContainment(c trace.Containment) {
	n := len(m.stays)
	row := stayRow{time: c.Time, parent: uint32(c.Parent), child: uint32(c.Child), event: uint32(c.Event), action: c.Action, nextOfParent: m.byParent.push(int64(c.Parent), n)}
	if c.Child != 0 {
		row.nextOfChild = m.byChild.push(int64(c.Child), n)
	}
	m.stays = append(m.stays, row)
}

func (m *rows) addMembership(s trace.Membership) {
	n := len(m.members)
	m.members = append(m.members, memberRow{instance: uint32(s.Instance), lot: uint32(s.Lot), event: uint32(s.Event),
		nextOfInstance: m.byInstance.push(int64(s.Instance), n), nextOfLot: m.byLot.push(int64(s.Lot), n)})
}

func (m *rows) void(event trace.EventID, item trace.ItemID) {
	for i := m.byItem.first(int64(item)); i != 0; i = m.uses[i-1].nextOfItem {
		m.uses[i-1].void = m.uses[i-1].void || m.uses[i-1].event == uint32(event)
	}
	for i := m.byParent.first(int64(item)); i != 0; i = m.stays[i-1].nextOfParent {
		m.stays[i-1].void = m.stays[i-1].void || m.stays[i-1].event == uint32(event)
	}
	for i := m.byInstance.first(int64(item)); i != 0; i = m.members[i-1].nextOfInstance {
		m.members[i-1].void = m.members[i-1].void || m.members[i-1].event == uint32(event)
	}
}

// ask lets a question be answered from memory, and says whether it was.
func (m *memory) ask(answer func()) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.state != current {
		return false
	}
	answer()
	return true
}

// now is what the graph has, and whether it is in use.
func (m *memory) now() (mark, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.at, m.state == current
}

func (m *memory) lastItem() (id int64) {
	m.ask(func() { id = int64(len(m.keys)) - 1 })
	return id
}

func (m *memory) unloaded() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.state == loading && m.aside == nil
}

// drop forgets everything: it is to be loaded again.
func (m *memory) drop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows, m.at, m.state = rows{}, mark{}, loading
}

// known is 0 instead of the number of an item that the graph does not have yet.
func (m *memory) known(id trace.ItemID) trace.ItemID {
	m.ask(func() {
		if int64(id) >= int64(len(m.keys)) {
			id = 0
		}
	})
	return id
}
