package main

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/api"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/content"
)

// reason is the flag pair of every act that a person will read the reason of.
type reason struct {
	Reason   string `help:"Why, in English."`
	ReasonZH string `name:"reason-zh" help:"Why, in Chinese."`
}

func (r reason) text() contract.Text { return contract.Text{ZH: r.ReasonZH, EN: r.Reason} }

// attached are the files that prove an act.
type attached struct {
	Evidence []string `type:"existingfile" sep:"none" placeholder:"FILE" help:"Report, photo or certificate that proves it; may be given several times."`
}

// upload sends the files, and returns what the act says of them.
func (f attached) upload(a *app, r remote) (list []contract.Evidence, err error) {
	for _, path := range f.Evidence {
		e, err := keep(a, r, path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, e)
	}
	return list, nil
}

// keep uploads one file.
func keep(a *app, r remote, path string) (e contract.Evidence, err error) {
	file, err := os.Open(path)
	if err != nil {
		return e, err
	}
	defer file.Close()
	query := url.Values{"name": {filepath.Base(path)}}
	err = r.do(a.ctx, http.MethodPost, api.Base+"/evidence", query, http.Header{"Content-Type": {content.Unknown}}, file, &e)
	return e, err
}

type inspectCmd struct {
	Lot       string `arg:"" help:"URI of the lot."`
	Kind      string `required:"" help:"What was inspected: quarantine, pesticide-residue, pathogen, temperature, label …"`
	Result    string `required:"" enum:"pass,fail,inconclusive" help:"pass, fail or inconclusive."`
	Inspector string `required:"" help:"Person or laboratory."`
	Site      string `help:"URI of the place."`
	Reference string `help:"Number of the certificate or report."`
	Note      string `help:"A remark, in English."`
	NoteZH    string `name:"note-zh" help:"A remark, in Chinese."`
	attached
	remote
	output
}

func (inspectCmd) Help() string {
	return "Example:\n  foodtrace inspect https://id.gs1.org/01/00860009999923/10/ABC1234 --kind pathogen --result pass --inspector 'Provincial Laboratory' --evidence report.pdf"
}

func (c *inspectCmd) Run(a *app) error {
	files, err := c.upload(a, c.remote)
	if err != nil {
		return err
	}
	return write(a, c.remote, c.output, "/inspections", api.NewInspection{Item: canonical(c.Lot), Kind: c.Kind, Result: contract.Result(c.Result),
		Inspector: c.Inspector, Site: c.Site, Reference: c.Reference, Note: contract.Text{ZH: c.NoteZH, EN: c.Note}, Evidence: files})
}

type holdCmd struct {
	Lot       string `arg:"" help:"URI of the lot."`
	Scope     string `enum:"lot,downstream" default:"lot" help:"lot: the lot; downstream: the lot and everything made from it."`
	Recall    bool   `help:"Tell consumers to bring it back."`
	Reference string `help:"Number of the order."`
	reason
	attached
	remote
	output
}

func (holdCmd) Help() string {
	return "Example:\n  foodtrace hold https://id.gs1.org/01/00860009999923/10/ABC1234 --scope downstream --reason 'E. coli O157 found' --reason-zh '检出大肠杆菌O157'"
}

func (c *holdCmd) Run(a *app) error {
	files, err := c.upload(a, c.remote)
	if err != nil {
		return err
	}
	return write(a, c.remote, c.output, "/holds", api.NewHold{Item: canonical(c.Lot), Scope: contract.Scope(c.Scope), Recall: c.Recall,
		Reason: c.text(), Reference: c.Reference, Evidence: files})
}

type releaseCmd struct {
	Hold string `arg:"" help:"ID of the hold."`
	reason
	attached
	remote
	output
}

func (releaseCmd) Help() string {
	return "Example:\n  foodtrace release hold-6f1e… --reason 'second sample clean' --reason-zh '复检合格'"
}

func (c *releaseCmd) Run(a *app) error {
	files, err := c.upload(a, c.remote)
	if err != nil {
		return err
	}
	return write(a, c.remote, c.output, "/holds/"+url.PathEscape(c.Hold)+"/release", api.NewRelease{Reason: c.text(), Evidence: files})
}

// write sends an act and says where it stands.
func write(a *app, r remote, o output, path string, body any) error {
	var done api.Written
	if err := r.post(a.ctx, api.Base+path, body, &done); err != nil {
		return err
	}
	if o.Output == "json" {
		return writeJSON(a.out, done)
	}
	if _, err := fmt.Fprintf(a.out, "%s %s in block %d, transaction %s\n", done.ID, done.Status, done.Block, done.Tx); err != nil {
		return err
	}
	for _, f := range done.Findings {
		if _, err := fmt.Fprintf(a.out, "    %s %s\n", f.Code, f.Message); err != nil {
			return err
		}
	}
	return nil
}
