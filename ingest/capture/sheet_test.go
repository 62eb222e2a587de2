package capture_test

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/ingest/formats"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// landing is a sheet of landings (FSMA 204): two that are good, one without a quantity, and one that is there twice.
func landing() [][]string {
	row := func(lot, date string) []string {
		return []string{date, "Works", "09506000134352", lot, "=Albacore", "800", "公斤", "2026-04-20", "2026-04-24", "77", "Aurora", "Catch Certificate", "CC-1"}
	}
	return [][]string{
		{"上岸日期", "上岸地点", "GTIN", "批次", "物种", "数量", "单位", "捕捞开始日期", "捕捞结束日期", "捕捞区域", "渔船", "单据类型", "单据编号"},
		row("T-1", "2026-04-25"), row("T-2", "yesterday"), row("T-3", "2026-04-25"), row("T-1", "2026-04-25"),
	}
}

// book writes rows as a file.
func book(t *testing.T, format sheet.Format, rows [][]string) string {
	t.Helper()
	var b bytes.Buffer
	w := sheet.NewWriter(&b, format)
	err := w.Sheet("上岸")
	for _, r := range rows {
		err = errors.Join(err, w.Row(sheet.Texts(r...)...))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// notes reads the last column of a table, as other programs see it, and checks that the others are as they were.
func notes(t *testing.T, file []byte, rows [][]string) (notes []string) {
	t.Helper()
	for i, cells := range cells(t, file) {
		width := len(rows[0])
		if diff := gocmp.Diff(rows[i], cells[:width]); diff != "" {
			t.Errorf("row %d: %s", i+1, diff)
		}
		notes = append(notes, strings.Join(cells[width:], "|"))
	}
	return notes
}

// cells are those of a file's first sheet.
func cells(t *testing.T, file []byte) (rows [][]string) {
	t.Helper()
	var err error
	if text, isText := bytes.CutPrefix(file, []byte("\ufeff")); isText {
		r := csv.NewReader(bytes.NewReader(text))
		r.FieldsPerRecord = -1
		rows, err = r.ReadAll()
		for _, row := range rows {
			for i := range row {
				row[i] = strings.TrimPrefix(row[i], "'") // that keeps a text from being a formula
			}
		}
	} else {
		var x *excelize.File
		if x, err = excelize.OpenReader(bytes.NewReader(file)); err == nil {
			defer x.Close()
			rows, err = x.GetRows(x.GetSheetName(0))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func (b *bench) sendSheet(req capture.Request) capture.Job {
	b.Helper()
	req.Member, req.Proceed = cmp.Or(req.Member, "producer"), true
	job, err := b.service.Receive(b.Context(), req)
	if err != nil {
		b.Fatal(err)
	}
	return b.end(job.ID)
}

func (b *bench) table(id string, language capture.Language) []byte {
	b.Helper()
	table, err := b.service.Table(b.Context(), "", id)
	if err != nil {
		b.Fatal(err)
	}
	var out bytes.Buffer
	if err := table.Write(b.Context(), &out, language); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// A sheet comes back as it was sent, with what became of each row; from memory and as a stream.
func TestSheet(t *testing.T) {
	b := newBench(t)
	rows := landing()
	for _, stream := range []bool{false, true} {
		for _, format := range []sheet.Format{sheet.CSV, sheet.XLSX} {
			if stream {
				b.service.Stream(10)
			}
			job := b.sendSheet(capture.Request{Name: "landing", Body: strings.NewReader(book(t, format, rows))})
			if job.Evidence.MediaType != format.MediaType() || job.Through() != 4 || job.Refused != 1 || job.Accepted+job.Duplicates != 3 {
				t.Fatal(brief(job), job.Evidence)
			}
			first := "accepted"
			if job.Accepted == 0 {
				first = "duplicate"
			}
			got := notes(t, b.table(job.ID, capture.English), rows)
			want := []string{sheet.AnswerEN, first, "refused\nDATE ", first, "duplicate"}
			for i := range want {
				if !strings.HasPrefix(got[i], want[i]) {
					t.Errorf("stream %v, row %d: %q, not %q", stream, i+1, got[i], want[i])
				}
			}
			if got := notes(t, b.table(job.ID, capture.Chinese), rows); got[0] != sheet.AnswerZH || !strings.HasPrefix(got[2], "已拒绝\nDATE ") || !strings.Contains(got[2], "A3：不是日期（") {
				t.Errorf("%q", got)
			}
		}
	}
}

// What cannot be read as a sheet has a table all the same, with the reason.
func TestTableOfWhatIsNoSheet(t *testing.T) {
	b := newBench(t)
	for name, test := range map[string]struct{ doc, code string }{
		"columns that nobody knows": {"apple,pear\n1,2\n", "SHEET_LAYOUT"},
		"a text that breaks off":    {book(t, sheet.CSV, landing()) + `"never closed`, "SHEET_SYNTAX"},
		"a damaged workbook":        {book(t, sheet.XLSX, landing())[:500], "SHEET_SYNTAX"},
	} {
		job := b.sendSheet(capture.Request{Body: strings.NewReader(test.doc)})
		file := b.table(job.ID, capture.English)
		book, err := sheet.Open(bytes.NewReader(file), int64(len(file)), sheet.Limits{})
		if err != nil {
			t.Fatal(name, err)
		}
		found := false
		for row, err := range book.Sheets()[0].Rows() {
			found = found || err == nil && row.Cell(0).Kind == sheet.Empty && row.Cell(3).Text == test.code
		}
		if !found || !hasRefusal(job, test.code) {
			t.Errorf("%s: %s\n%s", name, brief(job), file)
		}
	}
}

const mappingFile = `foodtrace: mapping/1
name: stock
zone: Asia/Shanghai
columns: {lot: Lot, day: Day}
records:
  - event:
      type: ObjectEvent
      action: ADD
      bizStep: commissioning
      eventTime: "{day|time:08:00}"
      quantityList: [{epcClass: "urn:example:lot:{lot}", quantity: 5, uom: KGM}]
`

// A sheet that came back is corrected and sent again as it is: what was accepted is known, what was corrected is accepted, and our column is nothing.
func TestSentAgain(t *testing.T) {
	b := newBench(t)
	const laboratory = "urn:example:lot:tested"
	for name, test := range map[string]struct {
		member  string
		rows    [][]string
		mapping string
		wrong   string // the cell
		right   string
	}{
		"mapped":     {"", [][]string{{"某某农场 发货表"}, {"Lot", "Day", "Outcome"}, {"A", "2026-05-01", "fine"}, {"B", "someday", "fine"}}, mappingFile, "someday", "2026-05-02"},
		"laboratory": {"regulator", [][]string{{"追溯码", "检测项目", "结果", "限量", "检测日期", "检测机构"}, {laboratory, "镉", "0.01", "0.05", "2026-05-01", "某某检测"}, {laboratory, "铅", "0.02", "0.05", "五月", "某某检测"}}, "", "五月", "2026-05-02"},
		"FSMA 204":   {"", landing()[:3], "", "yesterday", "2026-04-25"},
	} {
		for _, format := range []sheet.Format{sheet.CSV, sheet.XLSX} {
			for _, language := range []capture.Language{capture.Chinese, capture.English} {
				req := capture.Request{Member: test.member, Body: strings.NewReader(book(t, format, test.rows)), Mapping: []byte(test.mapping)}
				if test.mapping == "" {
					req.Mapping = nil
				}
				first := b.sendSheet(req)
				if first.Refused != 1 || first.Accepted+first.Duplicates != 1 {
					t.Fatal(name, brief(first))
				}
				corrected := cells(t, b.table(first.ID, language))
				for _, row := range corrected {
					for i := range row {
						row[i] = strings.Replace(row[i], test.wrong, test.right, 1)
					}
				}
				req.Body = strings.NewReader(book(t, format, corrected))
				second := b.sendSheet(req)
				if second.Refused != 0 || second.Accepted+second.Duplicates != 2 || second.Duplicates == 0 {
					t.Errorf("%s: %s\n%q", name, brief(second), corrected)
				}
				for _, p := range second.Problems {
					if strings.HasPrefix(p.Code, "COLUMN") {
						t.Errorf("%s: %+v", name, p)
					}
				}
			}
		}
	}
}

// A mapping goes with the job: it is there when the job is taken up again.
func TestMappingIsKept(t *testing.T) {
	b := newBench(t)
	req := capture.Request{Member: "producer", Body: strings.NewReader("Lot,Day\nA,2026-05-01\nB,2026-05-02\n"), Mapping: []byte(mappingFile), Proceed: true}
	if err := b.service.Close(); err != nil {
		t.Fatal(err)
	}
	mortal := &dying{Ledger: b.ledger, n: 0, died: make(chan struct{})}
	b.open(mortal)
	job, err := b.service.Receive(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	<-mortal.died
	if err := b.service.Close(); err != nil {
		t.Fatal(err)
	}
	b.open(b.ledger)
	if job = b.end(job.ID); job.Accepted != 2 || job.Refused != 0 {
		t.Error(brief(job))
	}
}

// What cannot be read as wanted is refused before anything is kept.
func TestOptionsAreChecked(t *testing.T) {
	b := newBench(t)
	_, err := b.service.Receive(t.Context(), capture.Request{Member: "producer", Body: strings.NewReader("a,b\n"), Mapping: []byte("no: mapping"), Zone: "Local", Dates: "sometimes"})
	var options *capture.OptionsError
	if !errors.As(err, &options) || len(options.Problems) < 3 || options.Problems[len(options.Problems)-2].Code != formats.CodeOption || options.Problems[len(options.Problems)-1].Pointer != "dates" {
		t.Error(err)
	}
	_, err = b.service.Receive(t.Context(), capture.Request{Member: "producer", Body: io.MultiReader(strings.NewReader("a,b\n"), neverRead{t}), Zone: "nowhere"})
	if !errors.As(err, &options) {
		t.Error(err)
	}
}

type neverRead struct{ t *testing.T }

func (n neverRead) Read([]byte) (int, error) {
	n.t.Error("it was read")
	return 0, io.EOF
}
