package query

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// extension compares members outside of the standard.
func (m *matcher) extension(c *Criterion) (found bool) {
	m.each(c.Ext, func(v jsontext.Value) {
		found = found || c.Op == EXISTS || c.member(v)
	})
	return found
}

// each calls f for every element of the members that are meant.
func (m *matcher) each(x *Extension, f func(jsontext.Value)) {
	for _, raw := range m.raws(x.Part) {
		if x.Inner {
			event.EachMember(raw, func(_ string, v jsontext.Value) { m.inner(v, x, f) })
		} else {
			m.named(raw, x, f)
		}
	}
}

func (m *matcher) named(object jsontext.Value, x *Extension, f func(jsontext.Value)) {
	event.EachMember(object, func(name string, v jsontext.Value) {
		if m.isNamed(name, x) {
			event.EachElement(v, f)
		}
	})
}

// inner looks for members at any depth. (Events are nested event.MaxDepth deep at most.)
func (m *matcher) inner(v jsontext.Value, x *Extension, f func(jsontext.Value)) {
	event.EachElement(v, func(v jsontext.Value) {
		m.named(v, x, f)
		event.EachMember(v, func(_ string, v jsontext.Value) { m.inner(v, x, f) })
	})
}

// isNamed compares names by what their prefixes stand for, or as they are written where one is not declared. Whether a namespace
// ends in a separator does not count: XML and JSON differ in that.
func (m *matcher) isNamed(name string, x *Extension) bool {
	if !strings.HasSuffix(name, x.Local) {
		return false
	}
	if m.namespaces == nil {
		m.namespaces = event.Namespaces(m.e.Context)
	}
	ns, local, ok := event.Resolve(m.namespaces, name)
	if !ok || x.Namespace == "" {
		return name == x.Name
	}
	return local == x.Local && bareNamespace(ns) == bareNamespace(x.Namespace)
}

func bareNamespace(s string) string { return strings.TrimRight(s, ":/#") }

// raws are the objects with the extension members of a part.
func (m *matcher) raws(part Part) (list []jsontext.Value) {
	e := m.e
	switch part {
	case InEvent:
		list = []jsontext.Value{e.Ext}
	case InILMD:
		list = []jsontext.Value{e.ILMD}
	case InErrorDeclaration:
		if e.ErrorDeclaration != nil {
			list = []jsontext.Value{e.ErrorDeclaration.Ext}
		}
	case InReadPoint:
		if e.ReadPoint != nil {
			list = []jsontext.Value{e.ReadPoint.Ext}
		}
	case InBizLocation:
		if e.BizLocation != nil {
			list = []jsontext.Value{e.BizLocation.Ext}
		}
	}
	for i := range e.SensorElements {
		s := &e.SensorElements[i]
		switch part {
		case InSensorElement:
			list = append(list, s.Ext)
		case InSensorMetadata:
			if s.Metadata != nil {
				list = append(list, s.Metadata.Ext)
			}
		case InSensorReport:
			for j := range s.Reports {
				list = append(list, s.Reports[j].Ext)
			}
		}
	}
	return slices.DeleteFunc(list, func(v jsontext.Value) bool { return len(v) == 0 })
}

// member compares one element with the values.
func (c *Criterion) member(v jsontext.Value) bool {
	text, ok := textOf(v)
	if !ok {
		return false
	}
	number, time := scalarForms(text)
	return slices.ContainsFunc(c.Values, func(v Value) bool {
		switch {
		case c.Op == EQ && v.Text == text:
			return true
		case v.Number.Stated && number.Stated:
			return holds(c.Op, number.Cmp(v.Number))
		case !v.Time.IsZero() && !time.IsZero():
			return holds(c.Op, time.Compare(v.Time.Time))
		}
		return false
	})
}

// textOf is the text of an element: a scalar, or what an element with attributes (JSON: an object) has as its text or value.
func textOf(v jsontext.Value) (text string, ok bool) {
	if v.Kind() != '{' {
		return event.Scalar(v)
	}
	event.EachMember(v, func(name string, v jsontext.Value) {
		if name == event.TextMember || name == "@value" {
			text, ok = event.Scalar(v)
		}
	})
	return text, ok
}

// attribute compares master data of what a field names.
func (m *matcher) attribute(c *Criterion) bool {
	return m.masters != nil && slices.ContainsFunc(m.subjects(c), func(key string) bool {
		if c.Op == HASATTR {
			return slices.ContainsFunc(c.Values, func(v Value) bool { return len(m.masters.Attribute(key, v.Text)) > 0 })
		}
		return slices.ContainsFunc(m.masters.Attribute(key, c.Attr), c.text)
	})
}

// subjects are the canonical keys of the sites and products that the field of HASATTR or EQATTR names.
func (m *matcher) subjects(c *Criterion) (keys []string) {
	add := func(uri string) {
		if uri != "" {
			id, _ := gs1.Parse(uri)
			keys = append(keys, id.Canonical, gs1.ProductKey(id))
		}
	}
	e := m.e
	switch {
	case c.Ext != nil:
		m.each(c.Ext, func(v jsontext.Value) {
			text, _ := textOf(v)
			add(text)
		})
	case c.Field == "readPoint":
		add(e.ReadPointKey())
	case c.Field == "bizLocation":
		add(e.LocationKey())
	case c.Field == "source":
		for i := range e.Sources {
			add(e.Sources[i].Source)
		}
	case c.Field == "destination":
		for i := range e.Destinations {
			add(e.Destinations[i].Destination)
		}
	case c.Field == "epcClass":
		for _, it := range e.Items() {
			add(it.Key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Subjects are the canonical keys of sites and products whose attributes Match will ask for.
func (q *Query) Subjects(e *event.Event) (keys []string) {
	m := matcher{e: e}
	for i := range q.Criteria {
		if c := &q.Criteria[i]; c.Op == HASATTR || c.Op == EQATTR {
			keys = append(keys, m.subjects(c)...)
		}
	}
	return keys
}
