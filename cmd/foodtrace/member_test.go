package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// reread is a ledger that is read from others, a block a second, once these answer.
type reread struct {
	have, all uint64
	away      error
}

func (l *reread) View(context.Context, func(contract.State) error) error { return nil } // there are no members
func (l *reread) Height(context.Context) (uint64, error)                 { return l.have, nil }

func (l *reread) Lag(context.Context) (uint64, error) {
	if l.away != nil {
		return 0, l.away
	}
	defer func() { l.have = min(l.have+1, l.all) }()
	return l.all - l.have, nil
}

// indexAt is an index that has some blocks.
type indexAt struct {
	index.Writer
	height uint64
}

func (x indexAt) Position(context.Context) (uint64, [32]byte, error) {
	return x.height, [32]byte{}, nil
}

func testMember(log io.Writer) *member {
	return &member{config: &config{Member: "producer-a"}, log: slog.New(slog.NewTextHandler(log, nil)), now: time.Now, waiting: func(string) {}}
}

// After a crash the projector waits until the copy of the ledger is where it was, and nobody is told to remove anything.
func TestReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			name        string
			ledger      reread
			index, want uint64
			says        string
		}{
			{"it is as far", reread{have: 7, all: 9}, 7, 7, ""},
			{"it lost blocks", reread{have: 3, all: 9}, 6, 6, "level=INFO msg=\"the ledger is being read again (3 of 9 blocks)\""},
			{"the index is another ledger's", reread{have: 3, all: 4}, 6, 4, "(3 of 4 blocks)"},
		} {
			var log bytes.Buffer
			l := c.ledger
			if err := testMember(&log).readAgain(t.Context(), &l, indexAt{height: c.index}); err != nil || l.have != c.want {
				t.Errorf("%s: it began at block %d: %v", c.name, l.have, err)
			}
			if !strings.Contains(log.String(), c.says) || (c.says == "") != (log.Len() == 0) || strings.Contains(log.String(), "ERROR") || strings.Contains(log.String(), "remove") {
				t.Errorf("%s: %s", c.name, &log)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var log bytes.Buffer
		if err := testMember(&log).readAgain(ctx, &reread{have: 3, away: errors.New("nobody is there")}, indexAt{height: 6}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("no peer answers: %v", err)
		}
		if !strings.Contains(log.String(), "nobody is there") {
			t.Errorf("the log does not say why it waits: %s", &log)
		}
	})
}

// Only a ledger that has been read to its end, and has no members, is said to have none.
func TestNotRegisteredYet(t *testing.T) {
	for _, c := range []struct {
		name   string
		ledger reread
		says   string
	}{
		{"being read", reread{have: 3, all: 9}, "the ledger is being read again (3 of 9 blocks)"},
		{"no peer", reread{have: 3, away: errors.New("nobody is there")}, "no peer says more: nobody is there"},
		{"empty", reread{have: 9, all: 9}, "nobody has written the first registration"},
	} {
		if _, err := testMember(io.Discard).registered(t.Context(), &c.ledger); !errors.Is(err, errNotBegun) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &reread{have: 1, all: 3000}
		check := reached(l)
		if err := check(t.Context()); err == nil || !strings.Contains(err.Error(), "2999 blocks behind") {
			t.Errorf("far behind: %v", err)
		}
		l.have, l.all = 2998, 2999
		if err := check(t.Context()); err != nil {
			t.Errorf("it is about to catch up: %v", err)
		}
		l.have = 2998
		_ = check(t.Context())
		l.have = 2998
		time.Sleep(61 * time.Second)
		if err := check(t.Context()); err == nil {
			t.Error("it has been one block behind for a minute, and is ready")
		}
		l.away = errors.New("nobody is there")
		if err := check(t.Context()); !errors.Is(err, l.away) {
			t.Errorf("no peer answers: %v", err)
		}
	})
}
