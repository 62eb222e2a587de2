package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/index/sqlite"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

type verifyCmd struct {
	Config string `env:"FOODTRACE_CONFIG" type:"path" xor:"where" help:"Configuration of a member's gateway on a Fabric network."`
	Data   string `env:"FOODTRACE_DATA" type:"path" xor:"where" help:"Data directory of a ledger on this machine. Default: ${data}"`
	output
}

func (verifyCmd) Help() string {
	return "Example:\n  foodtrace verify --data data\n  foodtrace verify --config /etc/foodtrace.yaml\n\n" +
		"Checks every block from the first byte (chain, signatures, the contract executed again), every evidence file, those that records and events name, and the index against one\n" +
		"that is rebuilt beside it. Reads only; works beside a running server. Exit code 1: something is wrong, and was named."
}

// fault is one thing that is wrong, as -o json prints it.
type fault struct {
	Part  string `json:"part"`            // ledger, evidence, index
	Block int64  `json:"block"`           // -1: belongs to no block
	What  string `json:"what"`            // a sentence
	Place string `json:"place,omitempty"` // byte, file or row
}

// chain is what the ledger's verification read.
type chain struct {
	Blocks   uint64 `json:"blocks"`
	Txs      int    `json:"transactions"`
	Records  int    `json:"records"`
	Bytes    int64  `json:"bytes"`
	LastHash string `json:"lastHash"` // of the last block: whoever wrote it down earlier knows that nothing was cut off
}

// verdict is the whole answer.
type verdict struct {
	chain
	Evidence int     `json:"evidenceFiles"`
	Seconds  float64 `json:"seconds"`
	Faults   []fault `json:"faults"`
	// Notes say what is no fault: an event names a file that is not here, and maybe never was. At most maxNotes; MoreNotes are not listed.
	Notes     []fault `json:"notes"`
	MoreNotes int     `json:"moreNotes,omitzero"`
}

// maxNotes bounds the notes that are listed: each event may name files that never were here.
const maxNotes = 100

// reporter takes what is wrong.
type reporter func(block int64, place, what string)

// subject is what is verified, wherever it is: verify_embedded.go and member.go make it.
type subject struct {
	// ledger checks every block, reports what is wrong, and hands each that can be read on, in order.
	ledger func(ctx context.Context, report reporter, next func(*ledger.Block) error) (chain, error)
	// evidence are the files, and member whose records have theirs there ("": all). Other members keep their own.
	evidence evidenceFiles
	member   string
	// index opens the live index as it is now; nil, nil: there is none yet. cure says what helps when it is damaged.
	index func(ctx context.Context) (index.Snapshot, error)
	place string // of the index, for people
	cure  string
	close func() error
}

// evidenceFiles is a store whose files can be listed and read.
type evidenceFiles interface {
	evidence.Store
	Verify(ctx context.Context, report func(path string, problem error)) (files int, bytes int64, err error)
}

// opened is a state, and what had to be opened for it.
type opened struct {
	index.Snapshot
	index io.Closer
}

func (o *opened) Close() error { return errors.Join(o.Snapshot.Close(), o.index.Close()) }

func (c *verifyCmd) subject(a *app) (*subject, error) {
	if c.Config != "" {
		return memberSubject(a, c.Config)
	}
	return embeddedSubject(dataDir(cmp.Or(c.Data, defaultData)))
}

func (c *verifyCmd) Run(a *app) (err error) {
	began := time.Now()
	s, err := c.subject(a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	v := &verifier{subject: s, first: map[string]uint64{}, foreign: map[string]uint64{}}
	if err := v.all(a.ctx); err != nil {
		return err
	}
	v.result.Seconds = time.Since(began).Seconds()
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

// verifier looks at one subject: the ledger first, because it is the truth about the other two.
type verifier struct {
	*subject
	live    index.Snapshot // nil: there is none, or it cannot be read
	height  uint64         // of live
	rebuilt *sqlite.Index  // up to the same height
	pending []*ledger.Block
	// brokenChain: a block of the ledger is damaged, so the index cannot be rebuilt beyond it.
	brokenChain bool
	next        uint64            // height of the next block
	first       map[string]uint64 // digest of a file that was here when it was written down → the first block that says so
	foreign     map[string]uint64 // digest of a file that an event names, and nothing says that it was here → the first block that does
	result      verdict
}

func (v *verifier) all(ctx context.Context) (err error) {
	scratch, err := os.MkdirTemp("", "foodtrace-verify-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	if v.rebuilt, err = sqlite.Open(filepath.Join(scratch, "index.db"), fileOnly); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.rebuilt.Close()) }()
	if err := v.openLive(ctx); err != nil {
		return err
	}
	if v.live != nil {
		defer func() { _ = v.live.Close() }() // it was only read
	}
	for _, check := range []func(context.Context) error{v.checkLedger, v.checkEvidence, v.checkIndex} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) report(part string) reporter {
	return func(block int64, place, what string) {
		v.result.Faults = append(v.result.Faults, fault{Part: part, Block: block, Place: place, What: what})
	}
}

// rebuildBlocks is how many blocks the rebuilt index takes in one transaction.
const rebuildBlocks = 200

func (v *verifier) checkLedger(ctx context.Context) (err error) {
	v.result.chain, err = v.ledger(ctx, v.report("ledger"), func(b *ledger.Block) error { return v.rebuild(ctx, b) })
	if err != nil {
		return err
	}
	return v.flush(ctx)
}

// openLive takes hold of the live index as it is now: a running server goes on writing.
func (v *verifier) openLive(ctx context.Context) (err error) {
	damaged := func(err error) {
		v.report("index")(-1, v.place, fmt.Sprintf("%v; %s, it is rebuilt from the ledger", err, v.cure))
	}
	v.live, err = v.index(ctx)
	if errors.Is(err, index.ErrUnavailable) {
		return err
	}
	if err != nil {
		damaged(err)
	}
	if v.live == nil {
		return ctx.Err()
	}
	if v.height, _, err = v.live.Position(ctx); err != nil {
		damaged(err)
	}
	return ctx.Err()
}

// rebuild puts a block into the index beside the live one, up to its height and as far as the chain is whole.
func (v *verifier) rebuild(ctx context.Context, b *ledger.Block) error {
	for _, tx := range b.Txs {
		if v.member != "" && tx.Actor.MSP != v.member {
			continue
		}
		if src := tx.Batch.Source; src != nil {
			note(v.first, src.SHA256, b.Height)
		}
		for _, r := range tx.Batch.Records {
			for _, e := range r.Evidence {
				note(v.first, e.SHA256, b.Height)
			}
			if r.Event == nil {
				continue
			}
			for _, sum := range r.Event.Files() {
				note(v.foreign, sum, b.Height)
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

func note(first map[string]uint64, sha256 string, block uint64) {
	if _, ok := first[sha256]; !ok {
		first[sha256] = block
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

func (v *verifier) checkEvidence(ctx context.Context) (err error) {
	report := v.report("evidence")
	v.result.Evidence, _, err = v.evidence.Verify(ctx, func(path string, problem error) {
		block := int64(-1)
		for _, named := range []map[string]uint64{v.foreign, v.first} {
			if b, ok := named[filepath.Base(path)]; ok {
				block = int64(b)
			}
		}
		report(block, path, fmt.Sprintf("%s: %v", path, problem))
	})
	if err != nil {
		return err
	}
	for sha256, block := range v.first {
		if _, err := v.evidence.Stat(ctx, sha256); err != nil {
			report(int64(block), sha256, fmt.Sprintf("the file that a record names is not there: %v", err))
		}
	}
	v.checkForeign(ctx)
	return ctx.Err()
}

// checkForeign notes which files that events name are not here. That is no fault: the ledger does not say that they ever were.
func (v *verifier) checkForeign(ctx context.Context) {
	for _, sha256 := range slices.Sorted(maps.Keys(v.foreign)) {
		if _, was := v.first[sha256]; was {
			continue
		}
		_, err := v.evidence.Stat(ctx, sha256)
		switch {
		case err == nil:
		case !errors.Is(err, evidence.ErrNotFound):
			v.report("evidence")(int64(v.foreign[sha256]), sha256, fmt.Sprintf("the file that an event names cannot be looked for: %v", err))
		case len(v.result.Notes) == maxNotes:
			v.result.MoreNotes++
		default:
			v.result.Notes = append(v.result.Notes, fault{Part: "evidence", Block: int64(v.foreign[sha256]), Place: sha256,
				What: "an event names the file " + event.FileURI(sha256) + ", which is not here; nothing on the ledger says that it was"})
		}
	}
}

// checkIndex compares the live index with the rebuilt one.
func (v *verifier) checkIndex(ctx context.Context) error {
	if v.live == nil || v.brokenChain {
		return nil // there is nothing to compare, or nothing to compare it with
	}
	report := v.report("index")
	if v.height > v.result.Blocks {
		report(int64(v.result.Blocks), v.place, fmt.Sprintf("it has %d blocks, the ledger only %d: the ledger was cut off, or the index is another one's", v.height, v.result.Blocks))
		return nil
	}
	err := index.Compare(ctx, v.live, v.rebuilt, func(d index.Difference) { report(int64(d.Block), d.Table+" "+d.Key, d.String()) })
	if err != nil {
		report(-1, v.place, err.Error())
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
	for _, n := range r.Notes {
		if _, err := fmt.Fprintf(w, "note: %s: block %d: %s\n", n.Part, n.Block, n.What); err != nil {
			return err
		}
	}
	if r.MoreNotes > 0 {
		if _, err := fmt.Fprintf(w, "note: evidence: %d more files that events name are not here\n", r.MoreNotes); err != nil {
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
