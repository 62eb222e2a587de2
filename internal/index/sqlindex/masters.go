package sqlindex

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
)

func (p *projection) registration(r *contract.Registration) error {
	for i := range r.Members {
		if err := p.master("member", r.Members[i].MSP, "", r.Members[i].Name, &r.Members[i]); err != nil {
			return err
		}
	}
	for i := range r.Sites {
		if err := p.master("site", r.Sites[i].ID, r.Sites[i].Owner, r.Sites[i].Name, &r.Sites[i]); err != nil {
			return err
		}
	}
	for i := range r.Products {
		if err := p.master("product", r.Products[i].ID, r.Products[i].Owner, r.Products[i].Name, &r.Products[i]); err != nil {
			return err
		}
	}
	return nil
}

func (p *projection) master(kind, id, owner string, name contract.Text, value any) error {
	body, err := json.Marshal(value, json.Deterministic(true))
	if err != nil {
		return err
	}
	return p.exec(`INSERT INTO masters (kind, id, name, owner, body, block) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name, owner = excluded.owner, body = excluded.body, block = excluded.block`,
		kind, itemKey(id), searchable(name), owner, body, p.at.block)
}

// searchable is the form in which a name is looked for: the value itself is in the body. PostgreSQL keeps no NUL in a text.
func searchable(name contract.Text) string {
	return strings.ReplaceAll(name.ZH+"\n"+name.EN, "\x00", "")
}

// masters is the master data that a query asks for. It implements query.Masters.
type masters struct {
	below      map[string]map[string]bool // by a value of a WD parameter: it and its descendants
	attributes map[string][]contract.MasterAttr
}

// mastersOf reads the places that the WD parameters of a query stand for.
func (ix *Index) mastersOf(ctx context.Context, q *query.Query) (*masters, error) {
	m := &masters{below: map[string]map[string]bool{}, attributes: map[string][]contract.MasterAttr{}}
	for _, field := range [...]string{"readPoint", "bizLocation"} {
		for _, c := range q.Find(query.WD, field) {
			for i := range c.Values {
				if err := m.descend(ctx, ix, c.Values[i].Key); err != nil {
					return nil, err
				}
			}
		}
	}
	return m, nil
}

// descend finds the descendants of a place, one generation after the other.
func (m *masters) descend(ctx context.Context, ix *Index, place string) error {
	if m.below[place] != nil {
		return nil
	}
	seen := map[string]bool{place: true}
	for generation := []string{place}; len(generation) > 0; {
		sites, err := ix.Sites(ctx, generation)
		if err != nil {
			return err
		}
		generation = nil
		for _, id := range slices.Sorted(maps.Keys(sites)) {
			for _, a := range sites[id].Ext {
				if child := itemKey(a.Value); a.ID == contract.AttrChild && !seen[child] {
					seen[child] = true
					generation = append(generation, child)
				}
			}
		}
		if len(seen) > index.MaxDescendants {
			return fmt.Errorf("%w: %s has more than %d places below it", index.ErrTooComplex, place, index.MaxDescendants)
		}
	}
	m.below[place] = seen
	return nil
}

// Within implements query.Masters.
func (m *masters) Within(place, ancestor string) bool { return m.below[ancestor][place] }

// descendants are the places that the values of a WD parameter stand for.
func (m *masters) descendants(c *query.Criterion) (places []string) {
	for i := range c.Values {
		for place := range m.below[c.Values[i].Key] {
			places = append(places, plain(place))
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// learn reads the attributes that Match will ask for.
func (m *masters) learn(ctx context.Context, ix *Index, q *query.Query, events []index.Event) error {
	var missing []string
	for i := range events {
		for _, key := range q.Subjects(events[i].Event) {
			if _, known := m.attributes[key]; !known {
				m.attributes[key] = nil
				missing = append(missing, key)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	sites, err := ix.Sites(ctx, missing)
	products, err2 := ix.Products(ctx, missing)
	for id, s := range sites {
		m.attributes[id] = append(s.Ext, []contract.MasterAttr{{ID: "name", Value: s.Name.EN}, {ID: "name", Value: s.Name.ZH}, {ID: "nameZh", Value: s.Name.ZH},
			{ID: "address", Value: s.Address.EN}, {ID: "addressZh", Value: s.Address.ZH}, {ID: "countryCode", Value: s.Country}, {ID: "telephone", Value: s.Phone},
			{ID: "siteKind", Value: s.Kind}, {ID: "latitude", Value: s.Lat.String()}, {ID: "longitude", Value: s.Lon.String()}}...)
	}
	for id, p := range products {
		m.attributes[id] = append(p.Ext, []contract.MasterAttr{{ID: "descriptionShort", Value: p.Name.EN}, {ID: "descriptionShort", Value: p.Name.ZH}, {ID: "nameZh", Value: p.Name.ZH},
			{ID: "productKind", Value: p.Kind}, {ID: "packaging", Value: p.Unit.EN}, {ID: "packagingZh", Value: p.Unit.ZH}}...)
	}
	return errors.Join(err, err2)
}

// Attribute implements query.Masters. Attributes are compared by their local names, in which the ways to write one agree.
func (m *masters) Attribute(key, name string) (values []string) {
	for _, a := range m.attributes[key] {
		if a.Value != "" && localName(a.ID) == localName(name) {
			values = append(values, a.Value)
		}
	}
	return values
}

func localName(id string) string { return id[strings.LastIndexAny(id, ":#/")+1:] }
