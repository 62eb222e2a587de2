package contract

import (
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

func (m *Member) has(r Role) bool { return m != nil && slices.Contains(m.Roles, r) }

// allows says whether the certificate lets its holder act in a role, should the member have it.
func (a *Actor) allows(r Role) bool { return a.Roles == nil || slices.Contains(a.Roles, r) }

// actsAs says whether the sender may act in a role: its member is registered with it and its certificate allows it.
func (d *decision) actsAs(r Role) bool { return d.actor.has(r) && d.tx.Actor.allows(r) }

func (d *decision) requireRole(o *Outcome, roles ...Role) {
	for _, r := range roles {
		if d.actsAs(r) {
			return
		}
	}
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	who := d.tx.Actor.MSP
	if d.tx.Actor.Roles != nil {
		who = d.tx.Actor.Subject + " of " + who
	}
	o.refuse(CodeRoleRequired, "", d.tx.Actor.MSP, who+" would need the role "+strings.Join(names, " or ")+" for this")
}

// MemberOn returns a member as it is registered, nil if it is none, and whether the ledger has begun: it has its first
// registration. It fails when the state cannot be read.
func MemberOn(state State, msp string) (m *Member, begun bool, err error) {
	s := newStore(state)
	epoch, err := get[epochRecord](s, keyEpoch)
	if err != nil || epoch == nil {
		return nil, false, err
	}
	m, err = get[Member](s, prefixMember+msp)
	return m, true, err
}

// hasPrefix says whether an identifier is of one of the member's prefixes: a GS1 company prefix of its key, or the
// beginning of its URI.
func (m *Member) hasPrefix(key string) bool {
	if len(m.Prefixes) == 0 {
		return false
	}
	id, _ := gs1.Parse(key)
	digits := id.CompanyDigits()
	for _, p := range m.Prefixes {
		if isDigits(p) {
			if digits != "" && strings.HasPrefix(digits, p) {
				return true
			}
		} else if strings.HasPrefix(key, p) {
			return true
		}
	}
	return false
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// isParty says whether a party named in an event is the member.
func (m *Member) isParty(key string) bool {
	return key != "" && (slices.Contains(m.Parties, key) || m.hasPrefix(key))
}

// siteOf finds the registered site of a place: the place itself, or the location of which it is a part (GLN with extension).
func (d *decision) siteOf(key string) (*Site, error) {
	site, err := get[Site](d.store, prefixSite+key)
	if err != nil || site != nil {
		return site, err
	}
	if id, _ := gs1.Parse(key); id.Kind == gs1.Location && id.Extension != "" {
		whole, _, _ := strings.Cut(key, "/254/")
		return get[Site](d.store, prefixSite+whole)
	}
	return nil, nil
}

// mayWrite refuses an event that is not the member's to write (docs/rules.md, section 6).
func (d *decision) mayWrite(e *event.Event, o *Outcome) error {
	party, err := d.isPartyTo(e)
	if err != nil {
		return err
	}
	places := [...]struct{ key, pointer string }{{e.ReadPointKey(), "/event/readPoint"}, {e.LocationKey(), "/event/bizLocation"}}
	if places[0].key == places[1].key {
		places[1].key = ""
	}
	if places[0].key == "" && places[1].key == "" {
		if !party {
			o.refuseUnless(d.policy.Lenient, CodeSiteMissing, "", "", "the event names neither a place nor a party, so nobody can say whose it is")
		}
		return nil
	}
	for _, p := range places {
		if p.key == "" {
			continue
		}
		site, err := d.siteOf(p.key)
		if err != nil {
			return err
		}
		switch {
		case site == nil:
			o.refuseUnless(d.policy.Lenient, CodeSiteUnknown, p.pointer, p.key, "nobody registered the site "+p.key)
		case site.Owner == d.tx.Actor.MSP || party || site.Owner == "" && d.policy.Lenient:
		default:
			o.refuse(CodeNotYourSite, p.pointer, p.key, "the site "+p.key+" is not "+d.tx.Actor.MSP+"'s, and the event does not name it as a party")
		}
	}
	return nil
}

// isPartyTo says whether the member is the owning or possessing party of a source or destination, or has the location
// named there.
func (d *decision) isPartyTo(e *event.Event) (bool, error) {
	if len(e.Sources) == 0 && len(e.Destinations) == 0 {
		return false, nil
	}
	for _, typ := range [...]string{"owning_party", "possessing_party"} {
		if d.actor.isParty(e.SourceOf(typ)) || d.actor.isParty(e.DestinationOf(typ)) {
			return true, nil
		}
	}
	for _, key := range [...]string{e.SourceOf("location"), e.DestinationOf("location")} {
		if key == "" {
			continue
		}
		site, err := d.siteOf(key)
		if err != nil {
			return false, err
		}
		if site != nil && site.Owner == d.tx.Actor.MSP {
			return true, nil
		}
	}
	return false, nil
}
