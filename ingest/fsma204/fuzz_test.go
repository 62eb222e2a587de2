package fsma204

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// FuzzCells puts arbitrary cells below a known header. Nothing fails, what is read is an event, and written and read again it is the same one.
// Cells are separated by "|", rows by line feeds; the first cells of a row that is too short are those that name the lot and the date.
func FuzzCells(f *testing.F) {
	f.Add(uint8(4), "9506000134352|L1|230101|PACK DATE|77|395060001343500010|me|10 CS|Lettuce|Store|9506000134369|DC|9506000134376|2026-04-20\nx||||||||||||04/05/2026")
	f.Add(uint8(0), "Ticket|1|Lettuce|-|1,200.5|lbs|Farm|F-7|Doe|2026-04-20|Packers")
	f.Add(uint8(1), "Order|1|Lettuce|-|1|斤|Cooler|2026年4月20日 下午3:00|Farm|Packers")
	f.Add(uint8(2), "WO|1|Lettuce||2026-04-20|100|kg|Farm|F-7|Doe|45078|Cooler|2026-04-20|9506000134352|L1|p|230101|Pack|Desc|5|CS|Packers|2026-04-21\n||Lettuce||2026-04-20|5|kg|Farm|F-8|Doe|2026-04-20")
	f.Add(uint8(3), "WO|1|9506000134352|T-1|||| Tuna|Desc|5|kg|2026-04-01|2026-04-03|77|Aurora|Pier|2026-04-21")
	f.Add(uint8(5), "12345678905|=1+1||||me|5|Desc|A|B|20 Apr 2026|1234567890123|1|http://a|2|x|ASN 7|N|S|C|S|US|1|555|urn:a:b|TLC 1")
	f.Add(uint8(6), "WO|1|9506000134352|L1||||10|CS|Romaine|SKU|L2|||Best|Kitchen|||||2026-04-22|Salad|5|bags|TLC|urn:x:y|Somewhere\n||9506000134352|L9||||1|CS")
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		l := &layouts[int(which)%len(required)]
		var rows [][]string
		for row := range strings.SplitSeq(strings.ToValidUTF8(text, ""), "\n") {
			rows = append(rows, strings.Split(row, "|"))
		}
		thereAndBack(t, l, rows)
	})
}

// What people type, in columns that it belongs to and in others.
var typed = []string{"", "", "", "-", "2026-04-20", "20 Apr 2026", "04/05/2026", "45078", "2026-04-20 08:30", "8:30 PM", "230101", "-07:00", "9506000134352", "12345678905",
	"395060001343500010", "9506000134376", "urn:x:y", "https://id.gs1.org/01/09506000134352/10/Z", "https://id.gs1.org/414/9506000134376", "L1", "L2", "10", "1,200.5", "10 CS",
	"ten", "CS", "lbs", "斤", "Packers", "PACKERS", "Farm", "=1+1", "*", "INV 7", "Work Order", "9.5E+12", "#N/A", "TRUE", "a:b", "芽菜", "%zz", "\"q\"", "'=x", "0", "00123", "N/A"}

func TestTypedCells(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		l := &layouts[random.IntN(len(required))]
		columns := len(l.all())
		var rows [][]string
		for range 1 + random.IntN(3) {
			row := make([]string, columns)
			for i, f := range l.all() {
				switch {
				case fields[f].kind == date && random.IntN(3) > 0:
					row[i] = typed[4+random.IntN(5)]
				case random.IntN(2) > 0:
					row[i] = typed[random.IntN(len(typed))]
				}
			}
			if n := len(rows); n > 0 && random.IntN(2) > 0 { // another input of the same lot
				for i, f := range l.all() {
					if fields[f].about != theInput {
						row[i] = rows[n-1][i]
					}
				}
			}
			rows = append(rows, row)
		}
		if thereAndBack(t, l, rows); t.Failed() {
			t.Fatalf("%s: %q", l.en, rows)
		}
	}
}

// thereAndBack reads rows, writes what they say and reads it again.
func thereAndBack(t *testing.T, l *layout, cells [][]string) {
	t.Helper()
	var header []string
	for _, f := range l.all() {
		header = append(header, (&Writer{}).title(l.cte, f))
	}
	var rows [][]sheet.Cell
	for _, row := range cells {
		rows = append(rows, sheet.Texts(row[:min(len(row), len(header))]...))
	}
	events := readTable(t, table{name: l.en, header: header, rows: rows})
	w := NewWriter(English)
	for _, e := range events {
		if _, err := event.Marshal(e); err != nil {
			t.Error(err)
		}
		if e.Time.IsZero() || len(e.Items()) == 0 || !w.Add(e) {
			t.Errorf("no event of a lot: %s", e.PreHash())
		}
	}
	var back []*event.Event
	for _, table := range w.tables() {
		back = append(back, readTable(t, table)...)
	}
	if diff := cmp.Diff(preHashes(events), preHashes(back)); diff != "" {
		t.Errorf("written and read again: %s", diff)
	}
}

func preHashes(events []*event.Event) (all []string) {
	for _, e := range events {
		all = append(all, e.PreHash())
	}
	slices.Sort(all)
	return slices.Compact(all) // equal rows are one event
}

func readTable(t *testing.T, table table) (events []*event.Event) {
	var out bytes.Buffer
	w := sheet.NewWriter(&out, sheet.CSV)
	if err := errors.Join(table.write(w), w.Close()); err != nil {
		t.Fatal(err)
	}
	book, err := sheet.Open(bytes.NewReader(out.Bytes()), int64(out.Len()), sheet.Limits{})
	if err != nil {
		return nil // control characters
	}
	r := NewReader(book, Options{Sender: "S"})
	for {
		record, problems, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return events
		case err != nil:
			return nil
		case record != nil:
			events = append(events, record.Event)
		case len(problems) == 0:
			t.Fatal("a row is refused without a reason")
		}
	}
}
