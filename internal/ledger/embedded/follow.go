package embedded

import (
	"context"
	"crypto/x509"
	"fmt"
	"iter"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/internal/event"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

// Blocks implements ledger.Ledger.
func (l *Ledger) Blocks(ctx context.Context, from uint64) iter.Seq2[*ledger.Block, error] {
	return func(yield func(*ledger.Block, error) bool) {
		for height := from; ctx.Err() == nil; height++ {
			if err := l.await(ctx, height); err != nil {
				yield(nil, err)
				return
			}
			if ctx.Err() != nil {
				return
			}
			b, err := l.block(height)
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// await returns once there is a block of that height, or ctx has ended, or ErrClosed.
func (l *Ledger) await(ctx context.Context, height uint64) error {
	for {
		l.mu.RLock()
		there, next, closed := height < uint64(len(l.offsets)), l.newBlock, l.closed
		l.mu.RUnlock()
		switch {
		case closed:
			return ledger.ErrClosed
		case there:
			return nil
		}
		select {
		case <-next:
		case <-l.closing:
		case <-ctx.Done():
			return nil
		}
	}
}

// block returns a block that is there.
func (l *Ledger) block(height uint64) (*ledger.Block, error) {
	done, err := l.use()
	if err != nil {
		return nil, err
	}
	defer done()
	if b := l.fromMemory(height); b != nil {
		return b, nil
	}
	sb, f, err := l.readBlock(height)
	if err != nil {
		return nil, err
	}
	return decodeBlock(sb, f, height)
}

func (l *Ledger) fromMemory(height uint64) *ledger.Block {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.recent.Get(height)
}

// readBlock reads a block that is there from the file.
func (l *Ledger) readBlock(height uint64) (*storedBlock, *frame, error) {
	l.mu.RLock()
	offset, end := l.offsets[height], l.end
	l.mu.RUnlock()
	f, err := readFrame(l.file, offset, end, height, nil)
	if err != nil {
		return nil, nil, err
	}
	sb, err := parseBlock(f.payload)
	if err != nil {
		return nil, nil, &DamageError{height, offset, err.Error()}
	}
	return sb, f, nil
}

// decodeBlock makes the block that followers see of a stored one. Signatures were checked before it was stored.
func decodeBlock(sb *storedBlock, f *frame, height uint64) (*ledger.Block, error) {
	b := &ledger.Block{Height: height, Hash: f.hash, PrevHash: sb.prev, Time: event.Time{Time: sb.time}}
	for i, stx := range sb.txs {
		re, err := decodeTx(stx)
		if err != nil {
			return nil, &DamageError{height, f.offset, fmt.Sprintf("transaction %d: %v", i, err)}
		}
		b.Txs = append(b.Txs, re.tx)
	}
	return b, nil
}

func actorOf(s *submission) (contract.Actor, error) {
	cert, err := x509.ParseCertificate(s.cert)
	if err != nil {
		return contract.Actor{}, err
	}
	return contract.Actor{MSP: s.msp, Subject: cert.Subject.CommonName}, nil
}
