package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mapping file that is wrong is found when the gateway starts, with all that is wrong, and not by the first sheet.
func TestDropMappingsAreChecked(t *testing.T) {
	dir := t.TempDir()
	wrong := writeFile(t, "wrong.yaml", "foodtrace: mapping/1\nname: stock\nzone: Nowhere/City\ncolour: red\ncolumns: {lot: Lot}\nrecords: []\n")
	code, _, errOut := run(t, "serve", "--data", filepath.Join(dir, "data"), "--drop", dir, "--drop-member", "producer", "--drop-mapping", wrong)
	if code != exitError || !strings.Contains(errOut, "--drop-mapping: "+wrong+", line 3, column 7: MAPPING") || !strings.Contains(errOut, "line 4, column 1: MAPPING") {
		t.Errorf("exit %d: %s", code, errOut)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		t.Error("a ledger was begun")
	}
	config := strings.NewReplacer("retentionDays: 30", "retentionDays: 30, secretKey: s", "mapping: erp.yaml", "mapping: none.yaml",
		"- s3: {", "- mapping: "+wrong+"\n    s3: {").Replace(wholeConfig)
	code, _, errOut = run(t, "serve", "--config", writeFile(t, "foodtrace.yaml", config))
	if code != exitError || !strings.Contains(errOut, "drops[0].mapping: open ") || !strings.Contains(errOut, "drops[1].mapping: "+wrong+", line 3") {
		t.Errorf("exit %d: %s", code, errOut)
	}
}
