package epcis

import (
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// attributeName is the local name of a master data attribute, in which the CBV, GDST and GS1 web vocabulary agree:
// urn:epcglobal:cbv:mda#name, cbvmda:name, https://gs1.org/voc/name.
func attributeName(id string) string {
	return id[strings.LastIndexAny(id, ":#/")+1:]
}

// site makes a site of a location's or party's attributes (CBV 2.0, section 9.2). Those without a field stay as they are.
func site(key string, attributes []contract.MasterAttr) contract.Site {
	s := contract.Site{ID: key}
	address := map[string]string{}
	for _, a := range attributes {
		if !siteAttribute(&s, address, a) {
			s.Ext = append(s.Ext, a)
		}
	}
	s.Address.EN = join(address["streetAddressOne"], address["streetAddressTwo"], address["city"], address["state"], address["postalCode"])
	return s
}

func siteAttribute(s *contract.Site, address map[string]string, a contract.MasterAttr) bool {
	switch name := attributeName(a.ID); name {
	case "name":
		return set(&s.Name.EN, a.Value)
	case "countryCode":
		return len(a.Value) == 2 && set(&s.Country, strings.ToUpper(a.Value))
	case "latitude":
		return setDecimal(&s.Lat, a.Value)
	case "longitude":
		return setDecimal(&s.Lon, a.Value)
	case "telephone", "contactTelephone":
		return set(&s.Phone, a.Value)
	case "streetAddressOne", "streetAddressTwo", "city", "state", "postalCode":
		if address[name] != "" || a.Value == "" {
			return false
		}
		address[name] = a.Value
		return true
	}
	return false
}

// product makes a product of a class's attributes (CBV 2.0, section 9.1).
func product(key string, attributes []contract.MasterAttr) contract.Product {
	p := contract.Product{ID: key}
	for _, a := range attributes {
		if !productAttribute(&p, a) {
			p.Ext = append(p.Ext, a)
		}
	}
	return p
}

func productAttribute(p *contract.Product, a contract.MasterAttr) bool {
	switch attributeName(a.ID) {
	case "descriptionShort", "productName":
		return set(&p.Name.EN, a.Value)
	case "tradeItemConditionCode", "foodTraceabilityListCategory":
		return set(&p.Kind, a.Value)
	case "netContentDescription", "packagingSize":
		return set(&p.Unit, a.Value)
	}
	return false
}

// set fills a field that is empty.
func set(field *string, value string) bool {
	if *field != "" || value == "" {
		return false
	}
	*field = value
	return true
}

func setDecimal(field *event.Decimal, value string) bool {
	d, err := event.ParseDecimal(value)
	if err != nil || field.Stated {
		return false
	}
	*field = d
	return true
}

func join(parts ...string) string {
	kept := parts[:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, ", ")
}
