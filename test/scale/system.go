package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest/epcis"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence/fs"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// user is the common name in the members' certificates.
const user = "gateway"

// applyRecords is how many records are gathered for one transaction of the index, as a projector under load does.
const applyRecords = 2000

// sampled is that of so many deliveries one is decided a second time, to see what the decision alone takes.
const sampled = 8

// steps of an event on its way, each on the thread at hand.
type steps struct{ evidence, decode, submit, decide, index time.Duration }

// system is the boxes that an event goes through, one after the other on one thread, so that the time of each is known.
type system struct {
	dir      string                                  // data directory
	signer   func(msp string) (ledger.Signer, error) // who signs for a member of the world
	ledger   ledger.Ledger
	index    index.Index
	evidence *fs.Store
	squeeze  *zstd.Encoder
	sizes    []stored // what is on disk, beside the index
	// indexSizes measures the index, whole and by table.
	indexSizes func(ctx context.Context, add func(name string, bytes float64)) error
	catchUp    func(context.Context) error // makes a second replica of the ledger from its blocks; nil where there is none
	waiting    []*ledger.Block             // not in the index yet
	records    int                         // in these
	next       uint64                      // height of the next block

	// Sums since the start.
	events, acts, txs  int
	refused, findings  int   // records not accepted, remarks on all
	document, squeezed int64 // bytes
	time               steps
	written            written
	since              int // records since the last sampled delivery
}

// stored is a file or a folder that grows with the events.
type stored struct {
	name, path string
	before     int64 // its size before the first event
}

// written is what the contract reads and writes, estimated from the sampled deliveries.
type written struct{ reads, keys, bytes float64 }

// register writes who takes part as the first block.
func (s *system) register(ctx context.Context, r contract.Registration) error {
	by, err := s.signer(regulator)
	if err != nil {
		return err
	}
	if err := s.submit(ctx, by, &contract.Batch{Records: []contract.Record{{Registration: &r}}}); err != nil {
		return err
	}
	for i := range s.sizes {
		s.sizes[i].before = size(s.sizes[i].path)
	}
	return nil
}

// take brings a delivery all the way.
func (s *system) take(ctx context.Context, d *delivery) error {
	by, err := s.signer(d.by)
	if err != nil {
		return err
	}
	batch := &contract.Batch{Records: d.acts}
	if len(d.events) > 0 {
		if err := s.capture(ctx, d, batch); err != nil {
			return err
		}
	}
	s.since += d.size()
	if s.txs%sampled == 0 {
		if err := s.decide(ctx, by.MSP, batch); err != nil {
			return err
		}
	}
	s.events, s.acts = s.events+len(d.events), s.acts+len(d.acts)
	return s.submit(ctx, by, batch)
}

// capture keeps a delivery's document as evidence and reads its events from it into the batch.
func (s *system) capture(ctx context.Context, d *delivery, batch *contract.Batch) error {
	doc, err := d.document()
	if err != nil {
		return err
	}
	s.squeezed += int64(len(s.squeeze.EncodeAll(doc, nil)))
	at := cpu(thisThread)
	digest, size, err := s.evidence.Put(ctx, bytes.NewReader(doc), int64(len(doc)))
	if err != nil {
		return err
	}
	s.document += size
	s.time.evidence += cpu(thisThread) - at

	at = cpu(thisThread)
	events, err := decodeAndHash(doc)
	s.time.decode += cpu(thisThread) - at
	if err != nil {
		return err
	}
	for _, e := range events {
		batch.Records = append(batch.Records, contract.Record{Event: e})
	}
	batch.Source = &contract.Evidence{SHA256: digest, MediaType: "application/json", Size: size}
	// Its size is counted; ten million events would fill the disk with what nobody reads.
	return os.Remove(filepath.Join(s.dir, evidenceDir, digest[:2], digest[2:4], digest))
}

func decodeAndHash(doc []byte) (events []*event.Event, err error) {
	r := epcis.NewReader(bytes.NewReader(doc), epcis.Limits{})
	for {
		e, _, err := r.Next()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return nil, err
		}
		if e == nil || e.Hash() == "" {
			return nil, errors.New("the simulated document has an event that cannot be read")
		}
		events = append(events, e)
	}
}

// decide has the contract decide on a batch and forgets what it decided.
func (s *system) decide(ctx context.Context, msp string, batch *contract.Batch) error {
	weight := float64(s.since) / float64(len(batch.Records))
	s.since = 0
	return s.ledger.View(ctx, func(state contract.State) error {
		at := cpu(thisThread)
		reads := &counter{State: state}
		tx := contract.Tx{ID: "0", Actor: contract.Actor{MSP: msp, Subject: user}, Time: event.Time{Time: time.Now()}, Batch: batch}
		effects, _, err := contract.Decide(reads, tx)
		s.time.decide += time.Duration(weight * float64(cpu(thisThread)-at))
		s.written.reads += weight * float64(reads.n)
		s.written.keys += weight * float64(len(effects))
		for _, kv := range effects {
			s.written.bytes += weight * float64(len(kv.Key)+len(kv.Value))
		}
		return err
	})
}

// counter counts the keys that are read.
type counter struct {
	contract.State
	n int
}

func (c *counter) Get(key string) ([]byte, error) {
	c.n++
	return c.State.Get(key)
}

func (s *system) submit(ctx context.Context, by ledger.Signer, batch *contract.Batch) error {
	at := cpu(thisThread)
	receipt, err := s.ledger.Submit(ctx, by, batch)
	s.time.submit += cpu(thisThread) - at
	if err != nil {
		return err
	}
	s.txs++
	for _, o := range receipt.Outcomes {
		if o.Status != contract.Accepted {
			s.refused++
		}
		s.findings += len(o.Findings)
	}
	for b, err := range s.ledger.Blocks(ctx, s.next) {
		if err != nil {
			return err
		}
		s.waiting, s.next = append(s.waiting, b), b.Height+1
		if b.Height >= receipt.Block {
			break
		}
	}
	s.records += len(batch.Records)
	if s.records >= applyRecords {
		return s.project(ctx)
	}
	return nil
}

// project brings the index up to the ledger.
func (s *system) project(ctx context.Context) error {
	at := cpu(thisThread)
	err := s.index.Apply(ctx, s.waiting)
	s.time.index += cpu(thisThread) - at
	s.waiting, s.records = nil, 0
	return err
}
