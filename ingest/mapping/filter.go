package mapping

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"

	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// filter is one thing done with the text of columns.
type filter struct {
	name, argument string
	clock          time.Duration  // of time
	width          int            // of pad
	pattern        *regexp.Regexp // of match
	table          table          // of map
}

// value is the text of columns on its way through filters.
type value struct {
	cell sheet.Cell // as it was; Text is what it has become
	json byte       // 's' string, 'n' number, 'b' boolean
	raw  bool       // not to be escaped in a URI
}

// step is how a filter changes a value. It is not asked for an empty one. The error goes on from the value: "is not a number".
type step func(m *Mapping, f *filter, v *value) error

// steps are the filters by name.
var steps = map[string]step{
	"time":    (*Mapping).toTime,
	"date":    (*Mapping).toDate,
	"number":  (*Mapping).toNumber,
	"amount":  func(m *Mapping, f *filter, v *value) error { return m.measure(v, 1) },
	"unit":    func(m *Mapping, f *filter, v *value) error { return m.measure(v, 2) },
	"bool":    toBool,
	"map":     translate,
	"gtin":    toGTIN,
	"gln":     func(_ *Mapping, _ *filter, v *value) error { return said(gs1.ValidGLN(v.cell.Text)) },
	"sscc":    func(_ *Mapping, _ *filter, v *value) error { return said(gs1.ValidSSCC(v.cell.Text)) },
	"pad":     pad,
	"upper":   func(_ *Mapping, _ *filter, v *value) error { v.cell.Text = strings.ToUpper(v.cell.Text); return nil },
	"lower":   func(_ *Mapping, _ *filter, v *value) error { v.cell.Text = strings.ToLower(v.cell.Text); return nil },
	"match":   match,
	"default": func(*Mapping, *filter, *value) error { return nil },
	"raw":     func(_ *Mapping, _ *filter, v *value) error { v.raw = true; return nil },
}

var (
	clockArgument = regexp.MustCompile(`^([01]\d|2[0-3]):([0-5]\d)$`)
	widthArgument = regexp.MustCompile(`^[1-9]\d?$`)
)

func (l *loader) filter(s string, n *yaml.Node) filter {
	name, argument, given := strings.Cut(s, ":")
	f := filter{name: strings.TrimSpace(name), argument: argument}
	if steps[f.name] == nil {
		names := make([]string, 0, len(steps))
		for name := range steps {
			names = append(names, name)
		}
		slices.Sort(names)
		l.fail(n, "There is no filter %q. Known are %s.", f.name, strings.Join(names, ", "))
		return f
	}
	switch f.name {
	case "time":
		if given {
			t, err := time.Parse("15:04", argument)
			if err != nil || !clockArgument.MatchString(argument) {
				l.fail(n, "The filter time takes a time of day like 08:30.")
			}
			f.clock = t.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))
		}
	case "pad":
		if !widthArgument.MatchString(argument) {
			l.fail(n, "The filter pad takes a number of digits from 1 to 99.")
		}
		for _, c := range argument {
			f.width = f.width*10 + int(c-'0')
		}
	case "match":
		var err error
		if f.pattern, err = regexp.Compile(argument); err != nil {
			l.fail(n, "The filter match takes a regular expression: %v.", err)
		}
	case "map":
		var ok bool
		if f.table, ok = l.values[argument]; !ok {
			l.fail(n, "There is no table %q under “values”.", argument)
		}
	case "default":
		if argument == "" {
			l.fail(n, "The filter default takes a text.")
		}
	default:
		if given {
			l.fail(n, "The filter %s takes nothing.", f.name)
		}
	}
	return f
}

// toTime makes an instant of a date: at the time of day that it has, else the argument, else midnight; in the mapping's zone unless it has its own offset.
func (m *Mapping) toTime(f *filter, v *value) error {
	if t, err := event.ParseTime(v.cell.Text); err == nil {
		v.cell = sheet.Cell{Text: t.String(), Kind: sheet.Text}
		return nil
	}
	moment, err := m.readDate(v)
	if err != nil {
		return err
	}
	if !moment.Clock {
		moment.Civil = moment.Civil.Add(f.clock)
	}
	v.cell = sheet.Cell{Text: event.Time{Time: moment.In(m.zone)}.String(), Kind: sheet.Text}
	return nil
}

// readDate reads a date. The number of a day is none here: a mapping cannot remark that it was taken for one.
func (m *Mapping) readDate(v *value) (sheet.Moment, error) {
	moment, bad := v.cell.Date(m.dates)
	switch {
	case bad != nil:
		return moment, errors.New(strings.TrimSuffix(bad.Why, "."))
	case moment.Serial:
		return moment, errors.New("is the number of a day, " + moment.Civil.Format(time.DateOnly) + ". Give the column the format of a date, or write it so")
	}
	return moment, nil
}

func (m *Mapping) toDate(_ *filter, v *value) error {
	moment, err := m.readDate(v)
	if err == nil {
		v.cell = sheet.Cell{Text: moment.Civil.Format(time.DateOnly), Kind: sheet.Text}
	}
	return err
}

var swapping = strings.NewReplacer(",", ".", ".", ",")

func (m *Mapping) toNumber(_ *filter, v *value) error {
	s := strings.TrimSpace(norm.NFKC.String(v.cell.Text))
	if v.cell.Kind != sheet.Number {
		if m.comma {
			s = swapping.Replace(s)
		}
		s = sheet.Ungroup(s)
	}
	d, err := event.ParseDecimal(strings.TrimPrefix(s, "+"))
	if err != nil {
		return said(err)
	}
	v.cell.Text, v.json = d.String(), 'n'
	return nil
}

var measured = regexp.MustCompile(`^([+-]?\d[\d.,]*)\s*(\D.*)?$`)

// measure takes the number or the unit of a text like "120.5 kg".
func (m *Mapping) measure(v *value, group int) error {
	found := measured.FindStringSubmatch(strings.TrimSpace(norm.NFKC.String(v.cell.Text)))
	if found == nil {
		return errors.New("is not a number with a unit behind it")
	}
	if v.cell = (sheet.Cell{Text: strings.TrimSpace(found[group]), Kind: sheet.Text}); group == 1 {
		return m.toNumber(nil, v)
	}
	return nil
}

func toBool(_ *Mapping, _ *filter, v *value) error {
	switch sheet.Fold(v.cell.Text) {
	case "true", "yes", "y", "1", "是", "有":
		v.cell.Text, v.json = "true", 'b'
	case "false", "no", "n", "0", "否", "无":
		v.cell.Text, v.json = "false", 'b'
	default:
		return errors.New("is neither yes nor no")
	}
	return nil
}

func translate(_ *Mapping, f *filter, v *value) error {
	word, ok := f.table[sheet.Fold(v.cell.Text)]
	if !ok {
		if word, ok = f.table["*"]; !ok {
			return errors.New("is not in the table “" + f.argument + "” of the mapping")
		}
	}
	v.cell = sheet.Cell{Text: word, Kind: sheet.Text}
	return nil
}

func toGTIN(_ *Mapping, _ *filter, v *value) error {
	gtin, err := gs1.PadGTIN(v.cell.Text)
	if err == nil {
		err = gs1.ValidGTIN(gtin)
	}
	v.cell.Text = gtin
	return said(err)
}

func pad(_ *Mapping, f *filter, v *value) error {
	if n := f.width - len(v.cell.Text); n > 0 {
		v.cell.Text = strings.Repeat("0", n) + v.cell.Text
	}
	return nil
}

// match takes the first group of a regular expression, or what it matches.
func match(_ *Mapping, f *filter, v *value) error {
	found := f.pattern.FindStringSubmatch(v.cell.Text)
	if found == nil {
		return errors.New("does not match " + f.argument)
	}
	v.cell = sheet.Cell{Text: found[min(1, len(found)-1)], Kind: sheet.Text}
	return nil
}

// said is the message of an error of a value or identifier, to go on from the value.
func said(err error) error {
	var fault *gs1.Error
	var wrong *event.Error
	switch {
	case errors.As(err, &fault):
		return errors.New("is not right: " + fault.Msg)
	case errors.As(err, &wrong):
		return errors.New(wrong.Msg)
	}
	return err
}
