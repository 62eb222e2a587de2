package sqlindex

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/query"
)

// maxSettings of which the events are sorted; with more, the timeline is read.
const maxSettings = 100_000

// admit leaves the candidates whose settings the query and the viewer leave.
func (s *search) admit(ctx context.Context, list []moment) ([]moment, error) {
	if s.who.All && s.kinds(nil).text == "" {
		return list, nil
	}
	var ids []int64
	for _, m := range list {
		if _, known := s.admitted[m.setting]; !known {
			s.admitted[m.setting] = false
			ids = append(ids, m.setting)
		}
	}
	if err := s.decide(ctx, ids); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(m moment) bool { return !s.admitted[m.setting] }), nil
}

// decide finds out which settings are left.
func (s *search) decide(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	w := s.kinds([]any{ids})
	w.visible(&s.who)
	left, err := s.numbers(ctx, "SELECT s.id FROM {ids} {each} settings s ON s.id = j.value WHERE 1 = 1"+w.text, w.args...)
	for _, id := range left {
		s.admitted[id] = true
	}
	return err
}

// settings are those that are left; not ok when that are all, or too many.
func (s *search) settings(ctx context.Context) (ids []int64, ok bool, err error) {
	w, places := s.kinds(nil), s.places()
	switch {
	case len(places) > 0:
		ids, err = s.at8(ctx, places)
	case !s.who.All:
		ids, err = s.own(ctx)
	case w.text != "":
		ids, err = s.numbers(ctx, fmt.Sprintf("SELECT s.id FROM settings s WHERE 1 = 1%s LIMIT %d", w.text, maxSettings+1), w.args...)
	default:
		return nil, false, nil
	}
	if err != nil || len(ids) > maxSettings {
		return nil, false, err
	}
	err = s.decide(ctx, ids)
	return slices.DeleteFunc(ids, func(id int64) bool { return !s.admitted[id] }), err == nil, err
}

// places are the digests of the places that the query names for one field.
func (s *search) places() (digests []int64) {
	for _, field := range [...]string{"readPoint", "bizLocation"} {
		for _, c := range s.q.Find(query.EQ, field) {
			digests = nil
			for i := range c.Values {
				digests = append(digests, digest8(c.Values[i].Key))
			}
		}
	}
	return digests
}

// at8 are the settings with a place of one of the digests.
func (s *search) at8(ctx context.Context, digests []int64) ([]int64, error) {
	return s.numbers(ctx, fmt.Sprintf("SELECT DISTINCT p.setting FROM {ids} {each} setting_places p ON p.place8 = j.value LIMIT %d", maxSettings+1), digests)
}

// own are the settings that may be the viewer's.
func (s *search) own(ctx context.Context) (ids []int64, err error) {
	var places []int64
	err = s.ix.read.each(ctx, "SELECT id FROM masters WHERE owner = ?1 AND owner <> '' AND kind = 'site'", []any{s.who.Member}, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		places = append(places, digest8(id))
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, p := range s.who.Parties {
		places = append(places, digest8(p))
	}
	if ids, err = s.at8(ctx, places); err != nil {
		return nil, err
	}
	sent, err := s.numbers(ctx, fmt.Sprintf("SELECT id FROM settings WHERE member = ?1 LIMIT %d", maxSettings+1), s.who.Member)
	ids = append(ids, sent...)
	slices.Sort(ids)
	return slices.Compact(ids), err
}

// condition is a condition on settings s.
type condition struct {
	text string // begins with " AND "
	args []any
}

// arg adds an argument and returns its name.
func (w *condition) arg(v any) string {
	w.args = append(w.args, v)
	return fmt.Sprintf("?%d", len(w.args))
}

func (w *condition) in(column string, values []string) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = w.arg(v)
	}
	return column + " IN (" + strings.Join(names, ", ") + ")"
}

// visible is what the viewer may see: gateway/view says the same of one event.
func (w *condition) visible(who *index.Viewer) {
	if who.All {
		return
	}
	member := w.arg(who.Member)
	party := ""
	if len(who.Parties) > 0 {
		party = "p.party = 1 AND " + w.in("p.place", who.Parties) + " OR "
	}
	w.text += " AND (s.member = " + member + " OR EXISTS (SELECT 1 FROM setting_places p WHERE p.setting = s.id AND (" + party +
		"EXISTS (SELECT 1 FROM masters m WHERE m.kind = 'site' AND m.id = p.place AND m.owner = " + member + "))))"
}

// kinds is what the query says of settings. It leaves all that Match finds, and little more.
func (s *search) kinds(args []any) condition {
	w := condition{args: args}
	for i := range s.q.Criteria {
		c := &s.q.Criteria[i]
		switch {
		case ofDeclarations(c):
			w.text += " AND s.declared = 1"
		case c.Ext != nil:
		case c.Op == query.WD:
			w.text += " AND (" + s.within(&w, c) + ")"
		case c.Op != query.EQ:
		case c.Field == "eventType":
			w.text += " AND " + w.in("s.type", forms(c, nil))
		case c.Field == "action":
			w.text += " AND " + w.in("s.action", forms(c, nil))
		case c.Field == "bizStep":
			w.text += " AND " + w.in("s.step", forms(c, event.BizSteps))
		case c.Field == "disposition":
			w.text += " AND " + w.in("s.disposition", forms(c, event.Dispositions))
		case c.Field == "readPoint", c.Field == "bizLocation":
			w.text += " AND " + w.in(placeColumn(c), forms(c, nil))
		}
	}
	return w
}

// ofDeclarations says whether only error declarations can hold what a criterion asks.
func ofDeclarations(c *query.Criterion) bool {
	if c.Ext != nil {
		return c.Ext.Part == query.InErrorDeclaration
	}
	switch c.Field {
	case "errorDeclaration", "errorDeclarationTime", "errorReason", "correctiveEventID":
		return true
	}
	return false
}

func placeColumn(c *query.Criterion) string {
	if c.Field == "bizLocation" {
		return "s.location"
	}
	return "s.read_point"
}

// within: the places that the values stand for, and the parts of their locations.
func (s *search) within(w *condition, c *query.Criterion) string {
	column := placeColumn(c)
	text := w.in(column, s.masters.descendants(c))
	for i := range c.Values {
		part := plain(c.Values[i].Key) + "/254/"
		text += fmt.Sprintf(" OR %s >= %s AND %s < %s", column, w.arg(part), column, w.arg(part[:len(part)-1]+"0")) // '0' follows '/'
	}
	return text
}

// forms are the values of a criterion as settings may have them.
func forms(c *query.Criterion, v *event.Vocabulary) (list []string) {
	for i := range c.Values {
		list = append(list, plain(c.Values[i].Key))
		if v != nil {
			list = append(list, plain(v.Word(c.Values[i].Text)))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
