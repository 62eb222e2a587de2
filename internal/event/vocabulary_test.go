package event_test

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/testdata"
)

// otherThere are the vectors that we answer otherwise: a word that is none of the CBV 2.0 keeps its namespace, so that it stays what it was.
var otherThere = map[string]string{
	"https://ref.gs1.org/cbv/ER-other": "https://ref.gs1.org/cbv/ER-other",
	"urn:epcglobal:cbv:er:other":       "https://ref.gs1.org/cbv/ER-other",
}

// The published conversions of words. A row does not say of which vocabulary its word is: only that one knows it.
func TestVocabularyVectors(t *testing.T) {
	f, err := os.Open(testdata.Shared(t, "vectors-split", "dev", "openepcis-dl-translator__vocabulary.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := []*event.Vocabulary{event.BizSteps, event.Dispositions, event.BizTransactionTypes, event.SourceDestTypes, event.ErrorReasons}
	rows := 0
	for lines := bufio.NewScanner(f); lines.Scan(); rows++ {
		var row struct{ Fn, In, Expect string }
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		got := row.In
		for _, v := range all {
			switch row.Fn {
			case "toBareStringVocabulary":
				got = v.Short(got)
			case "toUrnVocabulary":
				got = v.URN(got)
			case "toWebURIVocabulary":
				got = v.WebURI(got)
			default:
				t.Fatalf("unknown conversion %s", row.Fn)
			}
		}
		want := row.Expect
		if w, ok := otherThere[row.In]; ok && row.Fn == "toBareStringVocabulary" {
			want = w
		}
		if got != want {
			t.Errorf("%s of %s is %s, want %s", row.Fn, row.In, got, want)
		}
	}
	if rows != 56 {
		t.Errorf("%d rows", rows)
	}
}
