package contract

import (
	"fmt"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// event decides an EPCIS event.
func (d *decision) event(e *event.Event, o *Outcome) error {
	if d.work > maxWork {
		o.refuse(CodeTooLarge, "", "", "the records before this one took all the work that a batch may ask for: send it in another batch")
		return nil
	}
	d.checkEvent(e, o)
	if o.Status == Refused {
		return nil
	}
	id, err := d.identity(e)
	if err != nil {
		return err
	}
	if known := id.bucket.find(id.hash); known != nil {
		return d.again(e, id, known, o)
	}
	conflict, err := d.conflicts(e, id.hash)
	if err != nil {
		return err
	}
	if conflict {
		o.refuse(CodeEventIDConflict, "/event/eventID", e.ID, "the event ID "+e.ID+" is on the ledger with other content")
	}
	if err := d.mayWrite(e, o); err != nil {
		return err
	}
	if e.ErrorDeclaration != nil {
		if o.Status == Accepted {
			o.note(CodeErrorUnknown, "/event/errorDeclaration", o.ID, "no event with this content was on the ledger: it is recorded as void from the start")
			o.Voids = true
			d.remember(e, id, true)
		}
		return nil
	}
	if err := d.checkHolds(e, o); err != nil {
		return err
	}
	if err := d.checkUnpacking(e, o); err != nil {
		return err
	}
	all := changes(e)
	if err := d.checkBalances(all, o); err != nil {
		return err
	}
	if err := d.checkLots(e, o); err != nil {
		return err
	}
	if err := d.checkContents(e, o); err != nil {
		return err
	}
	if o.Status == Refused {
		return nil
	}
	d.remember(e, id, false)
	return d.apply(e, all, o)
}

// again decides an event whose content is on the ledger: a duplicate, unless it declares that content wrong.
func (d *decision) again(e *event.Event, id identity, known *entry, o *Outcome) error {
	if e.ErrorDeclaration == nil || known.void {
		o.Status, o.Findings = Duplicate, nil
		return nil
	}
	if owner := id.bucket.members[known.member]; owner != d.tx.Actor.MSP && !d.actsAs(Regulator) {
		o.refuse(CodeNotYourEvent, "/event/errorDeclaration", owner, "the event was recorded by "+owner+", who alone or a regulator may declare it wrong")
		return nil
	}
	if known.deed != deed(e) {
		o.refuse(CodeEventIDConflict, "/event/errorDeclaration", o.ID, "the event with this hash has other items, another time or another process than the declaration")
		return nil
	}
	if err := d.checkContents(e, o); err != nil {
		return err
	}
	if err := d.checkRevocation(e, o); err != nil || o.Status == Refused {
		return err
	}
	known.void = true
	d.set(id.key, id.bucket)
	o.Voids = true
	return d.revoke(e)
}

// checkEvent checks what can be seen without the state.
func (d *decision) checkEvent(e *event.Event, o *Outcome) {
	switch e.Type {
	case event.Object, event.Aggregation, event.Transaction, event.Association:
		if e.Action != event.Add && e.Action != event.Observe && e.Action != event.Delete {
			o.refuse(CodeFieldInvalid, "/event/action", string(e.Action), "an action is ADD, OBSERVE or DELETE")
		}
	case event.Transformation:
	default:
		o.refuse(CodeRecordShape, "/event/type", string(e.Type), "an event is of one of the five types of EPCIS 2.0")
	}
	d.requireTime(e.Time, "/event/eventTime", o)
	items := e.Items()
	if len(items) > MaxItems {
		o.refuse(CodeTooLarge, "/event", "", fmt.Sprintf("an event names at most %d items", MaxItems))
		return
	}
	for i := range items {
		checkEventItem(&items[i], o)
	}
	checkKey(e.TransformationID, "/event/transformationID", o)
	checkKey(e.ReadPointKey(), "/event/readPoint/id", o)
	checkKey(e.LocationKey(), "/event/bizLocation/id", o)
	checkKey(e.SourceOf("location"), "/event/sourceList", o)
	checkKey(e.DestinationOf("location"), "/event/destinationList", o)
	if len(items) == 0 {
		checkKey(sensorAnchor(e), "/event/sensorElementList", o)
	}
}

// checkLots refuses what would make one instance a member of ever more lots.
func (d *decision) checkLots(e *event.Event, o *Outcome) error {
	for _, m := range e.Memberships() {
		n, err := d.node(prefixItem + m.Instance)
		if err != nil {
			return err
		}
		if len(n.lots) >= MaxLots {
			o.refuse(CodeTooLarge, "/event/ilmd", m.Instance, fmt.Sprintf("an instance is a member of at most %d lots", MaxLots))
		}
	}
	return nil
}

// checkContents refuses a transformation of what has too much inside: each thing inside is a link of its own, and inputs that
// are inside each other have the same things inside over and over.
func (d *decision) checkContents(e *event.Event, o *Outcome) error {
	if e.Type != event.Transformation {
		return nil
	}
	total := 0
	for _, item := range once(e, event.RoleInput) {
		inside, err := d.contentsAt(item, micros(e.Time))
		if err != nil {
			return err
		}
		if total += len(inside); total > maxLook {
			o.refuse(CodeTooLarge, "/event", "", fmt.Sprintf("what is inside the inputs are more than %d items, counted for each input", maxLook))
			return nil
		}
	}
	return nil
}

// processOf is the node of the process that a transformation is, or is a part of.
func processOf(e *event.Event) string {
	if e.TransformationID != "" {
		key, _ := gs1.Canonical(e.TransformationID) // as the event hash has it
		return prefixProcess + key
	}
	return prefixProcess + digits(e)
}

// apply makes an accepted event part of the state.
func (d *decision) apply(e *event.Event, all []change, o *Outcome) error {
	time := micros(e.Time)
	items := e.Items()
	for i := range items {
		if err := d.touch(e, &items[i], time, o); err != nil {
			return err
		}
	}
	for _, c := range all {
		if err := d.account(c, balance.plus); err != nil {
			return err
		}
	}
	for _, m := range e.Memberships() {
		if err := d.join(m); err != nil {
			return err
		}
	}
	switch e.Type {
	case event.Transformation:
		return d.transform(e, time, o)
	case event.Aggregation, event.Association:
		return d.contain(e, d.addStatement, d.summarize)
	}
	return nil
}

// touch notes an event on one of its items: that it is a lot, and when it was made and used.
func (d *decision) touch(e *event.Event, item *event.Item, time int64, o *Outcome) error {
	if item.Kind == gs1.Class {
		return nil
	}
	key := prefixItem + item.Key
	n, err := d.node(key)
	if err != nil {
		return err
	}
	if err := d.sweep(key, n); err != nil {
		return err
	}
	lot := item.Kind == gs1.Lot || item.Kind == gs1.Other && counted(item)
	makes, uses := effect(e, item)
	if uses && n.made != 0 && time+slack < n.made {
		o.note(CodeTimeContradicted, "/event"+item.Place, item.Key, item.Key+" was used more than a day before it was made")
	}
	if makes && n.used != 0 && n.used+slack < time {
		o.note(CodeTimeContradicted, "/event"+item.Place, item.Key, item.Key+" was made more than a day after it was used")
	}
	if !makes && !uses && (n.lot || !lot) {
		return nil // nothing to keep
	}
	n.lot = n.lot || lot
	if makes {
		n.made = earliest(n.made, time)
	}
	if uses {
		n.used = earliest(n.used, time)
	}
	d.set(key, n)
	return nil
}

func earliest(a, b int64) int64 {
	if a == 0 {
		return b
	}
	return min(a, b)
}

func (d *decision) account(c change, apply func(balance, change) balance) error {
	key := prefixItem + c.item
	n, err := d.node(key)
	if err != nil {
		return err
	}
	b, i := n.balance(c.unit)
	n.setBalance(i, apply(b, c))
	d.set(key, n)
	return nil
}

func (d *decision) join(m event.Membership) error {
	instance, lot := prefixItem+m.Instance, prefixItem+m.Lot
	n, err := d.node(instance)
	if err != nil {
		return err
	}
	l, err := d.node(lot)
	if err != nil {
		return err
	}
	l.lot = true
	n.lots = append(n.lots, lot)
	return d.addLink(lot, instance, 0, false)
}

// transform links the inputs of a transformation, and what was inside them, to its process, and that to its outputs.
func (d *decision) transform(e *event.Event, time int64, o *Outcome) error {
	process := processOf(e)
	n, err := d.node(process)
	if err != nil {
		return err
	}
	d.contradictions(e, n, time, o)
	return d.eachLink(e, time, d.addLink)
}

// contradictions remarks when a process made something before anything went into it, and notes its times.
func (d *decision) contradictions(e *event.Event, n *node, time int64, o *Outcome) {
	in, out := len(e.InputEPCs)+len(e.InputQuantities) > 0, len(e.OutputEPCs)+len(e.OutputQuantities) > 0
	if out && !in && n.used != 0 && time+slack < n.used || in && !out && n.made != 0 && n.made+slack < time {
		o.note(CodeTimeContradicted, "/event/eventTime", e.TransformationID, "the process made something more than a day before anything went into it")
	}
	if in {
		n.used = earliest(n.used, time)
	}
	if out {
		n.made = max(n.made, time)
	}
}
