package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/ingest"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// batchRecords is how many records go into one transaction when each stands alone. More makes the costs of a transaction
// (signature, share of a sync, an item's state read and written once) smaller per record, fewer makes conflicts with
// other senders cheaper to repeat.
const batchRecords = 2000

// inFlight is how many batches of one document are under way while the next is read. With more, the batches of one
// document would conflict with each other: they name the same lots.
const inFlight = 1

// maxRemarks bounds the findings on accepted records among a job's problems; all of them are in the outcomes.
const maxRemarks = 100

// Whatever is away or full is tried again: soon at first.
const (
	againSoon = 10 * time.Millisecond
	againLate = 5 * time.Second
)

// again does something until it works, or ctx ends, or final says that no other try will do.
func (s *Service) again(ctx context.Context, job, what string, do func() error, final func(error) bool) error {
	for wait := againSoon; ; wait = min(2*wait, againLate) {
		err := do()
		if err == nil || ctx.Err() != nil || final(err) {
			return err
		}
		s.Log.Warn("capture: "+what+", trying again", "job", job, "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (s *Service) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-s.queue:
			_ = s.again(ctx, j.ID, "a job cannot go on", func() (err error) {
				if j, err = s.store.job(ctx, "", j.ID); err != nil { // as far as it has come
					return err
				}
				return newRun(s, j).document(ctx)
			}, func(err error) bool { return errors.Is(err, ErrNoSuchJob) }) // else ctx ends it, and it goes on at the next start
		}
	}
}

func never(error) bool { return false }

// run is one document on its way to the ledger. Only its own goroutine touches it.
type run struct {
	*Service
	job    Job
	signer ledger.Signer
	source *contract.Evidence
	doc    *document
	files  named

	next    int // number of the next record in the document
	batch   []contract.Record
	first   int       // number of the first record since the last batch
	said    []Outcome // of records since the last batch: refused by the reader, or accepted with remarks
	flights []*flight // submitted, in document order
}

func newRun(s *Service, j Job) *run {
	return &run{Service: s, job: j, files: named{known: map[string]*contract.Evidence{}, claimed: map[string]bool{}}}
}

// flight is a batch under way.
type flight struct {
	batchDone
	said    []Outcome
	read    int64 // bytes of the document up to its end
	receipt chan submitted
}

type submitted struct {
	ledger.Receipt
	err error
}

// document takes a job from where it stands to its end. An error leaves it unfinished.
func (r *run) document(ctx context.Context) error {
	signer, err := r.Signer(r.job.Member)
	if err != nil {
		return r.fail(ctx, codeSigner, fmt.Sprintf("%s has no identity on this machine: %v", r.job.Member, err))
	}
	r.signer, r.source = signer, &r.job.Evidence
	r.doc, err = r.openDocument(ctx, r.job)
	var p *ingest.Problem
	switch {
	case lost(err):
		return r.fail(ctx, codeLost, fmt.Sprintf("the document's bytes cannot be read: %v", err))
	case errors.As(err, &p):
		r.problems([]ingest.Problem{*p}, true)
		return r.finish(ctx)
	case err != nil:
		return err
	}
	defer r.doc.Close()
	if r.job.Proceed {
		err = r.proceed(ctx)
	} else {
		err = r.rollback(ctx)
	}
	if errors.Is(err, ledger.ErrRefused) {
		return r.fail(ctx, codeLedger, err.Error())
	}
	if err != nil {
		return err
	}
	return r.finish(ctx)
}

// unreadable ends the reading of a document: with an error when the store is away, else with a problem of the document.
func (r *run) unreadable(ctx context.Context, err error) error {
	if away := r.doc.away(); away != nil {
		return errors.Join(away, r.land(ctx, 0))
	}
	p := &ingest.Problem{Code: codeRead, Message: err.Error()}
	_ = errors.As(err, &p)
	r.problems([]ingest.Problem{*p}, true)
	return nil
}

// proceed writes each record that can be written, in batches, beginning after what an earlier process has done.
func (r *run) proceed(ctx context.Context) error {
	resume, err := r.store.through(ctx, r.job.ID)
	if err != nil {
		return err
	}
	r.first = resume
	for {
		record, problems, err := r.doc.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			if err := r.unreadable(ctx, err); err != nil {
				return err
			}
			break
		}
		r.claim(record)
		if r.next++; r.next <= resume {
			continue
		}
		if err := r.take(ctx, record, problems); err != nil {
			return errors.Join(err, r.land(ctx, 0))
		}
		if r.next-r.first >= batchRecords {
			if err := r.send(ctx); err != nil {
				return err
			}
		}
	}
	if err := r.sendLast(ctx); err != nil {
		return err
	}
	r.problems(append(r.doc.Problems(), r.unclaimed()...), true)
	return r.describe(ctx)
}

// rollback writes the whole document or nothing of it.
func (r *run) rollback(ctx context.Context) error {
	if done, err := r.store.through(ctx, r.job.ID); err != nil || done > 0 {
		return err // an earlier process has written it
	}
	for {
		record, problems, err := r.doc.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			if err := r.unreadable(ctx, err); err != nil {
				return err
			}
			break
		}
		if r.next++; r.next > MaxAtomic {
			return r.fail(ctx, codeAtomic, fmt.Sprintf("a document of more than %d events cannot be captured with rollback; send it with proceed", MaxAtomic))
		}
		r.claim(record)
		if err := r.take(ctx, record, problems); err != nil {
			return err
		}
	}
	r.problems(append(r.doc.Problems(), r.unclaimed()...), true)
	if !r.job.Success {
		return r.rolledBack(ctx)
	}
	if err := r.describe(ctx); err != nil {
		return err
	}
	return r.sendLast(ctx)
}

// rolledBack notes that nothing of the document is written, and why.
func (r *run) rolledBack(ctx context.Context) error {
	rejects, said := make([]Outcome, r.next), r.said
	for i := range rejects {
		rejects[i] = Outcome{Index: i}
		if len(said) > 0 && said[0].Index == i {
			rejects[i], said = said[0], said[1:]
		}
		if o := &rejects[i]; o.Status != contract.Refused {
			o.Status = contract.Refused
			o.Findings = append(o.Findings, contract.Finding{Code: contract.CodeRolledBack, Message: "something else in the document was refused, so none of it was written"})
		}
	}
	r.job.Refused, r.batch = r.next, nil
	if r.next == 0 {
		return nil
	}
	return r.keep(ctx, []batchDone{{first: 0, last: r.next - 1}}, rejects)
}

// take puts a record into the batch, and what is said of it beside. The error is that of a store of evidence that is away.
func (r *run) take(ctx context.Context, record *contract.Record, problems []ingest.Problem) error {
	remarks, err := r.describeFiles(ctx, record)
	if err != nil {
		return err
	}
	problems = append(problems, remarks...)
	r.problems(problems, false)
	if record != nil {
		r.batch = append(r.batch, *record)
		if len(problems) == 0 {
			return nil
		}
	}
	o := Outcome{Index: r.next - 1}
	if record == nil {
		o.Status = contract.Refused
	}
	for _, p := range problems {
		o.Findings = append(o.Findings, contract.Finding{Code: contract.Code(p.Code), Message: p.Message, Place: p.Pointer})
	}
	r.said = append(r.said, o)
	return nil
}

// send submits the records taken since the last batch, once few enough batches are under way.
func (r *run) send(ctx context.Context) error {
	if r.next == r.first {
		return nil
	}
	if err := r.land(ctx, inFlight-1); err != nil {
		return err
	}
	f := &flight{batchDone: batchDone{first: r.first, last: r.next - 1}, said: r.said, read: r.doc.Position(), receipt: make(chan submitted, 1)}
	batch := &contract.Batch{Atomic: !r.job.Proceed, Source: r.source, Records: r.batch}
	r.first, r.batch, r.said = r.next, nil, nil
	r.flights = append(r.flights, f)
	if len(batch.Records) == 0 {
		f.receipt <- submitted{}
	} else {
		r.done.Go(func() {
			receipt, err := r.submit(ctx, batch)
			f.receipt <- submitted{receipt, err}
		})
	}
	return nil
}

// sendLast submits what is left and waits until all is final.
func (r *run) sendLast(ctx context.Context) error {
	if err := r.send(ctx); err != nil {
		return err
	}
	return r.land(ctx, 0)
}

// land notes the batches that are final, oldest first, until at most n are under way.
func (r *run) land(ctx context.Context, n int) error {
	for len(r.flights) > n {
		f := r.flights[0]
		r.flights = r.flights[1:]
		s := <-f.receipt
		if s.err != nil {
			return s.err
		}
		f.tx, r.job.Read = s.TxID, f.read
		r.count(f, s.Receipt)
		if err := r.keep(ctx, []batchDone{f.batchDone}, f.said); err != nil {
			return err
		}
	}
	return nil
}

// count adds what became of a batch to the job.
func (r *run) count(f *flight, receipt ledger.Receipt) {
	for _, o := range f.said {
		if o.Status == contract.Refused {
			r.job.Refused++
		}
	}
	if receipt.TxID != "" {
		r.job.Block = max(r.job.Block, receipt.Block+1)
	}
	for _, o := range receipt.Outcomes {
		switch o.Status {
		case contract.Accepted:
			r.job.Accepted++
		case contract.Duplicate:
			r.job.Duplicates++
		case contract.Refused:
			r.job.Refused++
			r.job.Success = false
		}
		for _, p := range o.Findings {
			r.problem(Problem{Code: string(p.Code), Message: p.Message, Pointer: p.Place, Event: o.ID, Refused: o.Status == contract.Refused})
		}
	}
}

// describe registers what the document says of sites and products. A description that is refused (somebody else's site) does not
// refuse the records.
func (r *run) describe(ctx context.Context) error {
	for records := range slices.Chunk(r.doc.Descriptions(), batchRecords) {
		receipt, err := r.submit(ctx, &contract.Batch{Source: r.source, Records: records})
		if err != nil {
			return err
		}
		for i, o := range receipt.Outcomes {
			for _, p := range o.Findings {
				r.problem(Problem{Code: string(p.Code), Message: p.Message, Pointer: p.Place, Event: described(records[i]), Document: true})
			}
		}
		r.job.Block = max(r.job.Block, receipt.Block+1)
	}
	return nil
}

// described is the ID of the one thing that a description is about.
func described(r contract.Record) string {
	for _, site := range r.Registration.Sites {
		return site.ID
	}
	for _, product := range r.Registration.Products {
		return product.ID
	}
	return ""
}

// submit sends a batch until the ledger has said what became of it. Sending again is safe: what is there is a duplicate.
func (r *run) submit(ctx context.Context, batch *contract.Batch) (receipt ledger.Receipt, err error) {
	var unknown []string // transactions that may be on the ledger
	err = r.again(ctx, r.job.ID, "the ledger did not take a batch", func() (err error) {
		if receipt, err = r.Ledger.Submit(ctx, r.signer, batch); err == nil {
			return nil
		}
		var u *ledger.UnknownError
		if errors.As(err, &u) {
			unknown = append(unknown, u.TxID)
		}
		if first, ok := r.written(ctx, unknown); ok {
			receipt, err = first, nil
		}
		return err
	}, func(err error) bool { return errors.Is(err, ledger.ErrRefused) })
	if first, ok := r.written(ctx, unknown); ok && err == nil && first.Block < receipt.Block {
		receipt = first // the later one calls duplicate what this one wrote
	}
	return receipt, err
}

// written returns the receipt of the first of some transactions that is on the ledger: the one that wrote the batch.
func (r *run) written(ctx context.Context, txs []string) (first ledger.Receipt, ok bool) {
	for _, id := range txs {
		receipt, err := r.Ledger.Receipt(ctx, id)
		if err == nil && (!ok || receipt.Block < first.Block) {
			first, ok = receipt, true
		}
	}
	return first, ok
}

// keep notes how far the job has come, whenever there is room for it: a receipt that is lost would be a duplicate later.
func (r *run) keep(ctx context.Context, done []batchDone, rejected []Outcome) error {
	return r.again(ctx, r.job.ID, "the job file cannot be written", func() error { return r.store.progress(ctx, r.job, done, rejected) }, never)
}

// problems lists what a reader said: of the document or of a record.
func (r *run) problems(list []ingest.Problem, document bool) {
	for _, p := range list {
		refused := p.Severity == ingest.Error
		r.problem(Problem{Code: string(p.Code), Message: p.Message, Pointer: p.Pointer, Refused: refused, Document: document})
		r.job.Success = r.job.Success && !refused
	}
}

// problem lists a problem of the job. Remarks on accepted records must not crowd out the reasons of refusals.
func (r *run) problem(p Problem) {
	limit := MaxProblems
	if !p.Refused {
		limit = maxRemarks
	}
	if len(r.job.Problems) < limit {
		r.job.Problems = append(r.job.Problems, p)
	} else {
		r.job.MoreProblems++
	}
}

// fail ends a job of which nothing can be written.
func (r *run) fail(ctx context.Context, code ingest.Code, message string) error {
	r.job.Success = false
	r.batch = nil
	r.problem(Problem{Code: string(code), Message: message, Refused: true, Document: true})
	return r.finish(ctx)
}

func (r *run) finish(ctx context.Context) error {
	r.job.Running, r.job.Finished = false, r.Now()
	if r.job.Proceed { // the standard's "some captured"
		r.job.Success = r.job.Success || r.job.Accepted+r.job.Duplicates > 0
	}
	return r.keep(ctx, nil, nil)
}
