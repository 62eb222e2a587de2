package main

import (
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress is a line on a terminal that says how far something is, and is gone at its end. A nil one shows nothing.
type progress struct{ bar *progressbar.ProgressBar }

// progressOn shows how many of size bytes are done (-1: nobody knows how many there are), if w is a terminal.
func progressOn(w io.Writer, size int64) *progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &progress{progressbar.NewOptions64(size, progressbar.OptionSetWriter(f), progressbar.OptionClearOnFinish())}
}

// maxShownName bounds the characters of a name, which may be twice as wide: a line that does not fit 80 columns would be repeated, not replaced.
const maxShownName = 16

// describe says what is done with a file, or how much of it.
func (p *progress) describe(name, done string) {
	if p != nil {
		p.bar.Describe(shortName(name) + ": " + done)
	}
}

// shortName is the end of a name that is long: files of one sender begin alike.
func shortName(name string) string {
	r := []rune(name)
	if len(r) <= maxShownName {
		return name
	}
	return "…" + string(r[len(r)-maxShownName+1:])
}

func (p *progress) set(bytes int64) {
	if p != nil {
		_ = p.bar.Set64(bytes) // an error is of the display
	}
}

func (p *progress) end() {
	if p != nil {
		_ = p.bar.Finish()
	}
}

// counted is a file that shows how much of it was read.
type counted struct {
	*os.File
	shown *progress
	read  int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.File.Read(b)
	c.read += int64(n)
	c.shown.set(c.read)
	return n, err
}

// lengthOf is the size of a file, -1 of what has none, such as a pipe.
func lengthOf(f *os.File) int64 {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return -1
	}
	return info.Size()
}
