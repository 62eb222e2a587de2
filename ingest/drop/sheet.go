package drop

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/ingest/formats"
)

// A sheet of which something was refused comes back with a column of what is wrong. It is written under a name that only this taking of the
// file has; then the receipt is written, which names it; then it is moved to its place. So the next process knows what it finds: without a
// receipt, it writes the sheet again; with one, it moves what is left.

// stage is where the sheet waits for its receipt. The dot keeps it from being taken.
func stage(taken file, ext string) string { return ".foodtrace-" + taken.id + sheetEnd + ext }

// extension is the ending of a sheet's name.
func extension(t *capture.Table) string {
	if t.Format == formats.XLSX {
		return ".xlsx"
	}
	return ".csv"
}

// unmadeError: what was to be written could not be made, and another time it cannot either.
type unmadeError struct{ err error }

func (e *unmadeError) Error() string { return e.err.Error() }

// sheet stages the sheet that comes back, and returns nil where there is none: the file is no sheet, or nothing of it was refused.
func (f *Feed) sheet(ctx context.Context, taken file, r *Receipt) (*capture.Table, error) {
	if r.State == Captured {
		return nil, nil
	}
	table, err := f.Capture.Table(ctx, f.Member, r.Job)
	if err != nil || table.Format.MediaType() != r.MediaType { // all else than a sheet has a table as CSV
		return nil, err
	}
	err = f.place.stream(ctx, stage(taken, extension(table)), func(out io.Writer) error {
		noting := &noting{Writer: out}
		err := table.Write(ctx, noting, f.Language)
		if err == nil || noting.failed || hopeless(err) || ctx.Err() != nil {
			return err
		}
		return &unmadeError{err}
	})
	var unmade *unmadeError
	if errors.As(err, &unmade) {
		f.Log.Error("a sheet with what is wrong cannot be made", "place", f.place, "name", show(taken.name), "job", r.Job, "err", err)
		r.Problems = append(r.Problems, Problem{Code: "NO_SHEET", Message: fmt.Sprintf("A copy of the sheet with what is wrong could not be made: %v.", unmade)})
		return nil, nil
	}
	return table, err
}

// noting notes that it could not be written to.
type noting struct {
	io.Writer
	failed bool
}

func (n *noting) Write(b []byte) (int, error) {
	written, err := n.Writer.Write(b)
	n.failed = n.failed || err != nil
	return written, err
}

// point tells in a receipt of the sheet beside it.
func (r *Receipt) point(sheet string, copied bool) {
	r.Sheet = sheet
	switch {
	case !copied:
		r.Summary.EN += " The reasons are also in " + sheet + "."
		r.Summary.ZH += "原因也列在 " + sheet + " 中。"
	case r.State == Partly:
		r.Summary.EN += " Or correct the rows in " + sheet + ", where it says what is wrong with each, and drop that file as a whole: what is on the ledger is not written again."
		r.Summary.ZH += "也可在 " + sheet + " 中更正（每行注明了问题）并整份重新投放：已在账本上的记录不会重复写入。"
	default:
		r.Summary.EN += " Or correct the rows in " + sheet + ", where it says what is wrong with each, and drop that file."
		r.Summary.ZH += "也可在 " + sheet + " 中更正（每行注明了问题）后重新投放。"
	}
}
