package capture

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// maxRunning bounds the documents that wait or are being written; further ones get ErrBusy. Each costs a row, not memory.
const maxRunning = 1000

// workers is how many documents are written at the same time: one that waits for the disk does not stop the next.
const workers = 2

// Config is what a Service stands on.
type Config struct {
	Ledger   ledger.Ledger
	Evidence evidence.Store
	// Signer returns the identity that signs what a member sends.
	Signer func(msp string) (ledger.Signer, error)
	Path   string           // of the job file
	Now    func() time.Time // the clock
	Log    *slog.Logger
}

// Service takes documents and writes them to the ledger. Its methods may be called from many goroutines.
type Service struct {
	Config
	store    *store
	queue    chan Job
	inMemory int64 // size up to which a document is read whole
	cancel   context.CancelFunc
	done     sync.WaitGroup
}

// Open opens the job file, takes up the jobs that an earlier process left, and starts working.
func Open(c Config) (*Service, error) {
	st, err := openStore(c.Path)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Service{Config: c, store: st, queue: make(chan Job, maxRunning), inMemory: inMemory, cancel: cancel}
	left, err := st.unfinished(ctx)
	if err != nil {
		cancel()
		return nil, errors.Join(err, st.close())
	}
	for _, j := range left {
		s.queue <- j
	}
	for range workers {
		s.done.Go(func() { s.work(ctx) })
	}
	return s, nil
}

// Close stops after the batches that are under way. Unfinished jobs go on at the next Open.
func (s *Service) Close() error {
	s.cancel()
	s.done.Wait()
	return s.store.close()
}

// Receive keeps a document and returns its job once both are durable: ErrTooLarge, ErrMediaType, ErrBusy.
func (s *Service) Receive(ctx context.Context, req Request) (Job, error) {
	body, mediaType, err := sniff(req.Body)
	if err != nil {
		return Job{}, err
	}
	sum, size, err := s.Evidence.Put(ctx, body, MaxDocument)
	if errors.Is(err, evidence.ErrTooLarge) {
		return Job{}, ErrTooLarge
	}
	if err != nil {
		return Job{}, fmt.Errorf("capture: keeping the document: %w", err)
	}
	j := Job{
		ID: rand.Text(), Member: req.Member, Name: req.Name, Proceed: req.Proceed, Created: s.Now(), Running: true, Success: true,
		Evidence: contract.Evidence{SHA256: sum, MediaType: mediaType, Name: req.Name, Size: size},
	}
	if err := s.store.add(ctx, j, maxRunning); err != nil {
		return Job{}, err
	}
	s.queue <- j // has room: the store admits at most its capacity
	return j, nil
}

// Job returns a job of a member ("" for any member's), or ErrNoSuchJob.
func (s *Service) Job(ctx context.Context, member, id string) (Job, error) {
	return s.store.job(ctx, member, id)
}

// Jobs lists a member's jobs ("" for all), newest first. next is the cursor of the next page, "" at the end.
func (s *Service) Jobs(ctx context.Context, member, after string, limit int) (jobs []Job, next string, err error) {
	jobs, err = s.store.jobs(ctx, member, after, limit)
	if len(jobs) == limit && limit > 0 {
		next = jobs[limit-1].ID
	}
	return jobs, next, err
}

// Outcomes lists what became of the records of a job, in document order, from the record with number from on, at most
// limit. A job that is still running answers for the records that are through.
func (s *Service) Outcomes(ctx context.Context, member, id string, from, limit int) ([]Outcome, error) {
	if _, err := s.store.job(ctx, member, id); err != nil {
		return nil, err
	}
	batches, err := s.store.batches(ctx, id)
	if err != nil {
		return nil, err
	}
	rejects, err := s.store.rejects(ctx, id, from, from+limit)
	if err != nil {
		return nil, err
	}
	rejected := make(map[int]Outcome, len(rejects))
	for _, o := range rejects {
		rejected[o.Index] = o
	}
	var list []Outcome
	for _, b := range batches {
		if b.last < from {
			continue
		}
		if len(list) >= limit {
			break
		}
		more, err := s.batchOutcomes(ctx, id, b, rejected)
		if err != nil {
			return nil, err
		}
		for _, o := range more {
			if o.Index >= from && len(list) < limit {
				list = append(list, o)
			}
		}
	}
	return list, nil
}

// batchOutcomes puts the outcomes of a transaction and the rejected records between them into document order.
func (s *Service) batchOutcomes(ctx context.Context, id string, b batchDone, rejected map[int]Outcome) ([]Outcome, error) {
	var receipt ledger.Receipt
	if b.tx != "" {
		var err error
		if receipt, err = s.Ledger.Receipt(ctx, b.tx); err != nil {
			return nil, fmt.Errorf("capture: outcomes of job %s: %w", id, err)
		}
	}
	list := make([]Outcome, 0, b.last-b.first+1)
	for i, next := b.first, 0; i <= b.last; i++ {
		if o, ok := rejected[i]; ok {
			list = append(list, o)
		} else if next < len(receipt.Outcomes) {
			list = append(list, Outcome{Index: i, Tx: receipt.TxID, Block: receipt.Block, Outcome: receipt.Outcomes[next]})
			next++
		}
	}
	return list, nil
}
