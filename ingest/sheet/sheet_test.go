package sheet_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// table reads the sheet as "number: text|text" lines.
func table(t *testing.T, s *sheet.Sheet) (lines []string) {
	t.Helper()
	for row, err := range s.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, c := range row.Cells {
			texts = append(texts, c.Text)
		}
		lines = append(lines, fmt.Sprintf("%d: %s", row.Number, strings.Join(texts, "|")))
	}
	return lines
}

func open(t *testing.T, b []byte) *sheet.Book {
	t.Helper()
	book, err := sheet.Open(bytes.NewReader(b), int64(len(b)), sheet.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func first(t *testing.T, b []byte) []string {
	t.Helper()
	return table(t, &open(t, b).Sheets()[0])
}

func TestDelimitedText(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"comma":               {"a,b\n1,2\n", []string{"1: a|b", "2: 1|2"}},
		"no end of line":      {"a,b\n1,2", []string{"1: a|b", "2: 1|2"}},
		"CRLF and CR":         {"a,b\r\n1,2\r3,4", []string{"1: a|b", "2: 1|2", "3: 3|4"}},
		"empty rows":          {"a,b\n\n,\n1,2", []string{"1: a|b", "4: 1|2"}},
		"semicolon, decimals": {"lot;kg\nA;1,5\nB;2,5\n", []string{"1: lot|kg", "2: A|1,5", "3: B|2,5"}},
		"tab":                 {"a\tb, c\n1\t2\n", []string{"1: a|b, c", "2: 1|2"}},
		"bar":                 {"a|b\n1|2\n", []string{"1: a|b", "2: 1|2"}},
		"declared":            {"sep=;\r\na,b;c\r\nx,y;z", []string{"2: a,b|c", "3: x,y|z"}},
		"quotes":              {"a,b\n\"x, \"\"y\"\"\n z\",2\n3,5\" pipe", []string{"1: a|b", "2: x, \"y\"\n z|2", "3: 3|5\" pipe"}},
		"blanks":              {"\ufeffa,b\n\u3000x\u00a0,\t2 ", []string{"1: a|b", "2: x|2"}},
		"kept from Excel":     {"a,b\n=\"0012\",'=1+1\n'quoted',\"\t77\"", []string{"1: a|b", "2: 0012|=1+1", "3: 'quoted'|77"}},
		"ragged":              {"title,,\na,b,c\n1\n1,2,3,4", []string{"1: title||", "2: a|b|c", "3: 1", "4: 1|2|3|4"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, first(t, []byte(c.text))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const simplified = "批次号,产品名称,数量,单位,发货日期\nL0401,新鲜菠菜（特级）,120.5,公斤,2026-04-01\nL0402,冷冻虾仁,80,箱,2026-04-02\n"

const traditional = "批號,產品名稱,數量,單位,出貨日期\nL0401,新鮮菠菜（特級）,120.5,公斤,2026-04-01\nL0402,冷凍蝦仁,80,箱,2026-04-02\n"

func TestEncodings(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		enc  encoding.Encoding
	}{
		"UTF-8":               {simplified, encoding.Nop},
		"UTF-8, mark":         {"\ufeff" + simplified, encoding.Nop},
		"GBK":                 {simplified, simplifiedchinese.GBK},
		"GB18030":             {simplified + "L0403,㐂𠀀,1,箱,\n", simplifiedchinese.GB18030},
		"Big5":                {traditional, traditionalchinese.Big5},
		"UTF-16LE, mark":      {simplified, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)},
		"UTF-16BE, mark":      {simplified, unicode.UTF16(unicode.BigEndian, unicode.UseBOM)},
		"UTF-16LE":            {"lot," + simplified, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
		"UTF-16BE":            {"lot," + simplified, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
		"Windows-1252":        {"Größe;Stück;Käse aus Gruyère\nœuf;1,5;€ 3\n", charmap.Windows1252},
		"ASCII at first, GBK": {strings.Repeat("lot,quantity\n", 9000) + simplified, simplifiedchinese.GBK},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := c.enc.NewEncoder().Bytes([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			want := first(t, []byte(c.text))
			if diff := cmp.Diff(want, first(t, b)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFormats(t *testing.T) {
	for name, c := range map[string]struct {
		head string
		want sheet.Format
	}{
		"sheet":        {"a,b\n", sheet.CSV},
		"zip":          {"PK\x03\x04....", sheet.XLSX},
		"JSON":         {` {"a": [1, 2]}`, sheet.None},
		"XML":          {"\ufeff<a b='1,2'/>", sheet.None},
		"array":        {"[1,2]", sheet.None},
		"no delimiter": {"hello world\n", sheet.None},
		"binary":       {"a,b\x00\x01", sheet.None},
		"nothing":      {"", sheet.None},
	} {
		if got := sheet.Sniff([]byte(c.head)); got != c.want {
			t.Errorf("%s: format %d, want %d", name, got, c.want)
		}
	}
}

// book makes a workbook with excelize.
func book(t *testing.T, f func(*excelize.File)) []byte {
	t.Helper()
	x := excelize.NewFile()
	defer x.Close()
	f(x)
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func style(t *testing.T, x *excelize.File, cell, format string) {
	t.Helper()
	id, err := x.NewStyle(&excelize.Style{CustomNumFmt: &format})
	if err == nil {
		err = x.SetCellStyle("Sheet1", cell, cell, id)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestWorkbookCells(t *testing.T) {
	b := book(t, func(x *excelize.File) {
		set := func(cell string, v any) { must(t, x.SetCellValue("Sheet1", cell, v)) }
		set("A2", " 批次 ")
		set("B2", 3.4)
		set("C2", 46132)
		style(t, x, "C2", "yyyy-mm-dd")
		set("D2", 46132.354166666664)
		style(t, x, "D2", `yyyy"年"m"月"d"日" h:mm`)
		set("E2", 0.354166666666667)
		style(t, x, "E2", "[$-409]h:mm AM/PM")
		set("F2", true)
		set("G2", 614141000012)
		style(t, x, "G2", "00000000000000")
		set("H2", 1.5)
		style(t, x, "H2", "[h]:mm")
		set("I2", 45)
		style(t, x, "I2", `0.00" days"`)
		set("K2", "a_x000D_b")
		must(t, x.SetCellFormula("Sheet1", "L2", "=1/0"), x.SetCellRichText("Sheet1", "M2", []excelize.RichTextRun{{Text: "rich "}, {Text: "text"}}))
		set("A5", "merged")
		must(t, x.MergeCell("Sheet1", "A5", "B5"))
		set("C5", 2)
		_, err := x.NewSheet("备 注")
		must(t, err, x.SetSheetVisible("备 注", false))
	})
	opened := open(t, b)
	sheets := opened.Sheets()
	if len(sheets) != 2 || sheets[0].Name != "Sheet1" || sheets[0].Hidden || !sheets[1].Hidden {
		t.Fatalf("sheets are %+v", sheets)
	}
	if got := sheets[1].Place(3, 2); got != "'备 注'!C3" {
		t.Errorf("the place is %s", got)
	}
	var rows []sheet.Row
	for row, err := range sheets[0].Rows() {
		must(t, err)
		rows = append(rows, row)
	}
	day := time.Date(2026, 4, 20, 0, 0, 0, 0, time.UTC)
	want := []sheet.Row{
		{Number: 2, Cells: []sheet.Cell{
			{Text: "批次", Kind: sheet.Text},
			{Text: "3.4", Kind: sheet.Number},
			{Text: "2026-04-20", Kind: sheet.Date, Civil: day},
			{Text: "2026-04-20T08:30:00", Kind: sheet.Date, Civil: day.Add(8*time.Hour + 30*time.Minute), Clock: true},
			{Text: "08:30:00", Kind: sheet.Time, Civil: time.Date(1, 1, 1, 8, 30, 0, 0, time.UTC), Clock: true},
			{Text: "TRUE", Kind: sheet.Bool},
			{Text: "00614141000012", Kind: sheet.Number},
			{Text: "1.5", Kind: sheet.Number},
			{Text: "45", Kind: sheet.Number},
			{},
			{Text: "a\rb", Kind: sheet.Text},
			{},
			{Text: "rich text", Kind: sheet.Text},
		}},
		{Number: 5, Cells: []sheet.Cell{{Text: "merged", Kind: sheet.Text}, {}, {Text: "2", Kind: sheet.Number}}},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}

// parts makes a workbook of one sheet from XML written by hand.
func parts(t *testing.T, sheetXML string, more map[string]string) []byte {
	t.Helper()
	all := map[string]string{
		"xl/workbook.xml":            `<workbook xmlns:r="x"><sheets><sheet name="S" sheetId="1" r:id="a"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="a" Type="x/worksheet" Target="worksheets/s.xml"/><Relationship Id="b" Type="x/styles" Target="/xl/styles.xml"/><Relationship Id="c" Type="x/sharedStrings" Target="strings.xml"/></Relationships>`,
		"xl/worksheets/s.xml":        sheetXML,
	}
	for name, text := range more {
		all[name] = text
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range all {
		w, err := z.Create(name)
		must(t, err)
		_, err = io.WriteString(w, text)
		must(t, err)
	}
	must(t, z.Close())
	return b.Bytes()
}

func TestWorkbookByHand(t *testing.T) {
	b := parts(t, `<worksheet><sheetData>
		<row><c t="s"><v>1</v></c><c t="s"><v>0</v></c><c t="s"><v>7</v></c></row>
		<row r="3"><c r="B3"><v>3.3999999999999999</v></c><c r="C3"><v>1.2345678901234568E+17</v></c><c r="D3"><v>123456789012345678</v></c><c r="E3"><v>1E-3</v></c></row>
		<row r="4"><c r="A4" s="1"><v>44927.5</v></c><c r="B4" t="d"><v>2026-04-20T08:30:00</v></c><c r="C4" t="e"><v>#N/A</v></c><c r="D4" t="str"><f>A1&amp;"x"</f><v>cached</v></c><c r="E4"/></row>
		<row r="9"><c r="A9" s="1"><v>-5</v></c></row>
	</sheetData></worksheet>`, map[string]string{
		"xl/workbook.xml": `<workbook xmlns:r="x"><workbookPr date1904="1"/><sheets><sheet name="S" sheetId="1" r:id="a"/></sheets></workbook>`,
		"xl/strings.xml":  `<sst><si><t>x&amp;y</t></si><si><r><t>东</t></r><rPh><t>dong</t></rPh><r><t>西_x000D_</t></r></si></sst>`,
		"xl/styles.xml":   `<styleSheet><cellStyleXfs><xf numFmtId="1"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>`,
	})
	want := []string{"1: 东西|x&y|#REF!", "3: |3.4|123456789012346000|123456789012345678|0.001", "4: 2027-01-02T12:00:00|2026-04-20T08:30:00|#N/A|cached", "9: 1903-12-27"}
	if diff := cmp.Diff(want, first(t, b)); diff != "" {
		t.Error(diff)
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		file  []byte
		code  ingest.Code
		place string
	}{
		"XLS":            {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1......"), sheet.CodeFormat, ""},
		"other archive":  {archive(t, "word/document.xml", "<x/>"), sheet.CodeFormat, ""},
		"half archive":   {parts(t, "<worksheet/>", nil)[:300], sheet.CodeSyntax, ""},
		"open quote":     {[]byte("a,b\n1,\"2\n3,4\n"), sheet.CodeSyntax, "B2"},
		"NUL":            {[]byte("a,b\n" + strings.Repeat("1,2\n", 2000) + "1,\x00"), sheet.CodeFormat, "B2002"},
		"no encoding":    {[]byte("批次,a\n" + strings.Repeat("\xff\xff,1\n", 9)), sheet.CodeEncoding, "A1"},
		"long cell":      {[]byte("a,b\n1," + strings.Repeat("x", sheet.DefaultCell+1)), sheet.CodeLimit, "B2"},
		"wide row":       {[]byte("a,b\n" + strings.Repeat(",", sheet.DefaultColumns+1)), sheet.CodeLimit, "AMK2"},
		"entities":       {parts(t, `<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet><sheetData><row><c t="str"><v>&b;</v></c></row></sheetData></worksheet>`, nil), sheet.CodeSyntax, "S!A1"},
		"entity":         {parts(t, `<worksheet><sheetData><row><c t="str"><v>&b;</v></c></row></sheetData></worksheet>`, nil), sheet.CodeSyntax, "S!A1"},
		"cut XML":        {parts(t, `<worksheet><sheetData><row r="7"><c t="str"><v>x`, nil), sheet.CodeSyntax, "S!A7"},
		"rows backwards": {parts(t, `<worksheet><sheetData><row r="7"><c><v>1</v></c></row><row r="6"/></sheetData></worksheet>`, nil), sheet.CodeSyntax, "S!A7"},
		"far cell":       {parts(t, `<worksheet><sheetData><row r="7"><c r="XFD7"><v>1</v></c></row></sheetData></worksheet>`, nil), sheet.CodeLimit, "S!XFD7"},
		"no column":      {parts(t, `<worksheet><sheetData><row r="7"><c r="ZZZZ7"><v>1</v></c></row></sheetData></worksheet>`, nil), sheet.CodeSyntax, "S!7"},
		"long attribute": {parts(t, `<worksheet><sheetData><row r="`+strings.Repeat("7", 2<<20)+`"/></sheetData></worksheet>`, nil), sheet.CodeLimit, "S!A1"},
	} {
		t.Run(name, func(t *testing.T) {
			err := readAll(c.file, sheet.Limits{})
			var p *ingest.Problem
			if !errors.As(err, &p) || p.Code != c.code || p.Pointer != c.place || p.Message == "" {
				t.Errorf("the answer is %v, want %s at %q", err, c.code, c.place)
			}
		})
	}
}

func archive(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	must(t, err)
	_, err = io.WriteString(w, text)
	must(t, err, z.Close())
	return b.Bytes()
}

// readAll reads all sheets and returns the first error.
func readAll(b []byte, limits sheet.Limits) error {
	book, err := sheet.Open(bytes.NewReader(b), int64(len(b)), limits)
	if err != nil {
		return err
	}
	for _, s := range book.Sheets() {
		for _, err := range s.Rows() {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func TestPlaces(t *testing.T) {
	for column, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 701: "ZZ", 702: "AAA", 16383: "XFD"} {
		if got := sheet.Column(column); got != want {
			t.Errorf("column %d is %s, want %s", column, got, want)
		}
	}
	for want, got := range map[string]string{"C12": sheet.Place("", 12, 2), "Harvest!C12": sheet.Place("Harvest", 12, 2), "'a ''b'!A1": sheet.Place("a 'b", 1, 0), "收获!7": sheet.Place("收获", 7, -1)} {
		if got != want {
			t.Errorf("the place is %s, want %s", got, want)
		}
	}
	if a, b := sheet.Fold("Ref Doc No."), sheet.Fold("REF_DOC　ＮＯ"); a != b || a != "refdocno" {
		t.Errorf("folded to %q and %q", a, b)
	}
}

func simplifiedGBK(s string) ([]byte, error) {
	return simplifiedchinese.GBK.NewEncoder().Bytes([]byte(s))
}
