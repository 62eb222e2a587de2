package contract

import "github.com/foodtrace-ledger/foodtrace/internal/gs1"

// inspect decides an inspection or test result.
func (d *decision) inspect(in *Inspection, o *Outcome) error {
	dup, err := get[present](d.store, prefixAct+o.ID)
	if err != nil {
		return err
	}
	if dup != nil {
		o.Status = Duplicate
		return nil
	}
	d.requireRole(o, Regulator, Laboratory)
	item := checkItem(in.Item, "/inspection/item", o)
	if in.Site != "" {
		site, _ := gs1.Canonical(in.Site)
		checkKey(site, "/inspection/site", o)
		checkIdentifier(site, "/inspection/site", o)
	}
	require(in.Kind, "/inspection/kind", o)
	require(in.Inspector, "/inspection/inspector", o)
	checkText(in.Reference, "/inspection/reference", o)
	in.Note.check("/inspection/note", o)
	d.requireTime(in.Time, "/inspection/time", o)
	if in.Result != Pass && in.Result != Fail && in.Result != Inconclusive {
		o.refuse(CodeFieldInvalid, "/inspection/result", string(in.Result), "a result is pass, fail or inconclusive")
	}
	if o.Status != Accepted {
		return nil
	}
	d.set(prefixAct+o.ID, &present{})
	return d.remarkUnknown(item, "/inspection/item", o)
}

// remarkUnknown remarks an item that no event has named. It may be named later; it may also be mistyped, and whoever
// writes a hold on it would think that something is stopped.
func (d *decision) remarkUnknown(item, place string, o *Outcome) error {
	c, err := d.store.cell(prefixItem + item)
	if err == nil && c.base == nil && !c.dirty {
		o.note(CodeItemUnknown, place, item, "no event names "+item+" yet: is it written right?")
	}
	return err
}
