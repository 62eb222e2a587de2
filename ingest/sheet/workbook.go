package sheet

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/ingest"
)

// workbook is an XLSX file (ECMA-376, Office Open XML): a zip archive of XML parts. Parts are read as streams.
type workbook struct {
	archive   *zip.Reader
	parts     map[string]*zip.File // by name, lower-case
	limits    Limits
	left      int64 // bytes that may still be unzipped
	styles    []style
	strings   texts
	loaded    bool // styles and strings
	since1904 bool
	stringsAt string
	stylesAt  string
}

const (
	// maxDirectory is what the list of an archive's parts may have in bytes: some 10,000 parts, where a large workbook has a few hundred.
	// All of it is in memory.
	maxDirectory = 1 << 20
	// maxRatio is how much larger a part may be than what it is zipped from, beyond freeRatio bytes: rows of one repeated value come to 100.
	maxRatio  = 400
	freeRatio = 8 << 20
	// maxXMLToken is one tag or text of XML in bytes: a cell, escaped.
	maxXMLToken = 1 << 20
	// maxParts of a workbook that are looked at: sheets, formats.
	maxSheets = 1000
	maxStyles = 65_536 // of cells; Excel has 65,490
	// lastRow is the number of the last row that a sheet of a workbook can have, lastColumn of the last column.
	lastRow    = 1_048_576
	lastColumn = 16_384
)

// Ends of relationship types; what is before them is one namespace in transitional and another in strict documents.
const (
	relWorkbook = "/officeDocument"
	relSheet    = "/worksheet"
	relStrings  = "/sharedStrings"
	relStyles   = "/styles"
)

func (b *Book) openWorkbook() error {
	r := &boundedReader{r: b.r, left: maxDirectory + zipEnd}
	archive, err := zip.NewReader(r, b.size)
	if r.left < 0 {
		return limit("The workbook's archive has too many parts.")
	}
	if err != nil {
		return damaged("The workbook's archive is damaged (" + err.Error() + ").")
	}
	r.free = true
	w := &workbook{archive: archive, parts: make(map[string]*zip.File, len(archive.File)), limits: b.limits, left: b.limits.Unzipped}
	for _, f := range archive.File {
		name := partName("", f.Name)
		if _, again := w.parts[name]; !again {
			w.parts[name] = f
		}
	}
	b.workbook = w
	return w.open(b)
}

// zipEnd is how far from the end of a file an archive's directory is looked for.
const zipEnd = 2 * 66 << 10

// boundedReader bounds what is read of a file until it is set free.
type boundedReader struct {
	r    io.ReaderAt
	left int64
	free bool
}

func (b *boundedReader) ReadAt(p []byte, at int64) (int, error) {
	if b.left -= int64(len(p)); !b.free && b.left < 0 {
		return 0, errors.New("too large")
	}
	return b.r.ReadAt(p, at)
}

func damaged(message string) *ingest.Problem {
	return &ingest.Problem{Code: CodeSyntax, Message: message}
}

// partName is the name of a part as the archive is searched by, from a target that may be relative to the folder of another part.
func partName(folder, target string) string {
	target = strings.ReplaceAll(target, `\`, "/")
	if !strings.HasPrefix(target, "/") {
		target = folder + "/" + target
	}
	return strings.ToLower(strings.TrimPrefix(path.Clean("/"+target), "/"))
}

// relation of one part to another.
type relation struct{ kind, target string }

func (w *workbook) relations(part string) (map[string]relation, error) {
	folder, file := path.Split(part)
	folder = strings.TrimSuffix(folder, "/")
	all := map[string]relation{}
	err := w.each(partName(folder, "_rels/"+file+".rels"), func(p *xmlPart, e xml.StartElement) error {
		if e.Name.Local != "Relationship" || len(all) > 4*maxSheets {
			return nil
		}
		all[attribute(e, "Id")] = relation{kind: attribute(e, "Type"), target: partName(folder, attribute(e, "Target"))}
		return nil
	})
	return all, err
}

func (w *workbook) open(b *Book) error {
	main := "xl/workbook.xml"
	roots, err := w.relations("")
	if err != nil {
		return err
	}
	for _, r := range roots {
		if strings.HasSuffix(r.kind, relWorkbook) {
			main = r.target
		}
	}
	if w.parts[main] == nil {
		return &ingest.Problem{Code: CodeFormat, Message: "This archive is not an XLSX workbook."}
	}
	related, err := w.relations(main)
	if err != nil {
		return err
	}
	for _, r := range related {
		switch {
		case strings.HasSuffix(r.kind, relStrings):
			w.stringsAt = r.target
		case strings.HasSuffix(r.kind, relStyles):
			w.stylesAt = r.target
		}
	}
	return w.each(main, func(_ *xmlPart, e xml.StartElement) error {
		switch e.Name.Local {
		case "workbookPr":
			w.since1904 = isTrue(attribute(e, "date1904"))
		case "sheet":
			r, ok := related[attribute(e, "id")]
			if !ok || !strings.HasSuffix(r.kind, relSheet) { // a chart, a dialog
				return nil
			}
			if len(b.sheets) == maxSheets {
				return limit("The workbook has more than " + itoa(maxSheets) + " sheets.")
			}
			state := attribute(e, "state")
			b.sheets = append(b.sheets, Sheet{Name: attribute(e, "name"), Hidden: state == "hidden" || state == "veryHidden", book: b, part: r.target})
		}
		return nil
	})
}

// load reads what all sheets refer to.
func (w *workbook) load() (err error) {
	if w.loaded {
		return nil
	}
	if w.styles, err = w.readStyles(); err == nil {
		err = w.readStrings()
	}
	w.loaded = err == nil
	return err
}

// xmlPart reads the XML of one part.
type xmlPart struct {
	name string
	scan *xmlScanner
	in   *partReader
	zip  io.ReadCloser
	raw  []byte // of the last token, if its bytes are kept
}

// partReader hands a part's bytes to the XML decoder one by one, and ends a tag or text that is too long and an archive that unzips to too much.
type partReader struct {
	w      *workbook
	name   string
	r      io.Reader
	buf    []byte
	at     int // of buf
	n      int // in buf
	token  int // bytes that the token may still have
	read   int64
	zipped int64
	keep   bool
	kept   []byte // what was handed out and not taken, if keep
}

func (w *workbook) openPart(name string) (*xmlPart, error) {
	f := w.parts[name]
	if f == nil {
		return nil, damaged("The workbook has no part " + name + ".")
	}
	r, err := f.Open()
	if err != nil {
		return nil, damaged("The workbook's part " + name + " is damaged (" + err.Error() + ").")
	}
	p := &xmlPart{name: name, zip: r, in: &partReader{w: w, name: name, r: r, buf: make([]byte, 32<<10), zipped: int64(f.CompressedSize64)}}
	p.scan = &xmlScanner{in: p.in, names: map[string]string{}}
	return p, nil
}

func (p *xmlPart) close() { _ = p.zip.Close() } // nothing was written

func (r *partReader) ReadByte() (byte, error) {
	if r.token--; r.token < 0 {
		return 0, limit("A tag or text in the workbook's part " + r.name + " is longer than " + itoa(maxXMLToken) + " bytes.")
	}
	if r.at == r.n {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	c := r.buf[r.at]
	r.at++
	if r.keep {
		r.kept = append(r.kept, c)
	}
	return c, nil
}

// unread takes back the byte that was read last.
func (r *partReader) unread() {
	r.at--
	r.token++
	if r.keep {
		r.kept = r.kept[:len(r.kept)-1]
	}
}

func (r *partReader) fill() error {
	for {
		n, err := r.r.Read(r.buf)
		r.at, r.n = 0, n
		r.read += int64(n)
		if r.w.left -= int64(n); r.w.left < 0 {
			return limit("The workbook unzips to more than " + itoa(r.w.limits.Unzipped) + " bytes.")
		}
		if r.read > freeRatio && r.read > maxRatio*r.zipped {
			return limit("The workbook's part " + r.name + " unzips to more than " + itoa(maxRatio) + " times its size.")
		}
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// next is the next start, end or text, with names in the form that they were written in.
func (p *xmlPart) next() (xml.Token, error) {
	for {
		p.in.token = maxXMLToken
		tok, err := p.scan.next()
		if err != nil {
			return nil, p.failure(err)
		}
		switch tok.(type) {
		case xml.StartElement, xml.EndElement, xml.CharData:
			return tok, nil
		case xml.Directive:
			return nil, damaged("The workbook's part " + p.name + " has a document type definition.")
		}
	}
}

func (p *xmlPart) failure(err error) error {
	var problem *ingest.Problem
	if errors.Is(err, io.EOF) || errors.As(err, &problem) {
		return err
	}
	return damaged("The workbook's part " + p.name + " is damaged (" + err.Error() + ").")
}

// each calls f for every element that starts in a part. A part that is not there has none.
func (w *workbook) each(name string, f func(p *xmlPart, e xml.StartElement) error) error {
	if w.parts[name] == nil {
		return nil
	}
	p, err := w.openPart(name)
	if err != nil {
		return err
	}
	defer p.close()
	for {
		tok, err := p.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := tok.(xml.StartElement); ok {
			if err := f(p, e); err != nil {
				return err
			}
		}
	}
}

func attribute(e xml.StartElement, local string) string {
	for _, a := range e.Attr {
		if a.Name.Local == local && a.Name.Space != "xmlns" {
			return a.Value
		}
	}
	return ""
}

func isTrue(s string) bool { return s == "1" || s == "true" }
