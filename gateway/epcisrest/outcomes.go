package epcisrest

import (
	"bufio"
	"cmp"
	"io"
	"iter"
	"mime"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/pages"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
)

// Outcome is what became of one record of a document: ours, the standard's job has no such list.
type Outcome struct {
	Index int    `json:"index"` // of the record in the document
	Tx    string `json:"tx,omitzero"`
	Block uint64 `json:"block"`
	contract.Outcome
}

// outcomes is GET /capture/{id}/outcomes?from=0&perPage=1000: per record, in document order, as far as the job has come.
func (h *Handler) outcomes(w http.ResponseWriter, r *http.Request) {
	from, err := number(r, "from", 0, 0)
	limit, err2 := number(r, "perPage", maxPerPage, 1)
	if err := cmp.Or(err, err2); err != nil {
		fail(w, r, err)
		return
	}
	list, err := h.capture.Outcomes(r.Context(), member(r), pathValue(r, "id"), from, min(limit, maxPerPage))
	if err != nil {
		noJob(w, r, err)
		return
	}
	body := struct {
		Outcomes []Outcome `json:"outcomes"`
	}{make([]Outcome, len(list))}
	for i, o := range list {
		body.Outcomes[i] = outcome(o)
	}
	answer(w, r, http.StatusOK, body)
}

func outcome(o capture.Outcome) Outcome {
	return Outcome{Index: o.Index, Tx: o.Tx, Block: o.Block, Outcome: o.Outcome}
}

// allOutcomes is GET /capture/{id}/outcomes.json: the job, and what became of all its records, as a file. It is written as it is read.
func (h *Handler) allOutcomes(w http.ResponseWriter, r *http.Request) {
	job, outcomes, err := h.capture.AllOutcomes(r.Context(), member(r), pathValue(r, "id"))
	if err != nil {
		noJob(w, r, err)
		return
	}
	download(w, job, jsonMedia, ".json")
	if err := writeOutcomes(w, shown(job), outcomes); err != nil {
		panic(http.ErrAbortHandler) // nobody takes a part for the whole
	}
}

func writeOutcomes(w io.Writer, job Job, outcomes iter.Seq2[capture.Outcome, error]) error {
	out := bufio.NewWriter(w)
	head, err := json.Marshal(job)
	if err != nil {
		return err
	}
	_, _ = out.WriteString(`{"job":` + string(head) + `,"outcomes":[`) // an error is met again at the end
	separator := "\n"
	for o, err := range outcomes {
		if err != nil {
			return err
		}
		_, _ = out.WriteString(separator)
		if err := json.MarshalWrite(out, outcome(o)); err != nil {
			return err
		}
		separator = ",\n"
	}
	_, _ = out.WriteString("\n]}\n")
	return out.Flush()
}

// sheet is GET /capture/{id}/sheet: the sender's own CSV or XLSX with a column of what became of each row and why, in the language of the
// request; of an EPCIS document a CSV with a row for each record.
func (h *Handler) sheet(w http.ResponseWriter, r *http.Request) {
	table, err := h.capture.Table(r.Context(), member(r), pathValue(r, "id"))
	if err != nil {
		noJob(w, r, err)
		return
	}
	extension := ".csv"
	if table.Format.MediaType() == xlsxMedia {
		extension = ".xlsx"
	}
	language := pages.Of(r)
	w.Header().Set("Content-Language", language.Tag())
	w.Header().Set("Vary", "Accept-Language, Authorization")
	download(w, table.Job, table.Format.MediaType(), extension)
	if err := table.Write(r.Context(), w, capture.Language(language)); err != nil {
		panic(http.ErrAbortHandler) // nobody takes a part for the whole
	}
}

// download says that the answer is a file, named after the one that was sent.
func download(w http.ResponseWriter, job capture.Job, mediaType, extension string) {
	name := cmp.Or(strings.TrimSuffix(job.Name, filepath.Ext(job.Name)), job.ID) + "-outcomes" + extension
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Cache-Control", "no-store")
}
