package main

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/foodtrace-ledger/foodtrace/gateway/api"
)

type scopeCmd struct {
	Lot      string `arg:"" help:"URI of the lot: GS1 Digital Link, EPC URN, or another."`
	MaxItems int    `default:"200000" help:"Most items that are looked at; the answer says when it was cut."`
	remote
	output
}

func (scopeCmd) Help() string {
	return "Example:\n  foodtrace scope https://id.gs1.org/01/00860009999923/10/ABC1234"
}

func (c *scopeCmd) Run(a *app) error {
	var s api.Scope
	query := url.Values{"maxItems": {strconv.Itoa(c.MaxItems)}}
	if c.Output == "text" {
		query.Set("noEvents", "true")
	}
	err := c.get(a.ctx, lotPath(canonical(c.Lot), "/scope"), query, &s)
	if notFound(err) {
		fmt.Fprintf(a.err, "no record names %s\n", canonical(c.Lot))
		return errNo
	}
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return writeJSON(a.out, s)
	}
	t := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "WHERE\tSTATE\tQUANTITY\tITEM\tSINCE\tPROOF")
	for _, h := range s.Holdings {
		where := h.Site
		if name := words(s.Sites[h.Site].Name); name != "" {
			where = name
		}
		fmt.Fprintf(t, "%s\t%s\t%s %s\t%s\t%s\tblock %d\n", cmp.Or(where, h.Party, "?"), h.State, cmp.Or(h.Quantity, "?"), h.UOM, h.Item,
			h.Since.Format(time.DateOnly), h.Where.Block)
	}
	for _, o := range s.Outflows {
		quantity := cmp.Or(o.Quantity, "?")
		if o.Unstated > 0 && o.Quantity != "" {
			quantity += "+?"
		}
		fmt.Fprintf(t, "(left the chain)\t%s\t%s %s\t%s\t\t\n", o.Fate, quantity, o.UOM, o.Item)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(a.err, "%d items came of it, itself included\n", s.Items)
	if s.Truncated {
		fmt.Fprintf(a.err, "CUT SHORT: %d more items are known to follow; ask again with a larger --max-items\n", s.NotFollowed)
	}
	if s.Hidden > 0 {
		fmt.Fprintf(a.err, "%d more holdings belong to others and are not shown to this token\n", s.Hidden)
	}
	return nil
}
