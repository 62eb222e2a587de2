package capture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/ingest/sheet"
)

// rowOf says that a record was made of a row. There is one for each row of a sheet, which may have millions.
type rowOf struct{ row, record int32 }

// rowTable says of each row of a document what became of it.
type rowTable struct {
	*Table
	in      *words
	records map[string][]rowOf            // by sheet ("Harvest!"), ascending
	remarks map[string][]contract.Finding // by the place of a row: what the reader said outside of records
	general []contract.Finding            // of the document, at no row
	batch   []Outcome                     // the batch of the record that was asked for last
	err     error                         // the first
}

// rows writes the sender's sheets. The document is read once more to know which rows a record was made of.
// An error that is a *ingest.Problem says that it cannot be read to its end; then nothing is written.
func (t *Table) rows(ctx context.Context, out io.Writer, in *words) error {
	doc, err := t.s.openDocument(ctx, t.Job)
	if err != nil {
		return err
	}
	defer doc.Close()
	r := &rowTable{Table: t, in: in, records: map[string][]rowOf{}, remarks: map[string][]contract.Finding{}}
	if err := r.locate(doc); err != nil {
		return err
	}
	title := in.answer
	if said := in.sentences(r.general); said != "" {
		title += "\n" + said
	}
	err = sheet.Annotate(out, doc.Book, title, func(s *sheet.Sheet, row int) string { return r.text(ctx, s, row) })
	if err = cmp.Or(r.err, err); err != nil {
		return fmt.Errorf("copying the sheets: %v", err) // no problem of the document any more: part of it is out
	}
	return nil
}

// locate reads the document for the places of its records.
func (r *rowTable) locate(doc *document) error {
	for n := int32(0); ; n++ {
		_, _, err := doc.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return cmp.Or(doc.away(), err)
		}
		for _, place := range doc.Places() {
			if name, row, ok := splitPlace(place); ok {
				r.records[name] = append(r.records[name], rowOf{int32(row), n})
			}
		}
	}
	for _, list := range r.records {
		slices.SortFunc(list, func(a, b rowOf) int { return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.record, b.record)) })
	}
	for _, p := range doc.Problems() {
		r.remark(contract.Finding{Code: contract.Code(p.Code), Message: p.Message, Place: p.Pointer})
	}
	for _, p := range r.Job.Problems {
		if p.Document && !slices.ContainsFunc(doc.Problems(), func(q ingest.Problem) bool { return string(q.Code) == p.Code && q.Pointer == p.Pointer }) {
			r.remark(contract.Finding{Code: contract.Code(p.Code), Message: p.Message, Place: p.Pointer})
		}
	}
	return nil
}

func (r *rowTable) remark(f contract.Finding) {
	name, row, ok := splitPlace(f.Place)
	if !ok {
		r.general = append(r.general, f)
		return
	}
	place := name + strconv.Itoa(row)
	r.remarks[place] = append(r.remarks[place], f)
}

// splitPlace splits the place of a cell or row (sheet.Place) into its sheet with the "!" ("" in CSV) and its row.
func splitPlace(place string) (name string, row int, ok bool) {
	cut := strings.LastIndexByte(place, '!') + 1
	row, err := strconv.Atoi(strings.TrimLeft(place[cut:], "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
	return place[:cut], row, err == nil && row > 0
}

// rank orders what became of the records of one row: the row shows the worst.
var rank = map[contract.Status]int{contract.Duplicate: 1, contract.Accepted: 2, "": 3, contract.Refused: 4}

// text says what became of a row, and why.
func (r *rowTable) text(ctx context.Context, s *sheet.Sheet, row int) string {
	place := s.Place(row, -1)
	name := strings.TrimSuffix(place, strconv.Itoa(row))
	list, findings := r.records[name], r.remarks[place]
	at, _ := slices.BinarySearchFunc(list, row, func(of rowOf, row int) int { return cmp.Compare(int(of.row), row) })
	var worst Outcome
	for i := at; i < len(list) && int(list[i].row) == row && r.err == nil; i++ {
		var o Outcome
		if o, r.err = r.of(ctx, int(list[i].record)); i == at || rank[o.Status] > rank[worst.Status] {
			worst = o
		}
		findings = append(findings[:len(findings):len(findings)], o.Findings...)
	}
	why := r.in.sentences(findings)
	if at == len(list) || int(list[at].row) != row {
		return why
	}
	return strings.TrimSuffix(r.in.status[worst.Status]+"\n"+why, "\n")
}

// of returns the outcome of a record. One without any was not reached: it waits, or the job failed as a whole.
func (r *rowTable) of(ctx context.Context, record int) (Outcome, error) {
	if len(r.batch) == 0 || record < r.batch[0].Index || record > r.batch[len(r.batch)-1].Index {
		batch, err := r.s.batchOutcomes(ctx, r.Job.ID, record)
		if err != nil || len(batch) == 0 {
			return r.notReached(record), err
		}
		r.batch = batch
	}
	if i := record - r.batch[0].Index; i < len(r.batch) {
		return r.batch[i], nil
	}
	return r.notReached(record), nil
}

func (r *rowTable) notReached(record int) Outcome {
	o := Outcome{Index: record}
	if !r.Job.Running {
		o.Status = contract.Refused
	}
	return o
}
