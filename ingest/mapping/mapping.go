// Package mapping reads any sheet by a mapping file: a YAML text that says which columns become which fields of which events, inspections,
// sites and products. docs/formats.md is its reference.
//
// A record of a sheet becomes the JSON that it would have been sent as, and is then read and checked as that.
package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	_ "time/tzdata" // zone names are read on machines without them, too

	"go.yaml.in/yaml/v3"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// Version is what the member foodtrace of a mapping file says.
const Version = "mapping/1"

// The problems of mapping files, and of sheets that are read by them.
const (
	CodeFile     ingest.Code = "MAPPING"        // the mapping file is wrong
	CodeSample   ingest.Code = "MAPPING_SAMPLE" // a sample does not become what it says
	CodeColumn   ingest.Code = "MAPPING_COLUMN" // the sheet has no column with this heading, or two
	CodeSheet    ingest.Code = "MAPPING_SHEET"  // the book has no such sheet
	CodeHidden   ingest.Code = "SHEET_HIDDEN"   // finding: a hidden sheet was not read
	CodeUnused   ingest.Code = "ROW_UNUSED"     // finding: a row became no record
	CodeConflict ingest.Code = "ROW_CONFLICT"   // the rows of one record do not agree
	CodeValue    ingest.Code = "CELL_VALUE"     // a cell is not what its field wants
	CodeLossy    ingest.Code = "CELL_LOSSY"     // an identifier that a spreadsheet has kept as a number, and lost digits of
	CodeRecord   ingest.Code = "RECORD"         // the fields do not make a record
	CodeLimit    ingest.Code = sheet.CodeLimit  // one of the named limits
)

const (
	// MaxFile is a mapping file in bytes: forty times the longest known.
	MaxFile = 256 << 10
	// maxRecords that a row may become.
	maxRecords = 32
	// maxColumns that a mapping names.
	maxColumns = sheet.DefaultColumns
	// maxSamples of a mapping file.
	maxSamples = 100
	// headerRows is how far a heading is looked for when the mapping does not say its row: titles, and notes on how to fill the sheet.
	headerRows = 100
	// maxGroup is how many rows one record may be made of. They are in memory.
	maxGroup = 10_000
	// maxProblems of one record, or of the sheet outside of its records, that are listed.
	maxProblems = 100
	// maxDescriptions are the sites and products of one sheet; they are in memory until it ends.
	maxDescriptions = 100_000
)

// Mapping is a mapping file that was read and whose samples come out as they say.
type Mapping struct {
	Name string

	sheets     []string // those to read, folded; none: all that have the columns
	header     int      // its row; 0: to be found
	columns    []column
	zone       *time.Location
	dates      sheet.Order
	comma      bool // decimals are written with a comma
	namespaces string
	values     map[string]table
	fill       []int // columns
	skip       []condition
	records    []*record
	samples    []sampled
}

// column is one that the mapping names.
type column struct {
	name     string
	headings []string // as the file has them; "@C" is the column C itself
	optional bool
	used     bool
}

// table translates words. Its keys are folded; "*" stands for every other word.
type table map[string]string

// record is one kind of record that rows become.
type record struct {
	name  string
	kind  string // event, inspection, site, product
	when  condition
	group []int // columns
	body  *node
}

// Load reads a mapping file. The mapping is nil if one of the problems is an error; their places are lines of the file ("line 12, column 3").
func Load(b []byte) (*Mapping, []ingest.Problem) {
	l := &loader{Mapping: &Mapping{values: map[string]table{}}, names: map[string]int{}}
	root, problem := parse(b)
	if problem != nil {
		return nil, []ingest.Problem{*problem}
	}
	l.file(root)
	if len(l.problems) == 0 {
		l.trySamples()
	}
	if ingest.HasErrors(l.problems) {
		return nil, l.problems
	}
	return l.Mapping, l.problems
}

func parse(b []byte) (*yaml.Node, *ingest.Problem) {
	if len(b) > MaxFile {
		return nil, &ingest.Problem{Code: CodeLimit, Message: fmt.Sprintf("The mapping file is larger than %d bytes.", MaxFile)}
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &ingest.Problem{Code: CodeFile, Message: "The mapping file is empty."}
		}
		return nil, &ingest.Problem{Code: CodeFile, Message: "This is not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ") + "."}
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, &ingest.Problem{Code: CodeFile, Message: "The mapping file has more than one document."}
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, &ingest.Problem{Code: CodeFile, Message: "The mapping file is not a list of names and values."}
	}
	return doc.Content[0], nil
}

// columnNumbers says where a record's columns are in a sheet: the index of each of the mapping's columns, -1 where it has none.
type columnNumbers []int
