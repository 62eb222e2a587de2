package sheet_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// repeated is a workbook whose sheet, or shared strings, are a head, n times the middle, and a tail: small when zipped.
func repeated(t *testing.T, part, head, middle, tail string, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	b.Write(parts(t, "<worksheet><sheetData/></worksheet>", nil))
	old, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	must(t, err)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range old.File {
		if f.Name != part {
			must(t, z.Copy(f))
		}
	}
	w, err := z.Create(part)
	must(t, err)
	_, err = io.WriteString(w, head)
	must(t, err)
	block := strings.Repeat(middle, 1000)
	for range n / 1000 {
		_, err := io.WriteString(w, block)
		must(t, err)
	}
	_, err = io.WriteString(w, tail)
	must(t, err, z.Close())
	return out.Bytes()
}

// A file that is small and would become large ends with an answer, soon and without much memory.
func TestBombs(t *testing.T) {
	limits := sheet.Limits{Unzipped: 32 << 20, Strings: 4 << 20} // smaller than the defaults, to be soon there
	const cell = `<c t="str"><v>1</v></c>`
	for name, file := range map[string][]byte{
		"zeros":         repeated(t, "xl/worksheets/s.xml", "<worksheet><sheetData><row><c><v>", strings.Repeat("0", 1000), "", 2_000),
		"blanks":        repeated(t, "xl/worksheets/s.xml", "<worksheet>", strings.Repeat(" ", 1000), "", 2_000),
		"comments":      repeated(t, "xl/worksheets/s.xml", "<worksheet>", "<!--"+strings.Repeat("-x", 400)+"-->", "", 50_000),
		"empty rows":    repeated(t, "xl/worksheets/s.xml", "<worksheet><sheetData>", "<row/>", "</sheetData></worksheet>", 3_000_000),
		"cells":         repeated(t, "xl/worksheets/s.xml", "<worksheet><sheetData><row>", cell, "", 100_000),
		"nested":        repeated(t, "xl/worksheets/s.xml", "<worksheet>", "<a>", "", 3_000_000),
		"strings":       repeated(t, "xl/strings.xml", "<sst>", "<si><t>"+strings.Repeat("x", 1000)+"</t></si>", "</sst>", 20_000),
		"empty strings": repeated(t, "xl/strings.xml", "<sst>", "<si/>", "</sst>", 3_000_000),
		"styles":        repeated(t, "xl/styles.xml", "<s><cellXfs>", "<xf/>", "</cellXfs></s>", 100_000),
		"sheets":        repeated(t, "xl/workbook.xml", `<w xmlns:r="x"><sheets>`, `<sheet name="S" r:id="a"/>`, "</sheets></w>", 2000),
		"directory":     manyParts(t),
	} {
		t.Run(name, func(t *testing.T) {
			start, before := time.Now(), allocated()
			err := readAll(file, limits)
			var p *ingest.Problem
			if !errors.As(err, &p) || p.Code != sheet.CodeLimit && p.Code != sheet.CodeSyntax {
				t.Errorf("the answer is %v", err)
			}
			t.Logf("%d bytes: %v after %v, %d MiB", len(file), err, time.Since(start).Round(time.Millisecond), (allocated()-before)>>20)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys
}

// manyParts is an archive that lists a hundred thousand parts and says that it lists few.
func manyParts(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range 1<<16 + 3 {
		_, err := z.CreateRaw(&zip.FileHeader{Name: fmt.Sprint(i)})
		must(t, err)
	}
	must(t, z.Close())
	file := b.Bytes()
	binary.LittleEndian.PutUint16(file[len(file)-12:], 3) // entries
	binary.LittleEndian.PutUint16(file[len(file)-14:], 3)
	return file
}

func TestLimits(t *testing.T) {
	for name, limits := range map[string]sheet.Limits{"bytes": {Bytes: 10}, "rows": {Rows: 2}, "columns": {Columns: 2}, "cell": {Cell: 4}} {
		for format, file := range map[string][]byte{
			"text":     []byte("a,b,c\n1,2,three\n4,5,6\n"),
			"workbook": write(t, sheet.XLSX, sheet.Texts("a", "b", "c"), sheet.Texts("1", "2", "three"), sheet.Texts("4", "5", "6")),
		} {
			var p *ingest.Problem
			if err := readAll(file, limits); !errors.As(err, &p) || p.Code != sheet.CodeLimit {
				t.Errorf("%s, %s: the answer is %v", name, format, err)
			}
		}
	}
}
