package mapping

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// loader reads a mapping file and notes all that is wrong with it.
type loader struct {
	*Mapping
	names    map[string]int // of columns
	problems []ingest.Problem
}

func (l *loader) fail(n *yaml.Node, format string, args ...any) {
	l.report(CodeFile, n, fmt.Sprintf(format, args...))
}

func (l *loader) report(code ingest.Code, n *yaml.Node, message string) {
	if len(l.problems) < maxProblems {
		l.problems = append(l.problems, ingest.Problem{Code: code, Message: message, Pointer: fmt.Sprintf("line %d, column %d", n.Line, n.Column)})
	}
}

// members calls f for each name and value. What is no list of names and values, and names that come twice, are problems.
func (l *loader) members(n *yaml.Node, f func(name string, key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		l.fail(n, "Names and values are expected here, as in “name: value”.")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			l.fail(key, "A name is expected here.")
		case seen[key.Value]:
			l.fail(key, "%q is here twice.", key.Value)
		case value.Kind == yaml.AliasNode || value.Anchor != "":
			l.fail(value, "Anchors and aliases are not used in mapping files.")
		default:
			seen[key.Value] = true
			f(key.Value, key, value)
		}
	}
}

// elements calls f for each element of a list; one value is a list of one.
func (l *loader) elements(n *yaml.Node, f func(n *yaml.Node)) {
	if n.Kind != yaml.SequenceNode {
		f(n)
		return
	}
	for _, e := range n.Content {
		if e.Kind == yaml.AliasNode || e.Anchor != "" {
			l.fail(e, "Anchors and aliases are not used in mapping files.")
			continue
		}
		f(e)
	}
}

func (l *loader) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		l.fail(n, "A text is expected here.")
		return ""
	}
	return n.Value
}

func (l *loader) texts(n *yaml.Node) (all []string) {
	l.elements(n, func(n *yaml.Node) { all = append(all, l.text(n)) })
	return all
}

// file reads the root. Columns and tables come first wherever they stand, since the rest names them.
func (l *loader) file(root *yaml.Node) {
	parts := map[string]*yaml.Node{}
	known := []string{"foodtrace", "name", "note", "sheet", "header", "zone", "dates", "numbers", "namespaces", "columns", "values", "fill", "skip", "records", "samples"}
	l.members(root, func(name string, key, value *yaml.Node) {
		if !slices.Contains(known, name) {
			l.fail(key, "A mapping file has no %q. It has %s.", name, strings.Join(known, ", "))
			return
		}
		parts[name] = value
	})
	if v := parts["foodtrace"]; v == nil {
		l.fail(root, "The file does not begin with “foodtrace: %s”.", Version)
	} else if l.text(v) != Version {
		l.fail(v, "This is version %q; known is %q.", v.Value, Version)
	}
	for _, part := range []struct {
		name string
		must bool
		read func(*yaml.Node)
	}{
		{"name", true, func(n *yaml.Node) { l.Name = l.text(n) }},
		{"note", false, func(n *yaml.Node) { l.text(n) }},
		{"sheet", false, func(n *yaml.Node) {
			for _, s := range l.texts(n) {
				l.sheets = append(l.sheets, sheet.Fold(s))
			}
		}},
		{"header", false, l.readHeader},
		{"zone", true, l.readZone},
		{"dates", false, l.readDates},
		{"numbers", false, l.readNumbers},
		{"namespaces", false, l.readNamespaces},
		{"columns", true, l.readColumns},
		{"values", false, l.readValues},
		{"fill", false, func(n *yaml.Node) { l.fill = l.columnList(n) }},
		{"skip", false, func(n *yaml.Node) { l.elements(n, func(n *yaml.Node) { l.skip = append(l.skip, l.condition(n)) }) }},
		{"records", true, l.readRecords},
		{"samples", false, l.readSamples},
	} {
		switch n := parts[part.name]; {
		case n != nil:
			part.read(n)
		case part.must:
			l.fail(root, "The file has no %q.", part.name)
		}
	}
	for _, c := range l.columns {
		if !c.used && !ingest.HasErrors(l.problems) {
			l.fail(parts["columns"], "The column %q is not used.", c.name)
		}
	}
}

func (l *loader) readHeader(n *yaml.Node) {
	number, err := strconv.Atoi(l.text(n))
	if err != nil || number < 1 || number > headerRows {
		l.fail(n, "The header is a row's number, from 1 to %d.", headerRows)
	}
	l.header = number
}

var offset = regexp.MustCompile(`^([+-])(\d\d):(\d\d)$`)

func (l *loader) readZone(n *yaml.Node) {
	name := l.text(n)
	if m := offset.FindStringSubmatch(name); m != nil {
		hours, _ := strconv.Atoi(m[2])
		minutes, _ := strconv.Atoi(m[3])
		seconds := hours*3600 + minutes*60
		if minutes > 59 || seconds > 14*3600 {
			l.fail(n, "The offset is not one between -14:00 and +14:00.")
		}
		if m[1] == "-" {
			seconds = -seconds
		}
		l.zone = time.FixedZone("", seconds)
		return
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		l.fail(n, "The zone is neither a name like Asia/Shanghai nor an offset like +08:00.")
		return
	}
	l.zone = zone
}

func (l *loader) readDates(n *yaml.Node) {
	switch l.text(n) {
	case "year-first":
	case "month-first":
		l.dates = sheet.MonthFirst
	case "day-first":
		l.dates = sheet.DayFirst
	default:
		l.fail(n, "Dates are year-first, month-first or day-first.")
	}
}

func (l *loader) readNumbers(n *yaml.Node) {
	switch l.text(n) {
	case "1,234.5":
	case "1.234,5":
		l.comma = true
	default:
		l.fail(n, "Numbers are “1,234.5” or “1.234,5”.")
	}
}

var prefix = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

func (l *loader) readNamespaces(n *yaml.Node) {
	var members []string
	l.members(n, func(name string, key, value *yaml.Node) {
		if !prefix.MatchString(name) {
			l.fail(key, "A prefix has letters, digits, - and _.")
		}
		members = append(members, quote(name)+":"+quote(l.text(value)))
	})
	l.namespaces = "{" + strings.Join(members, ",") + "}"
}

var shortName = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_-]*$`)

func (l *loader) readColumns(n *yaml.Node) {
	l.members(n, func(name string, key, value *yaml.Node) {
		name, optional := strings.CutSuffix(name, "?")
		c := column{name: name, optional: optional, headings: l.texts(value)}
		switch _, again := l.names[name]; {
		case again:
			l.fail(key, "%q is here twice.", name)
			return
		case !shortName.MatchString(name):
			l.fail(key, "The short name of a column has letters, digits, - and _, and begins with a letter.")
		case len(l.columns) == maxColumns:
			l.fail(key, "There are more than %d columns.", maxColumns)
			return
		}
		for _, h := range c.headings {
			if letters, ok := strings.CutPrefix(h, "@"); ok && sheet.ColumnNumber(letters) < 0 {
				l.fail(value, "%q is not a column; @C is.", h)
			} else if !ok && sheet.Fold(h) == "" {
				l.fail(value, "%q is not a heading.", h)
			}
		}
		l.names[name] = len(l.columns)
		l.columns = append(l.columns, c)
	})
}

func (l *loader) readValues(n *yaml.Node) {
	l.members(n, func(name string, key, value *yaml.Node) {
		t := table{}
		l.members(value, func(from string, key, value *yaml.Node) {
			word := from
			if from != "*" {
				word = sheet.Fold(from)
			}
			if _, again := t[word]; again {
				l.fail(key, "%q is here twice.", from)
			}
			t[word] = l.text(value)
		})
		l.values[name] = t
	})
}

// column is the number of a column that the mapping names.
func (l *loader) column(name string, n *yaml.Node) int {
	i, ok := l.names[name]
	if !ok {
		l.fail(n, "There is no column %q under “columns”.", name)
		return 0
	}
	l.columns[i].used = true
	return i
}

func (l *loader) columnList(n *yaml.Node) (all []int) {
	l.elements(n, func(n *yaml.Node) {
		if name := l.text(n); name != "" {
			all = append(all, l.column(name, n))
		}
	})
	return all
}

func (l *loader) condition(n *yaml.Node) (c condition) {
	l.members(n, func(name string, key, value *yaml.Node) {
		t := test{column: l.column(name, key)}
		if value.Kind == yaml.MappingNode {
			l.members(value, func(name string, key, value *yaml.Node) {
				if name != "not" {
					l.fail(key, "A condition has values, or “not” with values.")
				}
				t.not, t.words = true, l.texts(value)
			})
		} else {
			t.words = l.texts(value)
		}
		for i, w := range t.words {
			t.words[i] = foldPattern(w)
		}
		c = append(c, t)
	})
	return c
}

func (l *loader) readRecords(n *yaml.Node) {
	l.elements(n, func(n *yaml.Node) {
		r := &record{}
		l.members(n, func(name string, key, value *yaml.Node) {
			switch name {
			case "name":
				r.name = l.text(value)
			case "when":
				r.when = l.condition(value)
			case "group":
				r.group = l.columnList(value)
			case "event", "inspection", "site", "product":
				if r.kind != "" {
					l.fail(key, "A record is one of event, inspection, site, product.")
				}
				r.kind = name
				t := templates{loader: l, event: name == "event"}
				r.body = t.object(value, shapes[name])
			default:
				l.fail(key, "A record has no %q. It has name, when, group, and one of event, inspection, site, product.", name)
			}
		})
		if r.kind == "" {
			l.fail(n, "A record is an event, an inspection, a site or a product.")
		}
		if len(l.records) == maxRecords {
			l.fail(n, "There are more than %d kinds of records.", maxRecords)
			return
		}
		l.records = append(l.records, r)
	})
}
