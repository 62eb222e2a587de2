// Command foodtrace is the whole system on one machine: it serves, and it is the client of a server.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// Exit codes: 0 all is well, 1 the answer is no (refused records, damage found), 2 it could not be done.
const (
	exitNo    = 1
	exitError = 2
)

// errNo ends a command with exit code 1: it did its work and printed what is wrong.
var errNo = errors.New("no")

type cli struct {
	Demo     demoCmd     `cmd:"" help:"Serve with a realistic supply chain loaded; print links, tokens and a QR code."`
	Serve    serveCmd    `cmd:"" help:"Serve ledger, index and gateway from a data directory."`
	Token    tokenCmd    `cmd:"" help:"Make, list and revoke API tokens."`
	Capture  captureCmd  `cmd:"" help:"Send files of supply-chain events; say what became of each record."`
	Trace    traceCmd    `cmd:"" help:"Where a lot came from (back), what it went into (forward)."`
	Scope    scopeCmd    `cmd:"" help:"Who holds what came of a lot, how much, at which site, since when."`
	Inspect  inspectCmd  `cmd:"" help:"Write the result of an inspection."`
	Hold     holdCmd     `cmd:"" help:"Stop a lot, or a lot and everything made from it."`
	Release  releaseCmd  `cmd:"" help:"End a hold."`
	Export   exportCmd   `cmd:"" help:"Write what is recorded of lots as the sheets that an authority asks for."`
	Verify   verifyCmd   `cmd:"" help:"Check the whole chain, the evidence and the index; say what is wrong and where."`
	Hash     hashCmd     `cmd:"" help:"Event hash IDs (CBV 2.0) of the events of a file."`
	Map      mapCmd      `cmd:"" help:"Show what becomes of the rows of a sheet by a mapping file; propose one."`
	Network  networkCmd  `cmd:"" help:"Run a real Hyperledger Fabric network on this machine."`
	Simulate simulateCmd `cmd:"" help:"Write a synthetic supply chain as EPCIS 2.0 JSON."`
}

// app is what every command gets: no command uses a global.
type app struct {
	ctx    context.Context
	in     io.Reader
	out    io.Writer // answers
	err    io.Writer // progress, remarks, the log
	log    *slog.Logger
	getenv func(string) string
	now    func() time.Time // the clock of what this machine says of itself; nil: the system's
}

func main() {
	os.Exit(program(time.Now))
}

// program is main on a clock.
func program(now func() time.Time) (code int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{ctx: ctx, in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv, now: now}
	return a.run(os.Args[1:])
}

// run executes one command line and returns its exit code. Tests call it as main does.
func (a *app) run(args []string) (code int) {
	a.log = slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{ReplaceAttr: oneLine}))
	if a.now == nil {
		a.now = time.Now
	}
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("foodtrace"),
		kong.Description("A farm-to-table food-safety traceability ledger."),
		kong.Writers(a.out, a.err),
		kong.Exit(func(code int) { exited = code }),
		kong.Bind(a),
		kong.Vars{"listen": defaultListen, "data": defaultData},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return a.fail(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	cmd, err := parser.Parse(args)
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		return a.fail(err)
	}
	switch err := cmd.Run(a); {
	case err == nil:
		return 0
	case errors.Is(err, errNo):
		return exitNo
	default:
		return a.fail(err)
	}
}

// oneLine has the log write of an error what it says, in one line: some print the calls that led to them, too.
func oneLine(_ []string, attr slog.Attr) slog.Attr {
	if err, ok := attr.Value.Any().(error); ok {
		attr.Value = slog.StringValue(withoutCalls(err.Error()))
	}
	return attr
}

// withoutCalls leaves out the calls of a text: each is a line with a name, and one with a place, which is indented.
func withoutCalls(text string) string {
	var said []string
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case !strings.HasPrefix(line, "\t"):
			said = append(said, line)
		case len(said) > 1:
			said = said[:len(said)-1]
		}
	}
	return strings.Join(said, "; ")
}

func (a *app) fail(err error) int {
	fmt.Fprintf(a.err, "foodtrace: %v\n", err)
	return exitError
}
