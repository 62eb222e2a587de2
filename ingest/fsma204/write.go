package fsma204

import (
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/gs1"
)

// Language of headers.
type Language uint8

// The languages.
const (
	English Language = iota
	Chinese
)

// Writer collects events and writes them as the sortable spreadsheet that 21 CFR 1.1455(c)(3)(ii) asks for: the tabs that [Reader] reads, each in the
// order of time. The rows are in memory until they are written.
type Writer struct {
	language Language
	rows     map[CTE][]written
	sites    []contract.Site
	products []contract.Product
}

// NewWriter writes headers in a language.
func NewWriter(language Language) *Writer {
	return &Writer{language: language, rows: map[CTE][]written{}}
}

// Add adds an event. False: it is no critical tracking event. The receipt of what was initially packed has no row of its own: the row of
// Initial Packing says it.
func (w *Writer) Add(e *event.Event) bool {
	rows, cte := rowsOf(e)
	for _, row := range rows {
		w.rows[row.cte] = append(w.rows[row.cte], row)
	}
	return cte != ""
}

// Describe adds rows to Locations and Products.
func (w *Writer) Describe(r *contract.Registration) {
	w.sites = append(w.sites, r.Sites...)
	w.products = append(w.products, r.Products...)
}

// table is a tab as it is written.
type table struct {
	name   string
	header []string
	rows   [][]sheet.Cell
}

// tables are the tabs that have rows. A column behind those of the common layout is there only where it has something.
func (w *Writer) tables() (all []table) {
	names := w.names()
	for i := range layouts {
		l := &layouts[i]
		rows := w.rows[l.cte]
		switch l.cte {
		case locations:
			rows = w.locationRows()
		case products:
			rows = w.productRows()
		default:
			slices.SortStableFunc(rows, func(a, b written) int { return a.time.Compare(b.time) })
		}
		if len(rows) > 0 {
			all = append(all, w.table(l, rows, names))
		}
	}
	return all
}

func (w *Writer) table(l *layout, rows []written, names map[string]string) table {
	t := table{name: l.en}
	if w.language == Chinese {
		t.name = l.zh
	}
	columns := slices.Clone(l.columns)
	for _, f := range l.all()[len(l.columns):] {
		if slices.ContainsFunc(rows, func(r written) bool { return r.texts[f] != "" }) {
			columns = append(columns, f)
		}
	}
	var others []string
	for _, f := range columns {
		t.header = append(t.header, w.title(l.cte, f))
	}
	for i := range rows {
		for _, o := range rows[i].others {
			if !slices.Contains(others, o.column) {
				others = append(others, o.column)
			}
		}
	}
	t.header = append(t.header, others...)
	for i := range rows {
		texts := make([]string, len(t.header))
		for c, f := range columns {
			texts[c] = rows[i].texts[f]
			if id, ok := identifierOf[f]; ok && texts[c] == "" {
				texts[c] = names[rows[i].texts[id]]
			}
		}
		for _, o := range rows[i].others {
			texts[len(columns)+slices.Index(others, o.column)] = o.value
		}
		cells := sheet.Texts(texts...)
		for c, f := range columns {
			if isQuantity[f] && plainNumber.MatchString(texts[c]) {
				cells[c].Kind = sheet.Number // so that it is sorted as one
			}
		}
		t.rows = append(t.rows, cells)
	}
	return t
}

var isQuantity = map[field]bool{quantity: true, receivedQuantity: true, usedQuantity: true}

// plainNumber is what a spreadsheet keeps exactly.
var plainNumber = regexp.MustCompile(`^(?:0|[1-9]\d{0,8})(?:\.\d{0,5}[1-9])?$`)

// title is the header of a column.
func (w *Writer) title(cte CTE, f field) string {
	own, names := headers[headerKey{cte, f}][w.language], [...]string{fields[f].en, fields[f].zh}[w.language]
	if own != "" {
		return own
	}
	name, _, _ := strings.Cut(names, "|")
	return name
}

// identifierOf are the fields that identify the places which others name.
var identifierOf = map[field]field{harvestLocation: harvestLocationID, coolingLocation: coolingLocationID, recipient: recipientID, receivedFrom: receivedFromID,
	packLocation: packLocationID, landingLocation: landingLocationID, shipFrom: shipFromID, shipTo: shipToID, previousSource: previousSourceID,
	receiveLocation: receiveLocationID, transformLocation: transformLocationID}

// names are those of the places that are described, by their identifier as rows have it.
func (w *Writer) names() map[string]string {
	names := map[string]string{}
	for i := range w.sites {
		names[placeText(w.sites[i].ID)] = w.choose(w.sites[i].Name)
	}
	return names
}

// choose is a text in the language of the headers, or else in the other one.
func (w *Writer) choose(t contract.Text) string {
	if w.language == Chinese && t.ZH != "" || t.EN == "" {
		return t.ZH
	}
	return t.EN
}

func (w *Writer) locationRows() (rows []written) {
	for i := range w.sites {
		s := &w.sites[i]
		row := written{cte: locations}
		row.texts[businessName], row.texts[phone] = w.choose(s.Name), s.Phone
		for _, a := range attributes {
			for _, have := range s.Ext {
				if have.ID == a.id {
					row.texts[a.of] = have.Value
				}
			}
		}
		if row.texts[street] == "" && row.texts[city] == "" {
			row.texts[street] = w.choose(s.Address)
		}
		if row.texts[country] == "" {
			row.texts[country] = s.Country
		}
		if row.texts[coordinates] == "" && s.Lat.Stated {
			row.texts[coordinates] = s.Lat.String() + ", " + s.Lon.String()
		}
		if !strings.HasPrefix(s.ID, ownPlace) || !strings.HasSuffix(s.ID, ":"+escape(fold(row.texts[businessName]))) {
			row.texts[gln] = placeText(s.ID)
		}
		if row.texts[businessName] == "" {
			row.texts[businessName] = placeText(s.ID)
		}
		rows = append(rows, row)
	}
	return rows
}

func (w *Writer) productRows() (rows []written) {
	for i := range w.products {
		p := &w.products[i]
		id, _ := gs1.Parse(p.ID)
		if id.GTIN == "" {
			continue
		}
		row := written{cte: products}
		row.texts[ftlCategory], row.texts[gtin], row.texts[productName] = p.Kind, id.GTIN, w.choose(p.Name)
		rows = append(rows, row)
	}
	return rows
}

// WriteXLSX writes a workbook.
func (w *Writer) WriteXLSX(out io.Writer) error {
	book := sheet.NewWriter(out, sheet.XLSX)
	for _, t := range w.tables() {
		if err := t.write(book); err != nil {
			return err
		}
	}
	return book.Close()
}

// WriteCSV writes a text for each tab, into what create makes for its name.
func (w *Writer) WriteCSV(create func(name string) (io.WriteCloser, error)) error {
	for _, t := range w.tables() {
		out, err := create(t.name)
		if err != nil {
			return err
		}
		text := sheet.NewWriter(out, sheet.CSV)
		err = t.write(text)
		if err == nil {
			err = text.Close()
		}
		if closing := out.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t table) write(out *sheet.Writer) error {
	if err := out.Sheet(t.name); err != nil {
		return err
	}
	if err := out.Row(sheet.Texts(t.header...)...); err != nil {
		return err
	}
	for _, row := range t.rows {
		if err := out.Row(row...); err != nil {
			return err
		}
	}
	return nil
}

// Named are the URIs of the places and products that the rows name, so that who has registered them can be asked and told to
// [Writer.Describe].
func (w *Writer) Named() (places, products []string) {
	ids := slices.Concat(slices.Collect(maps.Values(identifierOf)), []field{tlcSourceID, tlcSourceGLN})
	seen := map[string]bool{}
	add := func(list *[]string, uri string) {
		if uri != "" && !seen[uri] {
			seen[uri] = true
			*list = append(*list, uri)
		}
	}
	for _, rows := range w.rows {
		for i := range rows {
			for _, f := range ids {
				add(&places, uriOf(rows[i].texts[f]))
			}
			for _, f := range [...]field{gtin, usedGTIN} {
				if padded, err := gs1.PadGTIN(rows[i].texts[f]); err == nil {
					add(&products, gtinStem+padded)
				}
			}
		}
	}
	slices.Sort(places)
	slices.Sort(products)
	return places, products
}

// uriOf is a place as [placeText] wrote it.
func uriOf(text string) string {
	if gln, restored, _, ok := glnOf(text); ok && !restored {
		return glnStem + gln
	}
	if isURI(text) {
		return text
	}
	return ""
}
