package fsma204_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/ingest/fsma204"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

var options = fsma204.Options{Sender: "GREENFARM"}

// result is what was read of a file.
type result struct {
	events    []*event.Event
	problems  []ingest.Problem // of rows and of the document
	described []contract.Registration
	places    [][]string
	refused   int
}

func openBook(t testing.TB, b []byte) *sheet.Book {
	t.Helper()
	book, err := sheet.Open(bytes.NewReader(b), int64(len(b)), sheet.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func readBook(t testing.TB, book *sheet.Book, o fsma204.Options) (all result) {
	t.Helper()
	var r ingest.Reader = fsma204.NewReader(book, o)
	for {
		record, problems, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		all.problems = append(all.problems, problems...)
		if (record == nil) != ingest.HasErrors(problems) {
			t.Errorf("%v: a record is there if and only if it has no errors: %v", r.Places(), problems)
		}
		if record == nil {
			all.refused++
			continue
		}
		all.events = append(all.events, record.Event)
		all.places = append(all.places, r.Places())
	}
	all.problems = append(all.problems, r.Problems()...)
	for _, d := range r.Descriptions() {
		all.described = append(all.described, *d.Registration)
	}
	return all
}

func readCSV(t testing.TB, text string) result {
	t.Helper()
	return readBook(t, openBook(t, []byte(text)), options)
}

// said are the problems as "finding KDE_MISSING C2".
func (r *result) said() (all []string) {
	for _, p := range r.problems {
		all = append(all, p.Severity.String()+" "+string(p.Code)+" "+p.Pointer)
	}
	return all
}

func hashes(events []*event.Event) (all []string) {
	for _, e := range events {
		all = append(all, e.Hash())
	}
	slices.Sort(all)
	return all
}

// checkStandard holds events to the reader of EPCIS documents: it accepts them, as JSON and as XML, and they keep their hash.
func checkStandard(t *testing.T, events []*event.Event) {
	t.Helper()
	if len(events) == 0 {
		return
	}
	var asJSON bytes.Buffer
	for _, e := range events {
		b, err := event.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		asJSON.Write(append([]byte{"[,"[min(asJSON.Len(), 1)]}, b...))
	}
	asJSON.WriteByte(']')
	var asXML bytes.Buffer
	w := epcis.NewXMLWriter(&asXML, epcis.Header{})
	for _, e := range events {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, document := range [][]byte{asJSON.Bytes(), asXML.Bytes()} {
		r := epcis.NewReader(bytes.NewReader(document), epcis.Limits{})
		for i := 0; ; i++ {
			e, problems, err := r.Next()
			if errors.Is(err, io.EOF) {
				if i != len(events) {
					t.Errorf("%d events of %d came back", i, len(events))
				}
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range problems {
				if p.Code != epcis.CodeCheckDigit {
					t.Errorf("%s: %s", events[i].PreHash(), p.Error())
				}
			}
			if e != nil && e.Hash() != events[i].Hash() {
				t.Errorf("the hash changes: %s", cmp.Diff(events[i].PreHash(), e.PreHash()))
			}
		}
	}
}

// again writes what was read and reads it again: as a workbook, and as a text for each tab.
func again(t *testing.T, r result, language fsma204.Language) {
	t.Helper()
	if len(r.events)+len(r.described) == 0 {
		return
	}
	w := fsma204.NewWriter(language)
	for _, e := range r.events {
		w.Add(e)
	}
	for i := range r.described {
		w.Describe(&r.described[i])
	}
	var out bytes.Buffer
	if err := w.WriteXLSX(&out); err != nil {
		t.Fatal(err)
	}
	back := readBook(t, openBook(t, out.Bytes()), options)
	compare(t, "workbook", r, back)
	if diff := cmp.Diff(r.described, back.described); diff != "" {
		t.Errorf("descriptions, written and read again: %s", diff)
	}
	var texts result
	err := w.WriteCSV(func(string) (io.WriteCloser, error) {
		return &closing{then: func(b []byte) {
			part := readBook(t, openBook(t, b), options)
			texts.events = append(texts.events, part.events...)
			texts.problems = append(texts.problems, part.problems...)
		}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "texts", r, texts)
}

func compare(t *testing.T, what string, r, back result) {
	t.Helper()
	missing := func(of, in []*event.Event) (texts []string) {
		for _, e := range of {
			if !slices.Contains(hashes(in), e.Hash()) {
				texts = append(texts, e.PreHash())
			}
		}
		return texts
	}
	if diff := cmp.Diff(missing(r.events, back.events), missing(back.events, r.events)); diff != "" || len(r.events) != len(back.events) {
		t.Errorf("%s: %d events, written and read again %d: %s", what, len(r.events), len(back.events), diff)
	}
	for _, p := range back.problems {
		if p.Severity == ingest.Error || p.Code == fsma204.CodeColumn && !strings.Contains(p.Message, "Moon phase") {
			t.Errorf("%s: what we write has a problem: %s", what, p.Error())
		}
	}
}

type closing struct {
	bytes.Buffer
	then func([]byte)
}

func (c *closing) Close() error {
	c.then(c.Bytes())
	return nil
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
