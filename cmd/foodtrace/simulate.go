package main

import (
	"errors"
	"io"
	"os"

	"github.com/foodtrace-ledger/foodtrace/internal/simulate"
)

type simulateCmd struct {
	Lots   int    `default:"100" help:"Stop after about this many lots."`
	Seed   uint64 `default:"1" help:"The same seed and number of lots give the same file."`
	Messy  bool   `help:"With late, double, wrong and contradicting records, as real feeds have them."`
	Output string `short:"o" default:"-" help:"File to write; - is standard output."`
}

func (simulateCmd) Help() string {
	return "Example:\n  foodtrace simulate --lots 1000 --seed 42 -o chain.json"
}

func (c *simulateCmd) Run(a *app) (err error) {
	var w io.Writer = a.out
	if c.Output != "-" {
		f, openErr := os.Create(c.Output)
		if openErr != nil {
			return openErr
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		w = f
	}
	options := simulate.Options{Rework: 0.2, EventIDs: simulate.HashIDs}
	if c.Messy {
		options = simulate.Messy()
	}
	options.Lots = c.Lots
	return simulate.New(c.Seed, options).WriteEPCIS(w)
}
