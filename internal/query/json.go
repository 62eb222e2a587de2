package query

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MarshalJSONTo writes the query in the standard's form (query-schema.json). perPage is ours: a named query may state it.
func (q Query) MarshalJSONTo(enc *jsontext.Encoder) error {
	w := writer{enc: enc}
	w.token(jsontext.BeginObject)
	if len(q.Namespaces) > 0 {
		w.token(jsontext.String("@context"))
		w.token(jsontext.BeginArray)
		for _, n := range q.Namespaces {
			w.token(jsontext.BeginObject)
			w.token(jsontext.String(n.Prefix))
			w.token(jsontext.String(n.URI))
			w.token(jsontext.EndObject)
		}
		w.token(jsontext.EndArray)
	}
	for i := range q.Criteria {
		w.criterion(&q.Criteria[i])
	}
	if q.OrderBy != "" {
		w.pair("orderBy", jsontext.String(string(q.OrderBy)))
	}
	if q.Ascending {
		w.pair("orderDirection", jsontext.String("ASC"))
	}
	w.count("eventCountLimit", q.EventCountLimit)
	w.count("maxEventCount", q.MaxEventCount)
	w.count("perPage", q.PerPage)
	w.token(jsontext.EndObject)
	return w.err
}

// UnmarshalJSONFrom reads what ParseJSON reads; its error says all problems.
func (q *Query) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	parsed, problems := ParseJSON(v)
	if len(problems) > 0 {
		var all []error
		for _, p := range problems {
			all = append(all, fmt.Errorf("query parameter %q: %s", p.Parameter, p.Message))
		}
		return errors.Join(all...)
	}
	*q = parsed
	return nil
}

// String is the query as JSON: equal queries, equal texts.
func (q Query) String() string {
	b, err := json.Marshal(q, jsontext.AllowDuplicateNames(true)) // With may add to a parameter
	if err != nil {                                               // a query that was not parsed, with a text that is not UTF-8
		return fmt.Sprintf("%+v", q.Criteria)
	}
	return string(b)
}

type writer struct {
	enc *jsontext.Encoder
	err error
}

func (w *writer) token(t jsontext.Token) {
	if w.err == nil {
		w.err = w.enc.WriteToken(t)
	}
}

func (w *writer) pair(name string, t jsontext.Token) {
	w.token(jsontext.String(name))
	w.token(t)
}

func (w *writer) count(name string, n int) {
	if n > 0 {
		w.pair(name, jsontext.Int(int64(n)))
	}
}

func (w *writer) criterion(c *Criterion) {
	w.token(jsontext.String(c.Name))
	switch {
	case c.Op == EXISTS:
		w.token(jsontext.Null)
	case c.list():
		w.token(jsontext.BeginArray)
		for i := range c.Values {
			w.value(c, &c.Values[i])
		}
		w.token(jsontext.EndArray)
	default:
		w.value(c, &c.Values[0])
	}
}

// list says whether the standard's form has an array.
func (c *Criterion) list() bool {
	switch c.Op {
	case GT, GE, LT, LE:
		return false
	}
	return c.Field != "booleanValue" && (c.Ext == nil || c.Op != EQ || len(c.Values) > 1 || !c.Values[0].plain)
}

func (w *writer) value(c *Criterion, v *Value) {
	switch {
	case v.plain, v.Number.Stated && c.Ext == nil:
		if raw := jsontext.Value(v.Text); raw.IsValid() {
			if w.err == nil {
				w.err = w.enc.WriteValue(raw)
			}
			return
		}
		w.token(jsontext.String(v.Text)) // +1 and 01 are numbers in a query string only
	case c.Field == "booleanValue":
		w.token(jsontext.Bool(v.Text == "true"))
	default:
		w.token(jsontext.String(v.Text))
	}
}
