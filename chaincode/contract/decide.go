package contract

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/foodtrace-ledger/foodtrace/internal/event"
)

// State is what the contract may read: the world state as of the start of the transaction. Fabric's stub and the
// embedded ledger serve it alike. A read does not see the transaction's own writes.
type State interface {
	// Get returns the value of a key, or nil when there is none. The bytes must not be changed.
	Get(key string) ([]byte, error)
	// Range iterates over the keys that begin with prefix, in byte order. Breaking off early is allowed.
	Range(prefix string) iter.Seq2[KV, error]
}

// KV is a key and its value.
type KV struct {
	Key   string
	Value []byte
}

// Tx is one submitted transaction as the ledger hands it over, after it checked the submitter's signature.
type Tx struct {
	ID    string     // unique on the ledger
	Actor Actor      // who signed
	Time  event.Time // the ledger's time of the transaction, the same on every peer
	Batch *Batch
}

// Actor is the submitting member as its certificate shows it.
type Actor struct {
	MSP     string // MSP ID of the organisation
	Subject string // common name in the certificate: the person or machine
	// Roles are those that the certificate allows this person or machine to act in, of those of its member. Nil: all of them.
	Roles []Role
}

// Effects are the writes of a transaction in ascending key order; a nil value deletes the key.
type Effects []KV

// Status of a record after the decision.
type Status string

const (
	Accepted  Status = "accepted"
	Duplicate Status = "duplicate" // the same content is on the ledger already; nothing was written
	Refused   Status = "refused"   // not part of the record; a violation of a hold is kept nevertheless
)

// Outcome is what the contract said of one record.
type Outcome struct {
	// ID of the record: an event's hash (ni:///sha-256;…?ver=CBV2.0), an act's "kind-" and 32 hex digits; "" when the
	// record is no one thing.
	ID       string    `json:"id"`
	Status   Status    `json:"status"`
	Findings []Finding `json:"findings,omitempty"`
	// Violations lists the holds that a refused movement would have broken: hold IDs, ascending.
	Violations []string `json:"violations,omitempty"`
	// Voids: the record's error declaration declared the event with the ID above wrong. Usually that event is on the
	// ledger already; if not (finding ERROR_DECLARATION_UNKNOWN), it is there now, void from the start.
	Voids bool `json:"voids,omitzero"`
}

// Finding is a coded remark on a record.
type Finding struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`          // one English sentence
	Place   string `json:"place,omitzero"`   // JSON pointer into the record
	Subject string `json:"subject,omitzero"` // the item, site, member or hold it is about
}

func (o *Outcome) note(code Code, place, subject, message string) {
	o.Findings = append(o.Findings, Finding{Code: code, Message: message, Place: place, Subject: subject})
}

func (o *Outcome) refuse(code Code, place, subject, message string) {
	o.note(code, place, subject, message)
	o.Status = Refused
}

// refuseUnless notes what a lenient policy lets pass and another refuses.
func (o *Outcome) refuseUnless(lenient bool, code Code, place, subject, message string) {
	o.note(code, place, subject, message)
	if !lenient {
		o.Status = Refused
	}
}

// decision is a transaction being decided.
type decision struct {
	*store
	tx     Tx
	now    int64 // tx.Time, microseconds
	pos    int   // of the record
	policy Policy
	actor  *Member            // nil: not a member
	fresh  map[string]bool    // IDs of records accepted in this batch
	clear  map[string]bool    // nodes known to have no ancestor marked by a spreading hold
	work   int                // see maxWork
	inside map[string]*stayed // of nodes, as far as worked out
}

// Decide applies a transaction to the state. It fails only when the state cannot be read or is damaged; everything
// wrong with a record is in its outcome. len(outcomes) == len(tx.Batch.Records). Same state and tx, same result,
// byte for byte.
func Decide(state State, tx Tx) (Effects, []Outcome, error) {
	if tx.Batch == nil || len(tx.Batch.Records) == 0 {
		return nil, nil, nil
	}
	d := newDecision(state, tx)
	outcomes := make([]Outcome, len(tx.Batch.Records))
	if len(outcomes) > MaxRecords {
		for i := range outcomes {
			outcomes[i].refuse(CodeTooLarge, "", "", fmt.Sprintf("a batch carries at most %d records", MaxRecords))
		}
		return nil, outcomes, nil
	}
	if err := d.begin(); err != nil {
		return nil, nil, err
	}
	refused := false
	for i := range outcomes {
		d.pos = i
		if err := d.record(&tx.Batch.Records[i], &outcomes[i]); err != nil {
			return nil, nil, err
		}
		refused = refused || outcomes[i].Status == Refused
	}
	if refused && tx.Batch.Atomic {
		d.rollBack(outcomes)
		return nil, outcomes, nil
	}
	effects, err := d.effects()
	if err != nil {
		return nil, nil, err
	}
	return effects, outcomes, nil
}

func newDecision(state State, tx Tx) *decision {
	return &decision{store: newStore(state), tx: tx, now: micros(tx.Time), fresh: map[string]bool{}, clear: map[string]bool{}, inside: map[string]*stayed{}}
}

// micros rounds to milliseconds like the event hash, so that two forms of one event have one time.
func micros(t event.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Add(time.Millisecond / 2).Truncate(time.Millisecond).UnixMicro()
}

// begin reads what every record needs.
func (d *decision) begin() error {
	actor, err := get[Member](d.store, prefixMember+d.tx.Actor.MSP)
	if err != nil {
		return err
	}
	d.actor = actor
	policy, err := get[Policy](d.store, keyPolicy)
	if err != nil {
		return err
	}
	if policy != nil {
		d.policy = *policy
	}
	return nil
}

// rollBack refuses what was accepted in a batch of which something else was refused, and what was a duplicate of it.
func (d *decision) rollBack(outcomes []Outcome) {
	for i := range outcomes {
		o := &outcomes[i]
		if o.Status == Accepted || o.Status == Duplicate && d.fresh[o.ID] {
			o.Voids = false
			o.refuse(CodeRolledBack, "", "", "another record of the batch was refused, so none of it was written")
		}
	}
}

// record decides one record. Everything is checked before anything is changed, so a refused record leaves no trace.
func (d *decision) record(r *Record, o *Outcome) error {
	o.Status = Accepted
	kind := r.kind(o)
	if o.Status == Refused {
		return nil
	}
	if err := d.identify(r, kind, o); err != nil {
		return err
	}
	d.checkEvidence(r.Evidence, o)
	if d.actor == nil {
		genesis, err := d.genesis(r)
		if err != nil {
			return err
		}
		if !genesis {
			o.refuse(CodeNotRegistered, "", d.tx.Actor.MSP, "the organisation "+d.tx.Actor.MSP+" is not a member of this ledger")
			return nil
		}
	}
	var err error
	switch kind {
	case "event":
		err = d.event(r.Event, o)
	case "inspection":
		err = d.inspect(r.Inspection, o)
	case "hold":
		err = d.hold(r.Hold, o)
	case "release":
		err = d.release(r.Release, o)
	case "spread":
		err = d.spread(r.Spread, o)
	case "registration":
		err = d.register(r.Registration, o)
	}
	if o.Status == Accepted && err == nil {
		d.fresh[o.ID] = true
	}
	return err
}

// kind names the one thing that a record is.
func (r *Record) kind(o *Outcome) (kind string) {
	n := 0
	is := func(set bool, name string) {
		if set {
			kind = name
			n++
		}
	}
	is(r.Event != nil, "event")
	is(r.Inspection != nil, "inspection")
	is(r.Hold != nil, "hold")
	is(r.Release != nil, "release")
	is(r.Spread != nil, "spread")
	is(r.Registration != nil, "registration")
	if n != 1 {
		o.refuse(CodeRecordShape, "", "", "a record is exactly one of event, inspection, hold, release, spread and registration")
	}
	return kind
}

// identify gives the record its ID. An inspection, hold or release is known by who says it and what it says, so that it can
// be sent again safely. A registration or spread may rightly be repeated with the same content, so it is known by its
// transaction.
func (d *decision) identify(r *Record, kind string, o *Outcome) error {
	if kind == "event" {
		o.ID = r.Event.Hash()
		return nil
	}
	content, err := encodeJSON(r)
	if err != nil { // not representable, e.g. invalid UTF-8
		o.refuse(CodeRecordShape, "", "", "the record cannot be written as JSON")
		content = nil
	}
	if kind == "registration" || kind == "spread" {
		content = append(content, d.tx.ID+"/"+strconv.Itoa(d.pos)...)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00", kind, d.tx.Actor.MSP)
	h.Write(content)
	o.ID = kind + "-" + hex.EncodeToString(h.Sum(nil)[:16])
	return nil
}
