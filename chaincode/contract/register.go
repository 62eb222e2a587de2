package contract

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

var roles = [...]Role{Regulator, Producer, Processor, Carrier, Wholesaler, Retailer, Laboratory}

// genesis says whether a record may begin an empty ledger: it registers its own sender as regulator.
func (d *decision) genesis(r *Record) (bool, error) {
	if r.Registration == nil || self(r.Registration, d.tx.Actor.MSP, true) == nil {
		return false, nil
	}
	epoch, err := get[epochRecord](d.store, keyEpoch)
	if err != nil || epoch != nil {
		return false, err
	}
	return true, nil
}

// self finds the registration of an organisation, with or without the role of a regulator.
func self(r *Registration, msp string, regulator bool) *Member {
	for i := range r.Members {
		if m := &r.Members[i]; m.MSP == msp && m.has(Regulator) == regulator {
			return m
		}
	}
	return nil
}

// register decides a registration: all of it or nothing. One that changes nothing is a duplicate.
func (d *decision) register(r *Registration, o *Outcome) error {
	n := len(r.Members) + len(r.Sites) + len(r.Products)
	if n > MaxRegistered {
		o.refuse(CodeTooLarge, "/registration", "", fmt.Sprintf("a registration carries at most %d entries", MaxRegistered))
		return nil
	}
	if n == 0 && r.Policy == nil {
		o.refuse(CodeFieldMissing, "/registration", "", "the registration registers nothing")
		return nil
	}
	genesis := d.actor == nil
	if genesis && !d.tx.Actor.allows(Regulator) {
		d.requireRole(o, Regulator)
		return nil
	}
	regulator := genesis || d.actsAs(Regulator)
	if len(r.Members) > 0 || r.Policy != nil {
		if !genesis {
			d.requireRole(o, Regulator)
		}
		if self(r, d.tx.Actor.MSP, false) != nil {
			o.refuse(CodeLastRegulator, "/registration/members", d.tx.Actor.MSP, "a regulator cannot take the role from itself: another one can")
		}
	}
	var plan registrationPlan
	for i := range r.Members {
		m := r.Members[i]
		m.check("/registration/members/"+strconv.Itoa(i), o)
		plan.add(prefixMember+m.MSP, &m)
	}
	for i := range r.Sites {
		s, place := r.Sites[i], "/registration/sites/"+strconv.Itoa(i)
		s.ID = s.check(place, o)
		old, err := get[Site](d.store, prefixSite+s.ID)
		if err != nil {
			return err
		}
		if err := d.mayRegister(r, s.ID, s.Owner, ownerOf(old), regulator, place, o); err != nil {
			return err
		}
		plan.add(prefixSite+s.ID, &s)
	}
	for i := range r.Products {
		p, place := r.Products[i], "/registration/products/"+strconv.Itoa(i)
		p.ID = p.check(place, o)
		old, err := get[Product](d.store, prefixProduct+p.ID)
		if err != nil {
			return err
		}
		before := ""
		if old != nil {
			before = old.Owner
		}
		if err := d.mayRegister(r, p.ID, p.Owner, before, regulator, place, o); err != nil {
			return err
		}
		plan.add(prefixProduct+p.ID, &p)
	}
	if r.Policy != nil {
		policy := *r.Policy
		plan.add(keyPolicy, &policy)
	}
	if o.Status == Refused {
		return nil
	}
	changed, err := plan.apply(d.store)
	if err != nil {
		return err
	}
	if !changed {
		o.Status, o.Findings = Duplicate, nil
		return nil
	}
	if genesis {
		d.set(keyEpoch, &epochRecord{})
	}
	return d.begin()
}

// registrationPlan is what a registration will write.
type registrationPlan []struct {
	key   string
	value codec
}

func (p *registrationPlan) add(key string, v codec) {
	*p = append(*p, struct {
		key   string
		value codec
	}{key, v})
}

// apply writes the entries that differ from the state.
func (p registrationPlan) apply(s *store) (changed bool, err error) {
	for _, e := range p {
		same, err := s.equals(e.key, e.value)
		if err != nil {
			return false, err
		}
		if !same {
			s.set(e.key, e.value)
			changed = true
		}
	}
	return changed, nil
}

func (s *store) equals(key string, v codec) (bool, error) {
	c, err := s.cell(key)
	if err != nil {
		return false, err
	}
	have := c.base
	if c.dirty && c.value != nil {
		if have, err = c.value.encode(); err != nil {
			return false, err
		}
	}
	want, err := v.encode()
	return have != nil && bytes.Equal(have, want), err
}

func ownerOf(s *Site) string {
	if s == nil {
		return ""
	}
	return s.Owner
}

// mayRegister refuses master data that is not the member's to write (docs/rules.md, section 6): a regulator may write all;
// another member its own; and, where the policy is lenient, what is nobody's.
func (d *decision) mayRegister(r *Registration, key, owner, before string, regulator bool, place string, o *Outcome) error {
	if owner != "" && owner != d.tx.Actor.MSP && self(r, owner, true) == nil && self(r, owner, false) == nil {
		m, err := get[Member](d.store, prefixMember+owner)
		if err != nil {
			return err
		}
		if m == nil {
			o.refuse(CodeMemberUnknown, place+"/owner", owner, "the owner "+owner+" is not a member")
		}
	}
	if regulator {
		return nil
	}
	switch {
	case before != "" && before != d.tx.Actor.MSP, owner != "" && owner != d.tx.Actor.MSP:
		o.refuse(CodeNotYours, place, key, key+" is another member's to register")
	case !d.actor.hasPrefix(key):
		o.refuseUnless(d.policy.Lenient && owner == "", CodeNotYourPrefix, place, key, key+" is not of "+d.tx.Actor.MSP+"'s prefixes")
	}
	return nil
}

func (m *Member) check(place string, o *Outcome) {
	require(m.MSP, place+"/msp", o)
	checkKey(m.MSP, place+"/msp", o)
	m.Name.check(place+"/name", o)
	for i, r := range m.Roles {
		if !r.Known() {
			o.refuse(CodeFieldInvalid, place+"/roles/"+strconv.Itoa(i), string(r), "there is no role "+strconv.Quote(string(r)))
		}
	}
	if len(m.Prefixes) > MaxAttrs || len(m.Parties) > MaxAttrs {
		o.refuse(CodeTooLarge, place, m.MSP, fmt.Sprintf("a member has at most %d prefixes and parties", MaxAttrs))
		return
	}
	for i, p := range m.Prefixes {
		checkKey(p, place+"/prefixes/"+strconv.Itoa(i), o)
	}
	parties := make([]string, len(m.Parties))
	for i, p := range m.Parties {
		parties[i], _ = gs1.Canonical(p)
		checkKey(parties[i], place+"/parties/"+strconv.Itoa(i), o)
	}
	m.Parties = parties
}

// Known says whether there is such a role.
func (r Role) Known() bool { return slices.Contains(roles[:], r) }

// check returns the canonical ID.
func (s *Site) check(place string, o *Outcome) string {
	key := checkMasterKey(s.ID, place, s.Ext, o)
	s.Name.check(place+"/name", o)
	s.Address.check(place+"/address", o)
	checkText(s.Kind, place+"/kind", o)
	checkText(s.Phone, place+"/phone", o)
	if c := s.Country; c != "" && (len(c) != 2 || c[0] < 'A' || c[0] > 'Z' || c[1] < 'A' || c[1] > 'Z') {
		o.refuse(CodeFieldInvalid, place+"/country", c, "a country is two capital letters (ISO 3166-1 alpha-2)")
	}
	checkDegrees(s.Lat, 90, place+"/lat", o)
	checkDegrees(s.Lon, 180, place+"/lon", o)
	return key
}

func checkDegrees(v event.Decimal, limit int64, place string, o *Outcome) {
	if v.Stated && (v.Cmp(event.Int(limit)) > 0 || v.Cmp(event.Int(-limit)) < 0) {
		o.refuse(CodeFieldInvalid, place, v.String(), fmt.Sprintf("degrees lie between -%d and %d", limit, limit))
	}
}

// check returns the canonical ID.
func (p *Product) check(place string, o *Outcome) string {
	key := checkMasterKey(p.ID, place, p.Ext, o)
	p.Name.check(place+"/name", o)
	checkText(p.Kind, place+"/kind", o)
	p.Unit.check(place+"/unit", o)
	return key
}

func checkMasterKey(id, place string, ext []MasterAttr, o *Outcome) string {
	require(id, place+"/id", o)
	key, _ := gs1.Canonical(id)
	checkKey(key, place+"/id", o)
	checkIdentifier(key, place+"/id", o)
	if len(ext) > MaxAttrs {
		o.refuse(CodeTooLarge, place+"/ext", key, fmt.Sprintf("an entry has at most %d other attributes", MaxAttrs))
		return key
	}
	for i := range ext {
		at := place + "/ext/" + strconv.Itoa(i)
		checkText(ext[i].ID, at+"/id", o)
		checkText(ext[i].Value, at+"/value", o)
	}
	return key
}
