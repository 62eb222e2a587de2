package store

import "github.com/foodtrace-ledger/foodtrace/internal/ledger"

// Bounds of the blocks kept in memory for followers: an event takes about 3 KB there. Whoever is further behind reads the
// blocks from where the ledger keeps them.
const (
	RecentRecords = 8192
	recentBlocks  = 1024
)

// Recent is the newest blocks, oldest first, without a gap.
type Recent struct {
	blocks  []*ledger.Block
	records int
}

// Add takes the next block in, and lets go of the oldest ones beyond the bounds.
func (r *Recent) Add(b *ledger.Block) {
	r.blocks = append(r.blocks, b)
	r.records += records(b)
	for len(r.blocks) > recentBlocks || r.records > RecentRecords && len(r.blocks) > 1 {
		r.records -= records(r.blocks[0])
		r.blocks[0] = nil
		r.blocks = r.blocks[1:]
	}
}

// Get returns the block of a height that is not above the newest, or nil.
func (r *Recent) Get(height uint64) *ledger.Block {
	if len(r.blocks) == 0 || height < r.blocks[0].Height {
		return nil
	}
	return r.blocks[height-r.blocks[0].Height]
}

// Oldest returns the first block that is kept, or nil.
func (r *Recent) Oldest() *ledger.Block {
	if len(r.blocks) == 0 {
		return nil
	}
	return r.blocks[0]
}

func records(b *ledger.Block) (n int) {
	for _, tx := range b.Txs {
		n += len(tx.Batch.Records)
	}
	return n
}
