package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/schollz/progressbar/v3"
)

func TestShortName(t *testing.T) {
	for name, want := range map[string]string{
		"harvest.json":                 "harvest.json",
		"2026-11-24-harvest-0001.json": "…rvest-0001.json",
		"寿光宏图三号大棚黄瓜收获与包装记录.json": "…棚黄瓜收获与包装记录.json",
	} {
		if got := shortName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// Sending goes on whatever the display makes of it: the file may have grown since its size was asked for.
func TestSendingAFileThatGrew(t *testing.T) {
	path, text := filepath.Join(t.TempDir(), "a.json"), bytes.Repeat([]byte("x"), 10_000)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, shown := range map[string]*progress{
		"no terminal": progressOn(io.Discard, 10),
		"a terminal":  {progressbar.NewOptions64(10, progressbar.OptionSetWriter(io.Discard))},
	} {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if size := lengthOf(f); size != int64(len(text)) {
			t.Error(size)
		}
		read, err := io.ReadAll(&counted{File: f, shown: shown})
		if err != nil || !bytes.Equal(read, text) {
			t.Errorf("%s: %d bytes, %v", name, len(read), err)
		}
		shown.end()
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
