package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A farm, a packer and a kitchen of one firm send sheets. The food is traced to the field, and what an authority asks for is what they sent.
func TestSheetsThereAndBack(t *testing.T) {
	s := serve(t, t.TempDir())
	producer := s.as(s.producer)
	sheets := []struct{ name, text string }{
		{"harvest.csv", "Harvest Date,Farm,Commodity,Field,Quantity,UOM,ISR\n2026-04-20,Blue Farm,Lettuce,F-7,1000,lb,Packers\n"},
		{"packing.csv", "包装日期,包装地点,GTIN,批次,包装数量,包装单位,商品,收获地点,地块,收获日期,接收日期,接收数量,接收单位\n" +
			"2026年4月21日,Packers,09506000134352,L1,50,箱,Lettuce,Blue Farm,F-7,2026-04-20,2026-04-21,1000,磅\n"},
		{"kitchen.csv", "Date Transformed,Transform Location,Used GTIN,Used Lot,Used Qty,Used UOM,Produced GTIN,Produced Lot,Produced Qty,Produced UOM\n" +
			"2026-04-22,Kitchen,09506000134352,L1,10,CS,09506000134369,S-1,200,bags\n04/05/2026,Kitchen,09506000134352,L1,1,CS,09506000134369,S-2,20,bags\n"},
	}
	var code int
	var out string
	for _, sheet := range sheets {
		code, out, _ = run(t, slices.Concat([]string{"capture", writeFile(t, sheet.name, sheet.text)}, producer)...)
	}
	if code != exitNo || !strings.Contains(out, "DATE_AMBIGUOUS") || !strings.Contains(out, "1 accepted, 0 duplicates, 1 refused") {
		t.Errorf("exit %d\n%s", code, out)
	}
	const salad = "https://id.gs1.org/01/09506000134369/10/S-1"
	if tree := must(t, slices.Concat([]string{"trace", "back", salad}, producer)...); !strings.Contains(tree, ":harvest:") {
		t.Errorf("the trace does not end in the field:\n%s", tree)
	}

	dir := t.TempDir()
	book := filepath.Join(dir, "all.xlsx")
	must(t, slices.Concat([]string{"export", "fsma204", salad, "-o", book}, producer)...)
	if again := must(t, slices.Concat([]string{"capture", "-q", book}, producer)...); !strings.Contains(again, ": 0 accepted, 4 duplicates, 0 refused") {
		t.Errorf("what was exported is not what was sent: %s", again)
	}
	must(t, slices.Concat([]string{"export", "fsma204", salad, "--lang", "zh", "-o", filepath.Join(dir, "texts")}, producer)...)
	if text, err := os.ReadFile(filepath.Join(dir, "texts", "收获.csv")); err != nil || !strings.Contains(string(text), "Blue Farm,F-7") {
		t.Errorf("%s %v", text, err)
	}
	if code, _, said := run(t, slices.Concat([]string{"export", "fsma204", "https://id.gs1.org/01/09506000134369/10/NONE", "-o", book}, producer)...); code != exitNo || !strings.Contains(said, "no record names") {
		t.Errorf("exit %d: %s", code, said)
	}
}
