package sheet_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// What stands below the headings is read, or something is said of it.
func TestTable(t *testing.T) {
	b := open(t, []byte("lot,qty,,date\nL1,5,x,2026-04-20\nL2,6,y,2026-04-20,z\nlot,qty,,date\nL3,7,,2026-04-20\n批次,地块,品种\nF1,North,Lettuce\n,,\nlot,qty,,date\nL4,8,,2026-04-20\n"))
	s := &b.Sheets()[0]
	var table *sheet.Table
	var got []string
	for row, err := range s.Rows() {
		must(t, err)
		if table == nil {
			table = s.Below([]sheet.Row{row}, func(r *sheet.Row) bool {
				return sheet.IsHeader(r, func(text string) bool { return text == "批次" || text == "品种" })
			}, 4)
			continue
		}
		read, said := table.Check(&row)
		got = append(got, fmt.Sprint(row.Number, " ", read))
		for _, p := range said {
			got = append(got, fmt.Sprintf("  %s %s %s", p.Severity, p.Code, p.Pointer))
		}
	}
	want := []string{"2 true", "  finding COLUMN_UNNAMED C2", "3 true", "4 false", "  finding HEADER_AGAIN A4", "5 true", "6 false", "  error TABLE_SECOND A6",
		"7 false", "  error TABLE_SECOND A7", "9 false", "  finding HEADER_AGAIN A9", "10 true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTotals(t *testing.T) {
	for text, want := range map[string]bool{"合计：,,12": true, ",总 计,,１２ 箱": true, "TOTAL,,\"1,200\"": true, "Total,L1,Lettuce": false, "共计划,5": false, "L1,合计": false, "12,13": false} {
		for row, err := range open(t, []byte(text+"\n,,\n")).Sheets()[0].Rows() {
			must(t, err)
			if got := sheet.IsTotal(&row); got != want {
				t.Errorf("%q: %v", text, got)
			}
		}
	}
}

func TestNotes(t *testing.T) {
	for text, want := range map[string]bool{"制表：李四,,审核：王五": true, "负责人签字：,日期:": true, "Checked by: J. Doe,": true, "制表:李四,": true, "urn:x:1,urn:x:2": false, "制表：李四,5": false, "2026-04-20 08: x": false} {
		for row, err := range open(t, []byte(text+"\n,,\n")).Sheets()[0].Rows() {
			must(t, err)
			if got := sheet.IsNote(&row); got != want {
				t.Errorf("%q: %v", text, got)
			}
		}
	}
}

// Our own column is no part of a sheet that came back, wherever its heading stands.
func TestAnswers(t *testing.T) {
	b := open(t, []byte("some title\ntitle,,"+sheet.AnswerZH+"\nlot,qty,,"+sheet.AnswerEN+"\nL1,5,refused,accepted\n,,note of ours,\n"))
	var got []string
	for row, err := range b.Sheets()[0].Rows() {
		must(t, err)
		line := fmt.Sprint(row.Number)
		for _, c := range row.Cells {
			line += "|" + c.Text
		}
		got = append(got, line)
	}
	if diff := cmp.Diff([]string{"1|some title", "2|title||", "3|lot|qty||", "4|L1|5||"}, got); diff != "" {
		t.Error(diff)
	}
}
