package fabric

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	ab "github.com/hyperledger/fabric-protos-go/orderer"
	"github.com/hyperledger/fabric-protos-go/peer"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"

	"github.com/foodtrace-ledger/foodtrace/chaincode/contract"
	"github.com/foodtrace-ledger/foodtrace/chaincode/protocol"
	"github.com/foodtrace-ledger/foodtrace/internal/ledger"
)

const (
	// maxInFlight bounds the submissions that are being worked on; others wait. Enough for orderers to fill blocks.
	maxInFlight = 256
	// maxAttempts bounds the proposals made of one submission, when what they read is written meanwhile again and again.
	maxAttempts = 20
	// Bounds of the pause before it is proposed again.
	retryPause    = 20 * time.Millisecond
	maxRetryPause = 2 * time.Second
	// submitPatience is for how long a submission is worked on when its context has no end.
	submitPatience = 5 * time.Minute
	// resendAfter is after what time a transaction that an orderer has taken and that is in no block is sent once more: an orderer
	// loses what it has not replicated when it stops.
	resendAfter = 8 * time.Second
)

// Submit implements ledger.Ledger. It returns once the replica has the block, so that a view or a receipt sees it.
func (l *Ledger) Submit(ctx context.Context, by ledger.Signer, batch *contract.Batch) (ledger.Receipt, error) {
	done, err := l.use()
	if err != nil {
		return ledger.Receipt{}, err
	}
	defer done()
	if err := ctx.Err(); err != nil {
		return ledger.Receipt{}, notOrdered(err)
	}
	ctx, cancel := context.WithTimeout(ctx, submitPatience)
	defer cancel()
	ctx, release := l.whileOpen(ctx)
	defer release()
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return ledger.Receipt{}, notOrdered(context.Cause(ctx))
	}
	s, err := l.prepare(ctx, by, batch)
	if err != nil {
		return ledger.Receipt{}, err
	}
	l.send(s)
	select {
	case r := <-s.result:
		return r.Receipt, r.err
	case <-ctx.Done():
		return s.leave(context.Cause(ctx))
	}
}

func notOrdered(err error) error { return fmt.Errorf("%w: %w", ledger.ErrNotOrdered, err) }

func refuse(err error) error { return fmt.Errorf("%w: %w", ledger.ErrRefused, err) }

// submission is a batch on its way into a block.
type submission struct {
	*Ledger
	by     *account
	batch  []byte // encoded
	load   load
	result chan submitted // has room for its one result

	// Guarded by the ledger's boarding.
	convoy *convoy // nil: it waits
	id     string  // that it has if the transaction under way becomes final; "" between two
	left   bool    // nobody waits for it any more
}

// submitted is what Submit returns.
type submitted struct {
	ledger.Receipt
	err error
}

func (l *Ledger) prepare(ctx context.Context, by ledger.Signer, batch *contract.Batch) (*submission, error) {
	if batch == nil || len(batch.Records) == 0 {
		return nil, refuse(errors.New("the batch holds no record"))
	}
	encoded, err := batch.Encode()
	if err != nil {
		return nil, refuse(err)
	}
	if len(encoded) > protocol.MaxBatchBytes {
		return nil, refuse(fmt.Errorf("the batch has %d bytes, more than the %d allowed", len(encoded), protocol.MaxBatchBytes))
	}
	a, err := newAccount(by)
	if err != nil {
		return nil, refuse(err)
	}
	err = l.checkSigner(ctx, a)
	if err != nil && !errors.Is(err, ledger.ErrNotOrdered) {
		// The configuration may have changed, and the replica not know yet.
		if err := l.catchUp(ctx); err != nil {
			return nil, notOrdered(err)
		}
		err = l.checkSigner(ctx, a)
	}
	return &submission{Ledger: l, by: a, batch: encoded, load: loadOf(batch, encoded), result: make(chan submitted, 1)}, err
}

// checkSigner refuses who is not a member, before anybody is asked.
func (l *Ledger) checkSigner(ctx context.Context, a *account) error {
	c, _, err := l.ready(ctx)
	if err != nil {
		return err
	}
	id, err := c.identity(a.serialized)
	if err == nil {
		err = id.invalid
	}
	if err != nil {
		return refuse(err)
	}
	// Peers and orderers look at the end alone, too: a clock that is behind is no reason to refuse a new certificate.
	if l.opts.Now().After(id.cert.NotAfter) {
		return refuse(fmt.Errorf("the certificate of %s was valid until %s", id.name(), id.cert.NotAfter.Format(time.RFC3339)))
	}
	if a.Key == nil {
		return refuse(errors.New("the signer has no key"))
	}
	if public, ok := a.Key.Public().(*ecdsa.PublicKey); !ok || !public.Equal(id.key) {
		return refuse(errors.New("the signer's key is not that of its certificate"))
	}
	return nil
}

// ready returns the configuration and the chaincode's endorsement policy in force, after the follower has come as far.
func (l *Ledger) ready(ctx context.Context) (*channel, policy, error) {
	for {
		l.mu.RLock()
		c, next := l.replica.conf, l.newBlock
		l.mu.RUnlock()
		if c != nil {
			p, err := c.endorsementPolicy(l.replica.db, l.opts.Config.Chaincode)
			var undefined *invalid
			switch {
			case err == nil:
				return c, p, nil
			case !errors.As(err, &undefined):
				return nil, nil, notOrdered(err)
			}
		}
		select {
		case <-next:
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("%w: the ledger has not been read as far as the chaincode's definition: %w", ledger.ErrNotOrdered, context.Cause(ctx))
		}
	}
}

// catchUp returns when the replica has the block that is a peer's newest now.
func (l *Ledger) catchUp(ctx context.Context) error {
	var last error
	for _, p := range ordered(l.net.peers, time.Now()) {
		height, err := p.height(ctx, l.reader, l.opts.Config.Channel)
		if err != nil {
			last = err
			continue
		}
		_, err = l.await(ctx, height-1)
		return errors.Join(err, ctx.Err())
	}
	return last
}

// height asks a peer for its number of blocks.
func (n *node) height(ctx context.Context, by *account, channelID string) (height uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, endorseTimeout)
	defer cancel()
	newest := &ab.SeekPosition{Type: &ab.SeekPosition_Newest{Newest: &ab.SeekNewest{}}}
	err = n.seek(ctx, by, channelID, newest, newest, func(b *common.Block) error {
		height = b.GetHeader().GetNumber() + 1
		return errStop
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return height, err
}

// run proposes and orders until the transaction is valid. One that met a conflict twice waits for others of this process
// that meet it on the same key, so that they do not go on invalidating each other.
func (s *convoy) run(ctx context.Context) (receipts []ledger.Receipt, err error) {
	var last error
	var leave func()
	defer func() {
		if leave != nil {
			leave()
		}
	}()
	for attempt := range maxAttempts {
		f, err := s.attempt(ctx)
		switch {
		case errors.Is(err, errDisagree): // nothing was sent
			last = err
		case err != nil:
			return nil, err
		case f.code == peer.TxValidationCode_VALID:
			return f.receipts, nil
		default:
			last = fmt.Errorf("transaction %s: %s", f.id, f.code)
		}
		s.setIDs("") // whoever leaves until the next proposal has nothing on the ledger
		s.Metrics.Conflicts.Add(1)
		if leave == nil && attempt > 0 && f.conflict != "" {
			if leave, err = s.lanes.enter(ctx, f.conflict); err != nil {
				return nil, notOrdered(err)
			}
			continue
		}
		sleep(ctx, pause(attempt, retryPause, maxRetryPause))
	}
	return nil, fmt.Errorf("%w: %w", ledger.ErrInvalidated, last)
}

// attempt makes one transaction of the submissions and sees it into a block. Errors but errDisagree are Submit's.
func (s *convoy) attempt(ctx context.Context) (fate, error) {
	c, enough, err := s.ready(ctx)
	if err != nil {
		return fate{}, err
	}
	p, err := s.proposal(ctx)
	if err != nil {
		return fate{}, err
	}
	result, endorsements, err := s.endorsePatiently(ctx, p, c, enough)
	if err != nil {
		return fate{}, err
	}
	envelope, err := p.envelope(s.by, result, endorsements)
	if err != nil {
		return fate{}, notOrdered(err)
	}
	return s.order(ctx, p.id, envelope)
}

// endorsePatiently is endorse, again and again while peers that are needed are away.
func (s *convoy) endorsePatiently(ctx context.Context, p *proposal, c *channel, enough policy) (result []byte, endorsements []*peer.Endorsement, err error) {
	begin := time.Now()
	for failed := 0; ; failed++ {
		result, endorsements, err = s.endorse(ctx, s.by, p, c, enough)
		if !errors.Is(err, errTooFew) || time.Since(begin) > endorsePatience {
			return result, endorsements, err
		}
		sleep(ctx, pause(failed, firstPause, maxPause/5))
	}
}

// order sends a transaction to the orderers and waits for it to come back in a block.
func (s *convoy) order(ctx context.Context, id string, envelope *fab.SignedEnvelope) (fate, error) {
	result := make(chan fate, 1)
	s.mu.Lock()
	s.waiting[id] = result
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.waiting, id)
		s.mu.Unlock()
	}()
	if ctx.Err() != nil {
		return fate{}, notOrdered(context.Cause(ctx))
	}
	err := s.broadcast(ctx, s.by, envelope)
	if errors.Is(err, ledger.ErrRefused) || errors.Is(err, ledger.ErrNotOrdered) {
		return fate{}, err
	}
	resend := time.NewTicker(resendAfter)
	defer resend.Stop()
	for {
		select {
		case f := <-result:
			return f, nil
		case <-resend.C:
			s.followOther()
			err = s.sendAgain(ctx, envelope)
		case <-ctx.Done():
			// Not its cause: that may be ErrClosed, which says that nothing was ordered.
			return fate{}, &ledger.UnknownError{TxID: id, Err: errors.Join(ctx.Err(), err)}
		}
	}
}

func (s *convoy) sendAgain(ctx context.Context, envelope *fab.SignedEnvelope) error {
	ctx, cancel := context.WithTimeout(ctx, resendAfter)
	defer cancel()
	return s.broadcast(ctx, s.by, envelope)
}

// followOther has the follower turn to another peer: the one that it follows may be cut off from the orderers.
func (l *Ledger) followOther() {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.moveOn != nil {
		l.moveOn(errMoveOn)
	}
}

// lanes let those pass one by one who would be in each other's way. The zero value is ready.
type lanes struct {
	mu  sync.Mutex
	all map[string]*lane
}

type lane struct {
	free  chan struct{} // holds one token
	users int
}

// enter waits until the lane of a key is free.
func (l *lanes) enter(ctx context.Context, key string) (leave func(), err error) {
	l.mu.Lock()
	if l.all == nil {
		l.all = map[string]*lane{}
	}
	in, ok := l.all[key]
	if !ok {
		in = &lane{free: make(chan struct{}, 1)}
		in.free <- struct{}{}
		l.all[key] = in
	}
	in.users++
	l.mu.Unlock()
	gone := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if in.users--; in.users == 0 {
			delete(l.all, key)
		}
	}
	select {
	case <-in.free:
		return func() {
			in.free <- struct{}{}
			gone()
		}, nil
	case <-ctx.Done():
		gone()
		return nil, ctx.Err()
	}
}
