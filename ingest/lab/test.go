package lab

import (
	"errors"
	"strings"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// test is one row.
type test struct {
	inspection contract.Inspection // without its note
	place      string
	problems   []ingest.Problem

	name, value, limit, unit, method string
}

// key is equal for tests of one inspection.
func (t *test) key() string {
	i := &t.inspection
	return strings.Join([]string{i.Reference, i.Item, i.Site, i.Kind, i.Time.String(), i.Inspector}, "\x00")
}

// rowReader reads one row.
type rowReader struct {
	*header
	*test
	row *sheet.Row
}

func (r *rowReader) text(f field) string {
	c := r.row.Cell(r.columns[f])
	if c.Kind == sheet.Failed {
		r.report(CodeFailed, ingest.Error, f, "The cell holds an error ("+c.Text+").")
		return ""
	}
	return c.Text
}

func (r *rowReader) report(code ingest.Code, severity ingest.Severity, f field, message string) {
	r.problems = append(r.problems, ingest.Problem{Code: code, Severity: severity, Message: message, Pointer: r.sheet.Place(r.row.Number, r.columns[f])})
}

// read reads a row; nil: it has no test, as titles and signatures below a table have none.
func (h *header) read(row *sheet.Row, o Options) *test {
	r := &rowReader{header: h, row: row, test: &test{place: h.sheet.Place(row.Number, 0)}}
	r.name = r.text(name)
	value, stated := r.text(result), r.text(verdict)
	if r.name == "" && value == "" && stated == "" {
		return nil
	}
	if r.name == "" {
		r.report(CodeMissing, ingest.Error, name, "The row must say what was tested.")
	}
	r.value, r.limit, r.unit, r.method = value, r.text(limit), r.text(unit), r.text(method)
	i := &r.inspection
	i.Item = r.item()
	i.Site = r.site()
	i.Kind = kindOf(r.text(kind), r.name)
	i.Time = r.time(o)
	if i.Inspector = r.text(laboratory); i.Inspector == "" {
		r.report(CodeMissing, ingest.Error, laboratory, "The row must name the laboratory.")
	}
	i.Reference = r.text(number)
	i.Result = r.result(stated)
	return r.test
}

// item is what was tested: a URI, or GTIN and lot.
func (r *rowReader) item() string {
	if uri := r.text(item); uri != "" {
		return r.uri(uri, item)
	}
	code := r.text(lot)
	if code == "" {
		f := lot
		if r.columns[lot] < 0 {
			f = item
		}
		r.report(CodeMissing, ingest.Error, f, "The row must name the lot that was tested.")
		return ""
	}
	if strings.Contains(code, ":") {
		return r.uri(code, lot)
	}
	if c := r.row.Cell(r.columns[lot]); c.Lossy {
		r.report(CodeDigits, ingest.Error, lot, "The spreadsheet has kept this as a number and lost digits of it. Give the column the format text and enter it again.")
	}
	digits := r.text(gtin)
	if digits == "" {
		r.report(CodeItem, ingest.Error, lot, "A lot number alone may be that of any firm's lot. Give its GTIN, or the lot as a URI.")
		return ""
	}
	padded, err := gs1.PadGTIN(digits)
	if err == nil {
		err = gs1.ValidGTIN(padded)
	}
	if err != nil {
		r.report(CodeCheck, ingest.Error, gtin, "This is not a GTIN: "+why(err)+".")
		return ""
	}
	return gs1.LotKey(padded, code)
}

func (r *rowReader) uri(s string, f field) string {
	if scheme, _, ok := strings.Cut(s, ":"); !ok || scheme == "" || strings.ContainsAny(s, " \t\n") {
		r.report(CodeItem, ingest.Error, f, "This is not a URI, so it does not name one lot for everybody.")
		return ""
	}
	return s
}

// site is where the sample was taken, if it is named so that everybody knows the place.
func (r *rowReader) site() string {
	s := r.text(site)
	switch {
	case s == "":
		return ""
	case len(s) == 13 && strings.Trim(s, "0123456789") == "":
		if err := gs1.ValidGLN(s); err != nil {
			r.report(CodeSite, ingest.Finding, site, "This is not a GLN: "+why(err)+". The place is left out.")
			return ""
		}
		return "https://id.gs1.org/414/" + s
	case strings.Contains(s, ":") && !strings.ContainsAny(s, " \t\n"):
		return s
	}
	r.report(CodeSite, ingest.Finding, site, "This is neither a GLN nor a URI. The place is left out.")
	return ""
}

func (r *rowReader) time(o Options) event.Time {
	c := r.row.Cell(r.columns[date])
	if c.Kind == sheet.Empty {
		r.report(CodeMissing, ingest.Error, date, "The row must say when the result was established.")
		return event.Time{}
	}
	if t, err := event.ParseTime(c.Text); err == nil {
		return t
	}
	m, bad := c.Date(o.Dates)
	switch {
	case bad != nil:
		r.report(bad.Code, ingest.Error, date, bad.Of(c.Text))
		return event.Time{}
	case m.Serial:
		r.report(sheet.CodeSerial, ingest.Finding, date, "The number "+c.Text+" is taken for the day "+m.Civil.Format(time.DateOnly)+", as spreadsheets count days.")
	}
	return event.Time{Time: m.In(o.Zone)}
}

// result is the verdict that the row states, else what result and limit say.
func (r *rowReader) result(stated string) contract.Result {
	measured, comparable := compare(r.value, r.limit)
	f := verdict
	if r.columns[verdict] < 0 {
		f = result
	}
	if stated == "" {
		if _, ok := verdictOf(r.value); ok { // the only column is the verdict
			stated = r.value
		}
	}
	if stated == "" {
		if !comparable {
			r.report(CodeVerdict, ingest.Error, f, "There is no verdict, and no result and limit that can be compared.")
		}
		return measured
	}
	v, ok := verdictOf(stated)
	if !ok {
		r.report(CodeVerdict, ingest.Error, f, "“"+stated+"” is no verdict that is known here: pass, fail, inconclusive; 合格, 不合格, 待定.")
		return ""
	}
	if comparable && v != measured && v != contract.Inconclusive {
		r.report(CodeDisagree, ingest.Finding, f, "The verdict is "+stated+", and "+r.value+" against a limit of "+r.limit+" says otherwise. The verdict counts.")
	}
	return v
}

// note says what was measured.
func (t *test) note() (zh, en string) {
	zh, en = t.name, t.name
	if t.value != "" {
		measured := strings.TrimSpace(t.value + " " + t.unit)
		zh, en = zh+"："+measured, en+": "+measured
	}
	if t.limit != "" {
		zh, en = zh+"（限量 "+t.limit+"）", en+" (limit "+t.limit+")"
	}
	switch t.inspection.Result {
	case contract.Fail:
		zh, en = zh+" 不合格", en+" failed"
	case contract.Inconclusive:
		zh, en = zh+" 待定", en+" inconclusive"
	}
	return zh, en
}

func why(err error) string {
	var fault *gs1.Error
	if errors.As(err, &fault) {
		return fault.Msg
	}
	return err.Error()
}
