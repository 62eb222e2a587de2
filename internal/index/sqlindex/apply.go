package sqlindex

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

// Position implements index.Writer.
func (ix *Index) Position(ctx context.Context) (height uint64, hash [32]byte, err error) {
	return position(ctx, ix.read, "")
}

func position(ctx context.Context, d db, lock string) (height uint64, hash [32]byte, err error) {
	var h []byte
	found, err := d.one(ctx, "SELECT height, hash FROM position"+lock, nil, &height, &h)
	if err != nil {
		return 0, hash, fmt.Errorf("read position: %w", err)
	}
	if !found || copy(hash[:], h) != len(h) || len(h) != len(hash) {
		return 0, hash, errors.New("index: the position is damaged")
	}
	return height, hash, nil
}

// Apply implements index.Writer.
func (ix *Index) Apply(ctx context.Context, blocks []*ledger.Block) error {
	if len(blocks) == 0 {
		return nil
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	var d delta
	if err := ix.commit(ctx, blocks, &d); err != nil {
		ix.forget() // it may know numbers that are rolled back
		return err
	}
	ix.memory.add(&d)
	return nil
}

func (ix *Index) commit(ctx context.Context, blocks []*ledger.Block, d *delta) (err error) {
	conn, err := ix.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("index: %w", ix.dialect.Error(err))
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("index: begin: %w", ix.dialect.Error(err))
	}
	if err := ix.apply(ctx, Tx{tx, conn}, blocks, d); err != nil {
		_ = tx.Rollback() // nothing was written; what is wrong has been said
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("index: commit: %w", ix.dialect.Error(err))
	}
	return nil
}

func (ix *Index) apply(ctx context.Context, tx Tx, blocks []*ledger.Block, d *delta) error {
	height, hash, err := position(ctx, db{tx, ix.dialect}, " {lock}")
	if err != nil {
		return err
	}
	d.from = height
	for _, b := range blocks {
		if b.Height != height || b.Height > 0 && b.PrevHash != hash {
			return fmt.Errorf("%w: block %d after %d blocks", index.ErrPosition, b.Height, height)
		}
		height, hash = b.Height+1, b.Hash
	}
	p, err := newProjection(ctx, ix, tx, blocks, d)
	if err != nil {
		return err
	}
	for _, b := range blocks {
		if err := p.block(b); err != nil {
			return fmt.Errorf("index: block %d: %w", b.Height, err)
		}
	}
	if err := p.exec("UPDATE position SET height = ?1, hash = ?2", height, hash[:]); err != nil {
		return err
	}
	d.upTo = mark{height: height, hash: hash, event: p.last.event, tx: p.last.tx}
	return ix.dialect.Applied(ctx, tx, height)
}

// projection turns the blocks of one Apply into rows.
type projection struct {
	ctx    context.Context
	tx     Tx
	db     db // tx
	ids    *interner
	at     place  // of the record at hand
	member string // who sent it
	last   numbers

	graph *delta             // what the rows add to the graph
	said  map[trace.Use]bool // of the event at hand: an item may be there twice in one role

	txs, events, uses, containments, memberships *Insert
	inspections, holds                           *Insert
	violations, violationItems, violationHolds   *Insert
	evidence                                     *Insert
	settings                                     *settings
}

// place is where a record stands.
type place struct {
	tx    int64
	pos   int
	block uint64
}

// numbers are the highest ones given so far.
type numbers struct{ tx, event, process, inspection, hold, violation int64 }

func newProjection(ctx context.Context, ix *Index, tx Tx, blocks []*ledger.Block, d *delta) (*projection, error) {
	p := &projection{
		ctx: ctx, tx: tx, db: db{tx, ix.dialect}, graph: d, said: map[trace.Use]bool{},
		txs:            insertInto("txs", "no, id, member, time, block"),
		events:         insertInto("events", "id, hash, hash8, name8, tx, pos, block, declares, notes, body"),
		uses:           insertInto("uses", "item, time, event, role, process, block"),
		containments:   insertInto("containments", "parent, child, time, event, action, block"),
		memberships:    insertNew("memberships", "instance, lot, event, block"),
		inspections:    insertInto("inspections", "no, id, item, body, tx, pos, block"),
		holds:          insertInto("holds", "no, id, item, body, tx, pos, block"),
		violations:     insertInto("violations", "no, hash, holds, items, body, tx, pos, block"),
		violationItems: insertNew("violation_items", "item, violation, block"),
		violationHolds: insertNew("violation_holds", "hold, violation, block"),
		evidence:       insertNew("evidence", "sha256, body, block"),
	}
	_, err := p.db.one(ctx, `SELECT coalesce((SELECT max(no) FROM txs), 0), coalesce((SELECT max(id) FROM events), 0), coalesce((SELECT max(id) FROM processes), 0),
		coalesce((SELECT max(no) FROM inspections), 0), coalesce((SELECT max(no) FROM holds), 0), coalesce((SELECT max(no) FROM violations), 0)`, nil,
		&p.last.tx, &p.last.event, &p.last.process, &p.last.inspection, &p.last.hold, &p.last.violation)
	if err != nil {
		return nil, err
	}
	if p.settings, err = newSettings(ctx, p.db, ix.settings); err != nil {
		return nil, err
	}
	p.ids, err = newInterner(ctx, p.db, ix.keys, blocks, d)
	return p, err
}

// flush writes what was collected.
func (p *projection) flush() error {
	for _, in := range []*Insert{p.txs, p.ids.items, p.events, p.uses, p.containments, p.memberships, p.inspections, p.holds, p.violations,
		p.violationItems, p.violationHolds, p.evidence, p.settings.rows, p.settings.places, p.settings.timeline} {
		if len(in.Args) == 0 {
			continue
		}
		if err := p.db.Insert(p.ctx, p.tx, in); err != nil {
			return fmt.Errorf("index: write %s: %w", in.Table, p.db.Error(err))
		}
		in.Args = in.Args[:0]
	}
	return nil
}

func (p *projection) exec(query string, args ...any) error {
	if err := p.flush(); err != nil { // it may concern rows that were only collected
		return err
	}
	if _, err := p.tx.ExecContext(p.ctx, p.db.SQL(query), p.db.Args(args)...); err != nil {
		return fmt.Errorf("index: %w", p.db.Error(err))
	}
	return nil
}

func (p *projection) block(b *ledger.Block) error {
	for i := range b.Txs {
		t := &b.Txs[i]
		p.last.tx++
		p.txs.row(p.last.tx, t.ID, t.Actor.MSP, b.Time.String(), int64(b.Height))
		if len(t.Outcomes) != len(t.Batch.Records) {
			return fmt.Errorf("tx %s: %d outcomes for %d records", t.ID, len(t.Outcomes), len(t.Batch.Records))
		}
		p.at, p.member = place{tx: p.last.tx, block: b.Height}, t.Actor.MSP
		if t.Batch.Source != nil {
			if err := p.files([]contract.Evidence{*t.Batch.Source}); err != nil {
				return err
			}
		}
		for pos := range t.Batch.Records {
			p.at.pos = pos
			if err := p.record(&t.Batch.Records[pos], &t.Outcomes[pos]); err != nil {
				return fmt.Errorf("tx %s, record %d: %w", t.ID, pos, err)
			}
		}
	}
	return nil
}

func (p *projection) record(r *contract.Record, o *contract.Outcome) error {
	if o.Status == contract.Refused && len(o.Violations) > 0 && r.Event != nil {
		return p.violation(r, o)
	}
	if o.Status != contract.Accepted {
		return nil
	}
	if err := p.files(r.Evidence); err != nil {
		return err
	}
	switch {
	case r.Event != nil && o.Voids:
		return p.declareVoid(r, o)
	case r.Event != nil:
		return p.event(r, o)
	case r.Inspection != nil:
		p.last.inspection++
		return p.act(p.inspections, p.last.inspection, r.Inspection.Item, r, o)
	case r.Hold != nil:
		p.last.hold++
		return p.act(p.holds, p.last.hold, r.Hold.Item, r, o)
	case r.Release != nil:
		body, err := json.Marshal(r, json.Deterministic(true))
		if err != nil {
			return err
		}
		return p.exec("UPDATE holds SET released = ?1, release_pos = ?2, release = ?3 WHERE id = ?4 AND released = 0",
			p.at.tx, p.at.pos, body, r.Release.Hold)
	case r.Registration != nil:
		return p.registration(r.Registration)
	}
	return nil
}

func (p *projection) files(list []contract.Evidence) error {
	for i := range list {
		if _, err := hex.DecodeString(list[i].SHA256); err != nil || len(list[i].SHA256) != 2*sha256.Size {
			continue // the contract does not look at the name of a document: there is no such file
		}
		body, err := json.Marshal(&list[i])
		if err != nil {
			return err
		}
		p.evidence.row(list[i].SHA256, body, int64(p.at.block))
	}
	return nil
}

// act adds an inspection or a hold.
func (p *projection) act(in *Insert, no int64, item string, r *contract.Record, o *contract.Outcome) error {
	body, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		return err
	}
	in.row(no, o.ID, int64(p.ids.id(itemKey(item), p.at)), body, p.at.tx, int64(p.at.pos), int64(p.at.block))
	return nil
}

// notes is what an event's row keeps besides the event.
type notes struct {
	Findings []contract.Finding  `json:"findings,omitempty"`
	Evidence []contract.Evidence `json:"evidence,omitempty"`
}

func (p *projection) event(r *contract.Record, o *contract.Outcome) error {
	if err := p.eventRow(r, o, 0); err != nil {
		return err
	}
	return p.links(r.Event, p.last.event)
}

// eventRow adds an event; declares is that of the schema.
func (p *projection) eventRow(r *contract.Record, o *contract.Outcome, declares int64) error {
	body, err := r.Event.Text()
	if err != nil {
		return err
	}
	hash, hash8, err := packHash(o.ID)
	if err != nil {
		return err
	}
	var extra, name8 any
	if len(o.Findings) > 0 || len(r.Evidence) > 0 {
		b, err := json.Marshal(notes{o.Findings, r.Evidence})
		if err != nil {
			return err
		}
		extra = b
	}
	if r.Event.ID != "" && r.Event.ID != o.ID {
		name8 = digest8(r.Event.ID)
	}
	p.last.event++
	p.events.row(p.last.event, hash, hash8, name8, p.at.tx, int64(p.at.pos), int64(p.at.block), declares, extra, body)
	return p.settings.add(p.ctx, r.Event, p.last.event, p.member, p.at)
}

// links adds what an event says of its items (docs/rules.md, sections 1 and 2).
func (p *projection) links(e *event.Event, no int64) error {
	time, id := e.Time.UnixMicro(), trace.EventID(no)
	process, err := p.process(e, no)
	if err != nil {
		return err
	}
	var parent trace.ItemID
	var children []trace.ItemID
	clear(p.said)
	for _, it := range e.Items() {
		u := trace.Use{Item: p.ids.id(it.Key, p.at), Event: id, Role: traceRole(it.Role), Time: time}
		links := it.Kind != gs1.Class // a class connects nothing
		if links && (u.Role == trace.RoleInput || u.Role == trace.RoleOutput) {
			u.Process = trace.ProcessID(process)
		}
		if p.said[u] {
			continue
		}
		p.said[u] = true
		p.use(u)
		switch {
		case links && u.Role == trace.RoleParent:
			parent = u.Item
		case links && u.Role == trace.RoleChild:
			children = append(children, u.Item)
		}
	}
	if parent != 0 && (e.Type == event.Aggregation || e.Type == event.Association) {
		if e.Action == event.Delete && len(e.ChildEPCs)+len(e.ChildQuantities) == 0 {
			children = []trace.ItemID{0}
		}
		for _, child := range children {
			p.containment(trace.Containment{Parent: parent, Child: child, Event: id, Action: e.Action[0], Time: time})
		}
	}
	for _, m := range e.Memberships() {
		p.membership(trace.Membership{Instance: p.ids.id(m.Instance, p.at), Lot: p.ids.id(m.Lot, p.at), Event: id})
	}
	return nil
}

func (p *projection) use(u trace.Use) {
	p.graph.addUse(u)
	p.uses.row(int64(u.Item), u.Time, int64(u.Event), int64(u.Role), int64(u.Process), int64(p.at.block))
}

func (p *projection) containment(c trace.Containment) {
	p.graph.addContainment(c)
	p.containments.row(int64(c.Parent), int64(c.Child), c.Time, int64(c.Event), int64(c.Action), int64(p.at.block))
}

func (p *projection) membership(m trace.Membership) {
	p.graph.addMembership(m)
	p.memberships.row(int64(m.Instance), int64(m.Lot), int64(m.Event), int64(p.at.block))
}

func traceRole(r event.Role) trace.Role {
	switch r {
	case event.RoleParent:
		return trace.RoleParent
	case event.RoleChild:
		return trace.RoleChild
	case event.RoleInput:
		return trace.RoleInput
	case event.RoleOutput:
		return trace.RoleOutput
	}
	return trace.RoleObject
}

// process is the number of the process that an event is or is part of, 0 for none.
func (p *projection) process(e *event.Event, no int64) (int64, error) {
	if e.Type != event.Transformation {
		return 0, nil
	}
	if e.TransformationID == "" {
		return no, nil
	}
	key, _ := gs1.Canonical(e.TransformationID) // as the contract and the event hash have it
	key8 := digest8(key)
	var id int64
	found, err := p.db.one(p.ctx, "SELECT id FROM processes WHERE key8 = ?1 AND key = ?2", []any{key8, key}, &id)
	if found || err != nil {
		return -id, err
	}
	p.last.process++
	return -p.last.process, p.exec("INSERT INTO processes (id, key8, key, block) VALUES (?1, ?2, ?3, ?4)", p.last.process, key8, key, p.at.block)
}

// declareVoid marks an event and all its links as void, and keeps the declaration. That of an event that was never sent is kept as that
// event, void from the start.
func (p *projection) declareVoid(r *contract.Record, o *contract.Outcome) error {
	hash, hash8, err := packHash(o.ID)
	if err != nil {
		return err
	}
	if err := p.flush(); err != nil {
		return err
	}
	var no int64
	found, err := p.db.one(p.ctx, "SELECT id FROM events WHERE hash8 = ?1 AND hash = ?2 AND declares = 0", []any{hash8, hash}, &no)
	if err != nil {
		return err
	}
	if found {
		err = p.eventRow(r, o, no)
	} else {
		err = p.event(r, o)
		no = p.last.event
	}
	if err != nil {
		return err
	}
	if err := p.exec("UPDATE events SET void = ?1 WHERE id = ?2 AND void = 0", p.at.tx, no); err != nil {
		return err
	}
	var items []trace.ItemID
	for _, it := range r.Event.Items() {
		items = append(items, p.ids.id(it.Key, p.at))
		p.graph.void(trace.EventID(no), items[len(items)-1])
	}
	for _, item := range items {
		for _, update := range []string{
			"UPDATE uses SET void = 1 WHERE item = ?1 AND event = ?2",
			"UPDATE containments SET void = 1 WHERE parent = ?1 AND event = ?2",
			"UPDATE memberships SET void = 1 WHERE instance = ?1 AND event = ?2",
		} {
			if err := p.exec(update, int64(item), no); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *projection) violation(r *contract.Record, o *contract.Outcome) error {
	body, err := r.Event.Text()
	if err != nil {
		return err
	}
	hash, _, err := packHash(o.ID)
	if err != nil {
		return err
	}
	items := heldItems(o)
	holdList, err := json.Marshal(o.Violations)
	if err != nil {
		return err
	}
	itemList, err := json.Marshal(items)
	if err != nil {
		return err
	}
	p.last.violation++
	no, block := p.last.violation, int64(p.at.block)
	p.violations.row(no, hash, string(holdList), string(itemList), body, p.at.tx, int64(p.at.pos), block)
	for _, key := range items {
		p.violationItems.row(int64(p.ids.id(key, p.at)), no, block)
	}
	for _, hold := range o.Violations {
		p.violationHolds.row(hold, no, block)
	}
	return nil
}
