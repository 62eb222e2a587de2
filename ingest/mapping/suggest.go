package mapping

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/ingest/unit"
)

// guess is what a heading may mean.
type guess struct {
	column string
	words  string // folded headings: a heading that is one of them, or else that has one of them in it
}

// guesses in the order in which headings are compared with them.
var guesses = []guess{
	{"gtin", "商品条码 条码 国条码 gtin barcode ean upc 69码"},
	{"lot", "批号 批次号 批次 生产批号 lot batch lotnumber lotno batchnumber batchno lotcode traceabilitylotcode tlc"},
	{"to", "收货方 收货单位 收货方gln 客户 客户编码 客户名称 门店 shipto customer consignee receiver recipient togln"},
	{"from", "供应商 发货方 发货单位 供货商 supplier vendor shipfrom shipper fromgln"},
	{"site", "仓库 仓库gln 库房 地点 场所 location warehouse site gln plant farm"},
	{"doc", "单据编号 单号 出库单号 入库单号 送货单号 订单号 发货单号 document documentno docno orderno order deliverynote invoice bol po"},
	{"time", "时间 time"},
	{"date", "日期 出库日期 入库日期 发货日期 收货日期 单据日期 生产日期 date shipdate receivedate day"},
	{"kind", "单据类型 业务类型 类型 出入库类型 type transactiontype movementtype"},
	{"qty", "数量 重量 净重 件数 quantity qty weight netweight amount"},
	{"unit", "单位 计量单位 unit uom unitofmeasure"},
	{"product", "品名 产品名称 商品名称 产品 商品 product description item productname"},
	{"note", "备注 说明 note remark remarks comment"},
}

// suggestRows is how many rows of a sheet are looked at for units and a sample.
const suggestRows = 500

// suggestion is what has been seen of a sheet.
type suggestion struct {
	sheet   *sheet.Sheet
	header  sheet.Row
	columns map[string]int // by short name
	rows    []sheet.Row
	unknown []string
}

// Suggest proposes a mapping file for the first sheet whose headings say something: a start, for a person to correct. The error is a
// *[ingest.Problem]: no row of headings is understood.
func Suggest(book *sheet.Book) (string, error) {
	sheets := book.Sheets()
	var best *suggestion
	for i := range sheets {
		if sheets[i].Hidden {
			continue
		}
		s, err := study(&sheets[i])
		if err != nil {
			return "", err
		}
		if best == nil || len(s.columns) > len(best.columns) {
			best = s
		}
	}
	if best == nil || len(best.columns) < 2 {
		return "", &ingest.Problem{Code: CodeColumn, Message: "No row of headings in it is understood. Headings that are: " + strings.ReplaceAll(guesses[1].words, " ", ", ") + ", …."}
	}
	return best.file(), nil
}

// study reads the first rows of a sheet and takes for its headings the row of which most is understood.
func study(s *sheet.Sheet) (*suggestion, error) {
	best := &suggestion{sheet: s}
	for row, err := range s.Rows() {
		if err != nil {
			return nil, err
		}
		if row.Number > headerRows+suggestRows {
			break
		}
		columns, unknown := understand(&row)
		if row.Number <= headerRows && len(columns) > len(best.columns) {
			best = &suggestion{sheet: s, header: row, columns: columns, unknown: unknown}
		} else if best.columns != nil && len(best.rows) < suggestRows {
			best.rows = append(best.rows, row)
		}
	}
	return best, nil
}

func understand(row *sheet.Row) (columns map[string]int, unknown []string) {
	columns = map[string]int{}
	taken := map[int]bool{}
	for _, whole := range []bool{true, false} {
		for i, c := range row.Cells {
			name := sheet.Fold(c.Text)
			if c.Kind != sheet.Text || taken[i] || len(name) > 60 {
				continue
			}
			for _, g := range guesses {
				if _, has := columns[g.column]; !has && g.fits(name, whole) {
					columns[g.column], taken[i] = i, true
					break
				}
			}
		}
	}
	for i, c := range row.Cells {
		if c.Kind == sheet.Text && !taken[i] {
			unknown = append(unknown, c.Text)
		}
	}
	return columns, unknown
}

func (g *guess) fits(name string, whole bool) bool {
	for word := range strings.FieldsSeq(g.words) {
		if name == word || !whole && len(word) >= 4 && strings.Contains(name, word) {
			return true
		}
	}
	return false
}

func (s *suggestion) has(column string) bool {
	_, ok := s.columns[column]
	return ok
}

// file writes the mapping file, with the first row as its sample if that becomes a record.
func (s *suggestion) file() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# A proposal, made from the headings of the sheet. Correct it, then try it: foodtrace map FILE.yaml SHEET")
	line("foodtrace: %s", Version)
	line("name: %s", yamlQuote(title(s.sheet.Name)))
	line("zone: Asia/Shanghai                # where the dates and times are meant")
	if s.sheet.Name != "" {
		line("sheet: %s", yamlQuote(s.sheet.Name))
	}
	line("columns:")
	for _, g := range guesses {
		if i, ok := s.columns[g.column]; ok && s.uses(g.column) {
			line("  %s: %s", g.column, yamlQuote(s.heading(i)))
		}
	}
	for _, g := range guesses {
		if i, ok := s.columns[g.column]; ok && !s.uses(g.column) {
			line("  # %s: %s", g.column, yamlQuote(s.heading(i)))
		}
	}
	for _, h := range s.unknown {
		line("  # : %s", yamlQuote(h))
	}
	s.units(line)
	s.totals(line)
	line("records:")
	line("  - name: %s", s.step())
	if s.has("kind") {
		line("    # when: {kind: [%s]}            # which rows; add “kind” to the columns", yamlQuote(s.example("kind")))
	}
	if s.has("doc") {
		line("    group: doc                     # rows with the same number, one behind the other, are one event")
	}
	line("    event:")
	line("      type: ObjectEvent")
	line("      action: OBSERVE")
	line("      bizStep: %s", s.step())
	line("      eventTime: %s", yamlQuote(s.when()))
	line("      readPoint: {id: %s}", yamlQuote(s.place("site")))
	line("      quantityList:")
	line("        - epcClass: %s", yamlQuote(s.class()))
	if s.has("qty") {
		line(`          quantity: "{qty}"`)
	}
	if s.has("qty") && s.has("unit") {
		line(`          uom: "{unit|map:unit}"`)
	}
	if s.has("doc") {
		line("      bizTransactionList:")
		line(`        - {type: desadv, bizTransaction: "urn:example:doc:{doc}"}`)
	}
	if s.has("from") {
		line("      sourceList:")
		line("        - {type: possessing_party, source: %s}", yamlQuote(s.place("from")))
	}
	if s.has("to") {
		line("      destinationList:")
		line("        - {type: possessing_party, destination: %s}", yamlQuote(s.place("to")))
	}
	return b.String() + s.sample(b.String())
}

func title(name string) string {
	if name == "" {
		return "New mapping"
	}
	return name
}

// heading is how the mapping names a column: by its heading, or by its letters if the heading is there twice.
func (s *suggestion) heading(column int) string {
	name := s.header.Cells[column].Text
	for i, c := range s.header.Cells {
		if i != column && sheet.Fold(c.Text) == sheet.Fold(name) {
			return "@" + sheet.Column(column)
		}
	}
	return name
}

// uses says whether the proposal has a place for a column.
func (s *suggestion) uses(column string) bool {
	switch column {
	case "kind", "product", "note":
		return false
	case "unit":
		return s.has("qty")
	}
	return true
}

func (s *suggestion) step() string {
	switch {
	case s.has("to"):
		return "shipping"
	case s.has("from"):
		return "receiving"
	}
	return "storing"
}

func (s *suggestion) when() string {
	switch {
	case s.has("date") && s.has("time"):
		return "{date+time|time:12:00}"
	case s.has("date"):
		return "{date|time:12:00}"
	case s.has("time"):
		return "{time}"
	}
	return "2026-01-01T12:00:00+08:00"
}

// place is a template for a place or party: a GLN where the column holds such numbers, else a URI of one's own.
func (s *suggestion) place(column string) string {
	switch {
	case !s.has(column):
		return "https://id.gs1.org/414/0000000000000"
	case len(s.example(column)) == 13 && strings.Trim(s.example(column), "0123456789") == "" && column == "site":
		return "https://id.gs1.org/414/{" + column + "|gln}"
	case len(s.example(column)) == 13 && strings.Trim(s.example(column), "0123456789") == "":
		return "https://id.gs1.org/417/{" + column + "|gln}"
	}
	return "urn:example:" + column + ":{" + column + "}"
}

func (s *suggestion) class() string {
	switch {
	case s.has("gtin") && s.has("lot"):
		return "https://id.gs1.org/01/{gtin|gtin}/10/{lot}"
	case s.has("lot"):
		return "urn:example:lot:{lot}"
	case s.has("gtin"):
		return "https://id.gs1.org/01/{gtin|gtin}"
	}
	return "urn:example:lot:unknown"
}

// example is the first value of a column.
func (s *suggestion) example(column string) string {
	for i := range s.rows {
		if c := s.rows[i].Cell(s.columns[column]); c.Kind != sheet.Empty {
			return c.Text
		}
	}
	return ""
}

// units writes the table of the units that the sheet has.
func (s *suggestion) units(line func(string, ...any)) {
	if !s.has("qty") || !s.has("unit") {
		return
	}
	var words []string
	for i := range s.rows {
		if text := s.rows[i].Cell(s.columns["unit"]).Text; text != "" && !slices.Contains(words, text) && len(words) < 40 {
			words = append(words, text)
		}
	}
	line("values:")
	line("  unit:                            # codes of UN/CEFACT Recommendation 20")
	known := false
	for _, w := range words {
		if code, ok := unit.Code(w); ok {
			known = true
			line("    %s: %s", yamlQuote(w), code)
		} else {
			line("    # %s:                         # not known here: fill in its code", yamlQuote(w))
		}
	}
	if !known { // a table has an entry
		line("    kg: KGM")
	}
}

// totals writes which rows are sums and no records.
func (s *suggestion) totals(line func(string, ...any)) {
	for _, g := range guesses {
		column, ok := s.columns[g.column]
		if !ok || !s.uses(g.column) {
			continue
		}
		for i := range s.rows {
			for _, word := range []string{"合计", "总计", "小计", "total", "sum"} {
				if strings.HasPrefix(sheet.Fold(s.rows[i].Cell(column).Text), word) {
					line("skip:                              # rows that are no records")
					line("  - {%s: %s*}", g.column, word)
					return
				}
			}
		}
	}
}

// sample is the first row of the sheet and what it becomes by the file as proposed; nothing if it becomes no record.
func (s *suggestion) sample(file string) string {
	m, _ := Load([]byte(file))
	if m == nil || len(s.rows) == 0 {
		return ""
	}
	at := make(columnNumbers, len(m.columns))
	var cells []string
	for i, c := range m.columns {
		at[i] = s.columns[c.name]
		if text := s.rows[0].Cell(at[i]).Text; text != "" {
			cells = append(cells, c.name+": "+yamlQuote(text))
		}
	}
	e := m.engine(s.sheet.Place, func(int) {})
	e.row(&row{Row: s.rows[0], at: at})
	e.end()
	if len(e.done) != 1 || e.done[0].record == nil {
		return ""
	}
	return "samples:                             # rows and what they must become; checked whenever the mapping is loaded\n  - rows:\n      - {" + strings.Join(cells, ", ") + "}\n    becomes:\n      - event: " + printable(string(recordJSON(e.done[0].record))) + "\n"
}

// yamlQuote is a text as it can stand in a mapping file, also in a comment.
func yamlQuote(s string) string { return printable(quote(s)) }

// printable escapes the characters in the texts of JSON that nobody sees: YAML forbids some of them and ends a line at others.
func printable(json string) string {
	var b strings.Builder
	for _, r := range json {
		switch {
		case unicode.IsGraphic(r):
			b.WriteRune(r)
		case r < 1<<16:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}
