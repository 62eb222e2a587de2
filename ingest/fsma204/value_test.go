package fsma204

import (
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

func TestDates(t *testing.T) {
	tests := []struct {
		text  string
		order DateOrder
		want  string // ISO 8601, or a code
	}{
		{"2026-04-20", Unstated, "2026-04-20"},
		{"2026/4/2", Unstated, "2026-04-02"},
		{"2026.4.2", Unstated, "2026-04-02"},
		{"2026年4月2日", Unstated, "2026-04-02"},
		{"２０２６年４月２日", Unstated, "2026-04-02"},
		{"20260402", Unstated, "2026-04-02"},
		{"2026-04-20 00:00:00", Unstated, "2026-04-20"},
		{"2026-04-20 08:30", Unstated, "2026-04-20T08:30:00"},
		{"2026-04-20T08:30:15.25-07:00", Unstated, "2026-04-20T08:30:15.25-07:00"},
		{"2026年4月20日 下午2:05", Unstated, "2026-04-20T14:05:00"},
		{"2026年4月20日14时05分", Unstated, "2026-04-20T14:05:00"},
		{"20 Apr 2026", Unstated, "2026-04-20"},
		{"20-April-2026", Unstated, "2026-04-20"},
		{"Apr 20, 2026", Unstated, "2026-04-20"},
		{"Sept. 3rd, 2026 8:30 PM", Unstated, "2026-09-03T20:30:00"},
		{"12 am", Unstated, "DATE"},
		{"4/20/2026", Unstated, "2026-04-20"},
		{"20.04.2026", Unstated, "2026-04-20"},
		{"03 25 2026", Unstated, "2026-03-25"},
		{"4/4/2026", Unstated, "2026-04-04"},
		{"4/20/2026 12:15 AM", Unstated, "2026-04-20T00:15:00"},
		{"04/01/2026", Unstated, "DATE_AMBIGUOUS"},
		{"04/01/2026", MonthFirst, "2026-04-01"},
		{"04/01/2026", DayFirst, "2026-01-04"},
		{"20/04/2026", MonthFirst, "2026-04-20"},
		{"4/20/26", Unstated, "DATE_AMBIGUOUS"},
		{"260420", Unstated, "DATE_AMBIGUOUS"},
		{"45078", Unstated, "2023-06-01"},
		{"45078.354166666664", Unstated, "2023-06-01T08:30:00"},
		{"12345", Unstated, "DATE"},
		{"2026-02-30", Unstated, "DATE"},
		{"13/13/2026", Unstated, "DATE"},
		{"2026-04-20 25:00", Unstated, "DATE"},
		{"2026-04-20 13:00 PM", Unstated, "DATE"},
		{"0026-04-20", Unstated, "DATE"},
		{"last Tuesday", Unstated, "DATE"},
		{"Foo 20, 2026", Unstated, "DATE"},
	}
	for _, test := range tests {
		m, _, bad := readDate(sheet.Cell{Text: test.text, Kind: sheet.Text}, test.order)
		got := m.text()
		if bad != nil {
			got = string(bad.code)
			if bad.message == "" {
				t.Errorf("%q: no sentence", test.text)
			}
		}
		if got != test.want {
			t.Errorf("%q: %s, want %s", test.text, got, test.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]string{"100": "100", "1,200": "1200", "1,200.5": "1200.5", "1 200": "1200", "1'200.25": "1200.25", "1.200,5": "1200.5",
		"12,5": "12.5", "0.25": "0.25", "１２": "12", "1,20,0": "", "-5": "", "ten": "", "": "", "1e3": "1000"} {
		d, ok := readNumber(text)
		if ok != (want != "") || ok && d.String() != want {
			t.Errorf("%q: %s %v, want %q", text, d, ok, want)
		}
	}
}

func TestUnits(t *testing.T) {
	for text, want := range map[string]string{"Cases": "CS", "cs": "CS", "lbs.": "LBR", "LB": "LBR", "公斤": "KGM", "箱": "CS", "ＫＧ": "KGM", "metric tons": "TNE",
		"tons": "", "斤": "", "": "", "bushels": "BUA"} {
		code, ok := readUnit(text)
		if ok != (want != "") || code != want {
			t.Errorf("%q: %q, want %q", text, code, want)
		}
	}
	amount, unit := splitQuantity("1,200.5 lbs")
	if amount != "1,200.5" || unit != "lbs" {
		t.Errorf("%q, %q", amount, unit)
	}
	for code, words := range units {
		if got, ok := readUnit(code); !ok || got != code {
			t.Errorf("%s (%s) is written and not read", code, words)
		}
	}
}

// Every header that is written is read as the column that it is, in its tab.
func TestHeadersAreRead(t *testing.T) {
	for language := range Chinese + 1 {
		w := NewWriter(language)
		for i := range layouts {
			l := &layouts[i]
			var row []string
			for _, f := range l.all() {
				row = append(row, w.title(l.cte, f))
			}
			h := findHeader([]sheet.Row{{Number: 1, Cells: sheet.Texts(row...)}})
			if h == nil || h.layout != l {
				t.Errorf("the header of %s is not found: %q", l.en, row)
				continue
			}
			for c, f := range l.all() {
				if h.columns[c] != f {
					t.Errorf("%s: the column %q is read as %s, want %s", l.en, row[c], fields[h.columns[c]].name, fields[f].name)
				}
			}
		}
	}
}

// No header of a tab names two columns of it.
func TestHeadersAreDistinct(t *testing.T) {
	for i := range layouts {
		for _, f := range layouts[i].all() {
			for name := range strings.SplitSeq(fields[f].en+"|"+fields[f].zh, "|") {
				if of := lookup[i][normalise(name)]; of != f && !shared[[2]field{f, of}] {
					t.Errorf("%s: %q is %s and %s", layouts[i].en, name, fields[f].name, fields[of].name)
				}
			}
		}
	}
}

// shared are fields with a header in common, where the tab decides: the second one has it there.
var shared = map[[2]field]bool{{quantity, receivedQuantity}: true, {uom, receivedUOM}: true}

func TestGroupedHeaders(t *testing.T) {
	rows := []sheet.Row{
		{Number: 3, Cells: sheet.Texts("Reference Document", "", "TLC", "", "", "Product Description", "Quantity", "", "Ship-To Location", "Ship Date")},
		{Number: 4, Cells: sheet.Texts("Type", "Number", "GTIN", "Batch", "Date", "", "Qty", "UOM", "", "")},
		{Number: 5, Cells: sheet.Texts("Invoice", "7", "09506000134352", "B1", "230101", "Lettuce", "10", "CS", "Store", "2026-04-20")},
	}
	h := findHeader(rows)
	want := []field{refDocType, refDocNumber, gtin, lot, lotDate, productDescription, quantity, uom, shipTo, shipDate}
	if h == nil || h.layout.cte != Shipping || h.last() != 4 {
		t.Fatalf("%+v", h)
	}
	for i, f := range want {
		if h.columns[i] != f {
			t.Errorf("column %d is %s, want %s", i, fields[h.columns[i]].name, fields[f].name)
		}
	}
}

func TestDocumentTypes(t *testing.T) {
	for text, want := range map[string]string{"Bill of Lading": "bol", "BOL": "bol", "INV-12005 Line 1": "inv", "ASN-12005": "desadv", "PO 77": "po", "Invoice": "inv",
		"Work Order": "prodorder", "Re-pack Order, Packout Number": "prodorder", "Catch Certificate": "cert", "Sales Receipt": "", "Field / Bin Ticket": "",
		"Portland ticket": "", "发票": "inv", "WO-1": "prodorder", "wood list": ""} {
		if got := documentType(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
