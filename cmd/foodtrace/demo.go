package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	neturl "net/url"
	"os"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/gateway/view"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/qrcode"
	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
)

type demoCmd struct {
	Data string `env:"FOODTRACE_DATA" type:"path" help:"Data directory to make the demo in, which must be new or empty. Default: a temporary one that is removed at the end."`
	web
	output
}

func (demoCmd) Help() string {
	return "Example:\n  foodtrace demo\n\nStop it with Ctrl-C."
}

// shown is what the demo prints, as -o json prints it.
type shown struct {
	URL    string    `json:"url"`
	Lots   []demoLot `json:"lots"`
	Tokens struct {
		Inspector string `json:"inspector"`
		Producer  string `json:"producer"`
	} `json:"tokens"`
}

type demoLot struct {
	Status string `json:"status"` // safe, held, recalled
	Lot    string `json:"lot"`    // its key
	Page   string `json:"page"`   // address of its consumer page
	QRCode string `json:"qrCode"` // address of its QR code
}

func (c *demoCmd) Run(a *app) (err error) {
	dir := c.Data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "foodtrace-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	} else if files, err := os.ReadDir(dir); err == nil && len(files) > 0 { // one that cannot be read: opening it says why
		return fmt.Errorf("%s is not empty; the demo wants an empty folder (foodtrace serve --data %s serves a ledger)", dir, dir)
	}
	n, err := openEmbedded(dataDir(dir), a.log, c.SubscriptionsAllow...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	story := simulate.Demo(time.Now(), nil)
	fmt.Fprintf(a.err, "writing %d records of a small supply chain to the ledger in %s\n", len(story.Records), dir)
	if err := n.tell(a.ctx, story); err != nil {
		return err
	}
	n.spreadAsRegulator()
	var s shown
	if s.Tokens.Inspector, err = n.tokens.Create(a.ctx, story.Inspector, contract.Regulator); err != nil {
		return err
	}
	if s.Tokens.Producer, err = n.tokens.Create(a.ctx, story.Producer, contract.Producer); err != nil {
		return err
	}
	highlights := []string{story.Safe, story.Held, story.Recalled, story.Shrimp}
	return c.serve(a, n.node, gateway.Config{Highlights: highlights}, func(url string) error {
		s.URL = url + "/"
		for _, l := range []demoLot{{Status: "safe", Lot: story.Safe}, {Status: "held", Lot: story.Held}, {Status: "recalled", Lot: story.Recalled}} {
			l.Page = url + view.Path(l.Lot)
			l.QRCode = url + "/qr.svg?uri=" + neturl.QueryEscape(l.Lot)
			s.Lots = append(s.Lots, l)
		}
		if c.Output == "json" {
			return writeJSON(a.out, s)
		}
		return s.print(a.out)
	})
}

// tell writes a story to an empty ledger.
func (n *embeddedNode) tell(ctx context.Context, story *simulate.Story) error {
	height, err := n.ledger.Height(ctx)
	if err != nil {
		return err
	}
	if height > 0 {
		return fmt.Errorf("%s has a ledger already; the demo wants an empty folder (foodtrace serve --data %s serves this one)", n.dir, n.dir)
	}
	if err := n.begin(ctx, story.Registration); err != nil {
		return err
	}
	last, err := tell(ctx, story, n.submit)
	if err != nil {
		return err
	}
	return n.projector.WaitFor(ctx, last)
}

// tell has each member submit its part of a story, in the order in which things were reported. It returns the last block.
func tell(ctx context.Context, story *simulate.Story, submit func(ctx context.Context, msp string, batch *contract.Batch) (ledger.Receipt, error)) (last uint64, err error) {
	holds := map[string]string{} // reference of a hold → its ID
	for left := story.Records; len(left) > 0; {
		by, batch := left[0].By, &contract.Batch{}
		for len(left) > 0 && left[0].By == by && (len(batch.Records) == 0 || left[0].Ends == "") {
			s := left[0]
			left = left[1:]
			if s.Ends != "" {
				release := *s.Record.Release
				release.Hold = holds[s.Ends]
				s.Record.Release = &release
			}
			batch.Records = append(batch.Records, s.Record)
		}
		receipt, err := submit(ctx, by, batch)
		if err != nil {
			return 0, err
		}
		last = receipt.Block
		for i, o := range receipt.Outcomes {
			if o.Status == contract.Refused && len(o.Violations) == 0 {
				return 0, fmt.Errorf("the demo's own record %s of %s was refused: %v", o.ID, by, o.Findings)
			}
			if h := batch.Records[i].Hold; h != nil {
				holds[h.Reference] = o.ID
			}
		}
	}
	return last, nil
}

func (s shown) print(w io.Writer) error {
	names := map[string]string{"safe": "safe 可放心食用", "held": "on hold 暂停流通", "recalled": "recalled 已召回"}
	p := func(format string, args ...any) { fmt.Fprintf(w, format, args...) }
	p("\nfoodtrace demo 演示\n\n  start page 首页    %s\n", s.URL)
	for _, l := range s.Lots {
		p("\n  a lot that is %s\n    page 页面     %s\n    QR code 二维码 %s\n", names[l.Status], l.Page, l.QRCode)
	}
	p("\n  token of an inspector 监管人员令牌  %s\n  token of a producer 生产企业令牌    %s\n", s.Tokens.Inspector, s.Tokens.Producer)
	p("\n  try 试一试:\n    export FOODTRACE_SERVER=%s FOODTRACE_TOKEN=%s\n    bin/foodtrace trace back '%s'\n    bin/foodtrace scope '%s'\n\n",
		s.URL[:len(s.URL)-1], s.Tokens.Inspector, s.Lots[0].Lot, s.Lots[2].Lot)
	if err := qrcode.Terminal(w, s.Lots[0].Page); err != nil {
		return err
	}
	p("\n  The code leads to the safe lot's page. Ctrl-C stops the demo. 二维码指向安全批次的页面，按 Ctrl-C 停止。\n")
	return nil
}
