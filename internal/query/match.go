package query

import (
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// Masters is master data of sites and products.
type Masters interface {
	// Attribute returns the values of an attribute, named by its URI in the CBV or its sender's, of the site or product with a
	// canonical key; none when it has no such attribute or is not known.
	Attribute(key, name string) []string
	// Within says whether a place is another or a direct or indirect child of it in the master data, both by canonical keys.
	Within(place, ancestor string) bool
}

// Match says whether the query finds an event with the record time. It looks at each parameter alone, as the standard does: of several parameters about
// sensor reports each may be true of another report. masters may be nil: then nothing is known.
func (q *Query) Match(e *event.Event, recordTime event.Time, masters Masters) bool {
	m := matcher{e: e, recordTime: recordTime, masters: masters}
	for i := range q.Criteria {
		if !m.criterion(&q.Criteria[i]) {
			return false
		}
	}
	return true
}

// matcher matches one event.
type matcher struct {
	e          *event.Event
	recordTime event.Time
	masters    Masters
	namespaces []event.Namespace // of the event's extensions, once they are needed
}

func (m *matcher) criterion(c *Criterion) bool {
	switch c.Op {
	case HASATTR, EQATTR:
		return m.attribute(c)
	case MATCH:
		return m.items(c)
	case WD:
		return m.within(c)
	}
	switch {
	case c.Ext != nil:
		return m.extension(c)
	case c.Op == EXISTS && c.Field == "errorDeclaration":
		return m.e.ErrorDeclaration != nil
	case c.Op == EXISTS:
		return len(m.e.SensorElements) > 0
	}
	return m.event(c) || m.report(c)
}

// key says whether a text is one of the values by its canonical form.
func (c *Criterion) key(s string) bool {
	return s != "" && slices.ContainsFunc(c.Values, func(v Value) bool { return v.Key == s })
}

func (c *Criterion) uri(s string) bool {
	if s == "" {
		return false
	}
	k, _ := gs1.Canonical(s)
	return c.key(k)
}

func (c *Criterion) text(s string) bool {
	return s != "" && slices.ContainsFunc(c.Values, func(v Value) bool { return v.Text == s })
}

// word compares a word of the event, in its bare form where it has one.
func (c *Criterion) word(v *event.Vocabulary, s string) bool {
	return s != "" && (c.key(v.Word(s)) || c.text(s))
}

func (c *Criterion) words(v *event.Vocabulary, list []string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return c.word(v, s) })
}

func (c *Criterion) time(t event.Time) bool {
	return !t.IsZero() && holds(c.Op, t.Compare(c.Values[0].Time.Time))
}

func (c *Criterion) number(d event.Decimal) bool {
	return d.Stated && slices.ContainsFunc(c.Values, func(v Value) bool { return holds(c.Op, d.Cmp(v.Number)) })
}

// holds says whether a comparison with this result is what the operator asks for.
func holds(op Op, result int) bool {
	switch op {
	case EQ:
		return result == 0
	case GT:
		return result > 0
	case GE:
		return result >= 0
	case LT:
		return result < 0
	case LE:
		return result <= 0
	}
	return false
}

// event compares the fields of the event that are not of sensors.
func (m *matcher) event(c *Criterion) bool {
	e := m.e
	switch c.Field {
	case "eventType":
		return c.key(string(e.Type))
	case "eventTime":
		return c.time(e.Time)
	case "recordTime":
		return c.time(m.recordTime)
	case "action":
		return c.text(string(e.Action))
	case "bizStep":
		return c.word(event.BizSteps, e.BizStep)
	case "disposition":
		return c.word(event.Dispositions, e.Disposition)
	case "persistentDisposition_set":
		return e.PersistentDisposition != nil && c.words(event.Dispositions, e.PersistentDisposition.Set)
	case "persistentDisposition_unset":
		return e.PersistentDisposition != nil && c.words(event.Dispositions, e.PersistentDisposition.Unset)
	case "readPoint":
		return c.key(e.ReadPointKey())
	case "bizLocation":
		return c.key(e.LocationKey())
	case "transformationID":
		return c.uri(e.TransformationID)
	case "quantity":
		return m.quantity(c)
	case "eventID":
		return c.text(e.ID) || slices.ContainsFunc(c.Values, func(v Value) bool { return strings.HasPrefix(v.Text, "ni:") && v.Text == e.Hash() })
	}
	return m.declaration(c) || m.transfer(c)
}

func (m *matcher) declaration(c *Criterion) bool {
	d := m.e.ErrorDeclaration
	if d == nil {
		return false
	}
	switch c.Field {
	case "errorDeclarationTime":
		return c.time(d.DeclarationTime)
	case "errorReason":
		return c.word(event.ErrorReasons, d.Reason)
	case "correctiveEventID":
		return slices.ContainsFunc(d.CorrectiveEventIDs, c.text)
	}
	return false
}

// transfer compares documents, sources and destinations of a type.
func (m *matcher) transfer(c *Criterion) bool {
	switch c.Field {
	case "bizTransaction":
		return slices.ContainsFunc(m.e.BizTransactions, func(t event.BizTransaction) bool {
			return event.BizTransactionTypes.Word(t.Type) == c.Type && c.uri(t.BizTransaction)
		})
	case "source":
		return slices.ContainsFunc(m.e.Sources, func(s event.Source) bool {
			return event.SourceDestTypes.Word(s.Type) == c.Type && c.uri(s.Source)
		})
	case "destination":
		return slices.ContainsFunc(m.e.Destinations, func(d event.Destination) bool {
			return event.SourceDestTypes.Word(d.Type) == c.Type && c.uri(d.Destination)
		})
	}
	return false
}

// quantity compares the amounts of all quantity elements, with a unit those stated in it: nothing is converted.
func (m *matcher) quantity(c *Criterion) bool {
	for _, list := range [...][]event.Quantity{m.e.Quantities, m.e.ChildQuantities, m.e.InputQuantities, m.e.OutputQuantities} {
		if slices.ContainsFunc(list, func(q event.Quantity) bool { return (c.UOM == "" || c.UOM == q.UOM) && c.number(q.Quantity) }) {
			return true
		}
	}
	return false
}

// within: the place is one of the values, one of its children in the master data, or a part (AI 254) of its location.
func (m *matcher) within(c *Criterion) bool {
	place := m.e.ReadPointKey()
	if c.Field == "bizLocation" {
		place = m.e.LocationKey()
	}
	return place != "" && slices.ContainsFunc(c.Values, func(v Value) bool {
		return place == v.Key || strings.HasPrefix(place, v.Key+"/254/") || m.masters != nil && m.masters.Within(place, v.Key)
	})
}

// items compares identifiers. A class whose ILMD states a lot number is found as the class, and as the lot.
func (m *matcher) items(c *Criterion) bool {
	e := m.e
	epcs, classes := itemLists(e, c.Field)
	is := func(uri string) bool {
		key, _ := gs1.Canonical(uri)
		return slices.ContainsFunc(c.Values, func(v Value) bool { return v.Text == uri || v.Names(key) })
	}
	for _, list := range epcs {
		if slices.ContainsFunc(list, is) {
			return true
		}
	}
	for _, list := range classes {
		if slices.ContainsFunc(list, func(q event.Quantity) bool { return is(q.EPCClass) }) {
			return true
		}
	}
	if len(classes) == 0 {
		return false
	}
	return slices.ContainsFunc(e.Items(), func(it event.Item) bool {
		return it.Kind == gs1.Lot && inField(c.Field, it) && slices.ContainsFunc(c.Values, func(v Value) bool { return v.Names(it.Key) })
	})
}

// itemLists are the lists that a MATCH parameter looks into.
func itemLists(e *event.Event, field string) (epcs [][]string, classes [][]event.Quantity) {
	parent := []string{e.ParentID}
	switch field {
	case "epc":
		epcs = [][]string{e.EPCs, e.ChildEPCs}
	case "parentID":
		epcs = [][]string{parent}
	case "inputEPC":
		epcs = [][]string{e.InputEPCs}
	case "outputEPC":
		epcs = [][]string{e.OutputEPCs}
	case "anyEPC":
		epcs = [][]string{e.EPCs, e.ChildEPCs, parent, e.InputEPCs, e.OutputEPCs}
	case "epcClass":
		classes = [][]event.Quantity{e.Quantities, e.ChildQuantities}
	case "inputEPCClass":
		classes = [][]event.Quantity{e.InputQuantities}
	case "outputEPCClass":
		classes = [][]event.Quantity{e.OutputQuantities}
	case "anyEPCClass":
		classes = [][]event.Quantity{e.Quantities, e.ChildQuantities, e.InputQuantities, e.OutputQuantities}
	}
	return epcs, classes
}

// inField says whether an item stands in one of the class lists of a field.
func inField(field string, it event.Item) bool {
	if !strings.Contains(it.Place, "uantityList/") {
		return false
	}
	switch field {
	case "epcClass":
		return it.Role == event.RoleObject || it.Role == event.RoleChild
	case "inputEPCClass":
		return it.Role == event.RoleInput
	case "outputEPCClass":
		return it.Role == event.RoleOutput
	}
	return true
}
