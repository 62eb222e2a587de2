package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway/api"
	"github.com/foodtrace-ledger/foodtrace/internal/trace"
)

type traceCmd struct {
	Back    traceBackCmd    `cmd:"" help:"Where a lot came from."`
	Forward traceForwardCmd `cmd:"" help:"What a lot went into."`
}

type traceFlags struct {
	Lot      string `arg:"" help:"URI of the lot: GS1 Digital Link, EPC URN, or another."`
	Format   string `enum:"tree,json,dot,csv" default:"tree" help:"tree for people, json with the proof, dot for Graphviz, csv for spreadsheets."`
	MaxItems int    `default:"5000" help:"Most items in the answer; it says so when it was cut."`
	MaxDepth int    `default:"200" help:"Most links from the lot."`
	remote
}

type traceBackCmd struct{ traceFlags }

func (traceBackCmd) Help() string {
	return "Example:\n  foodtrace trace back https://id.gs1.org/01/10860009998039/10/SALAD-20260420-A"
}

func (c *traceBackCmd) Run(a *app) error { return c.run(a, trace.Back) }

type traceForwardCmd struct{ traceFlags }

func (traceForwardCmd) Help() string {
	return "Example:\n  foodtrace trace forward https://id.gs1.org/01/00860009999923/10/ABC1234 --format csv"
}

func (c *traceForwardCmd) Run(a *app) error { return c.run(a, trace.Forward) }

func (c *traceFlags) run(a *app, dir trace.Direction) error {
	query := url.Values{"direction": {string(dir)}, "maxItems": {strconv.Itoa(c.MaxItems)}, "maxDepth": {strconv.Itoa(c.MaxDepth)}}
	var t api.Trace
	err := c.get(a.ctx, lotPath(canonical(c.Lot), "/trace"), query, &t)
	if notFound(err) {
		fmt.Fprintf(a.err, "no record names %s\n", canonical(c.Lot))
		return errNo
	}
	if err != nil {
		return err
	}
	write := map[string]func(io.Writer, api.Trace) error{"tree": writeTree, "dot": writeDot, "csv": writeCSV,
		"json": func(w io.Writer, t api.Trace) error { return writeJSON(w, t) }}
	if err := write[c.Format](a.out, t); err != nil {
		return err
	}
	if t.Truncated {
		fmt.Fprintf(a.err, "CUT SHORT: %d more items are known to follow; ask again with larger --max-items and --max-depth\n", t.NotFollowed)
	}
	if t.Hidden > 0 {
		fmt.Fprintf(a.err, "%d more items belong to others and are not shown to this token\n", t.Hidden)
	}
	return nil
}

// tree prints a trace as an indented tree. An item that was reached on several ways is unfolded once.
type tree struct {
	w     io.Writer
	nodes map[trace.ItemID]api.Node
	next  map[trace.ItemID][]step
	steps map[string]api.Event
	shown map[trace.ItemID]bool
	err   error
}

type step struct {
	to   trace.ItemID
	verb string
	link api.Link
}

func writeTree(w io.Writer, t api.Trace) error {
	p := &tree{w: w, nodes: map[trace.ItemID]api.Node{}, next: map[trace.ItemID][]step{}, steps: map[string]api.Event{}, shown: map[trace.ItemID]bool{}}
	for _, n := range t.Nodes {
		p.nodes[n.ID] = n
	}
	for _, e := range t.Events {
		p.steps[e.ID] = e
	}
	back := t.Direction == trace.Back
	for _, l := range t.Links {
		from, to, verb := l.From, l.To, map[trace.LinkKind]string{trace.Made: "went into", trace.Inside: "inside", trace.Member: "as"}[l.Kind]
		if back && l.Kind != trace.Inside {
			from, to, verb = to, from, map[trace.LinkKind]string{trace.Made: "made from", trace.Member: "of lot"}[l.Kind]
		}
		if l.Kind == trace.Inside && abs(p.nodes[from].Depth) > abs(p.nodes[to].Depth) {
			from, to, verb = to, from, "contained"
		}
		p.next[from] = append(p.next[from], step{to, verb, l})
	}
	p.node(t.Nodes[0], "", "")
	p.printf("%d items, %d links, %d events\n", len(t.Nodes), len(t.Links), len(t.Events))
	return p.err
}

func (p *tree) node(n api.Node, indent, lead string) {
	p.printf("%s%s%s\n", lead, n.Key, suffix(n))
	if p.shown[n.ID] {
		if len(p.next[n.ID]) > 0 {
			p.printf("%s   (see above)\n", indent)
		}
		return
	}
	p.shown[n.ID] = true
	for i, s := range p.next[n.ID] {
		branch, below := "├─ ", "│  "
		if i == len(p.next[n.ID])-1 {
			branch, below = "└─ ", "   "
		}
		p.node(p.nodes[s.to], indent+below, indent+branch+s.verb+" "+p.when(s.link))
	}
}

// when is the day and place of a link's first event, for example "(2026-04-18 at 0860009999992) ".
func (p *tree) when(l api.Link) string {
	for _, id := range l.Events {
		e, ok := p.steps[id]
		if !ok {
			continue
		}
		place := ""
		if rp := e.Event.ReadPoint; rp != nil {
			place = " at " + rp.ID[strings.LastIndexAny(rp.ID, "/:")+1:]
		}
		return "(" + e.Event.Time.Format(time.DateOnly) + place + ") "
	}
	return ""
}

func suffix(n api.Node) string {
	name := words(n.Name)
	if name != "" {
		name = "  " + name
	}
	if n.Carrier {
		name += "  [carrier]"
	}
	return name
}

// words is a text in both languages.
func words(t contract.Text) string {
	return strings.Join(slices.DeleteFunc([]string{t.ZH, t.EN}, func(s string) bool { return s == "" }), " / ")
}

func (p *tree) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func abs(n int) int { return max(n, -n) }

func writeDot(w io.Writer, t api.Trace) error {
	var b strings.Builder
	b.WriteString("digraph trace {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n")
	for _, n := range t.Nodes {
		label := strings.TrimPrefix(n.Key, "https://id.gs1.org/")
		if name := words(n.Name); name != "" {
			label = name + "\n" + label
		}
		style := ""
		if n.Carrier {
			style = ", style=dashed"
		}
		fmt.Fprintf(&b, "  n%d [label=%q, tooltip=%q%s];\n", n.ID, label, n.Key, style)
	}
	for _, l := range t.Links {
		fmt.Fprintf(&b, "  n%d -> n%d [label=%q];\n", l.From, l.To, l.Kind)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// writeCSV writes one line a link, with the first event that proves it.
func writeCSV(w io.Writer, t api.Trace) error {
	nodes, events := map[trace.ItemID]api.Node{}, map[string]api.Event{}
	for _, n := range t.Nodes {
		nodes[n.ID] = n
	}
	for _, e := range t.Events {
		events[e.ID] = e
	}
	out := csv.NewWriter(w)
	rows := [][]string{{"kind", "from", "from_depth", "to", "to_depth", "event", "event_time", "site", "member", "block", "transaction"}}
	for _, l := range t.Links {
		row := []string{string(l.Kind), nodes[l.From].Key, strconv.Itoa(nodes[l.From].Depth), nodes[l.To].Key, strconv.Itoa(nodes[l.To].Depth)}
		if len(l.Events) > 0 {
			e := events[l.Events[0]]
			site, when := "", ""
			if e.Event != nil {
				when = e.Event.Time.Format(time.RFC3339)
				if e.Event.ReadPoint != nil {
					site = e.Event.ReadPoint.ID
				}
			}
			row = append(row, l.Events[0], when, site, e.Where.Member, strconv.FormatUint(e.Where.Block, 10), e.Where.Tx)
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		for i := range row {
			row[i] = neutral(row[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// neutral keeps a spreadsheet from taking a cell for a formula (OWASP, CSV injection).
func neutral(cell string) string {
	if _, err := strconv.Atoi(cell); err == nil {
		return cell // a negative depth is a number
	}
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
