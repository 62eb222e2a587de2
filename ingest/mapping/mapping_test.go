package mapping_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/mapping"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

func outbound(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/outbound.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func load(t testing.TB, file string) *mapping.Mapping {
	t.Helper()
	m, problems := mapping.Load([]byte(file))
	for _, p := range problems {
		t.Errorf("the mapping: %v", p.Error())
	}
	if m == nil {
		t.FailNow()
	}
	return m
}

func book(t testing.TB, b []byte) *sheet.Book {
	t.Helper()
	book, err := sheet.Open(bytes.NewReader(b), int64(len(b)), sheet.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// read returns what a sheet becomes, a line for each record and problem.
func read(t testing.TB, m *mapping.Mapping, b []byte) (lines []string, records []*contract.Record) {
	t.Helper()
	r, err := mapping.New(book(t, b), m)
	if err != nil {
		return []string{err.Error()}, nil
	}
	for {
		rec, problems, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		what := "nothing"
		if rec != nil {
			records = append(records, rec)
			what = r.Kind()
		}
		lines = append(lines, fmt.Sprintf("%s: %s", strings.Join(r.Places(), " "), what))
		for _, p := range problems {
			lines = append(lines, fmt.Sprintf("  %s %s at %s", p.Severity, p.Code, p.Pointer))
		}
	}
	for _, p := range r.Problems() {
		lines = append(lines, fmt.Sprintf("%s %s at %s", p.Severity, p.Code, p.Pointer))
	}
	for i := range r.Descriptions() {
		records = append(records, &r.Descriptions()[i])
	}
	return lines, records
}

const export = `某某食品有限公司 出库明细,,,,,,,,,
单据编号,出库日期,时间,单据类型,商品条码,批次号,数量,单位,仓库GLN,收货方GLN
CK001,2026/4/20,9:15,销售出库单,6901234567892,L0401,"1,200.5",公斤,6901234500004,6901234500011
,,,,6901234567892,L0402,3,箱,,
CK002,2026年4月21日,,出库,6901234567892,L0402,3,箱,6901234500004,6901234500011
CK002,2026年4月21日,,出库,6901234567892,L0402,3,箱,6901234500004,6901234500011
RK003,2026-04-22,,入库,6.90123E+12,L0403,x,包,6901234500004,
TZ004,2026-04-22,,盘点,6901234567892,L0403,1,箱,6901234500004,
RK005,2026-04-22,,入库,6901234567892,L0403,8,箱,6901234500004,
合计,,,,,,1215.5,,,
`

func TestExport(t *testing.T) {
	m := load(t, outbound(t))
	gbk, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(export))
	if err != nil {
		t.Fatal(err)
	}
	lines, records := read(t, m, gbk)
	want := []string{
		"A3 A4: ship",
		"A7: nothing",
		"  error CELL_LOSSY at E7",
		"  error CELL_VALUE at G7",
		"  error CELL_VALUE at H7",
		"A9: commission",
		"A5 A6: ship",
		"finding ROW_UNUSED at A8",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	first := records[0].Event
	if got := first.Time.String(); got != "2026-04-20T09:15:00+08:00" || first.TimeZoneOffset != "+08:00" {
		t.Errorf("the time is %s, the offset %s", got, first.TimeZoneOffset)
	}
	if q := first.Quantities; len(q) != 2 || q[0].Quantity.String() != "1200.5" || q[1].UOM != "CS" || len(first.BizTransactions) != 1 {
		t.Errorf("the quantities are %v, the transactions %v", q, first.BizTransactions)
	}
	if q := records[2].Event.Quantities; len(q) != 2 { // two equal lines of a note are both meant
		t.Errorf("the quantities are %v", q)
	}
	_, again := read(t, m, []byte(export))
	for i, r := range again {
		if r.Event.Hash() != records[i].Event.Hash() {
			t.Errorf("event %d has another hash when it is read again", i)
		}
	}
}

// A workbook holds the same as typed cells: it becomes the same events.
func TestWorkbook(t *testing.T) {
	x := excelize.NewFile()
	defer x.Close()
	set := func(cell string, v any) {
		if err := x.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	for i, h := range []string{"单据编号", "出库日期", "时间", "单据类型", "商品条码", "批次号", "数量", "单位", "仓库GLN", "收货方GLN"} {
		set(sheet.Place("", 1, i), h)
	}
	for i, v := range []any{"CK001", 46132, 9.25 / 24, "出库", 6901234567892, "L0401", 1200.5, "公斤", "6901234500004", 6901234500011} {
		set(sheet.Place("", 2, i), v)
	}
	for cell, format := range map[string]string{"B2": "yyyy/m/d", "C2": "h:mm"} {
		id, err := x.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err == nil {
			err = x.SetCellStyle("Sheet1", cell, cell, id)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := x.NewSheet("旧"); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		t.Fatal(err)
	}
	m := load(t, outbound(t))
	lines, fromBook := read(t, m, b.Bytes())
	if diff := cmp.Diff([]string{"Sheet1!A2: ship"}, lines); diff != "" {
		t.Fatal(diff)
	}
	_, fromText := read(t, m, []byte("单据编号,出库日期,时间,单据类型,商品条码,批次号,数量,单位,仓库GLN,收货方GLN\nCK001,2026-04-20,09:15,出库,6901234567892,L0401,1200.50,公斤,6901234500004,6901234500011\n"))
	if a, b := fromBook[0].Event.Hash(), fromText[0].Event.Hash(); a != b {
		t.Errorf("the hashes are %s and %s", a, b)
	}
}

func TestConflict(t *testing.T) {
	head, _, _ := strings.Cut(export, "CK001")
	lines, _ := read(t, load(t, outbound(t)), []byte(head+
		"CK1,2026-04-20,,出库,6901234567892,L1,1,箱,6901234500004,6901234500011\nCK1,2026-04-21,,出库,6901234567892,L2,1,箱,6901234500004,6901234500011\n"))
	if diff := cmp.Diff([]string{"A3 A4: nothing", "  error ROW_CONFLICT at B4"}, lines); diff != "" {
		t.Error(diff)
	}
}

func TestColumnsMissing(t *testing.T) {
	m := load(t, outbound(t))
	for name, c := range map[string]struct{ head, want string }{
		"renamed": {strings.Replace(export, "批次号", "批号", 1), `MAPPING_COLUMN: The sheet has no column with the heading “批次号”; this row has the most of them. (at "2", byte 0)`},
		"twice":   {strings.Replace(export, "收货方GLN", "数量", 1), `MAPPING_COLUMN: The heading “数量” is here twice. The mapping must say which column is meant, as @G or @J. (at "J2", byte 0)`},
	} {
		lines, _ := read(t, m, []byte(c.head))
		if len(lines) != 1 || lines[0] != c.want {
			t.Errorf("%s: %q", name, lines)
		}
	}
}

const registry = `foodtrace: mapping/1
name: 场所与检验
zone: "+08:00"
dates: day-first
numbers: 1.234,5
columns:
  id: "@A"
  name: "@B"
  lat: "@C"
  result: "@D"
  day: "@E"
values:
  result: {合格: pass, 不合格: fail, "*": inconclusive}
records:
  - when: {result: ""}
    site:
      id: "https://id.gs1.org/414/{id|pad:13}"
      name: {zh: "{name}"}
      country: CN
      lat: "{lat}"
      kind: farm
  - when: {result: {not: ""}}
    inspection:
      item: "{id}"
      kind: "{name|match:^([a-z-]+)}"
      result: "{result|map:result}"
      time: "{day|time:12:00}"
      inspector: Lab
`

func TestSitesAndInspections(t *testing.T) {
	lines, records := read(t, load(t, registry), []byte("614141000005;北大荒;31,25;;\nhttps://id.gs1.org/01/06901234567892/10/L1;pathogen (salmonella);;未检出;3/4/2026\n;pathogen;;合格;3/4/2026\n"))
	if diff := cmp.Diff([]string{"A2: inspection", "A3: nothing", "  error RECORD at 3"}, lines); diff != "" {
		t.Error(diff)
	}
	lat, _ := event.ParseDecimal("31.25")
	when, _ := event.ParseTime("2026-04-03T12:00:00+08:00")
	want := []*contract.Record{
		{Inspection: &contract.Inspection{Item: "https://id.gs1.org/01/06901234567892/10/L1", Kind: "pathogen", Result: contract.Inconclusive, Time: when, Inspector: "Lab"}},
		{Registration: &contract.Registration{Sites: []contract.Site{{ID: "https://id.gs1.org/414/0614141000005", Name: contract.Text{ZH: "北大荒"}, Country: "CN", Lat: lat, Kind: "farm"}}}},
	}
	if diff := cmp.Diff(want, records); diff != "" {
		t.Error(diff)
	}
}

// A mapping file that is wrong says all that is wrong with it, with lines.
func TestLoadProblems(t *testing.T) {
	_, problems := mapping.Load([]byte(`foodtrace: mapping/2
name: x
zone: Mars/Olympus
dates: american
colums: {}
columns:
  lot: 批次
  9x: "@ZZZZ"
  unused: 备注
records:
  - when: {lott: x}
    event:
      type: ObjectEvent
      bizStepp: shipping
      eventTime: "{lot|tim}"
      quantityList:
        - epcClass: "x{lot"
          quantity: "{qty|map:unit}"
      ilmd: &a {x: 1}
  - inspection: {}
    event: {}
samples:
  - rows: {lot: 1}
`))
	var got []string
	for _, p := range problems {
		line, _, _ := strings.Cut(strings.TrimPrefix(p.Pointer, "line "), ",")
		got = append(got, line+" "+p.Message)
	}
	want := []string{
		`5 A mapping file has no "colums". It has foodtrace, name, note, sheet, header, zone, dates, numbers, namespaces, columns, values, fill, skip, records, samples.`,
		`1 This is version "mapping/2"; known is "mapping/1".`,
		`3 The zone is neither a name like Asia/Shanghai nor an offset like +08:00.`,
		`4 Dates are year-first, month-first or day-first.`,
		`8 The short name of a column has letters, digits, - and _, and begins with a letter.`,
		`8 "@ZZZZ" is not a column; @C is.`,
		`11 There is no column "lott" under “columns”.`,
		`14 There is no "bizStepp" here.`,
		`15 There is no filter "tim". Known are amount, bool, date, default, gln, gtin, lower, map, match, number, pad, raw, sscc, time, unit, upper.`,
		`17 A brace is opened and not closed; {{ is a brace.`,
		`18 There is no column "qty" under “columns”.`,
		`18 There is no table "unit" under “values”.`,
		`19 Anchors and aliases are not used in mapping files.`,
		`21 A record is one of event, inspection, site, product.`,
		`23 A sample has rows, and says what they become.`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSamplesAreChecked(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"value":   {"quantity: 1200.5", "quantity: 1200", `event/quantityList/0/quantity: the sample says "1200", and it becomes "1200.5".`},
		"list":    {"            - {epcClass: https://id.gs1.org/01/06901234567892/10/L2, quantity: 3, uom: CS}\n", "", `event/quantityList: the sample says a list of 1, and it becomes [{`},
		"absent":  {"          eventTimeZoneOffset: +08:00", "          transformationID: x", `event/transformationID: the sample says "x", and it becomes nothing.`},
		"kind":    {"      - event:\n          eventTime: 2026-04-20T08", "      - inspection:\n          eventTime: 2026-04-20T08", "The sample becomes no inspection."},
		"problem": {"{problem: CELL_VALUE}", "{problem: CELL_LOSSY}", "There is no problem CELL_LOSSY. CELL_VALUE: quantityList/0/epcClass: “6901234567893” is not right: the check digit is 3 and should be 2. (row 1, gtin)"},
		"none":    {"{problem: CELL_VALUE}", "[]", "The sample becomes 1 records, not 0."},
	} {
		file := strings.Replace(outbound(t), c.from, c.to, 1)
		m, problems := mapping.Load([]byte(file))
		if m != nil || len(problems) != 1 || problems[0].Code != mapping.CodeSample || !strings.HasPrefix(problems[0].Message, c.want) {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(outbound(f))
	f.Add(registry)
	f.Add("foodtrace: mapping/1\nname: a\nzone: Z\ncolumns: {a: \"@A\"}\nrecords: [{event: {type: \"{a}\"}}]\n")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, file string) {
		m, problems := mapping.Load([]byte(file))
		if (m == nil) != ingest.HasErrors(problems) {
			t.Errorf("the mapping is nil: %v, and the problems are %v", m == nil, problems)
		}
	})
}

// Whatever a sheet holds, each of its rows is answered for: as part of a record, or by a problem.
func FuzzRead(f *testing.F) {
	m := load(f, outbound(f))
	f.Add([]byte(export))
	f.Add([]byte(strings.ReplaceAll(export, ",", ";")))
	f.Fuzz(func(t *testing.T, b []byte) {
		book, err := sheet.Open(bytes.NewReader(b), int64(len(b)), sheet.Limits{Rows: 1000, Cell: 1000})
		if err != nil {
			return
		}
		r, err := mapping.New(book, m)
		if err != nil {
			return
		}
		for {
			rec, problems, err := r.Next()
			if err != nil {
				return
			}
			if len(r.Places()) == 0 || rec == nil && !ingest.HasErrors(problems) {
				t.Fatalf("a record without place or reason: %v %v", r.Places(), problems)
			}
		}
	})
}

// What is proposed for a sheet reads that sheet.
func TestSuggest(t *testing.T) {
	const sheet = "导出时间：2026-04-23,,,,,,,\n单据编号,单据日期,单据类型,商品条码,商品名称,批次号,数量,单位,仓库,客户名称\n" +
		"CK1,2026/4/20,销售出库,6901234567892,猪前腿,A/1,120.5,公斤,6901234500004,城东门店\nCK1,2026/4/20,销售出库,6901234567892,猪前腿,B,3,箱,6901234500004,城东门店\n合计,,,,,,123.5,,,\n"
	file, err := mapping.Suggest(book(t, []byte(sheet)))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(file, "samples:") {
		t.Errorf("the proposal has no sample:\n%s", file)
	}
	lines, records := read(t, load(t, file), []byte(sheet))
	if diff := cmp.Diff([]string{"A3 A4: shipping"}, lines); diff != "" {
		t.Fatalf("%s\n%s", diff, file)
	}
	if e := records[0].Event; e.Quantities[0].EPCClass != "https://id.gs1.org/01/06901234567892/10/A%2F1" || e.Quantities[0].UOM != "KGM" || e.ReadPoint.ID != "https://id.gs1.org/414/6901234500004" {
		t.Errorf("the event is %+v", e)
	}
	if file, err := mapping.Suggest(book(t, []byte("foo,bar\n1,2\n"))); err == nil {
		t.Errorf("nothing is understood, and this is proposed:\n%s", file)
	}
}

// The example of docs/formats.md is one that works.
func TestDocumentedExample(t *testing.T) {
	b, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "```yaml\n")
	file, _, found := strings.Cut(rest, "```\n")
	if !found {
		t.Fatal("there is no example")
	}
	load(t, file)
}

// Nothing of a sheet is passed over without a word: columns without heading, and tables below the first.
func TestNothingIsSilent(t *testing.T) {
	const head = "单据编号,出库日期,时间,单据类型,商品条码,批次号,数量,单位,仓库GLN,收货方GLN,\n"
	const row = "CK1,2026-04-20,,出库,6901234567892,L1,1,箱,6901234500004,6901234500011,"
	lines, _ := read(t, load(t, outbound(t)), []byte(head+row+"urgent\n"+head+row+"\n批次号,数量,单位,产地\nL1,5,箱,北地块\n"))
	want := []string{"A5: nothing", "  error TABLE_SECOND at A5", "A6: nothing", "  error TABLE_SECOND at A6", "A2 A4: ship", "finding COLUMN_UNNAMED at K2", "finding HEADER_AGAIN at A3"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}
