package ledgertest

import (
	"context"
	"errors"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// read returns the blocks from a height to another, and checks that they form a chain.
func (b *bench) read(first, last uint64) (blocks []*ledger.Block) {
	b.Helper()
	for block, err := range b.Ledger.Blocks(b.ctx, first) {
		if err != nil {
			b.Fatal(err)
		}
		if want := first + uint64(len(blocks)); block.Height != want {
			b.Fatalf("block %d, want %d", block.Height, want)
		}
		if n := len(blocks); n > 0 && (block.PrevHash != blocks[n-1].Hash || block.Time.Before(blocks[n-1].Time.Time)) {
			b.Errorf("block %d does not follow the one before, by hash or time", block.Height)
		}
		blocks = append(blocks, block)
		if block.Height >= last {
			return blocks
		}
	}
	b.Fatalf("the blocks end with %d, want %d", first+uint64(len(blocks)), last)
	return nil
}

// blocks returns the transactions of these blocks in order.
func (b *bench) blocks(first, last uint64) (txs []ledger.Tx) {
	b.Helper()
	for _, block := range b.read(first, last) {
		txs = append(txs, block.Txs...)
	}
	return txs
}

// testBlocksFromAnyHeight: the same blocks, wherever one begins.
func (b *bench) testBlocksFromAnyHeight() {
	for i := range 5 {
		b.submit(b.Farm, made(1, b.lot(i)))
	}
	last := height(b) - 1
	all := b.read(0, last)
	if all[0].PrevHash != [32]byte{} {
		b.Error("the first block names one before it")
	}
	for first := range last {
		for i, block := range b.read(first, last) {
			want := all[int(first)+i]
			if block.Hash != want.Hash || len(block.Txs) != len(want.Txs) {
				b.Fatalf("block %d is another one when read from %d", block.Height, first)
			}
			for j := range block.Txs {
				if diff := cmp.Diff(want.Txs[j].Outcomes, block.Txs[j].Outcomes); diff != "" || block.Txs[j].ID != want.Txs[j].ID {
					b.Fatalf("block %d is another one when read from %d:\n%s", block.Height, first, diff)
				}
			}
		}
	}
}

// testBlocksWait: who has read all blocks gets the next one, and nobody misses any, however slow.
func (b *bench) testBlocksWait() {
	const followers, batches = 5, 20
	first := height(b)
	receipts := make([]ledger.Receipt, batches)
	together(followers+1, func(i int) {
		if i == followers {
			for n := range receipts {
				receipts[n] = b.submit(b.Farm, made(1, b.lot(n)))
			}
			return
		}
		seen := 0
		for block, err := range b.Ledger.Blocks(b.ctx, first) {
			if err != nil {
				b.Error(err)
				return
			}
			for _, tx := range block.Txs {
				if tx.Batch.Records[0].Event == nil || tx.Batch.Records[0].Event.Quantities[0].EPCClass != b.lot(seen) {
					b.Errorf("follower %d: %s instead of lot %d", i, tx.ID, seen)
					return
				}
				seen++
			}
			if seen == batches {
				return
			}
		}
		b.Errorf("follower %d saw %d of %d", i, seen, batches)
	})
}

// testBlocksEnd: a follower ends with its context, without an error, whether it waits or reads.
func (b *bench) testBlocksEnd() {
	ctx, cancel := context.WithCancel(b.ctx)
	ended := make(chan error, 1)
	waiting := make(chan struct{})
	from := height(b) - 1
	go func() {
		var failed error
		for block, err := range b.Ledger.Blocks(ctx, from) {
			if failed = err; block != nil && block.Height == from {
				close(waiting)
			}
		}
		ended <- failed
	}()
	<-waiting
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			b.Errorf("ends with %v", err)
		}
	case <-b.ctx.Done():
		b.Fatal("does not end")
	}
	for range b.Ledger.Blocks(ctx, 0) {
		b.Error("a block after the context has ended")
		break
	}
}

// testView: a view stays as it is while others write, and reports what its function reports.
func (b *bench) testView() {
	lot := b.lot(0)
	var before, after, other []string
	err := b.Ledger.View(b.ctx, func(s contract.State) (err error) {
		if before, err = contract.HoldsOn(s, lot); err != nil {
			return err
		}
		written := make(chan error)
		go func() {
			_, err := b.Ledger.Submit(b.ctx, b.Regulator, &contract.Batch{Records: []contract.Record{hold(lot, 0), hold(b.lot(1), 0)}})
			written <- err
		}()
		if err := <-written; err != nil {
			return err
		}
		if after, err = contract.HoldsOn(s, lot); err != nil {
			return err
		}
		other, err = contract.HoldsOn(s, b.lot(1))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	if !slices.Equal(before, after) || len(before) != len(other) {
		b.Errorf("holds before %v, after %v, on another lot held at once %v: not one moment", before, after, other)
	}
	if got := b.holdsOn(lot); len(got) != 1 {
		b.Errorf("a new view sees the holds %v", got)
	}
	wrong := errors.New("wrong")
	if err := b.Ledger.View(b.ctx, func(contract.State) error { return wrong }); !errors.Is(err, wrong) {
		b.Errorf("%v, want what the function returned", err)
	}
}
