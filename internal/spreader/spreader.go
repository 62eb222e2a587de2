// Package spreader carries the marks of holds to all descendants, in follow-up transactions of a bounded size. A hold is in
// force from its own block whether this runs or not; once its marks are there, a movement finds them in one step.
package spreader

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// step is how many links one transaction follows: some milliseconds of work, so that movements get their turn between.
const step = 2000

// again is how long to wait after the ledger did not take a transaction.
const again = time.Second

// Ledger is what the spreader needs of a ledger.
type Ledger interface {
	Submit(ctx context.Context, by ledger.Signer, batch *contract.Batch) (ledger.Receipt, error)
	Blocks(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error]
	Height(ctx context.Context) (uint64, error)
	View(ctx context.Context, f func(contract.State) error) error
}

// Run spreads what is to be spread, now and after each block, until ctx ends; then it returns nil.
func Run(ctx context.Context, l Ledger, by ledger.Signer, log *slog.Logger) error {
	height, err := l.Height(ctx)
	if err != nil {
		return err
	}
	if err := spread(ctx, l, by, log); err != nil {
		return err
	}
	for _, err := range l.Blocks(ctx, height) {
		if err != nil {
			return err
		}
		if err := spread(ctx, l, by, log); err != nil {
			return err
		}
	}
	return nil
}

// spread works until no hold has marks to spread. Whether one has is a single read.
func spread(ctx context.Context, l Ledger, by ledger.Signer, log *slog.Logger) error {
	for ctx.Err() == nil {
		var holds []string
		err := l.View(ctx, func(s contract.State) (err error) {
			holds, err = contract.HoldSpreading(s)
			return err
		})
		if ctx.Err() != nil {
			return nil // the read was cut off
		}
		if err != nil {
			return fmt.Errorf("spreader: %w", err)
		}
		if len(holds) == 0 {
			return nil
		}
		receipt, err := l.Submit(ctx, by, &contract.Batch{Records: []contract.Record{{Spread: &contract.Spread{Hold: holds[0], Limit: step}}}})
		switch {
		case errors.Is(err, ledger.ErrRefused):
			return fmt.Errorf("spreader: %w", err)
		case err == nil && receipt.Outcomes[0].Status == contract.Refused:
			err = fmt.Errorf("refused: %v", receipt.Outcomes[0].Findings)
			fallthrough
		case err != nil && ctx.Err() == nil:
			log.Warn("spreader: the ledger did not take a transaction, trying again", "hold", holds[0], "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(again):
			}
		}
	}
	return nil
}
