// Package formatstest makes documents for benchmarks and tests.
package formatstest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// Landings is a sheet of landings (FSMA 204) with Chinese headings. Each row is an event of a lot of its own, whose code begins with prefix.
func Landings(tb testing.TB, format sheet.Format, prefix string, rows int) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := sheet.NewWriter(&out, format)
	err := errors.Join(w.Sheet("Landing"), w.Row(sheet.Texts("上岸日期", "上岸地点", "GTIN", "批次", "物种", "数量", "单位", "捕捞开始日期", "捕捞结束日期", "捕捞区域", "渔船", "单据类型", "单据编号")...))
	for i := range rows {
		day := time.Date(2026, 1, 1+i%300, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		err = errors.Join(err, w.Row(sheet.Texts(day, fmt.Sprint("Works ", i%40), "09506000134352", fmt.Sprint(prefix, i), "Albacore", fmt.Sprint(100+i%900), "公斤", day, day, "77", "Aurora", "Catch Certificate", fmt.Sprint("CC-", prefix, i))...))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}
