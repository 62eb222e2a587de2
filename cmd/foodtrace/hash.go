package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/formats"
)

type hashCmd struct {
	File    string `arg:"" help:"EPCIS file, JSON or XML, or a sheet, CSV or XLSX; - is standard input."`
	Mapping string `type:"existingfile" placeholder:"FILE" help:"Mapping file that says what the columns of a sheet mean."`
	Prehash bool   `help:"Print the string that is hashed, too."`
	output
}

func (hashCmd) Help() string {
	return "Example:\n  foodtrace hash --prehash harvest.jsonld\n\nOne event a line, in the order of the file. Exit code 1: something in the file cannot be read."
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
