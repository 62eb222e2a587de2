package mapping

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// sampled is a sample: rows, and what they become.
type sampled struct {
	node    *yaml.Node
	rows    [][]sheet.Cell // by column of the mapping
	becomes []*yaml.Node
	stated  bool // becomes
}

func (l *loader) readSamples(n *yaml.Node) {
	l.elements(n, func(n *yaml.Node) {
		s := sampled{node: n}
		l.members(n, func(name string, key, value *yaml.Node) {
			switch name {
			case "rows":
				l.elements(value, func(n *yaml.Node) { s.rows = append(s.rows, l.sampleRow(n)) })
			case "becomes":
				s.stated = true
				l.elements(value, func(n *yaml.Node) { s.becomes = append(s.becomes, n) })
			default:
				l.fail(key, "A sample has no %q. It has rows and becomes.", name)
			}
		})
		if len(s.rows) == 0 || !s.stated {
			l.fail(n, "A sample has rows, and says what they become.")
		}
		if len(l.samples) == maxSamples {
			l.fail(n, "There are more than %d samples.", maxSamples)
			return
		}
		l.samples = append(l.samples, s)
	})
}

// sampleRow reads a row whose cells are named as the mapping names the columns, or by their headings.
func (l *loader) sampleRow(n *yaml.Node) []sheet.Cell {
	cells := make([]sheet.Cell, len(l.columns))
	l.members(n, func(name string, key, value *yaml.Node) {
		i, ok := l.names[name]
		for j := 0; !ok && j < len(l.columns); j++ {
			for _, h := range l.columns[j].headings {
				if sheet.Fold(h) == sheet.Fold(name) {
					i, ok = j, true
				}
			}
		}
		if !ok {
			l.fail(key, "There is no column %q under “columns”.", name)
			return
		}
		if s := strings.TrimSpace(l.text(value)); s != "" {
			cells[i] = sheet.Cell{Text: s, Kind: sheet.Text}
		}
	})
	return cells
}

// trySamples reads the rows of each sample and compares what becomes of them with what it says.
func (l *loader) trySamples() {
	at := make(columnNumbers, len(l.columns))
	for i := range at {
		at[i] = i
	}
	for _, s := range l.samples {
		place := func(row, column int) string {
			if column < 0 {
				return fmt.Sprintf("row %d", row)
			}
			return fmt.Sprintf("row %d, %s", row, l.columns[column].name)
		}
		e := l.engine(place, func(int) {})
		for i, cells := range s.rows {
			e.row(&row{Row: sheet.Row{Number: i + 1, Cells: cells}, at: at})
		}
		e.end()
		l.compare(&s, e.done)
	}
}

func (l *loader) compare(s *sampled, results []*result) {
	for i, r := range results {
		if i >= len(s.becomes) {
			l.report(CodeSample, s.node, fmt.Sprintf("The sample becomes %d records, not %d. %s", len(results), len(s.becomes), r.show()))
			return
		}
		l.compareOne(s.becomes[i], r)
	}
	if len(results) < len(s.becomes) {
		l.report(CodeSample, s.becomes[len(results)], fmt.Sprintf("The sample becomes %d records, not %d.", len(results), len(s.becomes)))
	}
}

// show is a result as a message shows it.
func (r *result) show() string {
	for _, p := range r.problems {
		if p.Severity == ingest.Error {
			return fmt.Sprintf("%s: %s (%s)", p.Code, p.Message, p.Pointer)
		}
	}
	return "It becomes " + string(r.json) + "."
}

func (l *loader) compareOne(n *yaml.Node, r *result) {
	l.members(n, func(name string, key, value *yaml.Node) {
		switch {
		case name == "problem":
			want := ingest.Code(l.text(value))
			for _, p := range r.problems {
				if p.Code == want {
					return
				}
			}
			l.report(CodeSample, value, fmt.Sprintf("There is no problem %s. %s", want, r.show()))
		case r.record == nil:
			l.report(CodeSample, key, "The sample becomes no record. "+r.show())
		case name != r.of.kind:
			l.report(CodeSample, key, "The sample becomes no "+name+". "+r.show())
		default:
			var actual any
			if err := json.Unmarshal(recordJSON(r.record), &actual, json.WithUnmarshalers(json.UnmarshalFromFunc(keepNumber))); err != nil {
				l.report(CodeSample, key, "The record cannot be compared: "+err.Error()+".")
				return
			}
			l.same(value, actual, name)
		}
	})
}

// number is a number as it is written.
type number string

func keepNumber(dec *jsontext.Decoder, v *any) error {
	if dec.PeekKind() != '0' {
		return errors.ErrUnsupported // all else is read as usual
	}
	raw, err := dec.ReadValue()
	*v = number(raw)
	return err
}

func recordJSON(r *contract.Record) []byte {
	var v any = r.Inspection
	switch {
	case r.Event != nil:
		v = r.Event
	case r.Registration != nil && len(r.Registration.Sites) > 0:
		v = r.Registration.Sites[0]
	case r.Registration != nil:
		v = r.Registration.Products[0]
	}
	b, err := json.Marshal(v)
	if err != nil { // it was read from JSON
		return []byte(quote(err.Error()))
	}
	return b
}

// same compares what a sample says with what came out: members that it does not name are not compared.
func (l *loader) same(n *yaml.Node, actual any, at string) {
	switch n.Kind {
	case yaml.MappingNode:
		object, ok := actual.(map[string]any)
		if !ok {
			l.differ(n, at, "names and values", actual)
			return
		}
		l.members(n, func(name string, key, value *yaml.Node) { l.same(value, object[name], at+"/"+name) })
	case yaml.SequenceNode:
		list, ok := actual.([]any)
		if !ok || len(list) != len(n.Content) {
			l.differ(n, at, fmt.Sprintf("a list of %d", len(n.Content)), actual)
			return
		}
		for i, e := range n.Content {
			l.same(e, list[i], at+"/"+strconv.Itoa(i))
		}
	case yaml.ScalarNode:
		if !sameText(n.Value, actual) {
			l.differ(n, at, strconv.Quote(n.Value), actual)
		}
	default:
		l.fail(n, "Anchors and aliases are not used in mapping files.")
	}
}

func sameText(want string, actual any) bool {
	switch a := actual.(type) {
	case string:
		return a == want
	case bool:
		return strconv.FormatBool(a) == want
	case number:
		x, err := event.ParseDecimal(want)
		y, err2 := event.ParseDecimal(string(a))
		return err == nil && err2 == nil && x.Cmp(y) == 0
	}
	return false
}

func (l *loader) differ(n *yaml.Node, at, want string, actual any) {
	got := "nothing"
	if actual != nil {
		b, err := json.Marshal(actual, json.Deterministic(true))
		if got = string(b); err != nil {
			got = err.Error()
		}
	}
	l.report(CodeSample, n, fmt.Sprintf("%s: the sample says %s, and it becomes %s.", at, want, got))
}
