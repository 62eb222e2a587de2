package capture_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// notes reads the last column of a table, and checks that the others are as they were.
func notes(t *testing.T, file []byte, rows [][]string) (notes []string) {
	t.Helper()
	b, err := sheet.Open(bytes.NewReader(file), int64(len(file)), sheet.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range b.Sheets()[0].Rows() {
		if err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, c := range row.Cells {
			cells = append(cells, c.Text)
		}
		width := len(rows[0])
		if diff := cmp.Diff(rows[row.Number-1], cells[:width]); diff != "" {
			t.Errorf("row %d: %s", row.Number, diff)
		}
		notes = append(notes, strings.Join(cells[width:], "|"))
	}
	return notes
}

func (b *bench) sendSheet(req capture.Request) capture.Job {
	b.Helper()
	req.Member, req.Proceed = "producer", true
	job, err := b.service.Receive(b.Context(), req)
	if err != nil {
		b.Fatal(err)
	}
	return b.end(job.ID)
}

func (b *bench) table(id string, language capture.Language) []byte {
	b.Helper()
	table, err := b.service.Table(b.Context(), "producer", id)
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
			want := []string{"Outcome", first, "refused\nDATE ", first, "duplicate"}
			for i := range want {
				if !strings.HasPrefix(got[i], want[i]) {
					t.Errorf("stream %v, row %d: %q, not %q", stream, i+1, got[i], want[i])
				}
			}
			if got := notes(t, b.table(job.ID, capture.Chinese), rows); got[0] != "结果" || !strings.HasPrefix(got[2], "已拒绝\nDATE ") || !strings.Contains(got[2], "A3：不是日期（") {
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
