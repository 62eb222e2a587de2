package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/embedded"
)

// rebuild throws away what is derived from the ledger file and makes it again, and prints what that takes.
func rebuild(ctx context.Context, w io.Writer, dir string, events int) (err error) {
	for _, derived := range []string{"state", indexFile} {
		if err := os.RemoveAll(filepath.Join(dir, derived)); err != nil {
			return err
		}
	}
	begin := cpu(wholeProcess)
	l, err := embedded.Open(embedded.Options{Dir: dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	say(w, "the world state from the ledger file", begin, events)
	height, err := l.Height(ctx)
	if err != nil {
		return err
	}
	begin = cpu(wholeProcess)
	x, err := sqlite.Open(filepath.Join(dir, indexFile), sqlite.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	p := index.NewProjector(l, x)
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- p.Run(running) }()
	err = p.WaitFor(ctx, height-1)
	say(w, "the index from the ledger", begin, events)
	stop()
	return errors.Join(err, <-ended)
}

// say prints what something has taken since a moment of the process's time.
func say(w io.Writer, what string, since time.Duration, events int) {
	took := float64(cpu(wholeProcess)-since) / float64(time.Microsecond)
	fmt.Fprintf(w, "%s: %s µs of processor time for each event\n", what, digits(took/float64(events)))
}

// rebuildReplica makes a second replica of a Fabric channel.
func rebuildReplica(ctx context.Context, w io.Writer, s *system) error {
	begin := cpu(wholeProcess)
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	say(w, "a gateway's replica from a peer's blocks", begin, s.events)
	return nil
}
