package fsma204

import (
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

func TestNumbers(t *testing.T) {
	for text, want := range map[string]string{"100": "100", "1,200": "1200", "1,200.5": "1200.5", "1 200": "1200", "1'200.25": "1200.25", "1.200,5": "1200.5",
		"12,5": "12.5", "0.25": "0.25", "１２": "12", "1,20,0": "", "-5": "", "ten": "", "": "", "1e3": "1000"} {
		d, ok := readNumber(text)
		if ok != (want != "") || ok && d.String() != want {
			t.Errorf("%q: %s %v, want %q", text, d, ok, want)
		}
	}
}

func TestQuantityWithUnit(t *testing.T) {
	for text, want := range map[string][2]string{"1,200.5 lbs": {"1,200.5", "lbs"}, "１２０箱": {"120", "箱"}, "1 200 kg": {"1 200", "kg"}, "10": {"10", ""}} {
		if amount, unit := splitQuantity(text); amount != want[0] || unit != want[1] {
			t.Errorf("%q: %q, %q", text, amount, unit)
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
