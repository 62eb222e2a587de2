// Package fsma204 reads and writes the sortable spreadsheets of the U.S. food traceability rule (21 CFR part 1 subpart S, "FSMA 204") in the layout
// of the Produce Traceability Initiative: a tab for each critical tracking event, Locations and Products. As XLSX, or one tab as CSV.
//
// Tabs and columns are found by their headers, in English or Chinese and in any order. A row becomes an ordinary EPCIS event; what
// EPCIS has no place for stays with the event under one namespace ([Namespace]). docs/formats.md has the table of what becomes what.
package fsma204

import (
	"time"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// Namespace of the key data elements that EPCIS has no place for, and the prefix that our events give it.
const (
	Namespace = "urn:foodtrace:fsma204#"
	prefix    = "fsma204:"
)

// CTE is a critical tracking event (21 CFR 1.1310), as the member "cte" of an event names it.
type CTE string

// The critical tracking events, and what a row of Initial Packing says beside its own: that what was packed had been received.
const (
	Harvest        CTE = "harvesting"
	Cooling        CTE = "cooling"
	Packing        CTE = "initial_packing"
	Landing        CTE = "first_land_based_receiving"
	Shipping       CTE = "shipping"
	Receiving      CTE = "receiving"
	Transformation CTE = "transformation"

	packingReceipt CTE = "receiving_before_packing"

	// Tabs that describe and tell of no event.
	locations CTE = "locations"
	products  CTE = "products"
)

// The problems of a sheet of this kind; those of sheets as such are in package sheet.
const (
	CodeSheet      ingest.Code = "SHEET_UNKNOWN"    // a tab without a header row that is known here; error where no tab has one
	CodeColumn     ingest.Code = "COLUMN_UNKNOWN"   // finding: a column that is not known here, or there twice; its cells are kept as they are
	CodeKDE        ingest.Code = "KDE_MISSING"      // a key data element is missing; error where without it no event can be traced
	CodeZone       ingest.Code = "TIME_ZONE"        // not a time zone
	CodeQuantity   ingest.Code = "QUANTITY"         // finding: not a quantity; kept as a text and not counted
	CodeUnit       ingest.Code = "UNIT_UNKNOWN"     // finding: a unit without a code; the quantity is kept as a text and not counted
	CodeDigits     ingest.Code = "DIGITS_LOST"      // an identifier that a spreadsheet has taken for a number, and has cut
	CodeZeros      ingest.Code = "ZEROS_RESTORED"   // finding: an identifier that a spreadsheet has taken for a number: its leading zeros are back
	CodeFailed     ingest.Code = "CELL_FAILED"      // finding: a formula without a value; taken as empty
	CodeCheckDigit ingest.Code = "CHECK_DIGIT"      // finding: the check digit of a GS1 identifier does not match
	CodeIdentifier ingest.Code = "GS1_IDENTIFIER"   // finding: not an identifier of GS1; taken as one of the sender's own
	CodeLocation   ingest.Code = "LOCATION_TWICE"   // finding: two rows of Locations describe one place in different ways; the first one counts
	CodePlace      ingest.Code = "LOCATION_UNKNOWN" // finding: a place that Locations does not describe, once for each; it may be mistyped
	CodeLimit      ingest.Code = "LIMIT"            // one of the named limits
	CodeRead       ingest.Code = "READ"             // the bytes could not be read
)

// Options say what a sheet does not say itself.
type Options struct {
	// Sender scopes what the sheet names by a text only: two firms may both have a "Store 7". The member's MSP ID.
	Sender string
	// Zone is where a date is one when its row states no time zone; nil is UTC.
	Zone *time.Location
	// Dates is the order of dates that do not show it.
	Dates sheet.Order
}

// Limits.
const (
	// headerRows is how far down the header row is looked for: law texts and titles stand above it.
	headerRows = 60
	// headerDepth is how many rows one header may have: a group over a group over a column.
	headerDepth = 3
	// headerColumns is how many columns a header may have: some five times the widest known one.
	headerColumns = 256
	// maxSheets is how many sheets of a workbook are looked at.
	maxSheets = 256
	// maxLocations bounds what is kept in memory of the Locations tabs.
	maxLocations = 100_000
	// maxInputs is how many rows one lot may be made of, all of which are in memory.
	maxInputs = 5_000
	// maxName is the longest URI, in bytes, that is put together of what a sheet says; a longer one is hashed. The ledger takes 512.
	maxName = 400
	// maxProblems is how many problems outside of the rows are listed.
	maxProblems = 1_000
)
