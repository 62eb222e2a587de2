package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"
	"sync"
	"unsafe"

	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// memory is the trace.Graph of the index in memory, because a trace of a large recall asks for millions of rows and SQLite
// hands out less than a million a second. It is loaded when the index is opened and Apply keeps it current. Lists of what belongs
// to one item are chained through the rows, so a row costs its bytes and nothing else.
type memory struct {
	limit int64 // bytes
	mu    sync.RWMutex
	state state
	rows
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

// delta is what one Apply adds to the graph.
type delta struct {
	keys         []string // of new items, in order of their numbers
	uses         []trace.Use
	containments []trace.Containment
	memberships  []trace.Membership
	voids        []trace.EventID
	voidItems    [][]trace.ItemID // that the void events name
}

// add takes over what was committed; void marks come last, as they may concern rows of the same Apply.
func (m *memory) add(d *delta) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state != current {
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
	for i, event := range d.voids {
		for _, item := range d.voidItems[i] {
			m.void(event, item)
		}
	}
	m.watch()
}

// watch gives the graph up when it has become too large for memory; the database answers then.
func (m *memory) watch() {
	size := int64(len(m.uses))*int64(unsafe.Sizeof(useRow{})) + int64(len(m.stays))*int64(unsafe.Sizeof(stayRow{})) + int64(len(m.members))*int64(unsafe.Sizeof(memberRow{}))
	chains := 4 * int64(len(m.byItem)+len(m.byEvent)+len(m.byProcess)+len(m.byParent)+len(m.byChild)+len(m.byInstance)+len(m.byLot))
	numbers := int64(max(len(m.keys), len(m.byEvent), len(m.uses), len(m.stays)))
	if size+chains+m.bytes > m.limit || numbers > math.MaxInt32 {
		m.rows = rows{}
		m.state = tooLarge
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

// load reads the graph from the database, which must not change meanwhile.
func (m *memory) load(ctx context.Context, db queryer) error {
	all, err := readGraph(ctx, db)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows, m.state = all, current
	m.watch()
	return nil
}

func readGraph(ctx context.Context, db queryer) (all rows, err error) {
	all.keys = []string{""} // numbers begin at 1
	for _, table := range []struct {
		query string
		row   func(*sql.Rows) error
	}{
		{"SELECT key FROM items ORDER BY id", func(r *sql.Rows) error {
			var key string
			err := r.Scan(&key)
			all.addKey(key)
			return err
		}},
		{"SELECT item, event, process, role, time FROM uses WHERE void = 0", func(r *sql.Rows) error {
			var u trace.Use
			err := scanUse(r, &u)
			all.addUse(u)
			return err
		}},
		{"SELECT parent, child, event, action, time FROM containments WHERE void = 0", func(r *sql.Rows) error {
			var c trace.Containment
			err := scanContainment(r, &c)
			all.addContainment(c)
			return err
		}},
		{"SELECT instance, lot, event FROM memberships WHERE void = 0", func(r *sql.Rows) error {
			var s trace.Membership
			err := scanMembership(r, &s)
			all.addMembership(s)
			return err
		}},
	} {
		if err := eachRow(ctx, db, table.query, nil, table.row); err != nil {
			return rows{}, err
		}
	}
	return all, nil
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

// The methods below answer as those of Index do.

func (m *rows) itemKeys(ids []trace.ItemID) []string {
	keys := make([]string, len(ids))
	for i, id := range ids {
		if id > 0 && int64(id) < int64(len(m.keys)) {
			keys[i] = m.keys[id]
		}
	}
	return keys
}

func (m *rows) usesOf(items []trace.ItemID) []trace.Use {
	out := make([]trace.Use, 0, 4*len(items)) // made, stored, sent, used
	for _, item := range items {
		start := len(out)
		for i := m.byItem.first(int64(item)); i != 0; i = m.uses[i-1].nextOfItem {
			out = m.uses[i-1].appendTo(out)
		}
		sortUses(out[start:])
	}
	return out
}

func (m *rows) partners(processes []trace.ProcessID) []trace.Use {
	var out []trace.Use
	for _, process := range processes {
		start := len(out)
		first := m.byEvent.first(int64(process))
		if process < 0 {
			first = m.byProcess.first(-int64(process))
		}
		for i := first; i != 0; i = m.uses[i-1].nextOfOwner {
			out = m.uses[i-1].appendTo(out)
		}
		sortUses(out[start:])
	}
	return out
}

func (u *useRow) appendTo(out []trace.Use) []trace.Use {
	if u.void {
		return out
	}
	return append(out, trace.Use{Item: trace.ItemID(u.item), Event: trace.EventID(u.event), Process: trace.ProcessID(u.process), Role: u.role, Time: u.time})
}

func sortUses(list []trace.Use) {
	slices.SortFunc(list, func(a, b trace.Use) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Item, b.Item), cmp.Compare(a.Role, b.Role))
	})
}

func (m *rows) contents(parents []trace.ItemID) []trace.Containment {
	var out []trace.Containment
	for _, parent := range parents {
		start := len(out)
		for i := m.byParent.first(int64(parent)); i != 0; i = m.stays[i-1].nextOfParent {
			out = m.stays[i-1].appendTo(out)
		}
		sortContainments(out[start:])
	}
	return out
}

func (m *rows) carriers(children []trace.ItemID) []trace.Containment {
	var out []trace.Containment
	var parents []trace.ItemID
	for _, child := range children {
		start := len(out)
		for i := m.byChild.first(int64(child)); i != 0; i = m.stays[i-1].nextOfChild {
			out = m.stays[i-1].appendTo(out)
		}
		sortContainments(out[start:])
		for _, c := range out[start:] {
			parents = append(parents, c.Parent)
		}
	}
	slices.Sort(parents)
	for _, c := range m.contents(slices.Compact(parents)) {
		if c.Child == 0 {
			out = append(out, c)
		}
	}
	return out
}

func (c *stayRow) appendTo(out []trace.Containment) []trace.Containment {
	if c.void {
		return out
	}
	return append(out, trace.Containment{Parent: trace.ItemID(c.parent), Child: trace.ItemID(c.child), Event: trace.EventID(c.event), Action: c.action, Time: c.time})
}

func sortContainments(list []trace.Containment) {
	slices.SortFunc(list, func(a, b trace.Containment) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Event, b.Event), cmp.Compare(a.Child, b.Child))
	})
}

func (m *rows) instances(lots []trace.ItemID) []trace.Membership {
	return m.membersOf(lots, m.byLot, func(r *memberRow) uint32 { return r.nextOfLot })
}

func (m *rows) lots(instances []trace.ItemID) []trace.Membership {
	return m.membersOf(instances, m.byInstance, func(r *memberRow) uint32 { return r.nextOfInstance })
}

func (m *rows) membersOf(items []trace.ItemID, by heads, next func(*memberRow) uint32) []trace.Membership {
	var out []trace.Membership
	for _, item := range items {
		start := len(out)
		for i := by.first(int64(item)); i != 0; i = next(&m.members[i-1]) {
			if r := &m.members[i-1]; !r.void {
				out = append(out, trace.Membership{Instance: trace.ItemID(r.instance), Lot: trace.ItemID(r.lot), Event: trace.EventID(r.event)})
			}
		}
		slices.SortFunc(out[start:], func(a, b trace.Membership) int {
			return cmp.Or(cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Lot, b.Lot), cmp.Compare(a.Event, b.Event))
		})
	}
	return out
}
