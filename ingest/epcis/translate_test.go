package epcis_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/testdata"
	"github.com/foodtrace-ledger/foodtrace/internal/translate"
)

// shared are the public documents, which several tests take and none changes.
var shared struct {
	once sync.Once
	all  map[string]*epcis.Document
}

// sharedDocuments are the public documents, as far as they can be read.
func sharedDocuments(t *testing.T) map[string]*epcis.Document {
	t.Helper()
	rows := readLines[struct {
		File string `json:"f"`
	}](t, "validity.jsonl")
	shared.once.Do(func() {
		shared.all = map[string]*epcis.Document{}
		for _, row := range rows {
			if !isJSON(row.File) && !isXML(row.File) {
				continue
			}
			b, err := os.ReadFile(testdata.Shared(t, filepath.FromSlash(row.File)))
			if err != nil {
				t.Fatal(err)
			}
			shared.all[row.File], _ = epcis.Parse(b, epcis.Limits{})
		}
	})
	return shared.all
}

var companyPrefix = regexp.MustCompile(`"urn:epc:(?:id|class|idpat):[a-z]+:(\d{6,12})\.`)

// In whatever format the events of the public documents are spelt, they stay the same events; and what was spelt as URN, link and URN again is
// what was spelt as URN.
func TestTranslateEveryDocument(t *testing.T) {
	changed := map[translate.EPCFormat]int{}
	for file, doc := range sharedDocuments(t) {
		var prefixes []string
		for _, e := range doc.Events {
			text, err := e.Text()
			if err != nil {
				t.Fatal(file, err)
			}
			for _, m := range companyPrefix.FindAllSubmatch(text, -1) {
				prefixes = append(prefixes, string(m[1]))
			}
		}
		slices.Sort(prefixes)
		prefixes = slices.Compact(prefixes)
		for i, e := range doc.Events {
			for _, epc := range []translate.EPCFormat{translate.EPCDigitalLink, translate.EPCURN} {
				for _, cbv := range []translate.CBVFormat{translate.CBVNever, translate.CBVURN, translate.CBVWebURI} {
					got := translate.Event(e, epc, cbv, prefixes...)
					if got.Hash() != e.Hash() {
						t.Errorf("%s event %d in %s, %s:\n got %s\nwant %s", file, i, epc, cbv, got.PreHash(), e.PreHash())
					}
					if cbv == translate.CBVNever && !sameText(t, got, e) {
						changed[epc]++
					}
				}
			}
			urn := translate.Event(e, translate.EPCURN, translate.CBVNever, prefixes...)
			back := translate.Event(translate.Event(urn, translate.EPCDigitalLink, translate.CBVNever), translate.EPCURN, translate.CBVNever, prefixes...)
			if len(prefixes) == 1 && !sameText(t, urn, back) {
				t.Errorf("%s event %d is not the same there and back", file, i)
			}
		}
	}
	if changed[translate.EPCDigitalLink] == 0 || changed[translate.EPCURN] == 0 {
		t.Error("nothing was translated")
	}
	t.Logf("translated: %v", changed)
}

func sameText(t *testing.T, a, b *event.Event) bool {
	t.Helper()
	x, err := a.Text()
	y, err2 := b.Text()
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return bytes.Equal(x, y)
}
