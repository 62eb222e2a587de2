package capture

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest/formats"
	"github.com/foodtrace-ledger/foodtrace/internal/evidence"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

const (
	// MaxRunning bounds the documents that wait or are being written; further ones get ErrBusy. Each costs a row, not memory.
	MaxRunning = 1000
	// MaxOfMember bounds those of one member, ErrMemberBusy, so that one that sends and sends does not take all places.
	MaxOfMember = MaxRunning / 2
)

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

	Running  int // instead of MaxRunning, unless 0
	OfMember int // instead of MaxOfMember, unless 0
}

// Service takes documents and writes them to the ledger. Its methods may be called from many goroutines.
type Service struct {
	Config
	store       *store
	queue       chan Job
	inMemory    int64 // size up to which a document is read whole
	maxDocument int64
	cancel      context.CancelFunc
	done        sync.WaitGroup
}

// Open opens the job file, takes up the jobs that an earlier process left, and starts working.
func Open(c Config) (*Service, error) {
	c.Running, c.OfMember = cmp.Or(c.Running, MaxRunning), cmp.Or(c.OfMember, MaxOfMember)
	st, err := openStore(c.Path)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Service{Config: c, store: st, inMemory: inMemory, maxDocument: MaxDocument, cancel: cancel}
	left, err := st.unfinished(ctx)
	if err != nil {
		cancel()
		return nil, errors.Join(err, st.close())
	}
	s.queue = make(chan Job, max(c.Running, len(left))) // those of an earlier limit are all taken up
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

// Receive keeps a document, and the files that come with it, and returns its job once all are durable: ErrTooLarge, ErrMediaType, ErrBusy,
// ErrMemberBusy, *OptionsError, *FilesError. What was kept until an error stays in the evidence store, where nothing refers to it.
func (s *Service) Receive(ctx context.Context, req Request) (Job, error) {
	if req.ID != "" {
		if j, err := s.store.job(ctx, req.Member, req.ID); !errors.Is(err, ErrNoSuchJob) {
			return j, err
		}
	}
	if err := s.room(ctx, s.store.db, req.Member); err != nil { // before the sender has sent it all
		return Job{}, err
	}
	o := formats.Options{Mapping: req.Mapping, Zone: req.Zone, Dates: req.Dates}
	if problems := o.Check(); len(problems) > 0 {
		return Job{}, &OptionsError{problems}
	}
	mapping, err := s.keepMapping(ctx, req.Mapping)
	if err != nil {
		return Job{}, err
	}
	body, mediaType, err := sniff(req.Body)
	if err != nil {
		return Job{}, err
	}
	sum, size, err := s.Evidence.Put(ctx, body, s.maxDocument)
	if errors.Is(err, evidence.ErrTooLarge) {
		return Job{}, ErrTooLarge
	}
	if err != nil {
		return Job{}, fmt.Errorf("capture: keeping the document: %w", err)
	}
	files, err := s.keepFiles(ctx, req.Files)
	if err != nil {
		return Job{}, err
	}
	j := Job{
		ID: cmp.Or(req.ID, rand.Text()), Member: req.Member, Name: req.Name, Proceed: req.Proceed, Created: s.Now(), Running: true, Success: true,
		Mapping: mapping, Zone: req.Zone, Dates: req.Dates, Files: files,
		Evidence: contract.Evidence{SHA256: sum, MediaType: mediaType, Name: req.Name, Size: size},
	}
	if err := s.store.add(ctx, j, func(tx *sql.Tx) error { return s.room(ctx, tx, j.Member) }); err != nil {
		return Job{}, err
	}
	s.queue <- j // has room: the store admits at most its capacity
	return j, nil
}

// room returns ErrBusy or ErrMemberBusy when there is no place for another job of a member.
func (s *Service) room(ctx context.Context, db querier, member string) error {
	all, mine, err := running(ctx, db, member)
	switch {
	case err != nil:
		return err
	case mine >= s.OfMember:
		return ErrMemberBusy
	case all >= s.Running:
		return ErrBusy
	}
	return nil
}

// keepMapping returns the digest of a mapping file once the evidence store has it, so that a job that is taken up again reads alike.
func (s *Service) keepMapping(ctx context.Context, mapping []byte) (digest string, err error) {
	if len(mapping) == 0 {
		return "", nil
	}
	digest, _, err = s.Evidence.Put(ctx, bytes.NewReader(mapping), MaxMapping)
	if errors.Is(err, evidence.ErrTooLarge) {
		return "", ErrTooLarge
	}
	if err != nil {
		return "", fmt.Errorf("capture: keeping the mapping: %w", err)
	}
	return digest, nil
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
