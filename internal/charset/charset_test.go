package charset

import (
	"io"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// The encoding is found by the whole text, and named ones are those that documents declare. (Packages sheet and epcis test them all.)
func TestDetect(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(strings.Repeat("lot,qty\n", 9000) + "批次,数量\n")
	if err != nil {
		t.Fatal(err)
	}
	r := strings.NewReader(gbk)
	enc, err := Detect(r, r.Size())
	if err != nil || enc != simplifiedchinese.GB18030 {
		t.Fatal(enc, err)
	}
	text, err := io.ReadAll(Decoded(r, r.Size(), enc))
	if err != nil || !strings.HasSuffix(string(text), "批次,数量\n") {
		t.Errorf("%v %q", err, text[len(text)-20:])
	}
	if enc, known := Named("BIG5"); !known || enc != traditionalchinese.Big5 {
		t.Error(enc, known)
	}
	if _, known := Named("ebcdic"); known {
		t.Error("ebcdic is known")
	}
}

func TestLost(t *testing.T) {
	for text, want := range map[string]bool{"批次": false, "a\ufffdb": true, "": false} {
		var lost Lost
		got := false
		for i := range len(text) {
			got = lost.Byte(text[i]) || got
		}
		if got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
