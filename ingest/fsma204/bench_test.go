package fsma204_test

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/ingest/fsma204"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// shipments is a CSV of n rows.
func shipments(n int) string {
	var b strings.Builder
	b.WriteString("Ship Date,GTIN,Lot,Qty & UOM,Product Description,Ship-From Location,Ship-From Location ID,Ship-To Location,Ship-To Location ID,TLC Source,Ref Doc\n")
	for i := range n {
		b.WriteString("2026-04-20,09506000134352,L" + strconv.Itoa(i) + ",10 CS,Romaine hearts 24 count,Packers,9506000134376,Store 7,9506000134369,Packers,BOL 9\n")
	}
	return b.String()
}

// BenchmarkRead reads shipments as events; /sheet reads the same cells and makes nothing of them.
func BenchmarkRead(b *testing.B) {
	text := shipments(10_000)
	open := func() *sheet.Book { return openBook(b, []byte(text)) }
	b.Run("events", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			r := fsma204.NewReader(open(), options)
			for {
				if _, _, err := r.Next(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("sheet", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			book := open()
			for _, err := range book.Sheets()[0].Rows() {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
