package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/ingest/drop"
)

// dropConfig is a place into which files are dropped: a directory or a bucket.
type dropConfig struct {
	Directory     string       `koanf:"directory"`
	S3            *drop.Bucket `koanf:"s3"`
	Member        string       `koanf:"member"`        // MSP ID in whose name the files are captured
	Behaviour     string       `koanf:"behaviour"`     // rollback, proceed
	Mapping       string       `koanf:"mapping"`       // file by which sheets are read
	SettleSeconds int          `koanf:"settleSeconds"` // for so long a file in a directory stays as it is before it is complete
}

// check says what is missing or makes no sense. at is the path of the keys.
func (d *dropConfig) check(wrong *complaints, at, member string) {
	if (d.Directory == "") == (d.S3 == nil) {
		wrong.add(at, "names either a directory or an s3 bucket")
	}
	if d.Member != "" && d.Member != member {
		wrong.add(at+".member", fmt.Sprintf("is %s, and this gateway signs for %s only", d.Member, member))
	}
	switch d.Behaviour {
	case "", "rollback", "proceed":
	default:
		wrong.add(at+".behaviour", fmt.Sprintf("%q is neither rollback nor proceed", d.Behaviour))
	}
	if d.SettleSeconds < 0 {
		wrong.add(at+".settleSeconds", "cannot be negative")
	}
	if d.S3 == nil {
		return
	}
	if d.S3.Prefix != "" && !strings.HasSuffix(d.S3.Prefix, "/") {
		wrong.add(at+".s3.prefix", fmt.Sprintf("%q does not end in /", d.S3.Prefix))
	}
	if err := d.S3.Check(); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			wrong.add(at+".s3", line)
		}
	}
}

// paths are those that are relative to the configuration.
func (d *dropConfig) paths() (list []*string) {
	all := []*string{&d.Directory, &d.Mapping}
	if d.S3 != nil {
		all = append(all, &d.S3.SecretKeyFile)
	}
	for _, p := range all {
		if *p != "" {
			list = append(list, p)
		}
	}
	return list
}

func (d *dropConfig) feed(n *node) (*drop.Feed, error) {
	if _, err := n.signer(d.Member); err != nil {
		return nil, fmt.Errorf("files that are dropped for %s cannot be captured: %w", d.Member, err)
	}
	c := drop.Config{Capture: n.capture, Member: d.Member, Proceed: d.Behaviour == "proceed", Log: n.log, Now: n.now}
	if d.Mapping != "" {
		var err error
		if c.Mapping, err = os.ReadFile(d.Mapping); err != nil {
			return nil, err
		}
	}
	if d.S3 != nil {
		return drop.OfBucket(*d.S3, c)
	}
	return drop.OfDirectory(drop.Directory{Path: d.Directory, Settle: time.Duration(d.SettleSeconds) * time.Second}, c), nil
}

// takeDrops works the places into which files are dropped, in the name of a member where they name none.
func (n *node) takeDrops(list []dropConfig, member string) error {
	for _, d := range list {
		d.Member = cmp.Or(d.Member, member)
		feed, err := d.feed(n)
		if err != nil {
			return err
		}
		n.feeds = append(n.feeds, feed)
		n.checks = append(n.checks, gateway.Check{Fails: "Files that are dropped are not taken just now. The log says why.", Run: feed.Check})
		n.background("the drop feed of the "+feed.String(), feed.Run)
	}
	if len(list) > 0 {
		n.owns(n.stopBackground) // before the capture service is closed
	}
	return nil
}

// dropFigures are the figures of all drop feeds together, for /metrics.
func (n *node) dropFigures() map[string]float64 {
	figures := map[string]float64{}
	for _, f := range n.feeds {
		now := f.Figures()
		figures["foodtrace_drop_done_total"] += float64(now.Done)
		figures["foodtrace_drop_rejected_total"] += float64(now.Rejected)
		figures["foodtrace_drop_waiting"] += float64(now.Waiting)
		figures["foodtrace_drop_not_taken"] += float64(now.Stuck)
		figures["foodtrace_drop_feeds"]++
		figures["foodtrace_drop_feeds_failing"] += number(now.Failing)
		figures["foodtrace_drop_feeds_standby"] += number(now.Standby)
	}
	return figures
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// dropFlags are the place of a server that has no configuration file.
type dropFlags struct {
	Drop          string `env:"FOODTRACE_DROP" type:"path" help:"Directory whose files are captured: they end in done/ with a receipt or in rejected/ with the reasons."`
	DropMember    string `env:"FOODTRACE_DROP_MEMBER" help:"Member in whose name these files are captured."`
	DropBehaviour string `env:"FOODTRACE_DROP_BEHAVIOUR" enum:"rollback,proceed" default:"rollback" help:"rollback: a file is captured whole or not at all; proceed: each of its records stands alone."`
	DropMapping   string `env:"FOODTRACE_DROP_MAPPING" type:"path" help:"Mapping file by which sheets are read."`
}

// places returns what the flags ask for.
func (f dropFlags) places() ([]dropConfig, error) {
	if f.Drop == "" {
		return nil, nil
	}
	if f.DropMember == "" {
		return nil, fmt.Errorf("--drop needs --drop-member: the member in whose name the files are captured")
	}
	return []dropConfig{{Directory: f.Drop, Member: f.DropMember, Behaviour: f.DropBehaviour, Mapping: f.DropMapping}}, nil
}
