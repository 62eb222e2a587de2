package sheet_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

var awkward = []string{"=1+1", "+86 10", "-5 °C", "@x", "\tx", `"q"`, "a,b;c", "line\nbreak", "'=x", "'plain", "<&>", "a_x0041_b", "中文", ""}

func write(t *testing.T, format sheet.Format, rows ...[]sheet.Cell) []byte {
	t.Helper()
	var b bytes.Buffer
	w := sheet.NewWriter(&b, format)
	must(t, w.Sheet("问题: all/of them"))
	for _, row := range rows {
		must(t, w.Row(row...))
	}
	must(t, w.Close())
	return b.Bytes()
}

// What is written comes back as it was, and no cell of it is a formula.
func TestWrite(t *testing.T) {
	for _, format := range []sheet.Format{sheet.CSV, sheet.XLSX} {
		b := write(t, format, sheet.Texts("a", "b"), sheet.Texts(awkward...), []sheet.Cell{{Text: "-12.50", Kind: sheet.Number}, {Text: "TRUE", Kind: sheet.Bool}})
		var want []string
		for _, s := range awkward[:len(awkward)-1] {
			want = append(want, strings.TrimSpace(s))
		}
		got := first(t, b)
		if format == sheet.CSV {
			want = append(want, "")
		}
		if diff := cmp.Diff([]string{"1: a|b", "2: " + strings.Join(want, "|"), "3: -12.50|TRUE"}, got); diff != "" {
			t.Errorf("format %d: %s", format, diff)
		}
	}
	for _, line := range strings.Split(string(write(t, sheet.CSV, sheet.Texts("x", "y"), sheet.Texts("=1", "@a"), sheet.Texts("-1", "+1"))), "\r\n")[1:3] {
		for _, field := range strings.Split(line, ",") {
			if field[0] != '\'' {
				t.Errorf("a spreadsheet takes %q for a formula", field)
			}
		}
	}
	x, err := excelize.OpenReader(bytes.NewReader(write(t, sheet.XLSX, sheet.Texts(awkward...))))
	must(t, err)
	defer x.Close()
	name := x.GetSheetName(0)
	value, err := x.GetCellValue(name, "A1")
	must(t, err)
	formula, err := x.GetCellFormula(name, "A1")
	must(t, err)
	if name != "问题_ all_of them" || value != "=1+1" || formula != "" {
		t.Errorf("excelize reads sheet %q, A1 %q with formula %q", name, value, formula)
	}
}

func TestAnnotateText(t *testing.T) {
	b, err := simplifiedGBK("发货单,,\n批次,\"数量, 件\",备注\n\nL1,5\nL2,\"6\"\"\",\"a\nb\",extra\n")
	must(t, err)
	var out bytes.Buffer
	must(t, sheet.Annotate(&out, open(t, b), "问题", note))
	want := "\ufeff发货单,,,,问题\r\n批次,\"数量, 件\",备注\r\n\r\nL1,5,,,\"'=wrong, in row 4\"\r\nL2,\"6\"\"\",\"a\nb\",extra,\"'=wrong, in row 5\"\r\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func note(_ *sheet.Sheet, row int) string {
	if row < 4 || row > 5 {
		return ""
	}
	return fmt.Sprintf("=wrong, in row %d", row)
}

func TestAnnotateWorkbook(t *testing.T) {
	b := book(t, func(x *excelize.File) {
		for cell, v := range map[string]any{"A1": "批次", "B1": "数量", "A4": "L1", "B4": 5, "C5": "<extra>"} {
			must(t, x.SetCellValue("Sheet1", cell, v))
		}
		style(t, x, "B4", "0.00")
		must(t, x.SetRowHeight("Sheet1", 7, 30))
	})
	var out bytes.Buffer
	must(t, sheet.Annotate(&out, open(t, b), "问题", note))
	want := []string{"1: 批次|数量||问题", "4: L1|5||=wrong, in row 4", "5: ||<extra>|=wrong, in row 5"}
	if diff := cmp.Diff(want, first(t, out.Bytes())); diff != "" {
		t.Error(diff)
	}
	x, err := excelize.OpenReader(bytes.NewReader(out.Bytes()))
	must(t, err)
	defer x.Close()
	for cell, want := range map[string]string{"B4": "5.00", "D4": "=wrong, in row 4", "D1": "问题"} {
		if got, err := x.GetCellValue("Sheet1", cell); err != nil || got != want {
			t.Errorf("excelize reads %q at %s (%v), want %q", got, cell, err, want)
		}
	}
	prefixed := parts(t, `<x:worksheet xmlns:x="m"><!-- c --><x:sheetData><x:row r='4' spans='1:1' ht="3"><x:c r="A4"><x:v>1</x:v></x:c></x:row ><x:row r="5"/></x:sheetData></x:worksheet>`, nil)
	out.Reset()
	must(t, sheet.Annotate(&out, open(t, prefixed), "t", note))
	if diff := cmp.Diff([]string{"4: 1|t: =wrong, in row 4"}, first(t, out.Bytes())); diff != "" {
		t.Error(diff)
	}
}

// TestAnnotateBehindFormats: cells with a format and no value, which people's sheets are full of, are columns too: the one with the notes
// stands behind them, not among them.
func TestAnnotateBehindFormats(t *testing.T) {
	b := book(t, func(x *excelize.File) {
		for cell, v := range map[string]any{"A1": "批次", "B1": "数量", "A4": "L1", "B4": 5} {
			must(t, x.SetCellValue("Sheet1", cell, v))
		}
		for _, cell := range []string{"C1", "D1", "E6"} {
			style(t, x, cell, "0.00")
		}
	})
	var out bytes.Buffer
	must(t, sheet.Annotate(&out, open(t, b), "问题", note))
	want := []string{"1: 批次|数量||||问题", "4: L1|5||||=wrong, in row 4"}
	if diff := cmp.Diff(want, first(t, out.Bytes())); diff != "" {
		t.Error(diff)
	}
}
