package event

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// Role of an item in an event (docs/rules.md, section 1).
type Role uint8

// The roles, with where they are read from.
const (
	RoleObject Role = iota // epcList, quantityList
	RoleParent             // parentID
	RoleChild              // childEPCs, childQuantityList
	RoleInput              // inputEPCList, inputQuantityList
	RoleOutput             // outputEPCList, outputQuantityList
)

var roleNames = [...]string{"object", "parent", "child", "input", "output"}

// String is the role in one word.
func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return "unknown"
}

// Item is one identifier in a what-dimension of an event.
type Item struct {
	Key      string   // canonical key (package gs1); of a class whose ILMD states a lot number, the lot's
	Kind     gs1.Kind // of Key
	Role     Role
	Quantity Decimal // not stated: unknown, or one piece for an identifier of one thing
	UOM      string  // UN/CEFACT Rec. 20; "" for pieces
	Place    string  // JSON pointer into the event
	Lot      string  // key of the lot that a Digital Link of an instance names beside the serial number; "" without one
	Fault    error   // what is wrong with the identifier Key, as [gs1.Parse] says; nil for nothing
}

// Membership says that an instance belongs to a lot (docs/rules.md, section 1).
type Membership struct{ Instance, Lot string }

// keys are the canonical keys that an event names, worked out once: whoever decides, keeps or answers asks for them.
type keys struct {
	items                 []Item
	memberships           []Membership
	readPoint, location   string
	sources, destinations []string // of the lists of the same name
}

func (e *Event) keys() *keys {
	if k := e.memo.keys.Load(); k != nil {
		return k
	}
	lot := e.stateLot()
	k := &keys{items: e.collectItems(lot), readPoint: e.ReadPoint.key(), location: e.BizLocation.key()}
	k.memberships = e.collectMemberships(k.items, lot)
	for i := range e.Sources {
		k.sources = append(k.sources, canonicalID(e.Sources[i].Source))
	}
	for i := range e.Destinations {
		k.destinations = append(k.destinations, canonicalID(e.Destinations[i].Destination))
	}
	e.memo.keys.Store(k)
	return k
}

// Items are all identifiers in the event's what-dimensions, in the order of the event. The slice is shared: do not change it.
func (e *Event) Items() []Item { return e.keys().items }

func (e *Event) collectItems(lot string) []Item {
	n := len(e.EPCs) + len(e.Quantities) + len(e.ChildEPCs) + len(e.ChildQuantities) + len(e.InputEPCs) + len(e.InputQuantities) +
		len(e.OutputEPCs) + len(e.OutputQuantities) + 1
	c := collector{items: make([]Item, 0, n), lot: lot}
	made := e.Type == Object && e.Action == Add
	if e.ParentID != "" {
		c.add(e.ParentID, RoleParent, "/parentID")
	}
	c.epcs(e.EPCs, RoleObject, "/epcList/")
	c.quantities(e.Quantities, RoleObject, "/quantityList/", made)
	c.epcs(e.ChildEPCs, RoleChild, "/childEPCs/")
	c.quantities(e.ChildQuantities, RoleChild, "/childQuantityList/", false)
	c.epcs(e.InputEPCs, RoleInput, "/inputEPCList/")
	c.quantities(e.InputQuantities, RoleInput, "/inputQuantityList/", false)
	c.epcs(e.OutputEPCs, RoleOutput, "/outputEPCList/")
	c.quantities(e.OutputQuantities, RoleOutput, "/outputQuantityList/", true)
	return c.items
}

type collector struct {
	items []Item
	lot   string // lot number of the ILMD, "" without one
}

func (c *collector) add(uri string, r Role, place string) *Item {
	id, err := gs1.Parse(uri)
	c.items = append(c.items, Item{Key: id.Canonical, Kind: id.Kind, Role: r, Place: place, Lot: lotBeside(uri, id.Kind), Fault: err})
	return &c.items[len(c.items)-1]
}

// lotBeside is the key of the lot in …/01/{gtin}/10/{lot}/21/{serial}. It is no part of the instance's identity.
func lotBeside(uri string, kind gs1.Kind) string {
	if kind != gs1.Instance || !strings.Contains(uri, "/10/") && !strings.Contains(uri, "/lot/") {
		return ""
	}
	path, _, _ := strings.Cut(uri, "?")
	for _, serial := range [...]string{"/21/", "/ser/"} {
		if i := strings.LastIndex(path, serial); i >= 0 {
			if lot, _ := gs1.Parse(path[:i]); lot.Kind == gs1.Lot { // whatever is wrong with it
				return lot.Canonical
			}
		}
	}
	return ""
}

func (c *collector) epcs(list []string, r Role, place string) {
	for i, uri := range list {
		c.add(uri, r, place+strconv.Itoa(i))
	}
}

// quantities adds classes and lots. The ILMD describes what is made (made), so its lot number turns a class into a lot there.
func (c *collector) quantities(list []Quantity, r Role, place string, made bool) {
	for i := range list {
		q := &list[i]
		item := c.add(q.EPCClass, r, place+strconv.Itoa(i))
		item.Quantity, item.UOM = q.Quantity, q.UOM
		if made && c.lot != "" && item.Kind == gs1.Class {
			item.Key, item.Kind = lotOf(item.Key, c.lot), gs1.Lot
			_, item.Fault = gs1.Canonical(item.Key)
		}
	}
}

// lotOf is the lot's key of a class's or an instance's canonical key.
func lotOf(key, lot string) string {
	const stem = "https://id.gs1.org/01/"
	return gs1.LotKey(key[len(stem):len(stem)+14], lot)
}

// Memberships are the instances that this event makes members of a lot: those an Object ADD or the output of a
// Transformation names, when the event's ILMD states a lot number. The slice is shared: do not change it.
func (e *Event) Memberships() []Membership { return e.keys().memberships }

func (e *Event) collectMemberships(items []Item, lot string) (all []Membership) {
	if lot == "" {
		return nil
	}
	for i := range items {
		item := &items[i]
		made := item.Role == RoleOutput || item.Role == RoleObject && e.Type == Object && e.Action == Add
		if made && item.Kind == gs1.Instance {
			all = append(all, Membership{Instance: item.Key, Lot: lotOf(item.Key, lot)})
		}
	}
	return all
}

// stateLot is the lotNumber of the ILMD (CBV 2.0, section 9.3): under its plain name, or with a prefix that
// stands for the namespace of CBV master data. A sender may write the namespace with or without a final separator.
func (e *Event) stateLot() (lot string) {
	if len(e.ILMD) == 0 {
		return ""
	}
	x := extension{ns: append(slices.Clone(BuiltinNamespaces), namespacesOf(e.Context)...)}
	eachMember(e.ILMD, func(name string, value jsontext.Value) {
		ns, local, ok := x.resolve(name)
		if local != "lotNumber" || ok && !isMasterData(ns) || value.Kind() != '"' {
			return
		}
		lot = unquote(value)
	})
	return lot
}

func isMasterData(ns string) bool {
	ns = strings.TrimRight(ns, ":/#")
	return ns == "urn:epcglobal:cbv:mda" || ns == strings.TrimRight(cbvNamespace, "/") || ns == strings.TrimRight(gs1Namespace, "/")
}

// SourceOf is the canonical key of the first source of a type, given as bare word ("location", "owning_party",
// "possessing_party"); "" when there is none.
func (e *Event) SourceOf(typ string) string {
	for i := range e.Sources {
		if SourceDestTypes.Word(e.Sources[i].Type) == typ {
			return e.keys().sources[i]
		}
	}
	return ""
}

// DestinationOf is to destinations what [Event.SourceOf] is to sources.
func (e *Event) DestinationOf(typ string) string {
	for i := range e.Destinations {
		if SourceDestTypes.Word(e.Destinations[i].Type) == typ {
			return e.keys().destinations[i]
		}
	}
	return ""
}

// ReadPointKey is the canonical key of the read point, "" without one.
func (e *Event) ReadPointKey() string { return e.keys().readPoint }

// LocationKey is the canonical key of the business location, "" without one.
func (e *Event) LocationKey() string { return e.keys().location }

func (p *Place) key() string {
	if p == nil {
		return ""
	}
	return canonicalID(p.ID)
}

// Site is where the event took place: its read point, else its business location; "" when it states neither.
func (e *Event) Site() string {
	if k := e.ReadPointKey(); k != "" {
		return k
	}
	return e.LocationKey()
}
