package capture

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// Outcomes lists what became of the records of a job, in document order, from the record with number from on, at most
// limit. A job that is still running answers for the records that are through.
func (s *Service) Outcomes(ctx context.Context, member, id string, from, limit int) (list []Outcome, err error) {
	if _, err := s.store.job(ctx, member, id); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	for o, err := range s.outcomes(ctx, id, from) {
		if err != nil {
			return list, err
		}
		if list = append(list, o); len(list) == limit {
			break // before the next batch is read for nothing
		}
	}
	return list, nil
}

// AllOutcomes returns a job of a member ("" for any member's) and what became of all its records, in document order. One batch of them is in memory
// at a time. An error ends the sequence.
func (s *Service) AllOutcomes(ctx context.Context, member, id string) (Job, iter.Seq2[Outcome, error], error) {
	job, err := s.store.job(ctx, member, id)
	return job, s.outcomes(ctx, id, 0), err
}

// outcomes yields the outcomes of a job from a record on, batch by batch.
func (s *Service) outcomes(ctx context.Context, id string, from int) iter.Seq2[Outcome, error] {
	return func(yield func(Outcome, error) bool) {
		for {
			batch, err := s.batchOutcomes(ctx, id, from)
			if err != nil {
				yield(Outcome{}, fmt.Errorf("capture: outcomes of job %s: %w", id, err))
				return
			}
			if len(batch) == 0 {
				return
			}
			for _, o := range batch {
				if o.Index >= from && !yield(o, nil) {
					return
				}
			}
			from = batch[len(batch)-1].Index + 1
		}
	}
}

// batchOutcomes returns the outcomes of the batch that holds a record, none when the job has not come so far: those of the transaction and
// the rejected records between them, in document order.
func (s *Service) batchOutcomes(ctx context.Context, id string, record int) ([]Outcome, error) {
	b, ok, err := s.store.batchWith(ctx, id, record)
	if err != nil || !ok {
		return nil, err
	}
	said, err := s.store.rejects(ctx, id, b.first, b.last+1)
	if err != nil {
		return nil, err
	}
	var receipt ledger.Receipt
	if b.tx != "" {
		if receipt, err = s.Ledger.Receipt(ctx, b.tx); err != nil {
			return nil, err
		}
	}
	return merge(b, receipt, said), nil
}

// merge puts the outcomes of a transaction and what was said of records before into document order.
func merge(b batchDone, receipt ledger.Receipt, said []Outcome) []Outcome {
	list, decided := make([]Outcome, 0, b.last-b.first+1), receipt.Outcomes
	for i := b.first; i <= b.last; i++ {
		var before Outcome
		if len(said) > 0 && said[0].Index == i {
			before, said = said[0], said[1:]
		}
		if before.Status == contract.Refused {
			list = append(list, before)
			continue
		}
		if len(decided) == 0 {
			break
		}
		o := Outcome{Index: i, Tx: receipt.TxID, Block: receipt.Block, Outcome: decided[0]}
		o.Findings = slices.Concat(before.Findings, o.Findings) // those of a receipt are shared
		list, decided = append(list, o), decided[1:]
	}
	return list
}
