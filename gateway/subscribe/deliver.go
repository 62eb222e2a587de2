package subscribe

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/foodtrace-ledger/foodtrace/gateway/auth"
	"github.com/foodtrace-ledger/foodtrace/gateway/problem"
	"github.com/foodtrace-ledger/foodtrace/internal/index"
)

// Limits of one delivery.
const (
	maxPiece      = 500     // events
	maxDelivery   = 1 << 20 // bytes of the body; a single event is sent whatever its size
	minRetry      = 5 * time.Second
	maxRetry      = time.Hour // a receiver that is back hears of it within this time
	maxError      = 300       // bytes of an error that are kept
	mediaTypeJSON = "application/json"
)

// errTooLarge: the receiver has answered 413.
var errTooLarge = errors.New("the receiver says that a single event is too large for it (413)")

// errEnded: the receiver has answered 410, it wants no more.
var errEnded = errors.New("the receiver has ended the subscription (410)")

// refusal is a failure on our side: the query's, or that its owner may not see anything any more.
type refusal struct{ p *problem.Problem }

func (r *refusal) Error() string { return r.p.Error() }

// unsent is a delivery that the receiver has not taken: why may be told to its owner.
type unsent struct{ error }

func (u unsent) Unwrap() error { return u.error }

// told is what the owner of a subscription may know of a failure: nothing of the insides.
func told(failure error) string {
	var refused *refusal
	var receiver unsent
	switch {
	case errors.As(failure, &refused):
		return refused.p.Detail
	case errors.As(failure, &receiver):
		return cut(receiver.Error(), maxError)
	}
	return "the events cannot be read just now"
}

// turn makes the deliveries of a subscription that are due, one after the other, and returns its job as it is then; nil if
// there is nothing to do for it ever again.
func (s *Service) turn(ctx context.Context, j job) *job {
	height, _ := s.now() // before the search: a block that comes meanwhile is for the next turn
	sub, err := s.store.get(ctx, j.id)
	if err == nil {
		if sub.Pending == nil {
			sub.Cursor = j.searched
		}
		err = s.settle(ctx, sub, s.deliver(ctx, sub))
	}
	switch {
	case errors.Is(err, errGone), errors.Is(err, errEnded):
		return nil
	case err == nil:
		j.seen, j.due, j.searched, j.failing = height, sub.Due, sub.Cursor, sub.Failures > 0
		if j.failing {
			j.seen = 0 // tried again without a new block
		}
	case ctx.Err() == nil:
		s.Log.Error("a subscription cannot be served", "subscription", j.id, "err", err)
		j.due = s.Now().Add(maxRetry / 60) // the disk may have room again
	}
	return &j
}

// settle keeps what came of a turn's deliveries. A failure is kept with the time of the next attempt.
func (s *Service) settle(ctx context.Context, sub *Subscription, failure error) error {
	switch {
	case ctx.Err() != nil, errors.Is(failure, errGone): // interrupted, or removed: nothing has happened
		return errors.Join(failure, ctx.Err())
	case errors.Is(failure, ErrNoSuchQuery):
		s.report(ctx, sub, problem.New(http.StatusNotFound, problem.NotFound, "The query of this subscription has been removed, and the subscription with it."), "NoSuchNameException")
		return errors.Join(s.store.remove(ctx, sub.Owner.Member, sub.Query, sub.ID), errGone)
	case errors.Is(failure, errEnded):
		sub.Ended, sub.Error, sub.ErrorAt = s.Now(), told(failure), s.Now()
		return errors.Join(s.store.put(ctx, sub), errEnded)
	case failure != nil:
		s.fail(ctx, sub, failure)
		return s.store.put(ctx, sub)
	case sub.Stream():
		healed := sub.Failures > 0
		sub.succeed(s.Now())
		if healed { // without a delivery: there is nothing left of what failed
			return s.store.put(ctx, sub)
		}
		return nil
	}
	sub.succeed(s.Now())
	sub.Due = sub.next(s.Now())
	return s.store.put(ctx, sub)
}

func (sub *Subscription) succeed(now time.Time) {
	sub.Failures, sub.Error, sub.ErrorAt, sub.Due, sub.Searched = 0, "", time.Time{}, time.Time{}, now
}

// fail notes a failure, and tells the receiver the first time if it is not the receiver's own.
func (s *Service) fail(ctx context.Context, sub *Subscription, failure error) {
	var refused *refusal
	if errors.As(failure, &refused) && sub.Failures == 0 {
		s.report(ctx, sub, refused.p, exceptionOf(refused.p.Status))
	}
	sub.Failures++
	sub.Error, sub.ErrorAt = told(failure), s.Now()
	var answer *badAnswer
	wait := s.backoff(sub.Failures)
	if errors.As(failure, &answer) {
		wait = min(max(wait, answer.retryAfter), maxRetry)
	}
	sub.Due = s.Now().Add(wait)
	s.Log.Info("a delivery failed", "subscription", sub.ID, "failures", sub.Failures, "again", wait, "err", failure)
}

// backoff doubles with each failure, up to a bound, give or take a quarter, so that receivers that failed together are not
// called together.
func (s *Service) backoff(failures int) time.Duration {
	wait := s.retry
	for range failures - 1 {
		wait = min(2*wait, maxRetry)
	}
	return time.Duration(float64(wait) * (0.75 + rand.Float64()/2))
}

// deliver sends all that there is.
func (s *Service) deliver(ctx context.Context, sub *Subscription) error {
	for empty := sub.ReportIfEmpty; ; empty = false {
		sent, err := s.piece(ctx, sub, empty)
		if err != nil || !sent {
			return err
		}
	}
}

// permitted refuses a principal that is no longer what it was. It is asked again with every delivery: rights may come back.
func (s *Service) permitted(ctx context.Context, who auth.Principal, token auth.ID) error {
	ok, err := s.Valid(ctx, who, token)
	if err == nil && !ok {
		return &refusal{problem.New(http.StatusForbidden, problem.Forbidden, "The member of this subscription has no token, or not the role, with which it was made.")}
	}
	return err
}

// piece makes one delivery, and reports whether it has: of the next events, or, if empty, also of none.
func (s *Service) piece(ctx context.Context, sub *Subscription, empty bool) (sent bool, err error) {
	if err := s.permitted(ctx, sub.Owner, ""); err != nil { // its member's tokens may be renewed
		return false, err
	}
	limit := sub.Piece
	if sub.Pending != nil && sub.Pending.Count > 0 {
		limit = sub.Pending.Count
	}
	events, next, err := s.search(ctx, sub.search(limit))
	if err != nil {
		return false, err
	}
	if len(events) == 0 && !empty {
		sub.Cursor, sub.Pending = next, nil
		return false, nil
	}
	body, err := s.pin(ctx, sub, events)
	if err != nil || body == nil {
		return err == nil, err
	}
	err = s.send(ctx, sub, body)
	if errors.Is(err, errTooLarge) && len(events) > 1 {
		sub.Piece, sub.Pending = len(events)/2, nil
		sub.Sequence-- // it was refused as a whole: the number is free
		return true, s.store.put(ctx, sub)
	}
	if err != nil {
		return false, err
	}
	sub.Cursor, sub.Pending, sub.Piece = next, nil, min(sub.Piece+1, maxPiece)
	sub.succeed(s.Now())
	sub.Notified = s.Now()
	return true, s.store.put(ctx, sub)
}

func (sub *Subscription) search(limit int) search {
	q := search{sub.Owner, sub.Query, time.Time{}, sub.Cursor, limit}
	if sub.Notified.IsZero() { // "only applies the first time a subscriber receives events"
		q.from = sub.InitialRecordTime
	}
	return q
}

// search is what is looked for next.
type search struct {
	who   auth.Principal
	query string
	from  time.Time // it may have been in the future when the subscription was made
	after index.Cursor
	limit int
}

// search returns the next events, none if there are none yet, and the cursor behind them. What is wrong with the query becomes
// a refusal.
func (s *Service) search(ctx context.Context, q search) ([]index.Event, index.Cursor, error) {
	for limit := q.limit; ; {
		began := time.Now()
		events, next, err := s.Source.Since(ctx, q.who, q.query, q.after, q.limit)
		s.mu.Lock()
		s.spent += time.Since(began)
		s.mu.Unlock()
		if err != nil {
			return nil, q.after, s.refused(ctx, q, err)
		}
		early := 0
		for early < len(events) && events[early].Where.Time.Before(q.from) {
			early++
		}
		switch {
		case early == len(events) && next != q.after:
			q.after, q.limit = next, limit
		case early > 0: // the same again, but only them
			q.limit = early
		default:
			return events, next, nil
		}
	}
}

// refused tells what will not go away by itself from what will.
func (s *Service) refused(ctx context.Context, q search, err error) error {
	if ctx.Err() != nil || errors.Is(err, ErrNoSuchQuery) {
		return err
	}
	p := problem.Of(ctx, err)
	if p.Status == http.StatusServiceUnavailable {
		return err
	}
	s.Log.Error("the query of a subscription failed", "query", q.query, "member", q.who.Member, "err", err)
	return &refusal{p}
}

// pin writes a delivery, and keeps its number with what it holds before it is made for the first time. If the events are
// others than those of the attempt before, because what the owner may see has changed, it is another delivery with the next
// number. No body: it is too large, and fewer events are to be tried.
func (s *Service) pin(ctx context.Context, sub *Subscription, events []index.Event) ([]byte, error) {
	now := delivery{len(events), digest(events)}
	again := sub.Pending != nil && *sub.Pending == now
	if !again {
		sub.Sequence++
		sub.Pending = &now
	}
	body, err := s.Render(ctx, Document{ID: fmt.Sprintf("urn:uuid:%s#%d", sub.ID, sub.Sequence), Query: sub.Query, Subscription: sub.ID, EPC: sub.EPC,
		Who: sub.Owner, Events: events})
	if err != nil || again {
		return body, err
	}
	if len(body) > maxDelivery && len(events) > 1 {
		sub.Sequence--
		sub.Pending, sub.Piece = nil, len(events)/2
		return nil, nil
	}
	return body, s.store.put(ctx, sub)
}

// digest tells deliveries apart.
func digest(events []index.Event) string {
	h := sha256.New()
	for _, e := range events {
		h.Write([]byte(e.ID + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// send makes a delivery.
func (s *Service) send(ctx context.Context, sub *Subscription, body []byte) error {
	if err := s.post(ctx, sub, mediaTypeJSON, sub.Sequence, body); err != nil {
		return unsent{err}
	}
	return nil
}

// report sends a problem, without a number, once: if it does not arrive, the subscription itself says what is wrong.
func (s *Service) report(ctx context.Context, sub *Subscription, p *problem.Problem, exception string) {
	body, err := json.Marshal(typed(p, exception))
	if err == nil {
		err = s.post(ctx, sub, problem.MediaType, 0, body)
	}
	if err != nil {
		s.Log.Info("a problem could not be sent", "subscription", sub.ID, "err", err)
	}
}

// exceptionOf is the standard's name of a problem of a query.
func exceptionOf(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "QueryParameterException"
	case http.StatusForbidden:
		return "SecurityException"
	case http.StatusRequestEntityTooLarge:
		return "QueryTooLargeException"
	}
	return "ImplementationException"
}

// badAnswer is an answer that is neither a success nor a wish.
type badAnswer struct {
	status     int
	retryAfter time.Duration
}

func (b *badAnswer) Error() string {
	if b.status/100 == 3 {
		return fmt.Sprintf("the receiver answered %d %s; redirects are not followed", b.status, http.StatusText(b.status))
	}
	return fmt.Sprintf("the receiver answered %d %s", b.status, http.StatusText(b.status))
}

// post calls the receiver.
func (s *Service) post(ctx context.Context, sub *Subscription, mediaType string, sequence uint64, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.Dest, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", mediaType)
	r.Header.Set("User-Agent", "foodtrace")
	r.Header.Set("GS1-EPCIS-Version", "2.0.0")
	r.Header.Set("GS1-CBV-Version", "2.0.0")
	r.Header.Set(SubscriptionHeader, sub.ID)
	if sequence > 0 {
		r.Header.Set(SequenceHeader, strconv.FormatUint(sequence, 10))
	}
	if sub.Token != "" {
		r.Header.Set(SignatureHeader, Sign(sub.Token, s.Now(), body))
	}
	client := s.plain
	if r.URL.Scheme == "https" {
		client = s.secure
	}
	answer, err := client.Do(r)
	if err != nil {
		return unwrapURL(err)
	}
	_, read := io.CopyN(io.Discard, answer.Body, answerBytes) // the status is the answer; to its end, the connection is used again
	if err := answer.Body.Close(); err != nil && !errors.Is(read, io.EOF) {
		s.Log.Debug("the answer of a receiver was not read", "subscription", sub.ID, "err", err)
	}
	switch {
	case answer.StatusCode/100 == 2:
		return nil
	case answer.StatusCode == http.StatusRequestEntityTooLarge:
		return errTooLarge
	case answer.StatusCode == http.StatusGone:
		return errEnded
	}
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	return &badAnswer{answer.StatusCode, time.Duration(min(max(seconds, 0), int(maxRetry/time.Second))) * time.Second}
}

// unwrapURL leaves out the address, which the subscription says already.
func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return fmt.Errorf("the receiver cannot be reached: %w", u.Err)
	}
	return err
}

func cut(text string, limit int) string {
	if len(text) > limit {
		return string(bytes.ToValidUTF8([]byte(text[:limit]), nil)) + "…"
	}
	return text
}
