package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/formats"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// maxReasons bounds the findings that are listed in one cell, which a workbook holds only so much of; all are in the outcomes.
const maxReasons = 20

// maxCell bounds the bytes of a cell: a workbook allows 32,767 characters.
const maxCell = 30_000

// Table is what became of the records of a job, as a sheet to be written.
type Table struct {
	Format formats.Format // CSV or XLSX
	Job    Job
	// Copied: what Write has written is the sender's own sheets. Otherwise it is a list of records, for no sheet could be read.
	Copied bool
	s      *Service
}

// Table returns the table of a job of a member ("" for any member's), or ErrNoSuchJob. A sheet that was sent as XLSX has an XLSX table, all else CSV.
func (s *Service) Table(ctx context.Context, member, id string) (*Table, error) {
	job, err := s.store.job(ctx, member, id)
	if err != nil {
		return nil, err
	}
	t := &Table{Format: formats.CSV, Job: job, s: s}
	if job.Evidence.MediaType == formats.XLSX.MediaType() {
		t.Format = formats.XLSX
	}
	return t, nil
}

// Write writes the table: a copy of the sender's sheets with one more column, of what became of each row and why; where the document is no
// sheet, or none that can be read, a row for each record. Memory is bounded by one batch of outcomes and some bytes for each row.
func (t *Table) Write(ctx context.Context, out io.Writer, in Language) error {
	if err := t.write(ctx, out, in.words()); err != nil {
		return fmt.Errorf("capture: table of job %s: %w", t.Job.ID, err)
	}
	return nil
}

func (t *Table) write(ctx context.Context, out io.Writer, in *words) error {
	if t.Job.Evidence.MediaType == formats.CSV.MediaType() || t.Format == formats.XLSX {
		err := t.rows(ctx, out, in)
		var p *ingest.Problem
		if !errors.As(err, &p) {
			t.Copied = err == nil
			return err
		}
	}
	format := sheet.CSV
	if t.Format == formats.XLSX {
		format = sheet.XLSX
	}
	w := sheet.NewWriter(out, format)
	if err := t.records(ctx, w, in); err != nil {
		return err
	}
	return w.Close()
}

// records writes a row for each record, and first those problems of the document that are of no record.
func (t *Table) records(ctx context.Context, w *sheet.Writer, in *words) error {
	if err := w.Sheet(in.outcome); err != nil {
		return err
	}
	if err := w.Row(sheet.Texts(in.columns...)...); err != nil {
		return err
	}
	for _, p := range t.Job.Problems {
		if !p.Document {
			continue
		}
		f, status := contract.Finding{Code: contract.Code(p.Code), Message: p.Message, Place: p.Pointer}, ""
		if p.Refused {
			status = in.status[contract.Refused]
		}
		if err := w.Row(sheet.Texts("", p.Event, status, p.Code, in.reason(f), p.Pointer)...); err != nil {
			return err
		}
	}
	for o, err := range t.s.outcomes(ctx, t.Job.ID, 0) {
		if err != nil {
			return err
		}
		place := ""
		if len(o.Findings) > 0 {
			place = o.Findings[0].Place
		}
		number := sheet.Cell{Kind: sheet.Number, Text: strconv.Itoa(o.Index + 1)}
		cells := append([]sheet.Cell{number}, sheet.Texts(o.ID, in.status[o.Status], codes(o.Findings), in.sentences(o.Findings), place)...)
		if err := w.Row(cells...); err != nil {
			return err
		}
	}
	return nil
}

func codes(findings []contract.Finding) string {
	var list []string
	for _, f := range findings[:min(len(findings), maxReasons)] {
		list = append(list, string(f.Code))
	}
	return strings.Join(list, " ")
}
