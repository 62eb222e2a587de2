package sheet_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// Whatever the bytes are, there are rows in order, or a problem with a code.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(simplified))
	f.Add([]byte("sep=;\na;b\n\"1\";=\"2\""))
	var b bytes.Buffer
	w := sheet.NewWriter(&b, sheet.XLSX)
	if err := errors.Join(w.Sheet("S"), w.Row(sheet.Texts("a", "b")...), w.Close()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		check(t, readInOrder(b))
	})
}

// FuzzSheetXML puts any text where a workbook has the XML of a sheet.
func FuzzSheetXML(f *testing.F) {
	f.Add(`<worksheet><sheetData><row r="3"><c r="B3" t="str"><v>a&amp;&#x4e2d;</v></c><c><v>1</v></c></row></sheetData></worksheet>`)
	f.Add(`<x:worksheet xmlns:x='m'><!-- c --><x:sheetData><x:row/><x:row><x:c t="inlineStr"><x:is><x:t><![CDATA[<]]></x:t></x:is></x:c></x:row></x:sheetData></x:worksheet>`)
	f.Fuzz(func(t *testing.T, text string) {
		b := parts(t, text, nil)
		err := readInOrder(b)
		check(t, err)
		if err != nil {
			return
		}
		var out bytes.Buffer
		book := open(t, b)
		if err := sheet.Annotate(&out, book, "t", func(*sheet.Sheet, int) string { return "x" }); err != nil {
			check(t, err)
			return
		}
		check(t, readInOrder(out.Bytes()))
	})
}

func check(t *testing.T, err error) {
	t.Helper()
	var p *ingest.Problem
	if err != nil && (!errors.As(err, &p) || p.Code == "" || p.Message == "") {
		t.Fatalf("the answer is %v", err)
	}
}

func readInOrder(b []byte) error {
	book, err := sheet.Open(bytes.NewReader(b), int64(len(b)), sheet.Limits{Unzipped: 8 << 20, Strings: 1 << 20})
	if err != nil {
		return err
	}
	for _, s := range book.Sheets() {
		last := 0
		for row, err := range s.Rows() {
			if err != nil {
				return err
			}
			if row.Number <= last || len(row.Cells) == 0 {
				return errors.New("rows out of order")
			}
			last = row.Number
		}
	}
	return nil
}

// FuzzDate: a text is a date that a calendar has, or there is a reason why it is none.
func FuzzDate(f *testing.F) {
	for _, s := range []string{"2026-04-20", "2026年4月20日 下午3:05", "20-Apr-2026 8:30:15 PM", "4/5/26", "20260420", "46132.5", "April 20, 2026", "2026-04-20T08:30:00+08:00", "８：３０"} {
		f.Add(s, uint8(sheet.MonthFirst))
	}
	f.Fuzz(func(t *testing.T, s string, order uint8) {
		m, bad := sheet.Cell{Text: s, Kind: sheet.Text}.Date(sheet.Order(order % 3))
		if bad != nil {
			if bad.Code == "" || bad.Why == "" {
				t.Errorf("%q is refused without a reason", s)
			}
			return
		}
		if m.Civil.Year() < 1899 || m.Civil.Year() > 2200 || !m.Clock && !m.Civil.Equal(m.Civil.Truncate(24*time.Hour)) {
			t.Errorf("%q is %+v", s, m)
		}
	})
}
