package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
)

type captureCmd struct {
	Files    []string `arg:"" name:"file" help:"EPCIS files, JSON or XML, or folders of them; - is standard input."`
	Rollback bool     `help:"All records of a file or none; otherwise each record stands alone."`
	Quiet    bool     `short:"q" help:"Print the refused records and the totals only."`
	remote
	output
}

func (captureCmd) Help() string {
	return "Example:\n  foodtrace capture --token $TOKEN harvest.jsonld packing.jsonld\n\nExit code 1: at least one record was refused."
}

// captured is what became of one file, as -o json prints it, one a line.
type captured struct {
	File     string              `json:"file"`
	Job      epcisrest.Job       `json:"job"`
	Outcomes []epcisrest.Outcome `json:"outcomes"`
}

func (c *captureCmd) Run(a *app) error {
	files, err := expand(c.Files)
	if err != nil {
		return err
	}
	refused := false
	for _, file := range files {
		result, err := c.file(a, file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := c.print(a.out, result); err != nil {
			return err
		}
		refused = refused || !result.Job.Success || result.Job.Foodtrace.Refused > 0 || len(result.Job.Errors) > 0
	}
	if refused {
		return errNo
	}
	return nil
}

// extensions are those of the files that are taken from a folder.
var extensions = []string{".json", ".jsonld", ".xml"}

// expand replaces folders by the EPCIS files below them, in order of their names.
func expand(args []string) (files []string, err error) {
	for _, arg := range args {
		info, err := os.Stat(arg)
		if arg == "-" || err == nil && !info.IsDir() {
			files = append(files, arg)
			continue
		}
		if err != nil {
			return nil, err
		}
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && slices.Contains(extensions, strings.ToLower(filepath.Ext(path))) {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no file with extension %s in %s", strings.Join(extensions, ", "), strings.Join(args, ", "))
	}
	return files, nil
}

func (c *captureCmd) file(a *app, path string) (captured, error) {
	result := captured{File: path}
	body := a.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return result, err
		}
		defer f.Close()
		body = f
	}
	behaviour := "proceed"
	if c.Rollback {
		behaviour = "rollback"
	}
	header := http.Header{}
	document := bufio.NewReaderSize(body, epcis.SniffLen)
	head, _ := document.Peek(epcis.SniffLen) // an error is met again when it is sent
	header.Set("Content-Type", epcis.Sniff(head).MediaType())
	header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": filepath.Base(path)}))
	header.Set("GS1-Capture-Error-Behaviour", behaviour)
	if err := c.do(a.ctx, http.MethodPost, "/epcis/capture", nil, header, document, &result.Job); err != nil {
		return result, err
	}
	err := c.wait(a.ctx, a.err, &result.Job)
	if err == nil {
		err = c.outcomes(a.ctx, &result)
	}
	if err != nil {
		err = fmt.Errorf("it was accepted as job %s, and the server goes on with it. Ask for %s%s, with the token, or send the file again: nothing is written twice: %w",
			result.Job.ID, strings.TrimRight(c.Server, "/"), jobPath(result.Job.ID), err)
	}
	return result, err
}

func jobPath(id string) string { return "/epcis/capture/" + url.PathEscape(id) }

const (
	// pollEvery is how often a running job is asked after.
	pollEvery = 100 * time.Millisecond
	// outage is for how long a server that accepted a document may not answer: somebody starts it again, and it keeps its jobs.
	outage = time.Minute
	// outagePoll is how often it is tried meanwhile.
	outagePoll = time.Second
)

// ask is get that outlives an outage of the server.
func (c *captureCmd) ask(ctx context.Context, path string, query url.Values, v any) error {
	for began := time.Now(); ; {
		err := c.get(ctx, path, query, v)
		if err == nil || !passing(err) || time.Since(began) > outage {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(outagePoll):
		}
	}
}

// passing says whether a server that does not answer, or says that it cannot now, may do so later.
func passing(err error) bool {
	var p *refusal
	return !errors.As(err, &p) || p.Status == http.StatusTooManyRequests || p.Status >= http.StatusBadGateway
}

// wait follows a job to its end and, on a terminal, shows how far it is.
func (c *captureCmd) wait(ctx context.Context, progress io.Writer, job *epcisrest.Job) error {
	var bar *progressbar.ProgressBar
	if f, ok := progress.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription(job.Foodtrace.Name),
			progressbar.OptionShowCount(), progressbar.OptionSetItsString("records"), progressbar.OptionShowIts(), progressbar.OptionClearOnFinish())
		defer func() { _ = bar.Finish() }()
	}
	for job.Running {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
		if err := c.ask(ctx, jobPath(job.ID), nil, job); err != nil {
			return err
		}
		if bar != nil {
			_ = bar.Set(job.Foodtrace.Accepted + job.Foodtrace.Duplicates + job.Foodtrace.Refused)
		}
	}
	return nil
}

func (c *captureCmd) outcomes(ctx context.Context, result *captured) error {
	for {
		var page struct {
			Outcomes []epcisrest.Outcome `json:"outcomes"`
		}
		query := url.Values{"from": {strconv.Itoa(len(result.Outcomes))}}
		if err := c.ask(ctx, jobPath(result.Job.ID)+"/outcomes", query, &page); err != nil {
			return err
		}
		if len(page.Outcomes) == 0 {
			return nil
		}
		result.Outcomes = append(result.Outcomes, page.Outcomes...)
	}
}

func (c *captureCmd) print(w io.Writer, r captured) error {
	if c.Output == "json" {
		return writeJSON(w, r)
	}
	var b strings.Builder
	said := map[string]bool{}
	for _, o := range r.Outcomes {
		for _, f := range o.Findings {
			said[string(f.Code)+f.Place] = true
		}
		if c.Quiet && o.Status != contract.Refused {
			continue
		}
		fmt.Fprintf(&b, "%s #%d %s %s\n", r.File, o.Index+1, o.Status, o.ID)
		for _, f := range o.Findings {
			fmt.Fprintf(&b, "    %s %s %s\n", f.Code, cmp.Or(f.Place, "-"), f.Message)
		}
	}
	for _, e := range r.Job.Errors {
		if e.Event == "" && !said[e.Code+e.Field] { // of the document, not of a record that was printed above
			fmt.Fprintf(&b, "%s %s %s %s\n", r.File, e.Code, cmp.Or(e.Field, "-"), e.Detail)
		}
	}
	p := r.Job.Foodtrace
	verdict := "captured"
	if !r.Job.Success {
		verdict = "NOT CAPTURED"
	}
	fmt.Fprintf(&b, "%s: %s: %d accepted, %d duplicates, %d refused\n", r.File, verdict, p.Accepted, p.Duplicates, p.Refused)
	_, err := io.WriteString(w, b.String())
	return err
}
