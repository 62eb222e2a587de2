package epcis

import (
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// Namespaces of master data attributes: of the CBV 2.0, section 9, and ours for what it has no word for.
const (
	cbvAttribute = "urn:epcglobal:cbv:mda#"
	ourAttribute = "urn:foodtrace:mda#"
)

// field is a field of a site or product and the attribute it is written as. Both directions use the same list.
type field[T any] struct {
	id string
	of func(*T) *string
}

var siteFields = []field[contract.Site]{
	{cbvAttribute + "name", func(s *contract.Site) *string { return &s.Name.EN }},
	{ourAttribute + "nameZh", func(s *contract.Site) *string { return &s.Name.ZH }},
	{ourAttribute + "address", func(s *contract.Site) *string { return &s.Address.EN }},
	{ourAttribute + "addressZh", func(s *contract.Site) *string { return &s.Address.ZH }},
	{cbvAttribute + "countryCode", func(s *contract.Site) *string { return &s.Country }},
	{cbvAttribute + "telephone", func(s *contract.Site) *string { return &s.Phone }},
	{ourAttribute + "siteKind", func(s *contract.Site) *string { return &s.Kind }},
}

var productFields = []field[contract.Product]{
	{cbvAttribute + "descriptionShort", func(p *contract.Product) *string { return &p.Name.EN }},
	{ourAttribute + "nameZh", func(p *contract.Product) *string { return &p.Name.ZH }},
	{ourAttribute + "productKind", func(p *contract.Product) *string { return &p.Kind }},
	{ourAttribute + "packaging", func(p *contract.Product) *string { return &p.Unit.EN }},
	{ourAttribute + "packagingZh", func(p *contract.Product) *string { return &p.Unit.ZH }},
}

// attributeName is the local name of an attribute, in which the ways to write one agree: urn:epcglobal:cbv:mda#name,
// cbvmda:name, https://gs1.org/voc/name.
func attributeName(id string) string { return id[strings.LastIndexAny(id, ":#/")+1:] }

// set fills the field of that attribute, if there is one and it is empty.
func set[T any](fields []field[T], to *T, a contract.MasterAttr) bool {
	if a.Value == "" {
		return false
	}
	for _, f := range fields {
		if attributeName(f.id) == attributeName(a.ID) && *f.of(to) == "" {
			*f.of(to) = a.Value
			return true
		}
	}
	return false
}

func written[T any](fields []field[T], from *T) (all []contract.MasterAttr) {
	for _, f := range fields {
		if v := *f.of(from); v != "" {
			all = append(all, contract.MasterAttr{ID: f.id, Value: v})
		}
	}
	return all
}

// addressLines are the attributes that make up an address, in the order in which it is written.
var addressLines = []string{"streetAddressOne", "streetAddressTwo", "city", "state", "postalCode"}

// site makes a site of the attributes of a location or party. Those without a field are kept as they are.
func site(key string, attributes []contract.MasterAttr) contract.Site {
	s := contract.Site{ID: key}
	lines := make([]string, len(addressLines))
	for _, a := range attributes {
		name := attributeName(a.ID)
		switch {
		case name == "latitude" && setDecimal(&s.Lat, a.Value), name == "longitude" && setDecimal(&s.Lon, a.Value):
		case name == "countryCode" && len(a.Value) != 2: // a name, not a code
			s.Ext = append(s.Ext, a)
		case setLine(lines, name, a.Value), set(siteFields, &s, a):
		default:
			s.Ext = append(s.Ext, a)
		}
	}
	if s.Address.EN == "" {
		s.Address.EN = join(lines)
	}
	return s
}

func setLine(lines []string, name, value string) bool {
	for i, line := range addressLines {
		if line == name && lines[i] == "" {
			lines[i] = value
			return true
		}
	}
	return false
}

func join(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		if line != "" && b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(line)
	}
	return b.String()
}

func setDecimal(to *event.Decimal, value string) bool {
	d, err := event.ParseDecimal(value)
	if err != nil || to.Stated {
		return false
	}
	*to = d
	return true
}

func siteAttributes(s *contract.Site) []contract.MasterAttr {
	all := written(siteFields, s)
	if s.Lat.Stated {
		all = append(all, contract.MasterAttr{ID: cbvAttribute + "latitude", Value: s.Lat.String()})
	}
	if s.Lon.Stated {
		all = append(all, contract.MasterAttr{ID: cbvAttribute + "longitude", Value: s.Lon.String()})
	}
	return append(all, s.Ext...)
}

// product makes a product of the attributes of a class.
func product(key string, attributes []contract.MasterAttr) contract.Product {
	p := contract.Product{ID: key}
	for _, a := range attributes {
		if !set(productFields, &p, a) {
			p.Ext = append(p.Ext, a)
		}
	}
	return p
}

func productAttributes(p *contract.Product) []contract.MasterAttr {
	return append(written(productFields, p), p.Ext...)
}
