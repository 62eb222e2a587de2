package formats_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/ingest/formats"
)

// Each layout is recognised by its own headings, and by no other's.
func TestLayouts(t *testing.T) {
	const mapped = "foodtrace: mapping/1\nname: x\nzone: UTC\ncolumns: {a: \"@A\", b: \"@B\"}\nrecords: [{site: {id: \"urn:x:{a}\", name: {en: \"{b}\"}}}]\n"
	for name, c := range map[string]struct {
		text, mapping, want string
	}{
		"FSMA 204":      {"TLC,Quantity,UOM,Product Description,Ship From Location,Ship To Location,Ship Date,Reference Document Type,Reference Document No\n", "", "*fsma204.Reader"},
		"laboratory":    {"Lot,Test,Result,Limit,Verdict,Date,Laboratory,Site\n", "", "*lab.Reader"},
		"laboratory zh": {"报告编号,商品条码,批号,检测项目,检测结果,单位,标准限值,单项判定,检测日期,检测机构\n", "", "*lab.Reader"},
		"mapping":       {"Lot,Test,Result\n1,2,3\n", mapped, "*mapping.Reader"},
	} {
		d, err := formats.Open(strings.NewReader(c.text), formats.Options{Mapping: []byte(c.mapping)})
		if c.mapping == "" {
			d, err = formats.Open(strings.NewReader(c.text), formats.Options{})
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := fmt.Sprintf("%T", d.Reader); got != c.want {
			t.Errorf("%s is read by %s, want %s", name, got, c.want)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}
