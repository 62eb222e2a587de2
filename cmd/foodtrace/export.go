package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/api"
	"github.com/foodtrace-ledger/foodtrace/ingest/fsma204"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

type exportCmd struct {
	FSMA204 exportFSMACmd `cmd:"" name:"fsma204" help:"The sortable spreadsheet of the U.S. food traceability rule, of everything in the trace of lots."`
}

type exportFSMACmd struct {
	Lots     []string `arg:"" name:"lot" help:"URIs of the lots: GS1 Digital Link, EPC URN, or another."`
	Output   string   `short:"o" required:"" help:"Workbook to write (.xlsx), or a folder that gets a CSV file for each tab."`
	Lang     string   `enum:"en,zh" default:"en" help:"Language of tabs and headers: en or zh."`
	MaxItems int      `default:"200000" help:"Most items of one lot's trace; it says so when it was cut."`
	remote
}

func (exportFSMACmd) Help() string {
	return "Example:\n  foodtrace export fsma204 https://id.gs1.org/01/10860009998039/10/SALAD-20260420-A -o lots.xlsx\n\n" +
		"A row for each critical tracking event, in the layout that foodtrace reads (21 CFR 1.1455(c)(3)(ii)). Exit code 1: the trace was cut short, or a lot is not known."
}

func (c *exportFSMACmd) Run(a *app) error {
	language := map[string]fsma204.Language{"en": fsma204.English, "zh": fsma204.Chinese}[c.Lang]
	w := fsma204.NewWriter(language)
	complete, err := c.collect(a, w)
	if err != nil {
		return err
	}
	if err := c.describe(a, w); err != nil {
		return err
	}
	if err := c.write(w); err != nil {
		return err
	}
	if !complete {
		return errNo
	}
	return nil
}

// collect adds the events of the traces of all lots, each once.
func (c *exportFSMACmd) collect(a *app, w *fsma204.Writer) (complete bool, err error) {
	complete = true
	seen := map[string]bool{}
	rows, others, void := 0, 0, 0
	for _, lot := range c.Lots {
		var t api.Trace
		query := url.Values{"direction": {"both"}, "maxItems": {strconv.Itoa(c.MaxItems)}}
		err := c.get(a.ctx, lotPath(canonical(lot), "/trace"), query, &t)
		if notFound(err) {
			fmt.Fprintf(a.err, "no record names %s\n", canonical(lot))
			complete = false
			continue
		}
		if err != nil {
			return false, err
		}
		for _, e := range t.Events {
			switch {
			case seen[e.ID]:
			case e.Voided != "":
				void++
			case w.Add((*event.Event)(e.Event)):
				rows++
			default:
				others++
			}
			seen[e.ID] = true
		}
		if t.Truncated {
			fmt.Fprintf(a.err, "CUT SHORT: of the trace of %s %d more items are known to follow; ask again with a larger --max-items\n", lot, t.NotFollowed)
			complete = false
		}
		if t.Hidden > 0 {
			fmt.Fprintf(a.err, "%d more items in the trace of %s belong to others and are not shown to this token\n", t.Hidden, lot)
		}
	}
	fmt.Fprintf(a.err, "%d critical tracking events; left out: %d events of other kinds, %d that were declared wrong\n", rows, others, void)
	return complete, nil
}

// askAtOnce is how many identifiers one request asks for.
const askAtOnce = 50

// describe adds what is registered of the places and products that the rows name.
func (c *exportFSMACmd) describe(a *app, w *fsma204.Writer) error {
	places, products := w.Named()
	for ids := range slices.Chunk(places, askAtOnce) {
		var list api.List[contract.Site]
		if err := c.get(a.ctx, api.Base+"/sites", url.Values{"id": ids}, &list); err != nil {
			return err
		}
		w.Describe(&contract.Registration{Sites: list.Items})
	}
	for ids := range slices.Chunk(products, askAtOnce) {
		var list api.List[contract.Product]
		if err := c.get(a.ctx, api.Base+"/products", url.Values{"id": ids}, &list); err != nil {
			return err
		}
		w.Describe(&contract.Registration{Products: list.Items})
	}
	return nil
}

func (c *exportFSMACmd) write(w *fsma204.Writer) (err error) {
	if strings.EqualFold(filepath.Ext(c.Output), ".xlsx") {
		f, err := os.Create(c.Output)
		if err != nil {
			return err
		}
		return errors.Join(w.WriteXLSX(f), f.Close())
	}
	if err := os.MkdirAll(c.Output, 0o777); err != nil {
		return err
	}
	return w.WriteCSV(func(name string) (io.WriteCloser, error) {
		return os.Create(filepath.Join(c.Output, name+".csv"))
	})
}
