package fsma204_test

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/ingest/fsma204"
	"github.com/foodtrace-ledger/foodtrace/internal/testdata"
)

// The workbooks of the Produce Traceability Initiative are read in full, and what is read is EPCIS, and what is written again is the same.
func TestPublishedWorkbooks(t *testing.T) {
	root := testdata.Shared(t, "fsma204-pti")
	want := map[string]struct {
		events, described int
		problems          []string
	}{
		"PTI-Sortable-Spreadsheet Harv-Init-Pk-Cool-Trans-2.xlsx": {events: 13, problems: []string{
			"finding DATE_AMBIGUOUS 'Initial Packing- SPROUTS'!G3", "finding DATE_AMBIGUOUS 'Initial Packing- SPROUTS'!I3",
			"finding DATE_AMBIGUOUS 'Initial Packing- SPROUTS'!T3",
			"finding SHEET_UNKNOWN Definitions!A1", "finding SHEET_UNKNOWN 'Critical Tracking Events'!A3"}},
		"PTI-Sortable-Spreadsheet-DC-to-Store-2-1.xlsx": {events: 4, described: 9, problems: []string{
			"finding CHECK_DIGIT Shipping!O12", "finding ROW_IS_NOTE Shipping!A18", "finding ROW_IS_NOTE Shipping!A19"}},
		"PTI-Sortable-Spreadsheet-Receiving-2-1.xlsx": {events: 4, described: 9},
	}
	for name, want := range want {
		t.Run(name, func(t *testing.T) {
			book := openBook(t, readFile(t, filepath.Join(root, name)))
			if !fsma204.Recognise(book) {
				t.Error("not recognised")
			}
			r := readBook(t, book, options)
			if len(r.events) != want.events || len(r.described) != want.described || r.refused > 0 {
				t.Errorf("%d events, %d descriptions, %d refused; want %d, %d, none", len(r.events), len(r.described), r.refused, want.events, want.described)
			}
			if diff := cmp.Diff(want.problems, r.said()); diff != "" {
				t.Error(diff)
			}
			checkStandard(t, r.events)
			again(t, r, fsma204.English)
		})
	}
}

// The texts that were made of these workbooks give the same events, as far as a text that has no Locations beside it can.
func TestDerivedTexts(t *testing.T) {
	root := testdata.Shared(t, "fsma204-pti")
	var fromBook []string
	book := readBook(t, openBook(t, readFile(t, filepath.Join(root, "PTI-Sortable-Spreadsheet Harv-Init-Pk-Cool-Trans-2.xlsx"))), options)
	fromBook = hashes(book.events)
	files, err := filepath.Glob(filepath.Join(root, "csv-derived", "*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatal("no texts", err)
	}
	var fromTexts []string
	for _, file := range files {
		r := readBook(t, openBook(t, readFile(t, file)), options)
		if len(r.events)+len(r.described) == 0 || r.refused > 0 {
			t.Errorf("%s: %d events, %d descriptions, %d refused: %v", filepath.Base(file), len(r.events), len(r.described), r.refused, r.said())
		}
		checkStandard(t, r.events)
		again(t, r, fsma204.Chinese)
		if strings.Contains(file, "_Harv_") {
			fromTexts = append(fromTexts, hashes(r.events)...)
		}
	}
	slices.Sort(fromTexts)
	if diff := cmp.Diff(fromBook, fromTexts); diff != "" {
		t.Errorf("workbook and texts: %s", diff)
	}
}

// Events that did not come from a sheet are written as far as they say what a sheet wants, and read again they are of the same lots and times.
func TestEventsOfOthers(t *testing.T) {
	root := testdata.Shared(t, "openepcis-dpp-ready", "us", "fsma204", "epcis")
	for name, want := range map[string]string{ // critical tracking events of the rows, and how many events have none
		"harvest-cte":                   "harvesting, 1 of none",
		"cooling-cte":                   "cooling receiving, 1 of none",
		"initial-packing-cte":           "cooling harvesting receiving transformation, 1 of none",
		"first-land-based-receiver-cte": "first_land_based_receiving, 0 of none",
		"shipping-cte":                  "shipping transformation, 1 of none",
		"receiving-cte":                 "receiving transformation, 0 of none",
		"transformation-cte":            "transformation, 0 of none",
	} {
		r := epcis.NewReader(bytes.NewReader(readFile(t, filepath.Join(root, name+".jsonld"))), epcis.Limits{})
		w := fsma204.NewWriter(fsma204.English)
		items := map[string]bool{}
		none := 0
		for {
			e, _, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(name, err)
			}
			if !w.Add(e) {
				none++
				continue
			}
			for _, i := range e.Items() {
				items[e.Time.UTC().Format(time.DateOnly)+" "+i.Key+" "+i.Quantity.String()+" "+i.UOM] = true
			}
		}
		var out bytes.Buffer
		if err := w.WriteXLSX(&out); err != nil {
			t.Fatal(err)
		}
		back := readBook(t, openBook(t, out.Bytes()), options)
		var ctes []string
		for _, e := range back.events {
			_, rest, _ := strings.Cut(string(e.Ext), `"fsma204:cte":"`)
			cte, _, _ := strings.Cut(rest, `"`)
			ctes = append(ctes, cte)
			for _, i := range e.Items() {
				key := e.Time.UTC().Format(time.DateOnly) + " " + i.Key + " " + i.Quantity.String() + " " + i.UOM
				if !items[key] {
					t.Errorf("%s: no event says %s", name, key)
				}
			}
		}
		slices.Sort(ctes)
		if got := strings.Join(ctes, " ") + ", " + strconv.Itoa(none) + " of none"; got != want || back.refused > 0 {
			t.Errorf("%s: %s (%d refused), want %s: %v", name, got, back.refused, want, back.said())
		}
	}
}
