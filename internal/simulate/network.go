package simulate

import (
	"slices"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
)

// firm is a member of the simulated network. Company prefixes are made up.
type firm struct {
	msp    string
	name   contract.Text
	role   contract.Role
	prefix string // GS1 company prefix
	urns   bool   // its ERP writes EPC URNs instead of Digital Link URIs
}

// place is a site of a firm.
type place struct {
	id      string // canonical URI
	party   string // URI of the party that owns it
	offset  string // time zone
	hours   int    // the same in hours
	firm    *firm
	contact contract.Site
}

// product is a trade item class.
type product struct {
	id   string // canonical URI
	unit string // UN/CEFACT Rec. 20 code; "" for pieces
	firm *firm
	data contract.Product
}

// Cast says which member of a ledger plays which firm: MSP ID of the firm → MSP ID of the member. A firm that is not in it is
// a member of its own.
type Cast map[string]string

// network is the cast of all chains: who there is, where, and what they make.
type network struct {
	cast     Cast
	firms    []*firm
	places   []*place
	products []*product

	regulator, customs, lab                         *firm
	farms                                           []*place // Shouguang, Anqiu, Lanling
	packhouse, dressingPlant, saladPlant, saladDC   *place
	shops                                           []*place
	pigFarms                                        []*place
	slaughterhouse, cuttingPlant                    *place
	hatchery, pond, shrimpPlant, portOut, vessel    *place
	portIn, importer                                *place
	spinach, romaine, babySpinach, dressing, salad  *product
	rework                                          *product
	pigs, carcass, loin, belly                      *product
	larvae, rawShrimp, frozenShrimp, consumerShrimp *product
}

func newNetwork(cast Cast) *network {
	n := &network{cast: cast}
	n.authorities()
	n.greens()
	n.meat()
	n.seafood()
	n.trade()
	return n
}

func (n *network) firm(msp, zh, en, prefix string, role contract.Role) *firm {
	if member, ok := n.cast[msp]; ok {
		msp = member
	}
	f := &firm{msp: msp, name: contract.Text{ZH: zh, EN: en}, role: role, prefix: prefix}
	n.firms = append(n.firms, f)
	return f
}

// at describes where a place is: coordinates in ten-thousandths of a degree.
type at struct {
	ref      int
	kind     string
	zh, en   string
	address  contract.Text
	country  string
	lat, lon int64
	hours    int // time zone, hours east of UTC
}

func (n *network) place(f *firm, a at) *place {
	if a.country == "" {
		a.country, a.hours = "CN", 8
	}
	p := &place{id: stem + "414/" + gln(f.prefix, a.ref), party: f.party(), firm: f, hours: a.hours, offset: offset(a.hours)}
	p.contact = contract.Site{
		ID: p.id, Owner: f.msp, Name: contract.Text{ZH: a.zh, EN: a.en}, Address: a.address, Country: a.country,
		Kind: a.kind,
	}
	if a.lat != 0 { // a vessel has no fixed place
		p.contact.Lat, p.contact.Lon = number(a.lat, 4), number(a.lon, 4)
	}
	n.places = append(n.places, p)
	return p
}

func (n *network) product(f *firm, ref int, zh, en, kind, unit, packZH, packEN string) *product {
	p := &product{id: stem + "01/" + gtin(f.prefix, ref), unit: unit, firm: f}
	p.data = contract.Product{ID: p.id, Owner: f.msp, Name: contract.Text{ZH: zh, EN: en}, Kind: kind, Unit: contract.Text{ZH: packZH, EN: packEN}}
	n.products = append(n.products, p)
	return p
}

// party is the firm's PGLN: the first number under its prefix.
func (f *firm) party() string { return stem + "417/" + gln(f.prefix, 0) }

func offset(hours int) string {
	sign := "+"
	if hours < 0 {
		sign, hours = "-", -hours
	}
	return sign + string([]byte{byte('0' + hours/10), byte('0' + hours%10)}) + ":00"
}

// registration is the network as a regulator would register it, in the order of the literals.
func (n *network) registration() contract.Registration {
	var r contract.Registration
	for _, f := range n.firms {
		i := slices.IndexFunc(r.Members, func(m contract.Member) bool { return m.MSP == f.msp })
		if i < 0 {
			i = len(r.Members)
			r.Members = append(r.Members, contract.Member{MSP: f.msp, Name: f.name})
		}
		m := &r.Members[i]
		if !slices.Contains(m.Roles, f.role) {
			m.Roles = append(m.Roles, f.role)
		}
		m.Prefixes, m.Parties = append(m.Prefixes, f.prefix), append(m.Parties, f.party())
	}
	for _, p := range n.places {
		r.Sites = append(r.Sites, p.contact)
	}
	for _, p := range n.products {
		r.Products = append(r.Products, p.data)
	}
	return r
}

// named finds a firm by its MSP ID.
func (n *network) named(msp string) *firm {
	i := slices.IndexFunc(n.firms, func(f *firm) bool { return f.msp == msp })
	return n.firms[i]
}
