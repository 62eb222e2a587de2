package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/formats"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/content"
)

type hashCmd struct {
	File     string `arg:"" help:"EPCIS file, JSON or XML, or a sheet, CSV or XLSX; - is standard input."`
	Mapping  string `type:"existingfile" placeholder:"FILE" help:"Mapping file that says what the columns of a sheet mean."`
	Prehash  bool   `help:"Print the string that is hashed, too."`
	Evidence bool   `help:"The file is a photo, report or certificate: print the URI by which an event names it in certificationInfo."`
	output
}

func (hashCmd) Help() string {
	return "Examples:\n  foodtrace hash --prehash harvest.jsonld\n  foodtrace hash --evidence certificate.pdf\n\nOne event a line, in the order of the file. Exit code 1: something in the file cannot be read."
}

// hashed is one event, as -o json prints it.
type hashed struct {
	Pointer string `json:"pointer"`
	Hash    string `json:"hash"`
	Prehash string `json:"prehash,omitzero"`
}

func (c *hashCmd) Run(a *app) error {
	in := a.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	if c.Evidence {
		return c.evidence(a, in)
	}
	var o formats.Options
	if c.Mapping != "" {
		var err error
		if o.Mapping, err = os.ReadFile(c.Mapping); err != nil {
			return err
		}
		if problems := o.Check(); !a.remark(problems) {
			return errNo
		}
	}
	doc, err := formats.Open(in, o)
	if err != nil {
		return err
	}
	defer doc.Close()
	clean := true
	for {
		record, problems, err := doc.Next()
		if errors.Is(err, io.EOF) {
			problems, err = doc.Problems(), nil
			clean = a.remark(problems) && clean
			break
		}
		if err != nil {
			return err
		}
		clean = a.remark(problems) && clean
		if record == nil || record.Event == nil {
			continue
		}
		h := hashed{Pointer: doc.Places()[0], Hash: record.Event.Hash()}
		if c.Prehash {
			h.Prehash = record.Event.PreHash()
		}
		if err := c.print(a.out, h); err != nil {
			return err
		}
	}
	if !clean {
		return errNo
	}
	return nil
}

// evidence prints what an event calls a file, whatever is in it.
func (c *hashCmd) evidence(a *app, in io.Reader) error {
	sum, size, err := evidence.Copy(a.ctx, io.Discard, in, content.MaxFile)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return writeJSON(a.out, struct {
			URI    string `json:"uri"`
			SHA256 string `json:"sha256"`
			Size   int64  `json:"size"`
		}{event.FileURI(sum), sum, size})
	}
	_, err = fmt.Fprintln(a.out, event.FileURI(sum))
	return err
}

func (c *hashCmd) print(w io.Writer, h hashed) error {
	if c.Output == "json" {
		return writeJSON(w, h)
	}
	_, err := fmt.Fprintln(w, h.Hash)
	if c.Prehash && err == nil {
		_, err = fmt.Fprintln(w, h.Prehash)
	}
	return err
}

// remark prints problems of a document and reports whether none of them is an error.
func (a *app) remark(problems []ingest.Problem) bool {
	for _, p := range problems {
		fmt.Fprintf(a.err, "%s: %s\n", p.Severity, p.Error())
	}
	return !ingest.HasErrors(problems)
}
