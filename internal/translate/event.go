package translate

import (
	"slices"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// translator spells identifiers and words.
type translator struct {
	id   func(string) string
	word func(*event.Vocabulary, string) string
}

// event translates a copy whose lists are shared with the original.
func (t *translator) event(e *event.Event) *event.Event {
	e.ParentID = t.id(e.ParentID)
	e.TransformationID = t.id(e.TransformationID)
	for _, list := range [...]*[]string{&e.EPCs, &e.ChildEPCs, &e.InputEPCs, &e.OutputEPCs} {
		each(list, func(s *string) { *s = t.id(*s) })
	}
	for _, list := range [...]*[]event.Quantity{&e.Quantities, &e.ChildQuantities, &e.InputQuantities, &e.OutputQuantities} {
		each(list, func(q *event.Quantity) { q.EPCClass = t.id(q.EPCClass) })
	}
	e.BizStep = t.word(event.BizSteps, e.BizStep)
	e.Disposition = t.word(event.Dispositions, e.Disposition)
	for _, place := range [...]**event.Place{&e.ReadPoint, &e.BizLocation} {
		change(place, func(p *event.Place) { p.ID = t.id(p.ID) })
	}
	change(&e.PersistentDisposition, t.persistent)
	change(&e.ErrorDeclaration, func(d *event.ErrorDeclaration) { d.Reason = t.word(event.ErrorReasons, d.Reason) })
	each(&e.BizTransactions, func(b *event.BizTransaction) {
		b.Type, b.BizTransaction = t.word(event.BizTransactionTypes, b.Type), t.id(b.BizTransaction)
	})
	each(&e.Sources, func(s *event.Source) { s.Type, s.Source = t.word(event.SourceDestTypes, s.Type), t.id(s.Source) })
	each(&e.Destinations, func(d *event.Destination) {
		d.Type, d.Destination = t.word(event.SourceDestTypes, d.Type), t.id(d.Destination)
	})
	each(&e.SensorElements, t.sensorElement)
	return e
}

func (t *translator) persistent(p *event.PersistentDisposition) {
	for _, list := range [...]*[]string{&p.Set, &p.Unset} {
		each(list, func(s *string) { *s = t.word(event.Dispositions, *s) })
	}
}

func (t *translator) sensorElement(s *event.SensorElement) {
	change(&s.Metadata, func(m *event.SensorMetadata) {
		for _, id := range [...]*string{&m.DeviceID, &m.DeviceMetadata, &m.RawData, &m.DataProcessingMethod, &m.BizRules} {
			*id = t.id(*id)
		}
	})
	each(&s.Reports, func(r *event.SensorReport) {
		for _, id := range [...]*string{&r.DeviceID, &r.DeviceMetadata, &r.RawData, &r.DataProcessingMethod, &r.BizRules} {
			*id = t.id(*id)
		}
		r.Type = t.word(event.MeasurementTypes, r.Type)
		r.Exception = t.word(event.SensorAlerts, r.Exception)
		r.Component = t.word(event.Components, r.Component)
	})
}

// each changes the elements of a copy of a list.
func each[T any](list *[]T, f func(*T)) {
	*list = slices.Clone(*list)
	for i := range *list {
		f(&(*list)[i])
	}
}

// change changes a copy of what is pointed to, if there is something.
func change[T any](p **T, f func(*T)) {
	if *p == nil {
		return
	}
	c := **p
	f(&c)
	*p = &c
}
