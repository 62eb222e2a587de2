package lab_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/lab"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

func open(t testing.TB, b []byte) *sheet.Book {
	t.Helper()
	book, err := sheet.Open(bytes.NewReader(b), int64(len(b)), sheet.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// read returns a line for each inspection and each problem.
func read(t testing.TB, b []byte) (lines []string, records []*contract.Record) {
	t.Helper()
	r, err := lab.NewReader(open(t, b), lab.Options{Zone: time.FixedZone("", 8*3600)})
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
		places := r.Places()
		line := places[0]
		if len(places) > 1 {
			line += "-" + places[len(places)-1]
		}
		if rec == nil {
			line += " nothing"
		} else {
			records = append(records, rec)
			line += fmt.Sprintf(" %s %s", rec.Inspection.Kind, rec.Inspection.Result)
		}
		lines = append(lines, line)
		for _, p := range problems {
			lines = append(lines, fmt.Sprintf("  %s %s at %s", p.Severity, p.Code, p.Pointer))
		}
	}
	for _, p := range r.Problems() {
		lines = append(lines, fmt.Sprintf("%s %s at %s", p.Severity, p.Code, p.Pointer))
	}
	return lines, records
}

const chinese = `某某食品检测有限公司 检测结果汇总,,,,,,,,,,,
报告编号,样品名称,商品条码,批号,检测项目,检测结果,单位,标准限值,单项判定,检测日期,检测机构,采样地点
B26-001,菠菜,6901234567892,L0401,毒死蜱,未检出,mg/kg,≤0.02,合格,2026年4月20日,某某检测,6901234500004
B26-001,菠菜,6901234567892,L0401,克百威,0.035,mg/kg,≤0.02,不合格,2026年4月20日,某某检测,6901234500004
B26-001,菠菜,6901234567892,L0401,镉,0.03,mg/kg,0.2,,2026年4月20日,某某检测,6901234500004
B26-001,菠菜,6901234567892,L0401,铅,0.5,mg/kg,0.3,合格,2026年4月20日,某某检测,一号地块
B26-002,虾仁,6901234567892,L0402,沙门氏菌,检出,/25g,不得检出,,2026-04-21,某某检测,
B26-002,虾仁,,L0403,沙门氏菌,未检出,/25g,不得检出,,2026-04-21,某某检测,
B26-003,虾仁,6901234567892,L0404,水分,78,%,,,2026-04-21,,
审核：张三,,,,,,,,,,,
`

func TestChinese(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(chinese))
	if err != nil {
		t.Fatal(err)
	}
	lines, records := read(t, gbk)
	want := []string{
		"A3-A4 pesticide-residue fail",
		"A5 heavy-metal pass",
		"A6 heavy-metal pass",
		"  finding LAB_SITE at L6",
		"  finding LAB_CONTRADICTION at I6",
		"A7 pathogen fail",
		"A8 nothing",
		"  error LAB_ITEM at D8",
		"A9 nothing",
		"  error LAB_MISSING at K9",
		"  error LAB_VERDICT at I9",
		"finding ROW_IS_NOTE at A10",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	i := records[0].Inspection
	if i.Item != "https://id.gs1.org/01/06901234567892/10/L0401" || i.Site != "https://id.gs1.org/414/6901234500004" || i.Time.String() != "2026-04-20T00:00:00+08:00" || i.Inspector != "某某检测" || i.Reference != "B26-001" {
		t.Errorf("the inspection is %+v", i)
	}
	note := contract.Text{ZH: "克百威：0.035 mg/kg（限量 ≤0.02） 不合格；毒死蜱：未检出 mg/kg（限量 ≤0.02）", EN: "克百威: 0.035 mg/kg (limit ≤0.02) failed; 毒死蜱: 未检出 mg/kg (limit ≤0.02)"}
	if diff := cmp.Diff(note, i.Note); diff != "" {
		t.Error(diff)
	}
}

const english = "Lot;Test;Result;MRL (mg/kg);Pass/Fail;Report Date;Laboratory;Report No.\n" +
	"https://id.gs1.org/01/06901234567892/10/L1;Salmonella spp.;ND;absent in 25 g;;2026-04-20;Lab;R1\n" +
	"urn:epc:class:lgtin:690123.4567892.L1;Chlorpyrifos;<0.01;0.05;Pass;2026-04-20;Lab;R1\n" +
	"no uri: L1;Chlorpyrifos;<0.01;0.05;Pass;20-Apr-2026;Lab;R1\n" +
	"urn:x:1;Chlorpyrifos;0.1;0.05;perhaps;4/5/2026;Lab;R1\n"

func TestEnglish(t *testing.T) {
	lines, _ := read(t, []byte(english))
	want := []string{"A2 pathogen pass", "A3 pesticide-residue pass", "A4 nothing", "  error LAB_ITEM at A4", "A5 nothing", "  error DATE_AMBIGUOUS at F5", "  error LAB_VERDICT at E5"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

// What a result and a limit say without a verdict.
func TestCompare(t *testing.T) {
	for in, want := range map[string]string{
		"0.02;0.05": "pass", "0.05;0.05": "pass", "0.06;≤0.05": "fail", "0.05;<0.05": "fail", "<0.01;0.05": "pass", "<0.1;0.05": "inconclusive", "ND;0.05": "pass", "未检出;不得检出": "pass",
		"检出;不得检出": "fail", "positive;negative": "fail", "0;absent": "pass", "3;absent": "fail", "<10;不得检出": "pass", "1,200;1000": "fail", "０．０２;0.05": "pass", "0.02mg/kg;0.05 mg/kg": "pass",
		"20μg/kg;0.05mg/kg": "", "0,02;0,05": "", "1.2e3;100": "", "1.2x10³;100": "", ">100;50": "", "78;": "", "ND;": "", "turbid;clear": "", "0,050;0.01": "",
	} {
		value, limit, _ := strings.Cut(in, ";")
		lines, _ := read(t, []byte("item\ttest\tresult\tlimit\tdate\tlaboratory\nurn:x:1\tt\t"+value+"\t"+limit+"\t2026-04-20\tL\n"))
		got := strings.TrimPrefix(lines[0], "A2 laboratory-test ")
		if got == "A2 nothing" {
			got = ""
		}
		if got != want {
			t.Errorf("%s is %q, want %q", in, got, want)
		}
	}
}

func TestRecognise(t *testing.T) {
	for text, want := range map[string]bool{chinese: true, english: true, "lot,qty\n1,2\n": false, "批号,数量,检测\n1,2,3\n": false} {
		if got := lab.Recognise(open(t, []byte(text))); got != want {
			t.Errorf("recognised %v, want %v: %q", got, want, text[:20])
		}
	}
	lines, _ := read(t, []byte("lot,lot number,test,verdict\n1,2,3,pass\n"))
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "COLUMN_TWICE") {
		t.Errorf("two columns of lots: %q", lines)
	}
}

// A report with more tests than a note holds says how many are left out, and never one that failed before one that passed.
func TestLongReport(t *testing.T) {
	var b strings.Builder
	b.WriteString("item,test,category,result,limit,date,laboratory\n")
	for i := range 300 {
		value := "0.01"
		if i == 299 {
			value = "7"
		}
		fmt.Fprintf(&b, "urn:x:1,pesticide %d,农药残留,%s,0.05,2026-04-20,Lab\n", i, value)
	}
	lines, records := read(t, []byte(b.String()))
	if diff := cmp.Diff([]string{"A2-A301 pesticide-residue fail", "  finding LAB_NOTE at A2"}, lines); diff != "" {
		t.Fatal(diff)
	}
	note := records[0].Inspection.Note
	if !strings.HasPrefix(note.EN, "pesticide 299: 7 (limit 0.05) failed; pesticide 0") || !strings.HasSuffix(note.EN, " more") || !strings.HasSuffix(note.ZH, "项") || len(note.EN) > 2100 {
		t.Errorf("the note has %d bytes: %s", len(note.EN), note.EN)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(chinese))
	f.Add([]byte(english))
	f.Fuzz(func(t *testing.T, b []byte) {
		book, err := sheet.Open(bytes.NewReader(b), int64(len(b)), sheet.Limits{Rows: 1000, Cell: 1000})
		if err != nil || !lab.Recognise(book) {
			return
		}
		r, err := lab.NewReader(book, lab.Options{})
		if err != nil {
			return
		}
		for {
			rec, problems, err := r.Next()
			if err != nil {
				return
			}
			if rec == nil != ingest.HasErrors(problems) || len(r.Places()) == 0 {
				t.Fatalf("%v with %v at %v", rec, problems, r.Places())
			}
		}
	})
}

// Nothing of a sheet is passed over without a word.
func TestNothingIsSilent(t *testing.T) {
	const head = "item,test,result,limit,date,laboratory,LOD,\n"
	const row = "urn:x:1,lead,0.01,0.05,2026-04-20,Lab,0.001,"
	lines, _ := read(t, []byte(head+row+"aside\n"+head+row+"\nTotal,,1\nGTIN,batch,product,test,verdict\n1,2,3,lead,pass\n"))
	want := []string{"A2-A4 heavy-metal pass", "A6 nothing", "  error TABLE_SECOND at A6", "A7 nothing", "  error TABLE_SECOND at A7",
		"finding COLUMN_UNKNOWN at G1", "finding COLUMN_UNNAMED at H2", "finding HEADER_AGAIN at A3", "finding ROW_IS_TOTAL at A5"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}
