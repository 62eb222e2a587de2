package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foodtrace-ledger/foodtrace/gateway/epcisrest"
	"github.com/foodtrace-ledger/foodtrace/ingest/formats"
)

type captureCmd struct {
	Files    []string `arg:"" name:"file" help:"EPCIS files, JSON or XML, or sheets, CSV or XLSX; or folders of them; - is standard input."`
	Evidence []string `type:"existingfile" sep:"none" placeholder:"FILE" help:"Photo, report or certificate that an event of the file names by its ni:/// URI (see foodtrace hash --evidence); may be given several times."`
	Rollback bool     `help:"All records of a file or none; otherwise each record stands alone."`
	Mapping  string   `type:"existingfile" placeholder:"FILE" help:"Mapping file that says what the columns of a sheet mean."`
	Zone     string   `placeholder:"NAME" help:"Time zone of a sheet's dates that state none, such as Asia/Shanghai; otherwise UTC."`
	Dates    string   `enum:",month-first,day-first" default:"" help:"Order of a sheet's dates like 04/05/2026: month-first or day-first."`
	Outcomes string   `placeholder:"FILE" help:"Write what became of each record to a file: the sheet that was sent with one more column; of EPCIS a CSV; or everything, if it ends in .json."`
	Quiet    bool     `short:"q" help:"Print the refused records and the totals only."`
	remote
	output
}

func (captureCmd) Help() string {
	return "Examples:\n  foodtrace capture --token $TOKEN harvest.jsonld packing.jsonld\n  foodtrace capture --token $TOKEN --mapping erp.yaml --outcomes checked.xlsx outbound.xlsx\n" +
		"  foodtrace capture --token $TOKEN harvest.jsonld --evidence field.jpg --evidence certificate.pdf\n\n" +
		"Exit code 1: at least one record was refused."
}

func (c *captureCmd) Run(a *app) error {
	files, err := expand(c.Files)
	if err != nil {
		return err
	}
	if len(files) > 1 && c.Outcomes != "" {
		return errors.New("--outcomes is for one file at a time")
	}
	if len(files) > 1 && len(c.Evidence) > 0 {
		return errors.New("--evidence is for one file at a time")
	}
	refused := false
	for _, file := range files {
		job, err := c.file(a, file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		refused = refused || !job.Success || job.Foodtrace.Refused > 0 || len(job.Errors) > 0
	}
	if refused {
		return errNo
	}
	return nil
}

// extensions are those of the files that are taken from a folder.
var extensions = []string{".json", ".jsonld", ".xml", ".csv", ".xlsx"}

// expand replaces folders by such files below them, in order of their names.
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

// file sends a file, waits until it is captured, and says what became of it.
func (c *captureCmd) file(a *app, path string) (job epcisrest.Job, err error) {
	if err := c.deliver(a, path, &job); err != nil {
		return job, err
	}
	err = c.wait(a.ctx, a.err, &job)
	if err == nil {
		err = c.print(a.ctx, a.out, path, job)
	}
	if err == nil && c.Outcomes != "" {
		err = c.save(a, job)
	}
	if err != nil {
		err = fmt.Errorf("it was accepted as job %s, and the server goes on with it. Ask for %s%s, with the token, or send the file again: nothing is written twice: %w",
			job.ID, strings.TrimRight(c.Server, "/"), jobPath(job.ID), err)
	}
	return job, err
}

// deliver sends a file, again when the server says that it may be later: it has kept nothing then. Standard input is sent once.
func (c *captureCmd) deliver(a *app, path string, job *epcisrest.Job) error {
	for began := time.Now(); ; {
		err := c.sendFile(a, path, job)
		wait, asked := retryAfter(err)
		if !asked || path == "-" || time.Since(began)+wait > longestWait {
			return err
		}
		fmt.Fprintf(a.err, "%s: %v; it is sent again in %v\n", path, err, wait)
		if err := sleep(a.ctx, wait); err != nil {
			return err
		}
	}
}

// sendFile opens a file for one attempt: of the one before, something may still read until it notices.
func (c *captureCmd) sendFile(a *app, path string, job *epcisrest.Job) error {
	if path == "-" {
		return c.send(a.ctx, path, a.in, job)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	name, sending := filepath.Base(path), progressOn(a.err, lengthOf(f))
	defer sending.end()
	sending.describe(name, "sending")
	return c.send(a.ctx, name, &counted{File: f, shown: sending}, job)
}

// retryAfter is how long a server that refused a request asks to wait before it is sent again.
func retryAfter(err error) (wait time.Duration, asked bool) {
	var p *refusal
	if !errors.As(err, &p) || p.RetryAfter <= 0 {
		return 0, false
	}
	return time.Duration(p.RetryAfter) * time.Second, true
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// send sends a document as it is; with a mapping or evidence, all as a form.
func (c *captureCmd) send(ctx context.Context, name string, body io.Reader, job *epcisrest.Job) error {
	behaviour := "proceed"
	if c.Rollback {
		behaviour = "rollback"
	}
	header := http.Header{}
	header.Set("GS1-Capture-Error-Behaviour", behaviour)
	query := url.Values{}
	if c.Zone != "" {
		query.Set("zone", c.Zone)
	}
	if c.Dates != "" {
		query.Set("dates", c.Dates)
	}
	if c.Mapping == "" && len(c.Evidence) == 0 {
		document := bufio.NewReaderSize(body, formats.SniffLen)
		head, _ := document.Peek(formats.SniffLen) // an error is met again when it is sent
		header.Set("Content-Type", formats.Sniff(head).MediaType())
		header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		return c.do(ctx, http.MethodPost, "/epcis/capture", query, header, document, job)
	}
	out, in := io.Pipe()
	form := multipart.NewWriter(in)
	header.Set("Content-Type", form.FormDataContentType())
	var writing sync.WaitGroup
	writing.Go(func() { _ = in.CloseWithError(c.writeForm(form, name, body)) })
	err := c.do(ctx, http.MethodPost, "/epcis/capture", query, header, out, job)
	_ = out.Close() // the server may have answered before it has read all
	writing.Wait()
	return err
}

// writeForm writes the mapping, the document and the evidence, in this order.
func (c *captureCmd) writeForm(form *multipart.Writer, name string, document io.Reader) error {
	if c.Mapping != "" {
		if err := writeFormFile(form, "mapping", c.Mapping); err != nil {
			return err
		}
	}
	if err := writePart(form, "document", name, document); err != nil {
		return err
	}
	for _, path := range c.Evidence {
		if err := writeFormFile(form, "evidence", path); err != nil {
			return err
		}
	}
	return form.Close()
}

func writeFormFile(form *multipart.Writer, field, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return writePart(form, field, filepath.Base(path), f)
}

func writePart(form *multipart.Writer, field, name string, body io.Reader) error {
	part, err := form.CreateFormFile(field, name)
	if err != nil {
		return err
	}
	_, err = io.Copy(part, body)
	return err
}

func jobPath(id string) string { return "/epcis/capture/" + url.PathEscape(id) }

const (
	// A running job is asked after soon, because most documents are small, and then less and less often.
	pollSoon = 10 * time.Millisecond
	pollLate = 200 * time.Millisecond
	// outage is for how long a server that accepted a document may not answer: somebody starts it again, and it keeps its jobs.
	outage = time.Minute
	// outagePoll is how often it is tried meanwhile.
	outagePoll = time.Second
	// longestWait is for how long in all the client waits when a server says when to come again: a queue is through, somebody has made room.
	longestWait = 10 * time.Minute
)

// ask is get that outlives an outage of the server.
func (c *captureCmd) ask(ctx context.Context, path string, query url.Values, v any) error {
	for began := time.Now(); ; {
		err := c.get(ctx, path, query, v)
		wait, patience := outagePoll, outage
		if told, asked := retryAfter(err); asked {
			wait, patience = told, longestWait
		}
		if err == nil || !passing(err) || time.Since(began) > patience {
			return err
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// passing says whether a server that does not answer, or says that it cannot now, may do so later.
func passing(err error) bool {
	var p *refusal
	return !errors.As(err, &p) || p.Status == http.StatusTooManyRequests || p.Status >= http.StatusBadGateway
}

// wait follows a job to its end and, on a terminal, shows how far it is.
func (c *captureCmd) wait(ctx context.Context, w io.Writer, job *epcisrest.Job) error {
	shown := progressOn(w, job.Foodtrace.Evidence.Size)
	defer shown.end()
	for wait := pollSoon; job.Running; wait = min(2*wait, pollLate) {
		if err := sleep(ctx, wait); err != nil {
			return err
		}
		if err := c.ask(ctx, jobPath(job.ID), nil, job); err != nil {
			return err
		}
		shown.describe(job.Foodtrace.Name, fmt.Sprintf("%d records", job.Foodtrace.Records))
		shown.set(job.Foodtrace.BytesRead)
	}
	return nil
}
