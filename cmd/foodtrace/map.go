package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/mapping"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

type mapCmd struct {
	Files   []string `arg:"" name:"file" help:"Mapping file and sheet (CSV or XLSX); with --suggest the sheet alone."`
	Suggest bool     `help:"Print a proposal of a mapping file, made from the headings of the sheet."`
	Rows    int      `help:"How many records to show; all are checked and counted." default:"10"`
	Quiet   bool     `short:"q" help:"Show only records with problems."`
	output
}

func (mapCmd) Help() string {
	return "Example:\n  foodtrace map --suggest outbound.xlsx > outbound.yaml\n  foodtrace map outbound.yaml outbound.xlsx\n\n" +
		"Shows what becomes of the rows of a sheet, and sends nothing. Exit code 1: something in the mapping or the sheet is wrong."
}

func (c *mapCmd) Run(a *app) error {
	if c.Suggest != (len(c.Files) == 1) || len(c.Files) > 2 {
		return errors.New("give a mapping file and a sheet, or --suggest and a sheet")
	}
	f, book, err := openBook(c.Files[len(c.Files)-1])
	if err != nil {
		return err
	}
	defer f.Close()
	if c.Suggest {
		file, err := mapping.Suggest(book)
		if err != nil {
			return err
		}
		_, err = io.WriteString(a.out, file)
		return err
	}
	text, err := os.ReadFile(c.Files[0])
	if err != nil {
		return err
	}
	m, problems := mapping.Load(text)
	for _, p := range problems {
		fmt.Fprintf(a.err, "%s: %s, %s: %s: %s\n", p.Severity, c.Files[0], p.Pointer, p.Code, p.Message)
	}
	if m == nil {
		return errNo
	}
	return c.show(a, m, book)
}

func openBook(path string) (*os.File, *sheet.Book, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	book, err := sheet.Open(f, info.Size(), sheet.Limits{})
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, book, nil
}

// mapped is what one or more rows became, as -o json prints it, one a line.
type mapped struct {
	Places   []string       `json:"places"`
	Kind     string         `json:"kind"`
	Record   jsontext.Value `json:"record"`
	Problems []mapProblem   `json:"problems,omitempty"`
}

type mapProblem struct {
	Severity string      `json:"severity"`
	Code     ingest.Code `json:"code"`
	Place    string      `json:"place,omitzero"`
	Message  string      `json:"message"`
}

func mapProblems(problems []ingest.Problem) (all []mapProblem) {
	for _, p := range problems {
		all = append(all, mapProblem{Severity: p.Severity.String(), Code: p.Code, Place: p.Pointer, Message: p.Message})
	}
	return all
}

// show reads the whole sheet and prints the first of its records.
func (c *mapCmd) show(a *app, m *mapping.Mapping, book *sheet.Book) error {
	doc, err := mapping.New(book, m)
	if err != nil {
		return err
	}
	good, bad, shown := 0, 0, 0
	for {
		record, problems, err := doc.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if record == nil {
			bad++
		} else {
			good++
		}
		if shown == c.Rows || c.Quiet && len(problems) == 0 {
			continue
		}
		shown++
		if err := c.print(a.out, mapped{Places: doc.Places(), Kind: doc.Kind(), Record: doc.JSON(), Problems: mapProblems(problems)}); err != nil {
			return err
		}
	}
	return c.end(a, doc, good, bad)
}

// end prints what the sheet describes and what is wrong beside its records, and the sums.
func (c *mapCmd) end(a *app, doc *mapping.Reader, good, bad int) error {
	if c.Output != "json" {
		for i, d := range doc.Descriptions() {
			if i == c.Rows {
				break
			}
			for _, s := range d.Registration.Sites {
				fmt.Fprintf(a.out, "site     %s %s\n", s.ID, s.Name.ZH+s.Name.EN)
			}
			for _, p := range d.Registration.Products {
				fmt.Fprintf(a.out, "product  %s %s\n", p.ID, p.Name.ZH+p.Name.EN)
			}
		}
	}
	for _, p := range mapProblems(doc.Problems()) {
		fmt.Fprintf(a.err, "%s %s %s: %s\n", p.Severity, p.Place, p.Code, p.Message)
	}
	fmt.Fprintf(a.err, "%d records can be sent, %d have errors; %d sites and products. Nothing was sent.\n", good, bad, len(doc.Descriptions()))
	if bad > 0 || ingest.HasErrors(doc.Problems()) {
		return errNo
	}
	return nil
}

func (c *mapCmd) print(w io.Writer, r mapped) error {
	if c.Output == "json" {
		return writeJSON(w, r)
	}
	verdict := r.Kind
	for _, p := range r.Problems {
		if p.Severity == ingest.Error.String() {
			verdict = r.Kind + ", not possible"
		}
	}
	fmt.Fprintf(w, "%s  %s\n", strings.Join(r.Places, " "), verdict)
	for _, p := range r.Problems {
		fmt.Fprintf(w, "    %s %s %s: %s\n", p.Severity, p.Place, p.Code, p.Message)
	}
	for _, line := range flat(r.Record) {
		fmt.Fprintf(w, "    %s\n", line)
	}
	_, err := fmt.Fprintln(w)
	return err
}

// flat is a JSON value as lines "path  value".
func flat(v jsontext.Value) (lines []string) {
	dec := jsontext.NewDecoder(bytes.NewReader(v))
	for {
		tok, err := dec.ReadToken()
		if err != nil { // its end
			return lines
		}
		in, n := dec.StackIndex(dec.StackDepth())
		if isName := in == '{' && n%2 == 1; isName || strings.ContainsRune("{}[]", rune(tok.Kind())) {
			continue
		}
		lines = append(lines, fmt.Sprintf("%-38s %s", strings.TrimPrefix(string(dec.StackPointer()), "/"), tok.String()))
	}
}
