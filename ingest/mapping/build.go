package mapping

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// result is what rows became: a record, or problems that say why there is none.
type result struct {
	of       *record
	record   *contract.Record // nil if one of the problems is an error
	json     jsontext.Value   // of the record, as far as it could be made
	problems []ingest.Problem
	rows     []int
}

// builder makes one record of one or more rows.
type builder struct {
	*Mapping
	place    func(row, column int) string // of a column of the mapping; below 0: of the row
	places   map[string]string            // by JSON pointer
	problems []ingest.Problem
	first    int // row
}

func (b *builder) build(r *record, rows []*row) *result {
	b.places, b.problems, b.first = map[string]string{}, nil, rows[0].Number
	text, _ := b.value(r.body, rows, "")
	if text == nil {
		text = jsontext.Value("{}")
	}
	res := &result{of: r, json: text}
	for _, row := range rows {
		res.rows = append(res.rows, row.Number)
	}
	if len(b.problems) == 0 {
		if r.kind == "event" {
			res.json = b.withOffset(text)
		}
		res.record = b.read(r.kind, res.json)
	}
	if res.problems = b.problems; ingest.HasErrors(res.problems) {
		res.record = nil
	}
	return res
}

func (b *builder) report(code ingest.Code, severity ingest.Severity, pointer, place, message string) {
	if len(b.problems) == maxProblems {
		return
	}
	if field := strings.TrimPrefix(pointer, "/"); field != "" {
		message = field + ": " + message
	}
	b.problems = append(b.problems, ingest.Problem{Code: code, Severity: severity, Message: message, Pointer: place})
}

// value makes the JSON of a part of the template. nil: no column has anything for it. filled says that some column had.
func (b *builder) value(n *node, rows []*row, pointer string) (text jsontext.Value, filled bool) {
	switch {
	case n.object != nil:
		return b.object(n, rows, pointer)
	case n.list != nil:
		return b.list(n, rows, pointer)
	case n.literal != nil:
		return n.literal, false
	}
	return b.leaf(n, rows, pointer)
}

func (b *builder) object(n *node, rows []*row, pointer string) (jsontext.Value, bool) {
	out := []byte{'{'}
	some, filled := false, false
	for _, m := range n.object {
		text, inner := b.value(m, rows, pointer+"/"+escape(m.name))
		if text == nil {
			continue
		}
		if some {
			out = append(out, ',')
		}
		out = append(append(append(out, quote(m.name)...), ':'), text...)
		some, filled = true, filled || inner
	}
	if n.dynamic && !filled || !some {
		return nil, false
	}
	return append(out, '}'), filled
}

// list has the elements of each row, one behind the other. Equal ones are meant once, unless they are quantities.
func (b *builder) list(n *node, rows []*row, pointer string) (jsontext.Value, bool) {
	var elements []jsontext.Value
	filled := false
	for i := range rows {
		for _, e := range n.list {
			if !e.when.holds(rows[i]) || i > 0 && !e.dynamic && e.when == nil {
				continue
			}
			text, inner := b.value(e, rows[i:i+1], pointer+"/"+strconv.Itoa(len(elements)))
			if text == nil || (!n.repeats || !e.dynamic) && slices.ContainsFunc(elements, func(v jsontext.Value) bool { return bytes.Equal(v, text) }) {
				continue
			}
			elements, filled = append(elements, text), filled || inner
		}
	}
	if len(elements) == 0 {
		return nil, false
	}
	out := []byte{'['}
	for i, e := range elements {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, e...)
	}
	return append(out, ']'), filled
}

// leaf is a text that all rows agree on; rows that have nothing for it agree with any.
func (b *builder) leaf(n *node, rows []*row, pointer string) (text jsontext.Value, filled bool) {
	if !n.dynamic {
		rows = rows[:1]
	}
	for _, r := range rows {
		next, place := b.text(n, r, pointer)
		switch {
		case next == nil || bytes.Equal(next, text):
		case text != nil:
			b.report(CodeConflict, ingest.Error, pointer, place, "This is "+ingest.Clip(string(next))+" here and "+ingest.Clip(string(text))+" in a row before that belongs to the same record.")
			return text, true
		default:
			text = next
			b.places[pointer] = place
		}
	}
	return text, text != nil && n.dynamic
}

// text is a text of one row as JSON; nil if a column that it wants is empty.
func (b *builder) text(n *node, r *row, pointer string) (text jsontext.Value, place string) {
	var s strings.Builder
	kind := byte('s')
	for i := range n.parts {
		p := &n.parts[i]
		if p.columns == nil {
			s.WriteString(p.literal)
			continue
		}
		v, at := b.columns(p, r)
		if place == "" {
			place = at
		}
		if v.cell.Kind == sheet.Empty {
			return nil, place
		}
		if message := b.filtered(p, &v); message != "" {
			code := CodeValue
			if message == lossy {
				code = CodeLossy
			}
			b.report(code, ingest.Error, pointer, at, message)
			return nil, place
		}
		if v.cell.Text == "" {
			return nil, place
		}
		if n.uri && !v.raw {
			v.cell.Text = escapeURI(v.cell.Text)
		}
		s.WriteString(v.cell.Text)
		if len(n.parts) == 1 {
			kind = v.json
		}
	}
	if place == "" {
		place = b.place(r.Number, -1)
	}
	if s.Len() == 0 {
		return nil, place
	}
	if kind == 's' && (n.filter == "" || n.filter == "time") {
		return jsontext.Value(quote(s.String())), place
	}
	return jsontext.Value(s.String()), place
}

// columns is the value of the columns of a part, one blank between them.
func (b *builder) columns(p *part, r *row) (v value, place string) {
	v.json = 's'
	for _, column := range p.columns {
		cell, number := r.cellAt(column)
		if place == "" || v.cell.Kind == sheet.Empty {
			place = b.place(number, column)
		}
		switch {
		case cell.Kind == sheet.Empty:
		case v.cell.Kind == sheet.Empty:
			v.cell = cell
		default:
			v.cell = sheet.Cell{Text: v.cell.Text + " " + cell.Text, Kind: sheet.Text, Lossy: v.cell.Lossy || cell.Lossy}
		}
	}
	if v.cell.Kind == sheet.Empty {
		for _, f := range p.filters {
			if f.name == "default" {
				v.cell = sheet.Cell{Text: f.argument, Kind: sheet.Text}
			}
		}
	}
	return v, place
}

const lossy = "The spreadsheet has kept this as a number and lost digits of it. Give the column the format text and enter it again."

// scientific is how spreadsheets write long numbers into CSV.
var scientific = regexp.MustCompile(`^\d([.,]\d+)?[Ee]\+\d+$`)

func (b *builder) filtered(p *part, v *value) (message string) {
	if v.cell.Kind == sheet.Failed {
		return "The cell holds an error (" + v.cell.Text + ")."
	}
	before := *v
	for i := range p.filters {
		f := &p.filters[i]
		if err := steps[f.name](b.Mapping, f, v); err != nil {
			if isLossy(before.cell) {
				return lossy
			}
			return "“" + ingest.Clip(before.cell.Text) + "” " + err.Error() + "."
		}
		if v.cell.Text == "" {
			return ""
		}
	}
	if isLossy(before.cell) && v.json != 'n' {
		return lossy
	}
	return ""
}

func isLossy(c sheet.Cell) bool {
	return c.Lossy || c.Kind == sheet.Text && scientific.MatchString(c.Text)
}

// standardContext is the JSON-LD context of EPCIS 2.0.
const standardContext = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"

// withOffset puts before an event its context, and behind it the offset of its time where the template does not say it.
func (b *builder) withOffset(text jsontext.Value) jsontext.Value {
	var when struct {
		Time   string `json:"eventTime"`
		Offset string `json:"eventTimeZoneOffset"`
	}
	if json.Unmarshal(text, &when) != nil {
		return text
	}
	text = append([]byte(`{"@context":["`+standardContext+`",`+cmp.Or(b.namespaces, "{}")+`],`), text[1:]...)
	if when.Time == "" || when.Offset != "" {
		return text
	}
	offset := "+00:00"
	if i := len(when.Time) - len(offset); i > 0 && !strings.HasSuffix(when.Time, "Z") {
		offset = when.Time[i:]
	}
	return append(text[:len(text)-1:len(text)-1], `,"eventTimeZoneOffset":`+quote(offset)+`}`...)
}

// read reads the JSON as if it had been sent.
func (b *builder) read(kind string, text jsontext.Value) *contract.Record {
	switch kind {
	case "event":
		doc, problems := epcis.Parse(text, epcis.Limits{})
		for _, p := range problems {
			b.report(p.Code, p.Severity, p.Pointer, b.placeOf(p.Pointer), p.Message)
		}
		if doc == nil || len(doc.Events) != 1 {
			return nil
		}
		return &contract.Record{Event: doc.Events[0]}
	case "inspection":
		var i contract.Inspection
		b.decode(text, &i)
		b.require(map[string]string{"item": i.Item, "kind": i.Kind, "result": string(i.Result), "time": i.Time.String(), "inspector": i.Inspector})
		if i.Result != "" && i.Result != contract.Pass && i.Result != contract.Fail && i.Result != contract.Inconclusive {
			b.report(CodeRecord, ingest.Error, "/result", b.placeOf("/result"), "The result of an inspection is pass, fail or inconclusive.")
		}
		return &contract.Record{Inspection: &i}
	case "site":
		var s contract.Site
		b.decode(text, &s)
		b.require(map[string]string{"id": s.ID})
		return &contract.Record{Registration: &contract.Registration{Sites: []contract.Site{s}}}
	}
	var p contract.Product
	b.decode(text, &p)
	b.require(map[string]string{"id": p.ID})
	return &contract.Record{Registration: &contract.Registration{Products: []contract.Product{p}}}
}

func (b *builder) decode(text jsontext.Value, v any) {
	if err := json.Unmarshal(text, v, json.RejectUnknownMembers(true)); err != nil {
		b.report(CodeRecord, ingest.Error, "", b.place(b.first, -1), "The fields do not make a record: "+err.Error()+".")
	}
}

func (b *builder) require(members map[string]string) {
	names := make([]string, 0, len(members))
	for name, value := range members {
		if value == "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b.report(CodeRecord, ingest.Error, "/"+name, b.place(b.first, -1), "The record must have this field.")
	}
}

// placeOf is the cell that a member of the record came from, or one around it.
func (b *builder) placeOf(pointer string) string {
	for {
		if place, ok := b.places[pointer]; ok {
			return place
		}
		i := strings.LastIndexByte(pointer, '/')
		if i < 0 {
			return b.place(b.first, -1)
		}
		pointer = pointer[:i]
	}
}

func quote(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	b, _ := jsontext.AppendQuote(nil, s) // it is UTF-8
	return string(b)
}

// escape puts a member name into a JSON pointer (RFC 6901, section 3).
func escape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// escapeURI writes what is not unreserved (RFC 3986, section 2.3) as %XX.
func escapeURI(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString(string([]byte{'%', hex[c>>4], hex[c&15]}))
		}
	}
	return b.String()
}
