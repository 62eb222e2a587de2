package fsma204

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// Master data attributes (CBV 2.0, section 9), and ours.
const (
	cbvAttribute = "urn:epcglobal:cbv:mda#"
	ourAttribute = "urn:foodtrace:mda#"
)

// attributes of a place that have no field of their own, by the field that they are read from.
var attributes = []struct {
	of field
	id string
}{
	{street, cbvAttribute + "streetAddressOne"}, {city, cbvAttribute + "city"}, {state, cbvAttribute + "state"}, {zip, cbvAttribute + "postalCode"},
	{country, ourAttribute + "countryName"}, {fieldName, ourAttribute + "fieldName"}, {coordinates, ourAttribute + "coordinates"},
	{ffrn, ourAttribute + "ffrn"}, {lookupSite, ourAttribute + "tlcSourceLookup"},
}

// describe reads a tab of locations or products.
func (r *Reader) describe(t *tab) error {
	for row, err := range t.sheet.Rows() {
		if err != nil {
			return err
		}
		if row.Number <= t.header.last() {
			continue
		}
		l, filled := newLine(t, row)
		r.tab = t
		if filled == 0 || r.isNote(row, filled) {
			continue
		}
		wanted, said := t.table.Check(&row)
		for _, p := range said {
			r.report(p)
		}
		if !wanted {
			continue
		}
		var what contract.Registration
		if t.header.layout.cte == locations {
			what.Sites = r.site(l)
		} else {
			what.Products = product(l)
		}
		if len(what.Sites)+len(what.Products) > 0 {
			r.described = append(r.described, contract.Record{Registration: &what})
		}
		for _, p := range l.problems {
			r.report(p)
		}
		if len(r.described) > maxLocations {
			return &ingest.Problem{Code: CodeLimit, Pointer: l.place(none), Message: "The file describes more than 100000 places and products."}
		}
	}
	r.tab = nil
	return nil
}

// site reads a row of Locations, and has its name stand for the place.
func (r *Reader) site(l *line) []contract.Site {
	name := l.texts[businessName]
	if name == "" {
		if !strings.HasPrefix(l.texts[phone]+l.texts[street], "*") {
			l.remark(CodeKDE, businessName, "The business name is missing (21 CFR 1.1310, location description), so nothing is registered.")
		}
		return nil
	}
	b := &builder{r: r, line: l}
	own := ownName(ownPlace, r.sender(), fold(name))
	at := location{own, scopeOf(own)}
	switch {
	case l.has(gln):
		if known := b.placeOf(l, gln); known.uri != "" {
			at = known
		}
	case l.has(ffrn):
		at.scope = ownName("", "ffrn", code(l.texts[ffrn]))
	}
	if known, ok := r.locations[fold(name)]; !ok {
		r.locations[fold(name)] = at
	} else if known != at {
		l.remark(CodeLocation, businessName, "The location \""+ingest.Clip(name)+"\" was described before with another identifier, which counts.")
	}
	s := contract.Site{ID: at.uri, Phone: l.texts[phone], Country: countryCode(l.texts[country])}
	setText(&s.Name, name)
	setText(&s.Address, address(l))
	s.Lat, s.Lon = readCoordinates(l.texts[coordinates])
	for _, a := range attributes {
		if l.texts[a.of] != "" {
			s.Ext = append(s.Ext, contract.MasterAttr{ID: a.id, Value: l.texts[a.of]})
		}
	}
	return []contract.Site{s}
}

// setText puts a text where its language is.
func setText(t *contract.Text, s string) {
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		t.ZH = s
	} else {
		t.EN = s
	}
}

func address(l *line) string {
	var parts []string
	for _, f := range [...]field{street, city, state, zip} {
		if l.texts[f] != "" {
			parts = append(parts, l.texts[f])
		}
	}
	return strings.Join(parts, ", ")
}

// countries are names of countries as sheets have them, with their codes (ISO 3166-1 alpha-2); others are kept as a text.
var countries = map[string]string{
	"usa": "US", "u.s.a.": "US", "u.s.": "US", "united states": "US", "united states of america": "US", "美国": "US",
	"china": "CN", "prc": "CN", "p.r. china": "CN", "people's republic of china": "CN", "中国": "CN", "中华人民共和国": "CN",
	"mexico": "MX", "méxico": "MX", "墨西哥": "MX", "canada": "CA", "加拿大": "CA",
}

func countryCode(s string) string {
	if known := countries[fold(s)]; known != "" {
		return known
	}
	if s = strings.ToUpper(s); len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z' {
		return s
	}
	return ""
}

// readCoordinates reads "36.67, -121.65": latitude and longitude in degrees.
func readCoordinates(s string) (lat, lon event.Decimal) {
	parts := strings.FieldsFunc(norm.NFKC.String(s), func(r rune) bool { return strings.ContainsRune(",; ", r) })
	if len(parts) != 2 {
		return lat, lon
	}
	a, err := event.ParseDecimal(parts[0])
	b, err2 := event.ParseDecimal(parts[1])
	limit := func(d event.Decimal, n int64) bool { return d.Cmp(event.Int(n)) <= 0 && d.Cmp(event.Int(-n)) >= 0 }
	if err != nil || err2 != nil || !limit(a, 90) || !limit(b, 180) {
		return lat, lon
	}
	return a, b
}

// product reads a row of Products.
func product(l *line) []contract.Product {
	number := l.identifier(gtin)
	if number == "" || !l.has(productName) {
		if !strings.HasPrefix(number, "*") {
			l.remark(CodeKDE, gtin, "A product needs its GTIN and its name, so nothing is registered.")
		}
		return nil
	}
	id, restored, wrong, ok := gtinOf(number)
	switch {
	case !ok:
		l.remark(CodeIdentifier, gtin, "\""+ingest.Clip(number)+"\" is not a GTIN (8, 12, 13 or 14 digits), so nothing is registered.")
		return nil
	case restored:
		l.remark(CodeZeros, gtin, "The GTIN lost its leading zeros in a spreadsheet and is taken as "+id+".")
	case wrong:
		l.remark(CodeCheckDigit, gtin, "The check digit of the GTIN "+id+" is wrong.")
	}
	p := contract.Product{ID: gtinStem + id, Kind: l.texts[ftlCategory]}
	setText(&p.Name, l.texts[productName])
	return []contract.Product{p}
}
