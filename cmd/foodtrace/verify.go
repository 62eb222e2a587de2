package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/evidence/fs"
	"github.com/foodtrace-ledger/foodtrace/internal/identity"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger/embedded"
)

type verifyCmd struct {
	Data string `default:"data" env:"FOODTRACE_DATA" type:"existingdir" help:"Data directory."`
	output
}

func (verifyCmd) Help() string {
	return "Example:\n  foodtrace verify --data data\n\n" +
		"Checks every block from the first byte (chain, signatures, the contract executed again), every evidence file, and the index against one\n" +
		"that is rebuilt beside it. Reads only; works beside a running server. Exit code 1: something is wrong, and was named."
}

// fault is one thing that is wrong, as -o json prints it.
type fault struct {
	Part  string `json:"part"`            // ledger, evidence, index
	Block int64  `json:"block"`           // -1: belongs to no block
	What  string `json:"what"`            // a sentence
	Place string `json:"place,omitempty"` // byte, file or row
}

// verdict is the whole answer.
type verdict struct {
	Blocks   uint64  `json:"blocks"`
	Txs      int     `json:"transactions"`
	Records  int     `json:"records"`
	Bytes    int64   `json:"bytes"`
	Evidence int     `json:"evidenceFiles"`
	LastHash string  `json:"lastHash"` // of the last block: whoever wrote it down earlier knows that nothing was cut off
	Seconds  float64 `json:"seconds"`
	Faults   []fault `json:"faults"`
}

func (c *verifyCmd) Run(a *app) (err error) {
	scratch, err := os.MkdirTemp("", "foodtrace-verify-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	v := &verifier{app: a, dir: dataDir(c.Data), first: map[string]uint64{}, began: time.Now()}
	if v.rebuilt, err = sqlite.Open(filepath.Join(scratch, "index.db"), fileOnly); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.rebuilt.Close()) }()
	closeLive, err := v.openLive(a.ctx)
	if err != nil {
		return err
	}
	defer closeLive()
	for _, check := range []func(context.Context) error{v.ledger, v.evidence, v.index} {
		if err := check(a.ctx); err != nil {
			return err
		}
	}
	v.result.Seconds = time.Since(v.began).Seconds()
	if err := v.print(a.out, c.Output == "json"); err != nil {
		return err
	}
	if len(v.result.Faults) > 0 {
		return errNo
	}
	return nil
}

// fileOnly is an index without its graph in memory, which is for traces.
var fileOnly = sqlite.Options{GraphMB: -1}

// verifier looks at one data directory: the ledger first, because it is the truth about the other two.
type verifier struct {
	*app
	dir     dataDir
	live    *sqlite.Snapshot // nil: there is none, or it cannot be read
	height  uint64           // of live
	rebuilt *sqlite.Index    // up to the same height
	pending []*ledger.Block
	// brokenChain: a block of the ledger is damaged, so the index cannot be rebuilt beyond it.
	brokenChain bool
	next        uint64            // height of the next block
	first       map[string]uint64 // evidence digest → the first block that names it
	began       time.Time
	result      verdict
}

func (v *verifier) fault(part string, block int64, place, what string) {
	v.result.Faults = append(v.result.Faults, fault{Part: part, Block: block, Place: place, What: what})
}

// rebuildBlocks is how many blocks the rebuilt index takes in one transaction.
const rebuildBlocks = 200

func (v *verifier) ledger(ctx context.Context) error {
	s, err := embedded.Verify(ctx, embedded.LogPath(string(v.dir)), identity.Open(string(v.dir), nil).Trust(),
		func(p embedded.Problem) {
			v.fault("ledger", int64(p.Block), fmt.Sprintf("byte %d", p.Offset), p.String())
		},
		func(b *ledger.Block) error { return v.rebuild(ctx, b) })
	if err != nil {
		return err
	}
	v.result.Blocks, v.result.Txs, v.result.Records, v.result.Bytes = s.Blocks, s.Txs, s.Records, s.Bytes
	v.result.LastHash = fmt.Sprintf("%x", s.Hash)
	return v.flush(ctx)
}

// openLive takes hold of the live index as it is now: a running server goes on writing.
func (v *verifier) openLive(ctx context.Context) (closeAll func(), err error) {
	path, nothing := v.dir.index(), func() {}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nothing, nil // it will be rebuilt at the next start
	}
	damaged := func(err error) {
		v.fault("index", -1, path, fmt.Sprintf("%v; stop the server and remove it, it is rebuilt from the ledger", err))
	}
	live, err := sqlite.Open(path, fileOnly)
	if err != nil {
		damaged(err)
		return nothing, ctx.Err()
	}
	closeAll = func() { _ = live.Close() } // it was only read
	if err := live.Check(ctx); err != nil {
		damaged(err)
	}
	if v.live, err = live.Snapshot(ctx); err != nil {
		damaged(err)
		return closeAll, ctx.Err()
	}
	closeAll = func() { _, _ = v.live.Close(), live.Close() }
	if v.height, _, err = v.live.Position(ctx); err != nil {
		damaged(err)
	}
	return closeAll, ctx.Err()
}

// rebuild puts a block into the index beside the live one, up to its height and as far as the chain is whole.
func (v *verifier) rebuild(ctx context.Context, b *ledger.Block) error {
	for _, tx := range b.Txs {
		if src := tx.Batch.Source; src != nil {
			v.named(src.SHA256, b.Height)
		}
		for _, r := range tx.Batch.Records {
			for _, e := range r.Evidence {
				v.named(e.SHA256, b.Height)
			}
		}
	}
	v.brokenChain = v.brokenChain || b.Height != v.next // one before it could not be read
	v.next++
	if v.brokenChain || b.Height >= v.height {
		return nil
	}
	if v.pending = append(v.pending, b); len(v.pending) < rebuildBlocks {
		return nil
	}
	return v.flush(ctx)
}

func (v *verifier) named(sha256 string, block uint64) {
	if _, ok := v.first[sha256]; !ok {
		v.first[sha256] = block
	}
}

func (v *verifier) flush(ctx context.Context) error {
	blocks := v.pending
	v.pending = nil
	if len(blocks) == 0 {
		return nil
	}
	return v.rebuilt.Apply(ctx, blocks)
}

func (v *verifier) evidence(ctx context.Context) error {
	store, err := fs.New(v.dir.evidence())
	if err != nil {
		return err
	}
	v.result.Evidence, _, err = store.Verify(ctx, func(path string, problem error) {
		block := int64(-1)
		if b, ok := v.first[filepath.Base(path)]; ok {
			block = int64(b)
		}
		v.fault("evidence", block, path, fmt.Sprintf("%s: %v", path, problem))
	})
	if err != nil {
		return err
	}
	for sha256, block := range v.first {
		if _, err := store.Stat(ctx, sha256); err != nil {
			v.fault("evidence", int64(block), sha256, fmt.Sprintf("the file that a record names is not there: %v", err))
		}
	}
	return nil
}

// index compares the live index with the rebuilt one.
func (v *verifier) index(ctx context.Context) error {
	if v.live == nil || v.brokenChain {
		return nil // there is nothing to compare, or nothing to compare it with
	}
	if v.height > v.result.Blocks {
		v.fault("index", int64(v.result.Blocks), v.dir.index(), fmt.Sprintf("it has %d blocks, the ledger only %d: the ledger was cut off, or the index is another one's", v.height, v.result.Blocks))
		return nil
	}
	err := index.Compare(ctx, v.live, v.rebuilt, func(d index.Difference) {
		v.fault("index", int64(d.Block), d.Table+" "+d.Key, d.String())
	})
	if err != nil {
		v.fault("index", -1, v.dir.index(), err.Error())
	}
	return ctx.Err()
}

func (v *verifier) print(w io.Writer, asJSON bool) error {
	r := v.result
	if asJSON {
		return writeJSON(w, r)
	}
	for _, f := range r.Faults {
		if _, err := fmt.Fprintf(w, "%s: block %d: %s\n", f.Part, f.Block, f.What); err != nil {
			return err
		}
	}
	word := "clean"
	if len(r.Faults) > 0 {
		word = fmt.Sprintf("%d FAULTS", len(r.Faults))
	}
	_, err := fmt.Fprintf(w, "%s: %d blocks, %d transactions, %d records, %d bytes, %d evidence files in %.1f s; last block %s\n",
		word, r.Blocks, r.Txs, r.Records, r.Bytes, r.Evidence, r.Seconds, r.LastHash)
	return err
}
