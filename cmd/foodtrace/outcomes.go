package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/ingest/formats"
)

// outcomes yields what became of the records of a job, page by page. An error ends it.
func (c *captureCmd) outcomes(ctx context.Context, id string) iter.Seq2[epcisrest.Outcome, error] {
	return func(yield func(epcisrest.Outcome, error) bool) {
		for n := 0; ; {
			var page struct {
				Outcomes []epcisrest.Outcome `json:"outcomes"`
			}
			if err := c.ask(ctx, jobPath(id)+"/outcomes", url.Values{"from": {strconv.Itoa(n)}}, &page); err != nil {
				yield(epcisrest.Outcome{}, err)
				return
			}
			if len(page.Outcomes) == 0 {
				return
			}
			for _, o := range page.Outcomes {
				if !yield(o, nil) {
					return
				}
			}
			n += len(page.Outcomes)
		}
	}
}

// print says what became of a file, record by record. Only a page of them is in memory.
func (c *captureCmd) print(ctx context.Context, w io.Writer, file string, job epcisrest.Job) error {
	out := bufio.NewWriter(w)
	var err error
	if c.Output == "json" {
		err = c.printJSON(ctx, out, file, job)
	} else {
		err = c.printText(ctx, out, file, job)
	}
	return errors.Join(err, out.Flush())
}

// printJSON prints a file, its job and the outcomes as one object on one line.
func (c *captureCmd) printJSON(ctx context.Context, out *bufio.Writer, file string, job epcisrest.Job) error {
	name, err := json.Marshal(file)
	if err != nil {
		return err
	}
	about, err := json.Marshal(job, json.Deterministic(true))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, `{"file":%s,"job":%s,"outcomes":[`, name, about)
	separator := ""
	for o, err := range c.outcomes(ctx, job.ID) {
		if err != nil {
			return err
		}
		_, _ = out.WriteString(separator) // an error is met again at the end
		if err := json.MarshalWrite(out, o); err != nil {
			return err
		}
		separator = ","
	}
	_, err = out.WriteString("]}\n")
	return err
}

func (c *captureCmd) printText(ctx context.Context, out *bufio.Writer, file string, job epcisrest.Job) error {
	of := map[string]epcisrest.Error{} // the document, as far as no record has said the same
	all := slices.Concat(job.Errors, job.Foodtrace.Findings)
	for _, e := range all {
		if e.Event == "" {
			of[e.Code+e.Field] = e
		}
	}
	outcomes := c.outcomes(ctx, job.ID)
	if c.Quiet && job.Foodtrace.Refused == 0 && len(of) == 0 {
		outcomes = func(func(epcisrest.Outcome, error) bool) {} // none of a million would be printed
	}
	for o, err := range outcomes {
		if err != nil {
			return err
		}
		for _, f := range o.Findings {
			delete(of, string(f.Code)+f.Place)
		}
		if c.Quiet && o.Status != contract.Refused {
			continue
		}
		fmt.Fprintf(out, "%s #%d %s %s\n", file, o.Index+1, o.Status, o.ID)
		for _, f := range o.Findings {
			fmt.Fprintf(out, "    %s %s %s\n", f.Code, cmp.Or(f.Place, "-"), f.Message)
		}
	}
	for _, e := range all {
		if said, ok := of[e.Code+e.Field]; ok && said == e {
			fmt.Fprintf(out, "%s %s %s %s\n", file, e.Code, cmp.Or(e.Field, "-"), e.Detail)
		}
	}
	p := job.Foodtrace
	for _, f := range p.Files {
		fmt.Fprintf(out, "%s: kept %s %s %d bytes %s\n", file, strconv.Quote(f.Name), f.MediaType, f.Size, f.URI)
	}
	verdict := "captured"
	if !job.Success {
		verdict = "NOT CAPTURED"
	}
	_, err := fmt.Fprintf(out, "%s: %s: %d accepted, %d duplicates, %d refused\n", file, verdict, p.Accepted, p.Duplicates, p.Refused)
	return err
}

// save writes the outcomes of a job to the file that was asked for: whole, or not at all.
func (c *captureCmd) save(a *app, job epcisrest.Job) (err error) {
	part := "/sheet"
	extension := strings.ToLower(filepath.Ext(c.Outcomes))
	if extension == ".json" {
		part = "/outcomes.json"
	}
	res, err := c.request(a.ctx, http.MethodGet, jobPath(job.ID)+part, nil, http.Header{"Accept": {"*/*"}, "Accept-Language": {a.language()}}, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	xlsx := res.Header.Get("Content-Type") == formats.XLSX.MediaType()
	if xlsx && extension == ".csv" || !xlsx && extension == ".xlsx" {
		return fmt.Errorf("the outcomes are not written: they are no %s, as the file that was sent is none", extension)
	}
	f, err := os.CreateTemp(filepath.Dir(c.Outcomes), ".outcomes-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(f, res.Body)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), c.Outcomes)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the error above is the one that counts
	}
	return err
}

// language is that of the person at the terminal, as the environment says it.
func (a *app) language() string {
	if strings.HasPrefix(cmp.Or(a.getenv("LC_ALL"), a.getenv("LC_MESSAGES"), a.getenv("LANG")), "zh") {
		return "zh"
	}
	return "en"
}
