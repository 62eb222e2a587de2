package mapping_test

import (
	"bytes"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/ingest/mapping"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// FuzzSuggest: what is proposed for a sheet is a mapping file.
func FuzzSuggest(f *testing.F) {
	f.Add([]byte(export))
	f.Add([]byte("单据编号,单据日期,商品条码,批次号,数量,单位\nCK1,2026/4/20,6901234567892,\"A\"\"{}\",120.5,公斤\n"))
	f.Add([]byte("数量,批号,a\x7f\u0085\u2028\u009f\ufeff\uffff\U0010ffff,b\n5,A\x7f\u2028,c\x7f,d\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		book, err := sheet.Open(bytes.NewReader(b), int64(len(b)), sheet.Limits{Rows: 1000, Cell: 1000})
		if err != nil {
			return
		}
		file, err := mapping.Suggest(book)
		if err != nil {
			return
		}
		if m, problems := mapping.Load([]byte(file)); m == nil {
			t.Fatalf("%v\n%s", problems, file)
		}
	})
}
