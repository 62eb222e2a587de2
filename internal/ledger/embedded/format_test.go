package embedded

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var newFormat = flag.Bool("new-format", false, "write testdata/format1 anew: only while no release has written that format")

// format1Head is the hash of the last block of testdata/format1.
const format1Head = "0a03bdff87326acb5774980ca80feb6797af2bfa64e5029625fb2a26de1939d1"

// TestFormat1: what the first version wrote stays readable for ever, byte for byte.
func TestFormat1(t *testing.T) {
	kept := filepath.Join("testdata", "format1")
	if *newFormat {
		dir := t.TempDir()
		smallLedger(t, dir, 3)
		err := errors.Join(os.RemoveAll(kept), os.CopyFS(filepath.Join(kept, "trust"), os.DirFS(filepath.Join(dir, "trust"))), os.Rename(LogPath(dir), LogPath(kept)))
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(kept)); err != nil {
		t.Fatal(err)
	}
	sum := checkClean(t, dir)
	if got := hex.EncodeToString(sum.Hash[:]); got != format1Head || sum.Records != 12 {
		t.Errorf("head %s, want %s; %d records", got, format1Head, sum.Records)
	}
	l := testLedger(t, Options{Dir: dir})
	for b, err := range l.Blocks(context.Background(), 2) {
		if err != nil {
			t.Fatal(err)
		}
		tx := b.Txs[0]
		if tx.Actor.MSP != "Farm" || tx.Actor.Subject != "tester" || tx.Batch.Records[2].Hold.Item != "b2" || tx.Outcomes[0].ID != "a=3" {
			t.Errorf("last block: %+v", tx)
		}
		break
	}
}
