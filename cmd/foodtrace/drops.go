package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/foodtrace-ledger/foodtrace/gateway"
	"github.com/foodtrace-ledger/foodtrace/ingest/capture"
	"github.com/foodtrace-ledger/foodtrace/ingest/drop"
	"github.com/foodtrace-ledger/foodtrace/ingest/mapping"
)

// dropConfig is a place into which files are dropped: a directory or a bucket.
type dropConfig struct {
	Directory     string       `koanf:"directory"`
	S3            *drop.Bucket `koanf:"s3"`
	Member        string       `koanf:"member"`        // MSP ID in whose name the files are captured
	Behaviour     string       `koanf:"behaviour"`     // rollback, proceed
	Mapping       string       `koanf:"mapping"`       // file by which sheets are read
	Language      string       `koanf:"language"`      // of the sheets that come back: en, zh
	SettleSeconds int          `koanf:"settleSeconds"` // for so long a file in a directory stays as it is before it is complete

	Rules []byte `koanf:"-"` // content of the mapping file, once readMappings has been through it
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
	switch d.Language {
	case "", "en", "zh":
	default:
		wrong.add(at+".language", fmt.Sprintf("%q is neither en nor zh", d.Language))
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

// readMappings reads the mapping files of places, so that what is wrong with them is said before anything is dropped. at is the path of
// the key of the i-th.
func readMappings(list []dropConfig, at func(i int) string) error {
	var wrong complaints
	for i := range list {
		list[i].readMapping(&wrong, at(i))
	}
	if len(wrong) > 0 {
		return fmt.Errorf("the mapping files of the drop feeds: %w", wrong)
	}
	return nil
}

func (d *dropConfig) readMapping(wrong *complaints, at string) {
	if d.Mapping == "" {
		return
	}
	var err error
	if d.Rules, err = os.ReadFile(d.Mapping); err != nil {
		wrong.add(at, err.Error())
		return
	}
	if m, problems := mapping.Load(d.Rules); m == nil {
		for _, p := range problems {
			place := d.Mapping
			if p.Pointer != "" {
				place += ", " + p.Pointer
			}
			wrong.add(at, fmt.Sprintf("%s: %s: %s", place, p.Code, p.Message))
		}
	}
}

func (d *dropConfig) feed(n *node) (*drop.Feed, error) {
	if _, err := n.signer(d.Member); err != nil {
		return nil, fmt.Errorf("files that are dropped for %s cannot be captured: %w", d.Member, err)
	}
	c := drop.Config{Capture: n.capture, Member: d.Member, Proceed: d.Behaviour == "proceed", Mapping: d.Rules,
		Language: capture.Language(cmp.Or(d.Language, string(capture.English))), Log: n.log, Now: n.now}
	if d.S3 != nil {
		return drop.OfBucket(*d.S3, c)
	}
	return drop.OfDirectory(drop.Directory{Path: d.Directory, Settle: time.Duration(d.SettleSeconds) * time.Second}, c), nil
}

// takeDrops works the places into which files are dropped, in the name of a member where they name none.
func (n *node) takeDrops(list []dropConfig, member string) error {
	var wrong error
	for _, d := range list {
		d.Member = cmp.Or(d.Member, member)
		feed, err := d.feed(n)
		if err != nil {
			wrong = errors.Join(wrong, err)
			continue
		}
		n.feeds = append(n.feeds, feed)
	}
	if wrong != nil || len(list) == 0 {
		return wrong
	}
	n.owns(n.stopBackground) // before the capture service is closed
	for _, feed := range n.feeds {
		n.checks = append(n.checks, gateway.Check{Fails: "Files that are dropped are not taken just now. The log says why.", Run: feed.Check})
		n.background("the drop feed of the "+feed.String(), feed.Run)
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
	DropLanguage  string `env:"FOODTRACE_DROP_LANGUAGE" enum:"en,zh" default:"en" help:"Language of the sheets that come back with what is wrong: en, zh."`
}

// places returns what the flags ask for.
func (f dropFlags) places() ([]dropConfig, error) {
	if f.Drop == "" {
		return nil, nil
	}
	if f.DropMember == "" {
		return nil, fmt.Errorf("--drop needs --drop-member: the member in whose name the files are captured")
	}
	list := []dropConfig{{Directory: f.Drop, Member: f.DropMember, Behaviour: f.DropBehaviour, Mapping: f.DropMapping, Language: f.DropLanguage}}
	return list, readMappings(list, func(int) string { return "--drop-mapping" })
}
