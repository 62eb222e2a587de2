package formats_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/formats"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

const (
	jsonDoc = `{"@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"], "type": "EPCISDocument", "schemaVersion": "2.0",
		"creationDate": "2026-05-02T00:00:00Z", "epcisHeader": {"epcisMasterData": {"vocabularyList": [
		{"type": "urn:epcglobal:epcis:vtype:Location", "vocabularyElementList": [{"id": "urn:example:site:north"}]}]}},
		"epcisBody": {"eventList": [{"type": "ObjectEvent", "action": "ADD", "eventTime": "2026-05-01T06:00:00Z", "eventTimeZoneOffset": "+08:00",
		"epcList": ["urn:example:1"]}, {"type": "ObjectEvent"}]}}`
	xmlDoc = `<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-05-02T00:00:00Z"><EPCISBody><EventList>
		<ObjectEvent><eventTime>2026-05-01T06:00:00Z</eventTime><eventTimeZoneOffset>+08:00</eventTimeZoneOffset>
		<epcList><epc>urn:example:1</epc></epcList><action>ADD</action></ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>`
)

// utf16 is a text as Excel saves it as "Unicode text".
func utf16(s string) string {
	b := []byte("\xff\xfe")
	for _, r := range s {
		b = append(b, byte(r), byte(r>>8))
	}
	return string(b)
}

func workbook(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	w := sheet.NewWriter(&b, sheet.XLSX)
	if err := errors.Join(w.Sheet("Harvest"), w.Row(sheet.Texts("a", "b")...), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSniff(t *testing.T) {
	for name, test := range map[string]struct {
		doc  string
		want formats.Format
		kind string
	}{
		"JSON":                 {jsonDoc, formats.EPCISJSON, "application/ld+json"},
		"JSON, comment before": {"\ufeff\n// a, b; c\n" + jsonDoc, formats.EPCISJSON, "application/ld+json"},
		"XML":                  {"\ufeff" + xmlDoc, formats.EPCISXML, "application/xml"},
		"XML, UTF-16":          {utf16(xmlDoc), formats.EPCISXML, "application/xml"},
		"CSV":                  {"lot,quantity\nA,5\n", formats.CSV, "text/csv"},
		"CSV, UTF-16":          {utf16("lot\tquantity\nA\t5\n"), formats.CSV, "text/csv"},
		"CSV, GBK":             {"\xc5\xfa\xba\xc5;\xca\xfd\xc1\xbf\n1;2\n", formats.CSV, "text/csv"},
		"XLSX":                 {workbook(t), formats.XLSX, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		"nothing":              {"", formats.None, "application/octet-stream"},
		"a text":               {"plain text", formats.None, "application/octet-stream"},
		"a picture":            {"\x89PNG\r\n\x1a\n\x00\x00,;", formats.None, "application/octet-stream"},
	} {
		t.Run(name, func(t *testing.T) {
			head := test.doc[:min(len(test.doc), formats.SniffLen)]
			if got := formats.Sniff([]byte(head)); got != test.want || got.MediaType() != test.kind {
				t.Errorf("%d %s", got, got.MediaType())
			}
		})
	}
}

// A document is read alike from memory, where it can be read again, and as a stream.
func TestOpen(t *testing.T) {
	for name, doc := range map[string]string{"JSON": jsonDoc, "XML": xmlDoc} {
		for _, stream := range []bool{false, true} {
			var in io.Reader = strings.NewReader(doc)
			if stream {
				in = io.MultiReader(in)
			}
			d, err := formats.Open(in, formats.Options{})
			if err != nil {
				t.Fatal(err)
			}
			record, problems, err := d.Next()
			if err != nil || len(problems) > 0 || record.Event == nil || !strings.Contains(d.Places()[0], "ventList") {
				t.Errorf("%s, stream %v: %v %v at %q", name, stream, err, problems, d.Places())
			}
			for err == nil {
				_, _, err = d.Next()
			}
			if !errors.Is(err, io.EOF) || d.Position() != int64(len(doc)) || d.Close() != nil {
				t.Errorf("%s, stream %v: %v after %d of %d bytes", name, stream, err, d.Position(), len(doc))
			}
			if name == "JSON" && (len(d.Descriptions()) != 1 || d.Descriptions()[0].Registration.Sites[0].ID != "urn:example:site:north") {
				t.Errorf("stream %v: %+v", stream, d.Descriptions())
			}
		}
	}
}

// What cannot be read has a problem with a code, and leaves no file behind.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct {
		doc  string
		code ingest.Code
	}{
		"columns that nobody knows": {"apple,pear\n1,2\n", formats.CodeLayout},
		"a zip of something else":   {"PK\x03\x04 and no more", sheet.CodeSyntax},
	} {
		for _, in := range []io.Reader{strings.NewReader(test.doc), io.MultiReader(strings.NewReader(test.doc))} {
			_, err := formats.Open(in, formats.Options{TempDir: dir})
			var p *ingest.Problem
			if !errors.As(err, &p) || p.Code != test.code {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	broken := errors.New("broken pipe")
	if _, err := formats.Open(io.MultiReader(strings.NewReader("a,b\n"), failing{broken}), formats.Options{TempDir: dir}); !errors.Is(err, broken) {
		t.Error(err)
	}
	checkEmpty(t, dir)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func checkEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

// FuzzOpen: whatever a document holds, it is read to its end: each record has a place, and what is wrong a code.
func FuzzOpen(f *testing.F) {
	for _, doc := range []string{jsonDoc, xmlDoc, utf16("a,b\n"), "\xef\xbb\xbf{}", "PK\x03\x04", "apple;pear\n1;2\n"} {
		f.Add([]byte(doc), []byte(nil))
	}
	f.Add([]byte("batch,when\nA,2026-05-01\n"), []byte("foodtrace: mapping/1\nname: a\nzone: \"+08:00\"\ncolumns: {b: batch, w: when}\n"+
		"records: [{event: {type: ObjectEvent, action: OBSERVE, eventTime: \"{w}\", epcList: [\"urn:x:{b}\"]}}]\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, doc, file []byte) {
		o := formats.Options{TempDir: dir, Mapping: file}
		if len(file) == 0 || len(o.Check()) > 0 {
			o.Mapping = nil
		}
		d, err := formats.Open(bytes.NewReader(doc), o)
		for err == nil {
			var record *contract.Record
			var problems []ingest.Problem
			record, problems, err = d.Next()
			if err == nil && (len(d.Places()) == 0 || record == nil && !ingest.HasErrors(problems)) {
				t.Fatalf("a record without place or reason: %v %v", d.Places(), problems)
			}
		}
		var p *ingest.Problem
		if !errors.Is(err, io.EOF) && (!errors.As(err, &p) || p.Code == "" || p.Message == "") {
			t.Fatal(err)
		}
		if d != nil && d.Close() != nil {
			t.Error("not closed")
		}
	})
}
